//! Who may be added, changed and removed, and what a refusal leaves.

use super::*;

const RULES: PasswordRules = PasswordRules {
    least_length: 12,
    most_failures: 2,
};

fn site() -> (tempfile::TempDir, Store, Actor) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store, Actor::here("root"))
}

fn user(name: &str, role: Role, password: Option<&str>) -> UserRequest {
    UserRequest {
        name: name.to_owned(),
        role,
        password: password.map(Password::new),
    }
}

/// What the store tells of people, and how many entries its audit log has.
fn state(store: &Store) -> (Vec<User>, i64) {
    let entries = store.read(audit::head).unwrap().number;
    (store.read(users::all).unwrap(), entries)
}

const LONG: &str = "a long password";

#[test]
fn somebody_is_added_once_and_what_is_wrong_adds_nobody() {
    let (_folder, store, root) = site();
    let added = add(&store, &root, &user("alice", Role::Admin, Some(LONG)), 12).unwrap();
    assert!(added.has_password && added.role == Role::Admin);
    let before = state(&store);
    assert_eq!(before.1, 1);
    for (request, expected) in [
        (
            user("ALICE", Role::Viewer, None),
            "there is a user ALICE already",
        ),
        (user("bob", Role::Viewer, Some("short")), "fewer than 12"),
        (
            user(
                "longer-than-twelve",
                Role::Viewer,
                Some("longer-than-twelve"),
            ),
            "the name",
        ),
        (user("a b", Role::Viewer, None), "is no name"),
        (user("", Role::Viewer, None), "is no name"),
    ] {
        let error = add(&store, &root, &request, 12).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(state(&store), before);
    }
    add(&store, &root, &user("bob", Role::Viewer, None), 12).unwrap();
    assert_eq!(list(&store).unwrap().len(), 2);
}

#[test]
fn the_last_admin_with_a_password_stays_one() {
    let (_folder, store, root) = site();
    add(&store, &root, &user("alice", Role::Admin, Some(LONG)), 12).unwrap();
    // Who comes by a header only may be kept out by a proxy that fails.
    add(&store, &root, &user("proxied", Role::Admin, None), 12).unwrap();
    let before = state(&store);
    let refused = [
        remove(&store, &root, "alice").unwrap_err(),
        set_role(&store, &root, "alice", Role::Approver).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.to_string(), "alice is the last admin with a password");
        assert_eq!(state(&store), before);
    }
    assert!(
        !set_role(&store, &root, "alice", Role::Admin)
            .unwrap()
            .is_changed
    );
    assert_eq!(state(&store), before);
    add(&store, &root, &user("bob", Role::Admin, Some(LONG)), 12).unwrap();
    assert!(
        set_role(&store, &root, "alice", Role::Approver)
            .unwrap()
            .is_changed
    );
    remove(&store, &root, "alice").unwrap();
    remove(&store, &root, "proxied").unwrap();
    assert!(remove(&store, &root, "bob").is_err());
    let error = remove(&store, &root, "bop").unwrap_err();
    assert!(
        error.to_string().starts_with("there is no user bop"),
        "{error}"
    );
}

fn begin(store: &Store, name: &str, secret: &str) -> SessionId {
    let digest = crate::crypto::Digest::of(secret.as_bytes());
    let begin = |conn: &Transaction<'_>| {
        let user = find(conn, name)?;
        Ok::<_, OperationError>(sessions::begin(
            conn,
            digest,
            &user,
            Timestamp::now(),
            "x",
            9,
        )?)
    };
    store.write(begin).unwrap()
}

#[test]
fn another_password_ends_sessions_and_a_lock() {
    let (_folder, store, root) = site();
    add(&store, &root, &user("alice", Role::Admin, Some(LONG)), 12).unwrap();
    begin(&store, "alice", "one");
    store
        .write(|conn| {
            users::lock(conn, find(conn, "alice")?.id, Timestamp::now())
                .map_err(OperationError::from)
        })
        .unwrap();
    let error = reset_password(&store, &root, "alice", &Password::new("short"), 12);
    assert!(error.is_err());
    assert_eq!(store.read(sessions::count).unwrap(), 1);
    let new = Password::new("another password");
    let reset = reset_password(&store, &root, "alice", &new, 12).unwrap();
    assert_eq!((reset.ended_sessions, reset.user.locked_since), (1, None));
    let alice = store.read(|conn| find(conn, "alice")).unwrap();
    assert!(alice.password.unwrap().is_of(b"another password"));
    assert!(!unlock(&store, &root, "alice").unwrap().is_changed);
}

#[test]
fn ones_own_password_takes_the_old_one_and_tries_of_it_are_counted() {
    let (_folder, store, root) = site();
    add(&store, &root, &user("alice", Role::Viewer, Some(LONG)), 12).unwrap();
    let alice = Actor::over_the_socket("alice");
    let (kept, _other) = (begin(&store, "alice", "a"), begin(&store, "alice", "b"));
    let change = |old: Option<&str>, new: &str| {
        let request = PasswordRequest {
            password: Password::new(new),
            old: old.map(Password::new),
        };
        change_password(&store, &alice, "alice", &request, Some(kept), RULES)
    };
    let refused = change(Some("wrong"), "another password").unwrap_err();
    assert_eq!(refused.to_string(), "this is not the password");
    let weak = change(Some(LONG), "short").unwrap_err();
    assert!(weak.to_string().contains("fewer"));
    assert_eq!(
        change(Some(LONG), "another password")
            .unwrap()
            .ended_sessions,
        1
    );
    for old in [None, Some(LONG)] {
        assert!(change(old, "a third password").is_err());
    }
    let locked = store.read(|conn| find(conn, "alice")).unwrap();
    assert!(locked.locked_since.is_some());
    assert!(
        change(Some("another password"), "a third password").is_err(),
        "who is locked changes nothing"
    );
    assert_eq!(store.read(sessions::count).unwrap(), 1);
}

#[test]
fn each_wrong_old_password_is_in_the_audit_log_until_that_locks() {
    let (_folder, store, root) = site();
    add(&store, &root, &user("alice", Role::Viewer, Some(LONG)), 12).unwrap();
    let request = PasswordRequest {
        password: Password::new("another password"),
        old: Some(Password::new("wrong")),
    };
    let alice = Actor::over_the_socket("alice");
    for _ in 0..4 {
        assert!(change_password(&store, &alice, "alice", &request, None, RULES).is_err());
    }
    let entries = store.read(|conn| audit::after(conn, 1, 9)).unwrap();
    let told = entries
        .iter()
        .map(|it| (&*it.action, it.outcome, &*it.detail));
    let wrong = |is_locked| format!(r#"{{"is_locked":{is_locked},"why":"wrong password"}}"#);
    let (not_yet, locked) = (wrong(false), wrong(true));
    let expected = [&*not_yet, &*locked].map(|detail| ("password", Outcome::Refused, detail));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
