//! Sessions: browsers that somebody logged in with, known by the digest of their secret.
//!
//! How long a session lasts is decided elsewhere and handed in. The CSRF token of one is derived from its secret
//! ([`crate::crypto::Secret::derived`]), so that nothing of it is kept.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::users::{self, Login, User, UserId};
use super::{StoreError, times};
use crate::crypto::Digest;

/// How long a session that was used is not noted again: a page with twenty parts writes once.
const TOUCHED: SignedDuration = SignedDuration::from_secs(60);

/// The number of a session in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub i64);

/// A session, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is, as they are now.
    pub user: User,
    /// When it began.
    pub made_at: Timestamp,
    /// When it was used last, to a minute.
    pub last_used_at: Timestamp,
    /// From where it began.
    pub from: String,
    /// The login before the one that began it.
    pub former_login: Option<Login>,
    /// Failed logins between that and this.
    pub former_failures: u32,
}

impl Session {
    /// Tells whether it is over: not used since `idle_since`, or begun before `made_since`.
    pub fn is_over(&self, idle_since: Timestamp, made_since: Timestamp) -> bool {
        self.last_used_at < idle_since || self.made_at < made_since
    }

    /// Tells whether its use at `now` is to be noted, by [`touch`].
    pub fn is_touch_due(&self, now: Timestamp) -> bool {
        now.duration_since(self.last_used_at) >= TOUCHED
    }
}

/// Begins a session of `user`, who is as they were before this login is noted; ends those of theirs that were used longest
/// ago where there are more than `most` then.
pub fn begin(
    conn: &Transaction<'_>,
    digest: Digest,
    user: &User,
    at: Timestamp,
    from: &str,
    most: u32,
) -> Result<SessionId, StoreError> {
    conn.execute(
        "INSERT INTO session (sha256, user, made_at, last_used_at, origin, former_login_at,
                              former_login_from, former_failures)
         VALUES (:sha256, :user, :at, :at, :from, :former_at, :former_from, :former_failures)",
        named_params! {
            ":sha256": digest.as_bytes(),
            ":user": user.id,
            ":at": times::text(at),
            ":from": from,
            ":former_at": user.last_login.as_ref().map(|it| times::text(it.at)),
            ":former_from": user.last_login.as_ref().map(|it| &it.from),
            ":former_failures": user.failures,
        },
    )?;
    let id = SessionId(conn.last_insert_rowid());
    conn.execute(
        "DELETE FROM session
          WHERE user = :user
            AND id <> :id
            AND id NOT IN (SELECT id
                             FROM session
                            WHERE user = :user AND id <> :id
                            ORDER BY last_used_at DESC, id DESC
                            LIMIT max(:most - 1, 0))",
        named_params! { ":user": user.id, ":id": id, ":most": most },
    )?;
    Ok(id)
}

/// Returns the session whose secret has this digest, or `None`; one that is over is found until it is ended.
pub fn find(conn: &Connection, digest: Digest) -> Result<Option<Session>, StoreError> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT s.id, s.made_at, s.last_used_at, s.origin, s.former_login_at, s.former_login_from,
                s.former_failures, {}
           FROM session s
           JOIN user u ON u.id = s.user
          WHERE s.sha256 = :sha256",
        users::COLUMNS
    ))?;
    let row = query.query_row(named_params! { ":sha256": digest.as_bytes() }, |row| {
        Ok(read(row))
    });
    row.optional()?.transpose()
}

fn read(row: &rusqlite::Row<'_>) -> Result<Session, StoreError> {
    let former_at = times::read_if("time of a login", row.get(4)?)?;
    let former_from: Option<String> = row.get(5)?;
    Ok(Session {
        id: row.get(0)?,
        user: users::read(row, 7)?,
        made_at: times::read("time of a session", row.get(1)?)?,
        last_used_at: times::read("time of a session", row.get(2)?)?,
        from: row.get(3)?,
        former_login: former_at
            .zip(former_from)
            .map(|(at, from)| Login { at, from }),
        former_failures: row.get(6)?,
    })
}

/// Notes that a session was used; where [`Session::is_touch_due`] says so.
pub fn touch(conn: &Transaction<'_>, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
    // A clock that was set back makes no session older than it is.
    conn.execute(
        "UPDATE session SET last_used_at = max(last_used_at, :at) WHERE id = :id",
        named_params! { ":id": id, ":at": times::text(at) },
    )?;
    Ok(())
}

/// Ends a session; tells whether it was there.
pub fn end(conn: &Transaction<'_>, id: SessionId) -> Result<bool, StoreError> {
    let parameters = named_params! { ":id": id };
    Ok(conn.execute("DELETE FROM session WHERE id = :id", parameters)? > 0)
}

/// Ends all sessions of a user, except `but` where one is named; returns how many they were.
pub fn end_of(
    conn: &Transaction<'_>,
    user: UserId,
    but: Option<SessionId>,
) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "DELETE FROM session WHERE user = :user AND id IS NOT :but",
        named_params! { ":user": user, ":but": but },
    )?)
}

/// Ends those that were not used since `idle_since`, or begun before `made_since`; returns how many they were.
pub fn end_over(
    conn: &Transaction<'_>,
    idle_since: Timestamp,
    made_since: Timestamp,
) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "DELETE FROM session WHERE last_used_at < :idle_since OR made_at < :made_since",
        named_params! {
            ":idle_since": times::text(idle_since),
            ":made_since": times::text(made_since),
        },
    )?)
}

