//! A job as server-sent events.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use crate::asking::{VIEWER, connect, get, head, operator};
use crate::support::{TestRegistry, package, packages};
use crate::uploads::Uploading;

/// Reads until `end` is there; what came until then.
async fn read_to(client: &mut DuplexStream, end: &str) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains(end) {
        let read = timeout(Duration::from_secs(20), client.read(&mut bytes)).await;
        match read
            .unwrap_or_else(|_| panic!("no {end} in {text}"))
            .unwrap()
        {
            0 => break,
            read => text.push_str(std::str::from_utf8(&bytes[..read]).unwrap()),
        }
    }
    text
}

/// Returns the JSON of the last event.
fn last(text: &str) -> Value {
    let data = text.rsplit("data: ").next().unwrap();
    serde_json::from_str(data.lines().next().unwrap()).unwrap()
}

#[actix_web::test]
async fn a_job_is_told_each_time_it_changed_and_at_its_end() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let source = packages::tar_of([package("nginx", "1.0.0")]).bytes();
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    let events = format!("/jobs/{}/events", upload.id);
    let mut client = connect(&operator, VIEWER).await;
    client
        .write_all(head("GET", &events, 0).as_bytes())
        .await
        .unwrap();
    let begun = read_to(&mut client, "\n\n").await;
    assert!(
        begun.contains("content-type: text/event-stream\r\n"),
        "{begun}"
    );
    assert!(begun.contains("cache-control: no-store\r\n"), "{begun}");
    let begun = match begun.contains("event: progress") {
        true => begun,
        false => read_to(&mut client, "\n\n").await,
    };
    assert_eq!(
        (
            last(&begun)["state"].as_str(),
            last(&begun)["upload"]["offset"].as_u64()
        ),
        (Some("running"), Some(0))
    );

    assert_eq!(upload.put(0, &source[..600]).await.status, 200);
    let moved = read_to(&mut client, "\n\n").await;
    assert!(moved.contains("event: progress"), "{moved}");
    assert_eq!(last(&moved)["upload"]["offset"], 600);

    assert_eq!(upload.put(600, &source[600..]).await.status, 200);
    let ended = read_to(&mut client, "event: end").await + &read_to(&mut client, "0\r\n\r\n").await;
    assert_eq!(last(&ended)["state"], "done", "{ended}");

    // Who comes late is told the end alone.
    let late = get(&operator, &events).await;
    assert!(late.body.starts_with("event: end\ndata: {"), "{late:?}");
    assert_eq!(last(&late.body)["result"]["packages"], 1);
}

#[actix_web::test]
async fn the_servers_stop_ends_the_events() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, 5000, "9.2.0").await;
    let mut client = connect(&operator, VIEWER).await;
    let events = format!("/jobs/{}/events", upload.id);
    client
        .write_all(head("GET", &events, 0).as_bytes())
        .await
        .unwrap();
    read_to(&mut client, "event: progress").await;
    operator.jobs.stop();
    let rest = read_to(&mut client, "0\r\n\r\n").await;
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[actix_web::test]
async fn a_job_that_is_not_there_has_no_events() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let none = get(&operator, "/jobs/nothing/events").await;
    assert_eq!(
        (none.status, none.json()["kind"].as_str()),
        (404, Some("no-such-job"))
    );
}
