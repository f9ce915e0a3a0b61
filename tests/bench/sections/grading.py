"""Grading a class: how many submissions a minute, and what fences and borders cost."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from nncheck import child, confine, exercise, submission, zygote
from nncheck.answer import Limits, Remote
from nncheck.child import Fenced
from nncheck.diagnose import Trial
from nncheck.gradebook import Gradebook
from nncheck.notebooks import read
from tests.bench.results import ROOT, Measured
from tests.bench.table import markdown, short
from tests.nncheck import nbgrader_site

TITLE = "Grading"
CLASS = 40  # learners, with every exercise
CLASS_TORCH = 150  # learners, with one exercise
COLD = 6  # submissions that get a process of their own, or a kernel
KILLS = 100
BESIDE, FEW = ("11_neuron", "22_autograd"), 10  # exercises and learners that nbgrader grades too
ABOUT = f"""\
`nncheck grade` on every exercise of the course for {CLASS} learners, two in three with the solution
and one with the untouched exercise, and on a small one in torch for {CLASS_TORCH}; the start of all
processes is included. Beside it some of the same notebooks one by one: `nncheck check`
in fresh processes for each, and run by nbclient as they are, which checks nothing. And
{len(BESIDE)} exercises of {FEW} learners by `nbgrader autograde`, which gives the same points.
Ratios are of wall time in one run, of one grading process."""

TORCH = '''"""Exercise 01: torch."""

import torch
from nncheck import call, question

USES = "torch"


def right(x):
    return torch.relu(torch.as_tensor(x)).sum()


@question(points=1, right=right, hints=("?", "?", "?"))
def total(rng):
    """The sum of what is positive."""
    yield call, rng.normal(size=(3, 5))
'''


class Row(NamedTuple):
    """One line of the table."""

    what: str
    measured: float | str
    goal: str
    met: bool


def names() -> list[str]:
    return ["grading"]


def measure(chosen: list[str]) -> Measured:
    if sys.platform != "linux":
        return Measured([ABOUT, "", "Not measured: the fences are built on what Linux has."])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        minute, ratios = throughput(place)
        rows = [
            Row(
                "NumPy submissions a minute, two processes",
                minute["numpy"],
                ">= 800",
                minute["numpy"] >= 800,
            ),
            Row(
                "torch submissions a minute, two processes",
                minute["torch"],
                ">= 300",
                minute["torch"] >= 300,
            ),
            Row(
                "times as many as a cold process each", ratios["cold"], ">= 8", ratios["cold"] >= 8
            ),
            Row(
                "times as many as nbclient runs",
                ratios["nbclient"],
                ">= 30",
                ratios["nbclient"] >= 30,
            ),
        ]
        if nbgrader_site.INSTALLED:
            more = beside_nbgrader(place / "site")
            rows.append(Row("times as many as nbgrader autograde", more, ">= 20", more >= 20))
        rows += [*starts(), *round_trips(), fences(), runaway(), *in_the_notebook()]
        rows.append(killed(place))
    for row in rows:
        print(
            f"{row.what}: {short(row.measured)}, goal {row.goal}: {'met' if row.met else 'missed'}"
        )
    table = [
        {"": r.what, "measured": r.measured, "goal": r.goal, " ": "met" if r.met else "**missed**"}
        for r in rows
    ]
    figures = {
        "grade / a cold process each": 1 / ratios["cold"],
        "grade / nbclient": 1 / ratios["nbclient"],
    }
    return Measured([ABOUT, "", *markdown(table)], figures)


# ------------------------------------------------------------------------- a class


def throughput(place: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Submissions a minute by kind, and how many times as many as in two other ways."""
    numpy, handed = place / "numpy", []
    for i in range(CLASS):
        for name in exercise.names():
            nb = json.loads(
                (ROOT / ("solutions" if i % 3 else "exercises") / f"{name}.ipynb").read_text()
            )
            nb["metadata"]["learner"] = i
            handed.append(write(numpy / f"learner{i:03d}" / f"{name}.ipynb", json.dumps(nb)))
    torch, course = place / "torch", place / "course"
    write(course / "exercises" / "checks" / "01_torch.py", TORCH)
    for i in range(CLASS_TORCH):
        source = (
            f"import torch\ndef total(x):\n    return torch.relu(torch.as_tensor(x)).sum()  # {i}"
        )
        nb = {"cells": [{"cell_type": "code", "source": source, "id": "a"}]}
        write(torch / f"learner{i:03d}" / "01_torch.ipynb", json.dumps(nb))
    two = {
        "numpy": per_minute(numpy, len(handed), jobs=2),
        "torch": per_minute(torch, CLASS_TORCH, jobs=2, exercises=course),
    }
    one = per_minute(numpy, len(handed), jobs=1)
    some = handed[len(exercise.names()) :][:COLD]  # a learner who has done everything
    ratios = {
        "cold": one * seconds(lambda: [cold(path) for path in some]) / 60 / len(some),
        "nbclient": one * seconds(lambda: [run_notebook(path) for path in some]) / 60 / len(some),
    }
    return two, ratios


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def per_minute(folder: Path, count: int, jobs: int, exercises: Path = ROOT) -> float:
    """How many submissions a minute the command grades, its start included."""
    book = folder.with_name(f"{folder.name}{jobs}.db")
    asked = command(folder, book, jobs, exercises)
    took = seconds(lambda: subprocess.run(asked, stdout=subprocess.DEVNULL, check=True))
    with Gradebook(book) as opened:
        assert len(opened.standings()) == count
        assert any(s.points for s in opened.standings())
    return 60 * count / took


