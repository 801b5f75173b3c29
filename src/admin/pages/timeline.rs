//! The timeline: distributions as lanes, change sets as ticks that lead to them.

use std::fmt::Write;

use jiff::Timestamp;

use super::frame::Frame;
use crate::admin::history::ChangeSetReport;
use crate::admin::wording::day;

/// Lanes that are drawn.
const MOST_LANES: usize = 8;
const LEFT: usize = 140;
const WIDTH: usize = 780;
const STEP: usize = 24;

/// Returns the drawing of these change sets, the newest first, as SVG; `None` where there are too few to see anything.
pub(super) fn draw(history: &[ChangeSetReport], frame: &Frame) -> Option<String> {
    let time = |it: &ChangeSetReport| it.at.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let (first, last) = (time(history.last()?)?, frame.now.as_second());
    if history.len() < 2 || last <= first {
        return None;
    }
    let lanes = lanes(history);
    let height = lanes.len() * STEP + 24;
    let mut svg = format!(
        "<svg class=\"plot\" viewBox=\"0 0 960 {height}\" width=\"960\" height=\"{height}\" role=\"group\" aria-label=\"Changes over time, a lane for each branch or distribution\">"
    );
    // Writing to a string does not fail.
    for (lane, name) in lanes.iter().enumerate() {
        let y = lane * STEP + 16;
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\">{}</text><path class=\"l\" d=\"M{LEFT} {y}H{}\"/>",
            y + 4,
            escaped(name),
            LEFT + WIDTH
        );
    }
    for change in history {
        let Some(at) = time(change) else { continue };
        let share = (at - first).clamp(0, last - first) as usize * WIDTH / (last - first) as usize;
        for name in touched(change) {
            let Some(lane) = lanes.iter().position(|it| *it == name) else {
                continue;
            };
            let _ = write!(
                svg,
                "<a href=\"{}\"><rect class=\"a\" x=\"{}\" y=\"{}\" width=\"4\" height=\"16\"><title>Change {} to {}</title></rect></a>",
                escaped(&frame.to(format_args!("/changes/{}", change.number))),
                LEFT + share - share.min(2),
                lane * STEP + 8,
                change.number,
                escaped(name)
            );
        }
    }
    let begins = Timestamp::from_second(first).map(day).unwrap_or_default();
    let _ = write!(
        svg,
        "<text class=\"q\" x=\"{LEFT}\" y=\"{b}\">{begins}</text><text class=\"q\" x=\"{}\" y=\"{b}\" text-anchor=\"end\">now</text></svg>",
        LEFT + WIDTH,
        b = height - 2
    );
    Some(svg)
}

/// Returns what changed most lately, each once.
fn lanes(history: &[ChangeSetReport]) -> Vec<&str> {
    let mut lanes = Vec::new();
    for name in history.iter().flat_map(touched) {
        if !lanes.contains(&name) && lanes.len() < MOST_LANES {
            lanes.push(name);
        }
    }
    lanes
}

fn touched(change: &ChangeSetReport) -> impl Iterator<Item = &str> {
    let changes = &change.changes;
    let distributions = changes
        .distributions
        .iter()
        .map(|it| it.distribution.as_str());
    let branches = changes.branches.iter().map(|it| it.branch.as_str());
    let holds = changes
        .holds
        .iter()
        .filter_map(|it| it.hold.distribution.as_deref());
    let mut names: Vec<_> = distributions.chain(branches).chain(holds).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
