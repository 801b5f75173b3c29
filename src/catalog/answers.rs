//! Answers to whole queries, kept as long as the catalog they came from, within a bound in bytes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use twox_hash::XxHash3_128;

use crate::package::{CategoriesQuery, PackageId, SearchQuery};

/// Bytes of all kept answers of one catalog, plain and compressed together.
const KEPT_BYTES: u64 = 16 << 20;
/// How many answers the cache expects: a list for each Kibana version, and one for most packages.
const EXPECTED_ANSWERS: usize = 1000;

/// What was asked: queries that mean the same are the same question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// `/search`.
    Search(SearchQuery),
    /// `/categories`.
    Categories(CategoriesQuery),
    /// A package document with something inserted.
    Document(PackageId),
}

/// One answer in both codings.
#[derive(Debug)]
pub struct Answer {
    /// The JSON.
    pub plain: Bytes,
    /// The XXH3 hash of it, its entity tag: that has to change with the answer, and is computed for every new one.
    pub tag: u128,
    gzip: OnceLock<Bytes>,
}

/// The kept answers.
#[derive(Debug)]
pub struct Answers(Cache<Question, Arc<Answer>, ByBytes>);

#[derive(Debug, Clone)]
struct ByBytes;

impl Answer {
    /// Returns the answer that `plain` is.
    pub fn new(plain: Vec<u8>) -> Self {
        Self {
            tag: XxHash3_128::oneshot(&plain),
            plain: plain.into(),
            gzip: OnceLock::new(),
        }
    }

    /// Returns the answer compressed, by `compress` where it was not before.
    pub fn gzip(&self, compress: impl FnOnce(&[u8]) -> Vec<u8>) -> Bytes {
        self.gzip
            .get_or_init(|| compress(&self.plain).into())
            .clone()
    }
}

impl Answers {
    /// Returns the answer to a question: the one that was kept, else that of `find`, which is kept.
    pub fn get<E>(
        &self,
        question: Question,
        find: impl FnOnce(&Question) -> Result<Vec<u8>, E>,
    ) -> Result<Arc<Answer>, E> {
        if let Some(answer) = self.0.get(&question) {
            return Ok(answer);
        }
        let answer = Arc::new(Answer::new(find(&question)?));
        self.0.insert(question, Arc::clone(&answer));
        Ok(answer)
    }
}

impl Answers {
    /// Returns no answers, of which up to this many bytes will be kept.
    pub fn within(bytes: u64) -> Self {
        Self(Cache::with_weighter(EXPECTED_ANSWERS, bytes, ByBytes))
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::within(KEPT_BYTES)
    }
}

impl Weighter<Question, Arc<Answer>> for ByBytes {
    fn weight(&self, _: &Question, answer: &Arc<Answer>) -> u64 {
        // The compressed form comes later and is smaller than a quarter; a question has some hundred bytes.
        let plain = answer.plain.len() as u64;
        plain + plain / 4 + 512
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn search(query: &str) -> Question {
        Question::Search(SearchQuery::parse(query, &Limits::default()).unwrap())
    }

    #[test]
    fn queries_that_mean_the_same_are_answered_once() {
        let answers = Answers::default();
        let get = |query: &str, text: &str| {
            let find = |_: &Question| Ok::<_, ()>(text.as_bytes().to_vec());
            answers.get(search(query), find).unwrap().plain.clone()
        };
        assert_eq!(get("package=nginx&all=true", "first"), "first");
        assert_eq!(get("all=1&x=y&package=nginx", "second"), "first");
        assert_eq!(get("package=nginx", "third"), "third");
    }

    #[test]
    fn a_failure_is_not_kept() {
        let answers = Answers::default();
        assert!(
            answers
                .get(search(""), |_| Err::<Vec<u8>, _>("no"))
                .is_err()
        );
        assert_eq!(
            answers
                .get(search(""), |_| Ok::<_, ()>(vec![b'x']))
                .unwrap()
                .plain,
            "x"
        );
    }

    #[test]
    fn answers_are_kept_within_a_bound_in_bytes() {
        let answers = Answers::default();
        for number in 0..100 {
            let question = search(&format!("package=p{number}"));
            answers
                .get(question, |_| Ok::<_, ()>(vec![0; 1 << 20]))
                .unwrap();
        }
        assert!(answers.0.weight() <= KEPT_BYTES, "{}", answers.0.weight());
    }
}
