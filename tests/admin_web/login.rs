//! Logging in and out, what a session is worth and for how long, and the first admin.

use airlock::admin::setup;
use airlock::admin::{Role, users as of_users};
use airlock::people::Actor;
use airlock::store::users;
use jiff::SignedDuration;

use crate::requests::{Answer, Ask, get, post};
use crate::world::{FAILURES, IDLE, LONGEST, PASSWORD, World};

const SESSION: &str = "/admin/api/v1/session";

fn log_in(name: &str, password: &str) -> Ask {
    let body = serde_json::json!({ "name": name, "password": password });
    post(SESSION).sent_by_a_page().json(&body.to_string())
}

/// The cookie that an answer has a browser keep, as it sends it back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

fn field(answer: &Answer, name: &str) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    body[name].clone()
}

async fn who(world: &World, cookie: &str) -> Answer {
    get(SESSION).with("cookie", cookie).send(world).await
}

#[actix_web::test]
async fn a_login_begins_a_session_whose_cookie_no_script_and_no_other_site_has() {
    let world = World::new();
    let answer = log_in("admin", PASSWORD).send(&world).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let set = answer.header("set-cookie").unwrap();
    let (pair, flags) = set.split_once("; ").unwrap();
    assert_eq!(flags, "Path=/admin; HttpOnly; SameSite=Strict");
    let (name, secret) = pair.split_once('=').unwrap();
    assert_eq!((name, secret.len()), ("airlock-session", 64));
    assert_eq!(field(&answer, "role"), "admin");
    assert_eq!(field(&answer, "how"), "session");

    let secure = log_in("admin", PASSWORD)
        .over_tls()
        .from("192.0.2.1:9")
        .instead("origin", "https://localhost:8080");
    let answer = secure.send(&world).await;
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Secure-airlock-session="), "{set}");
    let flags = "; Path=/admin; HttpOnly; SameSite=Strict; Secure";
    assert!(set.ends_with(flags), "{set}");
    assert_eq!(
        world.audited(),
        [
            "admin|127.0.0.1|login|admin|done|{}",
            "admin|192.0.2.1|login|admin|done|{}"
        ]
    );
}

#[actix_web::test]
async fn a_login_takes_no_secret_that_the_browser_had_before() {
    let world = World::new();
    let planted = "ab".repeat(32);
    let former = world.session("viewer");
    for sent in [&planted, &former.cookie] {
        let sent = format!("airlock-session={sent}");
        let answer = log_in("admin", PASSWORD)
            .with("cookie", &sent)
            .send(&world)
            .await;
        assert_eq!(answer.status, 200);
        assert_ne!(cookie(&answer), sent);
        assert_eq!(who(&world, &sent).await.status, 401, "{sent}");
        assert_eq!(who(&world, &cookie(&answer)).await.status, 200);
    }
}

