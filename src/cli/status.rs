//! `airlock status`: whether the service runs, what it serves, what waits, and how much room there is.

use std::process::ExitCode;

use jiff::Timestamp;

use super::door::Door;
use super::plain::plain;
use super::{CliError, Common};
use crate::admin::distributions::DistributionReport;
use crate::admin::status::{DiskState, LastChange, ServiceReport, StatusReport};
use crate::admin::wording::ago;
use crate::admin::wording::{counted, size};

/// Kibanas that are shown; `--json` has all.
const MOST_KIBANAS: usize = 10;

/// Ends with 1 where no service runs; what the store says is shown all the same.
pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let status = Door::open(common)?.status()?;
    common.print(&status, |status| text(status, Timestamp::now()))?;
    Ok(match status.service {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// Returns what is served and what is wrong, in a line, as `systemctl status` shows it.
pub(super) fn line(status: &StatusReport) -> String {
    let mut line = match default(status) {
        Some(it) if it.offered > 0 => format!("serving {}", offered(it)),
        _ => "serving no packages yet".to_owned(),
    };
    if status.quarantined > 0 {
        line.push_str(&format!("; {} in quarantine", status.quarantined));
    }
    match status.disk {
        DiskState::Enough => {}
        DiskState::Full => line.push_str("; the disk is full"),
        DiskState::ReadOnly => line.push_str("; the disk is read-only"),
    }
    line
}

fn default(status: &StatusReport) -> Option<&DistributionReport> {
    status.distributions.iter().find(|it| it.name == "default")
}

fn offered(it: &DistributionReport) -> String {
    let versions = counted(it.offered as u64, "package version", "package versions");
    format!("{}: {versions}", it.branches.join(" + "))
}

fn text(status: &StatusReport, now: Timestamp) -> String {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let head = match &status.service {
        Some(it) => format!(
            "airlock {} runs since {} ({}), process {}\n",
            status.version,
            minute(it.since),
            ago(it.since, now),
            it.process
        ),
        None => "The service is not running: `sudo systemctl start airlock-private` starts it, or `airlock`, or `airlock serve`.\n".to_owned(),
    };
    if let Some(it) = &status.service {
        row("listens at", it.addresses.join(", "));
    }
    row("store", store(status));
    match status.distributions.is_empty() {
        true => row(
            "/",
            "no packages yet; `airlock import` brings some in".to_owned(),
        ),
        false => {
            let mut distributions: Vec<_> = status.distributions.iter().collect();
            distributions.sort_by_key(|it| it.name != "default");
            for it in distributions {
                let path = match it.name.as_str() {
                    "default" => "/".to_owned(),
                    name => format!("/d/{name}/"),
                };
                row(&path, offered(it));
            }
        }
    }
    if let Some(it) = &status.last_change {
        let LastChange { number, who, .. } = it;
        let at = it.at.parse().map_or_else(|_| it.at.clone(), minute);
        row(
            "last change",
            format!("{number}, {} by {}, {at}", it.action, plain(who)),
        );
    }
    if status.quarantined > 0 {
        let packages = counted(status.quarantined as u64, "package", "packages");
        row(
            "quarantine",
            format!("{packages}: `airlock quarantine list`"),
        );
    }
    if status.plans > 0 {
        let plans = counted(status.plans as u64, "plan waits", "plans wait");
        row("plans", format!("{plans}: `airlock plans list`"));
    }
    for (name, value) in status.service.iter().flat_map(|it| of_service(it, now)) {
        row(name, value);
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let lines = rows
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}\n"));
    head + &lines.collect::<String>()
}

fn store(status: &StatusReport) -> String {
    let (takes, free) = (size(status.store_bytes), size(status.free_bytes));
    let room = match status.disk {
        DiskState::Enough => format!("{free} free"),
        DiskState::Full => format!("THE DISK IS FULL, {free} free: nothing can be imported"),
        DiskState::ReadOnly => "THE DISK IS READ-ONLY: nothing can be changed".to_owned(),
    };
    format!("{}, {takes}; {room}", status.data_dir)
}

fn of_service(service: &ServiceReport, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(expires) = service.certificate_expires {
        let days = expires.duration_since(now).as_hours() / 24;
        let day = expires.strftime("%Y-%m-%d");
        rows.push((
            "certificate",
            match expires <= now {
                true => format!("EXPIRED {day}"),
                false => format!(
                    "expires {day}, in {}",
                    counted(days.unsigned_abs(), "day", "days")
                ),
            },
        ));
    }
    let mut name = "Kibanas";
    for it in service.kibanas.iter().take(MOST_KIBANAS) {
        let address = it
            .address
            .map_or_else(String::new, |it| format!(" at {it}"));
        rows.push((
            name,
            format!("{}{address}, {}", it.version, ago(it.last_seen, now)),
        ));
        name = "";
    }
    if service.kibanas.is_empty() {
        rows.push((name, "none has asked yet".to_owned()));
    } else if let more @ 1.. = service.kibanas.len().saturating_sub(MOST_KIBANAS) {
        rows.push((name, format!("and {more} more: --json tells them")));
    }
    rows
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::KibanaSeen;

    fn status() -> StatusReport {
        let distribution = |name: &str, branches: &[&str], offered| DistributionReport {
            name: name.to_owned(),
            branches: branches.iter().map(ToString::to_string).collect(),
            offered,
            fingerprint: "0123456789ab".to_owned(),
        };
        StatusReport {
            version: "0.1.0".to_owned(),
            service: None,
            data_dir: "/var/lib/airlock".to_owned(),
            store_bytes: 195_000_000,
            free_bytes: 12_100_000_000,
            disk: DiskState::Enough,
            distributions: vec![
                distribution("8.5.0", &["8.5.0"], 1912),
                distribution("default", &["local", "8.5.0"], 1913),
            ],
            last_change: Some(LastChange {
                number: 12,
                at: "2026-11-22T18:00:00Z".to_owned(),
                who: "alice".to_owned(),
                action: "import".to_owned(),
            }),
            quarantined: 1,
            plans: 2,
        }
    }

    fn now() -> Timestamp {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_store_without_a_server_tells_what_it_holds() {
        insta::assert_snapshot!(text(&status(), now()), @r"
        The service is not running: `sudo systemctl start airlock-private` starts it, or `airlock`, or `airlock serve`.
        store        /var/lib/airlock, 195.00 MB; 12.10 GB free
        /            local + 8.5.0: 1,913 package versions
        /d/8.5.0/    8.5.0: 1,912 package versions
        last change  12, import by alice, 2026-11-22 18:00 UTC
        quarantine   1 package: `airlock quarantine list`
        plans        2 plans wait: `airlock plans list`
        ");
    }

    #[test]
    fn a_server_tells_since_when_who_asks_and_what_ends() {
        let seen = |version: &str, minutes: i64| KibanaSeen {
            version: version.to_owned(),
            address: Some([10, 0, 0, 7].into()),
            last_seen: now() - jiff::SignedDuration::from_mins(minutes),
            last_failure: None,
        };
        let mut status = status();
        status.disk = DiskState::Full;
        status.service = Some(ServiceReport {
            since: "2026-11-23T05:30:00Z".parse().unwrap(),
            process: 812,
            addresses: vec!["10.0.0.1:8080".to_owned()],
            kibanas: vec![seen("9.2.0", 0), seen("8.5.0", 125)],
            certificate_expires: Some("2026-12-24T00:00:00Z".parse().unwrap()),
        });
        insta::assert_snapshot!(text(&status, now()), @r"
        airlock 0.1.0 runs since 2026-11-23 05:30 UTC (2 hours ago), process 812
        listens at   10.0.0.1:8080
        store        /var/lib/airlock, 195.00 MB; THE DISK IS FULL, 12.10 GB free: nothing can be imported
        /            local + 8.5.0: 1,913 package versions
        /d/8.5.0/    8.5.0: 1,912 package versions
        last change  12, import by alice, 2026-11-22 18:00 UTC
        quarantine   1 package: `airlock quarantine list`
        plans        2 plans wait: `airlock plans list`
        certificate  expires 2026-12-24, in 30 days
        Kibanas      9.2.0 at 10.0.0.7, just now
                     8.5.0 at 10.0.0.7, 2 hours ago
        ");
    }

    #[test]
    fn one_line_says_what_is_served_and_what_is_wrong() {
        let mut status = status();
        let lines = [DiskState::Enough, DiskState::Full, DiskState::ReadOnly].map(|disk| {
            status.disk = disk;
            line(&status)
        });
        insta::assert_snapshot!(lines.join("\n"), @r"
        serving local + 8.5.0: 1,913 package versions; 1 in quarantine
        serving local + 8.5.0: 1,913 package versions; 1 in quarantine; the disk is full
        serving local + 8.5.0: 1,913 package versions; 1 in quarantine; the disk is read-only
        ");
        status.distributions.clear();
        status.quarantined = 0;
        status.disk = DiskState::Enough;
        assert_eq!(line(&status), "serving no packages yet");
    }
}
