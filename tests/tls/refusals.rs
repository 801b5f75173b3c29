//! What is not installed, each with its reason; and what was installed stays.

use std::path::{Path, PathBuf};

use airlock::admin::OperationError;
use airlock::admin::tls::{self, Installed};
use airlock::crypto::tls::{Install, Places};
use jiff::Timestamp;
use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};

use crate::certificates::{Made, authority, in_years, named, root, server};

/// A folder with something installed, and files to install over it.
pub struct Bench {
    folder: tempfile::TempDir,
    pub places: Places,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::in_folder(&folder.path().join("tls"));
        Self { folder, places }
    }

    /// A bench where a certificate is in force.
    pub fn with_one_installed() -> Self {
        let bench = Self::new();
        let old = root("Old Root");
        let pair = bench.file("old.pem", &(old.server(&["old.site"]).both() + &old.pem()));
        bench.install(&pair, |_| {}).unwrap();
        bench
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn install(
        &self,
        certificate: &Path,
        with: impl FnOnce(&mut Install),
    ) -> Result<Installed, OperationError> {
        let mut given = Install {
            certificate: certificate.to_owned(),
            ..Install::default()
        };
        with(&mut given);
        tls::install(&self.places, &given, Timestamp::now())
    }

    /// Returns why this is refused, with its causes, and sees to it that nothing was changed.
    fn refusal(&self, certificate: &Path, with: impl FnOnce(&mut Install)) -> String {
        let before = self.installed();
        assert!(before.len() >= 2);
        let error = self.install(certificate, with).unwrap_err();
        assert!(self.installed() == before, "{error}");
        let error: &dyn std::error::Error = &error;
        let chain: Vec<_> = std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
        let folder = self.folder.path().to_str().unwrap();
        chain.join(": ").replace(folder, "[FOLDER]")
    }

    /// Every file of the folder, with its bytes.
    pub fn installed(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = self.places.key.parent().unwrap();
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

impl Made {
    /// Certificate and key in one file.
    pub fn both(&self) -> String {
        self.key_pem() + &self.pem()
    }
}

/// A root, what it issued, and a server's certificate by that.
fn three() -> (Made, Made, Made) {
    let root = root("Site Root");
    let between = root.intermediate("Site Issuing CA 2");
    let server = between.server(&["epr.site"]);
    (root, between, server)
}

#[test]
fn a_chain_without_its_intermediate_is_refused_and_the_issuer_is_named() {
    let bench = Bench::with_one_installed();
    let (root, between, server) = three();
    let pair = bench.file("server.pem", server.both());
    let ca = bench.file("root.pem", root.pem());
    let expected = "the chain is incomplete: the certificate of CN=Site Issuing CA 2, which issued that of CN=epr.site, is \
                    missing";
    assert_eq!(bench.refusal(&pair, |_| {}), expected);
    assert_eq!(
        bench.refusal(&pair, |it| it.authority = Some(ca.clone())),
        expected
    );
    // A certificate that has nothing to do with it closes no gap.
    let other = bench.file(
        "other.pem",
        self::root("Elsewhere")
            .intermediate("Site Issuing CA 2")
            .pem(),
    );
    assert_eq!(bench.refusal(&pair, |it| it.chain = vec![other]), expected);

    let chain = bench.file("between.pem", between.pem());
    let installed = bench.install(&pair, |it| it.chain = vec![chain]).unwrap();
    assert_eq!(installed.report.chain.len(), 1);
    assert_eq!(installed.report.root, None);
}

#[test]
fn a_gap_further_up_is_refused_where_the_root_is_given() {
    let bench = Bench::with_one_installed();
    let (root, between, _) = three();
    let lower = between.intermediate("Site Issuing CA 3");
    let pair = bench.file(
        "server.pem",
        lower.server(&["epr.site"]).both() + &lower.pem(),
    );
    let ca = bench.file("root.pem", root.pem());
    let told = bench.refusal(&pair, |it| it.authority = Some(ca));
    assert_eq!(
        told,
        "the chain ends at CN=Site Issuing CA 2, which is not the root that was given"
    );
}

#[test]
fn another_root_than_the_one_that_was_given_is_refused() {
    let bench = Bench::with_one_installed();
    let (root, between, server) = three();
    let pair = bench.file("server.pem", server.both() + &between.pem() + &root.pem());
    let ca = bench.file("root.pem", self::root("Site Root").pem());
    let told = bench.refusal(&pair, |it| it.authority = Some(ca));
    assert_eq!(
        told,
        "the chain ends at CN=Site Root, which is not the root that was given"
    );
}

#[test]
fn an_issuer_that_is_no_authority_is_refused() {
    let bench = Bench::with_one_installed();
    let (root, between, server) = three();
    let below = server.server(&["evil.site"]);
    let pair = bench.file(
        "server.pem",
        below.both() + &server.pem() + &between.pem() + &root.pem(),
    );
    let told = bench.refusal(&pair, |_| {});
    assert_eq!(
        told,
        "the certificate of CN=epr.site issued another and is not that of an authority"
    );
}

#[test]
fn names_dates_and_use_have_to_be_a_servers() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let mut signs_nothing = server(&["epr.site"]);
    signs_nothing.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    let mut is_a_clients = server(&["epr.site"]);
    is_a_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (parameters, expected) in [
        (
            named("epr.site"),
            "the certificate of CN=epr.site names no host in its subject alternative names, and Node ignores the common name",
        ),
        (
            in_years(server(&["epr.site"]), 2001, 2002),
            "the certificate of CN=epr.site expired at 2002-01-01T00:00:00Z",
        ),
        (
            in_years(server(&["epr.site"]), 2080, 2081),
            "the certificate of CN=epr.site holds from 2080-01-01T00:00:00Z only",
        ),
        (
            signs_nothing,
            "the key of CN=epr.site may not sign: its key usage lacks digitalSignature",
        ),
        (
            is_a_clients,
            "the certificate of CN=epr.site is not for servers: its extended key usage lacks serverAuth",
        ),
    ] {
        let pair = bench.file("server.pem", root.issue(parameters).both() + &root.pem());
        assert_eq!(bench.refusal(&pair, |_| {}), expected);
    }
}

#[test]
fn an_authority_that_has_expired_is_refused_by_its_name() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let between = root.issue(in_years(authority("Site Issuing CA 2"), 2001, 2002));
    let server = between.server(&["epr.site"]);
    let pair = bench.file("server.pem", server.both() + &between.pem() + &root.pem());
    let told = bench.refusal(&pair, |_| {});
    assert_eq!(
        told,
        "the certificate of CN=Site Issuing CA 2 expired at 2002-01-01T00:00:00Z"
    );
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let certificate = bench.file("server.pem", root.server(&["epr.site"]).pem() + &root.pem());
    let key = bench.file("other.key", root.server(&["epr.site"]).key_pem());
    let expected = "no key that was found belongs to a certificate in [FOLDER]/server.pem";
    assert_eq!(
        bench.refusal(&certificate, |it| it.key = Some(key)),
        expected
    );
    // Nor does the one that is installed.
    assert_eq!(bench.refusal(&certificate, |_| {}), expected);
}

