//! The thread that reads: entries of an archive in, packages out.

mod zips;

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use jiff::Timestamp;

pub(super) use self::zips::zip_fault;
use super::collect::{self, Collecting};
use super::error::{ImportError, PackageError};
use super::found::Found;
use super::layout::{self, InPackage, Place};
use super::progress::Progress;
use super::repository;
use super::source_reader::Totals;
use super::stage::StageRequest;
use super::work::Work;
use crate::archive::{Archive, BeforeCopy, Buffers, Entry, FileEntry, ImageFacts, Origin};
use crate::distribution::target_of_image;
use crate::limits::Limits;
use crate::store::Store;

/// A package on its way from the reading thread to a maker.
pub(super) struct Job {
    pub package: Collecting,
    /// When it was last changed, in seconds since 1970.
    pub modified: i64,
}

/// Reads a source from front to back.
pub(super) struct Reader<'a> {
    store: &'a Store,
    limits: &'a Limits,
    request: &'a StageRequest,
    progress: &'a Arc<Progress>,
    jobs: SyncSender<Job>,
    buffers: Buffers,
    collecting: Option<Collecting>,
    /// When the source's first file was changed, in seconds since 1970.
    first_modified: Option<i64>,
    found: Found,
    work: Work,
    /// Says what a path in the source is.
    place: for<'p> fn(&'p str) -> Place<'p>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        store: &'a Store,
        limits: &'a Limits,
        request: &'a StageRequest,
        progress: &'a Arc<Progress>,
        jobs: SyncSender<Job>,
        found: Found,
    ) -> Self {
        Self {
            store,
            limits,
            request,
            progress,
            jobs,
            buffers: Buffers::default(),
            collecting: None,
            first_modified: None,
            found,
            work: Work::default(),
            place: layout::place,
        }
    }

    /// Reads `source` to its end and sends each package to the makers.
    pub(super) fn read(
        mut self,
        source: Box<dyn Read + Send>,
        totals: &Totals,
    ) -> Result<Found, ImportError> {
        let spool = self.store.folder();
        let mut archive = Archive::open(
            Origin::Stream(source),
            spool,
            Default::default(),
            self.limits,
        )
        .map_err(ImportError::source)?;
        if let Some(image) = &self.request.image {
            archive.prefer_image(image);
        }
        archive.ask_before_copy(self.before_copy());
        if let Some(image) = archive.image().map_err(ImportError::source)? {
            self.learn_image(image);
        }
        self.say_copied();
        while let Some(entry) = archive.next().map_err(ImportError::source)? {
            if self.progress.is_stopped() {
                return Err(ImportError::Stopped);
            }
            self.entry(entry, totals)?;
            self.learn_commit(archive.comment());
        }
        self.send()?;
        let (sha256, bytes) = totals.finish();
        self.found.source.sha256 = Some(sha256);
        self.found.source.bytes = Some(bytes);
        Ok(self.found)
    }

    /// Asks the disk for room before an image is copied to it, member by member; for all of it as soon as that is known.
    fn before_copy(&self) -> BeforeCopy {
        let (disk, progress) = (self.store.disk(), Arc::clone(self.progress));
        let mut is_first = true;
        Box::new(move |bytes| {
            let all_bytes = progress.total_bytes().filter(|_| is_first);
            is_first = false;
            progress.copy(bytes);
            disk.check_for(bytes.max(all_bytes.unwrap_or_default()))
                .map_err(|short| io::Error::new(io::ErrorKind::StorageFull, short))
        })
    }

    fn say_copied(&self) {
        let bytes = self.progress.report().copied_bytes;
        if bytes > 0 {
            tracing::info!(
                phase = "stage",
                bytes,
                "the layers come before what says their order: the image was copied to the data folder first"
            );
        }
    }

    /// Takes from an image where its content belongs and which registry is in it.
    fn learn_image(&mut self, image: ImageFacts<'_>) {
        self.place = layout::place_in_image;
        self.found.target = image.name.and_then(target_of_image);
        let version = image
            .registry_version
            .filter(|version| semver::Version::parse(version).is_ok())
            .map(str::to_owned);
        self.found
            .repository("", |said| said.registry_version = version);
    }

    /// Takes the commit from a source that `git archive` made, and its time, which every member of such a source carries.
    ///
    /// A tar of git's begins with a folder, so the first file may come later than the commit.
    fn learn_commit(&mut self, comment: Option<&str>) {
        let source = &mut self.found.source;
        if source.committed_at.is_some() {
            return;
        }
        let Some(commit) = comment.filter(|comment| repository::is_commit_id(comment)) else {
            return;
        };
        source.commit_id.get_or_insert_with(|| commit.to_owned());
        let at = self
            .first_modified
            .and_then(|seconds| Timestamp::from_second(seconds).ok());
        if let Some(at) = at {
            source.committed_at = Some(at.to_string());
            self.found.modified = at.as_second();
        }
    }

    fn entry(&mut self, entry: Entry<'_>, totals: &Totals) -> Result<(), ImportError> {
        self.work.member();
        let member = match entry {
            Entry::File(file) => {
                let path = file.path.to_string();
                self.file(file)?;
                path
            }
            Entry::Directory(path) => path.to_string(),
            Entry::Skipped { path, what } => {
                self.not_a_file(path.as_str(), &what)?;
                path.to_string()
            }
            Entry::Refused { path, why } => {
                self.not_a_file(&path, &why)?;
                path
            }
        };
        self.work.check(totals.bytes(), &member, self.limits)
    }

    fn file(&mut self, mut file: FileEntry<'_>) -> Result<(), ImportError> {
        self.first_modified = self.first_modified.or(file.modified_seconds);
        let path = file.path.as_str().to_owned();
        match (self.place)(&path) {
            Place::Package(place) => {
                let (store, limits) = (self.store, self.limits);
                if let Some(package) = self.package(place)? {
                    let size_bytes = file.size_bytes;
                    if package.take(place.path, size_bytes, &mut file, store, limits)? {
                        self.work.file(size_bytes, collect::is_manifest(place.path));
                    }
                }
            }
            Place::Dockerfile { lead } => {
                let version = repository::registry_version(&small_text(&mut file)?);
                self.found
                    .repository(lead, |said| said.registry_version = version);
            }
            Place::RegistryConfiguration { lead } => {
                let text = small_text(&mut file)?;
                self.found
                    .repository(lead, |said| repository::read_cache_times(&text, said));
            }
            Place::Zip(place) => self.package_zip(place, file)?,
            Place::Signature(place) => self.signature(place, &mut file)?,
            Place::Stray => self.found.stray_files += 1,
        }
        Ok(())
    }

    /// A member that is no file: it refuses the package it lies in, and is of no interest elsewhere.
    fn not_a_file(&mut self, path: &str, why: &dyn std::fmt::Display) -> Result<(), ImportError> {
        match (self.place)(path) {
            Place::Package(place) | Place::Zip(place) => {
                let why = match place.path {
                    "" => PackageError::Zip(why.to_string()),
                    path => PackageError::Member {
                        member: path.to_owned(),
                        why: why.to_string(),
                    },
                };
                if let Some(package) = self.package(place)? {
                    package.refuse(why);
                }
            }
            _ => self.found.stray_files += 1,
        }
        Ok(())
    }

    /// Returns the package that a file at `place` belongs to, `None` where its files lie apart.
    fn package(&mut self, place: InPackage<'_>) -> Result<Option<&mut Collecting>, ImportError> {
        let is_same = self
            .collecting
            .as_ref()
            .is_some_and(|current| current.folder == place.folder);
        if !is_same {
            self.send()?;
            if !self.begin(place)? {
                return Ok(None);
            }
        }
        self.found.count_file();
        Ok(self.collecting.as_mut())
    }

    /// Begins a package; `false` where its folder was met before.
    fn begin(&mut self, place: InPackage<'_>) -> Result<bool, ImportError> {
        let is_named =
            || self.found.target.is_some() || repository::target_of_root(place.root).is_some();
        if self.request.target.is_none() && !self.request.may_ask && !is_named() {
            return Err(ImportError::NoTarget);
        }
        let Some(number) = self.found.begin_package(place, self.limits)? else {
            return Ok(false);
        };
        self.work.package();
        self.progress.begin_package(place.folder);
        self.collecting = Some(Collecting::new(place.folder, number));
        Ok(true)
    }

    /// Hands the package that was collected to a maker.
    fn send(&mut self) -> Result<(), ImportError> {
        let Some(package) = self.collecting.take() else {
            return Ok(());
        };
        let modified = self.found.modified;
        // The makers' end is closed only when one of them failed, and that failure is what is reported.
        self.jobs
            .send(Job { package, modified })
            .map_err(|_| ImportError::Stopped)
    }
}

fn small_text(file: &mut FileEntry<'_>) -> Result<String, ImportError> {
    let mut bytes = Vec::new();
    file.take(repository::FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(ImportError::source)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
