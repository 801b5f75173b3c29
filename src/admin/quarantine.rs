//! What the operator does with the quarantine.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::OperationError;
use crate::distribution::{BranchKind, SignatureStatus};
use crate::import::judge_again_of;
use crate::limits::Limits;
use crate::package::PackageId;
use crate::people::Actor;
use crate::store::artifacts::{Artifact, ArtifactId};
use crate::store::quarantine::{self, Case, Kept, QuarantineId};
use crate::store::stages::{self, StageId};
use crate::store::{Store, StoreError, artifacts, audit, branches, signatures, sources};

/// A package in quarantine as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CaseReport {
    /// Its number.
    pub id: i64,
    /// The package version, or where it lay in its source.
    pub package: String,
    /// Why it was not taken.
    pub why: String,
    /// The source it came in.
    pub source: String,
    /// When, RFC 3339.
    pub at: String,
    /// What is kept of it; `None` where it could not be read.
    pub kept: Option<KeptReport>,
}

/// What is kept of a package in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeptReport {
    /// The branch it was for.
    pub branch: String,
    /// The digest of its zip.
    pub sha256: String,
    /// Bytes of its zip.
    pub bytes: u64,
    /// What the keyring says of its signature now.
    pub signature: SignatureStatus,
}

/// Which packages in quarantine are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CasesRequest {
    /// Their numbers; none means all.
    #[serde(default)]
    pub ids: Vec<i64>,
}

/// What trying packages again came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Retried {
    /// The plans to be committed, one a branch.
    pub plans: Vec<i64>,
    /// Packages of which nothing is kept: their source has to be imported again.
    pub not_kept: Vec<CaseReport>,
    /// Packages that stay, since another zip of the same version is tried: a branch holds one.
    pub passed_over: Vec<CaseReport>,
}

/// Returns everything in quarantine, oldest first.
pub fn list(store: &Store) -> Result<Vec<CaseReport>, OperationError> {
    store.snapshot(|conn| {
        let cases = quarantine::all(conn)?;
        Ok(cases
            .into_iter()
            .map(|case| report(conn, case))
            .collect::<Result<_, _>>()?)
    })
}

/// Stages what is kept of packages anew, for the branches they were meant for.
pub fn retry(
    store: &Store,
    who: &Actor,
    request: &CasesRequest,
    limits: &Limits,
) -> Result<Retried, OperationError> {
    store.write(|conn| {
        let mut retried = Retried {
            plans: Vec::new(),
            not_kept: Vec::new(),
            passed_over: Vec::new(),
        };
        let mut left: Vec<(Kept, Case)> = Vec::new();
        for case in chosen(conn, request)? {
            match case.kept.clone() {
                Some(kept) => left.push((kept, case)),
                None => retried.not_kept.push(report(conn, case)?),
            }
        }
        judge_again_of(conn, left.iter().map(|(kept, _)| kept.artifact), limits)?;
        while let Some((first, case)) = left.first().cloned() {
            let (together, others) = left
                .into_iter()
                .partition(|(kept, _)| kept.branch == first.branch && kept.kind == first.kind);
            left = others;
            let tried = one_of_each(conn, &together)?;
            let source = source_name(conn, &case)?;
            let stage = stage(conn, who, &first, &source, &tried)?;
            retried.plans.push(stage.0);
            let subject = format!("plan {}", stage.0);
            let detail = json!({ "source": source, "branch": first.branch.to_string() });
            audit::note(
                conn,
                Timestamp::now(),
                who,
                "quarantine retry",
                &subject,
                detail,
            )?;
            for (kept, case) in together {
                if tried.values().all(|artifact| *artifact != kept.artifact) {
                    retried.passed_over.push(report(conn, case)?);
                }
            }
        }
        Ok(retried)
    })
}

