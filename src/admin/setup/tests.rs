use super::*;

fn site() -> (tempfile::TempDir, Store, Actor) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store, Actor::here("root"))
}

fn request(link: &str, name: &str, password: &str) -> SetupRequest {
    SetupRequest {
        link: link.to_owned(),
        name: name.to_owned(),
        password: Password::new(password),
    }
}

const LONG: &str = "a long password";

#[test]
fn a_link_makes_one_admin_and_is_gone() {
    let (_folder, store, root) = site();
    let old = make_link(&store, &root).unwrap();
    let link = make_link(&store, &root).unwrap();
    for (request, expected) in [
        (request(&old.secret, "alice", LONG), "never one"),
        (request("", "alice", LONG), "never one"),
        (
            request(&link.secret.to_uppercase(), "alice", LONG),
            "never one",
        ),
        (request(&link.secret, "a b", LONG), "is no name"),
        (request(&link.secret, "alice", "short"), "fewer"),
    ] {
        let error = use_link(&store, "10.0.0.1", &request, 12).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(store.read(users::count).unwrap(), 0);
        assert!(!is_done(&store).unwrap());
    }
    let made = use_link(
        &store,
        "10.0.0.1",
        &request(&link.secret, "alice", LONG),
        12,
    )
    .unwrap();
    assert_eq!(made.role, Role::Admin);
    assert!(is_done(&store).unwrap());
    let again = use_link(
        &store,
        "10.0.0.1",
        &request(&link.secret, "mallory", LONG),
        12,
    );
    assert!(matches!(again, Err(OperationError::NoSuchLink)));
    assert!(matches!(
        make_link(&store, &root),
        Err(OperationError::SetUp)
    ));
    assert_eq!(store.read(users::count).unwrap(), 1);
    assert!(!format!("{link:?} {:?}", request(&link.secret, "a", LONG)).contains(&link.secret));
}

#[test]
fn a_link_is_good_for_an_hour() {
    let (_folder, store, root) = site();
    let link = make_link(&store, &root).unwrap();
    let end: Timestamp = link.expires_at.parse().unwrap();
    let before = end - SignedDuration::from_secs(2);
    assert!(check_link(&store, &link.secret, before).is_ok());
    assert!(check_link(&store, &link.secret, end).is_err());
}

#[test]
fn a_link_that_is_out_makes_nobody_once_there_is_an_admin() {
    let (_folder, store, root) = site();
    let link = make_link(&store, &root).unwrap();
    let user = of_users::UserRequest {
        name: "bob".to_owned(),
        role: Role::Admin,
        password: Some(Password::new(LONG)),
    };
    of_users::add(&store, &root, &user, 12).unwrap();
    let late = use_link(&store, "x", &request(&link.secret, "alice", LONG), 12);
    assert!(matches!(late, Err(OperationError::SetUp)));
    assert_eq!(store.read(users::count).unwrap(), 1);
}
