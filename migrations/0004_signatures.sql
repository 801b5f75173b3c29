-- Detached signatures, what the keyring says of them, and what a branch makes of that.

-- A signature that came beside the zip of an artifact, byte for byte. `digest` is what a good one has signed: another key
-- is tried on it without reading the artifact. The other columns are what the keyring said when it was asked last; `key`
-- is a fingerprint or a key id, and a good signature is one by an expired key after `until`.
CREATE TABLE signature (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    artifact INTEGER NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
    bytes    BLOB    NOT NULL,
    digest   BLOB    NOT NULL,
    status   TEXT    NOT NULL CHECK (status IN ('good', 'unknown-key', 'wrong', 'unreadable')),
    key      TEXT,
    until    TEXT,
    why      TEXT
) STRICT;
CREATE INDEX signature_artifact ON signature (artifact);

-- What becomes of packages without a good signature.
ALTER TABLE branch ADD COLUMN signatures TEXT NOT NULL DEFAULT 'verify'
    CHECK (signatures IN ('require', 'verify', 'off'));

-- The same as an import asks for it; NULL leaves the branch as it is.
ALTER TABLE stage ADD COLUMN signatures TEXT CHECK (signatures IN ('require', 'verify', 'off'));

-- A package that is kept though its branch does not take it: it can be tried again. These are NULL for one that could not
-- be read, of which nothing is kept.
ALTER TABLE quarantine ADD COLUMN artifact INTEGER REFERENCES artifact (id);
ALTER TABLE quarantine ADD COLUMN branch TEXT;
ALTER TABLE quarantine ADD COLUMN branch_kind TEXT;
ALTER TABLE quarantine ADD COLUMN signatures TEXT CHECK (signatures IN ('require', 'verify', 'off'));
CREATE UNIQUE INDEX quarantine_artifact ON quarantine (artifact, branch);
