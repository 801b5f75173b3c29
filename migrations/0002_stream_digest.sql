-- A deflated entry of a zip is known again by the digest of its stream, before it is inflated.
CREATE INDEX stream_sha256 ON stream (sha256);
