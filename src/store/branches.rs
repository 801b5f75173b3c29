//! Branches and what they hold, now and before.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::artifacts::{self, ArtifactId};
use super::change_sets::ChangeSetId;
use crate::distribution::{BranchKind, CacheTimes, DistributionName, Held, SignaturePolicy};
use crate::package::{PackageId, PackageName};

/// The number of a branch in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BranchId(pub i64);

/// A branch, without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its number.
    pub id: BranchId,
    /// Its name.
    pub name: DistributionName,
    /// What it is for.
    pub kind: BranchKind,
    /// What its source said of it.
    pub settings: BranchSettings,
    /// What becomes of packages without a good signature.
    pub signatures: SignaturePolicy,
}

/// What a branch's source says of how it is to be served.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BranchSettings {
    /// The registry version it pins.
    pub registry_version: Option<String>,
    /// Seconds that clients may keep answers of `/search`.
    pub search_cache_seconds: Option<u32>,
    /// The same of `/categories`.
    pub categories_cache_seconds: Option<u32>,
    /// The same of everything else.
    pub catch_all_cache_seconds: Option<u32>,
}

/// What a branch holds for one package version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The package version.
    pub package: PackageId,
    /// The artifact.
    pub artifact: ArtifactId,
    /// Its digests.
    pub held: Held,
}

/// Adds a branch that is not here yet; one that was deleted comes back under its number, with its history.
pub fn insert(
    conn: &Transaction<'_>,
    name: &DistributionName,
    kind: BranchKind,
    settings: &BranchSettings,
    created: ChangeSetId,
) -> Result<BranchId, StoreError> {
    let id = conn.query_row(
        "INSERT INTO branch (name, kind, registry_version, search_cache_seconds, categories_cache_seconds,
                             catch_all_cache_seconds, created)
         VALUES (:name, :kind, :registry_version, :search, :categories, :catch_all, :created)
             ON CONFLICT (name) DO UPDATE
            SET kind = excluded.kind, registry_version = excluded.registry_version,
                search_cache_seconds = excluded.search_cache_seconds,
                categories_cache_seconds = excluded.categories_cache_seconds,
                catch_all_cache_seconds = excluded.catch_all_cache_seconds,
                created = excluded.created, deleted = NULL, signatures = 'verify'
          WHERE deleted IS NOT NULL
      RETURNING id",
        named_params! {
            ":name": name.as_str(),
            ":kind": kind.as_str(),
            ":registry_version": settings.registry_version,
            ":search": settings.search_cache_seconds,
            ":categories": settings.categories_cache_seconds,
            ":catch_all": settings.catch_all_cache_seconds,
            ":created": created,
        },
        |row| row.get(0),
    )?;
    Ok(id)
}

/// Replaces what is known of how a branch is to be served; what `settings` does not say stays.
pub fn update_settings(
    conn: &Transaction<'_>,
    id: BranchId,
    settings: &BranchSettings,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE branch
            SET registry_version = coalesce(:registry_version, registry_version),
                search_cache_seconds = coalesce(:search, search_cache_seconds),
                categories_cache_seconds = coalesce(:categories, categories_cache_seconds),
                catch_all_cache_seconds = coalesce(:catch_all, catch_all_cache_seconds)
          WHERE id = :id",
        named_params! {
            ":id": id,
            ":registry_version": settings.registry_version,
            ":search": settings.search_cache_seconds,
            ":categories": settings.categories_cache_seconds,
            ":catch_all": settings.catch_all_cache_seconds,
        },
    )?;
    Ok(())
}

/// Says what becomes of packages without a good signature.
pub fn set_signatures(
    conn: &Transaction<'_>,
    id: BranchId,
    policy: SignaturePolicy,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE branch SET signatures = :policy WHERE id = :id",
        named_params! { ":id": id, ":policy": policy.as_str() },
    )?;
    Ok(())
}

/// Returns the branch of this name, or `None`.
pub fn find(conn: &Connection, name: &DistributionName) -> Result<Option<Branch>, StoreError> {
    let row = conn
        .query_row(
            &format!("SELECT {COLUMNS} FROM branch WHERE name = :name AND deleted IS NULL"),
            named_params! { ":name": name.as_str() },
            Row::read,
        )
        .optional()?;
    row.map(Row::branch).transpose()
}