#[test]
fn junk_is_refused_and_other_formats_are_named() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let good = root.server(&["epr.site"]);
    let mut cut = good.pem();
    cut.truncate(cut.len() - 40);
    let broken = good.pem().replace("MI", "!!");
    let not_one = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    // As `openssl pkcs12 -export` begins.
    let mut pkcs12 = vec![
        0x30, 0x82, 0x06, 0x8b, 2, 1, 3, 0x30, 0x82, 0x06, 0x51, 6, 9, 0x2a, 0x86, 0x48, 0x86,
        0xf7, 0x0d, 1, 7, 1,
    ];
    pkcs12.resize(1679, 0);
    let pkcs7 = [
        &[
            0x30, 0x82, 0x02, 0x00, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2,
        ][..],
        &[0; 501],
    ]
    .concat();
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for (bytes, expected) in [
        (Vec::new(), "[FOLDER]/junk holds no certificate"),
        (vec![0x30; 4096], "[FOLDER]/junk holds no certificate"),
        (
            b"a letter from the authority".to_vec(),
            "[FOLDER]/junk holds no certificate",
        ),
        (
            cut.into_bytes(),
            "[FOLDER]/junk holds a CERTIFICATE that cannot be read",
        ),
        (
            broken.into_bytes(),
            "[FOLDER]/junk holds a CERTIFICATE that cannot be read",
        ),
        (
            not_one.into(),
            "[FOLDER]/junk holds a CERTIFICATE that cannot be read",
        ),
        (pkcs12, "[FOLDER]/junk is a PKCS#12 file"),
        (pkcs7, "[FOLDER]/junk is a PKCS#7 file"),
        (
            "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n".into(),
            "[FOLDER]/junk is a PKCS#7 file",
        ),
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n".into(),
            "[FOLDER]/junk is a request for a certificate",
        ),
        (
            old.into(),
            "[FOLDER]/junk holds a key that is encrypted in a way that is no longer safe",
        ),
        (
            vec![b'a'; (1 << 20) + 1],
            "[FOLDER]/junk has more than 1048576 bytes, as no certificate has",
        ),
        (
            good.pem().repeat(1001).into_bytes(),
            "[FOLDER]/junk holds more than 1000 certificates",
        ),
    ] {
        let junk = bench.file("junk", bytes);
        assert_eq!(bench.refusal(&junk, |_| {}), expected);
    }
    let nothing = bench.places.key.with_file_name("nothing");
    let told = bench.refusal(&nothing, |_| {});
    assert!(
        told.contains("cannot read ") && told.ends_with("No such file or directory (os error 2)"),
        "{told}"
    );
}

