//! What the operator does with distributions: addresses, and the branches served there.

mod contents;
mod likeness;
mod report;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde_json::json;

use super::branches::{self as of_branches, begin};
use super::error::OperationError;
use super::fetched;
use super::history;
use super::missing::Missing;
use crate::distribution::{BranchKind, DistributionName, Exact};
use crate::people::{Actor, Role};
use crate::store::branches::{self, Branch, BranchId};
use crate::store::change_sets::ChangeSetId;
use crate::store::distributions::{self, DistributionId};
use crate::store::{Store, StoreError, approvals, audit, holds};
use likeness::{HoldsToDo, Likeness};

pub(super) use contents::{Contents, Offers, offered_by};
pub use report::{
    Changed, DistributionDetails, DistributionReport, Layer, LayersRequest, Shadowed,
};

/// Returns all distributions, by name.
pub fn list(store: &Store) -> Result<Vec<DistributionReport>, OperationError> {
    store.snapshot(|conn| {
        let contents = Contents::load(conn)?;
        distributions::all(conn)?
            .into_iter()
            .map(|distribution| Ok(contents.details(conn, &distribution.name)?.report))
            .collect()
    })
}

/// Returns one distribution whole.
pub fn show(store: &Store, name: &DistributionName) -> Result<DistributionDetails, OperationError> {
    store.snapshot(|conn| Contents::load(conn)?.details(conn, name))
}

/// Makes a distribution.
pub fn create(
    store: &Store,
    who: &Actor,
    name: &DistributionName,
    layers: &LayersRequest,
) -> Result<Changed, OperationError> {
    if *name == DistributionName::default_distribution()
        || BranchKind::of_name(name.as_str()) != BranchKind::Local
    {
        return Err(OperationError::ReservedName(name.to_string()));
    }
    if name.is_of_a_release() {
        return Err(OperationError::NamedLikeRelease(name.to_string()));
    }
    perform(store, layers.is_dry, |conn| {
        let served = resolve(conn, layers, &[])?;
        if distributions::find(conn, name)?.is_some() {
            return Err(OperationError::NameTaken(name.to_string()));
        }
        let new = New {
            action: "distribution create",
            name,
            layers: &served,
            exact: layers.exact,
            approvals: wanted_approvals(layers)?,
            like: like(conn, layers)?,
        };
        assign(conn, who, &new)
    })
}

/// Says what a distribution serves from now on.
pub fn set(
    store: &Store,
    who: &Actor,
    name: &DistributionName,
    layers: &LayersRequest,
) -> Result<Changed, OperationError> {
    perform(store, layers.is_dry, |conn| {
        let now = served(conn, name)?;
        let says_nothing = layers.from.is_none() && layers.like.is_none();
        let is_same = says_nothing
            && layers.with.is_empty()
            && !layers.alone
            && (layers.exact.is_some() || layers.approvals.is_some());
        let served = if is_same {
            now
        } else {
            check_is_own(conn, name)?;
            resolve(conn, layers, &now)?
        };
        let new = New {
            action: "distribution set",
            name,
            layers: &served,
            exact: layers.exact,
            approvals: wanted_approvals(layers)?,
            like: like(conn, layers)?,
        };
        assign(conn, who, &new)
    })
}

/// Makes what answers at the address of `like` answer at `/` too.
pub fn activate(
    store: &Store,
    who: &Actor,
    like: &DistributionName,
) -> Result<Changed, OperationError> {
    perform(store, false, |conn| {
        let missing = |error| match error {
            OperationError::NoSuchDistribution(name) => OperationError::NoSuchBranch(name),
            error => error,
        };
        let layers = served(conn, like).map_err(missing)?;
        let default = DistributionName::default_distribution();
        let new = New {
            action: "activate",
            name: &default,
            layers: &layers,
            exact: None,
            approvals: None,
            like: Some(Likeness::of(conn, like)?),
        };
        assign(conn, who, &new)
    })
}

/// Deletes a distribution of the operator's own; its branches stay, and so does what it was.
pub fn delete(
    store: &Store,
    who: &Actor,
    name: &DistributionName,
) -> Result<Changed, OperationError> {
    if *name == DistributionName::default_distribution() {
        return Err(OperationError::ReservedName(name.to_string()));
    }
    perform(store, false, |conn| {
        let distribution = Contents::load(conn)?.details(conn, name)?.report;
        check_is_own(conn, name)?;
        let change_set = begin(conn, who, "distribution delete", None)?;
        if let Some(id) = distributions::find(conn, name)? {
            distributions::set_branches(conn, id, &[], change_set)?;
            holds::set_exact_now(conn, id, false, change_set)?;
            for held in holds::open(conn)? {
                if held.distribution == Some(id) {
                    holds::release(conn, held.hold.number, change_set)?;
                }
            }
        }
        Ok(Changed {
            change_set: Some(change_set.0),
            distribution,
            is_dry: false,
            approvals: None,
            holds: history::hold_changes(conn, change_set)?,
            no_longer_offered: Vec::new(),
        })
    })
}

