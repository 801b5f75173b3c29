//! The version matrix: versions of a package down, Kibanas across, filled where a Kibana is offered the version.
//!
//! Kibanas that are offered the same stand in one column.

use std::fmt::Write;
use std::sync::Arc;

use semver::Version;

use super::lens;
use crate::limits::Limits;
use crate::package::{Categories, Facts, Offer, SearchQuery};

/// The last minor version of each major one that has ended, and the first that asked a registry (contract, Kibana's requests).
const ENDED: [(u64, u64, u64); 2] = [(7, 9, 17), (8, 0, 19)];
/// Minor versions of the present major one that are shown where no later one was seen.
const PRESENT: (u64, u64) = (9, 4);
/// A patch that stands for the last one.
const LAST_PATCH: u64 = 99;
/// Versions that are drawn.
pub(super) const DRAWN: usize = 30;

/// Pixels of a row and a column.
const STEP: usize = 20;
const LEFT: usize = 110;
const TOP: usize = 64;

/// The matrix of one package.
pub(super) struct Matrix {
    /// Its drawing, SVG.
    pub(super) svg: String,
    /// The same in words: which Kibanas get which version.
    pub(super) lines: Vec<(String, String)>,
}

/// Kibanas that are offered the same.
struct Column {
    first: Version,
    last: Version,
    /// For each version whether it meets the Kibana's conditions.
    fits: Vec<bool>,
    /// The place of the version that is answered with.
    answered: Option<usize>,
}

/// Returns the matrix of versions, the newest first, with those of `seen` among the Kibanas.
pub(super) fn of(versions: &[Arc<Facts>], seen: &[String], limits: &Limits) -> Option<Matrix> {
    let offer = Offer::new(versions.iter().rev().cloned());
    let categories = Categories::built_in();
    let mut columns: Vec<Column> = Vec::new();
    for kibana in kibanas(seen) {
        let query = SearchQuery::parse(&lens::query_of(&kibana), limits).ok()?;
        let answered = query
            .select(&offer, &categories)
            .first()
            .map(|it| it.position);
        let fits = |facts: &Arc<Facts>| facts.kibana.as_ref().is_none_or(|it| it.admits(&kibana));
        let column = Column {
            fits: versions.iter().map(fits).collect(),
            // The offer counts from the oldest.
            answered: answered.and_then(|it| versions.len().checked_sub(it + 1)),
            first: kibana.clone(),
            last: kibana,
        };
        match columns.last_mut() {
            Some(last) if last.fits == column.fits && last.answered == column.answered => {
                last.last = column.last;
            }
            _ => columns.push(column),
        }
    }
    let name = |place: usize| versions.get(place).map(|it| it.id.version.to_string());
    let lines = columns.iter().map(|column| {
        let answered = column.answered.and_then(name);
        (
            column.label(),
            answered.unwrap_or_else(|| "none".to_owned()),
        )
    });
    Some(Matrix {
        lines: lines.collect(),
        svg: draw(versions, &columns),
    })
}

/// Returns the minor versions that are looked at, oldest first.
fn kibanas(seen: &[String]) -> Vec<Version> {
    let newest = seen
        .iter()
        .filter_map(|it| Version::parse(it).ok())
        .map(|it| (it.major, it.minor))
        .filter(|it| *it > PRESENT && it.0 < PRESENT.0 + 2 && it.1 < 40)
        .max();
    let mut kibanas = Vec::new();
    for (major, first, last) in ENDED {
        kibanas.extend((first..=last).map(|minor| Version::new(major, minor, LAST_PATCH)));
    }
    let present = newest.filter(|it| it.0 == PRESENT.0).unwrap_or(PRESENT);
    kibanas.extend((0..=present.1).map(|minor| Version::new(present.0, minor, LAST_PATCH)));
    if let Some((major, last)) = newest.filter(|it| it.0 > PRESENT.0) {
        kibanas.extend((0..=last).map(|minor| Version::new(major, minor, LAST_PATCH)));
    }
    kibanas
}

