//! The pages of one section, as tabs.

use super::frame::Frame;

/// A page of a section.
pub(super) struct Tab {
    pub(super) name: &'static str,
    pub(super) href: String,
    pub(super) is_here: bool,
}

/// Those that know a Kibana.
const KIBANAS: [(&str, &str); 4] = [
    ("Seen", "/kibanas"),
    ("Connect", "/kibanas/connect"),
    ("Preflight", "/kibanas/preflight"),
    ("Installed", "/kibanas/installed"),
];

/// Those of the appliance.
const SYSTEM: [(&str, &str); 7] = [
    ("Storage", "/system"),
    ("Keys", "/system/keys"),
    ("TLS", "/system/tls"),
    ("People & tokens", "/system/people"),
    ("Audit", "/system/audit"),
    ("Settings", "/system/settings"),
    ("Support", "/system/support"),
];

/// Those of what comes in.
const TRANSFER: [(&str, &str); 2] = [
    ("Import", "/transfer"),
    ("Quarantine", "/transfer/quarantine"),
];

/// Returns the tabs of the section Kibanas, of which the page at `here` is shown.
pub(super) fn kibanas(frame: &Frame, here: &str) -> Vec<Tab> {
    tabs(frame, &KIBANAS, here)
}

/// Returns the tabs of the section System.
pub(super) fn system(frame: &Frame, here: &str) -> Vec<Tab> {
    tabs(frame, &SYSTEM, here)
}

/// Returns the tabs of the section Transfer.
pub(super) fn transfer(frame: &Frame, here: &str) -> Vec<Tab> {
    tabs(frame, &TRANSFER, here)
}

fn tabs(frame: &Frame, all: &[(&'static str, &'static str)], here: &str) -> Vec<Tab> {
    let tab = |(name, path): &(&'static str, &'static str)| Tab {
        name,
        href: frame.to(path),
        is_here: *path == here,
    };
    all.iter().map(tab).collect()
}
