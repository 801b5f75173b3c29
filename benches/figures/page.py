"""docs/performance.md: the table, how its rows are measured, and on what."""

import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from textwrap import fill

from stand import CHECKOUT
from table import markdown_lines

HEAD = """# Performance

What is asked of airlock and what it does, measured against what people would use otherwise. This page is written by
`python3 benches/figures --markdown docs/performance.md`, which needs Debian, Rust and the 8.5.0 snapshot in the folder
`AIRLOCK_SHARED`, and ends with 1 if a must is missed.

"""


def page(stand, outcomes):
    """Returns the page."""
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    lines = [HEAD + wrapped(conditions(stand)), "", *markdown_lines(figures), "", "## How", ""]
    lines += [wrapped(f"- **{outcome.row.name}**: {how(outcome)}", indent="  ") for outcome in outcomes]
    for title, text in stand.appendices:
        lines += ["", f"## {title}", "", text]
    return "\n".join(lines) + "\n"


def wrapped(text, indent=""):
    return fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def how(outcome):
    """Returns how a row is measured, and what kept it from being."""
    if outcome.left_out:
        return f"left out, {outcome.left_out}."
    return outcome.row.how + (f" **It failed: {outcome.failure}.**" if outcome.failure else "")


def conditions(stand):
    """Returns the paragraph that says what was measured where."""
    return (
        f"{'Commit' if stand.is_built_here else 'A binary that was given, beside commit'} {commit()}, "
        f"{datetime.now(timezone.utc):%Y-%m-%d}; {len(os.sched_getaffinity(0))} cores of {processor()}, "
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
