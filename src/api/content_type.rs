//! The `Content-Type` of files inside packages.
//!
//! By extension as `contract/registry-api.md#content-types-of-files` lists them; for all others the first bytes decide
//! between text and not. Kibana shows only types it knows and fails on a missing one, so there always is one. Knows
//! nothing of what the bytes may do to a browser: every file goes out sandboxed (see [`super::reply`]).

/// Bytes that decide, of a file whose extension says nothing.
pub const SNIFFED_BYTES: usize = 512;

const TEXT: &str = "text/plain; charset=utf-8";
const BINARY: &str = "application/octet-stream";

/// Returns the type that the extension of `path` says, or `None` when it says nothing.
pub fn by_extension(path: &str) -> Option<&'static str> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let (_, extension) = file.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "yml" | "yaml" => "text/yaml; charset=UTF-8",
        "md" => "text/markdown; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "htm" | "html" => "text/html; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ => return None,
    })
}

/// Returns the type of a file whose extension says nothing, by its first [`SNIFFED_BYTES`] bytes.
///
/// Text is what holds none of the bytes that the WHATWG's MIME Sniffing Standard calls binary data bytes.
pub fn by_content(first_bytes: &[u8]) -> &'static str {
    let is_binary = |b: &u8| matches!(b, 0x00..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if first_bytes.iter().take(SNIFFED_BYTES).any(is_binary) {
        BINARY
    } else {
        TEXT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_say_the_type_whatever_their_case() {
        for (path, expected) in [
            ("manifest.yml", Some("text/yaml; charset=UTF-8")),
            ("docs/README.md", Some("text/markdown; charset=utf-8")),
            ("img/Logo.SVG", Some("image/svg+xml")),
            ("img/a.b.jpg", Some("image/jpeg")),
            ("agent/stream/stream.yml.hbs", None),
            ("LICENSE.txt", None),
            ("a.log", None),
            ("NOTICE", None),
            ("folder.yml/NOTICE", None),
            ("trailing.", None),
            ("", None),
        ] {
            assert_eq!(by_extension(path), expected, "{path}");
        }
    }

    #[test]
    fn the_first_512_bytes_tell_text_from_the_rest() {
        let late = [vec![b'a'; SNIFFED_BYTES], vec![0]].concat();
        for (bytes, expected) in [
            (&b""[..], TEXT),
            (b"{{#if tls}}\r\n\ttls\x0c\x1b[0m", TEXT),
            ("schön".as_bytes(), TEXT),
            (b"\xff\xfe", TEXT),
            (&late, TEXT),
            (&late[1..], BINARY),
            (b"\x7fELF\x02", BINARY),
            (b"a\x00", BINARY),
        ] {
            assert_eq!(by_content(bytes), expected, "{bytes:?}");
        }
    }
}
