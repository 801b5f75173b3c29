//! Sources of imports: trees of the smallest packages that can be taken, in every form a tree comes in.
#![allow(dead_code, reason = "each test target uses some of it")]

use crate::archives::{Tar, Zip};

/// The commit that git's archives say they were made from.
pub const COMMIT: &str = "c18366cb784f2cc3e1b36d59fb63478d6006ec16";

/// When that was, in seconds since 1970: the time every member of [`Tar`] carries.
pub const COMMITTED_AT: i64 = 1_667_289_600;

/// The files of a source, by path.
#[derive(Clone, Default)]
pub struct Tree(pub Vec<(String, Vec<u8>)>);

impl Tree {
    /// Adds a file.
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.0.push((path.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Adds the smallest package in `folder`, which ends in `{name}/{version}`.
    pub fn package(self, folder: &str) -> Self {
        let files = smallest(folder);
        files
            .iter()
            .fold(self, |tree, (path, content)| tree.file(path, content))
    }

    /// Puts every file below `folder`.
    pub fn below(mut self, folder: &str) -> Self {
        for (path, _) in &mut self.0 {
            *path = format!("{folder}/{path}");
        }
        self
    }

    /// Returns the tree as a tar.
    pub fn tar(&self) -> Tar {
        self.added_to(crate::archives::tar())
    }

    /// Returns the tree as `git archive` makes a tar of it.
    pub fn git_tar(&self) -> Tar {
        let mut tar = crate::archives::tar().global(&[("comment", COMMIT)]);
        let lead = self.0.first().and_then(|(path, _)| path.split_once('/'));
        if let Some((lead, _)) = lead {
            tar = tar.directory(format!("{lead}/"));
        }
        self.added_to(tar)
    }

    fn added_to(&self, tar: Tar) -> Tar {
        self.0
            .iter()
            .fold(tar, |tar, (path, content)| tar.file(path, content))
    }

    /// Returns the tree as a code host makes a zip of it.
    pub fn git_zip(&self) -> Zip {
        let mut extended_timestamp = vec![1];
        extended_timestamp.extend((COMMITTED_AT as u32).to_le_bytes());
        let extra = crate::archives::zip_extra(0x5455, &extended_timestamp);
        let zip = crate::archives::zip().comment(COMMIT);
        self.0.iter().fold(zip, |zip, (path, content)| {
            zip.deflated_but(path, content, |entry| entry.extra = extra.clone())
        })
    }

    /// Writes the tree below `folder` of the disk.
    pub fn write(&self, folder: &std::path::Path) {
        for (path, content) in &self.0 {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }
}

/// Returns a manifest with what every package must say.
pub fn manifest(name: &str, version: &str) -> String {
    format!(
        "format_version: 1.0.0\nname: {name}\ntitle: {name}\ndescription: About {name}.\nversion: {version}\n\
         type: integration\ncategories:\n  - web\nconditions:\n  kibana.version: \"^7.9.0 || ^8.0.0\"\n\
         owner:\n  github: example/{name}\n"
    )
}

/// Returns a release with two packages, as its repository lies on disk.
pub fn release(version: &str) -> Tree {
    Tree::default()
        .file("Dockerfile", "ARG PACKAGE_REGISTRY=v1.15.0\nFROM x\n")
        .file(
            "deployment/package-registry.yml",
            "cache_time.search: 1m\ncache_time.categories: 2m\ncache_time.catch_all: 3m\n",
        )
        .file("main.go", "package main\n")
        .package("packages/apache/1.0.0")
        .package("packages/nginx/1.5.0")
        .below(&format!("package-storage-{version}"))
}

/// Returns bytes without any pattern that a compressor could find.
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(bytes)
    .collect()
}

/// The files of the smallest package in `folder`, which ends in `{name}/{version}`.
fn smallest(folder: &str) -> [(String, String); 2] {
    let version = folder.rsplit('/').next().unwrap();
    let name = folder.rsplit('/').nth(1).unwrap();
    [
        (format!("{folder}/docs/README.md"), format!("# {name}\n")),
        (format!("{folder}/manifest.yml"), manifest(name, version)),
    ]
}

impl Tar {
    /// Adds the smallest package in `folder`, which ends in `{name}/{version}`.
    pub fn package(self, folder: &str) -> Self {
        let files = smallest(folder);
        files
            .iter()
            .fold(self, |tar, (path, content)| tar.file(path, content))
    }
}

impl Zip {
    /// Adds the smallest package in `folder`, which ends in `{name}/{version}`.
    pub fn package(self, folder: &str) -> Self {
        let files = smallest(folder);
        files
            .iter()
            .fold(self, |zip, (path, content)| zip.deflated(path, content))
    }
}