/// Returns what a branch makes of signatures.
pub fn policy(conn: &Connection, id: BranchId) -> Result<SignaturePolicy, StoreError> {
    let mut query = conn.prepare_cached("SELECT signatures FROM branch WHERE id = :id")?;
    let text: String = query.query_row(named_params! { ":id": id }, |row| row.get(0))?;
    read_policy(&text)
}

/// Returns all branches, by name.
pub fn all(conn: &Connection) -> Result<Vec<Branch>, StoreError> {
    rows(conn, "WHERE deleted IS NULL")
}

/// Returns the same, and those that were deleted.
pub fn ever(conn: &Connection) -> Result<Vec<Branch>, StoreError> {
    rows(conn, "")
}

fn rows(conn: &Connection, which: &str) -> Result<Vec<Branch>, StoreError> {
    let mut query = conn.prepare(&format!(
        "SELECT {COLUMNS} FROM branch {which} ORDER BY name"
    ))?;
    let rows = query.query_map([], Row::read)?;
    rows.map(|row| row?.branch()).collect()
}

/// Returns what a branch holds now, by name and version.
pub fn members(conn: &Connection, branch: BranchId) -> Result<Vec<Member>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT v.name, v.version, m.artifact, a.sha256, a.tree_sha256
           FROM member m
           JOIN package_version v ON v.id = m.package_version
           JOIN artifact a ON a.id = m.artifact
          WHERE m.branch = :branch AND m.until IS NULL",
    )?;
    members_of(query.query_map(named_params! { ":branch": branch }, MemberRow::read)?)
}

/// Returns what a branch holds now of one package, by version.
pub fn members_of_package(
    conn: &Connection,
    branch: BranchId,
    name: &PackageName,
) -> Result<Vec<Member>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT v.name, v.version, m.artifact, a.sha256, a.tree_sha256
           FROM package_version v
           JOIN member m ON m.branch = :branch AND m.package_version = v.id AND m.until IS NULL
           JOIN artifact a ON a.id = m.artifact
          WHERE v.name = :name",
    )?;
    let parameters = named_params! { ":branch": branch, ":name": name.as_str() };
    members_of(query.query_map(parameters, MemberRow::read)?)
}

/// Reads the columns name, version, artifact, SHA-256, SHA-256 of the tree; sorts by name and version.
pub(super) fn members_of(
    rows: impl Iterator<Item = rusqlite::Result<MemberRow>>,
) -> Result<Vec<Member>, StoreError> {
    let mut members = rows
        .map(|row| row?.member())
        .collect::<Result<Vec<_>, _>>()?;
    members.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(members)
}

/// A member as its row has it, its package version still text.
pub(super) struct MemberRow {
    name: String,
    version: String,
    artifact: ArtifactId,
    held: Held,
}

impl MemberRow {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            version: row.get(1)?,
            artifact: row.get(2)?,
            held: Held {
                sha256: row.get(3)?,
                tree_sha256: row.get(4)?,
            },
        })
    }

    fn member(self) -> Result<Member, StoreError> {
        let package = artifacts::package_id(&self.name, &self.version)?;
        Ok(Member {
            package,
            artifact: self.artifact,
            held: self.held,
        })
    }
}

/// Makes `artifact` what a branch holds for its package version, from `change_set` on; what it held before ends there.
pub fn put(
    conn: &Transaction<'_>,
    branch: BranchId,
    artifact: ArtifactId,
    change_set: ChangeSetId,
) -> Result<(), StoreError> {
    remove(conn, branch, artifact, change_set)?;
    conn.prepare_cached(
        "INSERT INTO member (branch, package_version, since, artifact)
         SELECT :branch, package_version, :change_set, id
           FROM artifact
          WHERE id = :artifact",
    )?
    .execute(
        named_params! { ":branch": branch, ":artifact": artifact, ":change_set": change_set },
    )?;
    Ok(())
}

