//! Uploads in chunks: what is resumed, what is refused, and what an upload that ends before its end leaves.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use airlock::admin::jobs::JobLimits;
use airlock::admin::routes::Operator;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use crate::asking::{
    ADMIN, APPROVER, Answer, OTHER_PUBLISHER, PUBLISHER, VIEWER, answer, ask, connect, get, head,
    operator, operator_with,
};
use crate::support::archives::{ImageForm, image, tar};
use crate::support::{Package, TestRegistry, package, packages};

/// Bytes that do not compress, so that what is read is as long as what was sent.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn content() -> [Package; 2] {
    let large =
        |name, seed| package(name, "1.0.0").with_file("docs/large.bin", noise(900_000, seed));
    [large("nginx", 3), large("system", 5)]
}

fn source() -> Vec<u8> {
    packages::tar_of(content()).bytes()
}

/// An upload of [`PUBLISHER`]'s.
pub struct Uploading<'a> {
    operator: &'a Data<Operator>,
    pub id: String,
}

impl<'a> Uploading<'a> {
    /// Begins one of `bytes` bytes, which make a release.
    pub async fn begin(operator: &'a Data<Operator>, bytes: usize, release: &str) -> Self {
        let begun = begin(operator, bytes as u64, release).await;
        assert_eq!(begun.status, 200, "{begun:?}");
        let id = begun.json()["id"].as_str().unwrap().to_owned();
        Self { operator, id }
    }

    pub async fn put(&self, offset: usize, bytes: &[u8]) -> Answer {
        self.put_as(PUBLISHER, offset, bytes).await
    }

    async fn put_as(&self, user: u32, offset: usize, bytes: &[u8]) -> Answer {
        let path = format!("/uploads/{}?offset={offset}", self.id);
        ask(self.operator, user, "PUT", &path, bytes).await
    }

