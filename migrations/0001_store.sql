-- The store as airlock 0.1 has it. A later migration only adds; it never edits this file.
-- Digests are 32 bytes of SHA-256; times are UTC, RFC 3339; sizes are bytes.

-- What packages are made of -------------------------------------------------------------------------------------------

-- The plain bytes of a file. Immutable, known by its digest, kept once.
CREATE TABLE content (
    id     INTEGER PRIMARY KEY,
    sha256 BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    bytes  INTEGER NOT NULL CHECK (bytes >= 0),
    crc32  INTEGER NOT NULL
) STRICT;

-- One encoding of a content at rest: a raw deflate stream, or the plain bytes where deflate gains nothing. A content has
-- one; more only when signed zips hold it deflated in different ways. A stream whose content is NULL is being written,
-- or was when the process died.
CREATE TABLE stream (
    id      INTEGER PRIMARY KEY,
    content INTEGER REFERENCES content (id),
    coding  TEXT    NOT NULL CHECK (coding IN ('plain', 'deflate')),
    sha256  BLOB    CHECK (length(sha256) = 32),
    bytes   INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
CREATE INDEX stream_content ON stream (content);

-- A stream's bytes in pieces of at most 256 KiB; the checksum is CRC-32 of this piece.
CREATE TABLE chunk (
    stream   INTEGER NOT NULL REFERENCES stream (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL CHECK (number >= 0),
    checksum INTEGER NOT NULL,
    bytes    BLOB    NOT NULL,
    PRIMARY KEY (stream, number)
) STRICT;

CREATE TABLE package_version (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (name, version)
) STRICT;

-- The zip of a package version. Two branches may hold different artifacts of one package version. `tree_sha256` is over
-- the sorted (path, SHA-256) lines of its files: equal trees are equal packages. `modified` is in seconds since 1970.
CREATE TABLE artifact (
    id              INTEGER PRIMARY KEY,
    package_version INTEGER NOT NULL REFERENCES package_version (id),
    sha256          BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    bytes           INTEGER NOT NULL CHECK (bytes >= 0),
    tree_sha256     BLOB    NOT NULL CHECK (length(tree_sha256) = 32),
    modified        INTEGER NOT NULL
) STRICT;
CREATE INDEX artifact_package_version ON artifact (package_version);

-- How an artifact that came as a zip is put together again, zstd. One that came as a tree has no row: its zip is
-- canonical, a function of its files.
CREATE TABLE recipe (
    artifact INTEGER PRIMARY KEY REFERENCES artifact (id) ON DELETE CASCADE,
    pieces   BLOB NOT NULL
) STRICT;

-- Paths repeat from version to version; each is kept once.
CREATE TABLE path (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE file (
    artifact INTEGER NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
    path     INTEGER NOT NULL REFERENCES path (id),
    content  INTEGER NOT NULL REFERENCES content (id),
    PRIMARY KEY (artifact, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_content ON file (content);

-- What a package version says of itself, rendered at its import. `renderer` is the number of the code that did it.
CREATE TABLE document (
    artifact       INTEGER NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
    dialect        TEXT    NOT NULL,
    renderer       INTEGER NOT NULL,
    facts          TEXT    NOT NULL,
    deprecated     TEXT,
    element_slots  TEXT    NOT NULL,
    element_bytes  INTEGER NOT NULL,
    element        BLOB    NOT NULL,
    document_slots TEXT    NOT NULL,
    document       INTEGER NOT NULL REFERENCES content (id),
    PRIMARY KEY (artifact, dialect)
) STRICT;
CREATE INDEX document_content ON document (document);

-- What is offered -----------------------------------------------------------------------------------------------------

-- Where an import read from. Known again by its size and digest.
CREATE TABLE source (
    id               INTEGER PRIMARY KEY,
    name             TEXT    NOT NULL,
    sha256           BLOB    CHECK (length(sha256) = 32),
    bytes            INTEGER,
    commit_id        TEXT,
    committed_at     TEXT,
    registry_version TEXT
) STRICT;
CREATE INDEX source_sha256 ON source (sha256);

-- One atomic change of branches or distributions. Numbers are never used twice.
CREATE TABLE change_set (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    why     TEXT,
    source  INTEGER REFERENCES source (id)
) STRICT;

CREATE TABLE branch (
    id                       INTEGER PRIMARY KEY,
    name                     TEXT NOT NULL UNIQUE,
    kind                     TEXT NOT NULL
        CHECK (kind IN ('production', 'staging', 'snapshot', 'experimental', 'release', 'local')),
    registry_version         TEXT,
    search_cache_seconds     INTEGER,
    categories_cache_seconds INTEGER,
    catch_all_cache_seconds  INTEGER,
    created                  INTEGER NOT NULL REFERENCES change_set (id)
) STRICT;

-- Which artifact a branch holds for a package version, from one change set until another. Rows are closed, never
-- deleted while their history is kept: what was ever offered, what was offered at change set 42 and what a change set
-- did are all reads of this table.
CREATE TABLE member (
    branch          INTEGER NOT NULL REFERENCES branch (id),
    package_version INTEGER NOT NULL REFERENCES package_version (id),
    since           INTEGER NOT NULL REFERENCES change_set (id),
    until           INTEGER REFERENCES change_set (id),
    artifact        INTEGER NOT NULL REFERENCES artifact (id),
    PRIMARY KEY (branch, package_version, since),
    CHECK (until > since)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_now ON member (branch, package_version) WHERE until IS NULL;
CREATE INDEX member_artifact ON member (artifact);
CREATE INDEX member_until ON member (until) WHERE until IS NOT NULL;

-- The branch that a change set imported into, and whether it took the whole of the source: then the same source again
-- changes nothing.
CREATE TABLE change_set_branch (
    change_set  INTEGER PRIMARY KEY REFERENCES change_set (id),
    branch      INTEGER NOT NULL REFERENCES branch (id),
    is_complete INTEGER NOT NULL CHECK (is_complete IN (0, 1))
) STRICT;

-- A stable address. `default` answers at `/`.
CREATE TABLE distribution (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    created INTEGER NOT NULL REFERENCES change_set (id)
) STRICT;

-- The branches of a distribution, in order, from one change set until another. The first that has a version wins.
CREATE TABLE distribution_branch (
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    position     INTEGER NOT NULL,
    since        INTEGER NOT NULL REFERENCES change_set (id),
    until        INTEGER REFERENCES change_set (id),
    branch       INTEGER NOT NULL REFERENCES branch (id),
    PRIMARY KEY (distribution, position, since),
    CHECK (until > since)
) STRICT, WITHOUT ROWID;

-- What came in and is not offered yet ---------------------------------------------------------------------------------

-- One reading of a source. `open` while it is read (or when the process died), `staged` when its plan can be committed.
CREATE TABLE stage (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    state                    TEXT NOT NULL CHECK (state IN ('open', 'staged')),
    started_at               TEXT NOT NULL,
    who                      TEXT NOT NULL,
    source                   INTEGER NOT NULL REFERENCES source (id),
    branch                   TEXT,
    branch_kind              TEXT,
    search_cache_seconds     INTEGER,
    categories_cache_seconds INTEGER,
    catch_all_cache_seconds  INTEGER,
    ignored_files            INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE staged (
    stage    INTEGER NOT NULL REFERENCES stage (id) ON DELETE CASCADE,
    artifact INTEGER NOT NULL REFERENCES artifact (id),
    PRIMARY KEY (stage, artifact)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_artifact ON staged (artifact);

-- A package of an import that could not be taken, with the reason. Kept after the commit.
CREATE TABLE quarantine (
    id     INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source (id),
    at     TEXT NOT NULL,
    path   TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX quarantine_source ON quarantine (source);

-- To come, each in the migration of its issue: `signature` beside artifact; `hold` and `withdrawal` beside
-- distribution, with since and until as above; `fetch` for what Kibanas asked for; `record` beside change_set.
