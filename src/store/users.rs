//! The people who may use the admin side.
//!
//! Who may do what with them is decided elsewhere, and so is when somebody is locked: here stands what is so. A name is found
//! whatever its case; how it was written first is how it is recorded.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

use super::{StoreError, times};
use crate::crypto::password::PasswordHash;
use crate::people::{self, Role};

/// The number of a user in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub i64);

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their number.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// What their password is known by; `None` where they come by a trusted header only.
    pub password: Option<PasswordHash>,
    /// When they were added.
    pub made_at: Timestamp,
    /// Their last login.
    pub last_login: Option<Login>,
    /// Failed logins since.
    pub failures: u32,
    /// Since when they are locked.
    pub locked_since: Option<Timestamp>,
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: String,
}

/// Adds a user; `None` where the name is taken.
pub fn insert(
    conn: &Transaction<'_>,
    name: &str,
    role: Role,
    password: Option<&PasswordHash>,
    at: Timestamp,
) -> Result<Option<UserId>, StoreError> {
    if find(conn, name)?.is_some() {
        return Ok(None);
    }
    let rows = conn.execute(
        "INSERT INTO user (name, role, password, made_at)
         VALUES (:name, :role, :password, :at)
             ON CONFLICT (name) DO NOTHING",
        named_params! {
            ":name": name,
            ":role": role,
            ":password": password.map(ToString::to_string),
            ":at": times::text(at),
        },
    )?;
    Ok((rows > 0).then(|| UserId(conn.last_insert_rowid())))
}

/// Returns the user of this name, or `None`.
pub fn find(conn: &Connection, name: &str) -> Result<Option<User>, StoreError> {
    let folded = people::folded(name);
    let query = format!("SELECT {COLUMNS} FROM user u WHERE u.name = :name");
    let row = conn.query_row(&query, named_params! { ":name": folded }, |row| {
        Ok(read(row, 0))
    });
    if let Some(found) = row.optional()? {
        return found.map(Some);
    }
    // SQLite knows the case of ASCII alone: of names with other letters each is compared.
    let query = format!("SELECT {COLUMNS} FROM user u WHERE u.name GLOB '*[^ -~]*'");
    let mut query = conn.prepare_cached(&query)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let user = read(row, 0)?;
        if people::folded(&user.name) == folded {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Returns all users, by name.
pub fn all(conn: &Connection) -> Result<Vec<User>, StoreError> {
    let mut query = conn.prepare(&format!("SELECT {COLUMNS} FROM user u ORDER BY u.name"))?;
    let rows = query.query_map([], |row| Ok(read(row, 0)))?;
    rows.map(|row| row?).collect()
}

/// Returns how many users there are.
pub fn count(conn: &Connection) -> Result<u64, StoreError> {
    let count: i64 = conn.query_row("SELECT count(*) FROM user", [], |row| row.get(0))?;
    // A count is never below zero.
    Ok(count.unsigned_abs())
}

/// Gives a user another role.
pub fn set_role(conn: &Transaction<'_>, id: UserId, role: Role) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE user SET role = :role WHERE id = :id",
        named_params! { ":id": id, ":role": role },
    )?;
    Ok(())
}

/// Gives a user another password, or takes it; who was locked is not any more.
pub fn set_password(
    conn: &Transaction<'_>,
    id: UserId,
    password: Option<&PasswordHash>,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE user SET password = :password, failures = 0, locked_since = NULL WHERE id = :id",
        named_params! { ":id": id, ":password": password.map(ToString::to_string) },
    )?;
    Ok(())
}

/// Notes that a user logged in: failures are counted anew.
pub fn note_login(
    conn: &Transaction<'_>,
    id: UserId,
    at: Timestamp,
    from: &str,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE user
            SET last_login_at = :at, last_login_from = :from, failures = 0, locked_since = NULL
          WHERE id = :id",
        named_params! { ":id": id, ":at": times::text(at), ":from": from },
    )?;
    Ok(())
}

/// Notes that somebody failed to log in as a user; returns how many times that is since the last login.
pub fn note_failure(conn: &Transaction<'_>, id: UserId) -> Result<u32, StoreError> {
    // Far beyond any bound on failures; what is counted further tells nothing more.
    Ok(conn.query_row(
        "UPDATE user SET failures = min(failures + 1, 1000000) WHERE id = :id RETURNING failures",
        named_params! { ":id": id },
        |row| row.get(0),
    )?)
}

/// Locks a user; who is locked stays so since when they were.
pub fn lock(conn: &Transaction<'_>, id: UserId, at: Timestamp) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE user SET locked_since = coalesce(locked_since, :at) WHERE id = :id",
        named_params! { ":id": id, ":at": times::text(at) },
    )?;
    Ok(())
}

/// Lets a user log in again, and counts failures anew; tells whether they were locked.
pub fn unlock(conn: &Transaction<'_>, id: UserId) -> Result<bool, StoreError> {
    let was_locked = conn.query_row(
        "SELECT locked_since IS NOT NULL FROM user WHERE id = :id",
        named_params! { ":id": id },
        |row| row.get(0),
    )?;
    conn.execute(
        "UPDATE user SET failures = 0, locked_since = NULL WHERE id = :id",
        named_params! { ":id": id },
    )?;
    Ok(was_locked)
}

