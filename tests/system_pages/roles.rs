//! Who is shown what: every page of the table, every role; what is hostile is text on each of them.

use airlock::admin::Role;
use airlock::admin::pages::served;

use crate::requests::{ask, post};
use crate::visits::{HOSTILE, full, look, not_done, page, state};

/// The pages that these tests are about.
const PAGES: [&str; 20] = [
    "/kibanas",
    "/kibanas/connect",
    "/kibanas/preflight",
    "/kibanas/preflight?kibana=9.2.0",
    "/kibanas/installed",
    "/system",
    "/system/collect",
    "/system/releases/9.1.0/delete",
    "/system/keys",
    "/system/tls",
    "/system/people",
    "/system/audit",
    "/system/audit?verify=1",
    "/system/settings",
    "/system/support",
    "/transfer/quarantine",
    "/distributions",
    "/distributions/default",
    "/distributions/9.2.0",
    "/change-distribution?name=prod&from=9.2.0",
];

#[actix_web::test]
async fn what_others_wrote_is_text_on_every_page() {
    let world = full();
    let encoded: String = serde_urlencoded::to_string([("x", HOSTILE)]).unwrap();
    let encoded = encoded.trim_start_matches("x=");
    let mut shown = 0;
    for path in PAGES {
        let sign = if path.contains('?') { '&' } else { '?' };
        let fields = ["url", "who", "head", "used", "done", "q", "like", "before"];
        let more: Vec<_> = fields.map(|field| format!("{field}={encoded}")).to_vec();
        let more = more.join("&");
        let plain = page(&world, "admin", path).await;
        let asked = look(&world, "admin", &format!("{path}{sign}{more}")).await;
        for body in [plain, asked.body] {
            assert_eq!(body.matches("<script").count(), 1, "{path}: {body}");
            assert!(!body.contains("<img src=x"), "{path}: {body}");
            assert!(
                !body.contains("style=") && !body.contains("onclick"),
                "{path}"
            );
            shown += usize::from(body.contains("&#60;script") || body.contains("&lt;script"));
        }
    }
    assert!(shown > 8, "what is hostile is shown on {shown} pages");
}

#[actix_web::test]
async fn a_page_is_shown_and_a_form_is_taken_by_its_role_and_those_above_it_alone() {
    let world = full();
    let before = state(&world);
    for route in served() {
        let Some(needs) = route.needs else { continue };
        let path = route
            .path
            .replace("{name}", "nothing")
            .replace("{version}", "1.0.0");
        let path = path.replace("{number}", "77").replace("{id}", "77");
        let path = path.replace("{release}", "9.9.9");
        for role in Role::ALL.into_iter().filter(|role| *role < needs) {
            let session = world.session(role.name());
            let asked = ask(route.method.as_str(), &format!("/admin{path}"));
            let answer = asked.by(&session).send(&world).await;
            let shown = format!("{role} {} {path}", route.method);
            assert_eq!(answer.status, 403, "{shown}");
            assert!(answer.body.contains("his needs the role"), "{shown}");
        }
    }
    assert_eq!(state(&world), before);
}

#[actix_web::test]
async fn no_form_is_taken_that_no_page_of_the_session_sent() {
    let world = full();
    let before = state(&world);
    let (admin, other) = (world.session("admin"), world.session("admin"));
    let mut forms = 0;
    for route in served() {
        if route.method.as_str() != "POST" || route.needs.is_none() {
            continue;
        }
        forms += 1;
        let path = route
            .path
            .replace("{name}", "default")
            .replace("{release}", "9.1.0");
        let path = path.replace("{number}", "1").replace("{id}", "1");
        let path = path.replace("{version}", "1.0.0");
        let csrf = format!("csrf={}", other.csrf);
        for body in ["", "csrf=", csrf.as_str()] {
            let body = format!("{body}&typed=9.1.0&name=prod&from=9.2.0&id=1");
            let asked = post(&format!("/admin{path}")).by(&admin);
            let answer = asked.without("x-csrf-token").form(&body).send(&world).await;
            not_done(&answer, 403);
        }
    }
    assert!(forms > 20);
    assert_eq!(state(&world), before);
    let audited = world.audited();
    let is_refused = |line: &&String| line.contains("bad-csrf") && line.contains("POST /admin/");
    assert!(audited.iter().any(|line| is_refused(&line)), "{audited:?}");
}

#[actix_web::test]
async fn what_is_no_form_is_not_taken() {
    let world = full();
    let session = world.session("admin");
    let json = post("/admin/system/collect").by(&session).json("{}");
    not_done(&json.send(&world).await, 400);
}

#[actix_web::test]
async fn nobody_is_shown_a_form_that_would_be_refused() {
    let world = full();
    for (path, needs, mark) in [
        ("/system", Role::Admin, "/admin/system/collect"),
        (
            "/system",
            Role::Admin,
            "/admin/system/releases/9.1.0/delete",
        ),
        ("/system/keys", Role::Admin, "/admin/system/keys/look"),
        ("/system/keys", Role::Admin, "/admin/system/keys/remove"),
        ("/system/keys", Role::Admin, "/admin/system/keys/policy"),
        (
            "/system/people",
            Role::Admin,
            "method=\"post\" action=\"/admin/system/people\"",
        ),
        ("/system/people", Role::Viewer, "/admin/system/tokens"),
        ("/system/support", Role::Admin, "/admin/system/support.json"),
        (
            "/transfer/quarantine",
            Role::Approver,
            "/admin/transfer/quarantine/drop",
        ),
        (
            "/distributions",
            Role::Approver,
            "/admin/change-distribution",
        ),
        (
            "/distributions/default",
            Role::Approver,
            "/admin/change-distribution",
        ),
        (
            "/distributions/default",
            Role::Approver,
            "/admin/holds/1/release",
        ),
    ] {
        for role in Role::ALL {
            let body = page(&world, role.name(), path).await;
            assert_eq!(body.contains(mark), role >= needs, "{role} {path} {mark}");
        }
    }
}
