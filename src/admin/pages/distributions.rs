//! All distributions: where each answers, what it is made of, and who asks it.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::distribution_change::Choice;
use super::frame::{Frame, Section};
use super::{Asked, view};
use crate::admin::distributions::{self, DistributionReport};
use crate::admin::error::OperationError;
use crate::admin::fetched;
use crate::admin::holds;
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, grouped, listed};
use crate::store::branches;

#[derive(Template)]
#[template(path = "distributions.html")]
struct Distributions {
    frame: Frame,
    count: String,
    own: Vec<Row>,
    fixed: Vec<Row>,
    choice: Choice,
    done: Option<&'static str>,
}

struct Row {
    name: String,
    page: String,
    address: String,
    content: String,
    offered: String,
    holds: String,
    fingerprint: String,
    kibanas: String,
}

/// Where a distribution answers.
pub(super) fn address(name: &str) -> String {
    match name {
        "default" => "/".to_owned(),
        name => format!("/d/{name}/"),
    }
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::Overview, all).await
}

fn all(asked: Asked) -> Result<Distributions, OperationError> {
    let store = asked.store();
    let branches = store.read(branches::all)?;
    let mut held: BTreeMap<String, u64> = BTreeMap::new();
    for hold in holds::list(store, None)? {
        if let Some(name) = hold.hold.distribution {
            *held.entry(name).or_default() += 1;
        }
    }
    let mut fetched_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for fetch in fetched::list(store, asked.frame.now)? {
        if !fetch.kibana.is_empty() {
            let of = fetched_by.entry(fetch.distribution).or_default();
            of.insert(fetch.kibana);
        }
    }
    let row = |it: DistributionReport| Row {
        page: asked.frame.to(format!("/distributions/{}", it.name)),
        address: address(&it.name),
        content: it.branches.join(" + "),
        offered: grouped(it.offered as u64),
        holds: match held.get(&it.name) {
            Some(count) => counted(*count, "hold", "holds"),
            None => String::new(),
        },
        fingerprint: it.fingerprint,
        kibanas: match fetched_by.get(&it.name) {
            Some(of) => listed(&of.iter().cloned().collect::<Vec<_>>()),
            None => String::new(),
        },
        name: it.name,
    };
    let reports = distributions::list(store)?;
    let choice = Choice::of(&branches, &reports, None);
    // Those of branches and releases serve what they do by their name.
    let is_fixed = |it: &DistributionReport| {
        branches
            .iter()
            .any(|branch| branch.name.as_str() == it.name)
    };
    let (fixed, own): (Vec<_>, Vec<_>) = reports.into_iter().partition(is_fixed);
    Ok(Distributions {
        count: counted(
            (own.len() + fixed.len()) as u64,
            "distribution",
            "distributions",
        ),
        own: own.into_iter().map(row).collect(),
        fixed: fixed.into_iter().map(row).collect(),
        choice,
        done: match asked.frame.own("done") {
            Some("deleted") => Some("The distribution is deleted. Its branches stay."),
            _ => None,
        },
        frame: asked.frame.titled("Distributions"),
    })
}
