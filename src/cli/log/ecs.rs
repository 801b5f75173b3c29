//! Lines after the Elastic Common Schema, one JSON object each, which Filebeat and Elastic Agent take as they are.
//!
//! Facts: the field reference of ECS and the specification of ECS loggers: `@timestamp`, `log.level`, `message` and
//! `ecs.version` are on every line, dotted names are not nested. What ECS has no field for is below `airlock.`.

use std::fmt::{self, Write};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The version of the schema whose fields these are.
const ECS_VERSION: &str = "8.17.0";

/// Writes events as ECS.
pub(super) struct Ecs;

impl<S, N> FormatEvent<S, N> for Ecs
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writeln!(writer, "{}", line(event, Timestamp::now())?)
    }
}

fn line(event: &Event<'_>, now: Timestamp) -> Result<String, fmt::Error> {
    let metadata = event.metadata();
    let level = match *metadata.level() {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    let mut line = String::with_capacity(512);
    write!(
        line,
        "{{\"@timestamp\":\"{now:.3}\",\"log.level\":\"{level}\""
    )?;
    let mut fields = Fields::default();
    event.record(&mut fields);
    let is_request = metadata.target() == "airlock::request";
    if is_request {
        let Fields {
            method,
            path,
            status,
            ..
        } = &fields;
        fields.message = format!("{method} {path} {status}");
    }
    text(&mut line, "message", &fields.message)?;
    write!(
        line,
        ",\"ecs.version\":\"{ECS_VERSION}\",\"service.name\":\"airlock\""
    )?;
    text(&mut line, "service.version", env!("CARGO_PKG_VERSION"))?;
    if is_request {
        let outcome = if fields.status < 400 {
            "success"
        } else {
            "failure"
        };
        write!(
            line,
            ",\"event.dataset\":\"airlock.access\",\"event.kind\":\"event\",\"event.category\":[\"web\"],\"event.type\":[\"access\"],\"event.outcome\":\"{outcome}\""
        )?;
    } else {
        line.push_str(",\"event.dataset\":\"airlock.log\"");
        text(&mut line, "log.logger", metadata.target())?;
    }
    line.push_str(&fields.json);
    line.push('}');
    Ok(line)
}

/// The fields of one event, as JSON, with what its message is made of.
#[derive(Default)]
struct Fields {
    json: String,
    message: String,
    method: String,
    path: String,
    status: u64,
}

/// Returns what ECS calls a field of ours; `None` where it has none.
fn ecs_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "method" => "http.request.method",
        "path" => "url.path",
        "query" => "url.query",
        "status" => "http.response.status_code",
        "bytes" => "http.response.body.bytes",
        "client" => "client.ip",
        "user" => "user.name",
        "kibana" => "user_agent.version",
        "agent" => "user_agent.original",
        "id" => "http.request.id",
        "error" | "cause" => "error.message",
        "address" => "server.address",
        "file" => "file.path",
        _ => return None,
    })
}

impl Fields {
    /// Writes the name of a field and what is between it and its value.
    fn begin(&mut self, name: &str) {
        let (known, section) = match ecs_name(name) {
            Some(known) => (known, ""),
            None => (name, "airlock."),
        };
        // Writing to a string does not fail.
        let _ = write!(self.json, ",\"{section}{known}\":");
    }

    fn text(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => {
                value.clone_into(&mut self.message);
                return;
            }
            "method" => value.clone_into(&mut self.method),
            "path" => value.clone_into(&mut self.path),
            "kibana" => self.json.push_str(",\"user_agent.name\":\"Kibana\""),
            _ => {}
        }
        self.begin(field.name());
        let _ = string(&mut self.json, value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = value;
        }
        self.begin(field.name());
        let _ = write!(self.json, "{value}");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.begin(field.name());
        let _ = write!(self.json, "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.begin(field.name());
        let _ = write!(self.json, "{value}");
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "duration_ms" {
            // ECS counts nanoseconds.
            let _ = write!(self.json, ",\"event.duration\":{}", (value * 1e6) as u64);
        } else if value.is_finite() {
            self.begin(field.name());
            let _ = write!(self.json, "{value}");
        }
    }
}

