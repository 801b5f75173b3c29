//! Every page with the role that it needs: what is not in this table is not served.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web;
use actix_web::{FromRequest, Handler, Responder, Route};

use super::{
    audit, change_set, changes, connect, difference, distribution, distribution_change,
    distributions, entry, installed, job, keys, kibanas, overview, package, package_version,
    packages, people, plan, preflight, problem, quarantine, release, settings, storage, support,
    tls, tokens, transfer,
};
use crate::admin::entrance::{self, CsrfIn};
use crate::admin::roles::Role::{self, Admin, Approver, Publisher, Viewer};
use crate::admin::routes::Served;

/// A page, and the role that it needs.
pub(super) struct Entry {
    needs: Option<Role>,
    method: Method,
    path: &'static str,
    route: Route,
}

/// Returns all pages.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    vec![
        open(GET, "/login", entry::login),
        open(POST, "/login", entry::log_in),
        entry(POST, Viewer, "/logout", entry::log_out),
        open(GET, "/setup/{link}", entry::setup),
        open(POST, "/setup/{link}", entry::set_up),
        entry(GET, Viewer, "/", overview::show),
        entry(GET, Viewer, "/packages", packages::show),
        entry(GET, Viewer, "/packages/{name}", package::show),
        entry(POST, Approver, "/packages/{name}/hold", package::hold),
        entry(GET, Viewer, "/packages/{name}/{version}", package_version::show),
        entry(GET, Viewer, "/packages/{name}/{version}/icon", package::icon),
        entry(POST, Approver, "/packages/{name}/{version}/promote", package::promote),
        entry(POST, Approver, "/packages/{name}/{version}/remove", package::remove),
        entry(POST, Approver, "/packages/{name}/{version}/withdraw", package::withdraw),
        entry(POST, Approver, "/holds/{number}/release", package::release),
        entry(GET, Viewer, "/changes", changes::show),
        entry(GET, Viewer, "/changes/{number}", change_set::show),
        entry(POST, Approver, "/changes/{number}/back", change_set::go_back),
        entry(GET, Viewer, "/plans/{id}", plan::show),
        entry(POST, Approver, "/plans/{id}/commit", plan::commit),
        entry(POST, Publisher, "/plans/{id}/drop", plan::forget),
        entry(POST, Publisher, "/plans/{id}/target", plan::place),
        entry(GET, Viewer, "/diff", difference::show),
        entry(GET, Viewer, "/transfer", transfer::show),
        entry(GET, Viewer, "/jobs/{id}", job::show),
        entry(POST, Publisher, "/jobs/{id}/cancel", job::cancel),
        entry(GET, Viewer, "/kibanas", kibanas::show),
        entry(GET, Viewer, "/kibanas/connect", connect::show),
        entry(GET, Viewer, "/kibanas/preflight", preflight::show),
        entry(POST, Viewer, "/kibanas/preflight", preflight::show_pasted),
        entry(GET, Viewer, "/kibanas/installed", installed::show),
        entry(GET, Viewer, "/system", storage::show),
        entry(GET, Admin, "/system/collect", storage::show_collect),
        entry(POST, Admin, "/system/collect", storage::do_collect),
        entry(GET, Admin, "/system/releases/{release}/delete", release::show_delete),
        entry(POST, Admin, "/system/releases/{release}/delete", release::delete),
        entry(GET, Viewer, "/system/keys", keys::show),
        entry(POST, Admin, "/system/keys/look", keys::show_pasted),
        entry(POST, Admin, "/system/keys/add", keys::add),
        entry(POST, Admin, "/system/keys/remove", keys::remove),
        entry(POST, Admin, "/system/keys/policy", keys::set_policy),
        entry(GET, Viewer, "/system/tls", tls::show),
        entry(POST, Admin, "/system/tls/reload", tls::reload),
        entry(GET, Viewer, "/system/people", people::show),
        entry(POST, Admin, "/system/people", people::add),
        entry(POST, Admin, "/system/people/{name}/role", people::set_role),
        entry(POST, Admin, "/system/people/{name}/unlock", people::unlock),
        entry(POST, Admin, "/system/people/{name}/password", people::reset_password),
        entry(POST, Admin, "/system/people/{name}/remove", people::remove),
        entry(POST, Viewer, "/system/password", people::change_password),
        entry(POST, Viewer, "/system/tokens", tokens::make),
        entry(POST, Viewer, "/system/tokens/{number}/remove", tokens::remove),
        entry(GET, Viewer, "/system/audit", audit::show),
        entry(GET, Viewer, "/system/settings", settings::show),
        entry(GET, Viewer, "/system/support", support::show),
        entry(GET, Admin, "/system/support.json", support::bundle),
        entry(GET, Viewer, "/transfer/quarantine", quarantine::show),
        entry(POST, Publisher, "/transfer/quarantine/retry", quarantine::retry),
        entry(POST, Approver, "/transfer/quarantine/drop", quarantine::forget),
        entry(GET, Viewer, "/distributions", distributions::show),
        entry(GET, Viewer, "/distributions/{name}", distribution::show),
        entry(POST, Approver, "/distributions/{name}/approvals", distribution::set_approvals),
        entry(POST, Approver, "/distributions/{name}/delete", distribution::delete),
        entry(GET, Approver, "/change-distribution", distribution_change::show),
        entry(POST, Approver, "/change-distribution", distribution_change::change),
    ]
}

/// Returns every page and form with the role that it needs.
pub fn served() -> Vec<Served> {
    let served = |entry: Entry| Served {
        needs: entry.needs,
        method: entry.method,
        path: entry.path,
    };
    entries().into_iter().map(served).collect()
}

impl Entry {
    /// Returns its path, and the route that asks first whether who asks may.
    pub(super) fn guarded(self) -> (&'static str, Route) {
        let needs = self.needs;
        let guard = move |request: ServiceRequest, next: Next<BoxBody>| guard(needs, request, next);
        (self.path, self.route.wrap(from_fn(guard)))
    }
}

async fn guard(
    needs: Option<Role>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    if let Err(error) = entrance::check(needs, CsrfIn::Form, request.request()).await {
        let (request, _unread) = request.into_parts();
        let answer = problem::page(&request, error).await;
        return Ok(ServiceResponse::new(request, answer));
    }
    next.call(request).await
}

/// Returns an entry; `F` is what answers.
fn entry<F, A>(method: Method, needs: Role, path: &'static str, handler: F) -> Entry
where
    F: Handler<A>,
    A: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Entry {
        needs: Some(needs),
        ..open(method, path, handler)
    }
}

/// As `entry`, for what nobody has to be logged in for.
fn open<F, A>(method: Method, path: &'static str, handler: F) -> Entry
where
    F: Handler<A>,
    A: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Entry {
        needs: None,
        route: web::method(method.clone()).to(handler),
        method,
        path,
    }
}
