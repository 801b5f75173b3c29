//! What a Kibana would find before it is upgraded: what breaks first, then package by package.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::Form;
use super::frame::{Frame, Section};
use super::lens::query_of;
use super::tabs::{self, Tab};
use super::{Asked, problem, view};
use crate::admin::error::OperationError;
use crate::admin::preflight::{self, PackageOutlook, PreflightReport, PreflightRequest};
use crate::admin::routes::Operator;
use crate::admin::wording::{counted, grouped, listed};
use crate::distribution::Outlook;
use crate::package::{Installed, InstalledList};

#[derive(Template)]
#[template(path = "preflight.html")]
struct Preflight {
    frame: Frame,
    tabs: Vec<Tab>,
    used: bool,
    pasted: String,
    /// Why what was pasted cannot be read.
    problem: Option<String>,
    found: Option<Found>,
}

/// What was found.
struct Found {
    sentence: Sentence,
    needs: Vec<Need>,
    breaking: Vec<Line>,
    groups: Vec<Group>,
    missing_of_total: Option<String>,
}

struct Sentence {
    good: String,
    of: String,
    /// What is to be minded.
    besides: String,
}

struct Need {
    package: String,
    purpose: String,
    comes_with_kibana: bool,
}

/// The packages of which the same becomes.
struct Group {
    title: &'static str,
    icon: &'static str,
    count: String,
    is_open: bool,
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    package: String,
    installed: String,
    picked: String,
    notes: Vec<String>,
    breaking: Vec<Breaking>,
}

#[derive(Clone)]
struct Breaking {
    version: String,
    text: String,
}

/// What somebody pasted, where it could be read.
struct Pasted {
    text: String,
    list: Option<Result<InstalledList, String>>,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    let nothing = Pasted {
        text: String::new(),
        list: None,
    };
    view(&request, &operator, Section::Kibanas, move |asked| {
        look(asked, nothing)
    })
    .await
}

/// Answers a list that was pasted, which is too long for an address.
pub(super) async fn show_pasted(
    request: HttpRequest,
    operator: Data<Operator>,
    body: Payload,
) -> HttpResponse {
    let max_bytes = usize::try_from(operator.limits.installed_bytes).unwrap_or(usize::MAX);
    let form = match Form::read(&request, body, max_bytes).await {
        Ok(form) => form,
        Err(error) => return problem::page(&request, error).await,
    };
    view(&request, &operator, Section::Kibanas, move |asked| {
        let text = form.text("installed").to_owned();
        let list = (!text.is_empty())
            .then(|| InstalledList::parse_pasted(&text).map_err(|error| error.to_string()));
        look(asked, Pasted { text, list })
    })
    .await
}

