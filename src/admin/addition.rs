//! Adding a package of one's own, or a patched one: checked as Kibana will check it, then imported as any other.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::operations;
use crate::distribution::{BranchKind, Consent};
use crate::import::{self, ImportError, PlanReport, Progress, StageRequest};
use crate::limits::Limits;
use crate::package::PackageId;
use crate::package::check::{Checked, Finding};
use crate::people::Actor;
use crate::store::garbage::{self, Step, Sweep};
use crate::store::{Store, StoreError, branches};

/// Where a package is to go.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdditionRequest {
    /// What the zip is called.
    pub source_name: String,
    /// The branch; it is made where it is missing.
    pub to: String,
    /// Whether a prerelease of a package that is published here is meant.
    #[serde(default)]
    pub prerelease: bool,
    /// Whether a version that is there with other content is to be replaced, where the branch allows it.
    #[serde(default)]
    pub overwrite: bool,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// What adding a package came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Added {
    /// The change set; `None` where nothing changed.
    pub change_set: Option<i64>,
    /// The package version, where its manifest says one.
    pub package: Option<String>,
    /// The branch.
    pub branch: String,
    /// What Kibana refuses it for; then it is not taken.
    pub findings: Vec<Finding>,
    /// A version that Kibana would not see; then it is not taken.
    pub unseen: Option<Unseen>,
    /// What it changes, where it can be taken.
    pub plan: Option<PlanReport>,
}

/// A patched package whose version is a prerelease: Kibana asks for none, and it comes before the version it patches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unseen {
    /// The branch that publishes the package.
    pub published_in: String,
    /// The next free version with a patch number of its own.
    pub free: String,
}

/// Adds the package in `source`, one zip or a tar of it and its signature. Where [`Added`] says why it is not taken, nothing is
/// stored.
pub fn add(
    store: &Store,
    who: &Actor,
    source: Box<dyn Read + Send>,
    request: &AdditionRequest,
    limits: &Limits,
) -> Result<Added, OperationError> {
    let target = operations::target(None, Some(&request.to))?;
    let mut copy = spool(store, source, limits)?;
    let reread = |copy: &mut std::fs::File| -> Result<Box<dyn Read + Send>, OperationError> {
        copy.rewind().map_err(unreadable)?;
        Ok(Box::new(copy.try_clone().map_err(unreadable)?))
    };
    let checked = import::check_zips(reread(&mut copy)?, store.folder(), limits)?;
    let checked = match <[Checked; 1]>::try_from(checked) {
        Ok([checked]) => checked,
        Err(none) if none.is_empty() => return Err(ImportError::NoPackages.into()),
        Err(_several) => {
            let why = "several packages were given, one is added at a time".to_owned();
            return Err(OperationError::InvalidRequest(why));
        }
    };
    let mut added = Added {
        change_set: None,
        package: checked.package.as_ref().map(ToString::to_string),
        branch: request.to.clone(),
        findings: checked.findings,
        unseen: None,
        plan: None,
    };
    if let Some(package) = checked.package.filter(|_| !request.prerelease) {
        added.unseen = unseen(store, &package)?;
    }
    if !added.findings.is_empty() || added.unseen.is_some() {
        return Ok(added);
    }
    let before = store.snapshot(garbage::mark)?;
    let stage = StageRequest {
        source_name: request.source_name.clone(),
        who: who.clone(),
        target,
        may_ask: false,
        signatures: None,
        image: None,
    };
    let progress = Arc::<Progress>::default();
    let consent = Consent {
        is_asked: request.overwrite,
        ..Consent::default()
    };
    let sweep = || -> Result<(), OperationError> {
        let mut sweep = Sweep::after(before);
        while store.write(|conn| sweep.step(conn))? == Step::More {}
        Ok(())
    };
    let staged = match import::stage(store, reread(&mut copy)?, &stage, &progress, limits) {
        Ok(staged) => staged,
        Err(ImportError::AllRefused { first, .. }) => {
            sweep()?;
            added.findings.push(Finding {
                file: request.source_name.clone(),
                key: None,
                why: first,
            });
            return Ok(added);
        }
        Err(error) => return Err(error.into()),
    };
    let plan = import::plan(store, staged.stage, consent)?;
    let problems = plan.quarantined.iter().chain(&plan.refused);
    added.findings.extend(problems.map(|problem| Finding {
        file: problem.package.clone(),
        key: None,
        why: problem.why.clone(),
    }));
    if request.is_dry || !added.findings.is_empty() {
        import::drop_stage(store, who, staged.stage)?;
        sweep()?;
    } else {
        added.change_set = import::commit(store, staged.stage, who, consent)?.change_set;
    }
    added.plan = Some(plan);
    Ok(added)
}

/// Copies a source to an unnamed file beside the store, which is read twice.
fn spool(
    store: &Store,
    source: Box<dyn Read + Send>,
    limits: &Limits,
) -> Result<std::fs::File, OperationError> {
    let mut copy = tempfile::tempfile_in(store.folder()).map_err(unreadable)?;
    let free_bytes = store.disk().free_bytes()?;
    let most_bytes = limits
        .artifact_bytes
        .min(free_bytes.saturating_sub(crate::store::RESERVE_BYTES));
    let copied = io::copy(&mut source.take(most_bytes.saturating_add(1)), &mut copy);
    if copied.map_err(unreadable)? > most_bytes {
        if most_bytes == limits.artifact_bytes {
            return Err(OperationError::InvalidRequest(format!(
                "a package has at most {most_bytes} bytes, and this has more"
            )));
        }
        return Err(StoreError::Short {
            free_bytes,
            needed_bytes: most_bytes.saturating_add(crate::store::RESERVE_BYTES),
        }
        .into());
    }
    Ok(copy)
}

fn unreadable(error: io::Error) -> OperationError {
    ImportError::Source(Box::new(error)).into()
}

/// Returns why Kibana would not see a version: a prerelease of a package that is published here.
fn unseen(store: &Store, package: &PackageId) -> Result<Option<Unseen>, OperationError> {
    if !package.version.is_prerelease() {
        return Ok(None);
    }
    store.snapshot(|conn| {
        let mut published_in = None;
        let mut patches = BTreeSet::new();
        let wanted = package.version.as_semver();
        for branch in branches::all(conn)? {
            for member in branches::members(conn, branch.id)? {
                if member.package.name != package.name {
                    continue;
                }
                let is_published =
                    matches!(branch.kind, BranchKind::Production | BranchKind::Release);
                if is_published && published_in.is_none() {
                    published_in = Some(branch.name.to_string());
                }
                let version = member.package.version.as_semver();
                if (version.major, version.minor) == (wanted.major, wanted.minor) {
                    patches.insert(version.patch);
                }
            }
        }
        let patch = patches
            .last()
            .map_or(wanted.patch, |last| last.saturating_add(1));
        Ok(published_in.map(|published_in| Unseen {
            published_in,
            free: format!("{}.{}.{patch}", wanted.major, wanted.minor),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_never_ends_is_too_large_and_not_short_of_space() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let limits = Limits {
            artifact_bytes: 1000,
            ..Limits::default()
        };
        let copy = |bytes| spool(&store, Box::new(io::repeat(0).take(bytes)), &limits);
        assert_eq!(copy(1000).unwrap().metadata().unwrap().len(), 1000);
        let error = copy(u64::MAX).unwrap_err();
        let expected = "invalid request: a package has at most 1000 bytes, and this has more";
        assert_eq!(error.to_string(), expected);
    }
}
