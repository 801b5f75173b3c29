-- How full the disk of the store was, once a day (UTC): what tells when it will be full.
CREATE TABLE disk_sample (
    day         TEXT    PRIMARY KEY CHECK (length(day) = 10),
    store_bytes INTEGER NOT NULL CHECK (store_bytes >= 0),
    free_bytes  INTEGER NOT NULL CHECK (free_bytes >= 0)
) STRICT, WITHOUT ROWID;
