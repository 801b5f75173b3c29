"""What a row of the table holds: a figure, what must hold of it and what is hoped for.

Knows nothing of how anything is measured.
"""

from dataclasses import dataclass
from statistics import median

HEADINGS = ("What", "Ours", "Theirs", "Ratio", "Must", "Goal", "")


@dataclass(frozen=True)
class Bound:
    """A limit for a figure, or for its ratio to the yardstick's."""

    limit: float
    is_floor: bool = False
    is_of_ratio: bool = False

    def holds(self, figure):
        value = figure.ratio if self.is_of_ratio else figure.ours
        return value >= self.limit if self.is_floor else value <= self.limit

    def text(self, unit):
        sign = "≥" if self.is_floor else "≤"
        return f"{sign} {self.limit:.2f} ×" if self.is_of_ratio else f"{sign} {quantity(self.limit, unit)}"


def at_most(limit):
    return Bound(limit)


def at_least(limit):
    return Bound(limit, is_floor=True)


def ratio_at_most(limit):
    return Bound(limit, is_of_ratio=True)


def ratio_at_least(limit):
    return Bound(limit, is_floor=True, is_of_ratio=True)


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ratio` is ours by theirs, whichever of the two is better when it is larger."""

    what: str
    unit: str
    ours: float
    theirs: float | None = None
    ratio: float | None = None
    must: Bound | None = None
    goal: Bound | None = None

    @classmethod
    def of(cls, what, unit, samples, **bounds):
        """Returns the figure of one value a round."""
        return cls(what, unit, median(samples), **bounds)

    @classmethod
    def in_pairs(cls, what, unit, pairs, **bounds):
        """Returns the figure of (ours, theirs) a round.

        The ratio is the median of the rounds' ratios, not the ratio of the medians: what disturbs one round disturbs
        both halves of it.
        """
        ours, theirs = zip(*pairs)
        ratio = median(our / their for our, their in pairs)
        return cls(what, unit, median(ours), median(theirs), ratio, **bounds)

    @property
    def misses_a_must(self):
        return self.must is not None and not self.must.holds(self)

    @property
    def verdict(self):
        if self.misses_a_must:
            return "MISSED"
        if self.goal and self.goal.holds(self):
            return "goal"
        return "must" if self.must else ""

    def cells(self):
        """Returns its cells in the order of [`HEADINGS`]."""
        return (
            self.what,
            quantity(self.ours, self.unit),
            "" if self.theirs is None else quantity(self.theirs, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.must.text(self.unit) if self.must else "",
            self.goal.text(self.unit) if self.goal else "",
            self.verdict,
        )


def quantity(value, unit):
    """Returns `value` with three significant digits or all before the point, and its unit."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    number = f"{value:,.{digits}f}"
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit}".strip()


def plain_line(cells):
    """Returns a line of the table for a terminal, in columns that are wide enough for most."""
    widths = (58, 13, 13, 6, 13, 13, 6)
    what, *rest = (cell.rjust(width) for cell, width in zip(cells, widths))
    return " ".join([what.lstrip().ljust(widths[0]), *rest]).rstrip()


def markdown_lines(figures):
    """Yields the table in Markdown."""
    yield "| " + " | ".join(HEADINGS) + " |"
    yield "|---|--:|--:|--:|--:|--:|---|"
    for figure in figures:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in figure.cells()) + " |"
