//! What a source turned out to hold, and which of it is meant.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;

use super::error::{ImportError, PackageError};
use super::layout::{self, InPackage};
use super::package::Made;
use super::repository;
use super::signatures::{self, LooseSignatures};
use super::stage::{StageRequest, Staged};
use crate::crypto::openpgp::Certificate;
use crate::distribution::{BranchKind, DistributionName, release_in_name, release_of};
use crate::limits::Limits;
use crate::package::PackageId;
use crate::store::artifacts::ArtifactId;
use crate::store::branches::BranchSettings;
use crate::store::quarantine::{self, Quarantined};
use crate::store::sources::{self, Source, SourceId};
use crate::store::stages::{self, StageId, Target};
use crate::store::{Store, audit};

/// What was found so far.
pub(super) struct Found {
    pub source: Source,
    /// Files that belong to no package.
    pub stray_files: u64,
    /// Where the source itself says it belongs, before its packages are seen.
    pub target: Option<(DistributionName, BranchKind)>,
    /// When the packages were last changed, in seconds since 1970: at their commit, else now.
    pub modified: i64,
    /// Signatures that did not lie right behind their zips.
    pub signatures: LooseSignatures,
    started_at: Timestamp,
    /// What repositories say of themselves, by their leading folder.
    repositories: HashMap<String, BranchSettings>,
    packages: Vec<Package>,
    /// The number of each package folder met.
    numbers: HashMap<String, usize>,
    /// Which package the files that come now belong to.
    current: usize,
}

/// A package folder of the source.
struct Package {
    folder: String,
    root: String,
    files: u64,
    is_scattered: bool,
    /// What became of it, once a maker has it.
    made: Option<Result<Made, PackageError>>,
}

/// Leading folders whose repository files are kept: a source has one, a hostile one is not let fill the memory.
const REPOSITORIES: usize = 64;

/// The packages that are meant, and the others.
#[derive(Default)]
struct Chosen {
    taken: HashMap<PackageId, (String, ArtifactId)>,
    new: usize,
    quarantined: Vec<Quarantined>,
    dropped: Vec<ArtifactId>,
}

impl Found {
    pub(super) fn new(request: &StageRequest, started_at: Timestamp) -> Self {
        Self {
            source: Source {
                name: request.source_name.clone(),
                ..Source::default()
            },
            stray_files: 0,
            target: None,
            modified: started_at.as_second(),
            signatures: LooseSignatures::default(),
            started_at,
            repositories: HashMap::new(),
            packages: Vec::new(),
            numbers: HashMap::new(),
            current: 0,
        }
    }

    /// Notes what the repository under the leading folder `lead` says of itself.
    pub(super) fn repository(&mut self, lead: &str, note: impl FnOnce(&mut BranchSettings)) {
        if self.repositories.contains_key(lead) || self.repositories.len() < REPOSITORIES {
            note(self.repositories.entry(lead.to_owned()).or_default());
        }
    }

    /// Notes that files at `place` come now and returns the number of the package; `None` when some came before, with
    /// others between them.
    pub(super) fn begin_package(
        &mut self,
        place: InPackage<'_>,
        limits: &Limits,
    ) -> Result<Option<usize>, ImportError> {
        if let Some(&number) = self.numbers.get(place.folder) {
            let package = &mut self.packages[number];
            package.is_scattered = true;
            package.files += 1;
            return Ok(None);
        }
        let number = self.packages.len();
        if number >= limits.source_packages {
            return Err(ImportError::TooManyPackages {
                limit: limits.source_packages,
            });
        }
        self.current = number;
        self.numbers.insert(place.folder.to_owned(), number);
        self.packages.push(Package {
            folder: place.folder.to_owned(),
            root: place.root.to_owned(),
            files: 0,
            is_scattered: false,
            made: None,
        });
        Ok(Some(number))
    }

    /// Counts a file of the package that was begun last.
    pub(super) fn count_file(&mut self) {
        if let Some(package) = self.packages.get_mut(self.current) {
            package.files += 1;
        }
    }

    /// Notes what became of packages, by their numbers.
    pub(super) fn take_made(&mut self, made: Vec<(usize, Result<Made, PackageError>)>) {
        for (number, outcome) in made {
            self.packages[number].made = Some(outcome);
        }
    }

    /// Keeps the signatures that came after their zips had been handed over.
    pub(super) fn keep_late_signatures(
        &mut self,
        store: &Store,
        keyring: &[Certificate],
        limits: &Limits,
    ) -> Result<(), ImportError> {
        for package in &self.packages {
            if let Some(Ok(made)) = &package.made
                && let Some(bytes) = self.signatures.take(&package.folder)
            {
                signatures::keep_late(store, made.artifact, bytes, keyring, limits)?;
            }
        }
        self.stray_files += self.signatures.len() as u64;
        Ok(())
    }

