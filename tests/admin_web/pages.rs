//! Every page and form, everybody who could ask for it.

use airlock::admin::Role;
use airlock::admin::pages::served;
use airlock::admin::routes::Served;

use crate::requests::{Answer, Ask, ask};
use crate::table::filled;
use crate::world::{Session, World};

fn is_form(page: &Served) -> bool {
    page.method.as_str() != "GET"
}

fn request(page: &Served) -> Ask {
    let path = format!("/admin{}", filled(page.path));
    ask(page.method.as_str(), &path)
}

/// The page as a browser with this session asks for it; of a form, with nothing filled in but the proof of its page.
fn by(page: &Served, session: &Session) -> Ask {
    let asked = request(page).by(session).without("x-csrf-token");
    match is_form(page) {
        true => asked.form(&format!("csrf={}", session.csrf)),
        false => asked,
    }
}

fn shown(page: &Served, who: &str, answer: &Answer) -> String {
    let start: String = answer.body.chars().take(300).collect();
    let (method, path, status) = (&page.method, page.path, answer.status);
    format!("{who}: {method} {path}: {status} {start}")
}

#[actix_web::test]
async fn a_page_is_shown_to_its_role_and_those_above_it() {
    let world = World::new();
    for page in served() {
        let Some(needs) = page.needs else { continue };
        for role in Role::ALL {
            let session = world.session(role.name());
            let answer = by(&page, &session).send(&world).await;
            let told = shown(&page, role.name(), &answer);
            if role < needs {
                assert_eq!(answer.status, 403, "{told}");
                assert!(answer.body.contains("needs the role"), "{told}");
            } else {
                let is_refused = matches!(answer.status, 401 | 405 | 421 | 429);
                let is_for_others = answer.body.contains("needs the role");
                assert!(!is_refused && !is_for_others, "{told}");
                let elsewhere = answer.header("location").unwrap_or_default();
                let is_log_out = page.path == "/logout";
                assert!(
                    is_log_out || !elsewhere.starts_with("/admin/login"),
                    "{told}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn whom_nobody_knows_is_led_to_the_login_and_shown_nothing() {
    let world = World::new();
    let before = world.counts();
    for page in served() {
        if page.needs.is_none() {
            continue;
        }
        let asked = request(&page).sent_by_a_page();
        for asked in [
            asked.clone(),
            asked
                .clone()
                .with("cookie", &format!("airlock-session={}", "0".repeat(64))),
            asked.with(crate::world::USER_HEADER, "admin"),
        ] {
            let answer = asked.send(&world).await;
            let told = shown(&page, "nobody", &answer);
            let to = answer.header("location").unwrap_or_default();
            let is_led = answer.status == 303 && to.starts_with("/admin/login");
            assert!(is_led || answer.status == 401, "{told}");
            assert!(!answer.body.contains("quarantine"), "{told}");
        }
    }
    assert_eq!(world.counts(), before);
}

#[actix_web::test]
async fn no_form_is_taken_from_another_page_site_or_host() {
    let world = World::new();
    let (session, other) = (world.session("admin"), world.session("admin"));
    let before = world.counts();
    for page in served().iter().filter(|page| is_form(page)) {
        let ours = || by(page, &session);
        let csrf = |csrf: &str| ours().form(&format!("csrf={csrf}"));
        let mut rows = vec![
            (
                "another site",
                ours().instead("origin", "http://evil.site"),
                403,
            ),
            ("no origin", ours().instead("origin", "null"), 403),
            (
                "cross site",
                ours().instead("sec-fetch-site", "cross-site"),
                403,
            ),
            (
                "nothing said",
                ours().without("origin").without("sec-fetch-site"),
                403,
            ),
            ("another host", ours().instead("host", "evil.site"), 421),
            ("in clear", ours().from("192.0.2.1:9"), 403),
        ];
        if page.needs.is_some() {
            rows.push(("another session's csrf", csrf(&other.csrf), 403));
            rows.push(("no csrf", ours().form(""), 403));
            rows.push(("csrf is no secret", csrf("x"), 403));
        }
        for (what, asked, status) in rows {
            let answer = asked.send(&world).await;
            assert_eq!(answer.status, status, "{}", shown(page, what, &answer));
            assert!(answer.header("set-cookie").is_none());
        }
    }
    assert_eq!(world.counts(), before);
}

#[actix_web::test]
async fn no_page_is_shown_under_another_hosts_name() {
    let world = World::new();
    let session = world.session("admin");
    for page in served() {
        let answer = by(&page, &session)
            .instead("host", "evil.site")
            .send(&world)
            .await;
        let told = shown(&page, "another host", &answer);
        assert_eq!(answer.status, 421, "{told}");
        assert!(!answer.body.contains(&session.csrf), "{told}");
    }
}