#[test]
fn no_byte_of_a_certificate_or_key_can_be_changed_into_a_panic() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let made = root.server(&["epr.site"]);
    let key = bench.file("server.key", made.key_pem());
    let before = bench.installed();
    for place in 0..made.der.len() {
        let mut bytes = made.der.clone();
        bytes[place] ^= 0x41;
        let changed = bench.file("changed.der", &bytes);
        let ca = bench.file("root.pem", root.pem());
        let outcome = bench.install(&changed, |it| {
            it.key = Some(key.clone());
            it.authority = Some(ca);
        });
        assert!(outcome.is_err(), "byte {place}");
    }
    assert!(bench.installed() == before);
}

#[test]
fn a_key_is_not_written_where_the_certificate_cannot_be() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let pair = bench.file(
        "server.pem",
        root.server(&["epr.site"]).both() + &root.pem(),
    );
    // A folder stands where the certificate is to be.
    std::fs::remove_file(&bench.places.certificate).unwrap();
    std::fs::create_dir_all(bench.places.certificate.join("inside")).unwrap();
    let before = std::fs::read(&bench.places.key).unwrap();
    assert!(bench.install(&pair, |_| {}).is_err());
    assert_eq!(std::fs::read(&bench.places.key).unwrap(), before);
}

#[test]
fn an_encrypted_key_needs_its_passphrase_and_no_other() {
    let bench = Bench::with_one_installed();
    let root = root("Site Root");
    let server = root.server(&["epr.site"]);
    let encrypted = super::files::encrypted(&server.key, "open sesame");
    let pair = bench.file("server.pem", encrypted + &server.pem() + &root.pem());
    let wrong = bench.file("wrong", "open barley\n");
    let empty = bench.file("empty", "\n");
    for (passphrase, expected) in [
        (
            None,
            "the key in [FOLDER]/server.pem is encrypted, and no passphrase was given",
        ),
        (
            Some(wrong),
            "the passphrase does not open the key in [FOLDER]/server.pem",
        ),
        (Some(empty), "[FOLDER]/empty holds no passphrase"),
    ] {
        assert_eq!(
            bench.refusal(&pair, |it| it.passphrase = passphrase),
            expected
        );
    }
}