    /// Returns how many bytes have arrived.
    async fn offset(&self) -> usize {
        let path = format!("/uploads/{}", self.id);
        let answer = ask(self.operator, PUBLISHER, "GET", &path, b"").await;
        answer.json()["offset"]
            .as_u64()
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// Returns the job once it has ended.
    pub async fn ended(&self) -> Value {
        ended(self.operator, &self.id).await
    }

    async fn cancel_as(&self, user: u32) -> Answer {
        ask(
            self.operator,
            user,
            "DELETE",
            &format!("/uploads/{}", self.id),
            b"",
        )
        .await
    }
}

async fn begin(operator: &Data<Operator>, bytes: u64, release: &str) -> Answer {
    let request = json!({ "source_name": "packages.tar", "bytes": bytes, "release": release });
    ask(
        operator,
        PUBLISHER,
        "POST",
        "/uploads",
        request.to_string().as_bytes(),
    )
    .await
}

/// Returns a job once it has ended.
pub async fn ended(operator: &Data<Operator>, id: &str) -> Value {
    loop {
        let job = get(operator, &format!("/jobs/{id}")).await.json();
        if job["state"] != "running" {
            return job;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Returns what a plan says of its source and its packages.
async fn plan(operator: &Data<Operator>, job: &Value) -> Value {
    let number = job["result"]["plan"]
        .as_i64()
        .unwrap_or_else(|| panic!("no plan: {job}"));
    let mut plan = get(operator, &format!("/plans/{number}")).await.json();
    let changing = ["plan", "staged_at"];
    plan.as_object_mut()
        .unwrap()
        .retain(|key, _| !changing.contains(&key.as_str()));
    plan["source"]
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key == "bytes" || key == "sha256" || key == "name");
    plan
}

async fn plans(operator: &Data<Operator>) -> usize {
    get(operator, "/plans")
        .await
        .json()
        .as_array()
        .unwrap()
        .len()
}

#[actix_web::test]
async fn an_upload_whose_connection_breaks_goes_on_where_it_was_and_is_the_plan_of_a_plain_import()
{
    let source = source();
    let plain = TestRegistry::empty();
    let plain = operator(&plain.store);
    let id = "0123456789abcdef0123456789abcdef";
    let path = format!("/imports?source_name=packages.tar&release=9.2.0&may_ask=false&job={id}");
    let staged = ask(&plain, PUBLISHER, "POST", &path, &source).await;
    assert_eq!(staged.status, 200, "{staged:?}");
    let expected = plan(&plain, &ended(&plain, id).await).await;

    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    let third = source.len() / 3;
    let first = upload.put(0, &source[..third]).await.json();
    assert_eq!(first["offset"], third);

    let mut client = connect(&operator, PUBLISHER).await;
    let path = format!("/uploads/{}?offset={third}", upload.id);
    client
        .write_all(head("PUT", &path, third).as_bytes())
        .await
        .unwrap();
    client
        .write_all(&source[third..third + third / 2])
        .await
        .unwrap();
    drop(client);
    let gone_on = loop {
        let offset = upload.offset().await;
        let answer = upload.put(offset, &source[offset..2 * third]).await;
        if answer.status == 200 {
            break offset;
        }
        assert_eq!(answer.json()["kind"], "upload-busy");
        sleep(Duration::from_millis(5)).await;
    };
    assert!(gone_on > third && gone_on <= third + third / 2, "{gone_on}");

    assert_eq!(plans(&operator).await, 0);
    let last = upload.put(2 * third, &source[2 * third..]).await.json();
    assert_eq!(last["offset"], source.len());
    let job = upload.ended().await;
    assert_eq!(plan(&operator, &job).await, expected);
    assert_eq!(job["progress"]["read_bytes"], source.len());
    assert_eq!(job["progress"]["total_bytes"], source.len());
}

#[actix_web::test]
async fn a_chunk_from_another_place_is_refused_and_says_where_to_go_on() {
    let source = source();
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    assert_eq!(upload.put(0, &source[..1000]).await.status, 200);
    for offset in [0, 999, 1001, source.len()] {
        let refused = upload.put(offset, b"").await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert_eq!(refused.json()["kind"], "wrong-offset");
        assert_eq!(refused.json()["offset"], 1000);
    }
    assert_eq!(upload.put(1000, &source[1000..]).await.status, 200);
    assert_eq!(upload.ended().await["state"], "done");
}

#[actix_web::test]
async fn of_two_requests_at_once_one_feeds_and_nothing_of_the_other_is_mixed_in() {
    let source = source();
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    let mut client = connect(&operator, PUBLISHER).await;
    let path = format!("/uploads/{}?offset=0", upload.id);
    client
        .write_all(head("PUT", &path, source.len()).as_bytes())
        .await
        .unwrap();
    client.write_all(&source[..5000]).await.unwrap();
    while upload.offset().await < 5000 {
        sleep(Duration::from_millis(5)).await;
    }
    for offset in [0, 5000] {
        let refused = upload.put(offset, &[0; 700]).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert_eq!(refused.json()["kind"], "upload-busy");
        assert_eq!(refused.json()["offset"], 5000);
    }
    client.write_all(&source[5000..]).await.unwrap();
    assert_eq!(answer(client).await.status, 200);
    let job = upload.ended().await;
    assert_eq!(job["result"]["packages"], 2, "{job}");
}

#[actix_web::test]
async fn only_who_began_an_upload_feeds_it_and_drops_it_but_for_an_approver() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, 5000, "9.2.0").await;
    for (user, kind) in [
        (VIEWER, "needs-role"),
        (OTHER_PUBLISHER, "not-yours"),
        (APPROVER, "not-yours"),
        (ADMIN, "not-yours"),
    ] {
        let refused = upload.put_as(user, 0, b"x").await;
        assert_eq!(
            (refused.status, refused.json()["kind"].as_str()),
            (403, Some(kind))
        );
    }
    assert_eq!(upload.offset().await, 0);
    for user in [VIEWER, OTHER_PUBLISHER] {
        assert_eq!(upload.cancel_as(user).await.status, 403);
    }
    assert_eq!(upload.cancel_as(APPROVER).await.status, 200);
    assert_eq!(upload.ended().await["state"], "cancelled");
    let own = Uploading::begin(&operator, 5000, "9.2.0").await;
    assert_eq!(own.cancel_as(PUBLISHER).await.status, 200);
    assert_eq!(own.ended().await["state"], "cancelled");
}

#[actix_web::test]
async fn more_than_was_announced_or_than_a_chunk_is_refused_before_it_is_read() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, 100 << 20, "9.2.0").await;
    let path = format!("/uploads/{}?offset=0", upload.id);
    let chunked = format!(
        "PUT /admin/api/v1{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    let large = head("PUT", &path, (32 << 20) + 1);
    for (head, status, kind) in [
        (large, 413, "chunk-too-large"),
        (chunked, 411, "length-required"),
    ] {
        let mut client = connect(&operator, PUBLISHER).await;
        client.write_all(head.as_bytes()).await.unwrap();
        let refused = answer(client).await;
        assert_eq!(
            (refused.status, refused.json()["kind"].as_str()),
            (status, Some(kind))
        );
    }
    let small = Uploading::begin(&operator, 10, "9.2.0").await;
    let refused = small.put(0, &[0; 11]).await;
    assert_eq!(
        (refused.status, refused.json()["kind"].as_str()),
        (413, Some("more-than-announced"))
    );
    assert_eq!((upload.offset().await, small.offset().await), (0, 0));
}

