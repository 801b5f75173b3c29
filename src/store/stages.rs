//! Stages: what came in and is offered to nobody yet.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::artifacts::ArtifactId;
use super::branches::{self, BranchSettings, Member, MemberRow};
use super::sources::SourceId;
use crate::distribution::{BranchKind, DistributionName, SignaturePolicy};

/// The number of a stage: the plan `airlock plans commit N` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StageId(pub i64);

/// Where the content of a stage is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The branch.
    pub branch: DistributionName,
    /// Its kind, should it have to be made.
    pub kind: BranchKind,
    /// What the source says of how it is to be served.
    pub settings: BranchSettings,
}

/// One reading of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its number.
    pub id: StageId,
    /// When reading began, RFC 3339.
    pub started_at: String,
    /// Who began it.
    pub who: String,
    /// Who said where it is to go, where its source did not.
    pub target_who: Option<String>,
    /// What was read.
    pub source: SourceId,
    /// Where it is to go; `None` while nobody has said so.
    pub target: Option<Target>,
    /// Files that belong to no package.
    pub ignored_files: u64,
    /// The policy that the branch is to have; `None` leaves it as it is.
    pub signatures: Option<SignaturePolicy>,
}

/// Begins to stage a source.
pub fn begin(
    conn: &Transaction<'_>,
    source: SourceId,
    started_at: &str,
    who: &str,
    signatures: Option<SignaturePolicy>,
) -> Result<StageId, StoreError> {
    conn.execute(
        "INSERT INTO stage (state, started_at, who, source, signatures)
         VALUES ('open', :started_at, :who, :source, :signatures)",
        named_params! {
            ":started_at": started_at,
            ":who": who,
            ":source": source,
            ":signatures": signatures.map(SignaturePolicy::as_str),
        },
    )?;
    Ok(StageId(conn.last_insert_rowid()))
}

/// Adds an artifact to a stage. Adding it twice is adding it once.
pub fn add(conn: &Transaction<'_>, stage: StageId, artifact: ArtifactId) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR IGNORE INTO staged (stage, artifact) VALUES (:stage, :artifact)",
    )?
    .execute(named_params! { ":stage": stage, ":artifact": artifact })?;
    Ok(())
}

/// Takes an artifact out of a stage.
pub fn remove(
    conn: &Transaction<'_>,
    stage: StageId,
    artifact: ArtifactId,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM staged WHERE stage = :stage AND artifact = :artifact")?
        .execute(named_params! { ":stage": stage, ":artifact": artifact })?;
    Ok(())
}

/// Ends the reading of a source: from here on it has a plan. `target` is `None` where nobody said yet where it belongs.
pub fn finish(
    conn: &Transaction<'_>,
    id: StageId,
    target: Option<&Target>,
    settings: &BranchSettings,
    ignored_files: u64,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE stage
            SET state = 'staged', branch = :branch, branch_kind = :kind, ignored_files = :ignored_files,
                search_cache_seconds = :search, categories_cache_seconds = :categories,
                catch_all_cache_seconds = :catch_all
          WHERE id = :id",
        named_params! {
            ":id": id,
            ":branch": target.map(|target| target.branch.as_str()),
            ":kind": target.map(|target| target.kind.as_str()),
            ":ignored_files": ignored_files.cast_signed(),
            ":search": settings.search_cache_seconds,
            ":categories": settings.categories_cache_seconds,
            ":catch_all": settings.catch_all_cache_seconds,
        },
    )?;
    Ok(())
}

/// Says where a stage belongs, and keeps who said so first; `false` when there is no such stage, or it belongs elsewhere.
pub fn set_target(
    conn: &Transaction<'_>,
    id: StageId,
    branch: &DistributionName,
    kind: BranchKind,
    who: &str,
) -> Result<bool, StoreError> {
    let changed = conn.execute(
        "UPDATE stage
            SET target_who = CASE WHEN branch IS NULL THEN :who ELSE target_who END,
                branch = :branch, branch_kind = :kind
          WHERE id = :id AND state = 'staged'
            AND coalesce(branch, :branch) = :branch AND coalesce(branch_kind, :kind) = :kind",
        named_params! {
            ":id": id,
            ":branch": branch.as_str(),
            ":kind": kind.as_str(),
            ":who": who,
        },
    )?;
    Ok(changed > 0)
}

