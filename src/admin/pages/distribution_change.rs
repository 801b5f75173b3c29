//! Saying what a distribution serves: what would come of it, then the deed.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::distributions::address;
use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::{Asked, view};
use crate::admin::NoLongerOffered;
use crate::admin::distributions::{
    self, Changed, DistributionDetails, DistributionReport, LayersRequest,
};
use crate::admin::error::OperationError;
use crate::admin::routes::{Operator, parse_name};
use crate::admin::wording::{counted, grouped};
use crate::distribution::{BranchKind, DistributionName, Exact};
use crate::people::Actor;
use crate::store::Store;
use crate::store::branches::Branch;

/// Versions that are named; the rest is counted.
const MOST_NAMED: usize = 200;

#[derive(Template)]
#[template(path = "distribution_change.html")]
struct DistributionChange {
    frame: Frame,
    name: String,
    page: String,
    address: String,
    is_new: bool,
    is_same: bool,
    before: Option<DistributionReport>,
    after: DistributionReport,
    /// How many versions it offers, before where it was there, and then.
    offered_before: String,
    offered: String,
    holds: Vec<String>,
    missed_count: String,
    missed: Vec<NoLongerOffered>,
    more: usize,
    fields: Vec<(&'static str, String)>,
}

/// What a distribution may be made of, for a form.
pub(super) struct Choice {
    pub(super) bases: Vec<Offer>,
    pub(super) overlays: Vec<Offer>,
    pub(super) others: Vec<String>,
    /// Whether it answers for what it offers now alone.
    pub(super) is_now: bool,
}

/// A branch that may be chosen.
pub(super) struct Offer {
    pub(super) name: String,
    /// Whether it is served at present.
    pub(super) is_now: bool,
}

impl Choice {
    /// Returns what there is to choose from for a distribution that is `now` there, or for a new one.
    pub(super) fn of(
        branches: &[Branch],
        all: &[DistributionReport],
        now: Option<&DistributionDetails>,
    ) -> Self {
        let served =
            |name: &str| now.is_some_and(|it| it.report.branches.iter().any(|b| b == name));
        let offers = |is_local: bool| {
            let of_kind = branches
                .iter()
                .filter(|it| (it.kind == BranchKind::Local) == is_local);
            let offer = |it: &Branch| Offer {
                is_now: served(it.name.as_str()),
                name: it.name.to_string(),
            };
            of_kind.map(offer).collect::<Vec<_>>()
        };
        let mut bases = offers(false);
        bases.reverse();
        // What is under the first one stays under it only where nothing is said.
        let first = bases.iter().position(|it| it.is_now);
        for (index, base) in bases.iter_mut().enumerate() {
            base.is_now = Some(index) == first;
        }
        let others = all.iter().map(|it| it.name.clone());
        let own = now.map(|it| it.report.name.as_str());
        Self {
            bases,
            overlays: offers(true),
            others: others.filter(|name| Some(name.as_str()) != own).collect(),
            is_now: now.is_some_and(|it| it.exact == Exact::Now),
        }
    }
}

/// Returns what the fields of an address or a form ask for.
fn layers(fields: &[(String, String)], is_dry: bool) -> Result<LayersRequest, OperationError> {
    let filled = |name: &str| {
        let mut of = fields.iter().filter(|(field, _)| field == name);
        let value = of.next().map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    let like = filled("like");
    let from = filled("from");
    let with = fields.iter().filter(|(field, _)| field == "with");
    let with: Vec<_> = with.map(|(_, value)| value.trim().to_owned()).collect();
    let exact = filled("exact").map(|text| text.parse::<Exact>());
    let exact = exact.transpose();
    let exact = exact.map_err(|error| OperationError::InvalidRequest(error.to_string()))?;
    Ok(match (like, from) {
        // What is like another one answers for the same versions.
        (Some(like), None) => LayersRequest {
            like: Some(like),
            is_dry,
            ..LayersRequest::default()
        },
        (like, from) => LayersRequest {
            alone: like.is_none() && with.is_empty(),
            with: if like.is_some() { Vec::new() } else { with },
            like,
            from,
            exact,
            is_dry,
            ..LayersRequest::default()
        },
    })
}

fn do_it(
    store: &Store,
    who: &Actor,
    name: &DistributionName,
    layers: &LayersRequest,
) -> Result<Changed, OperationError> {
    match distributions::show(store, name) {
        Ok(_) => distributions::set(store, who, name, layers),
        Err(OperationError::NoSuchDistribution(_)) if name.as_str() != "default" => {
            distributions::create(store, who, name, layers)
        }
        // What answers at `/` is there before anything is said about it.
        Err(OperationError::NoSuchDistribution(_)) => distributions::set(store, who, name, layers),
        Err(error) => Err(error),
    }
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::Overview, look).await
}

fn look(asked: Asked) -> Result<DistributionChange, OperationError> {
    let store = asked.store();
    let name = parse_name(asked.frame.own("name").unwrap_or("").trim())?;
    let layers = layers(&asked.frame.kept, true)?;
    let before = match distributions::show(store, &name) {
        Ok(details) => Some(details),
        Err(OperationError::NoSuchDistribution(_)) => None,
        Err(error) => return Err(error),
    };
    let changed = do_it(store, &asked.frame.actor, &name, &layers)?;
    let after = changed.distribution;
    let holds = changed.holds.iter().map(|it| match it.is_released {
        true => format!("{} is held no longer", it.hold.what),
        false => format!("{} is held", it.hold.what),
    });
    let holds: Vec<_> = holds.collect();
    let is_same = holds.is_empty()
        && before.as_ref().is_some_and(|it| {
            let exact = layers.exact.unwrap_or(it.exact);
            it.report == after && it.exact == exact
        });
    let mut missed = changed.no_longer_offered;
    let more = missed.len().saturating_sub(MOST_NAMED);
    let missed_count = counted(missed.len() as u64, "version", "versions");
    missed.truncate(MOST_NAMED);
    let mut fields = vec![("name", name.to_string())];
    fields.extend(layers.from.map(|it| ("from", it)));
    fields.extend(layers.with.into_iter().map(|it| ("with", it)));
    fields.extend(layers.like.map(|it| ("like", it)));
    fields.extend(layers.exact.map(|it| ("exact", it.to_string())));
    let page = match &before {
        Some(_) => asked.frame.to(format!("/distributions/{name}")),
        None => asked.frame.to("/distributions"),
    };
    Ok(DistributionChange {
        page,
        address: address(name.as_str()),
        is_new: before.is_none(),
        is_same,
        offered_before: (before.as_ref())
            .map(|it| grouped(it.report.offered as u64))
            .unwrap_or_default(),
        before: before.map(|it| it.report),
        offered: grouped(after.offered as u64),
        after,
        holds,
        missed_count,
        missed,
        more,
        fields,
        name: name.to_string(),
        frame: asked.frame.titled(format!("Change {name}")),
    })
}

pub(super) async fn change(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let name = parse_name(doing.form.text("name"))?;
        let layers = layers(doing.form.fields(), false)?;
        do_it(doing.store, doing.who, &name, &layers)?;
        Ok(Next::page(format!("/distributions/{name}"), "set"))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(&str, &str)]) -> LayersRequest {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let fields: Vec<_> = fields.iter().map(own).collect();
        layers(&fields, false).unwrap()
    }

    #[test]
    fn without_an_overlay_none_stays_and_what_is_like_another_one_needs_nothing_else() {
        let one = asked(&[("from", "9.2.0"), ("like", ""), ("exact", "now")]);
        assert_eq!((one.from.as_deref(), one.alone), (Some("9.2.0"), true));
        assert_eq!(one.exact, Some(Exact::Now));
        let two = asked(&[("from", "9.2.0"), ("with", "local"), ("with", "mine")]);
        assert_eq!((two.with.len(), two.alone), (2, false));
        let like = asked(&[
            ("from", ""),
            ("like", "prod"),
            ("with", "local"),
            ("exact", "ever"),
        ]);
        assert_eq!(like.like.as_deref(), Some("prod"));
        assert!(like.with.is_empty() && !like.alone && like.exact.is_none());
        // Both is what the operation refuses.
        let both = asked(&[("from", "9.2.0"), ("like", "prod")]);
        assert!(both.from.is_some() && both.like.is_some());
    }
}