/// Ends what a branch holds of the package version of `artifact`; tells whether it held something.
pub fn remove(
    conn: &Transaction<'_>,
    branch: BranchId,
    artifact: ArtifactId,
    change_set: ChangeSetId,
) -> Result<bool, StoreError> {
    let ended = conn
        .prepare_cached(
            "UPDATE member
                SET until = :change_set
              WHERE branch = :branch
                AND until IS NULL
                AND package_version = (SELECT package_version FROM artifact WHERE id = :artifact)",
        )?
        .execute(
            named_params! { ":branch": branch, ":artifact": artifact, ":change_set": change_set },
        )?;
    Ok(ended > 0)
}

const COLUMNS: &str = "id, name, kind, registry_version, search_cache_seconds, categories_cache_seconds, catch_all_cache_seconds, signatures";

struct Row {
    id: BranchId,
    name: String,
    kind: String,
    settings: BranchSettings,
    signatures: String,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            settings: BranchSettings {
                registry_version: row.get(3)?,
                search_cache_seconds: row.get(4)?,
                categories_cache_seconds: row.get(5)?,
                catch_all_cache_seconds: row.get(6)?,
            },
            signatures: row.get(7)?,
        })
    }

    fn branch(self) -> Result<Branch, StoreError> {
        Ok(Branch {
            id: self.id,
            name: read_name(&self.name)?,
            kind: read_kind(&self.kind)?,
            settings: self.settings,
            signatures: read_policy(&self.signatures)?,
        })
    }
}

/// Reads the name of a branch.
pub(super) fn read_name(text: &str) -> Result<DistributionName, StoreError> {
    DistributionName::parse(text).map_err(|_| invalid("branch name", text))
}

/// Reads the kind of a branch.
pub(super) fn read_kind(text: &str) -> Result<BranchKind, StoreError> {
    BranchKind::parse(text).ok_or_else(|| invalid("branch kind", text))
}

/// Reads what a branch makes of signatures.
pub(super) fn read_policy(text: &str) -> Result<SignaturePolicy, StoreError> {
    text.parse().map_err(|_| invalid("signature policy", text))
}

fn invalid(what: &'static str, text: &str) -> StoreError {
    StoreError::Invalid {
        what,
        value: text.to_owned(),
    }
}

impl BranchSettings {
    /// Returns for how long clients may keep answers: what the branch says, else the defaults.
    pub fn cache_times(&self) -> CacheTimes {
        let default = CacheTimes::default();
        CacheTimes {
            search_seconds: self.search_cache_seconds.unwrap_or(default.search_seconds),
            categories_seconds: self
                .categories_cache_seconds
                .unwrap_or(default.categories_seconds),
            catch_all_seconds: self
                .catch_all_cache_seconds
                .unwrap_or(default.catch_all_seconds),
            index_seconds: default.index_seconds,
        }
    }
}

