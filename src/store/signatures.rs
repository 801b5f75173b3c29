//! Signatures: what came beside the zip of an artifact, and what the keyring said of it when it was asked last.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, Statement, Transaction, named_params};

use super::StoreError;
use super::artifacts::ArtifactId;
use super::branches::BranchId;
use super::change_sets::ChangeSetId;
use super::stages::StageId;
use crate::distribution::{SignaturePolicy, SignatureStatus};

/// Signatures that one artifact may have: keys change, but not often.
const MOST: i64 = 8;

/// The number of a signature in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureId(pub i64);

/// A signature as it came, with what a good one has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The signature, armored or binary, or what else came as one.
    pub bytes: Vec<u8>,
    /// The digest that a good one has signed; empty where none could be.
    pub digest: Box<[u8]>,
}

/// Adds a signature of an artifact; one that is here already only takes the new status. Beyond some signatures of one
/// artifact only good ones are kept.
pub fn put(
    conn: &Transaction<'_>,
    artifact: ArtifactId,
    signed: &Signed,
    status: &SignatureStatus,
) -> Result<(), StoreError> {
    let mut query = conn
        .prepare_cached("SELECT id FROM signature WHERE artifact = :artifact AND bytes = :bytes")?;
    let parameters = named_params! { ":artifact": artifact, ":bytes": signed.bytes };
    if let Some(known) = query.query_row(parameters, |row| row.get(0)).optional()? {
        return set_status(conn, known, status);
    }
    let columns = Columns::of(status);
    let mut query = conn.prepare_cached(
        "INSERT INTO signature (artifact, bytes, digest, status, key, until, why)
         SELECT :artifact, :bytes, :digest, :status, :key, :until, :why
          WHERE :status = 'good' OR (SELECT count(*) FROM signature WHERE artifact = :artifact) < :most",
    )?;
    query.execute(named_params! {
        ":artifact": artifact,
        ":bytes": signed.bytes,
        ":digest": &*signed.digest,
        ":status": columns.status,
        ":key": columns.key,
        ":until": columns.until,
        ":why": columns.why,
        ":most": MOST,
    })?;
    Ok(())
}

/// Replaces what the keyring said of a signature.
pub fn set_status(
    conn: &Transaction<'_>,
    id: SignatureId,
    status: &SignatureStatus,
) -> Result<(), StoreError> {
    let columns = Columns::of(status);
    let mut query = conn.prepare_cached(
        "UPDATE signature
            SET status = :status, key = :key, until = :until, why = :why
          WHERE id = :id",
    )?;
    query.execute(named_params! {
        ":id": id,
        ":status": columns.status,
        ":key": columns.key,
        ":until": columns.until,
        ":why": columns.why,
    })?;
    Ok(())
}

/// Hands every signature that can be read to `each`, or those of one artifact, with what the keyring said of it.
pub fn for_each(
    conn: &Connection,
    of: Option<ArtifactId>,
    mut each: impl FnMut(SignatureId, Signed, SignatureStatus) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(match of {
        None => {
            "SELECT status, key, until, why, id, bytes, digest
               FROM signature
              WHERE status <> 'unreadable'
              ORDER BY id"
        }
        Some(_) => {
            "SELECT status, key, until, why, id, bytes, digest
               FROM signature
              WHERE status <> 'unreadable' AND artifact = ?1
              ORDER BY id"
        }
    })?;
    let mut rows = query.query(rusqlite::params_from_iter(of))?;
    while let Some(row) = rows.next()? {
        let digest: Vec<u8> = row.get(6)?;
        let signed = Signed {
            bytes: row.get(5)?,
            digest: digest.into(),
        };
        each(row.get(4)?, signed, Columns::read(row)?.status()?)?;
    }
    Ok(())
}

/// Returns the best status of each artifact in a stage that came with a signature, at the time `now`.
pub fn of_stage(
    conn: &Connection,
    stage: StageId,
    now: Timestamp,
) -> Result<HashMap<ArtifactId, SignatureStatus>, StoreError> {
    let mut query = conn.prepare(
        "SELECT g.status, g.key, g.until, g.why, g.artifact
           FROM staged s
           JOIN signature g ON g.artifact = s.artifact
          WHERE s.stage = :stage",
    )?;
    best_of_each(&mut query, named_params! { ":stage": stage }, now)
}

/// Returns the best status of each artifact that a branch holds now and that came with a signature, at the time `now`.
pub fn of_branch(
    conn: &Connection,
    branch: BranchId,
    now: Timestamp,
) -> Result<HashMap<ArtifactId, SignatureStatus>, StoreError> {
    let mut query = conn.prepare(
        "SELECT g.status, g.key, g.until, g.why, g.artifact
           FROM member m
           JOIN signature g ON g.artifact = m.artifact
          WHERE m.branch = :branch AND m.until IS NULL",
    )?;
    best_of_each(&mut query, named_params! { ":branch": branch }, now)
}

