//! Distributions as people and programs read them.

use serde::{Deserialize, Serialize};

use crate::admin::fetched::NoLongerOffered;
use crate::admin::history::HoldChange;
use crate::admin::holds::HoldReport;
use crate::distribution::Exact;

/// A distribution as people and programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DistributionReport {
    /// Its name: it answers at `/d/{name}/`, and `default` at `/` too.
    pub name: String,
    /// Its branches, the winning one first.
    pub branches: Vec<String>,
    /// How many package versions it offers.
    pub offered: usize,
    /// Equal where the same is offered.
    pub fingerprint: String,
}

/// A distribution with what each of its branches brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DistributionDetails {
    /// The distribution.
    #[serde(flatten)]
    pub report: DistributionReport,
    /// Whether the operator may set and delete it; the others serve what they do by their name.
    pub is_own: bool,
    /// How many packages it offers.
    pub packages: usize,
    /// For which versions documents, files and zips are answered.
    pub exact: Exact,
    /// How many have to approve a plan for one of its branches beside who staged it: 0 or 1.
    #[serde(default)]
    pub approvals: u8,
    /// The holds on it, with what each keeps back.
    pub holds: Vec<HoldReport>,
    /// What each branch brings, the winning one first.
    pub layers: Vec<Layer>,
    /// The versions that a branch holds and another one wins.
    pub shadowed: Vec<Shadowed>,
}

/// What a branch brings to a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Layer {
    /// The branch.
    pub branch: String,
    /// Its kind.
    pub kind: String,
    /// How many of its versions are offered.
    pub offered: usize,
    /// How many are not, as a branch before it has them.
    pub shadowed: usize,
}

/// A version that is not offered, as a branch before has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shadowed {
    /// The package version.
    pub package: String,
    /// The branch whose version is not offered.
    pub branch: String,
    /// The branch whose version is.
    pub by: String,
    /// Whether both hold the same files.
    pub is_same: bool,
}

/// What a changed distribution came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Changed {
    /// The change set; `None` when it was so already.
    pub change_set: Option<i64>,
    /// The distribution as it is now, or would be.
    pub distribution: DistributionReport,
    /// Whether it was only looked at.
    #[serde(default)]
    pub is_dry: bool,
    /// How many have to approve plans from now on, where that changed: 0 or 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u8>,
    /// The holds that began on it, and those that were released.
    #[serde(default)]
    pub holds: Vec<HoldChange>,
    /// What some Kibana fetched from it and it no longer offers.
    #[serde(default)]
    pub no_longer_offered: Vec<NoLongerOffered>,
}

/// What a distribution is to serve: as another one does, or one branch with others.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayersRequest {
    /// The branch or release it is made of; what is there stays where it is not said.
    #[serde(default)]
    pub from: Option<String>,
    /// Branches with it: local ones are laid over it, the others under it.
    #[serde(default)]
    pub with: Vec<String>,
    /// Whether local branches that are laid over it now do not stay.
    #[serde(default)]
    pub alone: bool,
    /// A distribution to be like, as it is now: with its holds, and for the versions it answers for.
    #[serde(default)]
    pub like: Option<String>,
    /// For which versions it answers from now on; what holds stays where it is not said.
    #[serde(default)]
    pub exact: Option<Exact>,
    /// How many have to approve a plan for one of its branches beside who staged it: 0 or 1; what holds stays where it is not
    /// said. Less than before takes the role admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u8>,
    /// Whether it is only looked at.
    #[serde(default)]
    pub is_dry: bool,
}
