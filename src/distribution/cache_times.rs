//! How long clients may keep answers.

/// Seconds in `Cache-Control: max-age`, by kind of answer (registry-api.md, "Headers by kind of answer").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheTimes {
    /// `/search`.
    pub search_seconds: u32,
    /// `/categories`.
    pub categories_seconds: u32,
    /// Files, zips, signatures and the favicon.
    pub catch_all_seconds: u32,
    /// `/` and package documents.
    pub index_seconds: u32,
}

impl Default for CacheTimes {
    /// What the reference registry answers where nothing is set.
    fn default() -> Self {
        Self {
            search_seconds: 600,
            categories_seconds: 600,
            catch_all_seconds: 600,
            index_seconds: 10,
        }
    }
}
