//! What hostile input costs: each of the dear ones imported by a process of its own, its CPU and memory held against what
//! is promised.
//!
//! `cargo bench --bench hostile_input [-- [--markdown] [WORD…]]`: WORDs choose the inputs with one of them in their name.
//! CPU is user and system time of the whole process, opening the store included, divided by the MB read: by the size of
//! the source, at least 1 MB. Memory is the largest resident set beyond the window the source makes its decompressor
//! hold. The exit status is 1 when one is over. An import that stops with an error is held against the whole of its
//! source, though it read less: an operator offered that much.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run may panic")]

#[path = "../tests/support/archives.rs"]
mod archives;
#[path = "hostile_input/inputs.rs"]
mod inputs;
#[path = "../tests/support/trees.rs"]
mod trees;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

const MAX_CPU_SECONDS_PER_MB: f64 = 1.0;
const MAX_MEMORY_MIB: f64 = 192.0;
const MB: f64 = 1e6;

/// What an import came to.
struct Measured {
    source_bytes: usize,
    cpu_seconds: f64,
    memory_mib: f64,
    said: String,
}

impl Measured {
    fn cpu_seconds_per_mb(&self) -> f64 {
        self.cpu_seconds / (self.source_bytes as f64 / MB).max(1.0)
    }

    fn is_within(&self) -> bool {
        self.cpu_seconds_per_mb() <= MAX_CPU_SECONDS_PER_MB && self.memory_mib <= MAX_MEMORY_MIB
    }
}

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [mode, source] = &arguments[..]
        && mode == "--measure"
    {
        measure_child(Path::new(source));
        return ExitCode::SUCCESS;
    }
    let is_markdown = arguments.iter().any(|argument| argument == "--markdown");
    let words: Vec<&String> = arguments.iter().filter(|a| !a.starts_with("--")).collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(*word));

    print_head(is_markdown);
    let mut over = 0;
    for input in inputs::inputs()
        .into_iter()
        .filter(|input| chosen(input.name))
    {
        let measured = measure(&input);
        over += usize::from(!measured.is_within());
        print_row(is_markdown, input.name, &measured);
    }
    println!("\n{over} over {MAX_CPU_SECONDS_PER_MB} CPU s/MB or {MAX_MEMORY_MIB} MiB");
    ExitCode::from(u8::from(over > 0))
}

/// Imports an input in a process of its own.
fn measure(input: &inputs::Input) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("source");
    let bytes = (input.build)();
    let source_bytes = bytes.len();
    std::fs::write(&path, bytes).unwrap();
    // A resident set is known of all children together only, and one that is about to become another program counts its
    // parent's: so a small process in between has but one child.
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("--measure")
        .arg(&path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let mut number = || lines.next().unwrap().parse::<f64>().unwrap();
    Measured {
        source_bytes,
        cpu_seconds: number(),
        // A window that was announced and not filled takes no memory.
        memory_mib: (number() - input.window_mib).max(0.0),
        said: lines.next().unwrap_or_default().to_owned(),
    }
}

/// Runs the product on `source` and prints its CPU seconds, its largest resident set in MiB and what it said, a line
/// each.
fn measure_child(source: &Path) {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_airlock"))
        .args(["import", "--quiet", "--dry-run", "--release", "8.5.0"])
        .arg("--data-dir")
        .arg(data.path())
        .arg(source)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    println!(
        "{}",
        seconds(usage.user_time()) + seconds(usage.system_time())
    );
    println!("{}", usage.max_rss() as f64 / 1024.0);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = said
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("Hint"));
    let said = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    println!(
        "{}",
        if output.status.success() {
            "imported".to_owned()
        } else {
            said
        }
    );
}

fn print_head(is_markdown: bool) {
    if is_markdown {
        println!("| Input | MB | CPU s | CPU s/MB | MiB beyond the window | |");
        println!("|---|---|---|---|---|---|");
    } else {
        println!(
            "{:<52} {:>7} {:>7} {:>8} {:>7}",
            "input", "MB", "CPU s", "s/MB", "MiB"
        );
    }
}

fn print_row(is_markdown: bool, name: &str, measured: &Measured) {
    let verdict = if measured.is_within() { "" } else { "OVER" };
    let mb = measured.source_bytes as f64 / MB;
    let (cpu, per_mb) = (measured.cpu_seconds, measured.cpu_seconds_per_mb());
    let memory = measured.memory_mib;
    if is_markdown {
        println!("| {name} | {mb:.2} | {cpu:.2} | {per_mb:.2} | {memory:.0} | {verdict} |");
    } else {
        println!("{name:<52} {mb:>7.2} {cpu:>7.2} {per_mb:>8.2} {memory:>7.0} {verdict}");
        println!("    {:.150}", measured.said);
    }
}
