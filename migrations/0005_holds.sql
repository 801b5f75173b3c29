-- What distributions keep back, for which versions they answer, and what was fetched from them.

-- What a distribution keeps back from one change set until another, or until it ends by itself at `ends` (UTC, RFC 3339). What
-- is withdrawn no distribution offers or answers for. Rows are closed and kept, as those of `member` are.
CREATE TABLE hold (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    distribution INTEGER REFERENCES distribution (id),
    package      TEXT    NOT NULL,
    rule         TEXT    NOT NULL CHECK (rule IN ('at', 'version', 'only', 'withdrawn')),
    version      TEXT,
    branch       INTEGER REFERENCES branch (id),
    reason       TEXT,
    ends         TEXT,
    since        INTEGER NOT NULL REFERENCES change_set (id),
    until        INTEGER REFERENCES change_set (id),
    CHECK (until > since),
    CHECK ((rule = 'withdrawn') = (distribution IS NULL)),
    CHECK ((rule = 'only') = (branch IS NOT NULL)),
    CHECK ((rule = 'only') = (version IS NULL))
) STRICT;
CREATE INDEX hold_package ON hold (package);

-- The distributions that answer only for what they offer now, from one change set until another; the others answer for
-- every version they ever offered.
CREATE TABLE exact_now (
    distribution INTEGER NOT NULL REFERENCES distribution (id),
    since        INTEGER NOT NULL REFERENCES change_set (id),
    until        INTEGER REFERENCES change_set (id),
    PRIMARY KEY (distribution, since),
    CHECK (until > since)
) STRICT, WITHOUT ROWID;

-- Which zips were fetched from which distribution, by which version of Kibana ('' where the request did not say it), and on
-- which days (UTC) first and last.
CREATE TABLE fetch (
    package_version INTEGER NOT NULL REFERENCES package_version (id) ON DELETE CASCADE,
    distribution    INTEGER NOT NULL REFERENCES distribution (id) ON DELETE CASCADE,
    kibana          TEXT    NOT NULL,
    first_day       TEXT    NOT NULL CHECK (length(first_day) = 10),
    last_day        TEXT    NOT NULL CHECK (length(last_day) = 10),
    PRIMARY KEY (package_version, distribution, kibana)
) STRICT, WITHOUT ROWID;

-- The change set up to which the history was pruned: what was there before it is no longer known. One row, or none.
CREATE TABLE pruned (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    change_set INTEGER NOT NULL REFERENCES change_set (id)
) STRICT;
