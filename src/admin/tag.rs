//! Tagging: what a distribution serves now, frozen as a release.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::branches::{begin, reason};
use super::distributions::{self as of_admin, Contents, served};
use super::error::OperationError;
use super::operations;
use crate::distribution::DistributionName;
use crate::import::{self, ImportError};
use crate::people::Actor;
use crate::store::branches::Member;
use crate::store::stages::Target;
use crate::store::{Store, addresses, branches, distributions};

/// A release to be.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagRequest {
    /// What it is called.
    pub release: String,
    /// The distribution that it freezes; production where it is not said.
    #[serde(default)]
    pub from: Option<String>,
    /// Why, to be kept in the history.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a tag came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tagged {
    /// The change set; `None` where the release is here with the same content.
    pub change_set: Option<i64>,
    /// The release, or the edition of it.
    pub release: String,
    /// The edition before, where it is here with other content.
    pub last: Option<String>,
    /// The distribution that was frozen.
    pub from: String,
    /// How many package versions it holds.
    pub versions: usize,
}

/// Freezes what a distribution serves now as a release. A release that is here with other content stays, and this becomes
/// its next edition; one with the same content is found.
pub fn tag(store: &Store, who: &Actor, request: &TagRequest) -> Result<Tagged, OperationError> {
    let named = operations::target(Some(&request.release), None)?;
    let (name, kind) =
        named.ok_or_else(|| OperationError::InvalidRequest("no release is named".into()))?;
    let from = request.from.as_deref().unwrap_or("production");
    let from = DistributionName::parse(from)
        .map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
    let reason = reason(request.reason.as_deref())?;
    store.write_synced(|conn| {
        let contents = Contents::load(conn)?;
        let layers = served(conn, &from)?;
        let offers = contents.offers(of_admin::find(conn, &from)?, &layers);
        let offered = offers.offered.iter();
        let members: Vec<Member> = offered.map(|it| it.held.1.clone()).collect();
        let Some(first) = layers.first().filter(|_| !members.is_empty()) else {
            return Err(OperationError::InvalidRequest(format!(
                "{from} serves nothing"
            )));
        };
        let mut target = Target {
            branch: name.clone(),
            kind,
            settings: first.settings.clone(),
        };
        let at = Timestamp::now().to_string();
        let last = import::settle_edition(conn, &mut target, &at[..10], &members)?;
        let mut tagged = Tagged {
            change_set: None,
            release: target.branch.to_string(),
            last: last.map(|name| name.to_string()),
            from: from.to_string(),
            versions: members.len(),
        };
        if let Some(branch) = branches::find(conn, &target.branch)? {
            return if branch.kind == kind {
                Ok(tagged)
            } else {
                Err(ImportError::OtherKind {
                    name: branch.name.to_string(),
                    kind: branch.kind.as_str(),
                }
                .into())
            };
        }
        if distributions::find(conn, &target.branch)?.is_some() {
            return Err(OperationError::NameTaken(target.branch.to_string()));
        }
        let change_set = begin(conn, who, "tag", reason.as_ref())?;
        let branch =
            addresses::make_branch(conn, &target.branch, kind, &target.settings, change_set)?;
        branches::set_signatures(conn, branch, first.signatures)?;
        for member in &members {
            branches::put(conn, branch, member.artifact, change_set)?;
        }
        tagged.change_set = Some(change_set.0);
        Ok(tagged)
    })
}
