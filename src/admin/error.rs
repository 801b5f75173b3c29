//! How an operation fails, here and on the wire.

use serde::{Deserialize, Serialize};

use super::jobs::{JobKind, Stop};
use super::missing::Missing;
use super::roles::Role;
use crate::import::{ImportError, SourceFault};
use crate::store::StoreError;

/// Why an operation was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// An import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no branch of this name.
    #[error("there is no branch {0}")]
    NoSuchBranch(Missing),
    /// There is a distribution of this name.
    #[error("there is a distribution {0} already")]
    NameTaken(String),
    /// The name means something of its own.
    #[error("{0} is a name with a meaning of its own")]
    ReservedName(String),
    /// A branch or a distribution of the admin's with the name of a release.
    #[error("{0} is what a release is called, and nothing else may be")]
    NamedLikeRelease(String),
    /// There is no distribution of this name.
    #[error("there is no distribution {0}")]
    NoSuchDistribution(Missing),
    /// A distribution that serves what it serves by its name.
    #[error("{0} always serves the branch of its name")]
    FixedDistribution(String),
    /// A branch that never gives up a version.
    #[error("{branch} is {kind}, and never gives up a version")]
    KeepsVersions {
        /// The branch.
        branch: String,
        /// Its kind, with its article.
        kind: &'static str,
    },
    /// An exception without a reason.
    #[error("{0} without a reason, which such an exception needs")]
    NeedsReason(String),
    /// A branch that does not hold what is asked of it.
    #[error("{branch} does not hold {package}")]
    NotHeld {
        /// The branch.
        branch: String,
        /// The package, or its version.
        package: Missing,
    },
    /// A release with versions that some Kibana may still need.
    #[error(
        "{count} package versions that only {release} holds were fetched by some Kibana in the last {days} days; the first is {first}"
    )]
    FetchedLately {
        /// The release.
        release: String,
        /// For how long what was fetched counts as in use.
        days: u16,
        /// How many.
        count: usize,
        /// The first, by name and version.
        first: String,
    },
    /// The file with the appliance's own key cannot be used.
    #[error("cannot use the signing key {}", path.display())]
    SignerFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The appliance's own key cannot be used.
    #[error(transparent)]
    Signer(#[from] crate::crypto::openpgp::SignerError),
    /// A certificate, a key or their files cannot be used.
    #[error(transparent)]
    Tls(#[from] crate::crypto::tls::TlsError),
    /// A server that speaks plain HTTP alone.
    #[error("this server speaks no TLS")]
    NoTls,
    /// A branch that is no release.
    #[error("{0} is no release")]
    NoRelease(String),
    /// A release that a distribution serves from.
    #[error("{release} is served by {distributions}")]
    InService {
        /// The release.
        release: String,
        /// The distributions.
        distributions: String,
    },
    /// What is asked for has to wait for an import.
    #[error("an import is under way, and counts on what is here")]
    Importing,
    /// A release that was deleted since.
    #[error("{0} was deleted since")]
    GoneRelease(String),
    /// There is no key whose fingerprint ends like this.
    #[error("there is no key {0}")]
    NoSuchKey(String),
    /// There are several keys whose fingerprints end like this.
    #[error("several keys end in {0}")]
    SeveralKeys(String),
    /// There is no change set with this number.
    #[error("there is no change set {0}")]
    NoSuchChangeSet(i64),
    /// There is no hold with this number, or it was released.
    #[error("there is no hold {0}")]
    NoSuchHold(i64),
    /// More holds than a distribution may have.
    #[error("there are {limit} holds already, and no distribution may have more")]
    TooManyHolds {
        /// How many it may have.
        limit: usize,
    },
    /// A package that no branch ever held.
    #[error("there is no package {0}")]
    NoSuchPackage(Missing),
    /// A moment of which the history was pruned.
    #[error("the history up to change set {0} was pruned, and nobody knows what was there before")]
    Pruned(i64),
    /// A distribution of which nobody can tell what it served then.
    #[error("{distribution} served nothing at {at}")]
    NotYetThere {
        /// The distribution.
        distribution: String,
        /// The moment.
        at: String,
    },
    /// There is no package with this number in quarantine.
    #[error("there is no package {0} in quarantine")]
    NoSuchCase(i64),
    /// A request that does not say what it must.
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// A change that is confirmed by typing a name, which was not typed.
    #[error("it is done once {0:?} is typed, and something else was")]
    NotTyped(String),
    /// No branch holds this version of a package.
    #[error("there is no {0}")]
    NoSuchVersion(Missing),
    /// An operation that needs more than who asks may do.
    #[error("this needs the role {needed}, and {who} has {has}; {who_may} may do it")]
    NeedsRole {
        /// The role that it needs.
        needed: Role,
        /// Who asks.
        who: String,
        /// Their role.
        has: Role,
        /// Who has a role that does.
        who_may: String,
    },
    /// There is no user of this name.
    #[error("there is no user {0}")]
    NoSuchUser(Missing),
    /// There is a user of this name.
    #[error("there is a user {0} already")]
    UserTaken(String),
    /// A password that is not to be one.
    #[error("this is not to be the password: {0}")]
    WeakPassword(String),
    /// Another password than the one that is known.
    #[error("this is not the password")]
    WrongPassword,
    /// The last who can log in as admin.
    #[error("{0} is the last admin with a password")]
    LastAdmin(String),
    /// There is no token with this number.
    #[error("there is no token {0}")]
    NoSuchToken(i64),
    /// A name that a token of the same owner has.
    #[error("{owner} has a token {name} already")]
    TokenTaken {
        /// The owner.
        owner: String,
        /// The token.
        name: String,
    },
    /// A token that could do more than its owner.
    #[error("a token with the role {wanted} was asked for by somebody with {has}")]
    TokenAboveOwner {
        /// The token's role.
        wanted: Role,
        /// The owner's.
        has: Role,
    },
    /// What a token may not do, whatever its role.
    #[error("{0} may not do this by a token: a person has to")]
    ByToken(String),
    /// More than there may be.
    #[error("there are {limit} {what} already, and there may be no more")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: u64,
    },
    /// A setup link that is not the one that is out, or is over.
    #[error("the setup link was used, is over, or was never one")]
    NoSuchLink,
    /// A setup link where there is an admin.
    #[error("there is an admin already")]
    SetUp,
    /// Somebody of whom the system does not say who it is.
    #[error("the system does not say who asks")]
    Nobody,
    /// A request without a session, a token or a name that a proxy vouches for, or with one that no longer holds.
    #[error("nobody is logged in here")]
    NotSignedIn,
    /// A name and password that are nobody's, or of somebody who is locked: which of these is nobody's business.
    #[error("the name or the password is wrong")]
    WrongLogin,
    /// A host that the admin side does not answer for.
    #[error("the admin side does not answer for the host {0:?}")]
    OtherHost(String),
    /// A client in none of the networks that may ask.
    #[error("not allowed from this address")]
    NotFromThere,
    /// Plain HTTP from another host.
    #[error(
        "the admin side is served to other hosts over TLS alone: set tls.certificate and tls.key (`airlock tls init` makes them); where a \
         proxy speaks TLS, list it in access.trusted_proxies and have it send `X-Forwarded-Proto: https`"
    )]
    NeedsTls,
    /// A change that another site asks for, or nobody says which.
    #[error("this was not asked from a page of the admin side")]
    OtherOrigin,
    /// A change without the secret of the pages that ask for it.
    #[error("this was not asked from a page of this session")]
    BadCsrf,
    /// More log-ins than are looked at.
    #[error("too many log-ins failed; the next is looked at in {seconds} s")]
    TooManyLogins {
        /// How long to wait, in seconds.
        seconds: u64,
    },
    /// A proxy that is trusted names somebody whom nobody knows here.
    #[error("the proxy says that {0:?} has logged in, and there is no such user")]
    UnknownUser(String),
    /// A path that no page has.
    #[error("there is no page at {0}")]
    NoSuchPage(String),
    /// No job of this process has this id.
    #[error("there is no job {0}: the last that ended are known until the server stops")]
    NoSuchJob(String),
    /// A job that has ended cannot be ended.
    #[error("the job {0} has ended")]
    JobEnded(String),
    /// A job that cannot be left half done.
    #[error("{0} runs to its end")]
    NotCancellable(JobKind),
    /// A job that was ended before its end.
    #[error(
        "{0}; nothing of it is offered, and what was read by then is found again when it is begun anew"
    )]
    Stopped(#[from] Stop),
    /// There is no thread to do it on.
    #[error("cannot begin the work")]
    NoThread(#[source] std::io::Error),
    /// As many imports as may be.
    #[error("{0} imports are under way, and no more can be")]
    TooManyImports(usize),
    /// As much other work as may be.
    #[error("{0} jobs are under way, and no more can be")]
    TooManyJobs(usize),
    /// No upload of this process has this id.
    #[error(
        "there is no upload {0}: begin it anew; what was read before the server was restarted is found again"
    )]
    NoSuchUpload(String),
    /// An upload of somebody else.
    #[error("the upload {upload} is {whose}'s, and nobody else feeds it")]
    NotYours {
        /// Its id.
        upload: String,
        /// Who began it.
        whose: String,
    },
    /// A chunk without its length.
    #[error("a chunk needs its Content-Length")]
    LengthRequired,
    /// A chunk beyond the bound.
    #[error("{0} bytes are more than a chunk may have, which is {most}", most = super::uploads::CHUNK_BYTES)]
    ChunkTooLarge(u64),
    /// A chunk that did not come whole.
    #[error("the chunk broke off: {0}")]
    ChunkBrokeOff(String),
    /// A chunk that goes on elsewhere.
    #[error("{offset} bytes have arrived, and this goes on at {given}")]
    WrongOffset {
        /// Where it begins.
        given: u64,
        /// Where it should.
        offset: u64,
    },
    /// Another request feeds the upload.
    #[error("another request feeds this upload, and {offset} bytes have arrived")]
    UploadBusy {
        /// Bytes that have arrived.
        offset: u64,
    },
    /// More bytes than were announced.
    #[error("the chunk ends at {end}, and {bytes} bytes were announced")]
    MoreThanAnnounced {
        /// Where it ends.
        end: u64,
        /// Bytes that were announced.
        bytes: u64,
    },
    /// A source that cannot fit.
    #[error(
        "a source of {bytes} bytes does not fit: at least {needed_bytes} bytes have to be free, and {free_bytes} are"
    )]
    UploadTooLarge {
        /// Its size.
        bytes: u64,
        /// Bytes that are free.
        free_bytes: u64,
        /// Bytes that have to be at the least.
        needed_bytes: u64,
    },
}