/// Returns how many sessions there are, of everybody.
pub fn count(conn: &Connection) -> Result<u64, StoreError> {
    let count: i64 = conn.query_row("SELECT count(*) FROM session", [], |row| row.get(0))?;
    // A count is never below zero.
    Ok(count.unsigned_abs())
}

super::sql_id!(SessionId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Role;
    use crate::store::schema;

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    fn user(conn: &Transaction<'_>, name: &str) -> User {
        users::insert(conn, name, Role::Viewer, None, at(0)).unwrap();
        users::find(conn, name).unwrap().unwrap()
    }

    fn secret(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn a_session_is_found_by_its_digest_with_its_user_as_they_are_now() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let alice = user(&conn, "alice");
        users::note_login(&conn, alice.id, at(1), "10.0.0.1").unwrap();
        users::note_failure(&conn, alice.id).unwrap();
        let before = users::find(&conn, "alice").unwrap().unwrap();
        begin(&conn, secret("a"), &before, at(5), "10.0.0.2", 5).unwrap();
        users::note_login(&conn, alice.id, at(5), "10.0.0.2").unwrap();
        users::set_role(&conn, alice.id, Role::Admin).unwrap();

        let found = find(&conn, secret("a")).unwrap().unwrap();
        assert_eq!((found.user.role, found.user.failures), (Role::Admin, 0));
        assert_eq!((&*found.from, found.made_at), ("10.0.0.2", at(5)));
        assert_eq!(found.former_login, before.last_login);
        assert_eq!(found.former_failures, 1);
        assert_eq!(find(&conn, secret("b")).unwrap(), None);
    }

    #[test]
    fn use_is_noted_once_a_minute_and_never_backwards() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let alice = user(&conn, "alice");
        let id = begin(&conn, secret("a"), &alice, at(5), "x", 5).unwrap();
        let session = || find(&conn, secret("a")).unwrap().unwrap();
        let half: Timestamp = "2026-11-22T10:05:59Z".parse().unwrap();
        assert!(!session().is_touch_due(half));
        assert!(session().is_touch_due(at(6)));
        touch(&conn, id, at(9)).unwrap();
        touch(&conn, id, at(6)).unwrap();
        assert_eq!(session().last_used_at, at(9));
        assert!(!session().is_touch_due(at(1)));
    }

    #[test]
    fn a_session_that_is_idle_or_old_is_over_and_ended() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let alice = user(&conn, "alice");
        for (text, minute) in [("old", 1), ("idle", 10), ("kept", 10)] {
            let id = begin(&conn, secret(text), &alice, at(minute), "x", 5).unwrap();
            if text != "idle" {
                touch(&conn, id, at(20)).unwrap();
            }
        }
        let session = |text| find(&conn, secret(text)).unwrap();
        let is_over = |text| session(text).unwrap().is_over(at(15), at(5));
        assert_eq!(["old", "idle", "kept"].map(is_over), [true, true, false]);
        assert_eq!(end_over(&conn, at(15), at(5)).unwrap(), 2);
        let is_there = |text| session(text).is_some();
        assert_eq!(["old", "idle", "kept"].map(is_there), [false, false, true]);
        assert!(
            !session("kept").unwrap().is_over(at(20), at(10)),
            "a bound is still in"
        );
    }

    #[test]
    fn a_user_has_so_many_sessions_and_those_used_longest_ago_end() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (alice, bob) = (user(&conn, "alice"), user(&conn, "bob"));
        begin(&conn, secret("bob"), &bob, at(0), "x", 2).unwrap();
        let first = begin(&conn, secret("1"), &alice, at(1), "x", 2).unwrap();
        begin(&conn, secret("2"), &alice, at(2), "x", 2).unwrap();
        touch(&conn, first, at(3)).unwrap();
        // Where the clock was set back, it is the newest all the same.
        begin(&conn, secret("3"), &alice, at(0), "x", 2).unwrap();
        let is_there = |text| find(&conn, secret(text)).unwrap().is_some();
        assert_eq!(
            ["bob", "1", "2", "3"].map(is_there),
            [true, true, false, true]
        );
        begin(&conn, secret("4"), &alice, at(4), "x", 0).unwrap();
        assert_eq!(["1", "3", "4"].map(is_there), [false, false, true]);
    }

    #[test]
    fn sessions_end_one_by_one_all_of_a_user_and_with_the_user() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (alice, bob) = (user(&conn, "alice"), user(&conn, "bob"));
        let new = |text, user: &User| begin(&conn, secret(text), user, at(1), "x", 9).unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|text| new(text, &alice));
        new("d", &bob);
        assert!(end(&conn, a).unwrap());
        assert!(!end(&conn, a).unwrap());
        assert_eq!(end_of(&conn, alice.id, Some(c)).unwrap(), 1);
        assert!(!end(&conn, b).unwrap());
        assert_eq!(end_of(&conn, alice.id, None).unwrap(), 1);
        assert_eq!(count(&conn).unwrap(), 1);
        users::remove(&conn, bob.id).unwrap();
        assert_eq!(count(&conn).unwrap(), 0);
    }
}
