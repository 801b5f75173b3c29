//! What every request passes first, and who is believed.

use airlock::api::access::Access;

use crate::requests::{Ask, get};
use crate::world::{PROXY, USER_HEADER, World};

const STATUS: &str = "/admin/api/v1/status";

async fn kind(world: &World, asked: Ask) -> String {
    asked.send(world).await.kind()
}

#[actix_web::test]
async fn it_is_answered_for_the_hosts_own_names_alone_and_never_for_one_that_a_proxy_tells() {
    let world = World::new();
    for (host, is_own) in [
        ("epr.site", true),
        ("EPR.SITE.:443", true),
        ("localhost", true),
        ("127.0.0.1:8080", true),
        ("[::1]:8080", true),
        ("evil.site", false),
        ("192.0.2.1", false),
        ("epr.site@evil.site", false),
        ("epr.site, evil.site", false),
        ("epr.site:8080:80", false),
    ] {
        let asked = get(STATUS).instead("host", host);
        let expected = if is_own {
            "not-signed-in"
        } else {
            "other-host"
        };
        assert_eq!(kind(&world, asked).await, expected, "{host}");
    }
    let told = get(STATUS)
        .instead("host", "evil.site")
        .with("x-forwarded-host", "epr.site")
        .with("forwarded", "host=epr.site");
    assert_eq!(kind(&world, told.from(PROXY)).await, "other-host");
    let absolute = get("http://evil.site/admin/api/v1/status");
    assert_eq!(kind(&world, absolute).await, "other-host");
}

#[actix_web::test]
async fn a_host_that_is_refused_cannot_write_headers_or_markup() {
    let world = World::new();
    for path in [STATUS, "/admin/"] {
        let asked = get(path).instead("host", "<script>alert(1)</script>");
        let answer = asked.send(&world).await;
        // Either the server itself does not take it, or it stands in the text escaped.
        assert!(matches!(answer.status, 400 | 421), "{answer:?}");
        assert!(
            path == STATUS || !answer.body.contains("<script>alert"),
            "{answer:?}"
        );
    }
    let answer = get("/admin/%0d%0aset-cookie:%20a=b").send(&world).await;
    assert!(answer.header("set-cookie").is_none(), "{answer:?}");
}

#[actix_web::test]
async fn only_networks_that_may_ask_are_answered() {
    let world = World::with_access(Access {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        ..Access::default()
    });
    let asked = |peer: &str| get(STATUS).from(peer).over_tls();
    assert_eq!(kind(&world, asked("192.0.2.9:1")).await, "not-signed-in");
    assert_eq!(
        kind(&world, asked("198.51.100.9:1")).await,
        "not-from-there"
    );
    assert_eq!(kind(&world, asked("127.0.0.1:1")).await, "not-from-there");
}

#[actix_web::test]
async fn another_host_needs_tls_and_is_told_how() {
    let world = World::new();
    let answer = get("/admin/").from("192.0.2.1:9").send(&world).await;
    assert_eq!(answer.status, 403);
    for word in ["tls.certificate", "airlock tls init", "X-Forwarded-Proto"] {
        assert!(answer.body.contains(word), "{word}: {answer:?}");
    }
    let over_tls = get(STATUS).from("192.0.2.1:9").over_tls();
    assert_eq!(kind(&world, over_tls).await, "not-signed-in");
    let by_proxy = get(STATUS).from(PROXY).with("x-forwarded-for", "192.0.2.1");
    assert_eq!(kind(&world, by_proxy.clone()).await, "needs-tls");
    let by_proxy = by_proxy.with("x-forwarded-proto", "https");
    assert_eq!(kind(&world, by_proxy).await, "not-signed-in");
    // Somebody between here and another host whom nobody has named.
    let unnamed = get(STATUS).with("x-forwarded-for", "192.0.2.1");
    assert_eq!(kind(&world, unnamed).await, "needs-tls");
}

#[actix_web::test]
async fn whose_unix_socket_it_is_says_nothing_of_who_asks_and_its_proxy_does() {
    let world = World::new();
    let asked = || get(STATUS).over_unix().with("x-forwarded-proto", "https");
    assert_eq!(kind(&world, asked()).await, "not-signed-in");
    assert_eq!(kind(&world, get(STATUS).over_unix()).await, "needs-tls");
    let told = asked().with(USER_HEADER, "viewer").send(&world).await;
    assert_eq!(told.status, 200, "{told:?}");
    let told = asked().with(USER_HEADER, "mallory");
    assert_eq!(kind(&world, told).await, "unknown-user");
}

#[actix_web::test]
async fn a_name_is_believed_of_nobody_where_no_header_is_set() {
    let world = World::new();
    let mut rules = (**world.web.rules.load()).clone();
    rules.user_header = None;
    world.web.rules.store(rules.into());
    let told = get(STATUS)
        .over_unix()
        .with("x-forwarded-proto", "https")
        .with(USER_HEADER, "admin");
    assert_eq!(kind(&world, told).await, "not-signed-in");
}

#[actix_web::test]
async fn a_password_of_the_registry_that_comes_along_is_nothing_here() {
    let world = World::new();
    let session = world.session("viewer");
    let basic = "Basic dmlld2VyOnNlY3JldA==";
    let answer = get(STATUS)
        .by(&session)
        .with("authorization", basic)
        .send(&world)
        .await;
    assert_eq!(answer.status, 200);
    let alone = get(STATUS).with("authorization", basic);
    assert_eq!(kind(&world, alone).await, "not-signed-in");
}

#[actix_web::test]
async fn what_is_refused_to_somebody_who_is_known_is_noted_with_who_and_where() {
    let world = World::new();
    let session = world.session("viewer");
    let asked = crate::requests::post("/admin/api/v1/gc")
        .json("{}")
        .by(&session);
    assert_eq!(kind(&world, asked).await, "needs-role");
    assert_eq!(kind(&world, get(STATUS)).await, "not-signed-in");
    assert_eq!(
        world.audited(),
        [r#"viewer|127.0.0.1|request|POST /admin/api/v1/gc|refused|{"why":"needs-role"}"#]
    );
}
