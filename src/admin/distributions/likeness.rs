//! What makes a distribution like another one beside its branches: what it keeps back, and for which versions it answers.
//!
//! What serves the same has the same fingerprint, so holds go along. What is withdrawn is withdrawn from both anyway.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::find;
use crate::admin::error::OperationError;
use crate::distribution::{DistributionName, Exact, Hold};
use crate::store::change_sets::ChangeSetId;
use crate::store::distributions::DistributionId;
use crate::store::holds::{self, Held};
use crate::store::{StoreError, approvals};

/// What a distribution takes over from the one that it is to be like.
pub(super) struct Likeness {
    pub(super) exact: Exact,
    /// Whether plans for its branches need a second person.
    pub(super) needs_approval: bool,
    /// Those that are not over.
    pub(super) holds: Vec<Hold>,
}

/// What has to be done to the holds of a distribution.
#[derive(Default)]
pub(super) struct HoldsToDo {
    release: Vec<i64>,
    begin: Vec<Hold>,
}

impl Likeness {
    pub(super) fn of(conn: &Connection, name: &DistributionName) -> Result<Self, OperationError> {
        let id = find(conn, name)?;
        let exact = match holds::exact_now(conn, None)?.contains(&id) {
            true => Exact::Now,
            false => Exact::Ever,
        };
        let holds = in_force(conn, id)?.into_iter().map(|it| it.hold);
        Ok(Self {
            exact,
            needs_approval: approvals::needed(conn, None)?.contains(&id),
            holds: holds.collect(),
        })
    }
}

impl HoldsToDo {
    /// Returns what makes `wanted` the holds of a distribution, which is none where it is not made yet.
    pub(super) fn towards(
        conn: &Connection,
        distribution: Option<DistributionId>,
        wanted: &[Hold],
    ) -> Result<Self, StoreError> {
        let now = match distribution {
            Some(id) => in_force(conn, id)?,
            None => Vec::new(),
        };
        let is_same = |a: &Hold, b: &Hold| {
            // Each has a number of its own.
            let b = Hold {
                number: a.number,
                ..b.clone()
            };
            *a == b
        };
        let gone = now
            .iter()
            .filter(|old| !wanted.iter().any(|it| is_same(it, &old.hold)));
        let new = wanted
            .iter()
            .filter(|it| !now.iter().any(|old| is_same(it, &old.hold)));
        Ok(Self {
            release: gone.map(|it| it.hold.number).collect(),
            begin: new.cloned().collect(),
        })
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.release.is_empty() && self.begin.is_empty()
    }

    pub(super) fn apply(
        &self,
        conn: &Transaction<'_>,
        distribution: DistributionId,
        change_set: ChangeSetId,
    ) -> Result<(), StoreError> {
        for number in &self.release {
            holds::release(conn, *number, change_set)?;
        }
        for hold in &self.begin {
            holds::insert(conn, Some(distribution), hold, change_set)?;
        }
        Ok(())
    }
}

/// Returns the holds of a distribution that are not over, without what is withdrawn from all.
fn in_force(conn: &Connection, distribution: DistributionId) -> Result<Vec<Held>, StoreError> {
    let now = Timestamp::now();
    let mut held = holds::open(conn)?;
    held.retain(|it| it.distribution == Some(distribution) && !it.hold.is_over(now));
    Ok(held)
}
