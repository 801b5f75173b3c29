//! The first step of an import: a source read once, front to back, its packages stored and offered to nobody.
//!
//! One thread reads and hashes, the others make packages of what it read; the channel between them is short, so memory
//! is bounded by the largest packages in flight. Each package is stored in its own short transactions: after a crash
//! the same import finds them again by digest.

use std::collections::HashMap;
use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::collect::Collecting;
use super::encode::Encoder;
use super::error::{ImportError, PackageError};
use super::layout::{self, InPackage, Place};
use super::package::{Made, Maker};
use super::progress::{Outcome, Progress};
use super::repository;
use super::source_reader::{SourceReader, Totals};
use crate::archive::{Archive, Entry, FileEntry, Origin};
use crate::distribution::{BranchKind, DistributionName};
use crate::limits::Limits;
use crate::package::{Categories, IngestionMethods, Tables};
use crate::store::branches::BranchSettings;
use crate::store::sources::{self, Source, SourceId};
use crate::store::stages::{self, Quarantined, StageId, Target};
use crate::store::{Store, StoreError};

/// What is to be read, and for what.
#[derive(Debug, Clone)]
pub struct StageRequest {
    /// What the operator calls the source: its file name, or `-`.
    pub source_name: String,
    /// Who imports.
    pub who: String,
    /// The branch or release the operator named; else the source has to say it.
    pub target: Option<(DistributionName, BranchKind)>,
    /// Whether a target may still be named once the source is read. If not, reading stops at the first package of a
    /// source that does not say it.
    pub may_ask: bool,
}

/// What reading a source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The stage that holds what came in.
    pub stage: StageId,
    /// Where it is to go; `None` when nobody said so yet.
    pub target: Option<Target>,
    /// Package versions that can be taken.
    pub packages: usize,
    /// Of these, how many the store did not hold.
    pub new: usize,
}

/// Reads `source` to its end and stores what packages it holds.
pub fn stage(
    store: &Store,
    source: Box<dyn Read + Send>,
    request: &StageRequest,
    progress: &Arc<Progress>,
    limits: &Limits,
) -> Result<Staged, ImportError> {
    let started_at = Timestamp::now();
    let (source_id, stage_id) = store.write(|conn| {
        let source = sources::begin(conn, &request.source_name)?;
        let stage = stages::begin(conn, source, &started_at.to_string(), &request.who)?;
        Ok::<_, StoreError>((source, stage))
    })?;
    let outcome = read(
        store, source, request, progress, limits, started_at, stage_id,
    )
    .and_then(|reading| reading.finish(store, request, source_id, stage_id));
    if outcome.is_err() {
        // The stage's own end must not hide why the import stopped; an open stage is cleared at the next start too.
        let _ = store.write(|conn| stages::end(conn, stage_id));
    }
    outcome
}

/// What the reading thread and the makers have found out.
struct Reading {
    source: Source,
    settings: BranchSettings,
    started_at: Timestamp,
    /// By number: the package's folder and root, how many files it had, and what became of it.
    packages: Vec<Package>,
    stray_files: u64,
}

struct Package {
    folder: String,
    root: String,
    files: u64,
    is_scattered: bool,
    made: Option<Result<Made, PackageError>>,
}

/// A package on its way from the reading thread to a maker.
struct Job {
    package: Collecting,
    modified: i64,
}

fn read(
    store: &Store,
    source: Box<dyn Read + Send>,
    request: &StageRequest,
    progress: &Arc<Progress>,
    limits: &Limits,
    started_at: Timestamp,
    stage: StageId,
) -> Result<Reading, ImportError> {
    let (categories, ingestion_methods) = (Categories::built_in(), IngestionMethods::built_in());
    let makers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(4);
    let (jobs, queue) = sync_channel::<Job>(1);
    let queue = Mutex::new(queue);
    let made = Mutex::new(Vec::new());
    let mut reading = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..makers)
            .map(|_| {
                let maker = Maker {
                    store,
                    limits,
                    stage,
                    tables: Tables {
                        categories: &categories,
                        ingestion_methods: &ingestion_methods,
                    },
                    encoder: Encoder::new(),
                };
                let (queue, made) = (&queue, &made);
                scope.spawn(move || make_all(maker, queue, made, progress))
            })
            .collect();
        let (source, totals) = SourceReader::new(source, Arc::clone(progress));
        let mut reader = Reader {
            store,
            limits,
            request,
            progress,
            jobs,
            collecting: None,
            numbers: HashMap::new(),
            modified: started_at.as_second(),
            member_modified: None,
            reading: Reading {
                source: Source {
                    name: request.source_name.clone(),
                    ..Source::default()
                },
                settings: BranchSettings::default(),
                started_at,
                packages: Vec::new(),
                stray_files: 0,
            },
        };
        let outcome = reader.read(Box::new(source), &totals);
        let reading = reader.reading;
        // Without its sender the queue ends, and with it the makers.
        drop(reader.jobs);
        let mut failure = outcome.err();
        for worker in workers {
            match worker.join() {
                // A maker's failure is the cause; the reader then only found the queue closed.
                Ok(Err(error)) => failure = Some(error),
                Ok(Ok(())) => {}
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        failure.map_or(Ok(reading), Err)
    })?;
    for (number, outcome) in made.into_inner().unwrap_or_else(PoisonError::into_inner) {
        reading.packages[number].made = Some(outcome);
    }
    Ok(reading)
}

