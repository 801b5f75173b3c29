//! Artifacts: the zip of a package version, as its files and how they are put together.

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

use super::StoreError;
use super::contents::{self, Content, ContentId};
use super::streams::{self, Stream};
use crate::crypto::Digest;
use crate::package::PackageId;

/// The number of an artifact in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactId(pub i64);

/// What is known of an artifact without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its number.
    pub id: ArtifactId,
    /// The package version it is.
    pub package: PackageId,
    /// The digest of its zip.
    pub sha256: Digest,
    /// Bytes of its zip.
    pub bytes: u64,
    /// The digest of its tree: equal trees are equal packages, however they are packed.
    pub tree_sha256: Digest,
    /// When its source was made, in seconds since 1970: its `Last-Modified`.
    pub modified: i64,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path inside the package, `docs/README.md`.
    pub path: String,
    /// Its bytes.
    pub content: Content,
}

/// A new artifact, before it has a number.
#[derive(Debug, Clone)]
pub struct NewArtifact<'a> {
    /// The package version it is.
    pub package: &'a PackageId,
    /// The digest of its zip.
    pub sha256: Digest,
    /// Bytes of its zip.
    pub bytes: u64,
    /// The digest of its tree.
    pub tree_sha256: Digest,
    /// Seconds since 1970.
    pub modified: i64,
}

/// Returns the artifact with this zip, or `None`.
pub fn find(conn: &Connection, sha256: &Digest) -> Result<Option<ArtifactId>, StoreError> {
    let mut query = conn.prepare_cached("SELECT id FROM artifact WHERE sha256 = :sha256")?;
    Ok(query
        .query_row(named_params! { ":sha256": sha256 }, |row| row.get(0))
        .optional()?)
}

/// Returns the artifact that this tree of a package version is, made canonical, or `None`.
pub fn find_canonical(
    conn: &Connection,
    package: &PackageId,
    tree_sha256: &Digest,
) -> Result<Option<ArtifactId>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT a.id
           FROM artifact a
           JOIN package_version v ON v.id = a.package_version
          WHERE v.name = :name
            AND v.version = :version
            AND a.tree_sha256 = :tree_sha256
            AND NOT EXISTS (SELECT 1 FROM recipe WHERE artifact = a.id)",
    )?;
    let version = package.version.to_string();
    let id = query.query_row(
        named_params! { ":name": package.name.as_str(), ":version": version, ":tree_sha256": tree_sha256 },
        |row| row.get(0),
    );
    Ok(id.optional()?)
}

/// Returns the artifact with this number, or `None`.
pub fn get(conn: &Connection, id: ArtifactId) -> Result<Option<Artifact>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT v.name, v.version, a.sha256, a.bytes, a.tree_sha256, a.modified
           FROM artifact a
           JOIN package_version v ON v.id = a.package_version
          WHERE a.id = :id",
    )?;
    let row = query
        .query_row(named_params! { ":id": id }, |row| {
            let package = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            Ok((
                package,
                row.get(2)?,
                row.get::<_, i64>(3)?,
                row.get(4)?,
                row.get(5)?,
            ))
        })
        .optional()?;
    row.map(|((name, version), sha256, bytes, tree_sha256, modified)| {
        let package = package_id(&name, &version)?;
        Ok(Artifact {
            id,
            package,
            sha256,
            bytes: bytes.cast_unsigned(),
            tree_sha256,
            modified,
        })
    })
    .transpose()
}

/// Begins an artifact, its package version too where that is new. Its files follow with [`add_file`], in as many
/// transactions as they need. Until [`finish`] nobody finds it.
pub fn begin(conn: &Transaction<'_>, artifact: &NewArtifact<'_>) -> Result<ArtifactId, StoreError> {
    let name = artifact.package.name.as_str();
    let version = artifact.package.version.to_string();
    conn.prepare_cached(
        "INSERT OR IGNORE INTO package_version (name, version) VALUES (:name, :version)",
    )?
    .execute(named_params! { ":name": name, ":version": version })?;
    // No zip has this digest, and the tree's says that it is unfinished.
    let mut query = conn.prepare_cached(
        "INSERT INTO artifact (package_version, sha256, bytes, tree_sha256, modified)
         SELECT id, randomblob(32), :bytes, zeroblob(32), :modified
           FROM package_version
          WHERE name = :name AND version = :version",
    )?;
    query.execute(named_params! {
        ":bytes": artifact.bytes as i64,
        ":modified": artifact.modified,
        ":name": name,
        ":version": version,
    })?;
    Ok(ArtifactId(conn.last_insert_rowid()))
}

