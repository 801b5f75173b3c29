//! Which algorithms and statements count.
//!
//! | What | Decision | Why |
//! |---|---|---|
//! | digests of signatures | SHA-2 and SHA-3 | the others have collisions (RFC 9580, 9.5) |
//! | digests of self-signatures | SHA-1 too, for user ids and validity | keys that are in use have no other; the operator confirmed the key itself, and rPGP tells forged SHA-1 collisions |
//! | digests that bind a signing subkey | SHA-2 and SHA-3 | what is bound may sign, and nobody confirmed it |
//! | RSA | 2,048 bits and more | NIST SP 800-131A |
//! | DSA, Elgamal | never | RFC 9580, 9.1 |
//! | critical statements not understood | the signature does not count | RFC 9580, 5.2.3.7 |

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{EddsaLegacyPublicParams, KeyDetails, PublicParams};

/// Bits of the smallest RSA modulus that counts.
const RSA_BITS: u16 = 2048;

/// Tells whether no two texts with one digest are known.
pub(super) fn is_strong(hash: HashAlgorithm) -> bool {
    matches!(
        hash,
        HashAlgorithm::Sha224
            | HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512
    )
}

/// Returns what is wrong with the kind of `key`: a name of its algorithm; `None` where it may sign.
pub(super) fn weakness(key: &(impl KeyDetails + ?Sized)) -> Option<String> {
    match key.public_params() {
        PublicParams::RSA(params) => {
            // An integer of OpenPGP begins with the number of its bits (RFC 9580, 3.2).
            let bits = match params.to_bytes().as_deref() {
                Ok([high, low, ..]) => u16::from_be_bytes([*high, *low]),
                Ok(_) | Err(_) => 0,
            };
            (bits < RSA_BITS).then(|| format!("RSA with {bits} bits"))
        }
        PublicParams::ECDSA(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_)
        | PublicParams::EdDSALegacy(EddsaLegacyPublicParams::Ed25519 { .. }) => None,
        PublicParams::DSA(_) => Some("DSA".to_owned()),
        _ => Some(format!("algorithm {}", u8::from(key.algorithm()))),
    }
}

/// Returns the first critical statement of `signature` that is not understood here.
pub(super) fn unknown_critical(signature: &Signature) -> Option<String> {
    let mut critical = signature
        .config()?
        .hashed_subpackets()
        .filter(|subpacket| subpacket.is_critical);
    critical.find_map(|subpacket| match &subpacket.data {
        SubpacketData::Notation(notation) => Some(format!("notation {}", plain(&notation.name))),
        SubpacketData::Experimental(number, _) | SubpacketData::Other(number, _) => {
            Some(format!("subpacket {number}"))
        }
        _ => None,
    })
}

/// Characters of a text by a stranger that are shown.
const SHOWN_CHARACTERS: usize = 200;

/// Returns a stranger's text fit for a terminal: one line, and in the order in which it reads.
pub(super) fn plain(text: &[u8]) -> String {
    let shown = |c: char| {
        let turns_around = matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if turns_around || breaks {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    String::from_utf8_lossy(text)
        .chars()
        .map(shown)
        .take(SHOWN_CHARACTERS)
        .collect()
}
