//! What Kibanas fetched: each package, by which Kibana, in which version, and when last.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::fetched::{self, FetchReport};
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, grouped};
use crate::store::fetches::KEEP_FETCHED_DAYS;

/// Rows that are listed; the rest is counted. Some hundreds of packages, each for some Kibanas.
const MOST_ROWS: usize = 2_000;

#[derive(Template)]
#[template(path = "installed.html")]
struct InstalledPage {
    frame: Frame,
    tabs: Vec<Tab>,
    packages: String,
    kibanas: String,
    days: u16,
    rows: Vec<Row>,
    more: Option<String>,
}

/// What one Kibana fetched of a package from one distribution.
struct Row {
    package: String,
    kibana: String,
    distribution: String,
    version: String,
    last_day: String,
    older: Vec<String>,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::Kibanas, installed).await
}

fn installed(asked: Asked) -> Result<InstalledPage, OperationError> {
    let fetched = fetched::list(asked.store(), asked.frame.now)?;
    let count = |of: fn(&FetchReport) -> &String| {
        let mut all: Vec<_> = fetched.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all.len() as u64
    };
    let packages = counted(count(|it| &it.package), "package", "packages");
    let kibanas = count(|it| &it.kibana);
    let mut rows = rows(&fetched);
    let more = rows.len().saturating_sub(MOST_ROWS) as u64;
    rows.truncate(MOST_ROWS);
    Ok(InstalledPage {
        tabs: tabs::kibanas(&asked.frame, "/kibanas/installed"),
        packages,
        kibanas: counted(kibanas, "version of Kibana", "versions of Kibana"),
        days: KEEP_FETCHED_DAYS,
        rows,
        more: (more > 0).then(|| grouped(more)),
        frame: asked.frame.titled("Installed"),
    })
}

/// Puts what is known of a package for one Kibana in a row: the version that was fetched last, and those before.
fn rows(fetched: &[FetchReport]) -> Vec<Row> {
    let mut rows: BTreeMap<(&str, &str, &str), Vec<&FetchReport>> = BTreeMap::new();
    for fetch in fetched {
        let key = (
            fetch.package.as_str(),
            fetch.kibana.as_str(),
            fetch.distribution.as_str(),
        );
        rows.entry(key).or_default().push(fetch);
    }
    let row =
        |((package, kibana, distribution), mut of): ((&str, &str, &str), Vec<&FetchReport>)| {
            // They come oldest version first; of two of the same day the newer one is what was installed.
            of.sort_by(|a, b| a.last_day.cmp(&b.last_day));
            let last = of.pop()?;
            Some(Row {
                package: package.to_owned(),
                kibana: kibana.to_owned(),
                distribution: distribution.to_owned(),
                version: last.version.clone(),
                last_day: last.last_day.clone(),
                older: of.iter().rev().map(|it| it.version.clone()).collect(),
            })
        };
    rows.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_that_was_fetched_last_is_the_one_that_is_installed() {
        let fetch = |version: &str, kibana: &str, day: &str| FetchReport {
            package: "nginx".to_owned(),
            version: version.to_owned(),
            distribution: "default".to_owned(),
            kibana: kibana.to_owned(),
            last_day: day.to_owned(),
        };
        let fetched = [
            fetch("1.0.0", "9.2.0", "2026-11-20"),
            fetch("1.2.0", "9.2.0", "2026-11-21"),
            fetch("1.10.0", "9.2.0", "2026-11-21"),
            fetch("1.0.0", "", "2026-11-01"),
        ];
        let rows = rows(&fetched);
        let shown: Vec<_> = rows
            .iter()
            .map(|it| (it.kibana.as_str(), it.version.as_str(), it.older.join(" ")))
            .collect();
        let expected = [
            ("", "1.0.0", String::new()),
            ("9.2.0", "1.10.0", "1.2.0 1.0.0".to_owned()),
        ];
        assert_eq!(shown, expected);
    }
}
