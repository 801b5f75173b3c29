//! The chain of a certificate: what a server sends, and where it ends.

use super::certificate::Certificate;

/// Certificates between a server's and a root. No chain in use has half as many.
const MOST_LINKS: usize = 10;

/// A certificate and those that lead from it to a root, in the order in which they are sent: the server's first, each
/// issued by the next, without the root, which clients have or do not believe.
#[derive(Debug, Clone)]
pub struct Chain {
    /// What is sent, at least one.
    pub sent: Vec<Certificate>,
    /// Where it ends.
    pub end: End,
}

/// What is known of the issuer of a chain's last certificate.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// A root: it issued itself.
    Root(Box<Certificate>),
    /// The only certificate issued itself: clients have to know this very one.
    SelfSigned,
    /// It is not there.
    Missing,
}

impl Chain {
    /// Returns the chain of `first`, its issuers taken from `others`, in any order, and then from `roots`. What belongs to
    /// no link is left out.
    pub fn of(first: Certificate, others: &[Certificate], roots: &[Certificate]) -> Self {
        let mut sent = vec![first];
        while let Some(last) = sent.last() {
            if last.is_self_signed() {
                let end = match sent.len() {
                    1 => End::SelfSigned,
                    _ => sent
                        .pop()
                        .map_or(End::Missing, |root| End::Root(Box::new(root))),
                };
                return Self { sent, end };
            }
            let mut known = others.iter().chain(roots);
            let issuer = known.find(|it| last.is_issued_by(it) && !sent.contains(it));
            match issuer.filter(|_| sent.len() < MOST_LINKS) {
                Some(issuer) => sent.push(issuer.clone()),
                None => break,
            }
        }
        Self {
            sent,
            end: End::Missing,
        }
    }

    /// Returns the server's certificate.
    pub fn first(&self) -> &Certificate {
        &self.sent[0]
    }

    /// Returns the certificate whose issuer is the root, or is not known.
    pub fn last(&self) -> &Certificate {
        self.sent.last().unwrap_or(&self.sent[0])
    }
}
