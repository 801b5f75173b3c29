//! The view of a store that requests are answered from: precedence, sharing, reloading.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::sync::Arc;

use actix_web::http::Method;
use airlock::admin::holds::{self, HoldRequest, ReleaseRequest};
use airlock::catalog::{Catalog, Element};
use airlock::distribution::{BranchKind, DistributionName};
use airlock::package::PackageId;
use airlock::people::Actor;
use airlock::store::StoreError;
use airlock::store::fetches::{self, Fetched};
use support::packages::tar_of;
use support::{TestRegistry, package};

fn catalog(registry: &TestRegistry, name: &str) -> Arc<Catalog> {
    let name = DistributionName::parse(name).unwrap();
    registry.catalogs.get(&name).unwrap()
}

fn element(registry: &TestRegistry, distribution: &str, name: &str) -> Arc<Element> {
    let id = PackageId::parse(name, "1.0.0").unwrap();
    Arc::clone(catalog(registry, distribution).find(&id).unwrap())
}

#[actix_web::test]
async fn the_first_branch_that_has_a_version_wins() {
    let registry = TestRegistry::empty();
    let buoy = |title| package("buoy", "1.0.0").title(title);
    registry.branch("production", [buoy("Production"), package("dock", "1.0.0")]);
    registry.branch("staging", [buoy("Staging"), package("buoy", "1.1.0")]);
    registry.distribution("strict", &["production", "staging"]);
    registry.distribution("daring", &["staging", "production"]);

    for (distribution, title) in [("strict", "Production"), ("daring", "Staging")] {
        let offered = registry
            .found(&format!("/d/{distribution}/search?all=true"))
            .await;
        assert_eq!(offered, "buoy 1.0.0, buoy 1.1.0, dock 1.0.0");
        let path = format!("/d/{distribution}/package/buoy/1.0.0/");
        let (_, document) = registry.body(&path, &[]).await;
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["title"], title);
    }
    assert_eq!(
        registry.found("/search?all=true").await,
        "buoy 1.0.0, dock 1.0.0"
    );
}

#[actix_web::test]
async fn catalogs_share_the_elements_of_what_they_both_offer() {
    let registry = TestRegistry::empty();
    registry.release(
        "9.1.0",
        [package("buoy", "1.0.0"), package("dock", "1.0.0")],
    );
    let before = element(&registry, "9.1.0", "buoy");
    registry.release(
        "9.2.0",
        [
            package("buoy", "1.0.0"),
            package("dock", "1.0.0").title("Other"),
        ],
    );

    let same = ["default", "9.1.0", "9.2.0"].map(|name| element(&registry, name, "buoy"));
    assert!(same.iter().all(|element| Arc::ptr_eq(element, &before)));
    let (one, other) = (
        element(&registry, "9.1.0", "dock"),
        element(&registry, "9.2.0", "dock"),
    );
    assert!(!Arc::ptr_eq(&one, &other));
    assert_ne!(one.artifact.sha256, other.artifact.sha256);
}

#[actix_web::test]
async fn only_a_new_change_set_makes_new_catalogs() {
    let registry = TestRegistry::empty();
    let tar = tar_of([package("buoy", "1.0.0")]).bytes();
    let done = registry.commit("9.2.0", BranchKind::Release, &tar);
    assert!(done.change_set.is_some() && done.is_default);
    assert!(registry.catalogs.default_catalog().is_empty());
    registry.reload();
    let before = registry.catalogs.default_catalog();
    assert_eq!(before.len(), 1);

    registry.reload();
    assert!(Arc::ptr_eq(&before, &registry.catalogs.default_catalog()));
    // The same again writes to the store, and changes nothing.
    let again = registry.commit("9.2.0", BranchKind::Release, &tar);
    assert_eq!((again.change_set, again.unchanged), (None, 1));
    registry.reload();
    assert!(Arc::ptr_eq(&before, &registry.catalogs.default_catalog()));

    registry.release("9.3.0", [package("buoy", "1.1.0")]);
    let after = registry.catalogs.default_catalog();
    assert!(!Arc::ptr_eq(&before, &after) && after.change_set > before.change_set);
}

#[actix_web::test]
async fn a_store_that_is_opened_again_offers_the_same() {
    let registry = TestRegistry::empty();
    registry.release("9.1.0", [package("buoy", "1.0.0")]);
    registry.branch("staging", [package("dock", "1.0.0")]);
    registry.distribution("both", &["staging", "9.1.0"]);
    let loaded = airlock::catalog::Catalogs::load(&registry.store).unwrap();
    for name in ["default", "9.1.0", "staging", "both"] {
        let name = DistributionName::parse(name).unwrap();
        let query = airlock::package::SearchQuery::default();
        let search = |catalogs: &airlock::catalog::Catalogs| {
            catalogs.get(&name).unwrap().search(&query).unwrap()
        };
        assert_eq!(search(&loaded), search(&registry.catalogs), "{name}");
    }
    assert_eq!(catalog(&registry, "both").len(), 2);
}

