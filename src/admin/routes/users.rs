//! People, and their passwords.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};

use super::{Answer, Operator, caller, perform, who};
use crate::admin::entrance::{password_rules, turn};
use crate::admin::error::OperationError;
use crate::admin::roles::Role;
use crate::admin::users::{
    self, PasswordRequest, RoleRequest, UserChanged, UserReport, UserRequest,
};
use crate::people::{Actor, are_one};

pub(super) async fn list(operator: Data<Operator>) -> Answer<Vec<UserReport>> {
    perform(&operator, users::list).await
}

pub(super) async fn add(
    operator: Data<Operator>,
    request: HttpRequest,
    user: Json<UserRequest>,
) -> Answer<UserReport> {
    let (who, rules) = (who(&request), password_rules(&request));
    let turn = turn(&request).await?;
    perform(&operator, move |store| {
        let _until_hashed = turn;
        users::add(store, &who, &user, rules.least_length)
    })
    .await
}

pub(super) async fn set_role(
    operator: Data<Operator>,
    request: HttpRequest,
    name: Path<String>,
    to: Json<RoleRequest>,
) -> Answer<UserChanged> {
    let who = who(&request);
    perform(&operator, move |store| {
        users::set_role(store, &who, &name, to.role)
    })
    .await
}

pub(super) async fn remove(
    operator: Data<Operator>,
    request: HttpRequest,
    name: Path<String>,
) -> Answer<UserChanged> {
    let who = who(&request);
    perform(&operator, move |store| users::remove(store, &who, &name)).await
}

pub(super) async fn unlock(
    operator: Data<Operator>,
    request: HttpRequest,
    name: Path<String>,
) -> Answer<UserChanged> {
    let who = who(&request);
    perform(&operator, move |store| users::unlock(store, &who, &name)).await
}

/// One's own with the old one, and that of others where one is admin. Whoever is admin at `control.sock` has the store's rights
/// and needs none.
pub(super) async fn set_password(
    operator: Data<Operator>,
    request: HttpRequest,
    name: Path<String>,
    password: Json<PasswordRequest>,
) -> Answer<UserChanged> {
    let caller = caller(&request).ok_or(OperationError::Nobody)?;
    let (who, rules) = (caller.actor(), password_rules(&request));
    let session = caller.session();
    let is_at_the_socket = who == Actor::over_the_socket(caller.name.as_str());
    let is_own = are_one(&caller.name, &name);
    let turn = turn(&request).await?;
    if is_own && !(is_at_the_socket && caller.role == Role::Admin) {
        return perform(&operator, move |store| {
            let _until_hashed = turn;
            users::change_password(store, &who, &name, &password, session, rules)
        })
        .await;
    }
    operator.check(&request, Role::Admin)?;
    perform(&operator, move |store| {
        let _until_hashed = turn;
        users::reset_password(store, &who, &name, &password.password, rules.least_length)
    })
    .await
}
