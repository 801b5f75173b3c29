-- People, how they are known again, and what they did. Secrets are kept as SHA-256, passwords as argon2id in PHC text. Times
-- are UTC, RFC 3339, in whole seconds, so that they are in order as text.

-- Who may use the admin side. `password` is NULL where somebody else vouches for the person, in a header.
CREATE TABLE user (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    role            TEXT    NOT NULL CHECK (role IN ('viewer', 'publisher', 'approver', 'admin')),
    password        TEXT,
    made_at         TEXT    NOT NULL,
    last_login_at   TEXT,
    last_login_from TEXT,
    failures        INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    locked_since    TEXT,
    CHECK ((last_login_at IS NULL) = (last_login_from IS NULL))
) STRICT;

-- A browser that somebody logged in with; what was known of the login before it is shown to them.
CREATE TABLE session (
    id                INTEGER PRIMARY KEY,
    sha256            BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    user              INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    made_at           TEXT    NOT NULL,
    last_used_at      TEXT    NOT NULL,
    origin            TEXT    NOT NULL,
    former_login_at   TEXT,
    former_login_from TEXT,
    former_failures   INTEGER NOT NULL
) STRICT;
CREATE INDEX session_user ON session (user, last_used_at);

-- What a program acts by. Those of a user go with the user; `user` is NULL where the owner is none (one of the host's).
CREATE TABLE token (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    sha256       BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    role         TEXT    NOT NULL CHECK (role IN ('viewer', 'publisher', 'approver', 'admin')),
    owner        TEXT    NOT NULL COLLATE NOCASE,
    user         INTEGER REFERENCES user (id) ON DELETE CASCADE,
    made_at      TEXT    NOT NULL,
    expires_at   TEXT    NOT NULL,
    last_used_at TEXT,
    UNIQUE (owner, name)
) STRICT;
CREATE INDEX token_user ON token (user);

-- The link by which the first admin is made. One row, or none.
CREATE TABLE setup_link (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),
    made_at    TEXT    NOT NULL,
    expires_at TEXT    NOT NULL
) STRICT;

-- Who did what, and what was refused: a chain, in which each entry has the digest of the one before it. Nothing is changed,
-- nothing taken out.
CREATE TABLE audit_entry (
    id       INTEGER PRIMARY KEY CHECK (id > 0),
    at       TEXT    NOT NULL,
    who      TEXT    NOT NULL,
    origin   TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    outcome  TEXT    NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    detail   TEXT    NOT NULL,
    previous BLOB    NOT NULL CHECK (length(previous) = 32),
    sha256   BLOB    NOT NULL CHECK (length(sha256) = 32)
) STRICT;
CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_entry
BEGIN
    SELECT RAISE (ABORT, 'an audit entry is never changed');
END;
CREATE TRIGGER audit_entry_is_not_removed BEFORE DELETE ON audit_entry
BEGIN
    SELECT RAISE (ABORT, 'an audit entry is never removed');
END;

-- The distributions whose branches take a plan only from somebody else than who staged it, from one change set until another.
CREATE TABLE approval (
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    since        INTEGER NOT NULL REFERENCES change_set (id),
    until        INTEGER REFERENCES change_set (id),
    PRIMARY KEY (distribution, since),
    CHECK (until > since)
) STRICT, WITHOUT ROWID;
