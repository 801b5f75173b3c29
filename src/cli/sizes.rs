//! `airlock sizes`: what each branch takes, and what deleting it would free.

use std::process::ExitCode;

use super::door::Door;
use super::{CliError, Common};
use crate::admin::sizes::{SizeReport, SizesReport};
use crate::admin::wording::{counted, grouped, size};

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let door = Door::open(common)?;
    common.print(&door.sizes()?, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(sizes: &SizesReport) -> String {
    let mut lines = vec![["branch", "kind", "versions", "takes", "alone"].map(str::to_owned)];
    let line = |name: &str, kind: &str, size: &SizeReport| {
        let SizeReport {
            versions,
            bytes,
            own_bytes,
        } = *size;
        let bytes = [bytes, own_bytes].map(self::size);
        let [takes, alone] = bytes;
        [
            name.to_owned(),
            kind.to_owned(),
            grouped(versions),
            takes,
            alone,
        ]
    };
    for branch in &sizes.branches {
        lines.push(line(&branch.branch, &branch.kind, &branch.size));
    }
    for (name, size) in [
        ("(history)", &sizes.history),
        ("(plans)", &sizes.plans),
        ("(quarantine)", &sizes.quarantine),
    ] {
        if size.versions > 0 {
            lines.push(line(name, "", size));
        }
    }
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for [name, kind, versions, takes, alone] in &lines {
        let [a, b, c, d, e] = widths;
        let line = format!("{name:a$}  {kind:b$}  {versions:>c$}  {takes:>d$}  {alone:>e$}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let bytes = [sizes.file_bytes, sizes.unused_bytes, sizes.free_bytes].map(size);
    let [file, unused, free] = bytes;
    text.push_str(&format!(
        "The store takes {file}; what branches share is there once, and `alone` is what is free without a branch.\n"
    ));
    if sizes.unused_bytes > 0 || sizes.free_bytes > 0 {
        text.push_str(&format!(
            "Nothing needs {unused}, and {free} are free: `airlock gc` gives them back.\n"
        ));
    }
    if sizes.branches.is_empty() {
        return format!(
            "There is no branch yet; `airlock import` makes the first. The store takes {file}, {}.\n",
            counted(
                sizes.plans.versions,
                "package version waits",
                "package versions wait"
            )
        );
    }
    text
}
