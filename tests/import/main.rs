//! Imports in one process: a source in, what the store holds of it out.
#![allow(clippy::unwrap_used, reason = "in a test, what fails may panic")]

mod approvals;
#[path = "../support/archives.rs"]
mod archives;
mod formats;
mod hostile;
mod images;
mod large;
mod layouts;
mod refusals;
mod rules;
mod signatures;
#[path = "../support/signer.rs"]
mod signer;
mod store;
#[path = "../support/trees.rs"]
mod trees;
mod zips;

use std::io::Cursor;
use std::sync::Arc;

use airlock::distribution::{BranchKind, Consent, DistributionName, SignaturePolicy};
use airlock::import::{self, Committed, ImportError, PlanReport, Progress, StageRequest, Staged};
use airlock::limits::Limits;
use airlock::people::Actor;
use airlock::store::artifacts::{self, Artifact};
use airlock::store::stages::StageId;
use airlock::store::{Store, StoreError, branches};

/// A store in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    store: Store,
    limits: Limits,
}

/// An import that is asked for.
#[derive(Clone, Default)]
struct Ask {
    target: Option<(String, BranchKind)>,
    may_ask: bool,
    signatures: Option<SignaturePolicy>,
    image: Option<String>,
}

impl Ask {
    fn release(name: &str) -> Self {
        Self::into(name, BranchKind::Release)
    }

    fn branch(name: &str) -> Self {
        Self::into(name, BranchKind::of_name(name))
    }

    fn into(name: &str, kind: BranchKind) -> Self {
        Self {
            target: Some((name.to_owned(), kind)),
            ..Self::default()
        }
    }
}

impl Place {
    fn new() -> Self {
        Self::within(Limits::default())
    }

    fn within(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self {
            folder,
            store,
            limits,
        }
    }

    fn stage(&self, source: impl Into<Vec<u8>>, ask: &Ask) -> Result<Staged, ImportError> {
        let request = StageRequest {
            source_name: "source".to_owned(),
            who: Actor::here("tester"),
            target: ask
                .target
                .as_ref()
                .map(|(name, kind)| (DistributionName::parse(name).unwrap(), *kind)),
            may_ask: ask.may_ask,
            signatures: ask.signatures,
            image: ask.image.clone(),
        };
        let source = Box::new(Cursor::new(source.into()));
        let progress = Arc::new(Progress::default());
        import::stage(&self.store, source, &request, &progress, &self.limits)
    }

    fn plan(&self, stage: StageId) -> PlanReport {
        import::plan(&self.store, stage, Consent::default()).unwrap()
    }

    fn commit(&self, stage: StageId) -> Result<Committed, ImportError> {
        import::commit(
            &self.store,
            stage,
            &Actor::here("tester"),
            Consent::default(),
        )
    }

    /// Stages and commits what must be taken; returns its plan.
    fn import(&self, source: impl Into<Vec<u8>>, ask: &Ask) -> PlanReport {
        let staged = self.stage(source, ask).unwrap();
        let plan = self.plan(staged.stage);
        self.commit(staged.stage).unwrap();
        plan
    }

    /// Returns how many rows each table has that says what is offered or waits for it, and each that says what is kept.
    fn counts(&self) -> Vec<(&'static str, i64)> {
        [&OFFERED[..], &KEPT]
            .concat()
            .into_iter()
            .map(|table| (table, self.count(table)))
            .collect()
    }

    /// Returns the same without what an import leaves to be found again by the next.
    fn offered(&self) -> Vec<(&'static str, i64)> {
        OFFERED
            .into_iter()
            .map(|table| (table, self.count(table)))
            .collect()
    }

    fn count(&self, table: &str) -> i64 {
        self.store
            .read(|conn| {
                let query = format!("SELECT count(*) FROM {table}");
                conn.query_row(&query, [], |row| row.get(0))
                    .map_err(StoreError::from)
            })
            .unwrap()
    }

    /// Returns the artifacts that a branch holds, by name and version.
    fn artifacts(&self, branch: &str) -> Vec<Artifact> {
        let name = DistributionName::parse(branch).unwrap();
        self.store
            .snapshot(|conn| {
                let branch = branches::find(conn, &name)?.unwrap();
                branches::members(conn, branch.id)?
                    .into_iter()
                    .map(|member| {
                        Ok::<_, StoreError>(artifacts::get(conn, member.artifact)?.unwrap())
                    })
                    .collect()
            })
            .unwrap()
    }

    /// Returns what a branch holds as lines: package version, digest.
    fn digests(&self, branch: &str) -> Vec<String> {
        self.artifacts(branch)
            .into_iter()
            .map(|artifact| format!("{} {}", artifact.package, artifact.sha256))
            .collect()
    }
}

const OFFERED: [&str; 9] = [
    "branch",
    "change_set",
    "change_set_branch",
    "distribution",
    "member",
    "quarantine",
    "source",
    "stage",
    "staged",
];

const KEPT: [&str; 5] = ["artifact", "content", "document", "file", "stream"];

/// Returns an error and its causes on one line.
fn with_causes(error: &ImportError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    assert!(!text.contains('\n'), "{text:?} is one line");
    text
}