fn look(asked: Asked, pasted: Pasted) -> Result<Preflight, OperationError> {
    let used = asked.frame.own("used").is_some();
    let (list, problem) = match pasted.list {
        Some(Ok(list)) => (Some(list), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    let kibana = asked.frame.lens.kibana.as_ref();
    let found = match kibana.filter(|_| problem.is_none()) {
        Some(kibana) => {
            let total = list.as_ref().and_then(|it| it.total);
            let named = list.as_ref().map_or(0, |it| it.packages.len() as u64);
            let request = PreflightRequest {
                query: query_of(kibana),
                distribution: Some(asked.frame.lens.distribution.to_string()),
                installed: list.map(|it: InstalledList| -> Vec<Installed> { it.packages }),
                used,
            };
            let report = preflight::preflight(asked.store(), &request, &asked.operator.limits)?;
            let mut found = Found::of(&report);
            found.missing_of_total = total
                .filter(|total| *total > named)
                .map(|total| format!("{} of {}", grouped(named), grouped(total)));
            Some(found)
        }
        None => None,
    };
    Ok(Preflight {
        tabs: tabs::kibanas(&asked.frame, "/kibanas/preflight"),
        used,
        pasted: pasted.text,
        problem,
        found,
        frame: asked.frame.titled("Preflight"),
    })
}

impl Found {
    fn of(report: &PreflightReport) -> Self {
        let lines = |outlook: Outlook| -> Vec<Line> {
            let of = report.packages.iter();
            of.filter(|it| it.outlook == outlook)
                .map(Line::of)
                .collect()
        };
        let groups = [
            (Outlook::Missing, "There is no version here", "bad"),
            (Outlook::NoneFits, "No version fits this Kibana", "bad"),
            (Outlook::Older, "Would get an older version", "care"),
            (Outlook::Newer, "Would get a newer version", "good"),
            (Outlook::Stays, "Stay as they are", "good"),
            (Outlook::Available, "There is a version", "good"),
        ];
        let groups = groups.into_iter().map(|(outlook, title, icon)| {
            let lines = lines(outlook);
            Group {
                title,
                icon,
                count: counted(lines.len() as u64, "package", "packages"),
                is_open: !matches!(outlook, Outlook::Stays | Outlook::Available),
                lines,
            }
        });
        let breaking = report.packages.iter().filter(|it| !it.breaking.is_empty());
        let breaking: Vec<_> = breaking.map(Line::of).collect();
        let all = report.packages.len();
        let problems = report.packages.iter().filter(|it| it.outlook.is_problem());
        let problems = problems.count();
        let what = match report.knows_installed {
            true => ("installed package", "installed packages"),
            false => ("package", "packages"),
        };
        let needs = report.needs.iter().map(|it| Need {
            package: it.package.clone(),
            purpose: it.purpose.clone(),
            comes_with_kibana: it.comes_with_kibana,
        });
        Self {
            sentence: Sentence {
                good: grouped((all - problems) as u64),
                of: counted(all as u64, what.0, what.1),
                besides: besides(report, breaking.len()),
            },
            needs: needs.collect(),
            breaking,
            groups: groups.filter(|group| !group.lines.is_empty()).collect(),
            missing_of_total: None,
        }
    }
}

/// Returns what is to be minded beside packages that are not found.
fn besides(report: &PreflightReport, breaking: usize) -> String {
    let older = report.packages.iter();
    let older = older.filter(|it| it.outlook == Outlook::Older).count();
    let missing = report.packages.iter();
    let missing = missing.filter(|it| it.picked.is_none()).count();
    let parts = [
        (
            missing,
            "package has no version for it",
            "packages have no version for it",
        ),
        (
            report.needs.len(),
            "that Fleet asks for by itself is not here",
            "that Fleet asks for by itself are not here",
        ),
        (
            breaking,
            "brings breaking changes",
            "bring breaking changes",
        ),
        (
            older,
            "goes back to an older version",
            "go back to an older version",
        ),
    ];
    let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, one, many)| counted(count as u64, one, many))
        .collect();
    match parts.is_empty() {
        true => "Nothing known breaks.".to_owned(),
        false => format!("{}.", listed(&parts)),
    }
}

impl Line {
    fn of(package: &PackageOutlook) -> Self {
        let mut notes: Vec<String> = package.why.iter().cloned().collect();
        let mut note = |is_so: bool, text: &str| {
            if is_so {
                notes.push(text.to_owned());
            }
        };
        note(
            package.installed.is_some() && !package.is_installed_here,
            "the installed version is not here",
        );
        note(
            package.is_upgraded_at_start,
            "Kibana upgrades it by itself when it starts",
        );
        note(
            package.keeps_policies_up_to_date,
            "its policies are upgraded with it",
        );
        if let Some(deprecated) = &package.deprecated {
            notes.push(format!("deprecated: {deprecated}"));
        }
        notes.extend(package.changelog_problem.clone());
        let breaking = package.breaking.iter().map(|entry| Breaking {
            version: entry.version.to_string(),
            text: entry.description.clone(),
        });
        Self {
            package: package.package.clone(),
            installed: package.installed.clone().unwrap_or_default(),
            picked: package.picked.clone().unwrap_or_default(),
            notes,
            breaking: breaking.collect(),
        }
    }
}
