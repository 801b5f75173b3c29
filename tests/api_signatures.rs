//! Signatures as Kibana finds them: their paths, their bytes, and nothing where there is nothing good to say.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "support/signer.rs"]
mod signer;
mod support;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use airlock::admin::distributions::{self, LayersRequest};
use airlock::admin::holds::{self, HoldRequest};
use airlock::admin::keys::{self, KeyRequest};
use airlock::admin::signatures;
use airlock::distribution::{BranchKind, DistributionName, SignaturePolicy};
use airlock::limits::Limits;
use airlock::people::Actor;
use serde_json::Value;
use signer::Signer;
use support::archives::{Tar, tar};
use support::{RELEASE, TestRegistry, package};

const SIGNATURE: &str = "/epr/nginx/nginx-1.20.0.zip.sig";

fn nginx() -> Vec<u8> {
    package("nginx", "1.20.0").zip().bytes()
}

fn signed(signature: impl AsRef<[u8]>) -> Tar {
    tar()
        .file("nginx-1.20.0.zip", nginx())
        .file("nginx-1.20.0.zip.sig", signature.as_ref())
}

fn holding(source: Tar) -> TestRegistry {
    let registry = TestRegistry::empty();
    registry.commit(RELEASE, BranchKind::Release, &source.bytes());
    registry.reload();
    registry
}

async fn get(registry: &TestRegistry, path: &str) -> (u16, HeaderMap, Vec<u8>) {
    let answer = registry.answer(Method::GET, path, &[]).await;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = actix_web::body::to_bytes(answer.into_body()).await;
    (status, headers, body.unwrap_or_default().to_vec())
}

async fn json(registry: &TestRegistry, path: &str) -> Value {
    serde_json::from_slice(&get(registry, path).await.2).unwrap()
}

/// Returns `signature_path` of the package document and of the one element of `/search`.
async fn paths(registry: &TestRegistry) -> [Value; 2] {
    let document = json(registry, "/package/nginx/1.20.0/").await;
    let search = json(registry, "/search").await;
    assert_eq!(search.as_array().unwrap().len(), 1);
    [&document, &search[0]].map(|it| it["signature_path"].clone())
}