type MadePackages = Mutex<Vec<(usize, Result<Made, PackageError>)>>;

fn make_all(
    mut maker: Maker<'_>,
    queue: &Mutex<Receiver<Job>>,
    made: &MadePackages,
    progress: &Progress,
) -> Result<(), ImportError> {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return Ok(()) };
        let outcome = maker.make(&mut job.package, job.modified)?;
        progress.end_package(match &outcome {
            Ok(made) if made.is_new => Outcome::New,
            Ok(_) => Outcome::Known,
            Err(_) => Outcome::Refused,
        });
        made.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((job.package.number, outcome));
    }
}

/// The thread that reads: entries in, packages out.
struct Reader<'a> {
    store: &'a Store,
    limits: &'a Limits,
    request: &'a StageRequest,
    progress: &'a Progress,
    jobs: SyncSender<Job>,
    collecting: Option<Collecting>,
    /// The number of each package folder met so far.
    numbers: HashMap<String, usize>,
    /// When the packages were last changed, in seconds since 1970: at their commit, else now.
    modified: i64,
    /// The same of the source's first file.
    member_modified: Option<i64>,
    reading: Reading,
}

impl Reader<'_> {
    fn read(&mut self, source: Box<dyn Read + Send>, totals: &Totals) -> Result<(), ImportError> {
        let spool = self.store.folder();
        let mut archive = Archive::open(Origin::Stream(source), spool, Arc::default(), self.limits)
            .map_err(ImportError::source)?;
        while let Some(entry) = archive.next().map_err(ImportError::source)? {
            if self.progress.is_stopped() {
                return Err(ImportError::Stopped);
            }
            self.entry(entry)?;
            self.learn_commit(archive.comment());
        }
        self.send()?;
        let (sha256, bytes) = totals.finish();
        self.reading.source.sha256 = Some(sha256);
        self.reading.source.bytes = Some(bytes);
        Ok(())
    }

    /// Takes the commit from a source that `git archive` made, and its time, which every member of such a source carries.
    fn learn_commit(&mut self, comment: Option<&str>) {
        let source = &mut self.reading.source;
        let (None, Some(commit)) = (&source.commit_id, comment) else {
            return;
        };
        source.commit_id = Some(commit.to_owned());
        if let Some(at) = self
            .member_modified
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
        {
            source.committed_at = Some(at.to_string());
            self.modified = at.as_second();
        }
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<(), ImportError> {
        match entry {
            Entry::File(file) => self.file(file),
            Entry::Directory(_) => Ok(()),
            Entry::Skipped { path, what } => self.not_a_file(path.as_str(), &what),
            Entry::Refused { path, why } => self.not_a_file(&path, &why),
        }
    }

    fn file(&mut self, mut file: FileEntry<'_>) -> Result<(), ImportError> {
        self.member_modified = self.member_modified.or(file.modified_seconds);
        let path = file.path.as_str().to_owned();
        match layout::place(&path) {
            Place::Package(place) => {
                let (store, limits) = (self.store, self.limits);
                if let Some(package) = self.package(place)? {
                    package.take(place.path, file.size_bytes, &mut file, store, limits)?;
                }
            }
            Place::Dockerfile => {
                self.reading.source.registry_version =
                    repository::registry_version(&small_text(&mut file)?);
            }
            Place::RegistryConfiguration => {
                repository::read_cache_times(&small_text(&mut file)?, &mut self.reading.settings);
            }
            Place::Stray => self.reading.stray_files += 1,
        }
        Ok(())
    }

    /// A member that is no file: it refuses the package it lies in, and is of no interest elsewhere.
    fn not_a_file(&mut self, path: &str, why: &dyn std::fmt::Display) -> Result<(), ImportError> {
        match layout::place(path) {
            Place::Package(place) => {
                let why = PackageError::Member {
                    member: place.path.to_owned(),
                    why: why.to_string(),
                };
                if let Some(package) = self.package(place)? {
                    package.refuse(why);
                }
            }
            _ => self.reading.stray_files += 1,
        }
        Ok(())
    }

    /// Returns the package that a file at `place` belongs to, `None` where its files lie apart.
    fn package(&mut self, place: InPackage<'_>) -> Result<Option<&mut Collecting>, ImportError> {
        let is_next = self
            .collecting
            .as_ref()
            .is_none_or(|current| current.folder != place.folder);
        if is_next {
            self.send()?;
            if let Some(&number) = self.numbers.get(place.folder) {
                self.reading.packages[number].is_scattered = true;
                return Ok(None);
            }
            self.begin(place)?;
        }
        if let Some(package) = self.reading.packages.last_mut() {
            package.files += 1;
        }
        Ok(self.collecting.as_mut())
    }

    fn begin(&mut self, place: InPackage<'_>) -> Result<(), ImportError> {
        let is_named = || target_of(place.root).is_some();
        if self.request.target.is_none() && !self.request.may_ask && !is_named() {
            return Err(ImportError::NoTarget);
        }
        let number = self.reading.packages.len();
        self.progress.begin_package(place.folder);
        self.numbers.insert(place.folder.to_owned(), number);
        self.collecting = Some(Collecting::new(place.folder, number));
        self.reading.packages.push(Package {
            folder: place.folder.to_owned(),
            root: place.root.to_owned(),
            files: 0,
            is_scattered: false,
            made: None,
        });
        Ok(())
    }

    /// Hands the package that was collected to a maker.
    fn send(&mut self) -> Result<(), ImportError> {
        let Some(package) = self.collecting.take() else {
            return Ok(());
        };
        // The makers are gone only when one of them failed, and that failure is what is reported.
        self.jobs
            .send(Job {
                package,
                modified: self.modified,
            })
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

fn target_of(root: &str) -> Option<(DistributionName, BranchKind)> {
    layout::leading_folder(root).and_then(repository::target_of_folder)
}

impl Reading {
    /// Settles which packages are meant, quarantines the others and makes the stage one that can be committed.
    fn finish(
        mut self,
        store: &Store,
        request: &StageRequest,
        source: SourceId,
        stage: StageId,
    ) -> Result<Staged, ImportError> {
        let roots = self.packages.iter().map(|package| package.root.as_str());
        let root = roots
            .reduce(layout::preferred)
            .ok_or(ImportError::NoPackages)?
            .to_owned();
        let mut taken = HashMap::new();
        let mut dropped = Vec::new();
        let mut quarantined = Vec::new();
        let mut new = 0;
        for package in self.packages {
            let made = match package.made {
                _ if package.root != root => {
                    self.stray_files += package.files;
                    dropped.extend(package.made.and_then(Result::ok).map(|made| made.artifact));
                    continue;
                }
                Some(Ok(made)) if package.is_scattered => {
                    dropped.push(made.artifact);
                    Err(PackageError::Scattered)
                }
                Some(Ok(made)) => match taken.get(&made.package) {
                    Some((first, _)) => {
                        dropped.push(made.artifact);
                        Err(PackageError::Repeated {
                            package: made.package.to_string(),
                            first: String::clone(first),
                        })
                    }
                    None => Ok(made),
                },
                Some(Err(why)) => Err(why),
                None => continue,
            };
            match made {
                Ok(made) => {
                    new += usize::from(made.is_new);
                    taken.insert(made.package, (package.folder, made.artifact));
                }
                Err(why) => quarantined.push(Quarantined {
                    path: package.folder,
                    reason: why.to_string(),
                }),
            }
        }
        if let (true, Some(first)) = (taken.is_empty(), quarantined.first()) {
            let first = format!("{}: {}", first.path, first.reason);
            return Err(ImportError::AllRefused {
                count: quarantined.len(),
                first,
            });
        }
        let target = request
            .target
            .clone()
            .or_else(|| target_of(&root))
            .map(|(branch, kind)| Target {
                branch,
                kind,
                settings: BranchSettings {
                    registry_version: self.source.registry_version.clone(),
                    ..self.settings.clone()
                },
            });
        let kept: std::collections::HashSet<_> =
            taken.values().map(|(_, artifact)| *artifact).collect();
        store.write(|conn| {
            sources::finish(conn, source, &self.source)?;
            for artifact in dropped.iter().filter(|artifact| !kept.contains(artifact)) {
                stages::remove(conn, stage, *artifact)?;
            }
            for package in &quarantined {
                stages::quarantine(conn, source, &self.started_at.to_string(), package)?;
            }
            stages::finish(
                conn,
                stage,
                target.as_ref(),
                &self.settings,
                self.stray_files,
            )
        })?;
        Ok(Staged {
            stage,
            target,
            packages: taken.len(),
            new,
        })
    }
}