#[actix_web::test]
async fn an_unknown_name_a_wrong_password_and_a_lock_are_one_answer() {
    let world = World::new();
    let now = world.now();
    let proxied = world
        .store
        .write(|conn| users::insert(conn, "proxied", Role::Admin, None, now));
    proxied.unwrap().unwrap();
    let user = world.user("viewer");
    let locked = world.store.write(|conn| users::lock(conn, user.id, now));
    locked.unwrap();
    let (sessions, _, changes) = world.counts();
    let mut answers = Vec::new();
    for (name, password) in [
        ("mallory", PASSWORD),
        ("admin", "a lighthouse in sun"),
        ("admin", ""),
        ("viewer", PASSWORD),
        ("viewer", "a lighthouse in sun"),
        ("proxied", PASSWORD),
        ("", ""),
        ("a b:c\u{0}", PASSWORD),
        ("admin", &"x".repeat(2_000)),
    ] {
        let answer = log_in(name, password).send(&world).await;
        assert!(answer.header("set-cookie").is_none());
        answers.push((answer.status, answer.body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, 401);
    assert!(answers[0].1.contains("wrong-login"));
    let after = world.counts();
    assert_eq!((after.0, after.2), (sessions, changes));
    let audited = world.audited();
    assert!(
        audited[0].starts_with("|127.0.0.1|login||refused|"),
        "{audited:?}"
    );
    assert!(
        audited.iter().all(|line| !line.contains("lighthouse")),
        "{audited:?}"
    );
}

#[actix_web::test]
async fn who_fails_too_often_is_locked_until_somebody_unlocks_them() {
    let world = World::new();
    let open = world.session("publisher");
    for _ in 0..FAILURES {
        let answer = log_in("publisher", "wrong").send(&world).await;
        assert_eq!(answer.kind(), "wrong-login");
    }
    assert!(world.user("publisher").locked_since.is_some());
    let answer = log_in("publisher", PASSWORD).send(&world).await;
    assert_eq!(answer.kind(), "wrong-login");
    // Whoever is in stays in: a lock keeps out, it does not throw out.
    let answer = get(SESSION).by(&open).send(&world).await;
    assert_eq!(answer.status, 200);

    of_users::unlock(&world.store, &Actor::here("root"), "publisher").unwrap();
    let answer = log_in("publisher", PASSWORD).send(&world).await;
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn a_login_that_comes_about_counts_failures_anew_and_tells_of_them() {
    let world = World::new();
    assert_eq!(log_in("approver", PASSWORD).send(&world).await.status, 200);
    log_in("approver", "wrong")
        .from("[2001:db8::7]:9")
        .over_tls()
        .send(&world)
        .await;
    log_in("approver", "wrong").send(&world).await;
    let first = world.now();
    world.wait(SignedDuration::from_mins(5));
    let answer = log_in("approver", PASSWORD).send(&world).await;
    // The one from afar was not asked for by a page of that origin.
    assert_eq!(field(&answer, "failures"), 1);
    assert_eq!(field(&answer, "last_login")["from"], "127.0.0.1");
    assert_eq!(field(&answer, "last_login")["at"], first.to_string());
    assert_eq!(world.user("approver").failures, 0);
    for _ in 1..FAILURES {
        log_in("approver", "wrong").send(&world).await;
    }
    assert!(world.user("approver").locked_since.is_none());
}

#[actix_web::test]
async fn a_session_that_is_idle_too_long_is_over() {
    let world = World::new();
    let session = world.session("viewer");
    for _ in 0..3 {
        world.wait(IDLE - SignedDuration::from_mins(1));
        assert_eq!(get(SESSION).by(&session).send(&world).await.status, 200);
    }
    world.wait(IDLE + SignedDuration::from_mins(1));
    let answer = get(SESSION).by(&session).send(&world).await;
    assert_eq!(answer.kind(), "not-signed-in");
}

#[actix_web::test]
async fn a_session_is_over_in_any_case_after_its_longest_time() {
    let world = World::new();
    let session = world.session("viewer");
    let step = IDLE - SignedDuration::from_mins(1);
    let mut waited = SignedDuration::ZERO;
    while waited + step < LONGEST {
        world.wait(step);
        waited += step;
        assert_eq!(get(SESSION).by(&session).send(&world).await.status, 200);
    }
    world.wait(step);
    let answer = get(SESSION).by(&session).send(&world).await;
    assert_eq!(answer.kind(), "not-signed-in");
}

#[actix_web::test]
async fn who_is_removed_or_has_another_role_or_password_is_so_at_once() {
    let world = World::new();
    let (approver, viewer) = (world.session("approver"), world.session("viewer"));
    let token = world.token("approver", SignedDuration::from_hours(1));
    let root = Actor::here("root");
    let asks_for = |path: &str| get(&format!("/admin/api/v1{path}"));

    of_users::set_role(&world.store, &root, "viewer", Role::Admin).unwrap();
    let answer = asks_for("/users").by(&viewer).send(&world).await;
    assert_eq!(answer.status, 200);
    of_users::set_role(&world.store, &root, "viewer", Role::Viewer).unwrap();
    let answer = asks_for("/users").by(&viewer).send(&world).await;
    assert_eq!(answer.kind(), "needs-role");

    of_users::remove(&world.store, &root, "approver").unwrap();
    for asked in [
        asks_for("/status").by(&approver),
        asks_for("/status").bearing(&token),
    ] {
        assert_eq!(asked.send(&world).await.kind(), "not-signed-in");
    }
}

#[actix_web::test]
async fn logging_out_ends_this_session_and_no_other() {
    let world = World::new();
    let (ours, other) = (world.session("viewer"), world.session("viewer"));
    let answer = crate::requests::ask("DELETE", SESSION)
        .by(&ours)
        .send(&world)
        .await;
    assert_eq!(answer.status, 204);
    let set = answer.header("set-cookie").unwrap();
    assert_eq!(
        set,
        "airlock-session=; Path=/admin; HttpOnly; SameSite=Strict; Max-Age=0"
    );
    assert_eq!(
        get(SESSION).by(&ours).send(&world).await.kind(),
        "not-signed-in"
    );
    assert_eq!(get(SESSION).by(&other).send(&world).await.status, 200);
    assert_eq!(world.audited(), ["viewer|127.0.0.1|logout|viewer|done|{}"]);
    let token = world.token("viewer", SignedDuration::from_hours(1));
    let answer = crate::requests::ask("DELETE", SESSION)
        .bearing(&token)
        .send(&world)
        .await;
    assert_eq!(answer.kind(), "invalid-request");
}

#[actix_web::test]
async fn no_other_site_logs_somebody_in_or_sets_up() {
    let world = World::new();
    let before = world.counts();
    for path in [SESSION, "/admin/api/v1/setup"] {
        let body = format!(r#"{{"name":"admin","password":"{PASSWORD}","link":"x"}}"#);
        let asked = post(path).json(&body);
        for (who, asked) in [
            ("nothing said", asked.clone()),
            (
                "another site",
                asked.clone().with("origin", "http://evil.site"),
            ),
            ("no origin", asked.clone().with("origin", "null")),
            ("same site", asked.with("sec-fetch-site", "same-site")),
        ] {
            let answer = asked.send(&world).await;
            assert_eq!(
                (answer.status, &*answer.kind()),
                (403, "other-origin"),
                "{who}"
            );
        }
    }
    assert_eq!(world.counts(), before);
    assert!(world.audited().is_empty());
}

#[actix_web::test]
async fn an_address_that_fails_often_waits_and_others_do_not() {
    let world = World::new();
    for _ in 0..20 {
        let answer = log_in("mallory", "wrong").send(&world).await;
        assert_eq!(answer.status, 401);
    }
    let noted = world.audited().len();
    let answer = log_in("admin", PASSWORD).send(&world).await;
    assert_eq!((answer.status, &*answer.kind()), (429, "too-many-logins"));
    assert_eq!(answer.header("retry-after"), Some("600"));
    assert_eq!(world.audited().len(), noted);
    assert_eq!(world.user("admin").failures, 0);
    let other = log_in("admin", PASSWORD)
        .from("192.0.2.1:9")
        .over_tls()
        .instead("origin", "https://localhost:8080");
    assert_eq!(other.send(&world).await.status, 200);
    world.wait(SignedDuration::from_mins(10));
    assert_eq!(log_in("admin", PASSWORD).send(&world).await.status, 200);
}

#[actix_web::test]
async fn a_body_that_is_no_login_is_refused_and_not_repeated() {
    let world = World::new();
    let large = format!(
        r#"{{"name":"admin","password":"{}"}}"#,
        "secret".repeat(2_000)
    );
    for body in [
        "",
        "{}",
        "secret",
        r#"{"name":"admin"}"#,
        r#"{"name":"admin","password":["secret"]}"#,
        &large,
    ] {
        let answer = post(SESSION).sent_by_a_page().json(body).send(&world).await;
        assert_eq!(
            (answer.status, &*answer.kind()),
            (400, "invalid-request"),
            "{body:.40}"
        );
        assert!(!answer.body.contains("secret"), "{answer:?}");
    }
    let form = log_in("admin", PASSWORD).instead("content-type", "text/plain");
    assert_eq!(form.send(&world).await.kind(), "invalid-request");
    assert_eq!(world.counts().0, 0);
}

#[actix_web::test]
async fn the_setup_link_makes_one_admin_once() {
    let world = World::empty();
    let link = setup::make_link(&world.store, &Actor::here("root")).unwrap();
    let set_up = |link: &str, password: &str| {
        let body = serde_json::json!({ "link": link, "name": "eve", "password": password });
        post("/admin/api/v1/setup")
            .sent_by_a_page()
            .json(&body.to_string())
    };
    let answer = set_up(&"0".repeat(64), PASSWORD).send(&world).await;
    assert_eq!(answer.kind(), "no-such-link");
    let answer = set_up(&link.secret, "short").send(&world).await;
    assert_eq!(answer.kind(), "weak-password");
    assert!(of_users::list(&world.store).unwrap().is_empty());

    let answer = set_up(&link.secret, PASSWORD).send(&world).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(field(&answer, "role"), "admin");
    assert_eq!(who(&world, &cookie(&answer)).await.status, 200);
    let again = set_up(&link.secret, PASSWORD).send(&world).await;
    assert_eq!(again.kind(), "no-such-link");
    assert_eq!(of_users::list(&world.store).unwrap().len(), 1);
    let audited = world.audited().join("\n");
    assert!(!audited.contains(&link.secret), "{audited}");
}
