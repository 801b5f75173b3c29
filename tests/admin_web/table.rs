//! Every route, everybody who could ask for it.

use airlock::admin::Role;
use airlock::admin::routes::{Served, served};
use jiff::SignedDuration;

use crate::requests::{Answer, Ask, ask};
use crate::world::{PROXY, USER_HEADER, World};

const API: &str = "/admin/api/v1";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Returns a path with something in each of its places.
pub fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        // Beyond the numbers that tokens of these tests have.
        "{id}" | "{number}" => "700007".to_owned(),
        "{fingerprint}" => "0123456789abcdef".to_owned(),
        part if part.starts_with('{') => "nothing".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn request(route: &Served) -> Ask {
    let path = format!("{API}{}", filled(route.path));
    ask(route.method.as_str(), &path).json("{}")
}

fn is_change(route: &Served) -> bool {
    route.method.as_str() != "GET"
}

fn assert_refused(route: &Served, who: &str, answer: &Answer, status: u16, kind: &str) {
    let shown = format!("{who}: {} {}: {answer:?}", route.method, route.path);
    assert_eq!(
        (answer.status, answer.kind().as_str()),
        (status, kind),
        "{shown}"
    );
}

/// Asserts that a request came through the guard: what it is answered then is the operation's.
fn assert_admitted(route: &Served, who: &str, answer: &Answer) {
    let shown = format!("{who}: {} {}: {answer:?}", route.method, route.path);
    // What no token does, whatever its role, says the operation.
    assert!(
        answer.kind() == "by-token" || !matches!(answer.status, 401 | 403 | 405 | 421 | 429),
        "{shown}"
    );
    assert!(
        answer.status != 404 || answer.kind() != "no-such-page",
        "{shown}"
    );
}

/// Routes that the operations of which end what the next request of a row needs.
fn ends_its_session(route: &Served) -> bool {
    route.path == "/session" && route.method.as_str() == "DELETE"
}

#[actix_web::test]
async fn a_route_is_served_to_its_role_and_those_above_it_by_session_token_and_proxy() {
    let world = World::new();
    for route in served() {
        let Some(needs) = route.needs else { continue };
        for role in Role::ALL {
            let session = world.session(role.name());
            let token = world.token(role.name(), DAY);
            let by_session = request(&route).by(&session).send(&world).await;
            let by_token = request(&route).bearing(&token).send(&world).await;
            let mut answers = vec![("session", by_session)];
            if !ends_its_session(&route) {
                answers.push(("token", by_token));
            }
            for (how, answer) in answers {
                let who = format!("{role} by {how}");
                if role < needs {
                    assert_refused(&route, &who, &answer, 403, "needs-role");
                } else {
                    assert_admitted(&route, &who, &answer);
                }
            }
        }
    }
}

#[actix_web::test]
async fn no_route_is_served_to_whom_nobody_knows() {
    let world = World::new();
    let session = world.session("admin");
    let expired = world.token("admin", SignedDuration::ZERO);
    let removed = world.session("viewer");
    let before = world.counts();
    let long = "0".repeat(4_000);
    for route in served() {
        if route.needs.is_none() {
            continue;
        }
        let cookie = format!("airlock-session={}", session.cookie);
        for (who, asked) in [
            ("anonymous", request(&route).sent_by_a_page()),
            ("expired token", request(&route).bearing(&expired)),
            ("no token", request(&route).bearing("airlock_")),
            (
                "long token",
                request(&route).bearing(&format!("airlock_{long}")),
            ),
            (
                "two tokens",
                request(&route).bearing(&expired).bearing(&expired),
            ),
            (
                "two cookies",
                request(&route).by(&session).with("cookie", &cookie),
            ),
            (
                "another's cookie",
                request(&route)
                    .by(&session)
                    .instead("cookie", &format!("airlock-session={long}")),
            ),
            (
                "another name's cookie",
                request(&route).by(&session).instead(
                    "cookie",
                    &format!("__Secure-airlock-session={}", session.cookie),
                ),
            ),
            (
                "a wrong token beside a right session",
                request(&route).by(&session).bearing("airlock_0"),
            ),
            (
                "a header from anybody",
                request(&route).sent_by_a_page().with(USER_HEADER, "admin"),
            ),
        ] {
            let answer = asked.send(&world).await;
            assert_refused(&route, who, &answer, 401, "not-signed-in");
        }
    }
    assert_eq!(world.counts(), before);
    drop(removed);
}

