//! Every row of the recorded table of version constraints: what Masterminds/semver v3.5.0 says of each.

use std::path::PathBuf;

use airlock::limits::Limits;
use airlock::package::{Constraint, parse_loose_version};

/// The table that `AIRLOCK_SEMVER_TABLE` names, else the one beside the other shared data.
fn table() -> PathBuf {
    if let Some(path) = std::env::var_os("AIRLOCK_SEMVER_TABLE") {
        return path.into();
    }
    let shared = std::env::var_os("AIRLOCK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    shared.join("conformance/semver.tsv")
}

fn verdict(constraint: &str, version: &str) -> &'static str {
    let Ok(constraint) = Constraint::parse(constraint, &Limits::default()) else {
        return "invalid constraint";
    };
    match parse_loose_version(version) {
        Ok(version) if constraint.admits(&version) => "true",
        Ok(_) => "false",
        Err(_) => "invalid version",
    }
}

#[test]
fn semver_table() {
    let path = table();
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("left out: no table at {}", path.display());
        return;
    };
    let mut rows = 0;
    let mut wrong = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [constraint, version, expected] = fields[..] else {
            panic!("row {} is not three fields: {line:?}", rows + 1);
        };
        rows += 1;
        let found = verdict(constraint, version);
        if found != expected {
            wrong.push(format!(
                "{constraint:?} {version:?}: {found}, not {expected}"
            ));
        }
    }
    println!("{rows} rows checked");
    assert!(rows > 0, "{} holds no rows", path.display());
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
