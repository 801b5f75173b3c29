//! Distributions: looked at, made, changed and deleted.

use airlock::admin::distributions;

use crate::support::package;
use crate::visits::{fetched, full, import, led_to, name, not_done, page, send, state};

#[actix_web::test]
async fn a_distribution_is_made_changed_and_deleted() {
    let world = full();
    import(&world, "local", None, [package("mine", "1.0.0")]);
    let before = state(&world);
    let look = "/change-distribution?name=prod&from=9.2.0&with=local";
    let shown = page(&world, "approver", look).await;
    assert!(
        shown.contains("would serve <b>local + 9.2.0</b>: 3 package versions"),
        "{shown}"
    );
    assert_eq!(state(&world), before, "looking changes nothing");

    let fields = [("name", "prod"), ("from", "9.2.0"), ("with", "local")];
    let made = send(&world, "approver", "/change-distribution", &fields).await;
    led_to(&made, "/distributions/prod?done=set");
    let same = page(&world, "approver", look).await;
    assert!(same.contains("serves just that already"), "{same}");
    fetched(&world, "prod", "nginx", "1.1.0", "9.2.0");

    let older = "/change-distribution?name=prod&from=9.1.0";
    let shown = page(&world, "approver", older).await;
    assert!(
        shown.contains("1 version that Kibanas fetched from it would no longer be offered"),
        "{shown}"
    );
    assert!(
        shown.contains("<b>9.1.0</b>"),
        "what was laid over it does not stay: {shown}"
    );
    let fields = [("name", "prod"), ("from", "9.1.0")];
    led_to(
        &send(&world, "approver", "/change-distribution", &fields).await,
        "/distributions/prod?done=set",
    );
    let details = distributions::show(&world.store, &name("prod")).unwrap();
    assert_eq!(details.report.branches, ["9.1.0"]);

    let fields = [("name", "prod"), ("like", "default")];
    led_to(
        &send(&world, "approver", "/change-distribution", &fields).await,
        "/distributions/prod?done=set",
    );
    let like = distributions::show(&world.store, &name("prod")).unwrap();
    let default = distributions::show(&world.store, &name("default")).unwrap();
    assert_eq!(like.report.fingerprint, default.report.fingerprint);

    let before = state(&world);
    let path = "/distributions/prod/delete";
    not_done(
        &send(&world, "approver", path, &[("typed", "default")]).await,
        400,
    );
    assert_eq!(state(&world), before);
    led_to(
        &send(&world, "approver", path, &[("typed", "prod")]).await,
        "/distributions?done=deleted",
    );
    assert!(distributions::show(&world.store, &name("prod")).is_err());
}

#[actix_web::test]
async fn what_cannot_be_is_said_and_changes_nothing() {
    let world = full();
    let before = state(&world);
    for (fields, status) in [
        (&[("name", "production"), ("from", "9.2.0")][..], 400),
        (&[("name", "9.3.0"), ("from", "9.2.0")], 400),
        (&[("name", "9.2.0"), ("from", "9.1.0")], 409),
        (&[("name", "prod"), ("from", "nothing")], 404),
        (&[("name", "prod")], 400),
        (
            &[("name", "prod"), ("from", "9.2.0"), ("like", "default")],
            400,
        ),
        (
            &[("name", "prod"), ("from", "9.2.0"), ("exact", "never")],
            400,
        ),
        (&[("name", "../x"), ("from", "9.2.0")], 400),
    ] {
        not_done(
            &send(&world, "approver", "/change-distribution", fields).await,
            status,
        );
    }
    for path in [
        "/distributions/default/delete",
        "/distributions/9.2.0/delete",
    ] {
        let typed = path.split('/').nth(2).unwrap();
        let answer = send(&world, "approver", path, &[("typed", typed)]).await;
        assert!(matches!(answer.status, 400 | 409), "{path}: {answer:?}");
    }
    assert_eq!(state(&world), before);
}

#[actix_web::test]
async fn each_is_told_with_its_holds_and_the_kibanas_that_ask_it() {
    let world = full();
    fetched(&world, "default", "nginx", "1.0.0", "9.2.0");
    let all = page(&world, "viewer", "/distributions").await;
    assert!(
        all.contains("1 hold") && all.contains("<td>9.2.0</td></tr>"),
        "{all}"
    );
    let one = page(&world, "viewer", "/distributions/default").await;
    assert!(
        one.contains("offers 1 package version of 1 package"),
        "{one}"
    );
    assert!(one.contains("nginx newer than 1.0.0"), "{one}");
    let released = send(&world, "approver", "/holds/1/release", &[("reason", "")]).await;
    assert_eq!(released.status, 303, "{released:?}");
    let one = page(&world, "viewer", "/distributions/default").await;
    assert!(one.contains("Nothing is held back."), "{one}");
}

#[actix_web::test]
async fn an_approver_asks_for_a_second_person_and_an_admin_alone_lets_it_go_without() {
    let world = full();
    let path = "/distributions/default/approvals";
    let approvals = || {
        let details = distributions::show(&world.store, &name("default")).unwrap();
        details.approvals
    };
    let done = "/distributions/default?done=approvals";
    led_to(
        &send(&world, "approver", path, &[("approvals", "1")]).await,
        done,
    );
    assert_eq!(approvals(), 1);
    for number in ["0", "2", "-1", "x"] {
        let answer = send(&world, "approver", path, &[("approvals", number)]).await;
        not_done(&answer, if number == "0" { 403 } else { 400 });
    }
    assert_eq!(approvals(), 1);
    let shown = page(&world, "approver", "/distributions/default").await;
    assert!(shown.contains("who did not stage it"), "{shown}");
    assert!(!shown.contains("Ask for nobody else"), "{shown}");
    led_to(
        &send(&world, "admin", path, &[("approvals", "0")]).await,
        done,
    );
    assert_eq!(approvals(), 0);
}

#[actix_web::test]
async fn what_asks_for_a_second_person_is_deleted_by_an_admin_alone_and_shows_others_no_form() {
    let world = full();
    let fields = [("name", "prod"), ("like", "default")];
    led_to(
        &send(&world, "approver", "/change-distribution", &fields).await,
        "/distributions/prod?done=set",
    );
    let form = "Type prod to delete it";
    let path = "/distributions/prod";
    assert!(page(&world, "approver", path).await.contains(form));
    let approvals = [("approvals", "1")];
    led_to(
        &send(
            &world,
            "approver",
            "/distributions/prod/approvals",
            &approvals,
        )
        .await,
        "/distributions/prod?done=approvals",
    );
    assert!(!page(&world, "approver", path).await.contains(form));
    assert!(page(&world, "admin", path).await.contains(form));
    let (delete, typed) = ("/distributions/prod/delete", [("typed", "prod")]);
    not_done(&send(&world, "approver", delete, &typed).await, 403);
    assert!(distributions::show(&world.store, &name("prod")).is_ok());
    led_to(
        &send(&world, "admin", delete, &typed).await,
        "/distributions?done=deleted",
    );
    assert!(distributions::show(&world.store, &name("prod")).is_err());
}