#[actix_web::test]
async fn no_change_is_made_that_another_site_asks_for() {
    let world = World::new();
    let session = world.session("admin");
    let other = world.session("admin");
    let before = world.counts();
    for route in served().iter().filter(|route| is_change(route)) {
        let Some(_) = route.needs else { continue };
        let ours = || request(route).by(&session);
        for (who, asked, kind) in [
            ("no csrf", ours().without("x-csrf-token"), "bad-csrf"),
            (
                "wrong csrf",
                ours().instead("x-csrf-token", &other.csrf),
                "bad-csrf",
            ),
            (
                "csrf is no secret",
                ours().instead("x-csrf-token", "x"),
                "bad-csrf",
            ),
            (
                "csrf is the cookie",
                ours().instead("x-csrf-token", &session.cookie),
                "bad-csrf",
            ),
            (
                "two csrf",
                ours().with("x-csrf-token", &session.csrf),
                "bad-csrf",
            ),
            (
                "other site",
                ours().instead("origin", "http://evil.site"),
                "other-origin",
            ),
            (
                "other port",
                ours().instead("origin", "http://localhost:9"),
                "other-origin",
            ),
            ("no site", ours().instead("origin", "null"), "other-origin"),
            (
                "same site",
                ours().instead("sec-fetch-site", "same-site"),
                "other-origin",
            ),
            (
                "cross site",
                ours().instead("sec-fetch-site", "cross-site"),
                "other-origin",
            ),
            (
                "typed",
                ours().instead("sec-fetch-site", "none"),
                "other-origin",
            ),
            (
                "nothing said",
                ours().without("origin").without("sec-fetch-site"),
                "other-origin",
            ),
        ] {
            let answer = asked.send(&world).await;
            assert_refused(route, who, &answer, 403, kind);
        }
    }
    assert_eq!(world.counts(), before);
}

#[actix_web::test]
async fn no_route_is_served_under_another_hosts_name_or_in_clear_to_another_host() {
    let world = World::new();
    let session = world.session("admin");
    let token = world.token("admin", DAY);
    let before = world.counts();
    for route in served() {
        for host in [
            "evil.site",
            "localhost.evil.site",
            "",
            "epr.site.evil.site:8080",
        ] {
            let answer = request(&route)
                .by(&session)
                .instead("host", host)
                .send(&world)
                .await;
            assert_refused(&route, host, &answer, 421, "other-host");
        }
        let twice = request(&route).by(&session).with("host", "localhost:8080");
        // The server itself does not take two.
        assert!(matches!(twice.send(&world).await.status, 400 | 421));
        let afar = request(&route)
            .by(&session)
            .bearing(&token)
            .from("192.0.2.1:9");
        let answer = afar.clone().send(&world).await;
        assert_refused(&route, "in clear", &answer, 403, "needs-tls");
        let answer = afar.with("x-forwarded-proto", "https").send(&world).await;
        assert_refused(
            &route,
            "says itself that it is TLS",
            &answer,
            403,
            "needs-tls",
        );
    }
    assert_eq!(world.counts(), before);
}

#[actix_web::test]
async fn a_proxy_that_is_trusted_says_who_asks_and_still_the_page_has_to() {
    let world = World::new();
    let told = |route: &Served, name: &str| {
        request(route)
            .from(PROXY)
            .with("x-forwarded-proto", "https")
            .with("x-forwarded-for", "192.0.2.9")
            .with(USER_HEADER, name)
            .with("origin", "https://localhost:8080")
    };
    for route in served() {
        let Some(needs) = route.needs else { continue };
        for role in Role::ALL {
            let csrf = told(&session_route(), role.name()).send(&world).await;
            let csrf: serde_json::Value = serde_json::from_str(&csrf.body).unwrap();
            let csrf = csrf["csrf"].as_str().unwrap();
            let asked = told(&route, role.name());
            if is_change(&route) && role >= needs {
                let answer = asked.clone().send(&world).await;
                assert_refused(&route, "no csrf", &answer, 403, "bad-csrf");
            }
            let answer = asked.with("x-csrf-token", csrf).send(&world).await;
            if role < needs {
                assert_refused(&route, role.name(), &answer, 403, "needs-role");
            } else {
                assert_admitted(&route, role.name(), &answer);
            }
        }
        for name in ["mallory", "admin, viewer", "ad min"] {
            let answer = told(&route, name).send(&world).await;
            assert_refused(&route, name, &answer, 403, "unknown-user");
        }
        let answer = told(&route, "").send(&world).await;
        assert_refused(&route, "nobody", &answer, 401, "not-signed-in");
        let answer = told(&route, "admin")
            .with(USER_HEADER, "viewer")
            .send(&world)
            .await;
        assert_refused(&route, "two names", &answer, 403, "unknown-user");
    }
}

fn session_route() -> Served {
    let is_it = |it: &Served| it.path == "/session" && it.method.as_str() == "GET";
    served().into_iter().find(is_it).unwrap()
}
