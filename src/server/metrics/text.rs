//! The page that Prometheus reads: its text format, version 0.0.4.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{DURATION_BOUNDS, Histogram, Labels, Metrics, SIZE_BOUNDS, Series};

/// One value of now.
#[derive(Debug)]
pub struct Gauge {
    /// Its series.
    pub name: &'static str,
    /// What that is.
    pub help: &'static str,
    /// By what its values are told apart.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

/// Returns the page: what was counted, then `gauges`, of which those of one name stand together.
pub fn page(metrics: &Metrics, gauges: &[Gauge]) -> String {
    let mut page = String::new();
    let series: Vec<_> = metrics
        .series
        .read()
        .iter()
        .map(|(labels, series)| (*labels, series.clone()))
        .collect();
    head(
        &mut page,
        "epr_in_flight_requests",
        "gauge",
        "Requests that are being answered.",
    );
    line(
        &mut page,
        "epr_in_flight_requests",
        "",
        metrics.in_flight.load(Ordering::Relaxed) as f64,
    );
    head(
        &mut page,
        "epr_http_requests_total",
        "counter",
        "Requests that were answered.",
    );
    for (labels, series) in &series {
        let count = total(&series.durations.counts);
        line(
            &mut page,
            "epr_http_requests_total",
            &labels.text(),
            count as f64,
        );
    }
    head(
        &mut page,
        "epr_http_request_duration_seconds",
        "histogram",
        "How long requests took, to their last byte.",
    );
    for (labels, series) in &series {
        let Series { durations, .. } = &**series;
        histogram(
            &mut page,
            "epr_http_request_duration_seconds",
            labels,
            &DURATION_BOUNDS,
            durations,
            1e6,
        );
    }
    head(
        &mut page,
        "epr_http_response_size_bytes",
        "histogram",
        "Bytes of the bodies of answers.",
    );
    for (labels, series) in &series {
        histogram(
            &mut page,
            "epr_http_response_size_bytes",
            labels,
            &SIZE_BOUNDS,
            &series.sizes,
            1.0,
        );
    }
    let mut last = "";
    for gauge in gauges {
        if gauge.name != last {
            let kind = if gauge.name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            };
            head(&mut page, gauge.name, kind, gauge.help);
            last = gauge.name;
        }
        let labels: Vec<_> = gauge
            .labels
            .iter()
            .map(|(name, value)| label(name, value))
            .collect();
        line(&mut page, gauge.name, &labels.join(","), gauge.value);
    }
    page
}

impl Labels {
    fn text(&self) -> String {
        let code = label("code", &self.code.to_string());
        let (method, path) = (label("method", self.method), label("path", self.path));
        format!("{code},{method},{path}")
    }
}

fn histogram<const N: usize>(
    page: &mut String,
    name: &str,
    labels: &Labels,
    bounds: &[f64],
    histogram: &Histogram<N>,
    per_unit: f64,
) {
    let labels = labels.text();
    let mut below = 0;
    let bounds = bounds
        .iter()
        .map(|bound| number(*bound))
        .chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(&histogram.counts) {
        below += count.load(Ordering::Relaxed);
        let labels = format!("{labels},le=\"{bound}\"");
        line(page, &format!("{name}_bucket"), &labels, below as f64);
    }
    let sum = histogram.sum.load(Ordering::Relaxed) as f64 / per_unit;
    line(page, &format!("{name}_sum"), &labels, sum);
    line(page, &format!("{name}_count"), &labels, below as f64);
}

fn total(counts: &[AtomicU64]) -> u64 {
    counts
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .sum()
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(page: &mut String, name: &str, labels: &str, value: f64) {
    let value = number(value);
    let _ = match labels {
        "" => writeln!(page, "{name} {value}"),
        _ => writeln!(page, "{name}{{{labels}}} {value}"),
    };
}

fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

/// Returns a number in full: neither exponents nor a needless fraction.
fn number(value: f64) -> String {
    value.to_string()
}
