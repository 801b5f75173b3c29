"""Measures airlock against its yardsticks and prints what must hold, what is hoped for and what is.

    python3 benches/figures [--only ROW …] [--rounds N] [--quick] [--markdown FILE]

Needs Python 3.11 and nothing of others; builds airlock by itself and installs nginx and wrk where they are missing. Takes
some ten minutes, of 2 cores that do nothing else. Ends with 1 if a must is missed.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from page import page
from rows import ROWS
from stand import Skipped, Stand, built_binary, install_tools
from table import plain_lines


def main():
    arguments = parsed()
    install_tools()
    binary = arguments.binary or built_binary()
    folder = Path(tempfile.mkdtemp(prefix="airlock-figures-", dir=arguments.folder))
    try:
        seconds = 1 if arguments.quick else arguments.seconds
        stand = Stand(binary.resolve(), folder, arguments.rounds, seconds, arguments.quick)
        measured, skipped = measure(stand, [row for row in ROWS if row.name in arguments.only])
    finally:
        shutil.rmtree(folder)
    if arguments.markdown:
        arguments.markdown.write_text(page(stand, measured, skipped))
    missed = [figure.what for _, figures in measured for figure in figures if figure.misses_a_must]
    for what in missed:
        print(f"missed: {what}")
    return 1 if missed else 0


def measure(stand, rows):
    """Returns (row, its figures) and (row, why it was left out), and prints each figure as it comes."""
    measured, skipped = [], []
    print("access logs off on both sides; ratio: ours by theirs")
    print(*plain_lines([]), sep="\n", flush=True)
    for row in rows:
        begun = time.monotonic()
        try:
            figures = []
            for figure in row.measure(stand):
                figures.append(figure)
                print(list(plain_lines([figure]))[1], flush=True)
            measured.append((row, figures))
            print(f"{row.name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        except Skipped as why:
            print(f"{row.name}: left out, {why}", flush=True)
            skipped.append((row, why))
    return measured, skipped


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
