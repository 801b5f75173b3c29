//! A store in which everything that others write is hostile, and somebody who looks at pages and sends forms.

use std::io::Cursor;
use std::sync::Arc;

use airlock::admin::holds::{self, HoldRequest};
use airlock::admin::keys::{self, KeyRequest};
use airlock::admin::settings::{SettingReport, SettingsReport};
use airlock::crypto::openpgp::Signer;
use airlock::distribution::{BranchKind, Consent, DistributionName, SignaturePolicy};
use airlock::import::{self, Progress, StageRequest};
use airlock::limits::Limits;
use airlock::people::Actor;
use airlock::store::quarantine::{self, Quarantined};
use airlock::store::{StoreError, fetches, sources};

use crate::requests::{Answer, get, post};
use crate::support::packages::tar_of;
use crate::support::{Package, package};
use crate::world::World;

/// What would run were it not taken for text.
pub const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

pub fn name(text: &str) -> DistributionName {
    DistributionName::parse(text).unwrap()
}

pub fn tester() -> Actor {
    Actor::here("tester")
}

/// Imports packages into a branch: a release where it is called as one is, else one whose kind its name says.
pub fn import(
    world: &World,
    branch: &str,
    policy: Option<SignaturePolicy>,
    packages: impl IntoIterator<Item = Package>,
) {
    let kind = match branch.starts_with(|c: char| c.is_ascii_digit()) {
        true => BranchKind::Release,
        false => BranchKind::of_name(branch),
    };
    let request = StageRequest {
        source_name: HOSTILE.into(),
        who: tester(),
        target: Some((name(branch), kind)),
        may_ask: false,
        signatures: policy,
        image: None,
    };
    let source = Box::new(Cursor::new(tar_of(packages).bytes()));
    let progress = Arc::<Progress>::default();
    let limits = Limits::default();
    let staged = import::stage(&world.store, source, &request, &progress, &limits).unwrap();
    import::commit(&world.store, staged.stage, &tester(), Consent::default()).unwrap();
    world.operator.catalogs.reload(&world.store).unwrap();
}

/// Adds a package to the quarantine of which nothing is kept.
pub fn quarantine_hostile(world: &World) {
    let case = Quarantined {
        path: HOSTILE.to_owned(),
        reason: HOSTILE.to_owned(),
    };
    let put = |conn: &rusqlite::Transaction<'_>| {
        let source = sources::begin(conn, HOSTILE)?;
        quarantine::put(conn, source, "2026-11-22T09:00:00Z", &case)
    };
    world.store.write::<_, StoreError>(put).unwrap();
}

/// Returns a public key whose owner calls himself so, and its fingerprint.
pub fn key(user_id: &str) -> (String, String) {
    let signer = Signer::generate(user_id).unwrap();
    (signer.public_key().unwrap(), signer.fingerprint())
}

/// Returns a store with two releases, a distribution, a hold, a key, a case and a Kibana, each with something hostile.
pub fn full() -> World {
    let world = World::new();
    let hostile = |version: &str| package("nginx", version).title(&format!("{HOSTILE:?}"));
    import(&world, "9.1.0", None, [hostile("1.0.0")]);
    import(&world, "9.2.0", None, [hostile("1.0.0"), hostile("1.1.0")]);
    airlock::admin::distributions::activate(&world.store, &tester(), &name("9.2.0")).unwrap();
    let hold = HoldRequest {
        package: "nginx".to_owned(),
        at: Some("1.0.0".to_owned()),
        reason: Some(HOSTILE.to_owned()),
        ..HoldRequest::default()
    };
    let limits = Limits::default();
    holds::hold(&world.store, &tester(), &name("default"), &hold, &limits).unwrap();
    let (text, fingerprint) = key(HOSTILE);
    let request = KeyRequest {
        fingerprint,
        key: text,
    };
    keys::add(&world.store, &tester(), &request, &limits).unwrap();
    quarantine_hostile(&world);
    let service = &world.operator.service;
    service.kibanas.note("9.2.0", None, HOSTILE, 404);
    let said = SettingReport {
        key: "admin.banner".to_owned(),
        value: Some(HOSTILE.to_owned()),
        origin: HOSTILE.to_owned(),
        variable: "AIRLOCK_ADMIN_BANNER".to_owned(),
    };
    service.settings.store(Arc::new(SettingsReport {
        file: Some(HOSTILE.to_owned()),
        settings: vec![said],
        notes: vec![HOSTILE.to_owned()],
    }));
    reload(&world);
    world
}

pub fn reload(world: &World) {
    world.operator.catalogs.reload(&world.store).unwrap();
}

/// Notes that a Kibana fetched a zip from a distribution today.
pub fn fetched(world: &World, distribution: &str, package: &str, version: &str, kibana: &str) {
    let package = airlock::package::PackageId::parse(package, version).unwrap();
    let find = |conn: &rusqlite::Connection| {
        airlock::store::distributions::find(conn, &name(distribution))
    };
    let distribution = world.store.read::<_, StoreError>(find).unwrap().unwrap();
    let fetch = fetches::Fetch {
        package,
        distribution,
        kibana: kibana.into(),
    };
    let day = fetches::day_of(jiff::Timestamp::now());
    let note = |conn: &rusqlite::Transaction<'_>| fetches::note(conn, [&fetch], day);
    world.store.write::<_, StoreError>(note).unwrap();
}

/// Looks at a page as somebody of this role.
pub async fn look(world: &World, role: &str, path: &str) -> Answer {
    let session = world.session(role);
    get(&format!("/admin{path}")).by(&session).send(world).await
}

/// Returns a page that is there.
pub async fn page(world: &World, role: &str, path: &str) -> String {
    let answer = look(world, role, path).await;
    assert_eq!(answer.status, 200, "{role} {path}: {}", answer.body);
    answer.body
}

/// Sends a form as a page of somebody of this role does.
pub async fn send(world: &World, role: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let session = world.session(role);
    let mut all = vec![("csrf", session.csrf.as_str())];
    all.extend(fields);
    let body = serde_urlencoded::to_string(all).unwrap();
    post(&format!("/admin{path}"))
        .by(&session)
        .without("x-csrf-token")
        .form(&body)
        .send(world)
        .await
}

/// Asserts that a form did what it says, and leads to a page.
#[track_caller]
pub fn led_to(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.header("location"), Some(&*format!("/admin{path}")));
}

/// Asserts that a form was not taken, and that the answer says so.
#[track_caller]
pub fn not_done(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(
        answer.body.contains("Nothing was changed."),
        "{}",
        answer.body
    );
}

/// Returns every distribution with its branches, how many versions are in quarantine, how many plans wait, the keys and the
/// people: what a refused form leaves as it was.
pub fn state(world: &World) -> String {
    use airlock::admin::{distributions, quarantine, signatures, users};
    let store = &world.store;
    let distributions = distributions::list(store).unwrap();
    let policies = signatures::list(store, None).unwrap().into_iter();
    let policies: Vec<_> = policies.map(|it| (it.branch, it.policy)).collect();
    let users = users::list(store).unwrap().into_iter();
    let users: Vec<_> = users
        .map(|it| (it.name, it.role, it.locked_since))
        .collect();
    let plans = store
        .read::<_, StoreError>(airlock::store::stages::waiting)
        .unwrap();
    format!(
        "{distributions:?} {:?} {policies:?} {:?} {users:?} {}",
        keys::list(store).unwrap(),
        quarantine::list(store).unwrap(),
        plans.len(),
    )
}
