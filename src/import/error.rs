//! What can go wrong in an import: with one package, which is then quarantined, or with the import as a whole.

use std::io;
use std::path::PathBuf;

use crate::archive::{ArchiveError, ImageError};
use crate::store::StoreError;

/// Why one package cannot be taken. The rest of its source is not touched by it.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A member that cannot be a file of a package: a link, a device, a name that climbs out.
    #[error("{member}: {why}")]
    Member {
        /// The member's path, as far as it can be shown.
        member: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file is larger than its limit.
    #[error("{path} is larger than {limit_bytes} bytes")]
    FileTooLarge {
        /// The file.
        path: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// All files together are larger than an artifact may be.
    #[error("it is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// All its manifests together are larger than may be held in memory.
    #[error("its manifests are larger than {limit_bytes} bytes together")]
    ManifestsTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// Too many files.
    #[error("it holds more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: u32,
    },
    /// The same path twice.
    #[error("it holds {path} twice")]
    DuplicatePath {
        /// The path.
        path: String,
    },
    /// Two paths that differ by case or by how Unicode composes their letters.
    #[error("it holds {path} and {other}, which are one name to some systems")]
    AlikePaths {
        /// The first.
        path: String,
        /// The second.
        other: String,
    },
    /// A path is a file and a folder, its case left aside.
    #[error("it holds {path} as a file and as a folder")]
    FileAndFolder {
        /// The path.
        path: String,
    },
    /// Its zip is damaged, or says two things.
    #[error("its zip cannot be taken: {0}")]
    Zip(String),
    /// Its zip is called another thing than it holds.
    #[error("its zip is called {file} with the folder {root}, and holds {package}")]
    Misnamed {
        /// The file.
        file: String,
        /// The folder that all its files lie in.
        root: String,
        /// The package version that its manifest names.
        package: String,
    },
    /// What is between the files of its zip does not fit the store.
    #[error("what is between the files of its zip is larger than {limit_bytes} bytes compressed")]
    RecipeTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// Put together again, its zip is another.
    #[error("its zip does not come back to the byte; please report it")]
    NotExact,
    /// Its files lie apart in the source, with others between them.
    #[error("its files do not lie together in the source")]
    Scattered,
    /// The same package version was in this source before.
    #[error("{package} was in this source before, at {first}")]
    Repeated {
        /// The package version.
        package: String,
        /// Where it was first.
        first: String,
    },
    /// It has no manifest.
    #[error("it has no manifest.yml")]
    NoManifest,
    /// What it says cannot be read or shown.
    #[error("{0}")]
    Document(String),
    /// Taking it made airlock panic; what was printed says where.
    #[error("it brought a defect of airlock to light; please report it")]
    Defect,
}

