//! The layers of the store as a drawing: shared content once at the bottom, what each release has for itself on top.

/// Pixels from one bar to the next: a line of text, and the bar under it.
const STEP: usize = 36;
const BAR: usize = 12;

/// A layer.
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) bytes: u64,
    class: &'static str,
}

impl Layer {
    /// Returns what one branch has for itself.
    pub(super) fn own(name: &str, bytes: u64) -> Self {
        Self::of(name, bytes, "a")
    }

    /// Returns what several have in common.
    pub(super) fn shared(name: &str, bytes: u64) -> Self {
        Self::of(name, bytes, "b")
    }

    /// Returns what nothing needs.
    pub(super) fn loose(name: &str, bytes: u64) -> Self {
        Self::of(name, bytes, "l")
    }

    fn of(name: &str, bytes: u64, class: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            class,
        }
    }
}

/// The drawing, top to bottom. Lengths are parts of its width, so that its text stays as large on a narrow screen.
pub(super) struct Strata {
    pub(super) bars: Vec<Bar>,
    pub(super) height: usize,
    pub(super) description: String,
}

/// A layer that is drawn.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) class: &'static str,
    pub(super) text_y: usize,
    pub(super) y: usize,
    pub(super) height: usize,
    /// Its part of the width, as `43.2%`.
    pub(super) width: String,
}

impl Strata {
    pub(super) fn of(layers: Vec<Layer>) -> Self {
        let largest = layers.iter().map(|layer| layer.bytes).max().unwrap_or(0);
        let said = layers.iter().map(|layer| {
            let size = crate::admin::wording::size(layer.bytes);
            format!("{}: {size}", layer.name)
        });
        let description = said.collect::<Vec<_>>().join("; ");
        let bars = layers.into_iter().enumerate().map(|(index, layer)| Bar {
            size: crate::admin::wording::size(layer.bytes),
            width: width(layer.bytes, largest),
            name: layer.name,
            class: layer.class,
            text_y: index * STEP + 12,
            y: index * STEP + 18,
            height: BAR,
        });
        let bars: Vec<_> = bars.collect();
        Self {
            height: bars.len() * STEP,
            bars,
            description,
        }
    }
}

/// Returns a part of the largest one in percent, 0.2 at least: what is there is seen.
fn width(bytes: u64, largest: u64) -> String {
    let permille = (u128::from(bytes) * 1000)
        .checked_div(u128::from(largest))
        .unwrap_or(0);
    let permille = permille.max(if bytes > 0 { 2 } else { 0 });
    format!("{}.{}%", permille / 10, permille % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_layer_is_as_wide_as_the_drawing_and_the_least_is_seen() {
        assert_eq!(width(10, 10), "100.0%");
        assert_eq!(width(5, 15), "33.3%");
        assert_eq!(width(1, u64::MAX), "0.2%");
        assert_eq!(width(0, 10), "0.0%");
        assert_eq!(width(0, 0), "0.0%");
        assert_eq!(width(u64::MAX, u64::MAX), "100.0%");
    }

    #[test]
    fn layers_lie_one_below_the_other() {
        let strata = Strata::of(vec![Layer::own("9.2.0", 10), Layer::shared("shared", 30)]);
        let drawn: Vec<_> = strata
            .bars
            .iter()
            .map(|it| (it.y, it.width.as_str()))
            .collect();
        assert_eq!(drawn, [(18, "33.3%"), (54, "100.0%")]);
        assert_eq!(strata.height, 72);
        assert_eq!(strata.description, "9.2.0: 10 B; shared: 30 B");
    }
}
