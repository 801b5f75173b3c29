//! What is counted of requests, as Prometheus reads it.
//!
//! Series that the reference registry has are called as there, with its labels and bounds, so that dashboards go on
//! working; facts: its `metrics/metrics.go` and the texts of its routes (1.40.1). Every distribution counts for the route
//! below its address. What else is there to tell the one who asks brings along.

mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use parking_lot::RwLock;

use crate::admin::entrance;
use crate::api::route::{Resource, Route};
use crate::limits::Limits;

pub use text::{Gauge, page};

/// Upper bounds in seconds, those that Prometheus' client for Go takes where nothing is said.
const DURATION_BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Upper bounds in bytes, the reference's.
const SIZE_BOUNDS: [f64; 9] = [
    16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 65_536.0, 262_144.0,
];

/// All counts of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    in_flight: AtomicU64,
    series: RwLock<BTreeMap<Labels, Arc<Series>>>,
}

/// By what requests are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Labels {
    path: &'static str,
    method: &'static str,
    code: u16,
}

/// The counts of requests that are alike.
#[derive(Debug, Default)]
struct Series {
    /// In microseconds.
    durations: Histogram<12>,
    /// In bytes.
    sizes: Histogram<10>,
}

/// Counts by upper bound; what is above the last is the last count.
#[derive(Debug)]
struct Histogram<const N: usize> {
    counts: [AtomicU64; N],
    sum: AtomicU64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::default()),
            sum: AtomicU64::default(),
        }
    }
}

impl<const N: usize> Histogram<N> {
    /// Counts `value`, which is `amount` in the unit of the sum.
    fn add(&self, bounds: &[f64], value: f64, amount: u64) {
        let place = bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = self.counts.get(place.unwrap_or(bounds.len())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(amount, Ordering::Relaxed);
    }
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Notes that a request is being answered.
    pub fn begin(metrics: &Arc<Self>) -> InFlight {
        metrics.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(metrics))
    }

    /// Counts a request that was answered with `status` and `bytes` of body, and took so long.
    pub fn count(&self, request: &HttpRequest, status: StatusCode, bytes: u64, took: Duration) {
        let labels = Labels {
            path: path(request.uri().path()),
            method: method(request.method()),
            code: status.as_u16(),
        };
        let known = self.series.read().get(&labels).cloned();
        let series =
            known.unwrap_or_else(|| Arc::clone(self.series.write().entry(labels).or_default()));
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        series
            .durations
            .add(&DURATION_BOUNDS, took.as_secs_f64(), micros);
        series.sizes.add(&SIZE_BOUNDS, bytes as f64, bytes);
    }
}

/// Returns the route that a path is of, as the reference writes it.
fn path(raw: &str) -> &'static str {
    let below = raw.strip_prefix(entrance::PATH);
    if below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
        return entrance::PATH;
    }
    let Some(route) = Route::parse(raw, &Limits::default()) else {
        return "unknown";
    };
    match route.resource {
        Resource::Index => "/",
        Resource::Health => "/health",
        Resource::Favicon => "/favicon.ico",
        Resource::Search => "/search",
        Resource::Categories => "/categories",
        Resource::Document(_) => "/package/{packageName:[a-z0-9_]+}/{packageVersion}/",
        Resource::File(..) => "/package/{packageName}/{packageVersion}/{name:.*}",
        Resource::Artifact(_) => "/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",
        Resource::Signature(_) => {
            "/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip.sig"
        }
        Resource::Tarball(_) => "unknown",
    }
}