/// Ends an artifact that was begun, once it has all its files: from here on it is found.
pub fn finish(
    conn: &Transaction<'_>,
    id: ArtifactId,
    artifact: &NewArtifact<'_>,
) -> Result<(), StoreError> {
    let mut query = conn.prepare_cached(
        "UPDATE artifact SET sha256 = :sha256, tree_sha256 = :tree_sha256 WHERE id = :id",
    )?;
    query.execute(named_params! {
        ":id": id,
        ":sha256": artifact.sha256,
        ":tree_sha256": artifact.tree_sha256,
    })?;
    Ok(())
}

/// Adds an artifact that is whole at once.
#[cfg(test)]
pub(super) fn insert(
    conn: &Transaction<'_>,
    artifact: &NewArtifact<'_>,
) -> Result<ArtifactId, StoreError> {
    let id = begin(conn, artifact)?;
    finish(conn, id, artifact)?;
    Ok(id)
}

/// Removes an artifact that was begun and is not needed after all: another of the same zip was finished meanwhile.
pub fn abandon(conn: &Transaction<'_>, id: ArtifactId) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM artifact WHERE id = :id AND tree_sha256 = zeroblob(32)",
        named_params! { ":id": id },
    )?;
    Ok(())
}

/// Removes every artifact that was begun and never finished; only for when no import runs.
pub fn remove_unfinished(conn: &Transaction<'_>) -> Result<usize, StoreError> {
    Ok(conn.execute("DELETE FROM artifact WHERE tree_sha256 = zeroblob(32)", [])?)
}

/// Adds a file to an artifact.
pub fn add_file(
    conn: &Transaction<'_>,
    artifact: ArtifactId,
    path: &str,
    content: ContentId,
) -> Result<(), StoreError> {
    let mut known = conn.prepare_cached("SELECT id FROM path WHERE text = :path")?;
    let path_id: i64 = match known
        .query_row(named_params! { ":path": path }, |row| row.get(0))
        .optional()?
    {
        Some(id) => id,
        None => {
            conn.prepare_cached("INSERT INTO path (text) VALUES (:path)")?
                .execute(named_params! { ":path": path })?;
            conn.last_insert_rowid()
        }
    };
    conn.prepare_cached(
        "INSERT INTO file (artifact, path, content) VALUES (:artifact, :path, :content)",
    )?
    .execute(named_params! { ":artifact": artifact, ":path": path_id, ":content": content })?;
    Ok(())
}

/// Returns the content of one file of an artifact, or `None` when it has no such file. Two key look-ups.
pub fn file(
    conn: &Connection,
    artifact: ArtifactId,
    path: &str,
) -> Result<Option<Content>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT c.id, c.sha256, c.bytes, c.crc32
           FROM path p
           JOIN file f ON f.artifact = :artifact AND f.path = p.id
           JOIN content c ON c.id = f.content
          WHERE p.text = :path",
    )?;
    Ok(query
        .query_row(
            named_params! { ":artifact": artifact, ":path": path },
            contents::from_row,
        )
        .optional()?)
}

/// Returns all files of an artifact, by path component: `a/x` before `a.b/x`, the order of a canonical zip.
pub fn files(conn: &Connection, artifact: ArtifactId) -> Result<Vec<File>, StoreError> {
    let mut query = conn.prepare_cached(
        "SELECT c.id, c.sha256, c.bytes, c.crc32, p.text
           FROM file f
           JOIN path p ON p.id = f.path
           JOIN content c ON c.id = f.content
          WHERE f.artifact = :artifact",
    )?;
    let rows = query.query_map(named_params! { ":artifact": artifact }, |row| {
        Ok(File {
            content: contents::from_row(row)?,
            path: row.get(4)?,
        })
    })?;
    let mut files = rows.collect::<Result<Vec<_>, _>>()?;
    files.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    Ok(files)
}