def command(folder: Path, book: Path, jobs: int, exercises: Path = ROOT) -> list[str]:
    asked = [sys.executable, "-m", "nncheck", "grade", str(folder), "--gradebook", str(book)]
    return [*asked, "--jobs", str(jobs), "--exercises", str(exercises)]


def seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def cold(path: Path):
    """Check one submission in processes that are started for it."""
    asked = [sys.executable, "-m", "nncheck", "check", str(path), "--ci"]
    subprocess.run(asked, stdout=subprocess.DEVNULL, check=True)


def run_notebook(path: Path):
    """What every grader that runs notebooks does first."""
    from nbclient import NotebookClient

    NotebookClient(read(path), timeout=60, kernel_name="python3").execute()


def beside_nbgrader(site: Path) -> float:
    """How many times as many submissions a minute as nbgrader, of the same notebooks."""
    for name in BESIDE:
        solution, blank = (
            (ROOT / folder / f"{name}.ipynb").read_text() for folder in ("solutions", "exercises")
        )
        write(site / "source" / name / f"{name}.ipynb", solution)
        nbgrader_site.run(site, "nbgrader", "generate_assignment", name)
        for i in range(FEW):
            path = site / "submitted" / f"learner{i:02d}" / name / f"{name}.ipynb"
            write(path, solution if i % 3 else blank)
    ours = per_minute(site / "submitted", len(BESIDE) * FEW, jobs=1)
    took = seconds(lambda: [nbgrader_site.run(site, "nbgrader", "autograde", n) for n in BESIDE])
    return ours * took / 60 / len(BESIDE) / FEW


# --------------------------------------------------------------------- borders and fences


def starts() -> list[Row]:
    """From asking for a worker to the reply of its first call."""
    found = []
    for uses, goal in (("numpy", 15), ("torch", 30)):
        started(uses)
        took = 1000 * median(seconds(lambda uses=uses: started(uses)) for _ in range(15))
        found.append(
            Row(f"from fork to the first reply, {uses}, ms", took, f"<= {goal}", took <= goal)
        )
    return found


def started(uses: str):
    worker = child.start(uses, 1 << 30)
    assert isinstance(worker, Fenced)
    worker.ask("start", uses, [], seconds=60)
    worker.ask("cell", "c", "def f(x):\n    return x", ["f"], seconds=10)
    worker.ask("call", worker.keep(exercise.call, 10), ["f"], [1.0], seconds=10)
    worker.kill()


def round_trips() -> list[Row]:
    worker = child.start("numpy", 1 << 30)
    worker.ask("start", "numpy", [], seconds=60)
    worker.ask("cell", "c", "def f(x):\n    return x", ["f"], seconds=10)
    key, found = worker.keep(exercise.call, 10), []
    for what, data, goal in (("a number", 1.0, 0.3), ("1 MB", np.zeros(2**17), 3.0)):
        ask = lambda data=data: worker.ask("call", key, ["f"], [data], seconds=10)  # noqa: E731
        took = 1000 * median(seconds(ask) for _ in range(100))
        found.append(Row(f"there and back, {what}, ms", took, f"<= {goal}", took <= goal))
    worker.kill()
    return found