/// What a distribution is to be.
struct New<'a> {
    action: &'a str,
    name: &'a DistributionName,
    layers: &'a [Branch],
    /// `None` where that stays, or is what it is to be like.
    exact: Option<Exact>,
    /// Whether plans for its branches need a second person; `None` where that stays, or is what it is to be like.
    approvals: Option<bool>,
    /// `None` where its holds stay.
    like: Option<Likeness>,
}

/// Runs a change of a distribution, or only looks at it, and adds what some Kibana fetched and would miss.
fn perform(
    store: &Store,
    is_dry: bool,
    change: impl FnOnce(&Transaction<'_>) -> Result<Changed, OperationError>,
) -> Result<Changed, OperationError> {
    let change = |conn: &Transaction<'_>| {
        let (changed, no_longer_offered) = fetched::watching(conn, change)?;
        Ok(Changed {
            no_longer_offered,
            ..changed
        })
    };
    if is_dry {
        let changed: Result<Changed, OperationError> = store.rehearse(change);
        Ok(Changed {
            change_set: None,
            is_dry: true,
            ..changed?
        })
    } else {
        store.write_synced(change)
    }
}

/// Makes a distribution what it is to be, where it is not that already.
fn assign(conn: &Transaction<'_>, who: &Actor, new: &New<'_>) -> Result<Changed, OperationError> {
    let ids: Vec<_> = new.layers.iter().map(|branch| branch.id).collect();
    let name = new.name;
    let existing = distributions::find(conn, name)?;
    let now = match existing {
        Some(id) => distributions::branches(conn, id)?,
        None => Vec::new(),
    };
    let exact = match existing {
        Some(id) if holds::exact_now(conn, None)?.contains(&id) => Exact::Now,
        _ => Exact::Ever,
    };
    let like = new.like.as_ref();
    let wanted = new.exact.or(like.map(|it| it.exact)).unwrap_or(exact);
    let holds_to_do = match like {
        Some(like) => HoldsToDo::towards(conn, existing, &like.holds)?,
        None => HoldsToDo::default(),
    };
    // One that was deleted and comes back asks as it did.
    let is_needed = asks_for_approval(conn, name)?;
    // Being like one that asks for nobody lets nobody off.
    let like_needs = like.is_some_and(|it| it.needs_approval);
    let wants_approval = new.approvals.unwrap_or(is_needed || like_needs);
    let mut number = None;
    let mut hold_changes = Vec::new();
    if now != ids || exact != wanted || is_needed != wants_approval || !holds_to_do.is_nothing() {
        let change_set = begin(conn, who, new.action, None)?;
        let id = distributions::insert(conn, name, change_set)?;
        if now != ids {
            distributions::set_branches(conn, id, &ids, change_set)?;
        }
        holds::set_exact_now(conn, id, wanted == Exact::Now, change_set)?;
        set_approvals(conn, who, name, (id, wants_approval), change_set)?;
        holds_to_do.apply(conn, id, change_set)?;
        hold_changes = history::hold_changes(conn, change_set)?;
        number = Some(change_set.0);
    }
    Ok(Changed {
        change_set: number,
        distribution: Contents::load(conn)?.details(conn, name)?.report,
        is_dry: false,
        approvals: (is_needed != wants_approval).then_some(u8::from(wants_approval)),
        holds: hold_changes,
        no_longer_offered: Vec::new(),
    })
}

/// Says whether plans for a distribution's branches need a second person, and tells the audit log where that is new.
fn set_approvals(
    conn: &Transaction<'_>,
    who: &Actor,
    name: &DistributionName,
    (id, is_needed): (DistributionId, bool),
    change_set: ChangeSetId,
) -> Result<(), StoreError> {
    if approvals::set(conn, id, is_needed, change_set)? {
        let detail = json!({ "approvals": u8::from(is_needed), "change_set": change_set.0 });
        let at = Timestamp::now();
        audit::note(conn, at, who, "approvals", name.as_str(), detail)?;
    }
    Ok(())
}

/// Returns the role that a change of a distribution needs: an admin decides that nobody has to approve any more.
pub fn needed_role(request: &LayersRequest) -> Role {
    match request.approvals {
        Some(0) => Role::Admin,
        _ => Role::Approver,
    }
}

