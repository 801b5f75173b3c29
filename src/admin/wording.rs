//! Numbers, sizes and times as people read them, in the terminal and on pages.

use jiff::Timestamp;

/// Returns a count with a comma at each thousand, and its noun in the right number.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// Returns a number with a comma at each thousand.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a size in the decimal unit that gives it one to three digits before the point.
pub fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

/// Returns how long ago something was, in its largest unit.
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(time).as_secs().unsigned_abs();
    match seconds {
        0..60 => "just now".to_owned(),
        _ => format!("{} ago", lasting(seconds)),
    }
}

/// Returns a time span in its largest unit.
pub fn lasting(seconds: u64) -> String {
    let (count, one, many) = match seconds {
        0..60 => (seconds, "second", "seconds"),
        60..3600 => (seconds / 60, "minute", "minutes"),
        3600..86_400 => (seconds / 3600, "hour", "hours"),
        _ => (seconds / 86_400, "day", "days"),
    };
    counted(count, one, many)
}

/// Returns a moment as pages tell it: `22 Nov 14:03 UTC (10 minutes ago)`, with the year where it is another.
pub fn moment(time: Timestamp, now: Timestamp) -> String {
    let year = |time: Timestamp| time.strftime("%Y").to_string();
    let form = match year(time) == year(now) {
        true => "%-d %b %H:%M UTC",
        false => "%-d %b %Y %H:%M UTC",
    };
    format!("{} ({})", time.strftime(form), ago(time, now))
}

/// Returns a time of the store as [`moment`] does, as it stands where it is none.
pub fn told(text: &str, now: Timestamp) -> String {
    text.parse()
        .map_or_else(|_| text.to_owned(), |time| moment(time, now))
}

/// Returns a day: `22 Nov 2026`.
pub fn day(time: Timestamp) -> String {
    time.strftime("%-d %b %Y").to_string()
}

/// Returns names as one says them: "a, b and c".
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_nouns_agree() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(counted(1, "file", "files"), "1 file");
        assert_eq!(counted(1912, "file", "files"), "1,912 files");
        assert_eq!(size(130_882_640), "130.88 MB");
    }

    #[test]
    fn a_moment_has_its_year_where_it_is_another_one() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-22T14:13:00Z");
        assert_eq!(
            moment(at("2026-11-22T14:03:00Z"), now),
            "22 Nov 14:03 UTC (10 minutes ago)"
        );
        assert_eq!(
            moment(at("2025-01-02T03:04:05Z"), now),
            "2 Jan 2025 03:04 UTC (689 days ago)"
        );
    }
}
