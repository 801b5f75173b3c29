//! Times of people's rows: UTC, RFC 3339, in whole seconds, so that SQL compares them as text.

use jiff::Timestamp;

use super::StoreError;

/// Returns the text that is kept of `time`; fractions of a second are cut.
pub(super) fn text(time: Timestamp) -> String {
    // Whole seconds of a time are a time.
    Timestamp::from_second(time.as_second()).map_or_else(|_| time.to_string(), |it| it.to_string())
}

/// Returns the time that `text` is.
pub(super) fn read(what: &'static str, text: String) -> Result<Timestamp, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Invalid { what, value: text })
}

/// Returns the time that `text` is, where there is one.
pub(super) fn read_if(
    what: &'static str,
    text: Option<String>,
) -> Result<Option<Timestamp>, StoreError> {
    text.map(|text| read(what, text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_order_as_text() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(text(at("2026-11-22T10:00:00.75Z")), "2026-11-22T10:00:00Z");
        assert!(text(at("2026-11-22T10:00:00.75Z")) < text(at("2026-11-22T10:00:01Z")));
        let invalid = read("time of a test", "yesterday".to_owned()).unwrap_err();
        assert_eq!(
            invalid.to_string(),
            "the store holds an invalid time of a test: yesterday"
        );
    }
}
