//! Who may commit a plan beside who staged it, and what it is that they look at: the digest of what it would change.
//!
//! Two processes that compute a plan from the same store have the same digest; any difference in what the commit would do
//! makes another. What is unchanged, refused or in quarantine is not in it: none of it is offered.

use rusqlite::Connection;

use super::error::ImportError;
use super::plan::Planned;
use crate::crypto::Digest;
use crate::distribution::{Consent, DistributionName, built_in};
use crate::people::{Actor, are_one};
use crate::store::{StoreError, approvals, distributions};

impl Planned {
    /// Returns the SHA-256 of what the plan would change, as text: the line `airlock plan 1`, and then of each value how many
    /// bytes it has in UTF-8, a colon, the value, and a line feed.
    ///
    /// The values are the branch, its kind, `new` or `known`, the policy on signatures, the registry version and the cache
    /// times of search, categories and everything else in seconds (empty where there is none); then, for each change by name
    /// and version, the package version, the digest of the zip that is replaced (empty where none is), and that of the zip
    /// that comes.
    pub(super) fn digest(&self) -> Digest {
        let mut text = "airlock plan 1\n".to_owned();
        let mut value = |value: &str| text.push_str(&format!("{}:{value}\n", value.len()));
        let settings = &self.target.settings;
        let number = |seconds: Option<u32>| seconds.map(|it| it.to_string()).unwrap_or_default();
        value(self.target.branch.as_str());
        value(self.target.kind.as_str());
        value(match self.branch {
            Some(_) => "known",
            None => "new",
        });
        value(self.policy.as_str());
        value(settings.registry_version.as_deref().unwrap_or_default());
        value(&number(settings.search_cache_seconds));
        value(&number(settings.categories_cache_seconds));
        value(&number(settings.catch_all_cache_seconds));
        let mut changes: Vec<_> = self.plan.changes.iter().collect();
        changes.sort_by(|a, b| a.package.cmp(&b.package));
        for change in changes {
            value(&change.package.to_string());
            value(&change.from.map(|it| it.to_string()).unwrap_or_default());
            value(&change.to.to_string());
        }
        Digest::of(text.as_bytes())
    }

    /// Returns the distributions that ask for a second person and that serve the branch, or will once the plan has made it.
    pub(super) fn approving(&self, conn: &Connection) -> Result<Vec<String>, StoreError> {
        let needed = approvals::needed(conn, None)?;
        if needed.is_empty() {
            return Ok(Vec::new());
        }
        let serving = match &self.branch {
            Some(branch) => approvals::of_branch(conn, branch.id)?,
            None => Vec::new(),
        };
        let mut names: Vec<_> = distributions::ever(conn)?
            .into_iter()
            .filter(|it| needed.contains(&it.id))
            .filter(|it| serving.contains(&it.id) || will_serve(&it.name, &self.target.branch))
            .map(|it| it.name.to_string())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Fails where this is not what was looked at, or not for `who` to commit.
    pub(super) fn check_approval(
        &self,
        conn: &Connection,
        who: &Actor,
        consent: Consent,
    ) -> Result<(), ImportError> {
        let plan = self.stage.id.0;
        let distributions = self.approving(conn)?.join(", ");
        if !distributions.is_empty() {
            // Who says where it belongs decides as much on what is offered as who brought it in.
            let by = &self.stage.target_who;
            let has_named = by.as_ref().is_some_and(|by| are_one(&who.name, by));
            if are_one(&who.name, &self.stage.who) || has_named {
                return Err(ImportError::NeedsSecondPerson {
                    plan,
                    staged_by: match by {
                        Some(by) if !are_one(by, &self.stage.who) => {
                            format!("{} and given its branch by {by}", self.stage.who)
                        }
                        _ => self.stage.who.clone(),
                    },
                    distributions,
                });
            }
            if consent.plan.is_none() {
                return Err(ImportError::NeedsDigest {
                    plan,
                    distributions,
                });
            }
        }
        match consent.plan {
            Some(looked_at) if looked_at != self.digest() => Err(ImportError::PlanChanged { plan }),
            _ => Ok(()),
        }
    }
}

/// Tells whether a distribution serves a branch as soon as that is made: by its name, or as it is built in.
fn will_serve(distribution: &DistributionName, branch: &DistributionName) -> bool {
    let of_built_in = built_in().find(|(name, _)| *name == distribution.as_str());
    let serves = |(_, served): (&str, &'static [&'static str])| served.contains(&branch.as_str());
    distribution == branch || of_built_in.is_some_and(serves)
}
