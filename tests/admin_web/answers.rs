//! Every header of every kind of answer.

use crate::requests::{Answer, Ask, ask, get, post};
use crate::world::{PASSWORD, World};

/// What all answers say, in the order of their names.
const ALWAYS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("connection", "close"),
];

/// Returns what an answer says beside what all do, but for its date and length; fails where one of those is missing.
fn of_its_own(answer: &Answer) -> Vec<String> {
    let mut own = Vec::new();
    for (name, value) in &answer.headers {
        if ALWAYS.contains(&(name, value)) || matches!(name.as_str(), "date" | "content-length") {
            continue;
        }
        let value = match name.as_str() {
            "set-cookie" => "…",
            _ => value,
        };
        own.push(format!("{name}: {value}"));
    }
    for (name, _) in ALWAYS {
        assert!(
            answer.header(name).is_some(),
            "{name} is missing in {answer:?}"
        );
    }
    own.sort();
    own
}

#[actix_web::test]
async fn every_kind_of_answer_says_this_and_nothing_else() {
    let world = World::new();
    let (viewer, admin) = (world.session("viewer"), world.session("admin"));
    let json = vec!["cache-control: no-store", "content-type: application/json"];
    let page = vec![
        "cache-control: no-store",
        "content-type: text/html; charset=utf-8",
    ];
    let login = format!(r#"{{"name":"admin","password":"{PASSWORD}"}}"#);
    let api = |path: &str| get(&format!("/admin/api/v1{path}"));
    let session = "/admin/api/v1/session";
    let rows: Vec<(&str, Ask, u16, Vec<&str>)> = vec![
        ("an answer", api("/status").by(&viewer), 200, json.clone()),
        ("nobody", api("/status"), 401, json.clone()),
        ("another role", api("/users").by(&viewer), 403, json.clone()),
        (
            "another host",
            api("/status").instead("host", "evil.site"),
            421,
            json.clone(),
        ),
        (
            "in clear",
            api("/status").from("192.0.2.1:9"),
            403,
            json.clone(),
        ),
        (
            "no such route",
            api("/nothing").by(&viewer),
            404,
            json.clone(),
        ),
        ("no such version", get("/admin/api/v9/x"), 404, json.clone()),
        (
            "another method",
            ask("PATCH", session).by(&viewer),
            404,
            json.clone(),
        ),
        (
            "preflight",
            ask("OPTIONS", session).with("origin", "http://evil.site"),
            404,
            json.clone(),
        ),
        (
            "a body that is no JSON",
            post("/admin/api/v1/gc").json("x").by(&admin),
            400,
            json.clone(),
        ),
        (
            "a login",
            post(session).sent_by_a_page().json(&login),
            200,
            vec![
                "cache-control: no-store",
                "content-type: application/json",
                "set-cookie: …",
            ],
        ),
        (
            "a log-out",
            ask("DELETE", session).by(&world.session("viewer")),
            204,
            vec!["cache-control: no-store", "set-cookie: …"],
        ),
        ("a page", get("/admin/").by(&viewer), 200, page.clone()),
        (
            "no such page",
            get("/admin/nothing").by(&viewer),
            404,
            page.clone(),
        ),
        (
            "a page of another host",
            get("/admin/").instead("host", "evil.site"),
            421,
            page,
        ),
        (
            "what pages are made of",
            get("/admin/static/airlock.css"),
            200,
            vec![
                "cache-control: public, max-age=31536000, immutable",
                "content-type: text/css; charset=utf-8",
            ],
        ),
    ];
    for (what, asked, status, own) in rows {
        let answer = asked.send(&world).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(of_its_own(&answer), own, "{what}");
        let is_told = |name: &str| name.starts_with("access-control-");
        assert!(
            !answer.headers.iter().any(|(name, _)| is_told(name)),
            "{what}"
        );
    }
}
