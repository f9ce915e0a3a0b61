"""A small exercise folder for tests, and the two ways of checking an answer to it."""

import atexit
from contextlib import contextmanager
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from nncheck.answer import Limits, Local, Remote
from nncheck.diagnose import Trial
from nncheck.exercise import Catch, Exercise
from nncheck.source import cell_with
from nncheck.submission import Cell

HOME = Path(__file__).parent / "sample"
NAMES = ("01_functions", "02_objects", "03_library")
CAUGHT = """
import numpy as np
def missing_transpose():
    return np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(4, 3)
"""
RELU = """
import nnlib
def relu(x):
    return x * nnlib.tensor((x.data > 0).astype(x.data.dtype))
"""
QUICK = Limits(cell=2, call=1)

_trials: dict[tuple[str, int], Trial] = {}


def load(name: str) -> Exercise:
    return Exercise(HOME / "exercises" / "checks" / f"{name}.py")


def trial(name: str, seed: int = 0) -> Trial:
    """The trial of a sample exercise; made once."""
    if (name, seed) not in _trials:
        _trials[name, seed] = Trial(load(name), seed)
    return _trials[name, seed]


def right_cells(of: Exercise) -> list[Cell]:
    """A cell that answers every question rightly."""
    answers = {}
    for q in of.questions.values():
        answers[q.name] = CAUGHT if isinstance(q, Catch) else q.right
        if of.name == "03_library":
            answers[q.name] = RELU
    return [Cell("answers", cell_with(of, **answers))]


def locally(name: str, question: str, answer, seed=0):
    """The verdict on an answer in this process; other names are those of the right answer."""
    of = trial(name, seed)
    with of.exercise.stand_in(**{question: answer}) as names:
        return of.judge(Local(names, of.exercise.builds), question)


def remotely(name: str, question: str, answer, seed=0):
    """The verdict on an answer in a worker; other names are those of the right answer."""
    of = trial(name, seed)
    cells = [*right_cells(of.exercise), Cell("own", cell_with(of.exercise, **{question: answer}))]
    with Remote(cells, of.exercise, QUICK) as there:
        return of.judge(there, question)


def by_source(name: str, *sources: str, limits: Limits | None = None):
    """The verdicts on a notebook of these cells, run in a worker, by question."""
    of = trial(name)
    cells = [Cell(f"cell-{i}", source) for i, source in enumerate(sources)]
    with Remote(cells, of.exercise, limits or QUICK) as there:
        return {v.question: v for v in of.judge_all(there)}


@contextmanager
def fresh_shell():
    """An IPython shell of its own, without a history on disk."""
    InteractiveShell.clear_instance()
    quiet = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(config=quiet)
    atexit.unregister(shell.atexit_operations)
    try:
        yield shell
    finally:
        InteractiveShell.clear_instance()
