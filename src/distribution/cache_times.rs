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

/// What the operator says instead, in seconds; `None`: what the distribution says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheSettings {
    /// `/search`.
    pub search: Option<u32>,
    /// `/categories`.
    pub categories: Option<u32>,
    /// Files, zips, signatures and the favicon.
    pub catch_all: Option<u32>,
    /// `/` and package documents.
    pub index: Option<u32>,
}

impl CacheSettings {
    /// Returns `times` as far as nothing is said instead.
    pub fn over(self, times: CacheTimes) -> CacheTimes {
        CacheTimes {
            search_seconds: self.search.unwrap_or(times.search_seconds),
            categories_seconds: self.categories.unwrap_or(times.categories_seconds),
            catch_all_seconds: self.catch_all.unwrap_or(times.catch_all_seconds),
            index_seconds: self.index.unwrap_or(times.index_seconds),
        }
    }
}
