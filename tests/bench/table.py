"""Tables of results, as text for a terminal and as Markdown."""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

Row = Mapping[str, Any]


def print_table(title: str, rows: Iterable[Row]) -> None:
    """Print rows of numbers, one per seed, and their mean.

    Example:
        >>> print_table("Digits", [{"seed": 0, "accuracy": 0.97}, {"seed": 1, "accuracy": 0.96}])
        Digits
        seed  accuracy
           0      0.97
           1      0.96
        mean     0.965
    """
    print("\n".join([title, *text(with_mean(rows))]))


def with_mean(rows: Iterable[Row]) -> list[Row]:
    """The rows, and one more with the mean of each column; the first column names the row."""
    rows = list(rows)
    name, *columns = rows[0]
    return [*rows, {name: "mean"} | {k: fmean(row[k] for row in rows) for k in columns}]


def text(rows: Iterable[Row]) -> list[str]:
    """Columns that stand under each other."""
    lines = _cells(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.rjust, line, widths)) for line in lines]


def markdown(rows: Iterable[Row]) -> list[str]:
    """A Markdown table; columns of numbers stand to the right.

    Example:
        >>> print("\\n".join(markdown([{"what": "time", "ratio": 0.52345}])))
        | what | ratio |
        |---|--:|
        | time | 0.523 |
    """
    rows = list(rows)
    head, *lines = _cells(rows)
    words = {k for row in rows for k, v in row.items() if isinstance(v, str) and v}
    rule = "|".join("---" if column in words else "--:" for column in head)
    return [f"| {' | '.join(line)} |" if line else f"|{rule}|" for line in (head, [], *lines)]


def _cells(rows: Iterable[Row]) -> list[list[str]]:
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return [columns, *([short(row.get(key, "")) for key in columns] for row in rows)]


def short(value: Any) -> str:
    """Three digits of a number, all of a whole one; words as they are."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
