//! What the arguments of `airlock import` are: a stream, a file in one or more pieces, zips of packages, a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::pieces;
use crate::cli::CliError;
use crate::import::zip_name;

/// Endings of files that lie beside the pieces of another, and that `image.tar.*` means as well.
const BESIDE_PIECES: [&str; 8] = [
    "asc",
    "md5",
    "sha1",
    "sha256",
    "sha256sum",
    "sha512",
    "sha512sum",
    "sig",
];

/// What the arguments are.
pub(super) enum Given {
    /// Standard input.
    Input,
    /// A file, or the pieces of one in their order.
    File(Vec<PathBuf>),
    /// Zips of packages and their signatures, each under the name it has in its folder, sorted by that.
    Zips(Vec<(String, PathBuf)>),
    /// A folder.
    Folder(PathBuf),
}

impl Given {
    /// Tells what `paths` are; looks at names, and at what is a folder. Fails where they are not one thing.
    pub(super) fn of(paths: &[PathBuf]) -> Result<Self, CliError> {
        match paths {
            [path] if path == Path::new("-") => Ok(Self::Input),
            [path] if path.is_dir() => Ok(Self::Folder(path.clone())),
            [path] if !is_zip(path) || beside(path).is_none() => Ok(Self::File(vec![path.clone()])),
            paths => Self::of_several(paths),
        }
    }

    fn of_several(paths: &[PathBuf]) -> Result<Self, CliError> {
        if paths.iter().any(|path| path == Path::new("-")) {
            return Err(CliError::new("standard input is not read beside files")
                .hint("import one after the other, each with a command of its own"));
        }
        if let Some(folder) = paths.iter().find(|path| path.is_dir()) {
            return Err(CliError::new(format!(
                "{} is a folder, and there are other sources beside it",
                folder.display()
            ))
            .hint("import one after the other, each with a command of its own"));
        }
        let of_packages = paths
            .iter()
            .filter(|path| is_zip(path) || is_signature(path));
        match of_packages.count() {
            0 => Self::pieces(paths),
            count if count == paths.len() => Self::zips(paths),
            _ => {
                let other = paths
                    .iter()
                    .find(|path| !is_zip(path) && !is_signature(path));
                Err(CliError::new(format!(
                    "some of the sources are zips of packages, and {} is not",
                    other.map_or(Path::new(""), PathBuf::as_path).display()
                ))
                .hint(
                    "several sources are zips called NAME-VERSION.zip, or the pieces of one file in their order: import \
                     the others with a command of their own",
                ))
            }
        }
    }

    fn pieces(paths: &[PathBuf]) -> Result<Self, CliError> {
        let other = paths.iter().find(|path| {
            let end = path.extension().and_then(OsStr::to_str);
            end.is_some_and(|end| BESIDE_PIECES.contains(&end))
        });
        if let Some(other) = other {
            return Err(
                CliError::new(format!("{} is no piece of a file", other.display()))
                    .hint("name the pieces alone, as in `airlock import image.tar.a?`"),
            );
        }
        let names: Vec<_> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        pieces::check(&names).map_err(|why| {
            CliError::new("the sources are not the pieces of one file in their order")
                .caused_by(&why)
                .hint("name all pieces that `split` made, as in `airlock import image.tar.*`")
        })?;
        Ok(Self::File(paths.to_vec()))
    }

    fn zips(paths: &[PathBuf]) -> Result<Self, CliError> {
        let mut files = Vec::new();
        for path in paths {
            files.push((name(path).to_owned(), path.clone()));
            // A signature that is named too is not taken twice.
            let signature = beside(path).filter(|signature| !paths.contains(signature));
            files.extend(signature.map(|path| (name(&path).to_owned(), path)));
        }
        files.sort();
        let twice = files.windows(2).find(|files| files[0].0 == files[1].0);
        if let Some(twice) = twice {
            return Err(CliError::new(format!("{} is named twice", twice[0].0))
                .hint("import the one that is meant, the other with a command of its own"));
        }
        Ok(Self::Zips(files))
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn is_zip(path: &Path) -> bool {
    zip_name(name(path)).is_some()
}

fn is_signature(path: &Path) -> bool {
    name(path)
        .strip_suffix(".sig")
        .is_some_and(|zip| zip_name(zip).is_some())
}

/// Returns the signature that lies beside a zip.
fn beside(zip: &Path) -> Option<PathBuf> {
    let mut path = zip.as_os_str().to_owned();
    path.push(".sig");
    let path = PathBuf::from(path);
    (is_zip(zip) && path.is_file()).then_some(path)
}