/// Returns the role that deleting a distribution needs: where it asks for a second person, an admin decides that its branches
/// are served without it, and take plans from one person, until it is made again.
pub fn needed_role_to_delete(
    store: &Store,
    name: &DistributionName,
) -> Result<Role, OperationError> {
    match store.read(|conn| asks_for_approval(conn, name))? {
        true => Ok(Role::Admin),
        false => Ok(Role::Approver),
    }
}

/// Tells whether a distribution, or the deleted one of this name, asks for a second person.
fn asks_for_approval(conn: &Connection, name: &DistributionName) -> Result<bool, StoreError> {
    let needed = approvals::needed(conn, None)?;
    let ever = distributions::ever(conn)?;
    let is_needed = ever
        .iter()
        .any(|it| it.name == *name && needed.contains(&it.id));
    Ok(is_needed)
}

fn wanted_approvals(request: &LayersRequest) -> Result<Option<bool>, OperationError> {
    match request.approvals {
        None => Ok(None),
        Some(0) => Ok(Some(false)),
        Some(1) => Ok(Some(true)),
        Some(more) => Err(OperationError::InvalidRequest(format!(
            "{more} approvals were asked for, and there can be 0 or 1"
        ))),
    }
}

/// Returns the distribution that is to be taken after, where one is.
fn like(conn: &Connection, request: &LayersRequest) -> Result<Option<Likeness>, OperationError> {
    let name = request.like.as_deref().map(parse).transpose()?;
    name.map(|name| Likeness::of(conn, &name)).transpose()
}

/// Returns the branches that are asked for, in their order. Local ones are laid over the branch that the distribution is
/// made of, the others under it; `now` is what is served at present.
fn resolve(
    conn: &Transaction<'_>,
    request: &LayersRequest,
    now: &[Branch],
) -> Result<Vec<Branch>, OperationError> {
    let invalid = |why: &str| Err(OperationError::InvalidRequest(why.to_owned()));
    let base = match (&request.like, &request.from) {
        (Some(_), _) if request.from.is_some() || !request.with.is_empty() || request.alone => {
            return invalid("a distribution is like another one, or made of branches");
        }
        (Some(like), _) => return served(conn, &parse(like)?),
        (None, Some(from)) => of_branches::find(conn, &parse(from)?)?,
        (None, None) => return invalid("it is not said what it serves"),
    };
    let mut with = Vec::new();
    for name in &request.with {
        with.push(of_branches::find(conn, &parse(name)?)?);
    }
    let is_local = |branch: &Branch| branch.kind == BranchKind::Local;
    if with.is_empty() && !request.alone {
        with.extend(now.iter().filter(|branch| is_local(branch)).cloned());
    }
    let (over, under): (Vec<_>, Vec<_>) = with.into_iter().partition(is_local);
    let mut layers: Vec<Branch> = Vec::new();
    for branch in over.into_iter().chain([base]).chain(under) {
        if layers.iter().all(|layer| layer.id != branch.id) {
            layers.push(branch);
        }
    }
    Ok(layers)
}

/// Returns the branches of a distribution, the winning one first.
pub(super) fn served(
    conn: &Connection,
    name: &DistributionName,
) -> Result<Vec<Branch>, OperationError> {
    let id = find(conn, name)?;
    let all = branches::all(conn)?;
    let ids = distributions::branches(conn, id)?;
    let branch = |id: &BranchId| all.iter().find(|branch| branch.id == *id).cloned();
    Ok(ids.iter().filter_map(branch).collect())
}

/// Returns the distribution of this name.
pub(super) fn find(
    conn: &Connection,
    name: &DistributionName,
) -> Result<DistributionId, OperationError> {
    if let Some(id) = distributions::find(conn, name)? {
        return Ok(id);
    }
    let all = distributions::all(conn)?;
    let names = all.iter().map(|it| it.name.as_str());
    let missing = Missing::among(name.as_str(), names);
    Err(OperationError::NoSuchDistribution(missing))
}

/// Built-in distributions and those of branches serve what they do by their name.
fn check_is_own(conn: &Connection, name: &DistributionName) -> Result<(), OperationError> {
    if is_own(conn, name)? {
        Ok(())
    } else {
        Err(OperationError::FixedDistribution(name.to_string()))
    }
}

fn is_own(conn: &Connection, name: &DistributionName) -> Result<bool, StoreError> {
    Ok(branches::find(conn, name)?.is_none())
}

fn parse(text: &str) -> Result<DistributionName, OperationError> {
    DistributionName::parse(text).map_err(|error| OperationError::InvalidRequest(error.to_string()))
}