/// Lets packages go; returns what they were.
pub fn drop_cases(
    store: &Store,
    who: &Actor,
    request: &CasesRequest,
) -> Result<Vec<CaseReport>, OperationError> {
    store.write_synced(|conn| {
        let mut dropped = Vec::new();
        for case in chosen(conn, request)? {
            quarantine::remove(conn, case.id)?;
            dropped.push(report(conn, case)?);
        }
        sources::remove_unused(conn)?;
        let subject = match dropped.as_slice() {
            [one] => one.package.clone(),
            several => format!("{} packages", several.len()),
        };
        let ids: Vec<_> = dropped.iter().map(|case| case.id).collect();
        let detail = json!({ "cases": ids });
        audit::note(
            conn,
            Timestamp::now(),
            who,
            "quarantine drop",
            &subject,
            detail,
        )?;
        Ok(dropped)
    })
}

fn chosen(conn: &Connection, request: &CasesRequest) -> Result<Vec<Case>, OperationError> {
    if request.ids.is_empty() {
        return Ok(quarantine::all(conn)?);
    }
    let find =
        |id: &i64| quarantine::get(conn, QuarantineId(*id))?.ok_or(OperationError::NoSuchCase(*id));
    request.ids.iter().map(find).collect()
}

/// Returns what is tried of each package version: the zip with the best signature, of equal ones the one that came last.
fn one_of_each(
    conn: &Connection,
    together: &[(Kept, Case)],
) -> Result<HashMap<PackageId, ArtifactId>, StoreError> {
    let mut best: HashMap<PackageId, (u8, ArtifactId)> = HashMap::new();
    let now = Timestamp::now();
    for (kept, _) in together {
        let package = artifact_of(conn, kept)?.package;
        let worth = signatures::status(conn, kept.artifact, now)?.worth();
        if best.get(&package).is_none_or(|(least, _)| worth >= *least) {
            best.insert(package, (worth, kept.artifact));
        }
    }
    let artifacts = best.into_iter();
    Ok(artifacts.map(|(package, (_, it))| (package, it)).collect())
}

fn stage(
    conn: &rusqlite::Transaction<'_>,
    who: &Actor,
    first: &Kept,
    source: &str,
    tried: &HashMap<PackageId, ArtifactId>,
) -> Result<StageId, StoreError> {
    let at = Timestamp::now().to_string();
    let id = sources::begin(conn, source)?;
    let branch = branches::find(conn, &first.branch)?;
    // A branch that was not made for want of packages is to have the policy that it was meant to have.
    let policy = branch.is_none().then_some(first.signatures);
    let stage = stages::begin(conn, id, &at, &who.name, policy)?;
    for artifact in tried.values() {
        stages::add(conn, stage, *artifact)?;
    }
    // A release is compared whole.
    if let Some(branch) = branch.filter(|branch| branch.kind == BranchKind::Release) {
        for member in branches::members(conn, branch.id)? {
            if !tried.contains_key(&member.package) {
                stages::add(conn, stage, member.artifact)?;
            }
        }
    }
    stages::finish(conn, stage, Some(&first.target()), &Default::default(), 0)?;
    Ok(stage)
}

fn source_name(conn: &Connection, case: &Case) -> Result<String, StoreError> {
    let source = sources::get(conn, case.source)?;
    Ok(source.map(|source| source.name).unwrap_or_default())
}

fn artifact_of(conn: &Connection, kept: &Kept) -> Result<Artifact, StoreError> {
    artifacts::get(conn, kept.artifact)?.ok_or_else(|| StoreError::Invalid {
        what: "artifact",
        value: kept.artifact.0.to_string(),
    })
}

fn report(conn: &Connection, case: Case) -> Result<CaseReport, StoreError> {
    let kept = match &case.kept {
        None => None,
        Some(kept) => {
            let artifact = artifact_of(conn, kept)?;
            let signature = signatures::status(conn, kept.artifact, Timestamp::now())?;
            Some(KeptReport {
                branch: kept.branch.to_string(),
                sha256: artifact.sha256.to_string(),
                bytes: artifact.bytes,
                signature,
            })
        }
    };
    Ok(CaseReport {
        id: case.id.0,
        source: source_name(conn, &case)?,
        package: case.package.path,
        why: case.package.reason,
        at: case.at,
        kept,
    })
}