#[actix_web::test]
async fn no_more_imports_are_begun_than_may_be_at_a_time() {
    let registry = TestRegistry::empty();
    let limits = JobLimits {
        imports: 2,
        ..JobLimits::default()
    };
    let operator = operator_with(&registry.store, limits);
    let first = Uploading::begin(&operator, 5000, "9.2.0").await;
    let _second = Uploading::begin(&operator, 5000, "9.2.0").await;
    let import =
        "/imports?source_name=x&branch=a&may_ask=false&job=0123456789abcdef0123456789abcdef";
    for refused in [
        begin(&operator, 5000, "9.2.0").await,
        ask(&operator, PUBLISHER, "POST", import, b"x").await,
    ] {
        assert_eq!(
            (refused.status, refused.json()["kind"].as_str()),
            (429, Some("too-many-imports"))
        );
    }
    assert_eq!(operator.jobs.list().len(), 2);
    first.cancel_as(PUBLISHER).await;
    first.ended().await;
    assert_eq!(begin(&operator, 5000, "9.2.0").await.status, 200);
}

#[actix_web::test]
async fn what_cannot_fit_on_the_disk_is_refused_before_its_first_chunk() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let refused = begin(&operator, 1 << 60, "9.2.0").await;
    assert_eq!(refused.status, 507);
    let refused = refused.json();
    assert_eq!(refused["kind"], "upload-too-large");
    let needed = (1_u64 << 60) / 10 + (32 << 20);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains(&format!("at least {needed} bytes have to be free, and "))
    );
    assert_eq!(begin(&operator, u64::MAX, "9.2.0").await.status, 507);
    assert!(operator.jobs.list().is_empty());
}

#[actix_web::test]
async fn an_upload_of_which_nothing_comes_is_dropped() {
    let registry = TestRegistry::empty();
    let limits = JobLimits {
        silence: Duration::from_millis(30),
        ..JobLimits::default()
    };
    let operator = operator_with(&registry.store, limits);
    let source = source();
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    let job = upload.ended().await;
    assert_eq!(
        (job["state"].as_str(), job["failure"]["kind"].as_str()),
        (Some("failed"), Some("upload-silent"))
    );
    let late = upload.put(0, &source).await;
    assert_eq!(late.json()["kind"], "upload-silent", "{late:?}");
    assert!(
        late.json()["error"]
            .as_str()
            .unwrap()
            .contains("found again")
    );
    assert_eq!(plans(&operator).await, 0);
}

#[actix_web::test]
async fn an_upload_that_is_cancelled_leaves_nothing_offered_and_a_later_one_is_whole() {
    let source = source();
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    assert_eq!(
        upload
            .put(0, &source[..source.len() / 2 + 100_000])
            .await
            .status,
        200
    );
    assert_eq!(upload.cancel_as(PUBLISHER).await.status, 200);
    let job = upload.ended().await;
    assert_eq!(job["state"], "cancelled");
    assert_eq!(job["failure"]["kind"], "cancelled");
    let refused = upload.put(source.len() / 2 + 100_000, b"x").await;
    assert_eq!(
        (refused.status, refused.json()["kind"].as_str()),
        (409, Some("cancelled"))
    );
    assert_eq!(
        upload.cancel_as(PUBLISHER).await.json()["kind"],
        "job-ended"
    );
    assert_eq!(plans(&operator).await, 0);
    assert_eq!(
        get(&operator, "/history?limit=5").await.json()["change_sets"],
        json!([])
    );

    let again = Uploading::begin(&operator, source.len(), "9.2.0").await;
    assert_eq!(again.put(0, &source).await.status, 200);
    let job = again.ended().await;
    assert_eq!(job["result"]["packages"], 2, "{job}");
    // What was read before was not thrown away.
    assert_eq!(job["result"]["new"], 1, "{job}");
}

