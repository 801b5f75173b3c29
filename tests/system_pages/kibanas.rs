//! Kibanas: who asks, what to tell one, what one would find.

use airlock::admin::status::Service;

use crate::support::package;
use crate::visits::{fetched, full, import, look, page, send};
use crate::world::World;

#[actix_web::test]
async fn a_kibana_that_got_an_error_last_is_told_from_one_that_got_one_before() {
    let world = World::new();
    let empty = page(&world, "viewer", "/kibanas").await;
    assert!(empty.contains("No Kibana has asked"), "{empty}");
    assert!(empty.contains("Listening"), "{empty}");
    let kibanas = &world.operator.service.kibanas;
    kibanas.note("9.2.0", None, "/package/nginx/9.9.9/", 404);
    let failing = page(&world, "viewer", "/kibanas").await;
    assert!(failing.contains("One got an error last."), "{failing}");
    assert!(
        failing.contains("404 <code>/package/nginx/9.9.9/</code>"),
        "{failing}"
    );
    kibanas.note("9.2.0", None, "/search", 200);
    let well = page(&world, "viewer", "/kibanas").await;
    assert!(well.contains("None of them got an error last."), "{well}");
    assert!(well.contains("/package/nginx/9.9.9/"), "{well}");
}

#[actix_web::test]
async fn a_kibana_is_told_what_it_knows_and_where_to_ask() {
    let world = full();
    assert!(Service::default().addresses.is_empty());
    let path = "/kibanas/connect?kibana=9.2.0&d=prod&url=https%3A%2F%2Fepr.site%3A8443%2Fd%2Fprod";
    let body = page(&world, "viewer", path).await;
    assert!(
        body.contains("xpack.fleet.registryUrl: &#34;https://epr.site:8443/d/prod&#34;"),
        "{body}"
    );
    assert!(body.contains("xpack.fleet.isAirGapped: true"), "{body}");
    assert!(
        body.contains("--url &#39;https://epr.site:8443/d/prod&#39; --ca ca.pem"),
        "{body}"
    );
    let old = page(&world, "viewer", "/kibanas/connect?kibana=7.8.0").await;
    assert!(old.contains("No Kibana can be told so."), "{old}");
    let wrong = page(
        &world,
        "viewer",
        "/kibanas/connect?kibana=9.2.0&url=ftp%3A%2F%2Fx",
    )
    .await;
    assert!(wrong.contains("begins with neither"), "{wrong}");
}

#[actix_web::test]
async fn a_kibana_that_is_to_be_upgraded_is_told_what_breaks_first() {
    let world = World::new();
    let changelog = "- version: 1.1.0\n  changes:\n    - description: the <b>field</b> is gone\n      type: breaking-change\n      link: x\n";
    let newer = package("nginx", "1.1.0").with_file("changelog.yml", changelog);
    let other = package("redis", "1.0.0");
    import(
        &world,
        "9.2.0",
        None,
        [package("nginx", "1.0.0"), newer, other],
    );
    airlock::admin::distributions::activate(
        &world.store,
        &crate::visits::tester(),
        &crate::visits::name("9.2.0"),
    )
    .unwrap();
    let pasted = "nginx 1.0.0\nredis-1.0.0\nmongodb@2.0.0\n";
    let path = "/kibanas/preflight?kibana=9.2.0";
    let answer = send(&world, "viewer", path, &[("installed", pasted)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.body;
    assert!(body.contains("<b>2</b> of 3 installed packages"), "{body}");
    let place = |text: &str| {
        body.find(text)
            .unwrap_or_else(|| panic!("{text} in {body}"))
    };
    assert!(
        body.contains("the &#60;b&#62;field&#60;/b&#62; is gone"),
        "{body}"
    );
    assert!(place("<h2>Breaking changes</h2>") < place("There is no version here: 1 package"));
    assert!(place("Would get a newer version: 1 package") < place("Stay as they are: 1 package"));
    assert!(body.contains("Fleet asks for these by itself"), "{body}");

    let wrong = send(&world, "viewer", path, &[("installed", "{\"items\": 7}")]).await;
    assert!(
        wrong.body.contains("is no list of installed packages"),
        "{}",
        wrong.body
    );
    let without = send(&world, "viewer", path, &[("installed", "")]).await;
    assert!(without.body.contains("of 2 packages"), "{}", without.body);
}

#[actix_web::test]
async fn what_was_fetched_is_listed_by_kibana() {
    let world = full();
    let empty = page(&world, "viewer", "/kibanas/installed").await;
    assert!(empty.contains("No Kibana has fetched a package yet."));
    fetched(&world, "default", "nginx", "1.0.0", "9.2.0");
    fetched(&world, "9.2.0", "nginx", "1.1.0", "");
    let body = page(&world, "viewer", "/kibanas/installed").await;
    assert!(
        body.contains("<b>1 package</b> fetched by 2 versions of Kibana"),
        "{body}"
    );
    assert!(
        body.contains("not said") && body.contains("1.1.0"),
        "{body}"
    );
    let used = page(&world, "viewer", "/kibanas/preflight?kibana=9.2.0&used=1").await;
    assert!(used.contains("of 1 installed package in default"), "{used}");
    assert_eq!(look(&world, "viewer", "/kibanas/nothing").await.status, 404);
}
