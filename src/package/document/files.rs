//! The files of a package, in the orders in which documents look at them.

use std::cmp::Ordering;

use super::DocumentError;

/// The paths of all files of a package, relative to its root.
#[derive(Debug, Clone)]
pub struct FileList<'a> {
    /// By path component: `a/x` before `a.b/x`.
    paths: Vec<&'a str>,
    /// As the document lists them.
    assets: Vec<&'a str>,
}

impl<'a> FileList<'a> {
    /// Returns the list of the files of a package that came as a tree; their order does not matter.
    ///
    /// Fails when a folder has a `-` in its name, since the reference refuses such a tree.
    pub fn of_tree(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, DocumentError> {
        let mut paths: Vec<&str> = paths.into_iter().collect();
        paths.sort_by(|a, b| by_component(a, b));
        let walked = paths.clone();
        let list = Self::new(paths, walked);
        for path in list.assets() {
            let mut folders = path.split('/').rev().skip(1);
            if let Some(folder) = folders.find(|folder| folder.contains('-')) {
                return Err(DocumentError::FolderName(folder.to_owned()));
            }
        }
        Ok(list)
    }

    /// Returns the list of the files of a package that came as a zip, given in the order they lie in.
    ///
    /// In a zip the reference looks for a `-` in folders that have entries of their own only, which few zips have; here
    /// it is let be in all of them.
    pub fn of_zip(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let assets: Vec<&str> = paths.into_iter().collect();
        let mut paths = assets.clone();
        paths.sort_by(|a, b| by_component(a, b));
        Self::new(paths, assets)
    }

    /// Takes `paths` by component, and once more as the reference walks them.
    fn new(paths: Vec<&'a str>, mut assets: Vec<&'a str>) -> Self {
        assets.retain(|path| !path.contains(".DS_Store"));
        // It globs `*`, then `*/*` and so on: by depth, within a depth as it walks.
        assets.sort_by_key(|path| path.matches('/').count());
        Self { paths, assets }
    }

    /// Returns the files in the order of the document's `assets`.
    pub fn assets(&self) -> &[&'a str] {
        &self.assets
    }

    /// Tells whether there is a file at `path`.
    pub fn contains(&self, path: &str) -> bool {
        let found = self.paths.binary_search_by(|p| by_component(p, path));
        found.is_ok()
    }

    /// Returns the names of what lies directly in `folder`, files and folders, a folder once for each of its files.
    pub fn entries_of(&self, folder: &str) -> impl Iterator<Item = &'a str> {
        let prefix = format!("{folder}/");
        let start = self
            .paths
            .partition_point(|p| by_component(p, folder) == Ordering::Less);
        let paths = self.paths.get(start..).unwrap_or_default();
        paths
            .iter()
            .map_while(move |path| path.strip_prefix(prefix.as_str()))
            .filter_map(|rest| rest.split('/').next())
    }
}

fn by_component(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}

/// Joins the parts of a path as Go's `path.Join` does: empty parts, `.` and doubled slashes go, `..` goes up and never
/// above the root. The first part starts with a slash or the result is relative.
pub(super) fn join(parts: &[&str]) -> String {
    let is_rooted = parts.first().is_some_and(|part| part.starts_with('/'));
    let mut names: Vec<&str> = Vec::new();
    for name in parts.iter().flat_map(|part| part.split('/')) {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|&last| last != "..") => {
                names.pop();
            }
            ".." if is_rooted => {}
            name => names.push(name),
        }
    }
    let root = if is_rooted { "/" } else { "" };
    format!("{root}{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_come_by_depth_then_by_component() {
        let files = FileList::of_tree([
            "a.b/x",
            "manifest.yml",
            "a/x",
            "a/b/.DS_Store",
            "a/b/z",
            "a.b/c/d",
            "LICENSE",
            "a!/x",
        ])
        .unwrap();
        assert_eq!(
            files.assets(),
            [
                "LICENSE",
                "manifest.yml",
                "a/x",
                "a!/x",
                "a.b/x",
                "a/b/z",
                "a.b/c/d"
            ]
        );
    }

    #[test]
    fn assets_of_a_zip_come_by_depth_then_as_they_lie() {
        let files = FileList::of_zip([
            "b/z",
            "manifest.yml",
            "b/.DS_Store",
            "b/a",
            "a-b/c/d",
            "a/x",
        ]);
        assert_eq!(
            files.assets(),
            ["manifest.yml", "b/z", "b/a", "a/x", "a-b/c/d"]
        );
        assert!(files.contains("a/x"));
        assert_eq!(files.entries_of("b").count(), 3);
    }

    #[test]
    fn a_folder_with_a_dash_is_refused_and_a_file_is_not() {
        assert!(FileList::of_tree(["a-b.txt", "c/d-e"]).is_ok());
        assert!(FileList::of_tree([".DS_Store/a-b/c"]).is_ok());
        for path in ["a-b/c", "a/b-c/d", "a-b/c/d"] {
            let error = FileList::of_tree(["ok/x", path]).unwrap_err();
            assert!(error.to_string().contains("has a `-`"), "{error}");
        }
    }

    #[test]
    fn files_and_folders_are_found() {
        let files =
            FileList::of_tree(["a.b/p", "a/p/x.yml", "a/p/sub/y", "a/pq/z", "a/p", "b"]).unwrap();
        assert!(files.contains("a/p/x.yml"));
        assert!(files.contains("b"));
        for absent in ["a/p/sub", "", "a/p/x", "c"] {
            assert!(!files.contains(absent), "{absent}");
        }
        let entries = |folder| files.entries_of(folder).collect::<Vec<_>>();
        assert_eq!(entries("a/pq"), ["z"]);
        assert!(entries("a/nope").is_empty());
        assert!(entries("zzz").is_empty());
    }

    #[test]
    fn the_entries_of_a_folder_are_direct() {
        let files = FileList::of_tree(["a/p/x.yml", "a/p/sub/y", "a/p.q/z", "a/o"]).unwrap();
        let entries: Vec<_> = files.entries_of("a/p").collect();
        assert_eq!(entries, ["sub", "x.yml"]);
    }

    #[test]
    fn paths_are_joined_as_go_does() {
        for (parts, joined) in [
            (
                &["/package", "n", "1.0.0", "/img/a.svg"][..],
                "/package/n/1.0.0/img/a.svg",
            ),
            (
                &["/package", "n", "1.0.0", "./img//a.svg/"],
                "/package/n/1.0.0/img/a.svg",
            ),
            (&["/package", "n", "1.0.0", "../../../../x"], "/x"),
            (&["docs", "../x.md"], "x.md"),
            (&["docs", "../../x.md"], "../x.md"),
            (&["docs", "a/b.md"], "docs/a/b.md"),
        ] {
            assert_eq!(join(parts), joined);
        }
    }
}
