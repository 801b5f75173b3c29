//! Free bytes of the disk, a point a day, as a line; the last one stands in words beside it.

use std::fmt::Write;

use crate::store::disk_samples::DiskSample;

const WIDTH: u64 = 240;
const HEIGHT: u64 = 36;

/// Returns the line as SVG; `None` where there are too few days to see one.
pub(super) fn draw(samples: &[DiskSample], says: &str) -> Option<String> {
    let (first, last) = (samples.first()?, samples.last()?);
    let span = u64::try_from((last.day - first.day).get_days())
        .ok()
        .filter(|days| *days > 1)?;
    let most = samples
        .iter()
        .map(|it| it.free_bytes)
        .max()
        .filter(|bytes| *bytes > 0)?;
    let mut points = String::new();
    for sample in samples {
        let days = u64::try_from((sample.day - first.day).get_days()).unwrap_or_default();
        let height = u128::from(sample.free_bytes) * u128::from(HEIGHT - 4) / u128::from(most);
        let y = u128::from(HEIGHT - 2) - height;
        // Writing to a string does not fail.
        let _ = write!(points, "{},{y} ", days * (WIDTH - 4) / span);
    }
    let points = points.trim_end();
    Some(format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{says}\"><title>{says}</title><path class=\"l\" d=\"M0 {b}H{WIDTH}\"/><polyline class=\"t\" points=\"{points}\"/></svg>",
        b = HEIGHT - 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_needs_days_and_stays_within_its_frame() {
        let sample = |day: &str, free_bytes| DiskSample {
            day: day.parse().unwrap(),
            store_bytes: 1,
            free_bytes,
        };
        assert_eq!(draw(&[], ""), None);
        assert_eq!(draw(&[sample("2026-11-22", 1)], ""), None);
        let days = [
            sample("2026-11-20", u64::MAX),
            sample("2026-11-21", 0),
            sample("2026-11-22", u64::MAX),
        ];
        let svg = draw(&days, "free").unwrap();
        assert!(svg.contains("points=\"0,2 118,34 236,2\""), "{svg}");
    }
}
