//! Paths of members: the only way from an archive's bytes to a path.
//!
//! A [`MemberPath`] is relative, has `/` between its components and means the same on every file system and in every
//! URL. It is never given to the file system by this module.

use std::fmt;

/// Components in one path: published packages have nine at most.
const MAX_COMPONENTS: usize = 64;

/// The path of a member, relative and harmless.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberPath(String);

/// Why the path of a member is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// It begins with a slash.
    #[error("the path is absolute")]
    Absolute,
    /// It begins with a drive, `C:`.
    #[error("the path names a drive")]
    Drive,
    /// `..` among its components.
    #[error("the path climbs with ..")]
    Parent,
    /// `.` among its components, but for one in front.
    #[error("the path has a . component")]
    Current,
    /// No bytes at all, or two slashes in a row.
    #[error("the path has an empty component")]
    EmptyComponent,
    /// A backslash, which some systems read as a slash.
    #[error("the path has a backslash")]
    Backslash,
    /// NUL, a line end or another control character.
    #[error("the path has the control character {0:?}")]
    Control(char),
    /// A character that is not seen but changes how the others are.
    #[error("the path has the invisible character {0:?}")]
    Invisible(char),
    /// Not UTF-8.
    #[error("the path is not UTF-8")]
    Encoding,
    /// A component that ends in a dot or a space, which some systems drop.
    #[error("the path has a component that ends in a dot or a space")]
    TrailingDotOrSpace,
    /// Longer than `Limits::path_bytes`.
    #[error("the path has {bytes} bytes, more than {limit}")]
    TooLong {
        /// Bytes found.
        bytes: usize,
        /// `Limits::path_bytes`.
        limit: usize,
    },
    /// More than 64 components.
    #[error("the path has more than {MAX_COMPONENTS} components")]
    TooDeep,
}

