"""What `import nnlib` costs, where NumPy alone is the measure."""

import os
import subprocess
import sys
from statistics import quantiles

from tests.bench.results import ROOT, Measured
from tests.bench.table import markdown, short

TITLE = "Importing"
GOAL = 1.5
ROUNDS = 15
ABOUT = f"""\
CPU time of `import nnlib` as a multiple of that of `import numpy`, each in a fresh process, beyond
what Python needs to start. The lower quartile of {ROUNDS} processes each, in turns."""


def names() -> list[str]:
    return ["import"]


def measure(chosen: list[str]) -> Measured:
    codes = ("pass", "import numpy", "import nnlib")
    for code in codes:
        cpu_seconds(code)  # compiled from here on
    turns = [[cpu_seconds(code) for code in codes] for _ in range(ROUNDS)]
    start, numpy, nnlib = (quantiles(column)[0] for column in zip(*turns, strict=True))
    ratio = (nnlib - start) / (numpy - start)
    row = {"": "import nnlib / import numpy", "goal": GOAL, "measured": ratio}
    verdict = "met" if ratio <= GOAL else "**missed**"
    print(f"import: {short(ratio)} of numpy's time, goal {GOAL}: {verdict}")
    return Measured([ABOUT, "", *markdown([row | {" ": verdict}])], {row[""]: ratio})


def cpu_seconds(code: str) -> float:
    """What a fresh Python has used when it has run the code."""
    run = [sys.executable, "-c", f"{code}\nimport time; print(time.process_time())"]
    # An empty setting lets Python keep what it has compiled.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, check=True)
    return float(done.stdout)