/// Returns the method's label; what is no method of the registry is one label, since whoever asks makes them up.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::HEAD => "head",
        Method::OPTIONS => "options",
        Method::POST => "post",
        Method::PUT => "put",
        Method::DELETE => "delete",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let metrics = Arc::new(Metrics::default());
        let count = |method: Method, path: &str, status: u16, bytes, millis| {
            let request = TestRequest::with_uri(path).method(method).to_http_request();
            let status = StatusCode::from_u16(status).unwrap();
            metrics.count(&request, status, bytes, Duration::from_millis(millis));
        };
        count(Method::GET, "/search?package=nginx", 200, 1_024, 3);
        count(Method::GET, "/d/8.5.0/search", 200, 1_025, 20_000);
        count(Method::HEAD, "/epr/nginx/nginx-1.5.0.zip", 404, 0, 1);
        for name in 0..100 {
            let method = Method::from_bytes(format!("M{name}").as_bytes()).unwrap();
            count(method, &format!("/{name}"), 404, 0, 1);
        }
        let _in_flight = Metrics::begin(&metrics);
        drop(Metrics::begin(&metrics));
        let gauges = [Gauge {
            name: "epr_service_info",
            help: "The version that runs, and where.",
            labels: vec![("version", "1.0\"\\\n".to_owned())],
            value: 1.0,
        }];
        insta::assert_snapshot!(page(&metrics, &gauges), @r#"
        # HELP epr_in_flight_requests Requests that are being answered.
        # TYPE epr_in_flight_requests gauge
        epr_in_flight_requests 1
        # HELP epr_http_requests_total Requests that were answered.
        # TYPE epr_http_requests_total counter
        epr_http_requests_total{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip"} 1
        epr_http_requests_total{code="200",method="get",path="/search"} 2
        epr_http_requests_total{code="404",method="unknown",path="unknown"} 100
        # HELP epr_http_request_duration_seconds How long requests took, to their last byte.
        # TYPE epr_http_request_duration_seconds histogram
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.005"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.01"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.025"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.05"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.1"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.25"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="0.5"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="1"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="2.5"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="5"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="10"} 1
        epr_http_request_duration_seconds_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="+Inf"} 1
        epr_http_request_duration_seconds_sum{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip"} 0.001
        epr_http_request_duration_seconds_count{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.005"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.01"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.025"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.05"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.1"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.25"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="0.5"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="1"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="2.5"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="5"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="10"} 1
        epr_http_request_duration_seconds_bucket{code="200",method="get",path="/search",le="+Inf"} 2
        epr_http_request_duration_seconds_sum{code="200",method="get",path="/search"} 20.003
        epr_http_request_duration_seconds_count{code="200",method="get",path="/search"} 2
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.005"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.01"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.025"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.05"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.1"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.25"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="0.5"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="1"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="2.5"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="5"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="10"} 100
        epr_http_request_duration_seconds_bucket{code="404",method="unknown",path="unknown",le="+Inf"} 100
        epr_http_request_duration_seconds_sum{code="404",method="unknown",path="unknown"} 0.1
        epr_http_request_duration_seconds_count{code="404",method="unknown",path="unknown"} 100
        # HELP epr_http_response_size_bytes Bytes of the bodies of answers.
        # TYPE epr_http_response_size_bytes histogram
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="16"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="32"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="64"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="128"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="256"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="512"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="1024"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="65536"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="262144"} 1
        epr_http_response_size_bytes_bucket{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip",le="+Inf"} 1
        epr_http_response_size_bytes_sum{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip"} 0
        epr_http_response_size_bytes_count{code="404",method="head",path="/epr/{packageName}/{packageName:[a-z0-9_]+}-{packageVersion}.zip"} 1
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="16"} 0
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="32"} 0
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="64"} 0
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="128"} 0
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="256"} 0
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="512"} 0
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="1024"} 1
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="65536"} 2
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="262144"} 2
        epr_http_response_size_bytes_bucket{code="200",method="get",path="/search",le="+Inf"} 2
        epr_http_response_size_bytes_sum{code="200",method="get",path="/search"} 2049
        epr_http_response_size_bytes_count{code="200",method="get",path="/search"} 2
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="16"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="32"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="64"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="128"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="256"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="512"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="1024"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="65536"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="262144"} 100
        epr_http_response_size_bytes_bucket{code="404",method="unknown",path="unknown",le="+Inf"} 100
        epr_http_response_size_bytes_sum{code="404",method="unknown",path="unknown"} 0
        epr_http_response_size_bytes_count{code="404",method="unknown",path="unknown"} 100
        # HELP epr_service_info The version that runs, and where.
        # TYPE epr_service_info gauge
        epr_service_info{version="1.0\"\\\n"} 1
        "#);
    }
}
