"""How long the lessons run: a learner waits for each of them."""

import time

from nncheck import notebooks
from tests.bench.results import ROOT, Measured
from tests.bench.table import markdown, short

TITLE = "Running the lessons"
LIMIT, LONG, LONGER, ALL = 20, 5, 60, 360  # seconds; this many lessons may take LONGER
ABOUT = f"""\
Each lesson run once from top to bottom, in a kernel of its own with one thread for arithmetic; the
kernel's start is included. Goals: {LIMIT} s each, {LONGER} s for at most {LONG} of them,
{ALL // 60} minutes for all together."""


def names() -> list[str]:
    return ["lessons"]


def measure(_chosen: list[str]) -> Measured:
    took = {}
    for path in sorted((ROOT / "course").glob("*.ipynb")):
        before = time.perf_counter()
        notebooks.execute(notebooks.read(path), path.parent)
        took[path.stem] = time.perf_counter() - before
        print(f"{path.stem}: {short(took[path.stem])} s")
    long = [name for name, seconds in took.items() if seconds > LIMIT]
    slowest = max(took, key=took.__getitem__)
    verdicts = [
        (f"lessons above {LIMIT} s: {', '.join(long) or 'none'}", len(long), LONG),
        (f"the longest, {slowest}, s", took[slowest], LONGER),
        ("all together, s", sum(took.values()), ALL),
    ]
    table = [
        {
            "": what,
            "measured": found,
            "at most": most,
            " ": "met" if found <= most else "**missed**",
        }
        for what, found, most in verdicts
    ]
    each = [{"lesson": name, "seconds": round(seconds, 1)} for name, seconds in took.items()]
    return Measured([ABOUT, "", *markdown(table), "", *markdown(each)])
