-- A deflated entry of a zip is known again by the digest of its stream, before it is inflated. Eight bytes of it tell apart
-- what no one made alike on purpose; a stream that was encoded here has no digest and is not looked for.
CREATE INDEX stream_sha256 ON stream (substr(sha256, 1, 8)) WHERE sha256 IS NOT NULL;
