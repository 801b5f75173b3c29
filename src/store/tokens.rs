//! Tokens: what programs act by, known by the digest of their secret.
//!
//! A token of a user is never worth more than its user is now: it goes with them, and its role is at most theirs.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::{StoreError, times, users};
use crate::crypto::Digest;
use crate::people::Role;

/// How long a token that was used is not noted again.
const TOUCHED: SignedDuration = SignedDuration::from_secs(60);

/// The number of a token. They count up and are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub i64);

/// A token to be.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// What its owner calls it.
    pub name: &'a str,
    /// What its secret is known by.
    pub digest: Digest,
    /// What it may.
    pub role: Role,
    /// Who made it, and stands for what is done by it.
    pub owner: &'a str,
    /// When.
    pub at: Timestamp,
    /// From when on it is good for nothing.
    pub expires: Timestamp,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may: what it was made for, and no more than its owner may now, where that is a user.
    pub role: Role,
    /// Who made it.
    pub owner: String,
    /// Whether that is a user of the admin side; otherwise it is one of the host's, whose role is not known here.
    pub is_of_user: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
    /// When it was used last, to a minute.
    pub last_used_at: Option<Timestamp>,
}

impl Token {
    /// Tells whether it is good for nothing any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Tells whether its use at `now` is to be noted, by [`touch`].
    pub fn is_touch_due(&self, now: Timestamp) -> bool {
        self.last_used_at
            .is_none_or(|last| now.duration_since(last) >= TOUCHED)
    }
}

/// Adds a token; `None` where its owner has one of this name. One whose owner is a user is the user's.
pub fn insert(conn: &Transaction<'_>, new: &NewToken<'_>) -> Result<Option<TokenId>, StoreError> {
    let user = users::find(conn, new.owner)?.map(|user| user.id);
    let rows = conn.execute(
        "INSERT INTO token (name, sha256, role, owner, user, made_at, expires_at)
         VALUES (:name, :sha256, :role, :owner, :user, :at, :expires)
             ON CONFLICT (owner, name) DO NOTHING",
        named_params! {
            ":name": new.name,
            ":sha256": new.digest.as_bytes(),
            ":role": new.role,
            ":owner": new.owner,
            ":user": user,
            ":at": times::text(new.at),
            ":expires": times::text(new.expires),
        },
    )?;
    Ok((rows > 0).then(|| TokenId(conn.last_insert_rowid())))
}

/// Returns the token whose secret has this digest, or `None`; one that is over is found all the same.
pub fn find(conn: &Connection, digest: Digest) -> Result<Option<Token>, StoreError> {
    let mut query = conn.prepare_cached(&format!("{SELECT} WHERE t.sha256 = :sha256"))?;
    let row = query.query_row(named_params! { ":sha256": digest.as_bytes() }, |row| {
        Ok(read(row))
    });
    row.optional()?.transpose()
}

/// Returns the token of this number, or `None`.
pub fn get(conn: &Connection, id: TokenId) -> Result<Option<Token>, StoreError> {
    let query = format!("{SELECT} WHERE t.id = :id");
    let row = conn.query_row(&query, named_params! { ":id": id }, |row| Ok(read(row)));
    row.optional()?.transpose()
}

/// Returns all tokens, in the order in which they were made.
pub fn all(conn: &Connection) -> Result<Vec<Token>, StoreError> {
    let mut query = conn.prepare(&format!("{SELECT} ORDER BY t.id"))?;
    let rows = query.query_map([], |row| Ok(read(row)))?;
    rows.map(|row| row?).collect()
}

/// Notes that a token was used; where [`Token::is_touch_due`] says so.
pub fn touch(conn: &Transaction<'_>, id: TokenId, at: Timestamp) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE token SET last_used_at = max(coalesce(last_used_at, :at), :at) WHERE id = :id",
        named_params! { ":id": id, ":at": times::text(at) },
    )?;
    Ok(())
}

/// Takes a token out; tells whether it was there.
pub fn remove(conn: &Transaction<'_>, id: TokenId) -> Result<bool, StoreError> {
    let parameters = named_params! { ":id": id };
    Ok(conn.execute("DELETE FROM token WHERE id = :id", parameters)? > 0)
}

const SELECT: &str = "SELECT t.id, t.name, t.role, t.owner, t.made_at, t.expires_at,
                             t.last_used_at, u.role
                        FROM token t
                        LEFT JOIN user u ON u.id = t.user";

fn read(row: &Row<'_>) -> Result<Token, StoreError> {
    let (role, of_owner): (Role, Option<Role>) = (row.get(2)?, row.get(7)?);
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        role: of_owner.map_or(role, |of_owner| role.min(of_owner)),
        owner: row.get(3)?,
        is_of_user: of_owner.is_some(),
        made_at: times::read("time of a token", row.get(4)?)?,
        expires_at: times::read("end of a token", row.get(5)?)?,
        last_used_at: times::read_if("time of a token", row.get(6)?)?,
    })
}

super::sql_id!(TokenId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    fn new<'a>(owner: &'a str, name: &'a str) -> NewToken<'a> {
        NewToken {
            name,
            digest: Digest::of(format!("{owner} {name}").as_bytes()),
            role: Role::Publisher,
            owner,
            at: at(0),
            expires: at(30),
        }
    }

    #[test]
    fn a_token_is_found_by_its_digest_and_over_at_its_end() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let ci = new("root", "ci");
        let id = insert(&conn, &ci).unwrap().unwrap();
        assert_eq!(
            insert(
                &conn,
                &NewToken {
                    digest: Digest::of(b"x"),
                    ..ci
                }
            )
            .unwrap(),
            None
        );
        let found = find(&conn, ci.digest).unwrap().unwrap();
        assert_eq!(found, get(&conn, id).unwrap().unwrap());
        assert_eq!(
            (&*found.name, &*found.owner, found.role),
            ("ci", "root", Role::Publisher)
        );
        assert_eq!(
            [29, 30].map(|minute| found.is_over(at(minute))),
            [false, true]
        );
        assert_eq!(find(&conn, Digest::of(b"x")).unwrap(), None);

        assert!(found.is_touch_due(at(0)));
        touch(&conn, id, at(5)).unwrap();
        touch(&conn, id, at(4)).unwrap();
        let found = get(&conn, id).unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(at(5)));
        assert_eq!(
            [5, 6].map(|minute| found.is_touch_due(at(minute))),
            [false, true]
        );

        assert!(remove(&conn, id).unwrap());
        assert!(!remove(&conn, id).unwrap());
        assert_ne!(
            insert(&conn, &ci).unwrap(),
            Some(id),
            "a number is used once"
        );
    }

    #[test]
    fn a_token_is_worth_no_more_than_its_user_and_goes_with_them() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let user = users::insert(&conn, "Alice", Role::Admin, None, at(0)).unwrap();
        let user = user.unwrap();
        let of_alice = new("alice", "ci");
        insert(&conn, &of_alice).unwrap();
        insert(&conn, &new("root", "ci")).unwrap();
        let role = || find(&conn, of_alice.digest).unwrap().unwrap().role;
        assert_eq!(role(), Role::Publisher);
        users::set_role(&conn, user, Role::Viewer).unwrap();
        assert_eq!(role(), Role::Viewer);
        users::remove(&conn, user).unwrap();
        let left: Vec<_> = all(&conn).unwrap().into_iter().map(|it| it.owner).collect();
        assert_eq!(left, ["root"]);
    }
}
