//! Jobs: who may end which, what is kept of them, and work that is not waited for.

use airlock::admin::jobs::JobLimits;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::asking::{
    ADMIN, APPROVER, OTHER_PUBLISHER, PUBLISHER, answer, ask, connect, get, head, operator,
    operator_with,
};
use crate::support::{TestRegistry, package, packages};
use crate::uploads::ended;

const ID: &str = "0123456789abcdef0123456789abcdef";

fn import(id: &str) -> String {
    format!("/imports?source_name=packages.tar&release=9.2.0&may_ask=false&job={id}")
}

#[actix_web::test]
async fn an_import_over_one_request_is_a_job_that_others_see_and_an_approver_ends() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let source = packages::tar_of([package("nginx", "1.0.0")]).bytes();
    let mut client = connect(&operator, PUBLISHER).await;
    client
        .write_all(head("POST", &import(ID), source.len()).as_bytes())
        .await
        .unwrap();
    client.write_all(&source[..2000]).await.unwrap();
    let job = loop {
        let job = get(&operator, &format!("/jobs/{ID}")).await;
        if job.status == 200 {
            break job.json();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (&job["kind"], &job["subject"], &job["who"]),
        (
            &json!("import"),
            &json!("packages.tar"),
            &json!(format!("uid {PUBLISHER}"))
        )
    );
    let path = format!("/jobs/{ID}");
    assert_eq!(
        ask(&operator, OTHER_PUBLISHER, "DELETE", &path, b"")
            .await
            .status,
        403
    );
    let twice = ask(&operator, PUBLISHER, "POST", &import(ID), b"x").await;
    assert_eq!(
        (twice.status, twice.json()["kind"].as_str()),
        (400, Some("invalid-request"))
    );
    assert_eq!(get(&operator, &path).await.json()["state"], "running");

    assert_eq!(
        ask(&operator, APPROVER, "DELETE", &path, b"").await.status,
        200
    );
    let told = answer(client).await;
    assert_eq!(
        (told.status, told.json()["kind"].as_str()),
        (409, Some("cancelled"))
    );
    assert_eq!(ended(&operator, ID).await["state"], "cancelled");
    assert_eq!(get(&operator, "/plans").await.json(), json!([]));
}

#[actix_web::test]
async fn an_import_whose_client_goes_away_is_ended() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let mut client = connect(&operator, PUBLISHER).await;
    client
        .write_all(head("POST", &import(ID), 9000).as_bytes())
        .await
        .unwrap();
    client.write_all(&[0; 3]).await.unwrap();
    while get(&operator, &format!("/jobs/{ID}")).await.status == 404 {
        tokio::task::yield_now().await;
    }
    drop(client);
    assert_eq!(ended(&operator, ID).await["state"], "failed");
    assert_eq!(get(&operator, "/plans").await.json(), json!([]));
}

#[actix_web::test]
async fn work_is_waited_for_unless_the_request_asks_not_to() {
    let registry = TestRegistry::holding([package("nginx", "1.0.0")]).await;
    let operator = operator(&registry.store);
    let waited = ask(&operator, ADMIN, "POST", "/gc", b"{}").await;
    assert_eq!(waited.status, 200, "{waited:?}");
    assert_eq!(waited.json()["artifacts"], 0);

    let mut client = connect(&operator, ADMIN).await;
    let head =
        head("POST", "/gc", 2).replace("host: x", "host: x\r\nprefer: respond-async, wait=10");
    client
        .write_all(format!("{head}{{}}").as_bytes())
        .await
        .unwrap();
    let begun = answer(client).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let job = ended(&operator, &id).await;
    assert_eq!(
        (&job["kind"], &job["state"]),
        (&json!("gc"), &json!("done"))
    );
    assert_eq!(job["result"], waited.json());
    let late = ask(&operator, ADMIN, "DELETE", &format!("/jobs/{id}"), b"").await;
    assert_eq!(
        (late.status, late.json()["kind"].as_str()),
        (409, Some("job-ended"))
    );
}

#[actix_web::test]
async fn what_has_ended_is_kept_up_to_a_bound_and_the_newest_is_told_first() {
    let registry = TestRegistry::empty();
    let limits = JobLimits {
        ended: 2,
        ..JobLimits::default()
    };
    let operator = operator_with(&registry.store, limits);
    let ids = ["1", "2", "3"].map(|digit| digit.repeat(32));
    for id in &ids {
        let refused = ask(&operator, PUBLISHER, "POST", &import(id), b"no archive").await;
        assert_eq!(refused.json()["kind"], "not-an-archive");
    }
    let jobs = get(&operator, "/jobs").await.json();
    let listed: Vec<_> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, [&ids[2], &ids[1]]);
    assert_eq!(
        get(&operator, &format!("/jobs/{}", ids[0])).await.status,
        404
    );
    assert_eq!(jobs[0]["failure"]["kind"], "not-an-archive");
}

#[actix_web::test]
async fn an_id_that_is_not_drawn_at_random_is_refused() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    for id in ["", "1", "0123456789ABCDEF0123456789ABCDEF", &"0".repeat(33)] {
        let refused = ask(&operator, PUBLISHER, "POST", &import(id), b"x").await;
        assert_eq!(
            (refused.status, refused.json()["kind"].as_str()),
            (400, Some("invalid-request")),
            "{id}"
        );
    }
    assert!(operator.jobs.list().is_empty());
}