#[actix_web::test]
async fn a_signature_is_served_as_it_came_and_its_path_is_told() {
    let signature = Signer::new().sign(nginx());
    let registry = holding(signed(&signature));
    assert_eq!(paths(&registry).await, [SIGNATURE, SIGNATURE]);
    let (status, headers, body) = get(&registry, SIGNATURE).await;
    assert_eq!((status, body), (200, signature));
    assert_eq!(
        headers.get(CONTENT_TYPE).unwrap(),
        "application/pgp-signature"
    );
    let document = get(&registry, "/package/nginx/1.20.0/").await.2;
    let text = String::from_utf8(document).unwrap();
    insta::assert_snapshot!(
        text.lines().filter(|line| line.contains("/epr/")).collect::<Vec<_>>().join("\n"),
        @r#"
    "download": "/epr/nginx/nginx-1.20.0.zip",
    "signature_path": "/epr/nginx/nginx-1.20.0.zip.sig",
    "#);
}

#[actix_web::test]
async fn a_wrong_signature_is_served_since_kibana_is_to_refuse_it() {
    let signature = Signer::new().sign("other bytes");
    let registry = holding(signed(&signature));
    assert_eq!(paths(&registry).await, [SIGNATURE, SIGNATURE]);
    assert_eq!(get(&registry, SIGNATURE).await.2, signature);
}

#[actix_web::test]
async fn a_binary_signature_goes_out_as_text() {
    let signer = Signer::new();
    let registry = holding(signed(signer.sign_binary(nginx())));
    let (status, _, body) = get(&registry, SIGNATURE).await;
    assert_eq!(status, 200);
    let text = String::from_utf8(body).unwrap();
    assert!(
        text.starts_with("-----BEGIN PGP SIGNATURE-----\n"),
        "{text}"
    );
    // What went out is a signature over the zip that goes out.
    let elsewhere = holding(signed(text));
    let request = KeyRequest {
        fingerprint: signer.fingerprint(),
        key: signer.key(),
    };
    let added = keys::add(
        &elsewhere.store,
        &Actor::here("tester"),
        &request,
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(added.judged_again, 1);
    let report = signatures::list(&elsewhere.store, None).unwrap();
    assert_eq!(report[0].counts.good, 1);
}

#[actix_web::test]
async fn what_is_no_signature_is_not_offered_but_where_nobody_looks() {
    let registry = holding(signed("junk"));
    assert_eq!(paths(&registry).await, [Value::Null, Value::Null]);
    assert_eq!(get(&registry, SIGNATURE).await.0, 404);
    let name = DistributionName::parse(RELEASE).unwrap();
    signatures::set_policy(
        &registry.store,
        &Actor::here("tester"),
        &name,
        SignaturePolicy::Off,
    )
    .unwrap();
    registry.reload();
    assert_eq!(paths(&registry).await, [SIGNATURE, SIGNATURE]);
    let (status, _, body) = get(&registry, SIGNATURE).await;
    assert_eq!((status, body), (200, b"junk".to_vec()));
}

#[actix_web::test]
async fn where_nobody_looks_a_binary_signature_stays_binary() {
    let binary = Signer::new().sign_binary(nginx());
    let registry = TestRegistry::empty();
    *registry.policy.lock().unwrap() = Some(SignaturePolicy::Off);
    registry.commit(RELEASE, BranchKind::Release, &signed(&binary).bytes());
    registry.reload();
    assert_eq!(get(&registry, SIGNATURE).await.2, binary);
}

#[actix_web::test]
async fn a_package_without_a_signature_has_no_path_and_404() {
    let registry = holding(tar().file("nginx-1.20.0.zip", nginx()));
    assert_eq!(paths(&registry).await, [Value::Null, Value::Null]);
    assert_eq!(get(&registry, SIGNATURE).await.0, 404);
    assert_eq!(
        get(&registry, "/epr/nginx/nginx-9.9.9.zip.sig").await.0,
        404
    );
    assert_eq!(get(&registry, "/epr/nginx/nginx-x.zip.sig").await.0, 400);
}

#[actix_web::test]
async fn a_signature_that_comes_to_a_zip_that_is_there_is_offered_at_once() {
    let signature = Signer::new().sign(nginx());
    let registry = TestRegistry::empty();
    registry.commit(
        "mine",
        BranchKind::Local,
        &tar().file("nginx-1.20.0.zip", nginx()).bytes(),
    );
    registry.reload();
    assert_eq!(get(&registry, SIGNATURE).await.0, 404);
    let done = registry.commit("mine", BranchKind::Local, &signed(&signature).bytes());
    assert_eq!(done.change_set, None);
    registry.reload();
    assert_eq!(get(&registry, SIGNATURE).await.2, signature);
}

#[actix_web::test]
async fn readiness_speaks_of_the_quarantine_and_stays_ready() {
    let registry = TestRegistry::empty();
    let ready = "/health?ready=true";
    *registry.policy.lock().unwrap() = Some(SignaturePolicy::Require);
    let source = tar()
        .file("nginx-1.20.0.zip", nginx())
        .file("bad-1.0.0.zip", "no zip");
    registry.commit(RELEASE, BranchKind::Release, &source.bytes());
    assert_eq!(get(&registry, ready).await.2, b"");
    registry.reload();
    let (status, headers, body) = get(&registry, ready).await;
    assert_eq!(
        (status, body),
        (200, b"2 packages are in quarantine\n".to_vec())
    );
    assert_eq!(
        headers.get(CONTENT_TYPE).unwrap(),
        "text/plain; charset=utf-8"
    );
    assert_eq!(get(&registry, "/health").await.2, b"");
}

#[actix_web::test]
async fn what_is_no_longer_offered_keeps_its_signature_and_what_is_withdrawn_has_none() {
    let signature = Signer::new().sign(nginx());
    let registry = holding(signed(&signature));
    registry.release("9.3.0", [package("dock", "1.0.0")]);
    registry.distribution("prod", &[RELEASE]);
    let paths = [
        SIGNATURE,
        "/package/nginx/1.20.0/",
        "/epr/nginx/nginx-1.20.0.zip",
    ];
    let ask = async || {
        let mut answers = Vec::new();
        for path in paths {
            let (status, headers, body) = get(&registry, &format!("/d/prod{path}")).await;
            let header = |name| headers.get(name).cloned();
            answers.push((status, header("etag"), header("last-modified"), body));
        }
        answers
    };
    let before = ask().await;
    assert_eq!((before[0].0, &before[0].3), (200, &signature));
    let prod = DistributionName::parse("prod").unwrap();
    let layers = LayersRequest {
        from: Some("9.3.0".into()),
        ..LayersRequest::default()
    };
    distributions::set(&registry.store, &Actor::here("tester"), &prod, &layers).unwrap();
    registry.reload();
    assert_eq!(registry.found("/d/prod/search").await, "dock 1.0.0");
    assert!(ask().await == before);

    let request = HoldRequest {
        package: "nginx@1.20.0".into(),
        reason: Some("it leaks".into()),
        ..HoldRequest::default()
    };
    holds::withdraw(
        &registry.store,
        &Actor::here("tester"),
        &request,
        &Limits::default(),
    )
    .unwrap();
    registry.reload();
    let statuses: Vec<_> = ask().await.into_iter().map(|answer| answer.0).collect();
    assert_eq!(statuses, [404; 3]);
}