#[actix_web::test]
async fn two_sources_at_once_are_two_plans() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let sources = [
        packages::tar_of([
            package("a", "1.0.0").with_file("docs/x.bin", noise(300_000, 7)),
            package("same", "1.0.0"),
        ])
        .bytes(),
        packages::tar_of([
            package("b", "1.0.0").with_file("docs/x.bin", noise(300_000, 9)),
            package("same", "1.0.0"),
        ])
        .bytes(),
    ];
    let uploads = [
        Uploading::begin(&operator, sources[0].len(), "9.1.0").await,
        Uploading::begin(&operator, sources[1].len(), "9.2.0").await,
    ];
    let mut offset = 0;
    while offset < sources[0].len().max(sources[1].len()) {
        for (upload, source) in uploads.iter().zip(&sources) {
            let end = (offset + 50_000).min(source.len());
            if offset < end {
                assert_eq!(upload.put(offset, &source[offset..end]).await.status, 200);
            }
        }
        offset += 50_000;
    }
    for upload in &uploads {
        let job = upload.ended().await;
        assert_eq!(job["result"]["packages"], 2, "{job}");
        let path = format!("/plans/{}/commit", job["result"]["plan"]);
        let committed = ask(&operator, APPROVER, "POST", &path, b"{}").await;
        assert_eq!(committed.status, 200, "{committed:?}");
    }
    for (release, package) in [("9.1.0", "a"), ("9.2.0", "b")] {
        let explained = get(
            &operator,
            &format!("/explain?package={package}&distribution={release}"),
        )
        .await;
        assert_eq!(explained.status, 200, "{explained:?}");
    }
}

#[actix_web::test]
async fn a_compressed_tar_and_an_image_are_uploaded_too() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let layer = content().into_iter().fold(tar(), |tar, package| {
        let folder = format!("packages/package-storage/{}/1.0.0", package.name());
        package
            .files()
            .into_iter()
            .fold(tar, |tar, (path, content)| {
                tar.file(format!("{folder}/{path}"), content)
            })
    });
    let base = tar().file("etc/passwd", "root");
    let image = image(ImageForm::DockerArchive, &[base, layer]).tag("x/distribution:9.1.0");
    for (source, release) in [
        (packages::tar_of(content()).zst(), "9.2.0"),
        (image.bytes(), "9.1.0"),
    ] {
        let upload = Uploading::begin(&operator, source.len(), release).await;
        for (number, chunk) in source.chunks(700_000).enumerate() {
            let answer = upload.put(number * 700_000, chunk).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let job = upload.ended().await;
        assert_eq!(job["result"]["packages"], 2, "{job}");
    }
}

#[actix_web::test]
async fn what_is_no_source_is_told_to_who_sends_more_of_it() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, 3 << 20, "9.2.0").await;
    let answer = upload.put(0, &noise(3 << 20, 11)).await;
    assert_eq!(
        (answer.status, answer.json()["kind"].as_str()),
        (409, Some("not-an-archive"))
    );
    let job = upload.ended().await;
    assert_eq!(job["failure"]["kind"], "not-an-archive");
}

#[actix_web::test]
async fn the_servers_stop_ends_uploads_and_takes_no_more() {
    let source = source();
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let upload = Uploading::begin(&operator, source.len(), "9.2.0").await;
    assert_eq!(upload.put(0, &source[..9000]).await.status, 200);
    let jobs = Arc::clone(&operator.clone().into_inner());
    let finished = actix_web::web::block(move || jobs.jobs.finish(Duration::from_secs(20)));
    finished.await.unwrap();
    let job = upload.ended().await;
    assert_eq!(
        (job["state"].as_str(), job["failure"]["kind"].as_str()),
        (Some("failed"), Some("stopping"))
    );
    assert_eq!(upload.put(9000, &source[9000..]).await.status, 503);
    assert_eq!(begin(&operator, 5000, "9.2.0").await.status, 503);
    assert_eq!(plans(&operator).await, 0);
}

#[actix_web::test]
async fn an_upload_that_is_gone_says_to_begin_anew() {
    let registry = TestRegistry::empty();
    let operator = operator(&registry.store);
    let id = "0123456789abcdef0123456789abcdef";
    let gone = ask(
        &operator,
        PUBLISHER,
        "PUT",
        &format!("/uploads/{id}?offset=5"),
        b"x",
    )
    .await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.json()["error"]
            .as_str()
            .unwrap()
            .contains("begin it anew")
    );
}
