"""wrk: closed-loop load, one run a call."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from textwrap import dedent

# Without a `request` of its own a script costs nothing: wrk then sends the same bytes again and again.
REPORT = """
    done = function(summary, latency)
        local errors = summary.errors
        io.write(string.format(
            '\\n{"requests":%d,"microseconds":%d,"errors":%d,"p99_microseconds":%d}\\n',
            summary.requests, summary.duration,
            errors.connect + errors.read + errors.write + errors.timeout + errors.status,
            latency:percentile(99)))
    end
"""

# Each thread walks the list from a place of its own.
LISTED = """
    local listed, at = {}, 0
    local threads = 0
    setup = function(thread)
        thread:set("place", threads)
        threads = threads + 1
    end
    init = function()
        for path in io.lines("%(list)s") do listed[#listed + 1] = path end
        at = %(first)d + place * math.floor(#listed / 2)
    end
    request = function()
        at = at + 1
        local path = listed[(at - 1) %% #listed + 1]
        return wrk.format("GET", path)
    end
"""

# Numbers that no other run and no other thread has.
NUMBERED = """
    local threads = 0
    local at
    setup = function(thread)
        thread:set("place", threads)
        threads = threads + 1
    end
    init = function() at = %(first)d + place * 1000000 end
    request = function()
        at = at + 1
        return wrk.format("GET", "%(path)s" .. at)
    end
"""


@dataclass(frozen=True)
class Load:
    """What a run came to. A run with one failed request raises instead."""

    requests: int
    per_second: float
    p99_seconds: float


def load(url, seconds, gzip=False, connections=16, threads=2, script=""):
    """Loads one URL, or what `script` asks for, and returns what came of it.

    Two threads: one alone is slower than either server, which would make them look alike.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(dedent(script) + dedent(REPORT))
        lua.flush()
        command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", lua.name]
        if gzip:
            command += ["-H", "Accept-Encoding: gzip"]
        output = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    report = json.loads(output.strip().splitlines()[-1])
    if report["errors"] or not report["requests"]:
        raise RuntimeError(f"{url}: {output}")
    return Load(
        report["requests"],
        report["requests"] / (report["microseconds"] / 1e6),
        report["p99_microseconds"] / 1e6,
    )


def listed(paths_file, first=0):
    """Returns the script that asks for the paths in a file, one a line, from number `first` on."""
    return LISTED % {"list": paths_file, "first": first}


def numbered(path, first):
    """Returns the script that asks for `path` with a number after it, `first` and a million a thread upwards."""
    return NUMBERED % {"path": path, "first": first}
