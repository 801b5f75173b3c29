//! Text out of packages on its way to a terminal.

/// Returns text in which nothing steers a terminal: control characters and those that turn the direction of writing are
/// replaced, line breaks among them.
pub(super) fn plain(text: &str) -> String {
    let is_steering = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c: char| if is_steering(c) { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("größer \"日本\" é"), "größer \"日本\" é");
        assert_eq!(
            plain("a\x1b[2Jb\nc\u{9b}d\u{202e}e"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e"
        );
    }
}
