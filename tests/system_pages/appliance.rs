//! The appliance itself: what it takes, who is believed, what was done, how it is set.

use airlock::store::StoreError;

use crate::support::package;
use crate::visits::{full, import, look, page};
use crate::world::{PASSWORD, World};

#[actix_web::test]
async fn storage_draws_what_each_release_has_for_itself_above_what_they_share() {
    let world = World::new();
    let empty = page(&world, "viewer", "/system").await;
    assert!(empty.contains("Nothing is in it yet."), "{empty}");
    let common = package("nginx", "1.0.0");
    let own = package("redis", "1.0.0").with_file("docs/README.md", "redis ".repeat(1_000));
    import(&world, "9.1.0", None, [common.clone()]);
    import(&world, "9.2.0", None, [common, own]);
    let body = page(&world, "viewer", "/system").await;
    let place = |text: &str| {
        body.find(text)
            .unwrap_or_else(|| panic!("{text} in {body}"))
    };
    assert!(place("<text x=\"0\" y=\"12\">9.2.0") < place(">shared by several, and records"));
    assert!(
        body.contains("<title id=\"strata-title\">") && body.contains("<desc id=\"strata-desc\">")
    );
    assert!(
        body.contains("<th scope=\"row\">9.1.0</th><td>release</td><td class=\"n\">1</td>"),
        "{body}"
    );
}

#[actix_web::test]
async fn the_audit_log_is_paged_filtered_and_verified() {
    let world = full();
    let all = page(&world, "viewer", "/system/audit").await;
    assert!(
        all.contains("keys add") && all.contains("distribution"),
        "{all}"
    );
    let none = page(&world, "viewer", "/system/audit?outcome=failed").await;
    assert!(none.contains("There is no such entry."), "{none}");
    let by = page(&world, "viewer", "/system/audit?who=tester").await;
    assert!(by.contains("keys add"), "{by}");
    let head = all
        .split("<pre>")
        .nth(1)
        .unwrap()
        .split("</pre>")
        .next()
        .unwrap();
    let verify = |head: &str| format!("/system/audit?verify=1&head={}", head.replace(':', "%3A"));
    let good = page(&world, "viewer", &verify(head)).await;
    assert!(
        good.contains("The chain holds.") && good.contains("written down is among them"),
        "{good}"
    );
    let nonsense = page(&world, "viewer", &verify("nonsense")).await;
    assert!(nonsense.contains("Nothing was verified."), "{nonsense}");
    let change = |conn: &rusqlite::Transaction<'_>| {
        conn.execute_batch("DROP TRIGGER audit_entry_is_not_changed; UPDATE audit_entry SET who = 'eve' WHERE id = 2")?;
        Ok(())
    };
    world.store.write::<_, StoreError>(change).unwrap();
    let bad = page(&world, "viewer", &verify(head)).await;
    assert!(bad.contains("The chain does not hold."), "{bad}");
}

#[actix_web::test]
async fn a_long_audit_log_is_read_page_by_page() {
    let world = World::new();
    let note = |conn: &rusqlite::Transaction<'_>| {
        for number in 0..250 {
            let (who, subject) = (crate::visits::tester(), format!("subject {number}"));
            let at = jiff::Timestamp::UNIX_EPOCH;
            airlock::store::audit::note(conn, at, &who, "test", &subject, serde_json::Value::Null)?;
        }
        Ok(())
    };
    world.store.write::<_, StoreError>(note).unwrap();
    let mut path = "/system/audit".to_owned();
    let mut rows = Vec::new();
    loop {
        let body = page(&world, "viewer", &path).await;
        rows.push(body.matches("<td>test</td>").count());
        // The link to older entries is the last one of its page.
        let (before, _) = match body.split_once("\" rel=\"next\"") {
            Some(split) => split,
            None => break,
        };
        let (_, link) = before.rsplit_once('"').unwrap();
        path = link.trim_start_matches("/admin").replace("&#38;", "&");
    }
    assert_eq!(rows, [100, 100, 50]);
}

#[actix_web::test]
async fn settings_are_told_with_who_said_them() {
    let world = full();
    let body = page(&world, "viewer", "/system/settings").await;
    assert!(body.contains("<b>One</b> setting was said"), "{body}");
    assert!(body.contains("AIRLOCK_ADMIN_BANNER"), "{body}");
}

#[actix_web::test]
async fn the_support_bundle_is_a_file_without_a_secret() {
    let world = full();
    let token = world.token("admin", jiff::SignedDuration::from_hours(1));
    let session = world.session("admin");
    let answer = look(&world, "admin", "/system/support.json").await;
    assert_eq!(answer.status, 200);
    let named = answer.header("content-disposition").unwrap();
    assert!(
        named.starts_with("attachment; filename=\"airlock-support-"),
        "{named}"
    );
    let bundle: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    for part in [
        "status",
        "settings",
        "sizes",
        "keys",
        "change_sets",
        "audit_head",
        "build",
    ] {
        assert!(!bundle[part].is_null(), "{part} in {bundle}");
    }
    for secret in [
        PASSWORD,
        "argon2",
        "PRIVATE",
        &token,
        &session.cookie,
        &session.csrf,
    ] {
        assert!(!answer.body.contains(secret), "{secret}");
    }
    let shown = page(&world, "viewer", "/system/support").await;
    assert!(
        shown.contains("schema ") && shown.contains("Fingerprints"),
        "{shown}"
    );
}

#[actix_web::test]
async fn a_server_without_tls_says_how_to_have_it() {
    let world = World::new();
    let body = page(&world, "admin", "/system/tls").await;
    assert!(
        body.contains("plain HTTP") && body.contains("airlock tls csr --name"),
        "{body}"
    );
    let answer = crate::visits::send(&world, "admin", "/system/tls/reload", &[]).await;
    crate::visits::not_done(&answer, 409);
}
