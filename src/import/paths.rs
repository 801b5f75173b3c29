//! Whether the paths of a package can be the files of one tree, wherever somebody unpacks it.
//!
//! Two names that differ by case, or by how Unicode composes a letter, are two files on Linux and one on macOS and
//! Windows, where the second takes the place of the first. No published package has such names. Facts: canonical
//! equivalence and normalization form C (UAX #15), full case folding (Unicode, `CaseFolding.txt`).

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use unicase::UniCase;

use super::error::PackageError;

/// Checks that `paths`, whose components are harmless by themselves, can be the files of one tree.
pub(super) fn check<'f>(paths: impl Iterator<Item = &'f str>) -> Result<(), PackageError> {
    let mut named: Vec<(String, &str)> = paths.map(|path| (name_anywhere(path), path)).collect();
    // By component: what lies in a folder then comes right behind a file of the folder's name. Then by the path itself,
    // so that the message does not depend on the order in the source.
    named.sort_by(|(a, a_path), (b, b_path)| {
        a.split('/')
            .cmp(b.split('/'))
            .then_with(|| a_path.cmp(b_path))
    });
    for pair in named.windows(2) {
        let [(name, path), (next_name, next_path)] = pair else {
            continue;
        };
        if path == next_path {
            return Err(PackageError::DuplicatePath {
                path: (*path).to_owned(),
            });
        }
        if name == next_name {
            return Err(PackageError::AlikePaths {
                path: told_apart(path),
                other: told_apart(next_path),
            });
        }
        let is_folder = next_name
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.starts_with('/'));
        if is_folder {
            return Err(PackageError::FileAndFolder {
                path: (*path).to_owned(),
            });
        }
    }
    Ok(())
}

/// Returns a path as it can be told from one that looks the same.
fn told_apart(path: &str) -> String {
    let shown = |character: char| match character.is_ascii() {
        true => character.to_string(),
        false => character.escape_unicode().to_string(),
    };
    path.chars().map(shown).collect()
}

/// Returns what two paths have in common that are one to some system.
fn name_anywhere(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    let composed = |text: &str| match ComposingNormalizerBorrowed::new_nfc().normalize(text) {
        Cow::Borrowed(same) => same.to_owned(),
        Cow::Owned(other) => other,
    };
    // Folding may take a letter apart that has a composed form.
    composed(&UniCase::unicode(composed(path)).to_folded_case())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(paths: &[&str]) -> String {
        match check(paths.iter().copied()) {
            Ok(()) => "one tree".to_owned(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn different_names_are_one_tree_in_any_order() {
        for paths in [
            &["b", "a", "a b", "a-b", "a/c", "ab"][2..],
            &["docs/README.md", "Docs/readme.txt", "docs.md", "docs-x/y"],
            &["é", "e", "ê", "日本", "ﬁ-x"],
            &[],
        ] {
            assert_eq!(verdict(paths), "one tree", "{paths:?}");
        }
    }

    #[test]
    fn names_that_are_one_to_some_system_are_named_both() {
        let table = [
            (
                ["a/readme.md", "a/README.md"],
                r"a/README.md and a/readme.md",
            ),
            (["Docs/x", "docs/X"], r"Docs/x and docs/X"),
            (["caf\u{e9}", "cafe\u{301}"], r"cafe\u{301} and caf\u{e9}"),
            (["CAF\u{c9}", "cafe\u{301}"], r"CAF\u{c9} and cafe\u{301}"),
            (["stra\u{df}e", "STRASSE"], r"STRASSE and stra\u{df}e"),
            (["\u{3a3}", "\u{3c2}"], r"\u{3a3} and \u{3c2}"),
            (["\u{212b}", "\u{e5}"], r"\u{e5} and \u{212b}"),
            (
                ["\u{1100}\u{1161}", "\u{ac00}"],
                r"\u{1100}\u{1161} and \u{ac00}",
            ),
        ];
        for (paths, both) in table {
            let expected = format!("it holds {both}, which are one name to some systems");
            assert_eq!(verdict(&paths), expected);
        }
    }

    #[test]
    fn a_file_and_a_folder_of_one_name_are_none_whatever_their_case() {
        for (paths, file) in [
            (["x/y", "x"], "x"),
            (["x/y", "X"], "X"),
            (["a/\u{c9}/b", "a/e\u{301}"], "a/e\u{301}"),
        ] {
            let expected = format!("it holds {file} as a file and as a folder");
            assert_eq!(verdict(&paths), expected);
        }
        assert_eq!(verdict(&["x", "y", "x"]), "it holds x twice");
    }
}
