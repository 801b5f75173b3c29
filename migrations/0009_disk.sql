-- How full the disk of the store was, once a day (UTC): what tells when it will be full.
CREATE TABLE disk_sample (
    day         TEXT    PRIMARY KEY CHECK (length(day) = 10),
    store_bytes INTEGER NOT NULL CHECK (store_bytes >= 0),
    free_bytes  INTEGER NOT NULL CHECK (free_bytes >= 0)
) STRICT, WITHOUT ROWID;

-- Who said where a stage belongs that did not say it itself: whoever did commits it no more alone than who staged it.
ALTER TABLE stage ADD COLUMN target_who TEXT;

-- INSERT OR REPLACE takes a row out without a trigger on deletions.
CREATE TRIGGER audit_entry_is_not_replaced BEFORE INSERT ON audit_entry
WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)
BEGIN
    SELECT RAISE (ABORT, 'an audit entry is never replaced');
END;
