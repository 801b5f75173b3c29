//! The listener for Prometheus: `/metrics`, and nothing else.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rustix::process::{Resource, getrlimit};

use super::beside::{self, Beside, Listener};
use crate::catalog::Catalogs;
use crate::cli::CliError;
use crate::config::{Setting, TcpAddress};
use crate::server::Settings;
use crate::server::metrics::{Gauge, Metrics, page};
use crate::store::Store;

/// Connections of scrapers at a time.
const MOST_CONNECTIONS: u32 = 32;

/// What is told of a server.
#[derive(Clone)]
pub(super) struct Told {
    pub metrics: Arc<Metrics>,
    pub store: Arc<Store>,
    pub catalogs: Arc<Catalogs>,
}

/// Answers at the socket that was handed over, else at the address of `setting`, where there is one.
pub(super) fn begin(
    inherited: Option<TcpListener>,
    setting: &Setting<Option<TcpAddress>>,
    told: Told,
) -> Result<Option<Beside>, CliError> {
    let is_inherited = inherited.is_some();
    let socket = match (inherited, &setting.value) {
        (Some(inherited), _) => inherited,
        (None, Some(address)) => beside::listen(address).map_err(|error| {
            CliError::new(format!("cannot listen at {address} for metrics"))
                .caused_by(&error)
                .hint(format!(
                    "choose another address for listen.metrics ({})",
                    setting.origin
                ))
        })?,
        (None, None) => return Ok(None),
    };
    let address = socket.local_addr().map_err(|error| {
        CliError::new("the socket for metrics has no address").caused_by(&error)
    })?;
    tracing::info!(metrics = %address, "telling Prometheus");
    let listener = Listener {
        socket,
        is_inherited,
        tls: None,
    };
    let settings = Settings {
        workers: 1,
        max_connections: MOST_CONNECTIONS,
        blocking_threads: 1,
        // A scrape every few seconds tells nobody anything.
        logs_requests: false,
        ..Settings::default()
    };
    let answers = move |config: &mut ServiceConfig| {
        config.app_data(web::Data::new(told.clone()));
        config.route("/metrics", web::get().to(answer));
    };
    let begun = Beside::begin("metrics", listener, settings, answers);
    let begun =
        begun.map_err(|error| CliError::new("cannot begin to tell Prometheus").caused_by(&error));
    begun.map(Some)
}

async fn answer(_: HttpRequest, told: web::Data<Told>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(page(&told.metrics, &told.gauges()))
}

impl Told {
    fn gauges(&self) -> Vec<Gauge> {
        let plain = |name, help, value| Gauge {
            name,
            help,
            labels: Vec::new(),
            value,
        };
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let service = Gauge {
            name: "epr_service_info",
            help: "The version that runs, and where.",
            labels: vec![
                ("version", env!("CARGO_PKG_VERSION").to_owned()),
                ("instance", host.trim().to_owned()),
            ],
            value: 1.0,
        };
        let mut gauges = vec![
            service,
            plain(
                "epr_number_indexed_packages",
                "Package versions that are offered at /.",
                self.catalogs.default_catalog().len() as f64,
            ),
            plain(
                "airlock_quarantined_packages",
                "Packages in quarantine.",
                self.catalogs.quarantined() as f64,
            ),
        ];
        let database = self.store.folder().join("airlock.db");
        if let Ok(database) = std::fs::metadata(database) {
            let help = "Bytes of the store's file.";
            gauges.push(plain("airlock_store_bytes", help, database.len() as f64));
        }
        gauges.extend(of_this_process(plain).unwrap_or_default());
        gauges
    }
}

/// Returns what every exporter tells of its process, by the names that Prometheus' own clients use (proc(5)).
fn of_this_process(plain: impl Fn(&'static str, &'static str, f64) -> Gauge) -> Option<Vec<Gauge>> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let cpu = (field(14)? + field(15)?) / ticks;
    let resident = field(24)? * rustix::param::page_size() as f64;
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count() as f64;
    let most = getrlimit(Resource::Nofile).current.map(|most| most as f64);
    let booted = std::fs::read_to_string("/proc/stat").ok()?;
    let booted = booted.lines().find_map(|line| line.strip_prefix("btime "));
    let started = booted?.trim().parse::<f64>().ok()? + field(22)? / ticks;
    let mut told = vec![
        plain(
            "process_cpu_seconds_total",
            "Seconds of processor time, of user and system.",
            cpu,
        ),
        plain(
            "process_resident_memory_bytes",
            "Bytes of memory that are resident.",
            resident,
        ),
        plain("process_open_fds", "Files that are open.", open),
        plain(
            "process_start_time_seconds",
            "When the process began, in seconds since 1970.",
            started,
        ),
    ];
    told.extend(most.map(|most| plain("process_max_fds", "Files that may be open.", most)));
    Some(told)
}
