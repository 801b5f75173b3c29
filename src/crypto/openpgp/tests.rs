//! What counts and what does not.

use pgp::composed::{Deserializable, DetachedSignature, KeyType, SubpacketConfig};
use pgp::packet::{self, Notation, RevocationCode, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{Duration, KeyVersion};

use super::examples::{
    BEGIN, DAY, Owner, SIGNED, fixture, gpg_key, later, sign_with, subpackets, verdict,
};
use super::{
    Certificate, CertificateError, KeyFile, Signature, Verdict, Verifying, WrongSignature,
};
use crate::limits::Limits;

fn good(certificate: &Certificate) -> Verdict {
    Verdict::Good {
        fingerprint: certificate.fingerprint().clone(),
        until: certificate.expires(),
    }
}

fn wrong(verdict: Verdict) -> WrongSignature {
    match verdict {
        Verdict::Wrong(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_and_its_signing_subkey_sign_well_in_both_versions() {
    for (version, kind) in [
        (KeyVersion::V4, KeyType::Ed25519Legacy),
        (KeyVersion::V4, KeyType::Ed25519),
        (KeyVersion::V6, KeyType::Ed25519),
    ] {
        let owner = Owner::of(version, kind);
        let certificate = owner.certificate();
        assert_eq!(certificate.user_ids(), ["Test Signer <test@example.org>"]);
        assert_eq!(certificate.created(), later(0));
        assert_eq!(certificate.expires(), None);
        assert!(!certificate.is_sha1_only() && !certificate.is_revoked());
        let keyring = [Owner::new().certificate(), certificate.clone()];
        for signature in [
            owner.sign(BEGIN + DAY, vec![]),
            owner.sign_by_subkey(BEGIN + DAY),
        ] {
            let verdict_of = |bytes| verdict(&signature, bytes, &keyring, later(2));
            assert_eq!(verdict_of(SIGNED), good(&certificate));
            assert_eq!(wrong(verdict_of(b"")), WrongSignature::OtherBytes);
            let unknown = verdict(&signature, SIGNED, &keyring[..1], later(2));
            assert!(matches!(unknown, Verdict::UnknownKey { key_id: Some(_) }));
        }
    }
}

#[test]
fn a_binary_signature_as_text_is_the_same_signature() {
    let owner = Owner::new();
    let binary = owner.sign(BEGIN + DAY, vec![]);
    let read = |bytes: &[u8]| Signature::read(bytes, &Limits::default()).unwrap();
    let armored = read(&binary).to_armored().unwrap();
    assert!(!read(&binary).is_armored());
    assert!(read(armored.as_bytes()).is_armored());
    let keyring = [owner.certificate()];
    assert_eq!(
        verdict(armored.as_bytes(), SIGNED, &keyring, later(2)),
        good(&keyring[0])
    );
}

#[test]
fn what_gpg_signs_is_good() {
    for kind in ["nistp256", "nistp384", "nistp521", "rsa3072", "sha1-key"] {
        let name = kind.trim_end_matches("-key");
        let certificate = gpg_key(&format!("{name}-key.asc"));
        let signature = fixture(&format!("{kind}.sig"));
        let now = jiff::Timestamp::now();
        let keyring = [certificate.clone()];
        assert_eq!(
            verdict(&signature, SIGNED, &keyring, now),
            good(&certificate),
            "{kind}"
        );
        let other = verdict(&signature, b"the bytes that are signee\n", &keyring, now);
        assert_eq!(wrong(other), WrongSignature::OtherBytes, "{kind}");
        assert_eq!(certificate.is_sha1_only(), kind == "sha1-key");
    }
}

#[test]
fn weak_digests_keys_and_bindings_do_not_count() {
    let now = jiff::Timestamp::now();
    for (key, signature, reason) in [
        (
            "sha1-key.asc",
            "sha1-digest.sig",
            "the signature is over a digest that can be forged, SHA1",
        ),
        (
            "sha1-key.asc",
            "text.sig",
            "the signature is over text, so that line ends may differ, and not over each byte",
        ),
        (
            "weak-subkey-key.asc",
            "weak-subkey.sig",
            "the signature is by a key that is too weak or of an unknown kind: RSA with 1024 bits",
        ),
    ] {
        let said = verdict(&fixture(signature), SIGNED, &[gpg_key(key)], now);
        assert_eq!(wrong(said).to_string(), reason);
    }
    for (name, weak) in [
        ("rsa1024-key.asc", "RSA with 1024 bits"),
        ("dsa-key.asc", "DSA"),
    ] {
        let file = KeyFile::read(&fixture(name), &Limits::default());
        assert!(file.certificates.is_empty());
        let [CertificateError::Weak { kind, .. }] = &file.refused[..] else {
            panic!("{:?}", file.refused);
        };
        assert_eq!(kind, weak);
    }

    // The digest is named in the fourth byte of the packet: MD5, RIPEMD-160, none, and one that nobody has.
    let owner = Owner::new();
    let signature = owner.sign(BEGIN + DAY, vec![]);
    for digest in [1, 3, 0, 99] {
        let mut weak = signature.clone();
        weak[5] = digest;
        let said = verdict(&weak, SIGNED, &[owner.certificate()], later(2));
        assert!(
            matches!(wrong(said), WrongSignature::WeakDigest(_)),
            "{digest}"
        );
    }
}

#[test]
fn a_signature_counts_while_its_key_does() {
    let mut owner = Owner::new();
    let for_ever = [owner.certificate()];
    owner.expire(10 * DAY);
    let ending = [owner.certificate()];
    assert_eq!(ending[0].expires(), Some(later(10)));
    let fingerprint = || ending[0].fingerprint().clone();
    let expired = Verdict::ExpiredKey {
        fingerprint: fingerprint(),
        expired: later(10),
    };
    let at = |days, keyring: &[Certificate], now| {
        verdict(
            &owner.sign(BEGIN + days * DAY, vec![]),
            SIGNED,
            keyring,
            later(now),
        )
    };
    assert_eq!(at(1, &ending, 9), good(&ending[0]));
    assert_eq!(at(1, &ending, 10), expired);
    assert_eq!(at(1, &for_ever, 10), good(&for_ever[0]));
    let after = WrongSignature::AfterKey {
        made: later(10),
        expired: later(10),
    };
    assert_eq!(wrong(at(10, &ending, 11)), after);
    let subkey = owner.sign_by_subkey(BEGIN + DAY);
    assert_eq!(
        verdict(&subkey, SIGNED, &ending, later(9)),
        good(&ending[0])
    );
    assert_eq!(verdict(&subkey, SIGNED, &ending, later(10)), expired);

    // Clocks go wrong by hours; a day is the bound.
    assert_eq!(at(2, &ending, 1), good(&ending[0]));
    let future = verdict(
        &owner.sign(BEGIN + 2 * DAY + 1, vec![]),
        SIGNED,
        &ending,
        later(1),
    );
    assert!(matches!(wrong(future), WrongSignature::Future { .. }));
    let before = verdict(&owner.sign(BEGIN - 1, vec![]), SIGNED, &ending, later(1));
    assert!(matches!(wrong(before), WrongSignature::BeforeKey { .. }));

    let ends = SubpacketData::SignatureExpirationTime(Duration::from_secs(DAY));
    let ends = owner.sign(BEGIN + DAY, vec![ends]);
    assert_eq!(
        verdict(&ends, SIGNED, &for_ever, later(1)),
        good(&for_ever[0])
    );
    let end = WrongSignature::Expired(later(2));
    assert_eq!(wrong(verdict(&ends, SIGNED, &for_ever, later(2))), end);
}

#[test]
fn what_a_revoked_key_signed_counts_only_where_it_was_retired_later() {
    let reason = |code| SubpacketData::RevocationReason(code, "".into());
    for (revocation, before_counts) in [
        (vec![], false),
        (vec![reason(RevocationCode::NoReason)], false),
        (vec![reason(RevocationCode::KeyCompromised)], false),
        (vec![reason(RevocationCode::KeySuperseded)], true),
        (vec![reason(RevocationCode::KeyRetired)], true),
    ] {
        let mut owner = Owner::new();
        owner.revoke(BEGIN + 5 * DAY, revocation);
        let keyring = [owner.certificate()];
        assert!(keyring[0].is_revoked());
        for (days, counts) in [(4, before_counts), (5, false), (6, false)] {
            let signatures = [
                owner.sign(BEGIN + days * DAY, vec![]),
                owner.sign_by_subkey(BEGIN + days * DAY),
            ];
            for signature in signatures {
                let said = verdict(&signature, SIGNED, &keyring, later(9));
                match counts {
                    true => assert_eq!(said, good(&keyring[0])),
                    false => assert!(matches!(wrong(said), WrongSignature::Revoked(_))),
                }
            }
        }
    }
}

#[test]
fn a_revocation_by_somebody_else_revokes_nothing() {
    let mut owner = Owner::new();
    let mut other = Owner::new();
    other.revoke(BEGIN + DAY, vec![]);
    let forged = other.0.details.revocation_signatures.clone();
    owner.0.details.revocation_signatures = forged;
    assert!(!owner.certificate().is_revoked());
}

#[test]
fn joining_keeps_what_either_says() {
    let mut owner = Owner::new();
    let first = owner.certificate();
    owner.expire(10 * DAY);
    let ending = owner.certificate();
    owner.0.details.users[0].signatures.truncate(1);
    owner.revoke(BEGIN + DAY, vec![]);
    let revoked = owner.certificate();
    let limits = Limits::default();
    for order in [[&first, &ending, &revoked], [&revoked, &ending, &first]] {
        let joined = order[0].joined(order[1], &limits).unwrap();
        let joined = joined.joined(order[2], &limits).unwrap();
        assert!(joined.is_revoked());
        assert_eq!(joined.expires(), Some(later(10)));
        assert_eq!(
            joined.joined(&joined, &limits).unwrap().to_bytes(),
            joined.to_bytes()
        );
        assert_eq!(
            Certificate::from_packets(&joined.to_bytes())
                .unwrap()
                .to_bytes(),
            joined.to_bytes()
        );
    }
    let few = Limits {
        key_packets: 7,
        ..Limits::default()
    };
    assert!(first.joined(&ending, &limits).is_ok());
    assert_eq!(
        ending.joined(&revoked, &few).unwrap_err(),
        CertificateError::TooManyPackets { limit: 7 }
    );
}

#[test]
fn a_signature_with_critical_parts_that_nobody_understands_is_wrong() {
    let owner = Owner::new();
    let keyring = [owner.certificate()];
    let notation = || {
        SubpacketData::Notation(Notation {
            readable: true,
            name: "purpose@example.org".into(),
            value: "test".into(),
        })
    };
    for (data, number, named) in [
        (notation(), 20, "notation purpose@example.org"),
        (
            SubpacketData::Experimental(101, "x".into()),
            101,
            "subpacket 101",
        ),
        (SubpacketData::Other(90, "x".into()), 90, "subpacket 90"),
    ] {
        let signature = owner.sign(BEGIN + DAY, vec![data]);
        let said = verdict(&signature, SIGNED, &keyring, later(2));
        assert_eq!(said, good(&keyring[0]), "{named}");
        // The highest bit of the type makes a part critical. It is signed too, and looked at before.
        let mut critical = signature;
        assert_eq!(critical[15], number);
        critical[15] |= 0x80;
        let reason = wrong(verdict(&critical, SIGNED, &keyring, later(2)));
        assert_eq!(reason, WrongSignature::UnknownCritical(named.into()));
    }
}

#[test]
fn a_subkey_for_encryption_and_one_of_another_key_may_not_sign() {
    let owner = Owner::new();
    let other = Owner::new();

    // The stranger puts our subkey under its key: the binding is its own, the willingness missing.
    let mut public = other.public();
    public.public_subkeys[0].key = owner.public().public_subkeys[0].key.clone();
    let stolen = Certificate::from_packets(&public.to_bytes().unwrap()).unwrap();
    let said = verdict(
        &owner.sign_by_subkey(BEGIN + DAY),
        SIGNED,
        &[stolen],
        later(2),
    );
    assert!(matches!(said, Verdict::UnknownKey { .. }), "{said:?}");

    // A binding that does not say that the subkey may sign.
    let mut public = owner.public();
    public.public_subkeys.swap(0, 1);
    let (encrypting, signing) = public.public_subkeys.split_at_mut(1);
    std::mem::swap(&mut encrypting[0].key, &mut signing[0].key);
    let swapped = Certificate::from_packets(&public.to_bytes().unwrap()).unwrap();
    let said = verdict(
        &owner.sign_by_subkey(BEGIN + DAY),
        SIGNED,
        &[swapped],
        later(2),
    );
    assert!(matches!(said, Verdict::UnknownKey { .. }), "{said:?}");
}

#[test]
fn a_key_without_a_valid_signature_by_itself_is_refused() {
    let mut public = Owner::new().public();
    let other = Owner::new().public();
    public.details = other.details;
    let error = Certificate::from_packets(&public.to_bytes().unwrap()).unwrap_err();
    assert!(
        matches!(error, CertificateError::NoSelfSignature(_)),
        "{error}"
    );
}

#[test]
fn a_signature_that_names_no_key_is_tried_with_all() {
    let owner = Owner::new();
    let keyring = [Owner::new().certificate(), owner.certificate()];
    let anonymous = SubpacketConfig::UserDefined {
        hashed: subpackets(BEGIN + DAY, vec![]),
        unhashed: vec![],
    };
    let signature = sign_with(&owner.0.primary_key, anonymous);
    assert_eq!(
        verdict(&signature, SIGNED, &keyring, later(2)),
        good(&keyring[1])
    );
    let unknown = Verdict::UnknownKey { key_id: None };
    assert_eq!(
        verdict(&signature, SIGNED, &keyring[..1], later(2)),
        unknown
    );
    let other = verdict(&signature, b"other", &keyring, later(2));
    assert_eq!(wrong(other), WrongSignature::OtherBytes);
}

#[test]
fn only_one_signature_and_nothing_else_is_a_signature() {
    let limits = Limits::default();
    let owner = Owner::new();
    let binary = owner.sign(BEGIN + DAY, vec![]);
    let armored = String::from_utf8(fixture("rsa3072.sig")).unwrap();
    let read = |bytes: &[u8]| Signature::read(bytes, &limits);
    assert!(!read(&binary).unwrap().is_armored());
    assert!(read(armored.as_bytes()).unwrap().is_armored());
    let surrounded = format!("\r\n\n{}\n \n", armored.replace('\n', "\r\n"));
    assert!(read(surrounded.as_bytes()).unwrap().is_armored());

    let of_a_key = owner.0.details.users[0].signatures[0].clone();
    let of_a_key = pgp::composed::DetachedSignature::new(of_a_key)
        .to_bytes()
        .unwrap();
    let key = owner.public().to_bytes().unwrap();
    let public_label = armored.replace("PGP SIGNATURE", "PGP PUBLIC KEY BLOCK");
    for (what, bytes) in [
        ("nothing", vec![]),
        ("a page", b"<!DOCTYPE html><p>not found</p>".to_vec()),
        ("two", [binary.clone(), binary.clone()].concat()),
        ("two, armored", armored.repeat(2).into_bytes()),
        ("more before", format!("Hello\n{armored}").into_bytes()),
        ("more behind", format!("{armored}Hello\n").into_bytes()),
        ("more behind, binary", [&binary[..], b"\n"].concat()),
        ("a certification", of_a_key),
        ("a key", key.clone()),
        ("a key, armored", owner.armored().into_bytes()),
        ("a signature called a key", public_label.into_bytes()),
        (
            "large",
            format!("{}{armored}", "\n".repeat(16 << 10)).into_bytes(),
        ),
    ] {
        assert!(read(&bytes).is_err(), "{what}");
    }
    for end in 0..binary.len() {
        assert!(read(&binary[..end]).is_err(), "{end}");
    }
    for end in 0..armored.trim_end().len() {
        assert!(read(&armored.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn no_flipped_byte_makes_a_signature_good_again() {
    let owner = Owner::new();
    let keyring = [owner.certificate()];
    let signature = owner.sign(BEGIN + DAY, vec![]);
    let parsed = |bytes: &[u8]| DetachedSignature::from_bytes(bytes).unwrap().signature;
    let original = parsed(&signature);
    for place in 0..signature.len() {
        for bits in [0x01, 0x80, 0xff] {
            let mut flipped = signature.clone();
            flipped[place] ^= bits;
            let Ok(read) = Signature::read(&flipped, &Limits::default()) else {
                continue;
            };
            let mut verifying = Verifying::new(&read);
            verifying.update(SIGNED);
            match read.judge(&verifying.finish(), &keyring, later(2)) {
                // What is not signed says who did, and how many bits of a number are not zero.
                said @ Verdict::Good { .. } => {
                    assert_eq!(said, good(&keyring[0]));
                    let flipped = parsed(&flipped);
                    assert_eq!(
                        flipped.signature(),
                        original.signature(),
                        "{place} {bits:x}"
                    );
                    let hashed =
                        |it: &packet::Signature| it.config().unwrap().hashed_subpackets.clone();
                    assert_eq!(hashed(&flipped), hashed(&original), "{place} {bits:x}");
                }
                Verdict::ExpiredKey { .. } => panic!("{place} {bits:x}"),
                Verdict::UnknownKey { .. } | Verdict::Wrong(_) => {}
            }
        }
    }
}

#[test]
fn a_key_cut_or_flipped_anywhere_is_the_same_key_or_none() {
    let owner = Owner::new();
    let whole = owner.certificate();
    let bytes = owner.public().to_bytes().unwrap();
    let limits = Limits::default();
    let read = |bytes: &[u8]| {
        let file = KeyFile::read(bytes, &limits);
        assert!(file.certificates.len() + file.refused.len() > 0);
        for certificate in &file.certificates {
            assert_eq!(certificate.fingerprint(), whole.fingerprint());
            assert!(certificate.to_bytes().len() <= bytes.len());
        }
    };
    for end in 0..bytes.len() {
        read(&bytes[..end]);
    }
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x41;
        read(&flipped);
    }
    let armored = owner.armored();
    for end in (0..armored.len()).step_by(7) {
        read(&armored.as_bytes()[..end]);
    }
}

#[test]
fn a_file_gives_its_good_keys_whatever_else_is_in_it() {
    let limits = Limits::default();
    let (one, other) = (Owner::new(), Owner::new());
    let expected = [one.certificate(), other.certificate()];
    let mut damaged = Owner::new().armored();
    damaged.truncate(damaged.len() / 2);
    let secret = Owner::new()
        .0
        .to_armored_string(Default::default())
        .unwrap();
    let weak = String::from_utf8(fixture("rsa1024-key.asc")).unwrap();
    let signature = String::from_utf8(fixture("rsa3072.sig")).unwrap();
    let binary = |owner: &Owner| owner.public().to_bytes().unwrap();
    let binary_secret = Owner::new().0.to_bytes().unwrap();
    for (what, bytes, refused) in [
        (
            "two blocks",
            format!("{}{}", one.armored(), other.armored()).into_bytes(),
            0,
        ),
        (
            "text between",
            format!("A\n{}B\n{}C\n", one.armored(), other.armored()).into_bytes(),
            0,
        ),
        (
            "a damaged one first",
            format!("{damaged}\n{}{}", one.armored(), other.armored()).into_bytes(),
            1,
        ),
        (
            "a damaged one last",
            format!("{}{}{damaged}", one.armored(), other.armored()).into_bytes(),
            1,
        ),
        (
            "a secret one",
            format!("{}{secret}{}", one.armored(), other.armored()).into_bytes(),
            1,
        ),
        (
            "a weak one",
            format!("{}{weak}{}", one.armored(), other.armored()).into_bytes(),
            1,
        ),
        (
            "a signature",
            format!("{signature}{}{}", one.armored(), other.armored()).into_bytes(),
            1,
        ),
        (
            "one twice",
            format!("{}{}{0}", one.armored(), other.armored()).into_bytes(),
            0,
        ),
        ("binary", [binary(&one), binary(&other)].concat(), 0),
        (
            "binary, a secret one",
            [binary(&one), binary_secret, binary(&other)].concat(),
            1,
        ),
        (
            "binary, cut",
            [binary(&one), binary(&other), binary(&one)[..40].to_vec()].concat(),
            1,
        ),
    ] {
        let file = KeyFile::read(&bytes, &limits);
        let fingerprints: Vec<_> = file
            .certificates
            .iter()
            .map(Certificate::fingerprint)
            .collect();
        assert_eq!(
            fingerprints,
            [expected[0].fingerprint(), expected[1].fingerprint()],
            "{what}"
        );
        assert_eq!(file.refused.len(), refused, "{what}: {:?}", file.refused);
    }
}

#[test]
fn a_file_of_keys_is_bounded() {
    let bytes = Owner::new().public().to_bytes().unwrap();
    let refused = |limits| {
        let file = KeyFile::read(&bytes, &limits);
        assert!(file.certificates.is_empty());
        file.refused
    };
    let small = Limits {
        key_file_bytes: bytes.len() as u64 - 1,
        ..Limits::default()
    };
    assert_eq!(
        refused(small.clone()),
        [CertificateError::TooLarge {
            limit_bytes: small.key_file_bytes
        }]
    );
    let few = Limits {
        key_packets: 3,
        ..Limits::default()
    };
    assert_eq!(
        refused(few),
        [CertificateError::TooManyPackets { limit: 3 }]
    );
}

#[test]
fn the_name_in_a_key_is_one_line_that_reads_forwards() {
    let shown = super::policy::plain("A\u{1b}[2J\nB\u{202e}C\u{2028}é".as_bytes());
    assert_eq!(shown, "A\u{fffd}[2J\u{fffd}B\u{fffd}C\u{fffd}é");
    assert_eq!(super::policy::plain(&b"x".repeat(1000)).len(), 200);
    assert_eq!(super::policy::plain(b"\xff"), "\u{fffd}");
}
