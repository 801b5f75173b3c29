//! One package that came as a zip to an artifact whose bytes come back exactly.
//!
//! Nothing of it is stored before all of it was read and found good. That its recipe gives the zip back is proven before it
//! is staged: the pieces lie where they lay, literal bytes are the zip's own, streams and contents have the digests of the
//! bytes they stand for, and whatever of them the store did not hold before is read back from it.

use std::collections::HashMap;

use super::collect::{Collecting, Held};
use super::error::{ImportError, PackageError};
use super::layout;
use super::new_contents;
use super::package::{Made, Maker, TRANSACTION_FILES, document, tree_digest};
use super::paths;
use super::reader::zip_fault;
use super::signatures::Seal;
use super::zip_contents::{self, ZipFile};
use crate::archive::{ArchiveError, ExactZip};
use crate::crypto::Hasher;
use crate::package::{FileList, PackageId, Rendered};
use crate::store::artifacts::{self, ArtifactId, NewArtifact};
use crate::store::contents::ContentId;
use crate::store::recipes::{Listed, ListedFile};
use crate::store::{StoreError, recipes, stages};

/// Why a zip becomes no artifact.
pub(super) enum Fault {
    /// It is quarantined.
    Package(PackageError),
    /// The import ends.
    Import(ImportError),
}

impl Maker<'_> {
    /// Makes the package that came as `zip` an artifact of the store, last changed at `modified` (seconds since 1970). The
    /// inner error refuses the package, the outer one stops the import.
    pub(super) fn make_zip(
        &mut self,
        collected: &mut Collecting,
        zip: &ExactZip,
        modified: i64,
    ) -> Result<Result<Made, PackageError>, ImportError> {
        let signature = collected.signature.take();
        let mut seal = signature.map(|bytes| Seal::new(bytes, self.limits));
        match self.take_zip(collected, zip, modified, &mut seal) {
            Ok(made) => {
                if let Some(seal) = seal {
                    seal.keep(self.store, made.artifact, self.keyring)?;
                }
                Ok(Ok(made))
            }
            Err(Fault::Package(why)) => Ok(Err(why)),
            Err(Fault::Import(error)) => Err(error),
        }
    }

    fn take_zip(
        &mut self,
        collected: &mut Collecting,
        zip: &ExactZip,
        modified: i64,
        seal: &mut Option<Seal>,
    ) -> Result<Made, Fault> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut hasher = Hasher::default();
        zip.for_each_raw(0..zip.bytes(), &mut buffer, |bytes| {
            hasher.update(bytes);
            if let Some(seal) = seal {
                seal.update(bytes);
            }
        })?;
        let sha256 = hasher.finish();
        let known = self.store.read(|conn| {
            let found = artifacts::find(conn, &sha256)?;
            found.map_or(Ok(None), |id| artifacts::get(conn, id))
        })?;
        if let Some(known) = known {
            check_name(&collected.folder, zip.root(), &known.package)?;
            self.store
                .write(|conn| stages::add(conn, self.stage, known.id))?;
            return Ok(Made {
                package: known.package,
                artifact: known.id,
                is_new: false,
            });
        }
        let files = self.read_files(collected, zip, &mut buffer)?;
        let mut tree: Vec<_> = files.iter().collect();
        tree.sort_by(|a, b| a.entry.path.split('/').cmp(b.entry.path.split('/')));
        paths::check(tree.iter().map(|file| file.entry.path.as_str()))?;
        let list = FileList::of_zip(files.iter().map(|file| file.entry.path.as_str()));
        let texts = files.iter();
        let texts = texts.map(|file| (file.entry.path.as_str(), file.manifest.as_deref()));
        let rendered = self.render(&list, texts)?;
        let package = rendered.facts.id.clone();
        check_name(&collected.folder, zip.root(), &package)?;
        self.check_literals(zip)?;

        let artifact = NewArtifact {
            package: &package,
            sha256,
            bytes: zip.bytes(),
            tree_sha256: tree_digest(
                tree.iter()
                    .map(|file| (file.entry.path.as_str(), &file.sha256)),
            ),
            modified,
        };
        let artifact = self.write_zip(&artifact, zip, &files, &listed(zip, &tree), &rendered)?;
        Ok(Made {
            package,
            artifact,
            is_new: true,
        })
    }

    /// Writes an artifact with what is new of its contents: all at once, unless it is large.
    fn write_zip(
        &mut self,
        artifact: &NewArtifact<'_>,
        zip: &ExactZip,
        files: &[ZipFile<'_>],
        listed: &Listed<'_>,
        rendered: &Rendered,
    ) -> Result<ArtifactId, Fault> {
        let document = document(rendered);
        let row = self.row(rendered, document.sha256);
        let encoder = &mut self.encoder;
        let new = new_contents::encode_new(self.store, encoder, std::iter::once(&document))?;
        let (store, pages, known) = (self.store, self.pages, self.known);
        let mut last = zip_contents::store_most(store, encoder, (pages, known), zip, files, new)?;
        // Their rows take several transactions, and need all contents before.
        let is_long = files.len() >= TRANSACTION_FILES;
        if is_long {
            new_contents::write(store, pages, known, &last)?;
            last.clear();
        }
        let new = files.iter().filter(|file| file.known.is_none());
        let new: Vec<_> = new.map(|file| file.sought).collect();
        let there = known.find(store, &new)?.into_iter();
        let there = new.iter().copied().zip(there);
        let mut stored: HashMap<_, _> = there
            .filter_map(|(sought, found)| Some((sought, found?)))
            .collect();
        if !zip_contents::are_given_back(store, &stored)? {
            return Err(PackageError::NotExact.into());
        }
        let collected = |contents: Vec<ContentId>| -> Vec<_> {
            let held = contents.into_iter().map(Held::Store);
            let files = files.iter().zip(held);
            files.map(|(file, held)| file.collected(held)).collect()
        };
        let (mut begun, mut left) = (None, files.len());
        if is_long {
            let files = collected(zip_contents::recipe(zip, files, &stored)?.1);
            let (id, rest) = self.begin(artifact, &files)?;
            (begun, left) = (id, rest.len());
        }
        let (artifact, new) = store.write_within_space(|conn| {
            let new = new_contents::put_all(conn, pages, &last)?;
            if !new_contents::are_given_back(conn, &last, &new)? {
                return Err(PackageError::NotExact.into());
            }
            stored.extend(&new);
            let (pieces, contents) = zip_contents::recipe(zip, files, &stored)?;
            if !zip_contents::is_laid_alike(&pieces, zip, files)? {
                return Err(PackageError::NotExact.into());
            }
            let recipe = recipes::pack(&pieces, listed);
            let rest = collected(contents);
            let rest = rest.get(files.len() - left..).unwrap_or_default();
            let artifact = self.finish(conn, artifact, begun, rest, &row, Some(&recipe))?;
            // As it is kept, by the rows of the files that it leaves things out for.
            if recipes::get(conn, artifact)? != Some(pieces) {
                return Err(PackageError::NotExact.into());
            }
            Ok::<_, Fault>((artifact, new))
        })?;
        known.learn(new);
        Ok(artifact)
    }

    /// Requires that what lies between the files fits one row of the store, before anything is stored.
    fn check_literals(&self, zip: &ExactZip) -> Result<(), Fault> {
        let in_files: u64 = zip.entries().iter().map(|entry| entry.packed_bytes()).sum();
        let limit_bytes = self.limits.recipe_bytes;
        if zip.bytes() - in_files <= limit_bytes {
            return Ok(());
        }
        let literals = zip_contents::literals(zip)?;
        if recipes::pack(&literals, &Listed::default()).bytes() > limit_bytes {
            return Err(PackageError::RecipeTooLarge { limit_bytes }.into());
        }
        Ok(())
    }
}

