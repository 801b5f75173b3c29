//! A walk along the chain of the audit log, wherever its entries come from.

use super::{Verification, VerificationRequest};
use crate::admin::error::OperationError;
use crate::crypto::Digest;
use crate::store::audit::{Entry, Head};

/// A walk along the chain.
pub(super) struct Walk {
    /// The entry that was written down elsewhere.
    sought: Option<Head>,
    /// The digest of the entry with its number.
    found: Option<Digest>,
    pub(super) last: Head,
    pub(super) read_up_to: i64,
    broken: Option<(i64, &'static str)>,
}

impl Walk {
    pub(super) fn new(request: &VerificationRequest) -> Result<Self, OperationError> {
        let sought = request.head.as_deref().map(str::parse::<Head>);
        let sought = sought.transpose();
        Ok(Self {
            sought: sought.map_err(|error| OperationError::InvalidRequest(error.to_string()))?,
            found: None,
            last: Head::NONE,
            read_up_to: i64::MIN,
            broken: None,
        })
    }

    /// Goes on to the next entry; `false` where it does not follow the one before it.
    pub(super) fn takes(&mut self, entry: &Entry) -> bool {
        self.read_up_to = entry.number;
        if entry.follows(self.last) {
            self.last = entry.head();
            if self.sought.is_some_and(|head| head.number == entry.number) {
                self.found = Some(entry.digest);
            }
            return true;
        }
        let next = self.last.number.saturating_add(1);
        if entry.number != next {
            self.breaks(next, "it is missing")
        } else if entry.previous != self.last.digest {
            self.breaks(next, "it does not name the digest of the entry before it")
        } else {
            self.breaks(next, "it says something else than its digest")
        }
    }

    /// Ends at an entry that is none.
    pub(super) fn stumbles(&mut self, number: i64) -> bool {
        let next = self.last.number.saturating_add(1);
        let is_next = number == next;
        self.breaks(
            next,
            match is_next {
                true => "it cannot be read",
                false => "it is missing",
            },
        )
    }

    pub(super) fn breaks(&mut self, number: i64, why: &'static str) -> bool {
        self.broken = Some((number, why));
        false
    }

    pub(super) fn found(self) -> Verification {
        let problem = match (self.broken, self.sought) {
            (Some((number, why)), _) => Some(format!("entry {number} breaks the chain: {why}")),
            (None, None) => None,
            (None, Some(head)) if head == Head::NONE => None,
            (None, Some(head)) => match self.found {
                Some(digest) if digest == head.digest => None,
                Some(digest) => Some(format!(
                    "entry {} is another than the one that was written down: its digest is {digest}",
                    head.number
                )),
                None => Some(format!(
                    "entry {} was written down, and the log ends at {}",
                    head.number, self.last.number
                )),
            },
        };
        Verification {
            is_whole: problem.is_none(),
            entries: self.last.number,
            head: (self.last != Head::NONE).then(|| self.last.to_string()),
            broken_at: self.broken.map(|(number, _)| number),
            problem,
        }
    }
}
