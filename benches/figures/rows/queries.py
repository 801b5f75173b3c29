"""Ten thousand questions, no two of them alike."""

import json
import random

from airlock import Server
from rows import row
from table import Figure, at_least, at_most
from wrk import listed, load

# Enough for all rounds at several times the goal, so that none is asked twice.
COUNT = 200_000
LEAST_ASKED = 10_000


@row("queries")
def different_queries(stand):
    """One connection, `wrk -t1 -c1`, walks a shuffled list of queries that all differ in what they mean, one in ten for
    categories; none is asked twice, and at least 10,000 are asked in all. p99 is the highest of the rounds."""
    file = stand.folder / "queries"
    with Server(stand.binary, stand.store) as server:
        with server.client() as client:
            packages = [package["name"] for package in json.loads(client.get("/search?prerelease=true"))]
            categories = [category["id"] for category in json.loads(client.get("/categories?prerelease=true"))]
        file.write_text("\n".join(queries(packages, categories)))
        loads, asked = [], 0
        while len(loads) < stand.rounds or (asked < LEAST_ASKED and not stand.is_quick):
            loads.append(load(server.url, stand.seconds, connections=1, threads=1, script=listed(file, asked)))
            asked += loads[-1].requests + 10
        if asked > COUNT:
            raise RuntimeError(f"{asked} queries were asked, of {COUNT} that differ")
    bounds = {"must": at_least(1000), "goal": at_least(3000)}
    yield Figure.of("different queries on one client", "/s", [one.per_second for one in loads], **bounds)
    slowest = max(one.p99_seconds for one in loads) * 1000
    yield Figure("different queries on one client, p99", "ms", slowest, must=at_most(20))


def queries(packages, categories):
    """Returns [`COUNT`] different queries in an order that is the same every time.

    A parameter that says what is so without it is never put in: two texts that mean the same would be one question.
    """
    chance = random.Random(4)
    versions = [f"{major}.{minor}.{patch}" for major in (7, 8, 9) for minor in range(20) for patch in range(20)]
    distinct = {}
    while len(distinct) < COUNT:
        parameters = {"kibana.version": chance.choice(versions)}
        path = "/categories" if chance.random() < 0.1 else "/search"
        if path == "/search":
            kind = chance.random()
            if kind < 0.4:
                parameters["package"] = chance.choice(packages)
            elif kind < 0.8:
                parameters["category"] = chance.choice(categories)
            maybe(chance, parameters, "all", "true")
            maybe(chance, parameters, "type", chance.choice(("integration", "input")))
        else:
            maybe(chance, parameters, "include_policy_templates", "true")
        maybe(chance, parameters, "prerelease", "true")
        maybe(chance, parameters, "capabilities", chance.choice(("observability", "security", "apm,security")))
        maybe(chance, parameters, "spec.max", f"{chance.randrange(1, 4)}.{chance.randrange(9)}")
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        distinct[f"{path}?{query}"] = None
    return distinct


def maybe(chance, parameters, name, value):
    if chance.random() < 0.3:
        parameters[name] = value
