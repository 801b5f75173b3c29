"""Measures airlock against its yardsticks and prints what must hold, what is hoped for and what is.

    python3 benches/figures [--only ROW …] [--rounds N] [--quick] [--markdown FILE]

Needs Python 3.11 and nothing of others; builds airlock by itself and installs nginx and wrk where they are missing.
Takes some twelve minutes, of 2 cores that do nothing else. Ends with 1 if a must is missed or a row cannot be measured.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from page import page
from rows import ROWS, Outcome
from stand import Skipped, Stand, built_binary, install_tools
from table import HEADINGS, plain_line


def main():
    arguments = parsed()
    install_tools()
    # So that who ends the run by `kill` or `timeout` finds nothing left of it either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    binary = arguments.binary or built_binary()
    folder = Path(tempfile.mkdtemp(prefix="airlock-figures-", dir=arguments.folder))
    try:
        stand = Stand(
            binary.resolve(),
            folder,
            rounds=arguments.rounds,
            seconds=1 if arguments.quick else arguments.seconds,
            is_quick=arguments.quick,
            is_built_here=arguments.binary is None,
        )
        print("access logs off on both sides; ratio: ours by theirs")
        print(plain_line(HEADINGS), flush=True)
        outcomes = [measure(stand, row) for row in ROWS if row.name in arguments.only]
    finally:
        shutil.rmtree(folder)
    if arguments.markdown:
        arguments.markdown.write_text(page(stand, outcomes))
    missed = [figure.what for outcome in outcomes for figure in outcome.figures if figure.misses_a_must]
    missed += [f"{outcome.row.name}: {outcome.failure}" for outcome in outcomes if outcome.failure]
    for what in missed:
        print(f"missed: {what}")
    return 1 if missed else 0


def measure(stand, row):
    """Returns the outcome of a row, and prints each figure as it comes."""
    begun = time.monotonic()
    outcome = Outcome(row)
    try:
        for figure in row.measure(stand):
            outcome.figures.append(figure)
            print(plain_line(figure.cells()), flush=True)
    except Skipped as why:
        outcome.left_out = str(why)
        print(f"{row.name}: left out, {why}", flush=True)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        # The other rows are still worth having.
        outcome.failure = str(error)
        traceback.print_exc()
    print(f"{row.name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return outcome


def parsed():
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ROW", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds a row [5]")
    parser.add_argument("--seconds", type=int, default=2, metavar="N", help="seconds of load a round [2]")
    parser.add_argument("--quick", action="store_true", help="one second of load, few slow clients: to try it out")
    parser.add_argument("--binary", type=Path, metavar="FILE", help="measure this one, do not build")
    parser.add_argument("--folder", type=Path, default="/var/tmp", help="work here, on a disk [/var/tmp]")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
