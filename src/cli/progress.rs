//! An import on its way: a bar where there is a terminal, plain lines where there is none.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::door::Watch;
use crate::admin::wording::{counted, size};
use crate::import::ProgressReport;

/// How the progress of an import is shown.
pub(super) enum Display {
    /// Not at all.
    Nothing,
    /// As a bar.
    Bar(ProgressBar),
    /// As a line every few seconds.
    Lines {
        total_bytes: Option<u64>,
        last: Instant,
    },
}

const BAR_INTERVAL: Duration = Duration::from_millis(100);
const LINE_INTERVAL: Duration = Duration::from_secs(5);

impl Display {
    /// Returns how the import of a source of this size is to be shown.
    pub(super) fn new(is_quiet: bool, total_bytes: Option<u64>) -> Self {
        if is_quiet {
            return Self::Nothing;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines {
                total_bytes,
                last: Instant::now(),
            };
        }
        let (bar, template) = match total_bytes {
            Some(bytes) => (
                ProgressBar::new(bytes),
                "{bar:24} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}, {eta} left · {wide_msg}",
            ),
            None => (
                ProgressBar::new_spinner(),
                "{spinner} {decimal_bytes} {decimal_bytes_per_sec} · {wide_msg}",
            ),
        };
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        Self::Bar(bar.with_style(style.progress_chars("━━┄")))
    }

    /// Shows what `watch` reports until `done` hands over the outcome, and returns that.
    pub(super) fn follow<T>(mut self, watch: &Watch, done: &Receiver<T>) -> Option<T> {
        loop {
            match done.recv_timeout(BAR_INTERVAL) {
                Ok(outcome) => {
                    if let Self::Bar(bar) = self {
                        bar.finish_and_clear();
                    }
                    return Some(outcome);
                }
                Err(RecvTimeoutError::Timeout) => self.show(watch),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn show(&mut self, watch: &Watch) {
        match self {
            Self::Nothing => {}
            Self::Bar(bar) => {
                if let Some(report) = watch.report() {
                    bar.set_position(report.read_bytes);
                    bar.set_message(packages(&report));
                }
            }
            Self::Lines { total_bytes, last } => {
                if last.elapsed() >= LINE_INTERVAL
                    && let Some(report) = watch.report()
                {
                    *last = Instant::now();
                    let total = total_bytes
                        .map(|bytes| format!(" of {}", size(bytes)))
                        .unwrap_or_default();
                    eprintln!(
                        "read {}{total}, {}",
                        size(report.read_bytes),
                        packages(&report)
                    );
                }
            }
        }
    }
}

fn packages(report: &ProgressReport) -> String {
    if report.copied_bytes > 0 && report.found == 0 {
        return format!(
            "{} are copied to the data folder first: the layers come before what says their order",
            size(report.copied_bytes)
        );
    }
    let refused = match report.refused {
        0 => String::new(),
        refused => format!(", {refused} refused"),
    };
    let current = report
        .current
        .rsplit("packages/")
        .next()
        .unwrap_or_default();
    format!(
        "{}{refused} {current}",
        counted(report.found, "package", "packages")
    )
}