/// Returns the stages that wait for a commit, oldest first.
pub fn waiting(conn: &Connection) -> Result<Vec<Stage>, StoreError> {
    let mut query = conn.prepare("SELECT id FROM stage WHERE state = 'staged' ORDER BY id")?;
    let ids = query
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<StageId>, _>>()?;
    ids.into_iter()
        .filter_map(|id| get(conn, id).transpose())
        .collect()
}

/// Returns a stage whose source was read to its end, or `None`.
pub fn get(conn: &Connection, id: StageId) -> Result<Option<Stage>, StoreError> {
    let row = conn
        .query_row(
            "SELECT g.started_at, g.who, g.source, g.ignored_files, g.branch, g.branch_kind, s.registry_version,
                    g.search_cache_seconds, g.categories_cache_seconds, g.catch_all_cache_seconds, g.signatures,
                    g.target_who
               FROM stage g
               JOIN source s ON s.id = g.source
              WHERE g.id = :id AND g.state = 'staged'",
            named_params! { ":id": id },
            |row| {
                let stage = Stage {
                    id,
                    started_at: row.get(0)?,
                    who: row.get(1)?,
                    target_who: row.get(11)?,
                    source: row.get(2)?,
                    target: None,
                    ignored_files: row.get::<_, i64>(3)?.cast_unsigned(),
                    signatures: None,
                };
                let signatures: Option<String> = row.get(10)?;
                let settings = BranchSettings {
                    registry_version: row.get(6)?,
                    search_cache_seconds: row.get(7)?,
                    categories_cache_seconds: row.get(8)?,
                    catch_all_cache_seconds: row.get(9)?,
                };
                let target = (row.get::<_, Option<String>>(4)?, row.get::<_, Option<String>>(5)?);
                Ok((stage, target, settings, signatures))
            },
        )
        .optional()?;
    let Some((mut stage, (branch, kind), settings, signatures)) = row else {
        return Ok(None);
    };
    stage.signatures = signatures
        .as_deref()
        .map(branches::read_policy)
        .transpose()?;
    if let (Some(branch), Some(kind)) = (branch, kind) {
        stage.target = Some(Target {
            branch: branches::read_name(&branch)?,
            kind: branches::read_kind(&kind)?,
            settings,
        });
    }
    Ok(Some(stage))
}

/// Returns what a stage holds, by name and version.
pub fn members(conn: &Connection, id: StageId) -> Result<Vec<Member>, StoreError> {
    let mut query = conn.prepare(
        "SELECT v.name, v.version, a.id, a.sha256, a.tree_sha256
           FROM staged s
           JOIN artifact a ON a.id = s.artifact
           JOIN package_version v ON v.id = a.package_version
          WHERE s.stage = :id",
    )?;
    branches::members_of(query.query_map(named_params! { ":id": id }, MemberRow::read)?)
}

/// Ends a stage, by its commit or because it is dropped; `false` where there is none. What it held stays until it is
/// collected as garbage.
pub fn end(conn: &Transaction<'_>, id: StageId) -> Result<bool, StoreError> {
    Ok(conn.execute(
        "DELETE FROM stage WHERE id = :id",
        named_params! { ":id": id },
    )? > 0)
}

/// Ends every stage that was being read when its process died; only for when no import runs.
pub fn end_open(conn: &Transaction<'_>) -> Result<usize, StoreError> {
    Ok(conn.execute("DELETE FROM stage WHERE state = 'open'", [])?)
}

