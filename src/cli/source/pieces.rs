//! The pieces that a file was split into, told by their names.
//!
//! Facts: GNU coreutils, `split`: letters or digits behind a common name, the last place counting fastest; where they
//! run out the names grow by two places (`yz`, `zaaa`). Other programs count with digits. Names that tell nothing are
//! taken in the order given.

/// Why the pieces named cannot be all of a file in their order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WrongPieces {
    /// One stands behind another that comes after it.
    #[error("{later} stands before {earlier}")]
    OutOfOrder { later: String, earlier: String },
    /// One is not there.
    #[error("{missing} is missing between {before} and {after}")]
    Missing {
        missing: String,
        before: String,
        after: String,
    },
    /// One is there twice.
    #[error("{0} is named twice")]
    Twice(String),
}

/// Requires that `names` follow each other, as far as they tell.
pub(super) fn check(names: &[String]) -> Result<(), WrongPieces> {
    if let Some([twice, _]) = names.array_windows::<2>().find(|[a, b]| a == b) {
        return Err(WrongPieces::Twice(twice.clone()));
    }
    let Some(common) = common_start(names) else {
        return Ok(());
    };
    let ends: Vec<&str> = names.iter().map(|name| &name[common..]).collect();
    let are_digits = ends
        .iter()
        .all(|end| end.bytes().all(|b| b.is_ascii_digit()));
    let are_letters = ends
        .iter()
        .all(|end| end.bytes().all(|b| b.is_ascii_lowercase()));
    // Words are letters too; `split` begins with the first.
    let first = ends.iter().min_by_key(|end| (end.len(), **end));
    let begins_with_a = first.is_some_and(|end| end.bytes().all(|b| b == b'a'));
    if are_digits || (are_letters && begins_with_a) {
        return in_sequence(names, &ends, common);
    }
    Ok(())
}

fn in_sequence(all: &[String], ends: &[&str], common: usize) -> Result<(), WrongPieces> {
    for (ends, names) in ends.windows(2).zip(all.windows(2)) {
        let ([end, next], [name, following]) = (ends, names) else {
            continue;
        };
        if (next.len(), next) < (end.len(), end) {
            return Err(WrongPieces::OutOfOrder {
                later: name.clone(),
                earlier: following.clone(),
            });
        }
        let successor = after(end);
        if *next != successor && *next != longer(&successor) {
            let missing = format!("{}{successor}", &name[..common]);
            return Err(if all.contains(&missing) {
                WrongPieces::OutOfOrder {
                    later: following.clone(),
                    earlier: missing,
                }
            } else {
                WrongPieces::Missing {
                    missing,
                    before: name.clone(),
                    after: following.clone(),
                }
            });
        }
    }
    Ok(())
}

/// Returns how much all names have in common, the places that count left out; `None` where a name is no longer than that.
fn common_start(names: &[String]) -> Option<usize> {
    let first = names.first()?;
    let mut common = first.len();
    for name in names {
        let same = first.bytes().zip(name.bytes()).take_while(|(a, b)| a == b);
        common = common.min(same.count());
    }
    // Of `x.aaa` and `x.aab` all of `aaa` counts.
    let counted = |b: &u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let is_digit = first.as_bytes().get(common)?.is_ascii_digit();
    let before = first.as_bytes().get(..common)?;
    let counting = before
        .iter()
        .rev()
        .take_while(|b| counted(b) && b.is_ascii_digit() == is_digit);
    let common = common - counting.count();
    let is_longer = |name: &String| name.len() > common && name.is_char_boundary(common);
    names.iter().all(is_longer).then_some(common)
}

/// Returns what comes after `end`: of the same length, or one place longer behind the last of that.
fn after(end: &str) -> String {
    let mut places = end.as_bytes().to_vec();
    for place in places.iter_mut().rev() {
        match *place {
            b'z' => *place = b'a',
            b'9' => *place = b'0',
            _ => {
                *place += 1;
                return String::from_utf8(places).unwrap_or_default();
            }
        }
    }
    let first = if places.ends_with(b"0") { '1' } else { 'a' };
    format!("{first}{}", String::from_utf8(places).unwrap_or_default())
}

/// Returns what `split` writes for `end` where its names have grown: `zaaa` for `za`.
fn longer(end: &str) -> String {
    let first = if end.ends_with(|c: char| c.is_ascii_digit()) {
        "00"
    } else {
        "aa"
    };
    format!("{end}{first}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ends: &[&str]) -> String {
        let names: Vec<_> = ends.iter().map(|end| format!("image.tar.{end}")).collect();
        match check(&names) {
            Ok(()) => String::new(),
            Err(why) => why.to_string().replace("image.tar.", ""),
        }
    }

    #[test]
    fn pieces_in_a_row_are_taken_and_gaps_told() {
        for good in [
            &["aa", "ab", "ac"][..],
            &["az", "ba"],
            &["z", "aa"],
            &["yy", "yz", "zaaa", "zaab"],
            &["zyzz", "zzaaaa"],
            &["00", "01", "02"],
            &["89", "9000", "9001"],
            &["8", "9", "10"],
            &["001", "002"],
            &["a", "b"],
            // Names that tell nothing.
            &["one", "two", "three"],
            &["b.x", "a.x"],
            &["", "2"],
            &["A", "C"],
        ] {
            assert_eq!(said(good), "", "{good:?}");
        }
        for (bad, why) in [
            (&["aa", "ac"][..], "ab is missing between aa and ac"),
            (&["ab", "aa"], "ab stands before aa"),
            (&["aa", "ac", "ab"], "ac stands before ab"),
            (&["aa", "aa"], "aa is named twice"),
            (&["01", "02", "04"], "03 is missing between 02 and 04"),
            (&["09", "11"], "10 is missing between 09 and 11"),
            (&["1", "10", "2"], "10 stands before 2"),
        ] {
            assert_eq!(said(bad), why, "{bad:?}");
        }
    }
}