/// Why an import as a whole stops. What was staged stays, and is found again when the import is run again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source is no archive, is cut off or is damaged.
    #[error("cannot read the source")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no room for it. What it had stored is taken out again.
    #[error(
        "the import needs {} {needed_bytes} bytes free in {}, and {free_bytes} are",
        if *is_estimate { "about" } else { "more than" },
        folder.display()
    )]
    DiskFull {
        /// Bytes that have to be free before it begins, those included that are left to the service.
        needed_bytes: u64,
        /// Whether that is reckoned from the part of the source that was read; else it is the least that is known.
        is_estimate: bool,
        /// Bytes that are free without it.
        free_bytes: u64,
        /// Where.
        folder: PathBuf,
    },
    /// There is no package in the source.
    #[error(
        "no package found: a package is a folder {{name}}/{{version}} with a manifest.yml, or {{name}}-{{version}}.zip"
    )]
    NoPackages,
    /// More package folders than `Limits::source_packages`.
    #[error("the source holds more than {limit} packages")]
    TooManyPackages {
        /// The limit.
        limit: usize,
    },
    /// More signatures apart from their zips than are remembered.
    #[error(
        "the source holds more than {limit_bytes} bytes of signatures that do not lie right behind their zips"
    )]
    LooseSignatures {
        /// `Limits::loose_signatures_bytes`.
        limit_bytes: u64,
    },
    /// Taking what the source holds costs more than its size allows, see `import/work.rs`: a bomb.
    #[error(
        "at {member} the files, packages and manifests of the source weigh more than {ratio} times the {source_bytes} \
         bytes read so far"
    )]
    TooMuchWork {
        /// The member that went beyond it.
        member: String,
        /// Bytes of the source read by then.
        source_bytes: u64,
        /// `Limits::expansion_ratio`.
        ratio: u64,
    },
    /// Every package of the source was refused.
    #[error("none of the packages can be taken ({count} refused); the first is {first}")]
    AllRefused {
        /// How many.
        count: usize,
        /// The first and its reason.
        first: String,
    },
    /// Neither the source nor the operator says where the content belongs.
    #[error("the source does not say which release it is")]
    NoTarget,
    /// There is no such stage.
    #[error("there is no plan {0}")]
    NoSuchPlan(i64),
    /// A plan that says where it belongs already.
    #[error("plan {plan} says already where it belongs")]
    HasTarget {
        /// The plan.
        plan: i64,
    },
    /// A branch of this name is here, and is of another kind.
    #[error("{name} is here as a {kind} branch")]
    OtherKind {
        /// The branch.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// A distribution that is not the branch's own has the name of the branch, and its address.
    #[error("there is a distribution {0} already, which serves other branches")]
    NameTaken(String),
    /// The release is here with other content, and its name leaves no room for the day of another edition.
    #[error(
        "release {0} is here with other content, and its name is too long for another edition's"
    )]
    NoEdition(String),
    /// A plan that somebody else has to commit.
    #[error(
        "plan {plan} was staged by {staged_by}, and {distributions} asks for somebody else to commit it"
    )]
    NeedsSecondPerson {
        /// The plan.
        plan: i64,
        /// Who staged it.
        staged_by: String,
        /// The distributions that ask for it.
        distributions: String,
    },
    /// A plan that is committed only by who says what they have looked at.
    #[error("{distributions} asks for the digest of plan {plan}")]
    NeedsDigest {
        /// The plan.
        plan: i64,
        /// The distributions that ask for it.
        distributions: String,
    },
    /// A plan that is no longer what was looked at.
    #[error("plan {plan} would change something else now than what was looked at")]
    PlanChanged {
        /// The plan.
        plan: i64,
    },
    /// The operator stopped it.
    #[error("the import was stopped")]
    Stopped,
}

/// What is wrong with a source that cannot be read, as far as it matters for what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFault {
    /// It is nothing that can be imported.
    NotAnArchive,
    /// It ends too early, goes on behind its end, or contradicts itself or its checksums.
    Broken,
    /// It holds several images, and none that was asked for.
    SeveralImages,
    /// Reading failed, or it is refused for what it is.
    Other,
}

impl ImportError {
    /// Returns what is wrong with the source; `None` where something else failed.
    pub fn source_fault(&self) -> Option<SourceFault> {
        let Self::Source(error) = self else {
            return None;
        };
        // What is found while a file of the source is read comes as the error of that reading.
        let in_a_file = || error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        let mut fault: Option<&ArchiveError> = error.downcast_ref().or_else(in_a_file);
        while let Some(ArchiveError::Layer { source, .. }) = fault {
            fault = Some(source);
        }
        Some(match fault {
            Some(ArchiveError::NotAnArchive { .. } | ArchiveError::Empty) => {
                SourceFault::NotAnArchive
            }
            Some(
                ArchiveError::Truncated { .. }
                | ArchiveError::Damaged { .. }
                | ArchiveError::TrailingData
                | ArchiveError::Image(
                    ImageError::WrongDigest { .. }
                    | ImageError::WrongSize { .. }
                    | ImageError::Missing { .. },
                ),
            ) => SourceFault::Broken,
            Some(ArchiveError::Image(
                ImageError::SeveralImages { .. } | ImageError::NoSuchImage { .. },
            )) => SourceFault::SeveralImages,
            _ => SourceFault::Other,
        })
    }

    pub(super) fn source(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Source(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Place;

    #[test]
    fn a_source_that_is_cut_off_is_broken_wherever_that_is_found() {
        let cut = || ArchiveError::Truncated {
            place: Place::In("a.png".to_owned()),
        };
        let between_files = ImportError::source(cut());
        let in_a_file = ImportError::source(io::Error::other(cut()));
        for error in [between_files, in_a_file] {
            assert_eq!(error.source_fault(), Some(SourceFault::Broken));
        }
        let by_the_disk = ImportError::source(io::Error::other("gone"));
        assert_eq!(by_the_disk.source_fault(), Some(SourceFault::Other));
    }
}