    /// Settles which packages are meant, quarantines the others and makes the stage one that can be committed.
    pub(super) fn settle(
        mut self,
        store: &Store,
        request: &StageRequest,
        source: SourceId,
        stage: StageId,
    ) -> Result<Staged, ImportError> {
        let root = layout::preferred(self.packages.iter().map(|package| package.root.as_str()))
            .ok_or(ImportError::NoPackages)?
            .to_owned();
        let lead = layout::leading_folder(&root).unwrap_or_default();
        let settings = self.repositories.remove(lead).unwrap_or_default();
        self.source
            .registry_version
            .clone_from(&settings.registry_version);
        let chosen = self.choose(&root)?;
        if let (true, Some(first)) = (chosen.taken.is_empty(), chosen.quarantined.first()) {
            return Err(ImportError::AllRefused {
                count: chosen.quarantined.len(),
                first: format!("{}: {}", first.path, first.reason),
            });
        }
        let target = request
            .target
            .clone()
            .or_else(|| self.target.take())
            .or_else(|| repository::target_of_root(&root))
            .map(|(branch, kind)| Target {
                branch,
                kind,
                settings: settings.clone(),
            });
        let kept: HashSet<_> = chosen
            .taken
            .values()
            .map(|(_, artifact)| *artifact)
            .collect();
        let at = self.started_at.to_string();
        store.write(|conn| {
            sources::finish(conn, source, &self.source)?;
            for artifact in chosen.dropped.iter().filter(|id| !kept.contains(id)) {
                stages::remove(conn, stage, *artifact)?;
            }
            for package in &chosen.quarantined {
                quarantine::put(conn, source, &at, package)?;
            }
            let branch = target.as_ref().map(|target| target.branch.as_str());
            let detail = json!({ "source": request.source_name, "branch": branch });
            let subject = format!("plan {}", stage.0);
            audit::note(
                conn,
                Timestamp::now(),
                &request.who,
                "stage",
                &subject,
                detail,
            )?;
            stages::finish(conn, stage, target.as_ref(), &settings, self.stray_files)
        })?;
        let proposal = match &target {
            Some(_) => None,
            None => propose(store, &self.source.name)?,
        };
        Ok(Staged {
            stage,
            target,
            proposal,
            packages: chosen.taken.len(),
            new: chosen.new,
            copied_bytes: 0,
        })
    }

    /// Takes the packages under `root`, the first of each identity; counts the files of the others as stray.
    fn choose(&mut self, root: &str) -> Result<Chosen, ImportError> {
        let mut chosen = Chosen::default();
        for package in std::mem::take(&mut self.packages) {
            // An import that lost a package on the way must not pass for a whole one.
            let made = package.made.ok_or(ImportError::Stopped)?;
            if package.root != root {
                self.stray_files += package.files;
                chosen.dropped.extend(made.ok().map(|made| made.artifact));
                continue;
            }
            let outcome = match made {
                Ok(made) if package.is_scattered => {
                    chosen.dropped.push(made.artifact);
                    Err(PackageError::Scattered)
                }
                Ok(made) => match chosen.taken.get(&made.package) {
                    Some((first, _)) => {
                        chosen.dropped.push(made.artifact);
                        Err(PackageError::Repeated {
                            package: made.package.to_string(),
                            first: first.clone(),
                        })
                    }
                    None => Ok(made),
                },
                // What it lacks lies in its other part.
                Err(_) if package.is_scattered => Err(PackageError::Scattered),
                Err(why) => Err(why),
            };
            match outcome {
                Ok(made) => {
                    chosen.new += usize::from(made.is_new);
                    chosen
                        .taken
                        .insert(made.package, (package.folder, made.artifact));
                }
                Err(why) => chosen.quarantined.push(Quarantined {
                    path: package.folder,
                    reason: why.to_string(),
                }),
            }
        }
        Ok(chosen)
    }
}

/// Returns where a source that does not say it may be to go.
fn propose(store: &Store, source_name: &str) -> Result<Option<DistributionName>, ImportError> {
    if let Some(release) = release_in_name(source_name) {
        return Ok(Some(release));
    }
    // All that came through a pipe has one name.
    if source_name == "-" {
        return Ok(None);
    }
    let last = store.read(|conn| sources::last_into(conn, source_name))?;
    // Of a release that has editions the next may be meant.
    Ok(last.and_then(|branch| DistributionName::parse(release_of(&branch)).ok()))
}
