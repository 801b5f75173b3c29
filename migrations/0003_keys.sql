-- The keyring: whom signatures are believed. Nothing comes into it but by the operator's word.

-- A certificate, in the packets that its own key has signed. The user id and the times are what it says of itself, kept to
-- be listed; `fingerprint` is 20 bytes in version 4 of OpenPGP and 32 in version 6.
CREATE TABLE key (
    id          INTEGER PRIMARY KEY,
    fingerprint BLOB    NOT NULL UNIQUE CHECK (length(fingerprint) IN (20, 32)),
    certificate BLOB    NOT NULL,
    user_id     TEXT    NOT NULL,
    created_at  TEXT    NOT NULL,
    expires_at  TEXT,
    added_at    TEXT    NOT NULL,
    added_by    TEXT    NOT NULL
) STRICT;