/// Returns all files of an artifact with the stream of each, in the order of [`files`].
pub fn streamed_files(
    conn: &Connection,
    artifact: ArtifactId,
) -> Result<Vec<(File, Stream)>, StoreError> {
    let mut files = Vec::new();
    for file in self::files(conn, artifact)? {
        let stream = streams::of_content(conn, file.content.id)?;
        files.push((file, stream));
    }
    Ok(files)
}

/// Returns the names of all packages that the store knows.
pub fn package_names(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut query = conn.prepare("SELECT DISTINCT name FROM package_version ORDER BY name")?;
    let rows = query.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn package_id(name: &str, version: &str) -> Result<PackageId, StoreError> {
    PackageId::parse(name, version).map_err(|_| StoreError::Invalid {
        what: "package version",
        value: format!("{name} {version}"),
    })
}

super::sql_id!(ArtifactId);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    fn artifact_of<'a>(package: &'a PackageId, zip: &[u8]) -> NewArtifact<'a> {
        NewArtifact {
            package,
            sha256: Digest::of(zip),
            bytes: 3,
            tree_sha256: Digest::of(b"tree"),
            modified: 42,
        }
    }

    #[test]
    fn an_artifact_is_read_back_with_its_files_in_canonical_order() {
        let mut conn = schema::in_memory();
        let transaction = conn.transaction().unwrap();
        let package = PackageId::parse("nginx", "1.0.0").unwrap();
        let id = insert(&transaction, &artifact_of(&package, b"zip")).unwrap();
        let content = contents::insert(&transaction, &Digest::of(b"x"), 1, 1).unwrap();
        for path in ["a.b/x", "a/x", "manifest.yml"] {
            add_file(&transaction, id, path, content).unwrap();
        }

        let read = get(&transaction, id).unwrap().unwrap();
        assert_eq!((read.package, read.bytes, read.modified), (package, 3, 42));
        assert_eq!(find(&transaction, &Digest::of(b"zip")).unwrap(), Some(id));
        let paths: Vec<_> = files(&transaction, id)
            .unwrap()
            .into_iter()
            .map(|file| file.path)
            .collect();
        assert_eq!(paths, ["a/x", "a.b/x", "manifest.yml"]);
        assert_eq!(file(&transaction, id, "a/x").unwrap().unwrap().id, content);
        assert_eq!(file(&transaction, id, "a").unwrap(), None);
    }

    #[test]
    fn an_artifact_is_found_once_it_is_finished_and_removed_where_it_never_is() {
        let mut conn = schema::in_memory();
        let conn = conn.transaction().unwrap();
        let package = PackageId::parse("nginx", "1.0.0").unwrap();
        let new = artifact_of(&package, b"zip");
        let found = || {
            let canonical = find_canonical(&conn, &package, &new.tree_sha256).unwrap();
            assert_eq!(find(&conn, &new.sha256).unwrap(), canonical);
            canonical
        };
        // Two imports may bring the same at one time.
        let [one, other, third] = [(); 3].map(|()| begin(&conn, &new).unwrap());
        let content = contents::insert(&conn, &Digest::of(b"x"), 1, 1).unwrap();
        add_file(&conn, one, "a", content).unwrap();
        add_file(&conn, other, "a", content).unwrap();
        assert_eq!(found(), None);
        finish(&conn, one, &new).unwrap();
        assert_eq!(found(), Some(one));

        abandon(&conn, other).unwrap();
        abandon(&conn, one).unwrap();
        let is_here = |id| get(&conn, id).unwrap().is_some();
        assert_eq!([one, other, third].map(is_here), [true, false, true]);
        assert_eq!(remove_unfinished(&conn).unwrap(), 1);
        assert_eq!(found(), Some(one));
        assert_eq!(files(&conn, one).unwrap().len(), 1);
    }

    #[test]
    fn one_package_version_may_have_two_artifacts() {
        let mut conn = schema::in_memory();
        let transaction = conn.transaction().unwrap();
        let package = PackageId::parse("nginx", "1.0.0").unwrap();
        let one = insert(&transaction, &artifact_of(&package, b"one")).unwrap();
        let other = insert(&transaction, &artifact_of(&package, b"other")).unwrap();
        assert_ne!(one, other);
        assert!(insert(&transaction, &artifact_of(&package, b"one")).is_err());
    }
}
