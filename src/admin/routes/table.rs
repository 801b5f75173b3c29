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

use super::describe::{Description, Given, Schemas, Taken, describe};
use super::refusal::Refusal;
use super::{
    additions, audit, branches, distributions, history, holds, house, imports, jobs, keys, openapi,
    plans, quarantine, questions, records, session, signatures, status, tls, tokens, uploads,
    users,
};
use crate::admin::entrance::{self, CsrfIn};
use crate::admin::roles::Role::{self, Admin, Approver, Publisher, Viewer};

/// A route, the role that it needs, and what there is to say of it.
pub(super) struct Entry {
    pub(super) needs: Option<Role>,
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What it does, in a few words.
    pub(super) summary: &'static str,
    /// What it takes and answers.
    pub(super) describe: fn(&mut Schemas) -> Description,
    route: Route,
}

/// What is served, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The role that it needs; `None` where nobody has to be logged in.
    pub needs: Option<Role>,
    /// The method.
    pub method: Method,
    /// The path's pattern: of a route below `/admin/api/v1`, of a page below `/admin`.
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
        entry(GET, Viewer, "/sources/known", imports::known_source, "Tells whether a source of this size and digest was read before"),
        entry(POST, Publisher, "/imports", imports::post_import, "Stages the source that is the body"),
        entry(GET, Viewer, "/plans", plans::list_plans, "Lists the plans that wait for a commit"),
        entry(GET, Viewer, "/plans/{id}", plans::show_plan, "Shows what a plan would change"),
        entry(DELETE, Publisher, "/plans/{id}", plans::drop_plan, "Drops a plan"),
        entry(PUT, Publisher, "/plans/{id}/target", plans::set_target, "Says where a plan belongs"),
        entry(POST, Approver, "/plans/{id}/commit", plans::commit_plan, "Commits a plan"),
        entry(POST, Approver, "/branches/{branch}/remove", branches::remove, "Removes packages from a branch"),
        entry(POST, Approver, "/promotions", branches::promote, "Moves packages from one branch to another"),
        entry(POST, Approver, "/releases", branches::tag, "Makes a release of a branch as it is"),
        entry(POST, Admin, "/releases/{release}/delete", house::delete_release, "Deletes a release"),
        entry(POST, Approver, "/additions", additions::add, "Adds the package whose zip is the body"),
        entry(GET, Viewer, "/distributions/{name}/record", records::offer_record, "Returns the signed record of what a distribution offers"),
        entry(GET, Viewer, "/records/{number}", records::record, "Returns the signed record of a change set"),
        entry(GET, Viewer, "/signer", records::signer, "Shows the key that signs records"),
        entry(GET, Viewer, "/tls", tls::show, "Shows the certificate in force"),
        entry(POST, Admin, "/tls/reload", tls::reload, "Takes up the certificate that was installed"),
        entry(POST, Admin, "/gc", house::collect, "Takes out what nothing needs"),
        entry(GET, Viewer, "/sizes", house::sizes, "Tells what the store takes, and for what"),
        entry(POST, Approver, "/rollbacks", branches::rollback, "Brings distributions back to an earlier moment"),
        entry(GET, Viewer, "/distributions", distributions::list, "Lists the distributions"),
        entry(POST, Approver, "/distributions", distributions::create, "Makes a distribution"),
        entry(GET, Viewer, "/distributions/{name}", distributions::show, "Shows a distribution"),
        entry(PUT, Approver, "/distributions/{name}", distributions::set, "Sets what a distribution serves"),
        entry(DELETE, Approver, "/distributions/{name}", distributions::delete, "Deletes a distribution"),
        entry(PUT, Approver, "/distributions/default/{branch}", distributions::activate, "Sets what is served at the root"),
        entry(POST, Approver, "/distributions/{name}/holds", holds::hold, "Holds packages back in a distribution"),
        entry(POST, Approver, "/withdrawals", holds::withdraw, "Holds packages back in every distribution"),
        entry(GET, Viewer, "/holds", holds::list, "Lists the holds"),
        entry(POST, Approver, "/holds/{number}/release", holds::release, "Lets a hold go"),
        entry(GET, Viewer, "/history", history::list, "Lists the change sets, the newest first"),
        entry(POST, Admin, "/history/prune", history::prune, "Lets go of what was replaced or removed"),
        entry(GET, Viewer, "/history/{number}", history::show, "Shows a change set"),
        entry(GET, Viewer, "/diff", questions::diff, "Compares what two places offer"),
        entry(GET, Viewer, "/explain", questions::explain, "Tells why a package is offered or not"),
        entry(GET, Viewer, "/packages/{name}/{version}", questions::package, "Shows a package version whole"),
        entry(POST, Viewer, "/preflight", questions::preflight, "Tells what a Kibana of another version would find"),
        entry(GET, Viewer, "/keys", keys::list, "Lists the keys that are trusted"),
        entry(POST, Admin, "/keys", keys::add, "Adds a key"),
        entry(DELETE, Admin, "/keys/{fingerprint}", keys::remove, "Takes a key out"),
        entry(GET, Viewer, "/quarantine", quarantine::list, "Lists what could not come in"),
        entry(POST, Publisher, "/quarantine/retry", quarantine::retry, "Tries what could not come in again"),
        entry(POST, Approver, "/quarantine/drop", quarantine::drop_cases, "Drops what could not come in"),
        entry(GET, Viewer, "/signatures", signatures::list, "Tells of every branch how its packages are signed"),
        entry(GET, Viewer, "/signatures/{branch}", signatures::show, "Tells of a branch how its packages are signed"),
        entry(PUT, Admin, "/signatures/{branch}", signatures::set_policy, "Sets what becomes of packages without a good signature"),
        entry(GET, Viewer, "/jobs", jobs::list, "Lists long work, under way and ended, the newest first"),
        entry(GET, Viewer, "/jobs/{id}", jobs::show, "Shows a job"),
        entry(DELETE, Publisher, "/jobs/{id}", jobs::cancel, "Cancels a job; that of somebody else as an approver"),
        entry(GET, Viewer, "/jobs/{id}/events", jobs::events, "Tells how far a job is, as server-sent events"),
        entry(POST, Publisher, "/uploads", uploads::begin, "Begins an upload"),
        entry(GET, Publisher, "/uploads/{id}", uploads::show, "Tells how many bytes of an upload have arrived"),
        entry(PUT, Publisher, "/uploads/{id}", uploads::feed, "Brings a chunk of an upload"),
        entry(DELETE, Publisher, "/uploads/{id}", uploads::cancel, "Drops an upload; that of somebody else as an approver"),
        entry(GET, Viewer, "/openapi.json", openapi::show, "Returns this document"),
        entry(GET, Viewer, "/status", status::show, "Tells how the appliance is"),
        entry(GET, Viewer, "/session", session::show, "Tells who asks"),
        open(POST, "/session", session::log_in, "Logs in with name and password"),
        entry(DELETE, Viewer, "/session", session::log_out, "Logs out: the session is over"),
        open(POST, "/setup", session::set_up, "Makes the first admin by a setup link"),
        entry(GET, Admin, "/users", users::list, "Lists the people"),
        entry(POST, Admin, "/users", users::add, "Adds a person"),
        entry(PUT, Admin, "/users/{name}", users::set_role, "Gives a person another role"),
        entry(DELETE, Admin, "/users/{name}", users::remove, "Removes a person"),
        entry(POST, Admin, "/users/{name}/unlock", users::unlock, "Unlocks a person"),
        entry(PUT, Viewer, "/users/{name}/password", users::set_password, "Sets a password"),
        entry(GET, Viewer, "/tokens", tokens::list, "Lists tokens"),
        entry(POST, Viewer, "/tokens", tokens::make, "Makes a token, and tells it once"),
        entry(DELETE, Viewer, "/tokens/{number}", tokens::remove, "Takes a token back"),
        entry(POST, Admin, "/setup-link", tokens::make_setup_link, "Makes a setup link"),
        entry(GET, Viewer, "/audit", audit::list, "Lists the audit log, the newest first"),
        entry(GET, Viewer, "/audit/verification", audit::verify, "Follows the chain of the audit log"),
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
    if let Err(error) = entrance::check(needs, CsrfIn::Header, request.request()).await {
        return Ok(request.error_response(Refusal::from(error)));
    }
    next.call(request).await
}

/// Returns an entry; `F` is what answers, and its types are the description.
fn entry<F, A>(
    method: Method,
    needs: Role,
    path: &'static str,
    handler: F,
    summary: &'static str,
) -> Entry
where
    F: Handler<A>,
    A: FromRequest + Taken + 'static,
    F::Output: Responder + Given + 'static,
{
    Entry {
        needs: Some(needs),
        ..open(method, path, handler, summary)
    }
}

/// As [`entry`], for what nobody has to be logged in for.
fn open<F, A>(method: Method, path: &'static str, handler: F, summary: &'static str) -> Entry
where
    F: Handler<A>,
    A: FromRequest + Taken + 'static,
    F::Output: Responder + Given + 'static,
{
    Entry {
        needs: None,
        summary,
        describe: describe::<A, F::Output>,
        route: web::method(method.clone()).to(handler),
        method,
        path,
    }
}
