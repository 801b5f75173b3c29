//! What the operator does to the versions in branches, by the rules of each.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use super::error::OperationError;
use super::fetched::{self, NoLongerOffered};
use super::history::{self, Changes};
use super::missing::Missing;
use crate::distribution::{BranchKind, Consent, DistributionName, Permission, Reason};
use crate::import::Problem;
use crate::package::PackageChoice;
use crate::people::Actor;
use crate::store::branches::{self, Branch, Member};
use crate::store::change_sets::{self, ChangeSetId, NewChangeSet};
use crate::store::{Store, StoreError};

pub use super::promotion::{PromoteRequest, promote};

/// What a change of branches or distributions came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Done {
    /// The change set; `None` where nothing changed, or was only looked at.
    pub change_set: Option<i64>,
    /// What changed, or would.
    #[serde(flatten)]
    pub changes: Changes,
    /// What the rules do not admit; the rest is done.
    #[serde(default)]
    pub refused: Vec<Problem>,
    /// What some Kibana fetched and is no longer offered to it.
    #[serde(default)]
    pub no_longer_offered: Vec<NoLongerOffered>,
}

/// Versions to be taken out of a branch.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveRequest {
    /// The packages, each with its version or with all of them.
    pub packages: Vec<String>,
    /// Why, where the branch asks for a reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}

/// Takes versions out of a branch, all that are named or none.
pub fn remove(
    store: &Store,
    who: &Actor,
    branch: &DistributionName,
    request: &RemoveRequest,
) -> Result<Done, OperationError> {
    let choices = choices(&request.packages)?;
    let reason = reason(request.reason.as_deref())?;
    perform(store, request.is_dry, |conn| {
        let branch = find(conn, branch)?;
        let consent = Consent {
            has_reason: reason.is_some(),
            ..Consent::default()
        };
        let permission = branch.kind.remove();
        if !permission.admits(consent) {
            return Err(refusal(&branch, permission));
        }
        let chosen = chosen(conn, &branch, &choices)?;
        let change_set = begin(conn, who, "remove", reason.as_ref())?;
        for member in &chosen {
            branches::remove(conn, branch.id, member.artifact, change_set)?;
        }
        done(conn, change_set, Vec::new())
    })
}

fn refusal(branch: &Branch, permission: Permission) -> OperationError {
    match permission {
        Permission::WithReason => {
            OperationError::NeedsReason(format!("{} gives up no version", branch.name))
        }
        _ => OperationError::KeepsVersions {
            branch: branch.name.to_string(),
            kind: match branch.kind {
                BranchKind::Release => "a release",
                _ => "what is published",
            },
        },
    }
}

/// Runs a change, or only looks at what it would do.
pub(super) fn perform(
    store: &Store,
    is_dry: bool,
    change: impl FnOnce(&Transaction<'_>) -> Result<Done, OperationError>,
) -> Result<Done, OperationError> {
    let change = |conn: &Transaction<'_>| {
        let (done, no_longer_offered) = fetched::watching(conn, change)?;
        Ok::<_, OperationError>(Done {
            no_longer_offered,
            ..done
        })
    };
    if is_dry {
        let done = store.rehearse(change)?;
        Ok(Done {
            change_set: None,
            ..done
        })
    } else {
        store.write_synced(change)
    }
}

/// Begins a change set that comes from no source.
pub(super) fn begin(
    conn: &Transaction<'_>,
    who: &Actor,
    action: &str,
    reason: Option<&Reason>,
) -> Result<ChangeSetId, StoreError> {
    let at = Timestamp::now().to_string();
    let new = NewChangeSet {
        at: &at,
        who,
        action,
        why: reason.map(Reason::as_str),
        source: None,
        plan: None,
    };
    change_sets::insert(conn, &new)
}

/// Returns what a change set came to.
pub(super) fn done(
    conn: &Transaction<'_>,
    change_set: ChangeSetId,
    refused: Vec<Problem>,
) -> Result<Done, OperationError> {
    Ok(Done {
        change_set: Some(change_set.0),
        changes: history::changes(conn, change_set)?,
        refused,
        no_longer_offered: Vec::new(),
    })
}

/// Returns the branch of this name.
pub(super) fn find(conn: &Connection, name: &DistributionName) -> Result<Branch, OperationError> {
    if let Some(branch) = branches::find(conn, name)? {
        return Ok(branch);
    }
    let all = branches::all(conn)?;
    let names = all.iter().map(|branch| branch.name.as_str());
    Err(OperationError::NoSuchBranch(Missing::among(
        name.as_str(),
        names,
    )))
}

/// Returns what a branch holds of the packages that are meant. Fails with the first of which it holds nothing.
pub(super) fn chosen(
    conn: &Transaction<'_>,
    branch: &Branch,
    choices: &[PackageChoice],
) -> Result<Vec<Member>, OperationError> {
    let mut members = branches::members(conn, branch.id)?;
    for choice in choices {
        if !members.iter().any(|member| choice.means(&member.package)) {
            return Err(OperationError::NotHeld {
                branch: branch.name.to_string(),
                package: missing(choice, &members),
            });
        }
    }
    members.retain(|member| choices.iter().any(|choice| choice.means(&member.package)));
    Ok(members)
}

/// Returns a choice that a branch holds nothing of: another of its versions may have been meant, else another package.
fn missing(choice: &PackageChoice, members: &[Member]) -> Missing {
    let named = members.iter().filter(|it| it.package.name == choice.name);
    let version = |it: &Member| format!("{}@{}", it.package.name, it.package.version);
    let versions: Vec<_> = named.map(version).collect();
    let names = members.iter().map(|it| it.package.name.as_str());
    let names: Vec<_> = names.filter(|_| versions.is_empty()).collect();
    let all = versions.iter().map(String::as_str).chain(names);
    Missing::among(&choice.to_string(), all)
}

/// Returns the packages that are named; naming none is an error.
pub(super) fn choices(texts: &[String]) -> Result<Vec<PackageChoice>, OperationError> {
    if texts.is_empty() {
        return Err(OperationError::InvalidRequest("no package is named".into()));
    }
    let parse = |text: &String| text.parse::<PackageChoice>();
    let choices: Result<_, _> = texts.iter().map(parse).collect();
    choices.map_err(|error| OperationError::InvalidRequest(error.to_string()))
}

/// Returns the reason that is given.
pub(super) fn reason(text: Option<&str>) -> Result<Option<Reason>, OperationError> {
    let reason = text.map(str::parse::<Reason>).transpose();
    reason.map_err(|error| OperationError::InvalidRequest(error.to_string()))
}