/// A failure as it goes over the wire and to the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Failure {
    /// The one line that says what is wrong.
    pub error: String,
    /// What caused it, outermost first.
    pub causes: Vec<String>,
    /// Which kind of failure it is, for hints and exit codes; stable.
    pub kind: String,
    /// What may have been meant by a name that nothing has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<String>,
    /// How many bytes of an upload have arrived, where a chunk was not taken for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl OperationError {
    /// Returns what may have been meant by a name that nothing has.
    fn similar(&self) -> Option<String> {
        match self {
            Self::NoSuchBranch(name)
            | Self::NoSuchUser(name)
            | Self::NoSuchDistribution(name)
            | Self::NoSuchPackage(name)
            | Self::NoSuchVersion(name) => name.similar.clone(),
            Self::NotHeld { package, .. } => package.similar.clone(),
            _ => None,
        }
    }

    /// Returns how much of an upload has arrived, where that is what is wrong.
    fn offset(&self) -> Option<u64> {
        match self {
            Self::WrongOffset { offset, .. } | Self::UploadBusy { offset } => Some(*offset),
            _ => None,
        }
    }

    /// Returns which kind of failure this is.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Import(error) => match error {
                ImportError::Source(_) => match error.source_fault() {
                    Some(SourceFault::NotAnArchive) => "not-an-archive",
                    Some(SourceFault::Broken) => "broken-source",
                    Some(SourceFault::SeveralImages) => "several-images",
                    Some(SourceFault::Other) | None => "source",
                },
                ImportError::Store(error) => store_kind(error),
                ImportError::DiskFull { .. } => "disk-full",
                ImportError::NoPackages => "no-packages",
                ImportError::AllRefused { .. } => "all-refused",
                ImportError::NoTarget => "no-target",
                ImportError::NoSuchPlan(_) => "no-such-plan",
                ImportError::HasTarget { .. } => "has-target",
                ImportError::TooManyPackages { .. } => "too-many-packages",
                ImportError::TooMuchWork { .. } => "too-much-work",
                ImportError::LooseSignatures { .. } => "loose-signatures",
                ImportError::OtherKind { .. } => "other-kind",
                ImportError::NameTaken(_) => "name-taken",
                ImportError::NoEdition(_) => "release-differs",
                ImportError::NeedsSecondPerson { .. } => "needs-second-person",
                ImportError::NeedsDigest { .. } => "needs-digest",
                ImportError::PlanChanged { .. } => "plan-changed",
                ImportError::Stopped => "stopped",
            },
            Self::Store(error) => store_kind(error),
            Self::NoSuchUser(_) => "no-such-user",
            Self::UserTaken(_) => "user-taken",
            Self::WeakPassword(_) => "weak-password",
            Self::WrongPassword => "wrong-password",
            Self::LastAdmin(_) => "last-admin",
            Self::NoSuchToken(_) => "no-such-token",
            Self::TokenTaken { .. } => "token-taken",
            Self::TokenAboveOwner { .. } => "token-above-owner",
            Self::ByToken(_) => "by-token",
            Self::TooMany { .. } => "too-many",
            Self::NoSuchLink => "no-such-link",
            Self::SetUp => "set-up",
            Self::NoSuchBranch(_) => "no-such-branch",
            Self::NameTaken(_) => "name-taken",
            Self::ReservedName(_) => "reserved-name",
            Self::NamedLikeRelease(_) => "named-like-release",
            Self::NoSuchDistribution(_) => "no-such-distribution",
            Self::FixedDistribution(_) => "fixed-distribution",
            Self::KeepsVersions { .. } => "keeps-versions",
            Self::NeedsReason(_) => "needs-reason",
            Self::NotHeld { .. } => "not-held",
            Self::FetchedLately { .. } => "fetched-lately",
            Self::SignerFile { .. } => "data-folder",
            Self::Signer(_) => "signer",
            Self::Tls(error) => error.kind(),
            Self::NoTls => "no-tls",
            Self::NoRelease(_) => "no-release",
            Self::InService { .. } => "in-service",
            Self::Importing => "importing",
            Self::GoneRelease(_) => "gone-release",
            Self::NoSuchKey(_) | Self::SeveralKeys(_) => "no-such-key",
            Self::NoSuchChangeSet(_) => "no-such-change-set",
            Self::NoSuchHold(_) => "no-such-hold",
            Self::TooManyHolds { .. } => "too-many-holds",
            Self::NoSuchPackage(_) => "no-such-package",
            Self::Pruned(_) => "pruned",
            Self::NotYetThere { .. } => "not-yet-there",
            Self::NoSuchCase(_) => "no-such-case",
            Self::InvalidRequest(_) => "invalid-request",
            Self::NotTyped(_) => "not-typed",
            Self::NoSuchJob(_) => "no-such-job",
            Self::JobEnded(_) => "job-ended",
            Self::NotCancellable(_) => "not-cancellable",
            Self::Stopped(Stop::Cancelled) => "cancelled",
            Self::Stopped(Stop::Silent(_)) => "upload-silent",
            Self::Stopped(Stop::Left) => "client-left",
            Self::Stopped(Stop::ServerStops) => "stopping",
            Self::NoThread(_) => "no-thread",
            Self::TooManyImports(_) => "too-many-imports",
            Self::TooManyJobs(_) => "too-many-jobs",
            Self::NoSuchUpload(_) => "no-such-upload",
            Self::NotYours { .. } => "not-yours",
            Self::LengthRequired => "length-required",
            Self::ChunkTooLarge(_) => "chunk-too-large",
            Self::ChunkBrokeOff(_) => "chunk-broke-off",
            Self::WrongOffset { .. } => "wrong-offset",
            Self::UploadBusy { .. } => "upload-busy",
            Self::MoreThanAnnounced { .. } => "more-than-announced",
            Self::UploadTooLarge { .. } => "upload-too-large",
            Self::NeedsRole { .. } | Self::Nobody => "needs-role",
            Self::NotSignedIn => "not-signed-in",
            Self::WrongLogin => "wrong-login",
            Self::OtherHost(_) => "other-host",
            Self::NotFromThere => "not-from-there",
            Self::NeedsTls => "needs-tls",
            Self::OtherOrigin => "other-origin",
            Self::BadCsrf => "bad-csrf",
            Self::TooManyLogins { .. } => "too-many-logins",
            Self::UnknownUser(_) => "unknown-user",
            Self::NoSuchVersion(_) => "no-such-version",
            Self::NoSuchPage(_) => "no-such-page",
        }
    }
}

fn store_kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Folder { .. } => "data-folder",
        StoreError::InUse { .. } => "in-use",
        StoreError::NotAStore { .. } => "not-a-store",
        StoreError::NewerSchema { .. } => "newer-schema",
        StoreError::Full(_) | StoreError::Short { .. } => "disk-full",
        StoreError::Damaged { .. } => "damaged",
        StoreError::Invalid { .. } | StoreError::Sqlite(_) => "store",
    }
}

impl<E: Into<OperationError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let causes =
            std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        Self {
            causes: causes.map(ToString::to_string).collect(),
            kind: error.kind().to_owned(),
            similar: error.similar(),
            offset: error.offset(),
            error: error.to_string(),
        }
    }
}