def fences() -> Row:
    """What putting up every fence takes, in a process that was forked for it."""
    rules = confine.ruleset(zygote.readable("numpy"))
    took = []
    for _ in range(15):
        here, there = os.pipe()
        pid = os.fork()
        if pid == 0:
            before = time.perf_counter()
            confine.confine(confine.Bounds(), rules)
            os.write(there, b"%f" % (1000 * (time.perf_counter() - before)))
            os._exit(0)
        os.close(there)
        with os.fdopen(here) as line:
            took.append(float(line.read()))
        os.waitpid(pid, 0)
    middle = median(took)
    return Row("all fences of a submission, ms", middle, "<= 3", middle <= 3)


def runaway() -> Row:
    """How long after its limit a cell that never ends is stopped."""
    name = exercise.names()[0]
    what, limit = exercise.load(name), 0.5
    cells = [submission.Cell("a", "while True: pass")]
    trial = Trial(what, 0)
    started("numpy")
    late = []
    for _ in range(5):
        with Remote(cells, what, Limits(cell=limit)) as answer:
            late.append(seconds(lambda answer=answer: trial.judge_all(answer)) - limit)
    worst = max(late)
    return Row("a runaway ends after its limit, at the latest, s", worst, "<= 0.2", worst <= 0.2)


def in_the_notebook() -> list[Row]:
    """Each question of each exercise, checked in a kernel that holds the solution."""
    code = """
import json, sys, time
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
from nncheck import exercise, submission
shell, took = InteractiveShell.instance(), {}
for name in exercise.names():
    cells = [c for c in submission.read(Path("solutions") / f"{name}.ipynb") if c.runs]
    for cell in cells:
        shell.run_cell(cell.source)
    for question in exercise.load(name).questions:
        before = time.perf_counter()
        said = shell.run_cell(f"check({question!r})")
        took[f"{name}: {question}"] = time.perf_counter() - before
        assert said.result.verdict.passed, question
print(json.dumps(took))
"""
    quiet = os.environ | {"IPYTHONDIR": tempfile.gettempdir(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=quiet,
        capture_output=True,
        text=True,
        check=True,
    )
    took = json.loads(done.stdout.splitlines()[-1])
    slowest = max(took, key=took.__getitem__)
    middle = 1000 * median(took.values())
    return [
        Row(
            f"a check in the notebook, the slowest ({slowest}), ms",
            1000 * took[slowest],
            "< 1000",
            took[slowest] < 1,
        ),
        Row("a check in the notebook, the middle one, ms", middle, "< 100", middle < 100),
    ]


# -------------------------------------------------------------------------- ended by force


def killed(place: Path) -> Row:
    """Grade while being ended at random moments: how many results are lost, doubled or halved."""
    folder, book = place / "numpy", place / "killed.db"
    names, rng, kills = exercise.names(), random.Random(0), 0
    for path in folder.glob("*/*.ipynb"):
        write(place / "killing" / path.relative_to(folder), path.read_text())
    folder, rounds = place / "killing", 0
    while kills < KILLS:
        grader = subprocess.Popen(
            command(folder, book, jobs=2),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            grader.wait(rng.uniform(0.2, 1.5))
        except subprocess.TimeoutExpired:
            os.kill(grader.pid, signal.SIGKILL)
            kills += 1
        grader.wait()
        for path in folder.glob("*/*.ipynb"):  # everybody hands in again: there is always work
            if grader.returncode == 0:
                write(path, path.read_text().replace('"learner": ', '"learner": 1'))
        rounds += grader.returncode == 0
    subprocess.run(command(folder, book, jobs=2), stdout=subprocess.DEVNULL, check=True)
    with Gradebook(book) as opened:
        results, doubled = opened.db.execute(
            "SELECT count(*), count(*) - count(DISTINCT submission) FROM result"
        ).fetchone()
        halves = opened.db.execute(
            "SELECT count(*) FROM result "
            "WHERE (SELECT total(points) FROM answer WHERE result = id) != points"
        ).fetchone()[0]
    expected = (rounds + 1) * CLASS * len(names)
    bad = abs(expected - results) + doubled + halves
    what = f"lost, doubled or half-written of {results} results under {kills} kill -9"
    return Row(what, bad, "0", bad == 0)
