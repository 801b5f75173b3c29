-- Keeping house: releases that are deleted, and what the history goes on telling of them.

-- The change set that deleted a release: it is no branch any more, until one of its name comes again.
ALTER TABLE branch ADD COLUMN deleted INTEGER REFERENCES change_set (id);

-- What a branch held and will never give back: the content may be gone. The history reads it as it reads `member`; `status`
-- and `key` are what the keyring said last of the signature.
CREATE TABLE former_member (
    branch          INTEGER NOT NULL REFERENCES branch (id),
    package_version INTEGER NOT NULL REFERENCES package_version (id),
    since           INTEGER NOT NULL REFERENCES change_set (id),
    until           INTEGER NOT NULL REFERENCES change_set (id),
    sha256          BLOB    NOT NULL CHECK (length(sha256) = 32),
    status          TEXT,
    key             TEXT,
    PRIMARY KEY (branch, package_version, since),
    CHECK (until > since)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_member_until ON former_member (until);

-- Who staged what an import committed, and when: the stage itself is no more by then.
ALTER TABLE change_set_branch ADD COLUMN staged_by TEXT;
ALTER TABLE change_set_branch ADD COLUMN staged_at TEXT;
