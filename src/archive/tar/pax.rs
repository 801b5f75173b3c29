//! PAX extended headers: the records of one, and what they say of the member after it.
//!
//! POSIX.1-2017, `pax`, "pax Extended Header": `"%d %s=%s\n"`, the number counting the whole record. Where programs
//! disagree (a key given twice, the first or the last counting) the header is damaged, not guessed at.

/// What is understood of one PAX header.
#[derive(Debug, Default)]
pub(super) struct Pax {
    /// `path`: instead of the ustar name.
    pub(super) path: Option<Vec<u8>>,
    /// `size`, in bytes: instead of the ustar size.
    pub(super) size: Option<u64>,
    /// `mtime`, whole seconds since 1970.
    pub(super) modified: Option<i64>,
    /// `comment`: git puts the commit id there.
    pub(super) comment: Option<String>,
    /// A `GNU.sparse.` key: the member's bytes are not the file's.
    pub(super) sparse: bool,
}

impl Pax {
    /// Reads the records of one extended header.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, &'static str> {
        let mut pax = Self::default();
        let mut sparse_name = None;
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes).ok_or("a PAX record is malformed")?;
            bytes = rest;
            match key {
                b"path" => set(&mut pax.path, value.to_vec())?,
                b"size" => set(
                    &mut pax.size,
                    decimal(value).ok_or("the PAX size is no number")?,
                )?,
                b"mtime" => pax.modified = seconds(value),
                b"comment" => pax.comment = String::from_utf8(value.to_vec()).ok(),
                b"GNU.sparse.name" => set(&mut sparse_name, value.to_vec())?,
                _ if key.starts_with(b"GNU.sparse.") => pax.sparse = true,
                _ => {}
            }
        }
        if sparse_name.is_some() {
            // The path of such a member is one its writer made up.
            pax.path = sparse_name;
            pax.sparse = true;
        }
        Ok(pax)
    }
}

fn set<T>(field: &mut Option<T>, value: T) -> Result<(), &'static str> {
    if field.is_some() {
        return Err("a PAX header gives the same key twice");
    }
    *field = Some(value);
    Ok(())
}

/// Splits off the first record: key, value, and what follows.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(12).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let (whole, rest) = bytes.split_at_checked(length)?;
    let content = whole.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = content.iter().position(|byte| *byte == b'=')?;
    let (key, value) = content.split_at_checked(equals)?;
    (!key.is_empty()).then_some((key, value.get(1..)?, rest))
}

fn decimal(bytes: &[u8]) -> Option<u64> {
    // `parse` alone would take a sign.
    if !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Returns the whole seconds of a time such as `1667289600.25` or `-3`.
fn seconds(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    text.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_their_length_not_by_their_lines() {
        let pax = Pax::parse(b"18 path=a\nb=c/d.e\n30 mtime=1667289600.123456789\n12 size=345\n")
            .unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"a\nb=c/d.e"[..]));
        assert_eq!(pax.modified, Some(1_667_289_600));
        assert_eq!(pax.size, Some(345));
        assert!(!pax.sparse);
    }

    #[test]
    fn a_malformed_header_is_never_read_in_part() {
        for bytes in [
            &b"8 path=a\n"[..],
            b"11 path=a\n",
            b"10 path=a\n\n",
            b"+10 path=a\n",
            b" path=a\n",
            b"10path=ab\n",
            b"0 \n",
            b"2 \n",
            b"6 abc\n",
            b"5 =a\n",
            b"99999999999999999999 path=a\n",
            b"18446744073709551615 path=a\n",
            b"12 size=-12\n",
            b"12 size=+12\n",
            b"29 size=18446744073709551616\n",
            b"\0\0\0\0",
            b"10 path=aa",
        ] {
            assert!(
                Pax::parse(bytes).is_err(),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn a_key_given_twice_is_damage() {
        assert!(Pax::parse(b"10 path=a\n10 path=b\n").is_err());
        assert!(Pax::parse(b"10 size=1\n10 size=2\n").is_err());
    }
}
