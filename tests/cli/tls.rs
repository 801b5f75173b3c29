//! `airlock tls`: what it says, and what a running server makes of it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::server::Server;
use crate::{Site, text};

impl Site {
    /// A command with settings that name a certificate.
    fn with_certificate(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command
            .env("AIRLOCK_TLS_CERTIFICATE", self.path("tls/certificate.pem"))
            .env("AIRLOCK_TLS_KEY", self.path("tls/key.pem"));
        command
    }

    /// What such a command said, without what differs each time.
    fn said_with_certificate(&self, args: &[&str]) -> String {
        let said = self.shown(&self.with_certificate(args).output().unwrap());
        let differs = |line: &str| {
            ["  holds ", "  sha256 ", "  root "]
                .iter()
                .any(|begin| line.starts_with(begin))
        };
        let lines: Vec<_> = said.lines().filter(|line| !differs(line)).collect();
        lines.join("\n")
    }
}

#[test]
fn a_certificate_is_made_and_shown_and_a_running_server_takes_up_the_next() {
    let site = Site::new();
    assert_snapshot!(site.said_with_certificate(&["tls", "init", "--name", "epr.site", "--ip", "::1"]), @r"
    exit 0
    Installed [SITE]/tls/certificate.pem
      names     epr.site, ::1
      subject   CN=epr.site
      issuer    CN=airlock authority of epr.site
      key       ECDSA P-256
    Kibana has to know its root. Copy [SITE]/tls/ca.pem to each Kibana, and start Kibana with
      NODE_EXTRA_CA_CERTS=/etc/kibana/airlock-ca.pem
    `airlock kibana-config --ca [SITE]/tls/ca.pem` prints the lines.
    No server runs here now; it will be served by the next.
    ");
    let mut command = site.with_certificate(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains(" tls=true "), "{line}");
    let address = line
        .split("address=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let server = Server {
        address: address.parse().unwrap(),
        child,
    };
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));

    let asked = |scheme: &str| {
        let url = format!("{scheme}://{}", server.address);
        site.said_with_certificate(&["healthcheck", "--url", &url])
    };
    assert!(asked("https").starts_with("exit 0\nhealthy: https://"));
    assert!(asked("http").ends_with(": it answers 400"));

    let renewed = site.said_with_certificate(&["tls", "init", "--name", "epr.site"]);
    assert!(
        renewed.ends_with("\nThe running server serves it."),
        "{renewed}"
    );
    assert_snapshot!(site.said_with_certificate(&["tls", "show"]), @r"
    exit 0
    [SITE]/tls/certificate.pem
      names     epr.site
      subject   CN=epr.site
      issuer    CN=airlock authority of epr.site
      key       ECDSA P-256
    ");

    // What it cannot use it says, and goes on with what it has.
    std::fs::write(site.path("tls/key.pem"), "junk").unwrap();
    let shown = site.said_with_certificate(&["tls", "show"]);
    assert!(!shown.contains("serves another"), "{shown}");
    assert!(server.stop());
    let failed = site.said_with_certificate(&["serve", "--listen", "127.0.0.1:0"]);
    assert_snapshot!(failed, @r"
    exit 1
    Error: [SITE]/tls/key.pem holds no key
    Hint: `airlock tls install` takes PEM and DER; `openssl x509 -in FILE -noout -text` says what OpenSSL makes of it
    ");
}

#[test]
fn what_is_not_installed_is_told_with_what_to_do() {
    let site = Site::new();
    assert_snapshot!(site.run(&["tls", "show"]), @r"
    exit 1
    Error: cannot read [SITE]/data/tls/certificate.pem
    Caused by: No such file or directory (os error 2)
    Hint: `airlock tls csr` asks the site's authority for a certificate, `airlock tls init` makes one
    ");
    let junk = site.source("junk", "a letter");
    assert_snapshot!(site.run(&["tls", "install", &junk]), @r"
    exit 1
    Error: [SITE]/junk holds no certificate
    Hint: `airlock tls install` takes PEM and DER; `openssl x509 -in FILE -noout -text` says what OpenSSL makes of it
    ");
    site.run(&["tls", "init", "--name", "epr.site"]);
    let own = text(&site.path("data/tls/certificate.pem")).to_owned();
    assert_snapshot!(site.run(&["tls", "install", &own, "--ca", &own]), @r"
    exit 1
    Error: the chain is incomplete: the certificate of CN=airlock authority of epr.site, which issued that of CN=epr.site, is missing
    Hint: name the file with the certificates of its issuers with --chain, or the root's with --ca where there are none between
    ");
    assert_snapshot!(site.run(&["tls", "csr", "--name", "https://epr.site"]), @r#"
    exit 1
    error: invalid value 'https://epr.site' for '--name <HOST>': "https://epr.site" is no host name; it is letters, digits and hyphens between dots

    For more information, try '--help'.
    "#);
    assert_snapshot!(site.run(&["tls", "csr", "--name", "epr.site", "--ip", "10.0.0.1"]), @r"
    exit 0
    New key   [SITE]/data/tls/request.key
    Request   [SITE]/data/tls/request.csr, for epr.site, 10.0.0.1
    Give the request to your authority: it is to issue a certificate for a server, with these names. Then:
      airlock tls install CERT --chain FILE --ca FILE
    ");
    let key = site.path("data/tls/request.key");
    let request = text(&site.path("data/tls/request.csr")).to_owned();
    assert!(key.exists());
    assert_snapshot!(site.run(&["tls", "install", &request]), @r"
    exit 1
    Error: [SITE]/data/tls/request.csr is a request for a certificate
    Hint: give it to your authority; `airlock tls install` takes the certificate that comes back
    ");
}
