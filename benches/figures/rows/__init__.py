"""The rows of the table, in its order. What a row's docstring says is printed under the table."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """A row, or several that are measured at once: `measure` takes the stand and yields figures."""

    name: str
    measure: Callable

    @property
    def how(self):
        return " ".join(self.measure.__doc__.split())


@dataclass
class Outcome:
    """What came of a row: its figures, and why there are none or not all of them."""

    row: Row
    figures: list = field(default_factory=list)
    left_out: str = ""
    failure: str = ""


ROWS: list[Row] = []


def row(name):
    """Makes a function a row."""

    def add(measure):
        ROWS.append(Row(name, measure))
        return measure

    return add


# Importing them adds their rows, in this order.
from rows import importing, serving, tls, zips, queries, synthetic, busy, hostile  # noqa: E402, F401