/// What is written down of fetches: package version, Kibana.
fn written(registry: &TestRegistry) -> Vec<String> {
    let day = fetches::day_of(jiff::Timestamp::UNIX_EPOCH);
    let fetched = registry.store.read(|conn| fetches::since(conn, day));
    let shown = |it: Fetched| format!("{} {}", it.fetch.package, it.fetch.kibana);
    fetched.unwrap().into_iter().map(shown).collect()
}

#[actix_web::test]
async fn what_is_fetched_is_written_down_later_and_fails_no_request() {
    let registry =
        TestRegistry::holding([package("buoy", "1.0.0"), package("dock", "1.0.0")]).await;
    let kibana = [("user-agent", "Kibana/9.2.0 node-fetch")];
    let zip = |name: &str| format!("/epr/{name}/{name}-1.0.0.zip");
    for headers in [&kibana[..], &kibana, &[]] {
        assert_eq!(registry.body(&zip("buoy"), headers).await.0, 200);
    }
    registry.answer(Method::HEAD, &zip("dock"), &kibana).await;
    registry.body("/package/dock/1.0.0/", &kibana).await;
    registry.body("/epr/dock/dock-9.9.9.zip", &kibana).await;
    assert_eq!(written(&registry), [""; 0], "no request writes");

    let alter = |statement: &str| {
        let altered = registry
            .store
            .write(|conn| Ok::<_, StoreError>(conn.execute_batch(statement)?));
        altered.unwrap();
    };
    let write = || registry.catalogs.fetches().write(&registry.store);
    alter("ALTER TABLE fetch RENAME TO away");
    assert!(write().is_err());
    assert_eq!(registry.body(&zip("buoy"), &kibana).await.0, 200);
    alter("ALTER TABLE away RENAME TO fetch");
    write().unwrap();
    assert_eq!(written(&registry), ["buoy 1.0.0 ", "buoy 1.0.0 9.2.0"]);

    // What is written down today is not written again.
    alter("DELETE FROM fetch");
    assert_eq!(registry.body(&zip("buoy"), &kibana).await.0, 200);
    write().unwrap();
    assert_eq!(written(&registry), [""; 0]);
}

#[actix_web::test]
async fn what_a_hold_kept_back_all_the_time_was_never_offered() {
    let registry = TestRegistry::empty();
    registry.branch("production", [package("buoy", "1.0.0")]);
    registry.distribution("mine", &["production"]);
    let mine = DistributionName::parse("mine").unwrap();
    let hold = |request: HoldRequest| {
        holds::hold(
            &registry.store,
            &Actor::here("tester"),
            &mine,
            &request,
            &Default::default(),
        )
        .unwrap();
        registry.reload();
    };
    let status = async |address: &str, version: &str| {
        let path = format!("{address}/package/buoy/{version}/");
        registry.body(&path, &[]).await.0
    };
    hold(HoldRequest {
        package: "buoy".into(),
        at: Some("1.0.0".into()),
        ..HoldRequest::default()
    });
    registry.branch("production", [package("buoy", "1.1.0")]);
    assert_eq!(
        registry.found("/d/mine/search?all=true").await,
        "buoy 1.0.0"
    );
    assert_eq!(status("/d/mine", "1.1.0").await, 404);
    assert_eq!(status("/d/production", "1.1.0").await, 200);
    // What was offered until it was held back is answered for.
    hold(HoldRequest {
        package: "buoy@1.0.0".into(),
        ..HoldRequest::default()
    });
    assert_eq!(registry.found("/d/mine/search?all=true").await, "");
    assert_eq!(status("/d/mine", "1.0.0").await, 200);
    // And what was offered for a moment, for good.
    for number in [1, 2] {
        let request = ReleaseRequest::default();
        holds::release(&registry.store, &Actor::here("tester"), number, &request).unwrap();
        registry.reload();
    }
    assert_eq!(status("/d/mine", "1.1.0").await, 200);
    hold(HoldRequest {
        package: "buoy@1.1.0".into(),
        ..HoldRequest::default()
    });
    assert_eq!(
        registry.found("/d/mine/search?all=true").await,
        "buoy 1.0.0"
    );
    assert_eq!(status("/d/mine", "1.1.0").await, 200);
}
