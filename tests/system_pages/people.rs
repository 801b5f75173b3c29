//! People and tokens: added, given roles, locked out and let in again.

use airlock::admin::{tokens, users};
use airlock::store::{StoreError, users as stored};

use crate::requests::get;
use crate::visits::{led_to, not_done, page, send, state};
use crate::world::{PASSWORD, World};

const NEW: &str = "another lighthouse";

#[actix_web::test]
async fn somebody_is_added_given_a_role_and_removed() {
    let world = World::new();
    let before = state(&world);
    let path = "/system/people";
    let twice = [("password", NEW), ("again", NEW)];
    let person = |name: &'static str, role: &'static str| [("name", name), ("role", role)];
    for (fields, status) in [
        (
            [person("ann", "viewer"), [("password", NEW), ("again", "x")]].concat(),
            400,
        ),
        (
            [
                person("ann", "viewer"),
                [("password", "short"), ("again", "short")],
            ]
            .concat(),
            400,
        ),
        ([person("ann", "king"), twice].concat(), 400),
        ([person("a b", "viewer"), twice].concat(), 400),
        ([person("viewer", "admin"), twice].concat(), 409),
    ] {
        not_done(&send(&world, "admin", path, &fields).await, status);
    }
    assert_eq!(state(&world), before);
    let fields = [person("ann", "viewer"), twice].concat();
    led_to(
        &send(&world, "admin", path, &fields).await,
        "/system/people?done=added",
    );
    let role = [("role", "approver")];
    led_to(
        &send(&world, "admin", "/system/people/ann/role", &role).await,
        "/system/people?done=role",
    );
    let listed = page(&world, "admin", path).await;
    assert!(
        listed.contains("<th scope=\"row\">ann</th><td>approver</td>"),
        "{listed}"
    );
    let remove = "/system/people/ann/remove";
    not_done(
        &send(&world, "admin", remove, &[("typed", "an")]).await,
        400,
    );
    led_to(
        &send(&world, "admin", remove, &[("typed", "ann")]).await,
        "/system/people?done=removed",
    );
    assert_eq!(state(&world), before);
}

#[actix_web::test]
async fn who_is_locked_is_let_in_and_gets_another_password() {
    let world = World::new();
    let id = world.user("viewer").id;
    let lock = |conn: &rusqlite::Transaction<'_>| stored::lock(conn, id, world.now());
    world.store.write::<_, StoreError>(lock).unwrap();
    assert!(
        page(&world, "admin", "/system/people")
            .await
            .contains("locked")
    );
    let unlocked = send(&world, "admin", "/system/people/viewer/unlock", &[]).await;
    led_to(&unlocked, "/system/people?done=unlocked");
    assert!(world.user("viewer").locked_since.is_none());
    let twice = [("password", NEW), ("again", NEW)];
    let reset = send(&world, "admin", "/system/people/viewer/password", &twice).await;
    led_to(&reset, "/system/people?done=password");
    let hash = world.user("viewer").password.unwrap();
    assert!(hash.is_of(NEW.as_bytes()));
    // One's own takes the old one.
    let own = send(&world, "admin", "/system/people/admin/password", &twice).await;
    not_done(&own, 400);
    assert!(
        world
            .user("admin")
            .password
            .unwrap()
            .is_of(PASSWORD.as_bytes())
    );
}

#[actix_web::test]
async fn ones_own_password_is_changed_with_the_old_one() {
    let world = World::new();
    let twice = [("password", NEW), ("again", NEW)];
    let wrong = [&[("old", "not this one")][..], &twice].concat();
    let refused = send(&world, "viewer", "/system/password", &wrong).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        world
            .user("viewer")
            .password
            .unwrap()
            .is_of(PASSWORD.as_bytes())
    );
    let right = [&[("old", PASSWORD)][..], &twice].concat();
    let changed = send(&world, "viewer", "/system/password", &right).await;
    led_to(&changed, "/system/people?done=own-password");
    assert!(world.user("viewer").password.unwrap().is_of(NEW.as_bytes()));
}

#[actix_web::test]
async fn a_token_is_shown_once_and_is_good_until_it_is_removed() {
    let world = World::new();
    let fields =
        |role: &'static str, days: &'static str| [("name", "ci"), ("role", role), ("days", days)];
    for (role, days, status) in [
        ("admin", "90", 403),
        ("viewer", "0", 400),
        ("viewer", "x", 400),
    ] {
        not_done(
            &send(&world, "publisher", "/system/tokens", &fields(role, days)).await,
            status,
        );
    }
    assert!(
        world
            .audited()
            .iter()
            .all(|entry| !entry.contains("tokens add"))
    );
    let made = send(
        &world,
        "publisher",
        "/system/tokens",
        &fields("publisher", "90"),
    )
    .await;
    assert_eq!(made.status, 200);
    let secret = made
        .body
        .split("<pre>")
        .nth(1)
        .unwrap()
        .split("</pre>")
        .next()
        .unwrap();
    assert!(secret.starts_with("airlock_"), "{secret}");
    let asked = get("/admin/api/v1/status").bearing(secret);
    // The clock of the store is not the one that tokens are made by here.
    let lived = asked.clone().send(&world).await.status;
    assert_eq!(lived, 200);
    let listed = page(&world, "publisher", "/system/people").await;
    assert!(
        listed.contains(">ci</th>") && !listed.contains(secret),
        "{listed}"
    );
    assert!(
        !page(&world, "viewer", "/system/people")
            .await
            .contains(">ci</th>")
    );

    let number = tokens::list(
        &world.store,
        &crate::visits::tester(),
        airlock::admin::Role::Admin,
    );
    let path = format!("/system/tokens/{}/remove", number.unwrap()[0].number);
    not_done(&send(&world, "viewer", &path, &[]).await, 403);
    assert_eq!(asked.clone().send(&world).await.status, 200);
    led_to(
        &send(&world, "publisher", &path, &[]).await,
        "/system/people?done=token-removed",
    );
    assert_eq!(asked.send(&world).await.status, 401);
    assert_eq!(users::list(&world.store).unwrap().len(), 4);
}
