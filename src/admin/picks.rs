//! Which version of each package a Kibana is offered, before a change and after it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::diff::{DiffRequest, newest_fetched, parse_query};
use super::error::OperationError;
use super::offering::Offering;
use super::place::Place;
use crate::limits::Limits;
use crate::store::Store;

/// What Kibanas are offered of one package.
pub type Picks = BTreeMap<String, String>;

/// What is offered on both sides of a change, and what is in use.
#[derive(Debug, Default)]
pub struct Picked {
    /// For each query what was offered of each package.
    pub before: Vec<Picks>,
    /// For each query what is.
    pub after: Vec<Picks>,
    /// The packages that some Kibana fetched lately.
    pub used: BTreeSet<String>,
}

/// Returns what each of `queries`, query strings of a `/search`, is answered on the two sides that `request` names; of its
/// other fields none counts.
pub fn picks(
    store: &Store,
    request: &DiffRequest,
    queries: &[String],
    limits: &Limits,
) -> Result<Picked, OperationError> {
    let first = Place::parse(&request.before)?;
    let second = request.after.as_deref().map(Place::parse).transpose()?;
    store.snapshot(|conn| {
        let (before, after) = match &second {
            Some(second) => (first.load(conn)?, second.load(conn)?),
            None => (first.replaced(conn)?, first.load(conn)?),
        };
        let used = newest_fetched(conn)?.into_keys();
        Ok(Picked {
            before: answers(conn, &before, queries, limits)?,
            after: answers(conn, &after, queries, limits)?,
            used: used.map(|name| name.to_string()).collect(),
        })
    })
}

fn answers(
    conn: &Connection,
    side: &Offering,
    queries: &[String],
    limits: &Limits,
) -> Result<Vec<Picks>, OperationError> {
    let answer = |query: &String| {
        let answer = side.answer(conn, &parse_query(query, limits)?)?.into_iter();
        let named = answer.map(|it| (it.package.name.to_string(), it.package.version.to_string()));
        Ok(named.collect())
    };
    queries.iter().map(answer).collect()
}
