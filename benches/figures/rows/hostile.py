"""Hostile input: how much CPU and memory it takes, by the bench that has it."""

import subprocess

from rows import row
from stand import CHECKOUT, Skipped
from table import Figure, at_most


@row("hostile")
def hostile_input(stand):
    """`cargo bench --bench hostile_input`: its table stands below; it fails where an input takes over a second of CPU
    for each MB read, or more memory than an import may."""
    if not (CHECKOUT / "benches" / "hostile_input.rs").exists():
        raise Skipped("benches/hostile_input.rs is not there")
    command = ["cargo", "bench", "--locked", "--bench", "hostile_input", "--", "--markdown"]
    outcome = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    stand.appendices.append(("Hostile input", outcome.stdout.strip()))
    yield Figure("hostile inputs: the bench fails", "", int(outcome.returncode != 0), must=at_most(0))
