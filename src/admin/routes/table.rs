//! Every route with the role that it needs: what is not in this table is not served.
//!
//! A viewer asks, a publisher stages, an approver decides what is offered, an admin what is believed and what is deleted.
//! What only shows what would change needs the role of the change. Dropping a plan is the publisher's, too: nothing of it is
//! offered, and it can be staged again.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web;
use actix_web::{FromRequest, Handler, Responder, Route};

use super::refusal::Refusal;
use super::{
    additions, audit, branches, distributions, history, holds, house, imports, keys, plans,
    quarantine, questions, records, session, signatures, status, tls, tokens, users,
};
use crate::admin::entrance::{self, CsrfIn};
use crate::admin::roles::Role::{self, Admin, Approver, Publisher, Viewer};

/// A route, and the role that it needs.
pub(super) struct Entry {
    needs: Option<Role>,
    method: Method,
    path: &'static str,
    route: Route,
}

/// What is served, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The role that it needs; `None` where nobody has to be logged in.
    pub needs: Option<Role>,
    /// The method.
    pub method: Method,
    /// The path's pattern, below `/admin/api/v1`.
    pub path: &'static str,
}

/// Returns all that is served.
#[rustfmt::skip]
pub(super) fn entries() -> Vec<Entry> {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    vec![
        entry(GET, Viewer, "/sources/known", imports::known_source),
        entry(POST, Publisher, "/imports", imports::post_import),
        entry(GET, Viewer, "/imports/{job}", imports::get_import),
        entry(GET, Viewer, "/plans", plans::list_plans),
        entry(GET, Viewer, "/plans/{id}", plans::show_plan),
        entry(DELETE, Publisher, "/plans/{id}", plans::drop_plan),
        entry(PUT, Publisher, "/plans/{id}/target", plans::set_target),
        entry(POST, Approver, "/plans/{id}/commit", plans::commit_plan),
        entry(POST, Approver, "/branches/{branch}/remove", branches::remove),
        entry(POST, Approver, "/promotions", branches::promote),
        entry(POST, Approver, "/releases", branches::tag),
        entry(POST, Admin, "/releases/{release}/delete", house::delete_release),
        entry(POST, Approver, "/additions", additions::add),
        entry(GET, Viewer, "/distributions/{name}/record", records::offer_record),
        entry(GET, Viewer, "/records/{number}", records::record),
        entry(GET, Viewer, "/signer", records::signer),
        entry(GET, Viewer, "/tls", tls::show),
        entry(POST, Admin, "/tls/reload", tls::reload),
        entry(POST, Admin, "/gc", house::collect),
        entry(GET, Viewer, "/sizes", house::sizes),
        entry(POST, Approver, "/rollbacks", branches::rollback),
        entry(GET, Viewer, "/distributions", distributions::list),
        entry(POST, Approver, "/distributions", distributions::create),
        entry(GET, Viewer, "/distributions/{name}", distributions::show),
        entry(PUT, Approver, "/distributions/{name}", distributions::set),
        entry(DELETE, Approver, "/distributions/{name}", distributions::delete),
        entry(PUT, Approver, "/distributions/default/{branch}", distributions::activate),
        entry(POST, Approver, "/distributions/{name}/holds", holds::hold),
        entry(POST, Approver, "/withdrawals", holds::withdraw),
        entry(GET, Viewer, "/holds", holds::list),
        entry(POST, Approver, "/holds/{number}/release", holds::release),
        entry(GET, Viewer, "/history", history::list),
        entry(POST, Admin, "/history/prune", history::prune),
        entry(GET, Viewer, "/history/{number}", history::show),
        entry(GET, Viewer, "/diff", questions::diff),
        entry(GET, Viewer, "/explain", questions::explain),
        entry(POST, Viewer, "/preflight", questions::preflight),
        entry(GET, Viewer, "/keys", keys::list),
        entry(POST, Admin, "/keys", keys::add),
        entry(DELETE, Admin, "/keys/{fingerprint}", keys::remove),
        entry(GET, Viewer, "/quarantine", quarantine::list),
        entry(POST, Publisher, "/quarantine/retry", quarantine::retry),
        entry(POST, Approver, "/quarantine/drop", quarantine::drop_cases),
        entry(GET, Viewer, "/signatures", signatures::list),
        entry(GET, Viewer, "/signatures/{branch}", signatures::show),
        entry(PUT, Admin, "/signatures/{branch}", signatures::set_policy),
        entry(GET, Viewer, "/status", status::show),
        entry(GET, Viewer, "/session", session::show),
        open(POST, "/session", session::log_in),
        entry(DELETE, Viewer, "/session", session::log_out),
        open(POST, "/setup", session::set_up),
        entry(GET, Admin, "/users", users::list),
        entry(POST, Admin, "/users", users::add),
        entry(PUT, Admin, "/users/{name}", users::set_role),
        entry(DELETE, Admin, "/users/{name}", users::remove),
        entry(POST, Admin, "/users/{name}/unlock", users::unlock),
        entry(PUT, Viewer, "/users/{name}/password", users::set_password),
        entry(GET, Viewer, "/tokens", tokens::list),
        entry(POST, Viewer, "/tokens", tokens::make),
        entry(DELETE, Viewer, "/tokens/{number}", tokens::remove),
        entry(POST, Admin, "/setup-link", tokens::make_setup_link),
        entry(GET, Viewer, "/audit", audit::list),
        entry(GET, Viewer, "/audit/verification", audit::verify),
    ]
}

/// Returns every route with the role that it needs.
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

/// Answers a request if who asks has the role that it needs; of one that is refused no byte of the body is read.
async fn guard(
    needs: Option<Role>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    let admitted = match needs {
        Some(needs) => entrance::admit(needs, CsrfIn::Header, request.request())
            .await
            .map(drop),
        None => entrance::admit_anybody(request.request()),
    };
    if let Err(error) = admitted {
        return Ok(request.error_response(Refusal::from(error)));
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

/// As [`entry`], for what nobody has to be logged in for.
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
