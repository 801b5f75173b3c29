//! What the upper layers of an image hide of those below them.
//!
//! Layers are read from the topmost down, so a path that was met, removed or closed above is not taken again. Facts: OCI
//! image specification 1.1, `layer.md`, "Whiteouts": `.wh.x` removes `x` of the layers below, `.wh..wh..opq` all that they
//! have in its folder; neither touches its own layer. Other names in `.wh..wh.` are aufs's own and mean nothing.

use std::collections::HashMap;

use super::error::ImageError;

const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";
const RESERVED: &str = ".wh..wh.";

/// What a path costs beside its bytes: its place in the table.
const PATH_BYTES: usize = 48;

/// The paths met above, with whether they hide what lies below them.
pub(super) struct Hidden {
    above: HashMap<Box<str>, bool>,
    /// Those of the layer that is read now.
    here: HashMap<Box<str>, bool>,
    bytes: usize,
    limit_bytes: usize,
}

impl Hidden {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self {
            above: HashMap::new(),
            here: HashMap::new(),
            bytes: 0,
            limit_bytes,
        }
    }

    /// Notes a member of the layer that is read now and says whether it is seen in the image.
    pub(super) fn sees(&mut self, path: &str, is_directory: bool) -> Result<bool, ImageError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == OPAQUE {
            self.note(folder, true)?;
            return Ok(false);
        }
        if name.starts_with(RESERVED) {
            return Ok(false);
        }
        if let Some(removed) = name.strip_prefix(WHITEOUT) {
            if !removed.is_empty() {
                let at = path.len() - name.len();
                self.note(&format!("{}{removed}", &path[..at]), true)?;
            }
            return Ok(false);
        }
        let is_seen = !self.above.contains_key(path) && !self.is_closed_above(path);
        self.note(path, !is_directory)?;
        Ok(is_seen)
    }

    /// Goes on to the layer below.
    pub(super) fn end_layer(&mut self) {
        for (path, closes) in self.here.drain() {
            *self.above.entry(path).or_default() |= closes;
        }
    }

    fn is_closed_above(&self, path: &str) -> bool {
        let closes = |folder: &str| self.above.get(folder).copied().unwrap_or_default();
        closes("") || path.match_indices('/').any(|(end, _)| closes(&path[..end]))
    }

    /// Notes a path and the folders it lies in, which are there with it.
    fn note(&mut self, path: &str, closes: bool) -> Result<(), ImageError> {
        if let Some(known) = self.here.get_mut(path) {
            *known |= closes;
            return Ok(());
        }
        let mut new = Some((path, closes));
        while let Some((path, closes)) = new.take() {
            self.bytes = self.bytes.saturating_add(path.len() + PATH_BYTES);
            if self.bytes > self.limit_bytes {
                return Err(ImageError::TooManyPaths {
                    limit_bytes: self.limit_bytes,
                });
            }
            self.here.insert(path.into(), closes);
            new = path
                .rsplit_once('/')
                .filter(|(folder, _)| !self.here.contains_key(*folder))
                .map(|(folder, _)| (folder, false));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is seen of layers, the topmost first; a slash behind a path makes it a folder.
    fn seen(layers: &[&[&str]]) -> Vec<String> {
        let mut hidden = Hidden::new(1 << 20);
        let mut seen = Vec::new();
        for layer in layers {
            for path in *layer {
                let bare = path.trim_end_matches('/');
                if hidden.sees(bare, bare != *path).unwrap() && bare == *path {
                    seen.push(bare.to_owned());
                }
            }
            hidden.end_layer();
        }
        seen
    }

    #[test]
    fn what_a_layer_above_has_removed_or_replaced_is_not_seen() {
        let table: &[(&[&[&str]], &[&str])] = &[
            (&[&["p/a"], &["p/a", "p/b"]], &["p/a", "p/b"]),
            (&[&["p/.wh.a"], &["p/a", "p/a/x", "p/ab"]], &["p/ab"]),
            (
                &[&["p/.wh.a"], &["p/.wh.b"], &["p/a", "p/b", "p/c"]],
                &["p/c"],
            ),
            // Its own layer is not touched, in whichever order it says so.
            (&[&["p/a", "p/.wh.a"], &["p/a"]], &["p/a"]),
            (&[&["p/.wh.a", "p/a/x"], &["p/a/x", "p/a/y"]], &["p/a/x"]),
            (
                &[&["p/d/.wh..wh..opq", "p/d/x"], &["p/d/y", "p/e"]],
                &["p/d/x", "p/e"],
            ),
            (
                &[&["p/d/x", "p/d/.wh..wh..opq"], &["p/d/y"], &["p/d/z"]],
                &["p/d/x"],
            ),
            (&[&[".wh..wh..opq"], &["p/a"]], &[]),
            (&[&[".wh.p"], &["p/a", "q"]], &["q"]),
            // A file takes the place of a folder, a folder that of a file, and folders are merged.
            (&[&["p/a"], &["p/a/x"]], &["p/a"]),
            (&[&["p/a/"], &["p/a"]], &[]),
            (&[&["p/a/x"], &["p/a"]], &["p/a/x"]),
            (&[&["p/a/"], &["p/a/", "p/a/x"]], &["p/a/x"]),
            // Removed, then there again further down: what is below the removal stays removed.
            (
                &[&["p/x"], &["p/.wh.x", "p/.wh.y"], &["p/x", "p/y"]],
                &["p/x"],
            ),
            (&[&["p/.wh..wh.plnk", "p/.wh."], &["p/a"]], &["p/a"]),
        ];
        for (layers, expected) in table {
            assert_eq!(seen(layers), *expected, "{layers:?}");
        }
    }

    #[test]
    fn the_record_is_bounded() {
        let mut hidden = Hidden::new(2 * (PATH_BYTES + 1));
        assert!(hidden.sees("a", false).unwrap());
        assert!(hidden.sees("b", false).unwrap());
        assert!(matches!(
            hidden.sees("c", false),
            Err(ImageError::TooManyPaths { .. })
        ));
    }
}