impl MemberPath {
    /// Returns the path in an archive's bytes.
    ///
    /// One `./` in front and one `/` behind are dropped; nothing else is repaired. Fails with what is wrong first.
    pub fn parse(raw: &[u8], limit_bytes: usize) -> Result<Self, PathRefusal> {
        if raw.len() > limit_bytes {
            return Err(PathRefusal::TooLong {
                bytes: raw.len(),
                limit: limit_bytes,
            });
        }
        let text = std::str::from_utf8(raw).map_err(|_| PathRefusal::Encoding)?;
        for character in text.chars() {
            check_character(character)?;
        }
        if text.starts_with('/') {
            return Err(PathRefusal::Absolute);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        if matches!(text.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic()) {
            return Err(PathRefusal::Drive);
        }
        for (number, component) in text.split('/').enumerate() {
            if number == MAX_COMPONENTS {
                return Err(PathRefusal::TooDeep);
            }
            check_component(component)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the path, components separated by `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the components, at least one.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says whether the bytes name the archive's own root, as `tar -C folder .` writes it.
pub(super) fn is_root(raw: &[u8]) -> bool {
    raw == b"." || raw == b"./"
}

/// Returns a refused path fit for a message: one line, nothing invisible, at most `limit_bytes` of it.
pub(super) fn shown(raw: &[u8], limit_bytes: usize) -> String {
    let (head, end) = match raw.get(..limit_bytes) {
        Some(head) if raw.len() > limit_bytes => (head, "…"),
        _ => (raw, ""),
    };
    let mut line = String::with_capacity(head.len());
    for character in String::from_utf8_lossy(head).chars() {
        match check_character(character) {
            Ok(()) => line.push(character),
            Err(_) => line.extend(character.escape_default()),
        }
    }
    line.push_str(end);
    line
}

fn check_character(character: char) -> Result<(), PathRefusal> {
    match character {
        '\\' => Err(PathRefusal::Backslash),
        _ if character.is_control() => Err(PathRefusal::Control(character)),
        // Direction marks and overrides, zero-width characters, line and paragraph separators, tags.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Err(PathRefusal::Invisible(character)),
        _ => Ok(()),
    }
}

fn check_component(component: &str) -> Result<(), PathRefusal> {
    match component {
        "" => Err(PathRefusal::EmptyComponent),
        "." => Err(PathRefusal::Current),
        ".." => Err(PathRefusal::Parent),
        _ if component.ends_with(['.', ' ']) => Err(PathRefusal::TrailingDotOrSpace),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &[u8]) -> Result<String, PathRefusal> {
        MemberPath::parse(raw, 512).map(|path| path.0)
    }

    #[test]
    fn ordinary_paths_are_taken_as_they_are() {
        for path in [
            "a",
            "packages/nginx/1.5.0/manifest.yml",
            ".git",
            "..a/.b",
            "a b/c d",
            "data_stream/ünïcode/日本",
            "ab:c",
            "a/C:",
        ] {
            assert_eq!(parse(path.as_bytes()).as_deref(), Ok(path));
        }
        assert_eq!(parse(b"./a/b").as_deref(), Ok("a/b"));
        assert_eq!(parse(b"a/b/").as_deref(), Ok("a/b"));
    }

    #[test]
    fn a_path_that_means_something_else_somewhere_is_refused() {
        use PathRefusal::*;
        let table: &[(&[u8], PathRefusal)] = &[
            (b"", EmptyComponent),
            (b"/", Absolute),
            (b"/etc/passwd", Absolute),
            (b"//a", Absolute),
            (b"./", EmptyComponent),
            (b".//a", EmptyComponent),
            (b"././a", Current),
            (b".", Current),
            (b"a/.", Current),
            (b"a/./b", Current),
            (b"..", Parent),
            (b"../x", Parent),
            (b"./../x", Parent),
            (b"a/../../x", Parent),
            (b"a/..", Parent),
            (b"a//b", EmptyComponent),
            (b"a//", EmptyComponent),
            (b"a\\b", Backslash),
            (b"..\\x", Backslash),
            (b"C:/x", Drive),
            (b"c:x", Drive),
            (b"./C:x", Drive),
            (b"a\0b", Control('\0')),
            (b"a\nb", Control('\n')),
            (b"a\x7f", Control('\x7f')),
            ("a\u{85}".as_bytes(), Control('\u{85}')),
            ("a\u{202e}gpj.exe".as_bytes(), Invisible('\u{202e}')),
            ("\u{2066}a".as_bytes(), Invisible('\u{2066}')),
            ("a\u{200b}".as_bytes(), Invisible('\u{200b}')),
            (b"a\xff", Encoding),
            (b"\xc0\xae\xc0\xae/x", Encoding),
            (b"a.", TrailingDotOrSpace),
            (b"a./b", TrailingDotOrSpace),
            (b"a/b ", TrailingDotOrSpace),
            (b"...", TrailingDotOrSpace),
        ];
        for (raw, why) in table {
            assert_eq!(parse(raw).as_ref(), Err(why), "{:?}", shown(raw, 512));
        }
    }

    #[test]
    fn length_and_depth_are_bounded_exactly() {
        assert!(parse(&[b'a'; 512]).is_ok());
        assert_eq!(
            parse(&[b'a'; 513]),
            Err(PathRefusal::TooLong {
                bytes: 513,
                limit: 512
            })
        );
        assert!(parse(vec!["a"; 64].join("/").as_bytes()).is_ok());
        assert_eq!(
            parse(vec!["a"; 65].join("/").as_bytes()),
            Err(PathRefusal::TooDeep)
        );
    }

    #[test]
    fn a_refused_path_is_shown_on_one_short_line() {
        assert_eq!(
            shown(b"a\n\x1b[31m\xff/it's", 99),
            "a\\n\\u{1b}[31m\u{fffd}/it's"
        );
        assert_eq!(shown("x\u{202e}y".as_bytes(), 99), "x\\u{202e}y");
        assert_eq!(shown(&[b'a'; 600], 4), "aaaa…");
        assert_eq!(shown(b"aaaa", 4), "aaaa");
    }
}