/// Returns the artifacts that a branch held right after a change set and whose signature it offers: of
/// [`SignaturePolicy::Off`] whatever came as one, else what can be read.
pub fn offered(
    conn: &Connection,
    branch: BranchId,
    policy: SignaturePolicy,
    at: ChangeSetId,
) -> Result<Vec<ArtifactId>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT DISTINCT m.artifact
           FROM member m
           JOIN signature g ON g.artifact = m.artifact
          WHERE m.branch = :branch
            AND m.since <= :at
            AND (m.until IS NULL OR m.until > :at)
            AND (:is_off OR g.status <> 'unreadable')",
    )?;
    let is_off = policy == SignaturePolicy::Off;
    let rows = query.query_map(
        named_params! { ":branch": branch, ":at": at, ":is_off": is_off },
        |row| row.get(0),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Tells whether a branch with this policy offers a signature of an artifact, as [`offered`] says it of all it holds.
pub fn is_offered(
    conn: &Connection,
    artifact: ArtifactId,
    policy: SignaturePolicy,
) -> Result<bool, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1
                          FROM signature
                         WHERE artifact = :artifact AND (:is_off OR status <> 'unreadable'))",
    )?;
    let is_off = policy == SignaturePolicy::Off;
    let parameters = named_params! { ":artifact": artifact, ":is_off": is_off };
    Ok(query.query_row(parameters, |row| row.get(0))?)
}

/// Returns the best status of an artifact at the time `now`.
pub fn status(
    conn: &Connection,
    artifact: ArtifactId,
    now: Timestamp,
) -> Result<SignatureStatus, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT status, key, until, why, artifact FROM signature WHERE artifact = :artifact",
    )?;
    let mut best = best_of_each(&mut query, named_params! { ":artifact": artifact }, now)?;
    Ok(best.remove(&artifact).unwrap_or(SignatureStatus::Absent))
}

/// Returns the signature of an artifact as it came: the best one at the time `now`, of equal ones the newest.
pub fn of_artifact(
    conn: &Connection,
    artifact: ArtifactId,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT status, key, until, why, bytes
           FROM signature
          WHERE artifact = :artifact
          ORDER BY id",
    )?;
    let rows = query.query_map(named_params! { ":artifact": artifact }, |row| {
        Ok((Columns::read(row)?, row.get::<_, Vec<u8>>(4)?))
    })?;
    let mut best: Option<(u8, Vec<u8>)> = None;
    for row in rows {
        let (columns, bytes) = row?;
        let worth = columns.status()?.at(now).worth();
        if best.as_ref().is_none_or(|(least, _)| worth >= *least) {
            best = Some((worth, bytes));
        }
    }
    Ok(best.map(|(_, bytes)| bytes))
}

/// Returns a number that grows with every signature that is added.
pub fn last(conn: &Connection) -> Result<i64, StoreError> {
    Ok(
        conn.query_row("SELECT coalesce(max(id), 0) FROM signature", [], |row| {
            row.get(0)
        })?,
    )
}

/// A status as columns.
struct Columns {
    status: String,
    key: Option<String>,
    until: Option<String>,
    why: Option<String>,
}

impl Columns {
    fn of(status: &SignatureStatus) -> Self {
        let (word, key, until, why) = match status {
            SignatureStatus::Good { key, until } => ("good", Some(key), *until, None),
            SignatureStatus::ExpiredKey { key, until } => ("good", Some(key), Some(*until), None),
            SignatureStatus::UnknownKey { key } => ("unknown-key", key.as_ref(), None, None),
            SignatureStatus::Wrong { why } => ("wrong", None, None, Some(why)),
            SignatureStatus::Unreadable | SignatureStatus::Absent => {
                ("unreadable", None, None, None)
            }
        };
        Self {
            status: word.to_owned(),
            key: key.cloned(),
            until: until.map(|until| until.to_string()),
            why: why.cloned(),
        }
    }

    /// Reads the first four columns of a row: status, key, until, why.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            status: row.get(0)?,
            key: row.get(1)?,
            until: row.get(2)?,
            why: row.get(3)?,
        })
    }

    fn status(self) -> Result<SignatureStatus, StoreError> {
        let invalid = |value: &str| StoreError::Invalid {
            what: "signature status",
            value: value.to_owned(),
        };
        let until = self.until.as_deref();
        let until = until
            .map(str::parse)
            .transpose()
            .map_err(|_| invalid("until"))?;
        Ok(match (self.status.as_str(), self.key, self.why) {
            ("good", Some(key), None) => SignatureStatus::Good { key, until },
            ("unknown-key", key, None) => SignatureStatus::UnknownKey { key },
            ("wrong", None, Some(why)) => SignatureStatus::Wrong { why },
            ("unreadable", None, None) => SignatureStatus::Unreadable,
            (status, _, _) => return Err(invalid(status)),
        })
    }
}

/// Returns the best status of each artifact among rows of status, key, until, why and artifact.
fn best_of_each(
    query: &mut Statement<'_>,
    parameters: impl Params,
    now: Timestamp,
) -> Result<HashMap<ArtifactId, SignatureStatus>, StoreError> {
    let mut all: HashMap<ArtifactId, SignatureStatus> = HashMap::new();
    let rows = query.query_map(parameters, |row| Ok((row.get(4)?, Columns::read(row)?)))?;
    for row in rows {
        let (artifact, columns) = row?;
        let status = columns.status()?.at(now);
        let held = all.get(&artifact).map_or(0, SignatureStatus::worth);
        if status.worth() > held {
            all.insert(artifact, status);
        }
    }
    Ok(all)
}

