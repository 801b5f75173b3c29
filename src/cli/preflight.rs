//! `airlock preflight`: what a Kibana would find here before it is upgraded.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::asked::AskedArgs;
use super::door::Door;
use super::plain::plain;
use super::{CliError, Common, exit};
use crate::admin::preflight::{PackageOutlook, PreflightReport, PreflightRequest};
use crate::admin::wording::{counted, grouped};
use crate::distribution::{DistributionName, Outlook};
use crate::limits::Limits;
use crate::package::InstalledList;

/// Ends with 2 where some installed packages have no version for that Kibana, with 1 where all have none.
#[derive(Debug, Args)]
pub(super) struct PreflightArgs {
    #[command(flatten)]
    asked: AskedArgs,
    /// The distribution that the Kibana asks
    #[arg(long, value_name = "NAME", default_value = "default")]
    distribution: DistributionName,
    /// What the Kibana answers at /api/fleet/epm/packages/installed?perPage=1000, or - for standard input [default: look at
    /// all packages]
    #[arg(long, value_name = "FILE")]
    installed: Option<PathBuf>,
    /// Take what some Kibana fetched here lately for what is installed
    #[arg(long, conflicts_with = "installed")]
    used: bool,
}

pub(super) fn run(common: &Common, args: PreflightArgs) -> Result<ExitCode, CliError> {
    let Some(kibana) = args.asked.kibana.clone() else {
        return Err(CliError::new("it is not said which Kibana it is for")
            .hint("name its version as in `airlock preflight --kibana 9.1.0`"));
    };
    let installed = args.installed.as_deref().map(read).transpose()?;
    let total = installed.as_ref().and_then(|it| it.total);
    let request = PreflightRequest {
        query: args.asked.install_query()?,
        distribution: Some(args.distribution.to_string()),
        installed: installed.map(|it| it.packages),
        used: args.used,
    };
    let door = Door::open(common)?;
    let report = door.preflight(&request)?;
    let named = report.packages.len() as u64;
    if let Some(total) = total.filter(|total| *total > named) {
        eprintln!(
            "Warning: {} of {} installed packages are named; ask Kibana with ?perPage=1000",
            grouped(named),
            grouped(total)
        );
    }
    common.print(&report, |report| text(report, &kibana))?;
    let problems = report
        .packages
        .iter()
        .filter(|it| it.outlook.is_problem())
        .count();
    Ok(match report.knows_installed {
        true => exit::code(report.packages.len() - problems, problems),
        false => ExitCode::SUCCESS,
    })
}

fn read(path: &Path) -> Result<InstalledList, CliError> {
    let shown = path.display();
    let max_bytes = Limits::default().installed_bytes;
    let failed =
        |error: std::io::Error| CliError::new(format!("cannot read {shown}")).caused_by(&error);
    let source: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(path).map_err(failed)?),
    };
    let mut json = Vec::new();
    source
        .take(max_bytes + 1)
        .read_to_end(&mut json)
        .map_err(failed)?;
    if json.len() as u64 > max_bytes {
        return Err(CliError::new(format!(
            "{shown} has more than {max_bytes} bytes"
        )));
    }
    InstalledList::parse(&json).map_err(|error| {
        CliError::new(format!("{shown} is no list of installed packages"))
            .caused_by(&error)
            .hint("`airlock preflight --installed` takes what Kibana answers at /api/fleet/epm/packages/installed")
    })
}

fn text(report: &PreflightReport, kibana: &str) -> String {
    let kibana = plain(kibana);
    let packages = counted(report.packages.len() as u64, "package", "packages");
    let what = if report.knows_installed {
        "installed"
    } else {
        "offered"
    };
    let mut text = format!(
        "Kibana {kibana} at {}, asking /search?{}: {packages} {what}\n",
        report.distribution,
        plain(&report.query)
    );
    let none = format!("none for {kibana}");
    let groups = [
        (Outlook::Missing, "missing"),
        (Outlook::NoneFits, none.as_str()),
        (Outlook::Older, "older"),
        (Outlook::Newer, "newer"),
        (Outlook::Stays, "stays"),
        (Outlook::Available, "available"),
    ];
    let of = |outlook: Outlook| {
        report
            .packages
            .iter()
            .filter(move |it| it.outlook == outlook)
    };
    for (outlook, title) in groups {
        let count = of(outlook).count();
        if count > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {:>7} {title}", grouped(count as u64));
        }
    }
    for (outlook, title) in groups {
        for (number, package) in of(outlook).enumerate() {
            if number == 0 {
                let _ = writeln!(text, "{}:", capitalized(title));
            }
            text.push_str(&lines(package));
        }
    }
    if !report.needs.is_empty() {
        text.push_str("Fleet asks for these by itself, and there is none for this Kibana:\n");
    }
    for need in &report.needs {
        let brought = if need.comes_with_kibana {
            "; newer Kibanas bring one along"
        } else {
            ""
        };
        let _ = writeln!(text, "  {}, for {}{brought}", need.package, need.purpose);
    }
    text
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}

fn lines(package: &PackageOutlook) -> String {
    let versions = match (&package.installed, &package.picked) {
        (Some(installed), Some(picked)) if installed != picked => {
            format!(" {installed} -> {picked}")
        }
        (Some(version), _) | (None, Some(version)) => format!(" {version}"),
        (None, None) => String::new(),
    };
    let mut line = format!("  {}{versions}", package.package);
    if let Some(why) = &package.why {
        line.push_str(&format!(", {}", plain(why)));
    }
    if package.installed.is_some() && !package.is_installed_here {
        line.push_str(", the installed version is not here");
    }
    if package.is_upgraded_at_start {
        line.push_str(", upgraded by Kibana at its next start");
    }
    if package.keeps_policies_up_to_date {
        line.push_str(", its policies with it");
    }
    line.push('\n');
    if let Some(deprecated) = &package.deprecated {
        line.push_str(&format!("    deprecated: \"{}\"\n", plain(deprecated)));
    }
    for entry in &package.breaking {
        line.push_str(&format!(
            "    {} breaking: \"{}\"\n",
            entry.version,
            plain(&entry.description)
        ));
    }
    if let Some(problem) = &package.changelog_problem {
        line.push_str(&format!("    {}\n", plain(problem)));
    }
    line
}
