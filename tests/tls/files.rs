//! What is asked for, installed and made, as files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use airlock::admin::tls;
use airlock::crypto::tls::{MinVersion, Name, NewKey, Pieces, ServedTls, TlsError, TlsFiles};
use jiff::Timestamp;
use pkcs8::PrivateKeyInfo;
use pkcs8::pkcs5::pbes2::Parameters;
use rcgen::KeyPair;

use crate::certificates::{Made, root, server};
use crate::refusals::Bench;

/// Returns the key as PEM, encrypted as OpenSSL does it since 1.1.
pub fn encrypted(key: &KeyPair, passphrase: &str) -> String {
    let der = key.serialize_der();
    let parameters = Parameters::pbkdf2_sha256_aes256cbc(2048, b"saltsalt", &[7; 16]).unwrap();
    let info = PrivateKeyInfo::try_from(der.as_slice()).unwrap();
    let encrypted = info.encrypt_with_params(parameters, passphrase).unwrap();
    airlock::crypto::tls::KeyText::Encrypted(encrypted.as_bytes().to_vec()).to_pem()
}

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub fn served(bench: &Bench) -> Result<ServedTls, TlsError> {
    ServedTls::load(served_files(bench))
}

#[test]
fn a_chain_in_any_order_is_installed_in_its_own() {
    let bench = Bench::new();
    let root = root("Site Root");
    let upper = root.intermediate("Upper");
    let lower = upper.intermediate("Lower");
    let server = lower.server(&["epr.site", "10.0.0.1"]);
    let stray = self::root("Stray");
    let all = format!(
        "Bag Attributes: none\n{}{}\r\n{}subject=/CN=epr.site\n{}{}{}",
        root.pem(),
        upper.pem().replace('\n', "\r\n"),
        stray.pem(),
        server.pem(),
        lower.pem(),
        server.key_pem()
    );
    let file = bench.file("all.pem", all);
    let installed = bench.install(&file, |_| {}).unwrap();
    assert_eq!(installed.report.names, ["epr.site", "10.0.0.1"]);
    assert_eq!(
        installed.report.root.as_ref().unwrap().subject,
        "CN=Site Root"
    );

    let sent = Pieces::certificates(&bench.places.certificate).unwrap();
    let subjects: Vec<_> = sent.iter().map(|it| it.subject()).collect();
    assert_eq!(subjects, ["CN=epr.site", "CN=Lower", "CN=Upper"]);
    let known = Pieces::certificates(&bench.places.authority()).unwrap();
    assert_eq!(known[0].subject(), "CN=Site Root");
    assert_eq!(mode(&bench.places.key), 0o600);
    assert_eq!(mode(&bench.places.certificate), 0o644);
    assert_eq!(
        served(&bench).unwrap().report(Timestamp::now()).chain.len(),
        2
    );
}

#[test]
fn der_is_read_as_well_as_pem() {
    let bench = Bench::new();
    let root = root("Site Root");
    let server = root.server(&["epr.site"]);
    let certificate = bench.file("server.cer", &server.der);
    let ca = bench.file("root.cer", &root.der);
    let key = bench.file("server.key", server.key.serialize_der());
    let installed = bench.install(&certificate, |it| {
        it.key = Some(key);
        it.authority = Some(ca);
    });
    assert_eq!(installed.unwrap().report.subject, "CN=epr.site");
    assert!(served(&bench).is_ok());
}

#[test]
fn a_certificate_that_issued_itself_is_its_own_root() {
    let bench = Bench::new();
    let key = KeyPair::generate().unwrap();
    let parameters = server(&["epr.site"]);
    let der = parameters.self_signed(&key).unwrap().der().to_vec();
    let own = Made {
        parameters,
        key,
        der,
    };
    let installed = bench
        .install(&bench.file("own.pem", own.both()), |_| {})
        .unwrap();
    assert!(installed.report.is_self_signed);
    let known = Pieces::certificates(&bench.places.authority()).unwrap();
    assert_eq!(known[0].der().as_ref(), own.der);
}

#[test]
fn an_encrypted_key_stays_encrypted_and_is_served_with_its_passphrase() {
    let bench = Bench::new();
    let root = root("Site Root");
    let server = root.server(&["epr.site"]);
    let text = encrypted(&server.key, "open sesame");
    let pair = bench.file("server.pem", text.clone() + &server.pem() + &root.pem());
    let passphrase = bench.file("passphrase", "open sesame\r\n");
    bench
        .install(&pair, |it| it.passphrase = Some(passphrase.clone()))
        .unwrap();
    assert_eq!(fs::read_to_string(&bench.places.key).unwrap(), text);
    let error = served(&bench).unwrap_err();
    assert_eq!(error.kind(), "no-passphrase");
    let with_passphrase = ServedTls::load(TlsFiles {
        key_passphrase: Some(passphrase),
        ..served_files(&bench)
    });
    assert!(with_passphrase.is_ok());
}

pub fn served_files(bench: &Bench) -> TlsFiles {
    TlsFiles {
        certificate: bench.places.certificate.clone(),
        key: bench.places.key.clone(),
        key_passphrase: None,
        min_version: MinVersion::Tls12,
        client_ca: None,
    }
}

