//! What the store takes, what could be freed, and freeing it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{Next, submit};
use super::frame::{Frame, Section};
use super::strata::{Layer, Strata};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::collection::{self, Collected, CollectionRequest, Readers};
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::admin::sizes::{self, SizeReport, SizesReport};
use crate::admin::wording::{counted, grouped, size};

#[derive(Template)]
#[template(path = "storage.html")]
struct Storage {
    frame: Frame,
    tabs: Vec<Tab>,
    file: String,
    disk_free: String,
    branches: usize,
    strata: Strata,
    rows: Vec<Row>,
    unused: Option<String>,
    is_collected: bool,
    is_deleted: bool,
}

/// What something takes.
struct Row {
    name: String,
    kind: String,
    versions: String,
    bytes: String,
    own_bytes: String,
    is_release: bool,
}

#[derive(Template)]
#[template(path = "collect.html")]
struct Collect {
    frame: Frame,
    tabs: Vec<Tab>,
    bytes: String,
    artifacts: String,
    later: Option<String>,
    plans: Vec<i64>,
    is_nothing: bool,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::System, storage).await
}

fn storage(asked: Asked) -> Result<Storage, OperationError> {
    let store = asked.store();
    let sizes = sizes::measure(store)?;
    let disk_free = size(store.disk().free_bytes()?);
    let done = asked.frame.own("done");
    Ok(Storage {
        tabs: tabs::system(&asked.frame, "/system"),
        file: size(sizes.file_bytes),
        disk_free,
        branches: sizes.branches.len(),
        strata: strata(&sizes),
        rows: rows(&sizes),
        unused: (sizes.unused_bytes > 0).then(|| size(sizes.unused_bytes)),
        is_collected: done == Some("collected"),
        is_deleted: done == Some("deleted"),
        frame: asked.frame.titled("Storage"),
    })
}

fn rows(sizes: &SizesReport) -> Vec<Row> {
    let row = |name: &str, kind: &str, of: &SizeReport| Row {
        name: name.to_owned(),
        is_release: kind == "release",
        kind: kind.to_owned(),
        versions: grouped(of.versions),
        bytes: size(of.bytes),
        own_bytes: size(of.own_bytes),
    };
    let branches = sizes.branches.iter();
    let mut rows: Vec<_> = branches
        .map(|it| row(&it.branch, &it.kind, &it.size))
        .collect();
    for (name, of) in others(sizes) {
        if of.versions > 0 {
            rows.push(row(name, "", of));
        }
    }
    rows
}

fn others(sizes: &SizesReport) -> [(&'static str, &SizeReport); 3] {
    [
        ("what branches held before", &sizes.history),
        ("plans that wait", &sizes.plans),
        ("quarantine", &sizes.quarantine),
    ]
}

/// Returns the layers of the file: what is free and unused, what one branch has for itself, what several share.
fn strata(sizes: &SizesReport) -> Strata {
    let branches = sizes
        .branches
        .iter()
        .map(|it| (it.branch.as_str(), &it.size));
    let mut layers: Vec<_> = others(sizes)
        .into_iter()
        .chain(branches)
        .filter(|(_, of)| of.own_bytes > 0)
        .map(|(name, of)| Layer::own(name, of.own_bytes))
        .collect();
    let own: u64 = layers.iter().map(|layer| layer.bytes).sum();
    let besides = own + sizes.unused_bytes + sizes.free_bytes;
    let shared = sizes.file_bytes.saturating_sub(besides);
    if sizes.unused_bytes > 0 {
        layers.insert(0, Layer::loose("needed by nothing", sizes.unused_bytes));
    }
    if sizes.free_bytes > 0 {
        layers.insert(0, Layer::loose("free in the file", sizes.free_bytes));
    }
    layers.push(Layer::shared("shared by several, and records", shared));
    Strata::of(layers)
}

/// Shows what collecting would free.
pub(super) async fn show_collect(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::System, collect).await
}

fn collect(asked: Asked) -> Result<Collect, OperationError> {
    let look = CollectionRequest { is_dry: true };
    let Collected {
        artifacts,
        bytes,
        later_bytes,
        dropped_plans,
        ..
    } = collection::collect(asked.store(), &asked.frame.actor, Readers::Some, look)?;
    Ok(Collect {
        tabs: tabs::system(&asked.frame, "/system"),
        is_nothing: bytes == 0 && dropped_plans.is_empty(),
        bytes: size(bytes),
        artifacts: counted(artifacts, "zip", "zips"),
        later: (later_bytes > 0).then(|| size(later_bytes)),
        plans: dropped_plans,
        frame: asked.frame.titled("Collect what nothing needs"),
    })
}

pub(super) async fn do_collect(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    submit(&request, &operator, body, |doing| {
        let now = CollectionRequest { is_dry: false };
        collection::collect(doing.store, doing.who, Readers::Some, now)?;
        Ok(Next::page("/system", "collected"))
    })
    .await
}
