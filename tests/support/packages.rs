//! Builders of packages: what a test says, and sensible files for the rest.

use std::collections::BTreeMap;

use super::COMMIT;
use super::archives::{Tar, Zip, tar, zip};

/// A package in the making.
#[derive(Clone)]
pub struct Package {
    name: String,
    version: String,
    title: String,
    manifest: String,
    files: BTreeMap<String, Vec<u8>>,
}

/// Returns a package that the registry takes: a manifest and a README.
pub fn package(name: &str, version: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: version.to_owned(),
        title: name.to_owned(),
        manifest: String::new(),
        files: BTreeMap::new(),
    }
    .with_file("docs/README.md", format!("# {name}\n"))
}

impl Package {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the title.
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.to_owned();
        self
    }

    /// Adds lines to the manifest; of two with the same key the last one counts.
    pub fn manifest_line(mut self, line: &str) -> Self {
        self.manifest.push_str(line);
        self.manifest.push('\n');
        self
    }

    /// Adds a file, or replaces it.
    pub fn with_file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files
            .insert(path.to_owned(), content.as_ref().to_vec());
        self
    }

    /// Takes a file away.
    pub fn without_file(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }

    /// Returns all files, the manifest among them, by path component.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = self.files.clone();
        let manifest = || self.manifest_text().into_bytes();
        files.entry("manifest.yml".into()).or_insert_with(manifest);
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
        files
    }

    /// Returns the folder that all files of the package's zip lie in.
    pub fn root(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Returns the package's zip, each file added by `add` under its whole path.
    pub fn zip_by(&self, add: impl Fn(Zip, String, Vec<u8>) -> Zip) -> Zip {
        let files = self.files().into_iter();
        files.fold(zip(), |zip, (path, content)| {
            add(zip, format!("{}/{path}", self.root()), content)
        })
    }

    /// Returns the package's zip, all files deflated.
    pub fn zip(&self) -> Zip {
        self.zip_by(Zip::deflated)
    }

    fn manifest_text(&self) -> String {
        let Self {
            name,
            version,
            title,
            manifest,
            ..
        } = self;
        format!(
            "format_version: 3.0.0\nname: {name}\ntitle: {title}\nversion: {version}\n\
             description: Collects what {name} writes.\ntype: integration\nowner.github: harbour/keepers\n{manifest}"
        )
    }
}

/// Returns the tar of a package-storage checkout that holds these packages.
pub fn tar_of(packages: impl IntoIterator<Item = Package>) -> Tar {
    let git = tar().global(&[("comment", COMMIT)]);
    packages.into_iter().fold(git, |tar, package| {
        let folder = format!("packages/{}/{}", package.name, package.version);
        let files = package.files().into_iter();
        files.fold(tar, |tar, (path, content)| {
            tar.file(format!("{folder}/{path}"), content)
        })
    })
}

/// Returns text larger than what is kept in memory and than one chunk of the store, plain and deflated, in which no two
/// lines are the same.
pub fn large_text() -> String {
    let mut state = 7_u64;
    let mut line = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{state:016x}\n")
    };
    (0..50_000).map(|_| line()).collect()
}