super::sql_id!(SignatureId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::BranchKind;
    use crate::store::branches::{self, BranchSettings};
    use crate::store::examples::{artifact, change_set, name};
    use crate::store::schema;

    fn signed(text: &str) -> Signed {
        Signed {
            bytes: text.into(),
            digest: text.as_bytes().into(),
        }
    }

    fn unknown() -> SignatureStatus {
        SignatureStatus::UnknownKey {
            key: Some("D27D666CD88E42B4".into()),
        }
    }

    fn good(until: Option<Timestamp>) -> SignatureStatus {
        SignatureStatus::Good {
            key: "0F".repeat(20),
            until,
        }
    }

    fn wrong() -> SignatureStatus {
        SignatureStatus::Wrong {
            why: "the signature is not over these bytes".into(),
        }
    }

    #[test]
    fn the_best_signature_of_an_artifact_speaks_for_it_and_of_equal_ones_the_newest() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let it = artifact(&conn, "1.0.0", "a");
        assert_eq!(of_artifact(&conn, it, Timestamp::now()).unwrap(), None);
        for (text, status) in [
            ("wrong", wrong()),
            ("one", unknown()),
            ("other", unknown()),
            ("no signature", SignatureStatus::Unreadable),
        ] {
            put(&conn, it, &signed(text), &status).unwrap();
        }
        assert_eq!(
            of_artifact(&conn, it, Timestamp::now()).unwrap().unwrap(),
            b"other"
        );
        put(&conn, it, &signed("one"), &good(None)).unwrap();
        assert_eq!(
            of_artifact(&conn, it, Timestamp::now()).unwrap().unwrap(),
            b"one"
        );
        let mut seen = Vec::new();
        for_each(&conn, None, |id, signed, _| {
            set_status(&conn, id, &wrong())?;
            seen.push(String::from_utf8(signed.bytes).unwrap());
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, ["wrong", "one", "other"]);
        assert_eq!(
            of_artifact(&conn, it, Timestamp::now()).unwrap().unwrap(),
            b"other"
        );
    }

    #[test]
    fn many_signatures_of_one_artifact_do_not_keep_a_good_one_out() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let it = artifact(&conn, "1.0.0", "a");
        for number in 0..20 {
            put(&conn, it, &signed(&number.to_string()), &unknown()).unwrap();
        }
        let count = |conn: &Connection| -> i64 {
            conn.query_row("SELECT count(*) FROM signature", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(count(&conn), MOST);
        put(&conn, it, &signed("good"), &good(None)).unwrap();
        assert_eq!(
            of_artifact(&conn, it, Timestamp::now()).unwrap().unwrap(),
            b"good"
        );
        assert!(last(&conn).unwrap() > MOST);
    }

    #[test]
    fn a_branch_offers_what_can_be_read_and_everything_where_it_does_not_look() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        let settings = BranchSettings::default();
        let branch =
            branches::insert(&conn, &name("mine"), BranchKind::Local, &settings, at).unwrap();
        let [read, unread, none, gone] =
            ["1.0.0", "1.1.0", "1.2.0", "1.3.0"].map(|version| artifact(&conn, version, "a"));
        let until = Timestamp::UNIX_EPOCH;
        put(&conn, read, &signed("a"), &good(Some(until))).unwrap();
        put(&conn, unread, &signed("b"), &SignatureStatus::Unreadable).unwrap();
        put(&conn, gone, &signed("c"), &good(None)).unwrap();
        for artifact in [read, unread, none] {
            branches::put(&conn, branch, artifact, at).unwrap();
        }
        assert_eq!(
            offered(&conn, branch, SignaturePolicy::Verify, at).unwrap(),
            [read]
        );
        assert_eq!(
            offered(&conn, branch, SignaturePolicy::Require, at).unwrap(),
            [read]
        );
        assert_eq!(
            offered(&conn, branch, SignaturePolicy::Off, at).unwrap(),
            [read, unread]
        );
        let all = of_branch(&conn, branch, until).unwrap();
        let expired = SignatureStatus::ExpiredKey {
            key: "0F".repeat(20),
            until,
        };
        assert_eq!(all.len(), 2);
        assert_eq!(
            (&all[&read], &all[&unread]),
            (&expired, &SignatureStatus::Unreadable)
        );
    }

    #[test]
    fn a_signature_by_a_key_that_has_expired_gives_way_to_one_that_counts() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let it = artifact(&conn, "1.0.0", "a");
        let end = Timestamp::UNIX_EPOCH;
        put(&conn, it, &signed("lasting"), &good(None)).unwrap();
        put(&conn, it, &signed("ended"), &good(Some(end))).unwrap();
        let at = |now| of_artifact(&conn, it, now).unwrap().unwrap();
        assert_eq!(at(Timestamp::MIN), b"ended");
        assert_eq!(at(end), b"lasting");
    }
}
