//! A certificate that changes while it is served: no request fails, and what cannot be used changes nothing.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::certificates::root;
use crate::clients::{Client, Known};
use crate::handshakes::Site;
use crate::shared::long;

#[test]
fn a_new_certificate_is_shown_to_newcomers_and_disturbs_nobody() {
    let site = Site::new(long());
    let mut before = site.client();
    before.get("/").unwrap();

    let other = root("Other Root");
    let server = other.server(&["epr.site"]);
    let pair = site.bench.file("next.pem", server.both() + &other.pem());
    let stamp = site.served.stamp();
    site.bench.install(&pair, |_| {}).unwrap();
    assert_ne!(site.served.stamp(), stamp);
    assert_ne!(site.client().shown(), server.der);
    site.served.reload().unwrap();

    assert!(before.get("/").unwrap().ends_with("hello\n"));
    assert!(Client::connect(site.server.address, &site.known).is_err());
    let newcomer = Client::connect(site.server.address, &Known::root(&other)).unwrap();
    assert_eq!(newcomer.shown(), server.der);
    site.server.stop();
}

#[test]
fn requests_go_on_while_the_certificate_changes_again_and_again() {
    let site = Site::new(long());
    let root = root("Next Root");
    let address = site.server.address;
    let is_over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let is_over = Arc::clone(&is_over);
            let known = [site.known.clone(), Known::root(&root)];
            thread::spawn(move || {
                let mut answered = 0;
                while !is_over.load(Ordering::Relaxed) {
                    // Whichever of the two is in force, one of the clients believes it.
                    let mut client = known
                        .iter()
                        .find_map(|it| Client::connect(address, it).ok());
                    let Some(client) = &mut client else {
                        continue;
                    };
                    for _ in 0..=number {
                        assert!(client.get("/").unwrap().ends_with("hello\n"));
                        answered += 1;
                    }
                }
                answered
            })
        })
        .collect();
    let first = fs::read(&site.bench.places.certificate).unwrap();
    let key = fs::read(&site.bench.places.key).unwrap();
    let pair = site
        .bench
        .file("next.pem", root.server(&["epr.site"]).both() + &root.pem());
    for _ in 0..30 {
        site.bench.install(&pair, |_| {}).unwrap();
        site.served.reload().unwrap();
        fs::write(&site.bench.places.certificate, &first).unwrap();
        // Half of a pair is refused, and what was in force goes on.
        assert_eq!(site.served.reload().unwrap_err().kind(), "no-pair");
        fs::write(&site.bench.places.key, &key).unwrap();
        site.served.reload().unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.join().unwrap() > 0);
    }
    site.server.stop();
}

#[test]
fn what_cannot_be_used_changes_nothing() {
    let site = Site::new(long());
    let shown = site.client().shown();
    let other = root("Other Root").server(&["epr.site"]);
    for (certificate, key) in [
        (Some("junk".to_owned()), None),
        (Some(String::new()), None),
        (Some(other.pem()), None),
        (None, Some(other.key_pem())),
        (
            None,
            Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned()),
        ),
    ] {
        let places = &site.bench.places;
        let before = (
            fs::read(&places.certificate).unwrap(),
            fs::read(&places.key).unwrap(),
        );
        if let Some(certificate) = certificate {
            fs::write(&places.certificate, certificate).unwrap();
        }
        if let Some(key) = key {
            fs::write(&places.key, key).unwrap();
        }
        assert!(site.served.reload().is_err());
        assert_eq!(site.client().shown(), shown);
        fs::write(&places.certificate, before.0).unwrap();
        fs::write(&places.key, before.1).unwrap();
    }
    fs::remove_file(&site.bench.places.key).unwrap();
    assert!(site.served.reload().is_err());
    assert_eq!(site.client().shown(), shown);
    site.server.stop();
}
