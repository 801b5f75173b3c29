//! What somebody would make of a role, a token or a moment that is not theirs for long.

use airlock::admin::distributions::{self, LayersRequest};
use airlock::admin::{Role, Roles, tokens, users as of_users};
use airlock::distribution::{BranchKind, DistributionName};
use airlock::people::Actor;
use airlock::store::branches::BranchSettings;
use airlock::store::{addresses, change_sets, users};
use jiff::SignedDuration;

use crate::requests::{Ask, ask, get};
use crate::world::{PASSWORD, World};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn api(method: &str, path: &str, body: &str) -> Ask {
    ask(method, &format!("/admin/api/v1{path}")).json(body)
}

#[actix_web::test]
async fn no_approver_lets_a_distribution_go_without_a_second_person_by_making_it_anew() {
    let world = World::new();
    let (approver, admin) = (world.session("approver"), world.session("admin"));
    let root = Actor::here("root");
    let name = |text: &str| DistributionName::parse(text).unwrap();
    let branch = |conn: &rusqlite::Transaction<'_>| {
        let new = change_sets::NewChangeSet {
            at: "2026-11-22T10:00:00Z",
            who: &root,
            action: "import",
            why: None,
            source: None,
            plan: None,
        };
        let made = change_sets::insert(conn, &new)?;
        let (kind, settings) = (BranchKind::Local, BranchSettings::default());
        addresses::make_branch(conn, &name("mine"), kind, &settings, made)
    };
    world.store.write(branch).unwrap();
    let asking = LayersRequest {
        from: Some("mine".to_owned()),
        approvals: Some(1),
        ..LayersRequest::default()
    };
    distributions::create(&world.store, &root, &name("prod"), &asking).unwrap();
    let before = world.counts();
    let path = "/distributions/prod";
    let refused = api("DELETE", path, "").by(&approver).send(&world).await;
    assert_eq!(
        (refused.status, refused.kind().as_str()),
        (403, "needs-role")
    );
    let anew = r#"{"name": "other", "layers": {"from": "mine", "approvals": 0}}"#;
    let refused = api("POST", "/distributions", anew);
    let refused = refused.by(&approver).send(&world).await;
    assert_eq!(
        (refused.status, refused.kind().as_str()),
        (403, "needs-role")
    );
    assert_eq!(world.counts(), before, "nothing was changed");
    let done = api("DELETE", path, "").by(&admin).send(&world).await;
    assert_eq!(done.status, 200, "{done:?}");
    let done = api("POST", "/distributions", anew);
    let done = done.by(&admin).send(&world).await;
    assert_eq!(done.status, 200, "{done:?}");
}

#[actix_web::test]
async fn a_token_of_a_user_of_the_host_may_what_they_may_now() {
    let world = World::new();
    let wanted = tokens::TokenRequest {
        name: "ci".to_owned(),
        role: Role::Admin,
        days: 30,
    };
    let hana = Actor::over_the_socket("hana");
    let made = tokens::make(&world.store, &hana, Role::Admin, &wanted).unwrap();
    let role = async || {
        let asked = get("/admin/api/v1/session").bearing(&made.secret);
        let answer = asked.send(&world).await;
        let session: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        session["role"].as_str().unwrap().to_owned()
    };
    assert_eq!(role().await, "admin");
    let now = world.operator.roles.load_full();
    let roles = |role| Roles {
        named: [("hana".to_owned(), role)].into(),
        of_members: Role::Viewer,
        always_admin: now.always_admin.clone(),
    };
    world.operator.roles.store(roles(Role::Publisher).into());
    assert_eq!(role().await, "publisher");
    let none = Roles {
        named: Default::default(),
        ..roles(Role::Admin)
    };
    world.operator.roles.store(none.into());
    assert_eq!(role().await, "viewer");
}

#[actix_web::test]
async fn no_token_adds_or_changes_people_whatever_its_role() {
    let world = World::new();
    let token = world.token("admin", DAY);
    let people = || world.store.read(users::all).unwrap();
    let before = people();
    let password = format!(r#"{{"password": "another long one", "old": "{PASSWORD}"}}"#);
    for (method, path, body) in [
        ("POST", "/users", r#"{"name": "eve", "role": "admin"}"#),
        ("PUT", "/users/viewer", r#"{"role": "admin"}"#),
        ("PUT", "/users/viewer/password", &*password),
        ("PUT", "/users/admin/password", &*password),
        ("DELETE", "/users/viewer", ""),
        ("POST", "/setup-link", ""),
    ] {
        let asked = api(method, path, body).bearing(&token);
        let answer = asked.send(&world).await;
        assert_eq!(
            (answer.status, answer.kind().as_str()),
            (403, "by-token"),
            "{method} {path}: {answer:?}"
        );
    }
    assert_eq!(people(), before);
}

#[actix_web::test]
async fn another_password_ends_the_tokens_that_were_made_by_the_one_before() {
    let world = World::new();
    let (token, other) = (world.token("publisher", DAY), world.token("approver", DAY));
    let password = serde_json::from_str("\"another long one\"").unwrap();
    let root = Actor::here("root");
    of_users::reset_password(&world.store, &root, "publisher", &password, 12).unwrap();
    for (token, status) in [(token, 401), (other, 200)] {
        let asked = get("/admin/api/v1/session").bearing(&token);
        assert_eq!(asked.send(&world).await.status, status);
    }
    let last = world.audited().pop().unwrap();
    assert!(last.contains(r#"{"ended_tokens":1}"#), "{last}");
}
