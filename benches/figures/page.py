"""docs/performance.md: the table, how its rows are measured, and on what."""

import os
import platform
import re
import subprocess
from datetime import datetime, timezone

from stand import CHECKOUT
from table import markdown_lines

HEAD = """# Performance

What is asked of airlock and what it does, measured against what people would use otherwise. This page is written by
`python3 benches/figures --markdown docs/performance.md`, which needs Debian, Rust and the 8.5.0 snapshot in the folder
`AIRLOCK_SHARED`, and ends with 1 if a must is missed.

"""


def page(stand, measured, skipped):
    """Returns the page. `measured` are (row, its figures), `skipped` are (row, why)."""
    figures = [figure for _, figures in measured for figure in figures]
    lines = [HEAD + conditions(stand), "", *markdown_lines(figures), "", "## How", ""]
    lines += [f"- **{row.name}**: {row.how}" for row, _ in measured]
    lines += [f"- **{row.name}**: left out, {why}." for row, why in skipped]
    for title, text in stand.appendices:
        lines += ["", f"## {title}", "", text]
    return "\n".join(lines) + "\n"


def conditions(stand):
    """Returns the paragraph that says what was measured where."""
    return (
        f"Commit {commit()}, {datetime.now(timezone.utc):%Y-%m-%d}; {len(os.sched_getaffinity(0))} cores of {processor()}, "
        f"Linux {platform.release()}; {said(['nginx', '-v'], r'nginx/[0-9.]+')}, {said(['wrk', '-v'], r'wrk [^ ]+')}. "
        f"Medians of {stand.rounds} rounds, ours and theirs in turn; {stand.seconds} s a round of load. "
        "The access log is off on both sides (`access_log off`, `RUST_LOG=warn`). A ratio is ours by theirs: for times "
        "small is good, for rates (`/s`) large is. MB are 10⁶ bytes, MiB 2²⁰."
    )


def commit():
    """Returns the short id of what is checked out, and says so where files differ from it."""
    git = ["git", "-C", CHECKOUT]
    head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "--", "src", "Cargo.lock"], capture_output=True).stdout
    return f"{head or 'unknown'}{' with changes' if changed else ''}"


def processor():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def said(command, pattern):
    """Returns what of a command's output fits `pattern`; both of them print their version where others print errors."""
    outcome = subprocess.run(command, capture_output=True, text=True)
    return re.search(pattern, outcome.stdout + outcome.stderr)[0]