const BUFFER_BYTES: usize = 64 << 10;

/// Returns what the store will know of the files of a zip, which are given by path component.
fn listed<'z>(zip: &ExactZip, tree: &[&ZipFile<'z>]) -> Listed<'z> {
    let files = tree.iter().map(|file| ListedFile {
        path: file.entry.path.as_str().into(),
        bytes: file.entry.size_bytes,
        crc32: file.entry.crc32,
    });
    Listed {
        root: zip.root().to_owned(),
        files: files.collect(),
    }
}

/// Requires that the zip at `path` is called what it holds: clients ask for it by that name, and unpack its folder.
fn check_name(path: &str, root: &str, package: &PackageId) -> Result<(), Fault> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let is_root = root == format!("{}-{}", package.name, package.version);
    if is_root && layout::zip_name(file).as_ref() == Some(package) {
        return Ok(());
    }
    Err(Fault::Package(PackageError::Misnamed {
        file: file.to_owned(),
        root: root.to_owned(),
        package: package.to_string(),
    }))
}

impl From<PackageError> for Fault {
    fn from(why: PackageError) -> Self {
        Self::Package(why)
    }
}

impl From<ImportError> for Fault {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Import(error.into())
    }
}

impl From<ArchiveError> for Fault {
    fn from(error: ArchiveError) -> Self {
        match zip_fault(error) {
            Ok(why) => Self::Package(why),
            Err(error) => Self::Import(error),
        }
    }
}

impl From<std::io::Error> for Fault {
    /// A fault that reading a zip has found; the disk's own end the import.
    fn from(error: std::io::Error) -> Self {
        ArchiveError::from(error).into()
    }
}