super::sql_id!(BranchId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::examples::{artifact, change_set, name};
    use crate::store::schema;

    fn versions(conn: &Connection, branch: BranchId) -> Vec<(String, ArtifactId)> {
        let members = members(conn, branch).unwrap();
        let shown = |member: Member| (member.package.version.to_string(), member.artifact);
        members.into_iter().map(shown).collect()
    }

    /// The rows of a branch as `since, until, artifact`, oldest first.
    fn history(conn: &Connection, branch: BranchId) -> Vec<(i64, Option<i64>, ArtifactId)> {
        let mut query = conn
            .prepare(
                "SELECT since, until, artifact FROM member WHERE branch = ?1 ORDER BY since, artifact",
            )
            .unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let rows = query.query_map([branch], row).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn members_come_by_version_and_not_by_text_or_arrival() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        let settings = BranchSettings::default();
        let [mine, other] = ["mine", "other"]
            .map(|text| insert(&conn, &name(text), BranchKind::Local, &settings, at).unwrap());
        let artifacts =
            ["1.10.0", "1.9.0", "1.9.0-rc.1"].map(|version| artifact(&conn, version, "a"));
        for artifact in artifacts {
            put(&conn, mine, artifact, at).unwrap();
        }
        let [newest, middle, oldest] = artifacts;
        assert_eq!(
            versions(&conn, mine),
            [
                ("1.9.0-rc.1".into(), oldest),
                ("1.9.0".into(), middle),
                ("1.10.0".into(), newest)
            ]
        );
        assert_eq!(versions(&conn, other), []);
    }

    #[test]
    fn what_is_replaced_ends_where_the_new_begins_and_is_kept() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let first = change_set(&conn);
        let settings = BranchSettings::default();
        let [mine, other] = ["mine", "other"]
            .map(|text| insert(&conn, &name(text), BranchKind::Local, &settings, first).unwrap());
        let (one, two) = (artifact(&conn, "1.0.0", "a"), artifact(&conn, "1.0.0", "b"));
        let beside = artifact(&conn, "1.1.0", "a");
        for (branch, artifact) in [(mine, one), (mine, beside), (other, one)] {
            put(&conn, branch, artifact, first).unwrap();
        }
        let second = change_set(&conn);
        put(&conn, mine, two, second).unwrap();
        let third = change_set(&conn);
        put(&conn, mine, one, third).unwrap();

        assert_eq!(
            history(&conn, mine),
            [
                (first.0, Some(second.0), one),
                (first.0, None, beside),
                (second.0, Some(third.0), two),
                (third.0, None, one)
            ]
        );
        assert_eq!(history(&conn, other), [(first.0, None, one)]);
        assert_eq!(
            versions(&conn, mine),
            [("1.0.0".into(), one), ("1.1.0".into(), beside)]
        );
    }

    #[test]
    fn one_change_set_cannot_put_a_version_twice() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        let settings = BranchSettings::default();
        let mine = insert(&conn, &name("mine"), BranchKind::Local, &settings, at).unwrap();
        put(&conn, mine, artifact(&conn, "1.0.0", "a"), at).unwrap();
        assert!(put(&conn, mine, artifact(&conn, "1.0.0", "b"), at).is_err());
    }

    #[test]
    fn settings_that_a_later_source_does_not_say_stay() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        let said = BranchSettings {
            registry_version: Some("1.15.0".into()),
            search_cache_seconds: Some(60),
            categories_cache_seconds: None,
            catch_all_cache_seconds: Some(0),
        };
        let id = insert(&conn, &name("staging"), BranchKind::Staging, &said, at).unwrap();
        let found = || find(&conn, &name("staging")).unwrap().unwrap();
        let expected = Branch {
            id,
            name: name("staging"),
            kind: BranchKind::Staging,
            settings: said.clone(),
            signatures: SignaturePolicy::Verify,
        };
        assert_eq!(found(), expected);
        set_signatures(&conn, id, SignaturePolicy::Require).unwrap();
        assert_eq!(found().signatures, SignaturePolicy::Require);
        update_settings(&conn, id, &BranchSettings::default()).unwrap();
        assert_eq!(found().settings, said);

        let later = BranchSettings {
            search_cache_seconds: Some(10),
            categories_cache_seconds: Some(20),
            ..BranchSettings::default()
        };
        update_settings(&conn, id, &later).unwrap();
        assert_eq!(
            found().settings,
            BranchSettings {
                registry_version: Some("1.15.0".into()),
                search_cache_seconds: Some(10),
                categories_cache_seconds: Some(20),
                catch_all_cache_seconds: Some(0),
            }
        );
        assert_eq!(
            found().settings.cache_times(),
            CacheTimes {
                search_seconds: 10,
                categories_seconds: 20,
                catch_all_seconds: 0,
                index_seconds: 10
            }
        );
    }

    #[test]
    fn branches_are_found_by_name_each_once() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let at = change_set(&conn);
        let settings = BranchSettings::default();
        for text in ["staging", "9.2.0", "mine"] {
            insert(&conn, &name(text), BranchKind::of_name(text), &settings, at).unwrap();
        }
        assert!(insert(&conn, &name("mine"), BranchKind::Local, &settings, at).is_err());
        assert_eq!(find(&conn, &name("none")).unwrap(), None);
        let all = all(&conn).unwrap();
        let names: Vec<_> = all.iter().map(|branch| branch.name.as_str()).collect();
        assert_eq!(names, ["9.2.0", "mine", "staging"]);
    }
}