/// Takes a user out, with sessions and tokens.
pub fn remove(conn: &Transaction<'_>, id: UserId) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM user WHERE id = :id",
        named_params! { ":id": id },
    )?;
    Ok(())
}

/// The columns of a user `u`, as [`read`] takes them.
pub(super) const COLUMNS: &str = "u.id, u.name, u.role, u.password, u.made_at, u.last_login_at,
     u.last_login_from, u.failures, u.locked_since";

/// Returns the user whose columns begin at `first`.
pub(super) fn read(row: &Row<'_>, first: usize) -> Result<User, StoreError> {
    let password: Option<String> = row.get(first + 3)?;
    let password = password.map(|text| {
        PasswordHash::parse(&text).map_err(|error| StoreError::Invalid {
            what: "password of a user",
            value: error.to_string(),
        })
    });
    let at = times::read_if("time of a login", row.get(first + 5)?)?;
    let from: Option<String> = row.get(first + 6)?;
    Ok(User {
        id: row.get(first)?,
        name: row.get(first + 1)?,
        role: row.get(first + 2)?,
        password: password.transpose()?,
        made_at: times::read("time of a user", row.get(first + 4)?)?,
        last_login: at.zip(from).map(|(at, from)| Login { at, from }),
        failures: row.get(first + 7)?,
        locked_since: times::read_if("time of a lock", row.get(first + 8)?)?,
    })
}

super::sql_id!(UserId);

impl ToSql for Role {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Role {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    #[test]
    fn case_is_that_of_all_letters_as_where_two_are_one_person() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        for (name, other) in [
            ("Jürgen", "JÜRGEN"),
            ("Кира", "кирА"),
            ("kate", "\u{212a}ate"),
        ] {
            assert!(people::are_one(name, other));
            insert(&conn, name, Role::Viewer, None, at(0))
                .unwrap()
                .unwrap();
            assert_eq!(find(&conn, other).unwrap().unwrap().name, name);
            assert_eq!(
                insert(&conn, other, Role::Admin, None, at(0)).unwrap(),
                None
            );
        }
        assert_eq!(find(&conn, "Jurgen").unwrap(), None);
        assert_eq!(count(&conn).unwrap(), 3);
    }

    #[test]
    fn a_user_is_found_whatever_the_case_and_a_name_is_given_once() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let hash = PasswordHash::make(b"a password");
        let id = insert(&conn, "Alice", Role::Admin, Some(&hash), at(0)).unwrap();
        let id = id.unwrap();
        assert_eq!(
            insert(&conn, "alice", Role::Viewer, None, at(1)).unwrap(),
            None
        );
        let found = find(&conn, "aLICE").unwrap().unwrap();
        assert_eq!(
            found,
            User {
                id,
                name: "Alice".to_owned(),
                role: Role::Admin,
                password: Some(hash),
                made_at: at(0),
                last_login: None,
                failures: 0,
                locked_since: None,
            }
        );
        assert_eq!(find(&conn, "bob").unwrap(), None);
        assert_eq!(
            (all(&conn).unwrap(), count(&conn).unwrap()),
            (vec![found], 1)
        );
    }

    #[test]
    fn failures_count_up_to_a_lock_and_a_login_or_an_admin_ends_it() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let id = insert(&conn, "bob", Role::Viewer, None, at(0))
            .unwrap()
            .unwrap();
        let user = || find(&conn, "bob").unwrap().unwrap();
        assert_eq!([1, 2].map(|_| note_failure(&conn, id).unwrap()), [1, 2]);
        lock(&conn, id, at(1)).unwrap();
        lock(&conn, id, at(2)).unwrap();
        assert_eq!((user().failures, user().locked_since), (2, Some(at(1))));
        assert!(unlock(&conn, id).unwrap());
        assert!(!unlock(&conn, id).unwrap());
        assert_eq!((user().failures, user().locked_since), (0, None));

        note_failure(&conn, id).unwrap();
        note_login(&conn, id, at(3), "10.0.0.1").unwrap();
        let from = "10.0.0.1".to_owned();
        assert_eq!(user().last_login, Some(Login { at: at(3), from }));
        assert_eq!(user().failures, 0);
        lock(&conn, id, at(4)).unwrap();
        set_password(&conn, id, Some(&PasswordHash::make(b"x"))).unwrap();
        assert_eq!(user().locked_since, None);
        assert!(user().password.unwrap().is_of(b"x"));
    }

    #[test]
    fn a_user_gets_another_role_and_goes() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let id = insert(&conn, "bob", Role::Viewer, None, at(0))
            .unwrap()
            .unwrap();
        set_role(&conn, id, Role::Approver).unwrap();
        assert_eq!(find(&conn, "bob").unwrap().unwrap().role, Role::Approver);
        remove(&conn, id).unwrap();
        assert_eq!(find(&conn, "bob").unwrap(), None);
    }
}