super::sql_id!(StageId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::examples::{artifact, name};
    use crate::store::{schema, sources};

    const AT: &str = "2026-11-22T10:00:00Z";

    fn begun(conn: &Transaction<'_>) -> (SourceId, StageId) {
        let source = sources::begin(conn, "packages.tar").unwrap();
        (
            source,
            begin(conn, source, AT, "tester", Some(SignaturePolicy::Off)).unwrap(),
        )
    }

    #[test]
    fn a_stage_waits_from_the_moment_its_source_was_read() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (source, id) = begun(&conn);
        assert_eq!(get(&conn, id).unwrap(), None);
        assert_eq!(waiting(&conn).unwrap(), []);
        assert!(!set_target(&conn, id, &name("mine"), BranchKind::Local, "bob").unwrap());

        let read = sources::Source {
            registry_version: Some("1.15.0".into()),
            ..sources::Source::default()
        };
        sources::finish(&conn, source, &read).unwrap();
        let settings = BranchSettings {
            registry_version: Some("1.15.0".into()),
            search_cache_seconds: Some(60),
            categories_cache_seconds: None,
            catch_all_cache_seconds: Some(600),
        };
        finish(&conn, id, None, &settings, 7).unwrap();
        let mut expected = Stage {
            id,
            started_at: AT.into(),
            who: "tester".into(),
            target_who: None,
            source,
            target: None,
            ignored_files: 7,
            signatures: Some(SignaturePolicy::Off),
        };
        assert_eq!(waiting(&conn).unwrap(), [expected.clone()]);

        // What the source said stays when somebody says where it belongs.
        assert!(set_target(&conn, id, &name("mine"), BranchKind::Local, "bob").unwrap());
        expected.target_who = Some("bob".into());
        expected.target = Some(Target {
            branch: name("mine"),
            kind: BranchKind::Local,
            settings,
        });
        assert_eq!(get(&conn, id).unwrap(), Some(expected.clone()));

        // Its plan may have been looked at: it goes nowhere else from here on.
        assert!(set_target(&conn, id, &name("mine"), BranchKind::Local, "alice").unwrap());
        assert!(!set_target(&conn, id, &name("mine"), BranchKind::Release, "alice").unwrap());
        assert!(
            !set_target(
                &conn,
                id,
                &name("production"),
                BranchKind::Production,
                "alice"
            )
            .unwrap()
        );
        assert_eq!(get(&conn, id).unwrap(), Some(expected));
    }

    #[test]
    fn a_stage_holds_each_artifact_once_by_version() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let (_, id) = begun(&conn);
        let (_, other) = begun(&conn);
        let [newer, older, gone] =
            ["1.10.0", "1.9.0", "1.8.0"].map(|version| artifact(&conn, version, "a"));
        for artifact in [newer, older, older, gone] {
            add(&conn, id, artifact).unwrap();
        }
        add(&conn, other, gone).unwrap();
        remove(&conn, id, gone).unwrap();
        let held = |id| {
            let members = members(&conn, id).unwrap();
            members.into_iter().map(|m| m.artifact).collect::<Vec<_>>()
        };
        assert_eq!(held(id), [older, newer]);
        assert_eq!(held(other), [gone]);
    }

    #[test]
    fn a_stage_ends_once_and_open_ones_end_with_their_process() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let ids = [begun(&conn).1, begun(&conn).1, begun(&conn).1];
        add(&conn, ids[0], artifact(&conn, "1.0.0", "a")).unwrap();
        for id in &ids[..2] {
            finish(&conn, *id, None, &BranchSettings::default(), 0).unwrap();
        }
        assert!(end(&conn, ids[0]).unwrap());
        assert!(!end(&conn, ids[0]).unwrap());
        assert_eq!(members(&conn, ids[0]).unwrap(), []);
        assert_eq!(end_open(&conn).unwrap(), 1);
        let left: Vec<_> = waiting(&conn).unwrap().iter().map(|s| s.id).collect();
        assert_eq!(left, [ids[1]]);
        // A number is a plan's name to people: it is never used twice.
        assert!(!ids.contains(&begun(&conn).1));
    }
}