#[test]
fn a_key_of_rsa_that_is_asked_for_is_not_another_kind_that_waits() {
    let bench = Bench::with_one_installed();
    let asked = tls::ask(&bench.places, &names(&["epr.site"]), NewKey::Ecdsa).unwrap();
    let [key, request] = [&asked.key, &asked.request].map(|path| fs::read(path).unwrap());
    let error = tls::ask(&bench.places, &names(&["epr.other"]), NewKey::Rsa).unwrap_err();
    assert!(error.to_string().contains("is no key of RSA"), "{error}");
    assert_eq!(fs::read(&asked.key).unwrap(), key);
    assert_eq!(fs::read(&asked.request).unwrap(), request);
}

#[test]
fn a_request_is_answered_by_its_certificate_and_the_old_pair_is_in_force_until_then() {
    let bench = Bench::with_one_installed();
    let before = fs::read(&bench.places.key).unwrap();
    for kind in [NewKey::Ecdsa, NewKey::Rsa] {
        let asked = tls::ask(&bench.places, &names(&["epr.site", "10.0.0.1"]), kind).unwrap();
        assert!(asked.is_new_key);
        assert_eq!(mode(&asked.key), 0o600);
        assert_eq!(fs::read(&bench.places.key).unwrap(), before);
        assert!(served(&bench).is_ok());

        // Asked once more, the same key asks: whichever certificate comes back fits.
        let key = fs::read(&asked.key).unwrap();
        let again = tls::ask(&bench.places, &names(&["epr.site"]), kind).unwrap();
        assert!(!again.is_new_key);
        assert_eq!(fs::read(&asked.key).unwrap(), key);
        let request = fs::read_to_string(&asked.request).unwrap();
        assert!(
            request.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"),
            "{request}"
        );
        fs::remove_file(&asked.key).unwrap();
    }

    let asked = tls::ask(&bench.places, &names(&["epr.site"]), NewKey::Ecdsa).unwrap();
    // Another certificate may be installed meanwhile: what was asked for is not forgotten.
    let other = root("Other Root");
    let meanwhile = bench.file(
        "meanwhile.pem",
        other.server(&["epr.site"]).both() + &other.pem(),
    );
    bench.install(&meanwhile, |_| {}).unwrap();
    assert!(asked.key.exists() && asked.request.exists());

    let Pieces { mut keys, .. } = Pieces::read(&asked.key).unwrap();
    let airlock::crypto::tls::KeyText::Plain(der) = keys.remove(0) else {
        panic!("it is not encrypted");
    };
    let key = KeyPair::try_from(der.secret_der()).unwrap();
    let root = root("Site Root");
    let issued = root.certify(server(&["epr.site"]), key);
    let answer = bench.file("answer.pem", issued.pem() + &root.pem());
    bench.install(&answer, |_| {}).unwrap();
    assert_ne!(fs::read(&bench.places.key).unwrap(), before);
    assert!(!asked.key.exists() && !asked.request.exists());
    assert_eq!(
        served(&bench).unwrap().report(Timestamp::now()).names,
        ["epr.site"]
    );
}

#[test]
fn an_authority_of_ones_own_issues_again_and_keeps_its_root() {
    let bench = Bench::new();
    let now = Timestamp::now();
    let first = tls::init(&bench.places, &names(&["epr.site", "::1"]), now).unwrap();
    let root = fs::read(first.ca.as_ref().unwrap()).unwrap();
    assert_eq!(first.report.names, ["epr.site", "::1"]);
    assert!(
        (800..=826).contains(&first.report.days_left),
        "{}",
        first.report.days_left
    );
    assert_eq!(mode(&bench.places.authority_key()), 0o600);

    let second = tls::init(&bench.places, &names(&["epr2.site"]), now).unwrap();
    assert_eq!(second.report.names, ["epr2.site"]);
    assert_ne!(second.report.sha256, first.report.sha256);
    assert_eq!(fs::read(second.ca.unwrap()).unwrap(), root);
    assert!(served(&bench).is_ok());
}

#[test]
fn an_authority_of_ones_own_does_not_take_the_place_of_another() {
    let bench = Bench::with_one_installed();
    let before = bench.installed();
    let error = tls::init(&bench.places, &names(&["epr.site"]), Timestamp::now()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("tls/certificate.pem is there already"),
        "{error}"
    );
    assert!(bench.installed() == before);
}

#[test]
fn what_expired_is_served_and_its_days_are_counted() {
    let bench = Bench::new();
    let root = root("Site Root");
    let server = root.issue(crate::certificates::in_years(
        server(&["epr.site"]),
        2001,
        2002,
    ));
    fs::create_dir(bench.places.key.parent().unwrap()).unwrap();
    fs::write(&bench.places.certificate, server.pem()).unwrap();
    fs::write(&bench.places.key, server.key_pem()).unwrap();
    let served = served(&bench).unwrap();
    let day = |text: &str| text.parse::<Timestamp>().unwrap();
    for (now, left) in [
        ("2001-12-30T00:00:00Z", 2),
        ("2001-12-31T12:00:00Z", 0),
        ("2002-01-01T00:00:01Z", -1),
        ("2002-01-03T00:00:00Z", -2),
    ] {
        assert_eq!(served.report(day(now)).days_left, left, "{now}");
    }
}
