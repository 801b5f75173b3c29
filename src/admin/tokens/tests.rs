//! What tokens are made, who sees and removes them.

use super::*;

fn site() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn request(name: &str, role: Role, days: u16) -> TokenRequest {
    TokenRequest {
        name: name.to_owned(),
        role,
        days,
    }
}

#[test]
fn a_token_is_shown_once_and_known_by_its_digest() {
    let (_folder, store) = site();
    let alice = Actor::over_the_socket("alice");
    let made = make(
        &store,
        &alice,
        Role::Admin,
        &request("ci", Role::Publisher, 30),
    )
    .unwrap();
    let secret = secret_of(&made.secret).unwrap();
    let found = store
        .read(|conn| tokens::find(conn, secret.digest()))
        .unwrap();
    assert_eq!(found.unwrap().id.0, made.token.number);
    assert!(!format!("{made:?}").contains(&made.secret));
    let text = std::fs::read(store.folder().join("airlock.db-wal")).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("publisher") && !text.contains(&made.secret[8..]));
    for other in [
        "",
        "airlock_",
        &made.secret[8..],
        &made.secret[..70],
        &made.secret.to_uppercase(),
    ] {
        assert!(secret_of(other).is_none(), "{other}");
    }
}

#[test]
fn nobody_makes_a_token_that_may_more_or_lasts_longer_than_allowed() {
    let (_folder, store) = site();
    let alice = Actor::over_the_socket("alice");
    let by_token = Actor::over_the_socket(crate::people::by_token("alice", "ci"));
    for (who, role, request, expected) in [
        (
            &alice,
            Role::Publisher,
            request("ci", Role::Approver, 30),
            "with publisher",
        ),
        (
            &alice,
            Role::Admin,
            request("ci", Role::Viewer, 0),
            "1 to 365",
        ),
        (
            &alice,
            Role::Admin,
            request("ci", Role::Viewer, 366),
            "1 to 365",
        ),
        (
            &alice,
            Role::Admin,
            request("c i", Role::Viewer, 1),
            "no name",
        ),
        (
            &by_token,
            Role::Admin,
            request("ci", Role::Viewer, 1),
            "a person has to",
        ),
    ] {
        let error = make(&store, who, role, &request).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(store.read(tokens::all).unwrap().is_empty());
    assert_eq!(store.read(audit::head).unwrap().number, 0);
    make(
        &store,
        &alice,
        Role::Admin,
        &request("ci", Role::Viewer, 365),
    )
    .unwrap();
    let again = make(&store, &alice, Role::Admin, &request("ci", Role::Viewer, 1));
    assert_eq!(
        again.unwrap_err().to_string(),
        "alice has a token ci already"
    );
}

#[test]
fn tokens_of_others_are_an_admins_to_see_and_remove() {
    let (_folder, store) = site();
    let [alice, bob] = ["alice", "bob"].map(Actor::over_the_socket);
    let made = make(
        &store,
        &alice,
        Role::Publisher,
        &request("ci", Role::Viewer, 1),
    )
    .unwrap();
    let number = made.token.number;
    assert!(list(&store, &bob, Role::Approver).unwrap().is_empty());
    assert_eq!(list(&store, &bob, Role::Admin).unwrap().len(), 1);
    assert_eq!(list(&store, &alice, Role::Viewer).unwrap().len(), 1);
    let refused = remove(&store, &bob, Role::Approver, number).unwrap_err();
    assert!(
        refused.to_string().contains("alice and every admin"),
        "{refused}"
    );
    assert_eq!(list(&store, &alice, Role::Viewer).unwrap().len(), 1);
    remove(&store, &alice, Role::Viewer, number).unwrap();
    let gone = remove(&store, &bob, Role::Admin, number).unwrap_err();
    assert_eq!(gone.to_string(), format!("there is no token {number}"));
}

#[test]
fn one_person_does_not_take_all_tokens_that_there_may_be() {
    let (_folder, store) = site();
    let [alice, bob] = ["Alice", "bob"].map(Actor::over_the_socket);
    let make = |who: &Actor, number: usize| {
        let request = request(&format!("ci-{number}"), Role::Viewer, 1);
        super::make(&store, who, Role::Viewer, &request)
    };
    for number in 0..MOST_OF_ONE {
        make(&alice, number).unwrap();
    }
    let more = make(&Actor::over_the_socket("alice"), MOST_OF_ONE).unwrap_err();
    assert!(
        more.to_string().contains("50 tokens of one person"),
        "{more}"
    );
    assert_eq!(store.read(tokens::all).unwrap().len(), MOST_OF_ONE);
    make(&bob, 0).unwrap();
}