fn text(json: &mut String, name: &str, value: &str) -> fmt::Result {
    write!(json, ",\"{name}\":")?;
    string(json, value)
}

/// Writes `value` as a JSON string (RFC 8259, 7).
fn string(json: &mut String, value: &str) -> fmt::Result {
    json.push('"');
    let mut rest = value;
    while let Some(place) = rest.find(|c: char| c < ' ' || matches!(c, '"' | '\\' | '\u{7f}')) {
        let (plain, special) = rest.split_at(place);
        json.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some(c @ ('"' | '\\')) => {
                json.push('\\');
                json.push(c);
            }
            Some(c) => write!(json, "\\u{:04x}", u32::from(c))?,
            None => {}
        }
        rest = chars.as_str();
    }
    json.push_str(rest);
    json.push('"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::{Context, SubscriberExt};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> tracing_subscriber::Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let line = line(event, Timestamp::UNIX_EPOCH).unwrap();
            self.0.lock().unwrap().push(line);
        }
    }

    /// Returns the lines that `log` writes, each read back as JSON.
    fn lines(log: impl FnOnce()) -> Vec<String> {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry().with(lines.clone());
        tracing::subscriber::with_default(subscriber, log);
        let lines = lines.0.lock().unwrap();
        for line in lines.iter() {
            let read: serde_json::Value = serde_json::from_str(line).unwrap();
            for field in ["@timestamp", "log.level", "message", "ecs.version"] {
                assert!(read[field].is_string(), "{field} of {line}");
            }
        }
        lines
            .iter()
            .map(|line| line.replace(env!("CARGO_PKG_VERSION"), "[VERSION]"))
            .collect()
    }

    #[test]
    fn a_request_is_told_in_the_fields_of_ecs() {
        let lines = lines(|| {
            let (none, client): (Option<&str>, _) = (None, std::net::Ipv4Addr::LOCALHOST);
            tracing::info!(
                target: "airlock::request",
                method = "GET",
                path = "/search",
                query = Some("package=nginx"),
                status = 200_u16,
                bytes = 12_u64,
                duration_ms = 1.5,
                client = Some(tracing::field::display(client)),
                user = none,
                kibana = Some("8.5.0"),
                agent = none,
                id = "7f",
            );
        });
        insta::assert_snapshot!(lines.join("\n"), @r#"{"@timestamp":"1970-01-01T00:00:00.000Z","log.level":"info","message":"GET /search 200","ecs.version":"8.17.0","service.name":"airlock","service.version":"[VERSION]","event.dataset":"airlock.access","event.kind":"event","event.category":["web"],"event.type":["access"],"event.outcome":"success","http.request.method":"GET","url.path":"/search","url.query":"package=nginx","http.response.status_code":200,"http.response.body.bytes":12,"event.duration":1500000,"client.ip":"127.0.0.1","user_agent.name":"Kibana","user_agent.version":"8.5.0","http.request.id":"7f"}"#);
    }

    #[test]
    fn what_ecs_does_not_name_is_ours_and_nothing_ends_a_line() {
        let lines = lines(|| {
            let error = std::io::Error::other("\"broken\"\n\u{1b}[2J\\");
            tracing::warn!(%error, packages = 3, is_late = true, share = 0.5, "a \"word\"\n{{");
            tracing::error!(path = "/x\n{\"log.level\":\"info\"}", "größer");
        });
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"@timestamp":"1970-01-01T00:00:00.000Z","log.level":"warn","message":"a \"word\"\u000a{","ecs.version":"8.17.0","service.name":"airlock","service.version":"[VERSION]","event.dataset":"airlock.log","log.logger":"airlock::cli::log::ecs::tests","error.message":"\"broken\"\u000a\u001b[2J\\","airlock.packages":3,"airlock.is_late":true,"airlock.share":0.5}
        {"@timestamp":"1970-01-01T00:00:00.000Z","log.level":"error","message":"größer","ecs.version":"8.17.0","service.name":"airlock","service.version":"[VERSION]","event.dataset":"airlock.log","log.logger":"airlock::cli::log::ecs::tests","url.path":"/x\u000a{\"log.level\":\"info\"}"}
        "#);
        assert!(lines.iter().all(|line| !line.contains('\n')));
    }
}
