//! Hostile sources, a line each: what is said of it, what of it stands, and that what was there is untouched.
//!
//! Every source goes into a store of its own that holds a release already.

mod bounds;
mod compression;
mod cuts;
mod manifests;
mod members;
mod names;
mod package_zips;
mod tars;
mod zips;

use std::collections::BTreeMap;

use airlock::import;
use airlock::limits::Limits;
use airlock::store::StoreError;
use rusqlite::types::Value;

use crate::archives::Tar;
use crate::trees::release;
use crate::{Ask, Place, with_causes};

/// A name, and what adds a fault to a tar.
type Fault = (&'static str, fn(Tar) -> Tar);

/// Imports each source, one after another; returns a line for each.
fn outcomes<'n>(sources: impl IntoIterator<Item = (&'n str, Vec<u8>)>) -> String {
    outcomes_within(&Limits::default(), sources)
}

fn outcomes_within<'n>(
    limits: &Limits,
    sources: impl IntoIterator<Item = (&'n str, Vec<u8>)>,
) -> String {
    let lines = sources
        .into_iter()
        .map(|(name, source)| format!("{name}: {}", outcome(source, limits)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Imports a source into a store that has a release; says what came of it, in brackets the rows that it left.
///
/// What is taken is committed into a branch. Asserts that no row of the release changed, that nothing is half there, and
/// that a refused source leaves nothing but contents and whole packages that the next import finds again.
fn outcome(source: Vec<u8>, limits: &Limits) -> String {
    let place = Place::within(limits.clone());
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let before = rows(&place);

    let said = match place.stage(source, &Ask::branch("hostile")) {
        Err(error) => with_causes(&error),
        Ok(staged) => {
            let plan = place.plan(staged.stage);
            place.commit(staged.stage).unwrap();
            let put_aside = plan
                .quarantined
                .iter()
                .map(|problem| format!("; {}: {}", problem.package, problem.why));
            format!(
                "takes {}{}",
                plan.added.join(", "),
                put_aside.collect::<String>()
            )
        }
    };

    let after = rows(&place);
    let mut left = BTreeMap::new();
    for (row, count) in &after {
        let more = count - before.get(row).unwrap_or(&0);
        if more > 0 {
            *left.entry(row.0).or_insert(0) += more;
        }
    }
    for (row, count) in &before {
        assert!(after.get(row) >= Some(count), "{said}: lost {row:?}");
    }
    for half in ["stage", "staged", "stream WHERE content IS NULL"] {
        assert_eq!(place.count(half), 0, "{said}: {half}");
    }
    if !said.starts_with("takes") {
        for offered in crate::OFFERED {
            assert_eq!(left.get(offered), None, "{said}: {offered}");
        }
    }
    let counts = ["artifact", "content", "quarantine"]
        .into_iter()
        .filter_map(|table| Some(format!("{} {table}", left.get(table)?)));
    match counts.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => said,
        counts => format!("{said} [{counts}]"),
    }
}

/// Every row of every table, and how often it is there.
fn rows(place: &Place) -> BTreeMap<(&'static str, Vec<String>), usize> {
    const TABLES: [&str; 19] = [
        "artifact",
        "branch",
        "change_set",
        "change_set_branch",
        "chunk",
        "content",
        "distribution",
        "distribution_branch",
        "document",
        "file",
        "member",
        "package_version",
        "path",
        "quarantine",
        "recipe",
        "source",
        "stage",
        "staged",
        "stream",
    ];
    let mut rows = BTreeMap::new();
    place
        .store
        .read(|conn| {
            for table in TABLES {
                let mut statement = conn.prepare(&format!("SELECT * FROM {table}"))?;
                let columns = statement.column_count();
                let mut found = statement.query([])?;
                while let Some(row) = found.next()? {
                    let cell = |at| row.get::<_, Value>(at).map(|value| format!("{value:?}"));
                    let cells = (0..columns).map(cell).collect::<Result<Vec<_>, _>>()?;
                    *rows.entry((table, cells)).or_insert(0) += 1;
                }
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    rows
}

#[test]
fn a_harness_that_sees_nothing_would_prove_nothing() {
    let place = Place::new();
    place.import(release("8.5.0").tar().bytes(), &Ask::default());
    let before = rows(&place);
    assert!(before.keys().any(|(table, _)| *table == "chunk"));
    let staged = place
        .stage(release("7.9.0").tar().bytes(), &Ask::default())
        .unwrap();
    assert_ne!(rows(&place), before);
    import::drop_stage(
        &place.store,
        &airlock::people::Actor::here("tester"),
        staged.stage,
    )
    .unwrap();
    assert_eq!(
        rows(&place),
        before,
        "it holds no package that 8.5.0 does not"
    );
}