impl Column {
    fn label(&self) -> String {
        let short = |it: &Version| format!("{}.{}", it.major, it.minor);
        match self.first == self.last {
            true => short(&self.first),
            false => format!("{} to {}", short(&self.first), short(&self.last)),
        }
    }
}

fn draw(versions: &[Arc<Facts>], columns: &[Column]) -> String {
    let rows = versions.len().min(DRAWN);
    let (width, height) = (LEFT + columns.len() * STEP + 40, TOP + rows * STEP + 4);
    let mut svg = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"matrix-title matrix-desc\"><title id=\"matrix-title\">Which Kibana is offered which version</title><desc id=\"matrix-desc\">The table below says the same in words.</desc>"
    );
    // Writing to a string does not fail.
    for (index, column) in columns.iter().enumerate() {
        let x = LEFT + index * STEP + 6;
        let _ = write!(
            svg,
            "<text transform=\"translate({} {}) rotate(-45)\" class=\"q\">{}</text>",
            x + 4,
            TOP - 8,
            column.label()
        );
    }
    for (row, facts) in versions.iter().take(rows).enumerate() {
        let y = TOP + row * STEP;
        let version = facts.id.version.to_string();
        let _ = write!(svg, "<text x=\"0\" y=\"{}\">{version}</text>", y + 12);
        let _ = write!(
            svg,
            "<path class=\"l\" d=\"M{LEFT} {b}H{r}\"/>",
            b = y + STEP - 2,
            r = LEFT + columns.len() * STEP
        );
        for (index, column) in columns.iter().enumerate() {
            let (x, y) = (LEFT + index * STEP + 8, y + 8);
            let label = column.label();
            let _ = if column.answered == Some(row) {
                write!(
                    svg,
                    "<circle class=\"a\" cx=\"{x}\" cy=\"{y}\" r=\"5\"><title>Kibana {label} is offered {version}</title></circle>"
                )
            } else if column.fits.get(row).copied().unwrap_or_default() {
                write!(
                    svg,
                    "<circle class=\"t\" cx=\"{x}\" cy=\"{y}\" r=\"4\"><title>Kibana {label} could have {version}, and is offered another</title></circle>"
                )
            } else {
                Ok(())
            };
        }
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{Constraint, PackageId};

    fn facts(version: &str, kibana: &str) -> Arc<Facts> {
        Arc::new(Facts {
            id: PackageId::parse("nginx", version).unwrap(),
            package_type: "integration".to_owned(),
            is_experimental: false,
            kibana: Some(Constraint::parse(kibana, &Limits::default()).unwrap()),
            agent: None,
            spec: None,
            capabilities: None,
            categories: Vec::new(),
            policy_templates: Vec::new(),
            discovery_fields: Vec::new(),
            discovery_datasets: Vec::new(),
            is_deprecated: false,
        })
    }

    #[test]
    fn kibanas_that_are_offered_the_same_stand_together() {
        let versions = [
            facts("2.0.0", "^9.0.0"),
            facts("1.5.0", "^8.3.0"),
            facts("1.4.0", "^8.0.0"),
        ];
        let matrix = of(&versions, &["9.6.0".to_owned()], &Limits::default()).unwrap();
        let said: Vec<_> = matrix
            .lines
            .iter()
            .map(|(a, b)| format!("{a}: {b}"))
            .collect();
        assert_eq!(
            said,
            [
                "7.9 to 7.17: none",
                "8.0 to 8.2: 1.4.0",
                "8.3 to 8.19: 1.5.0",
                "9.0 to 9.6: 2.0.0"
            ]
        );
        assert_eq!(matrix.svg.matches("class=\"a\"").count(), 3);
        assert_eq!(matrix.svg.matches("<circle class=\"t\"").count(), 1);
    }

    #[test]
    fn a_kibana_that_calls_itself_what_it_likes_makes_no_column() {
        let versions = [facts("1.0.0", "^8.0.0")];
        let odd = ["999.0.0", "9.4000000000.0", "<script>"].map(str::to_owned);
        let matrix = of(&versions, &odd, &Limits::default()).unwrap();
        assert_eq!(matrix.lines.last().unwrap().0, "9.0 to 9.4");
    }
}
