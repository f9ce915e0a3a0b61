"""An exercise that wants to be in the course: its checks, its solution, and what both define."""

import sys
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from nncheck import build, notebooks, submission, worker
from nncheck.answer import Local
from nncheck.diagnose import Trial, Verdict
from nncheck.exercise import Exercise, checks_in

SEEDS = range(20)


class Candidate:
    """An exercise: its check file and its solution, with the data drawn for every seed."""

    def __init__(self, home: Path, stem: str):
        self.stem = stem
        self.exercise = Exercise(checks_in(home) / f"{stem}.py")
        self.solution = notebooks.read(home / "solutions" / f"{stem}.ipynb")

    @cached_property
    def trials(self) -> list[Trial]:
        return [Trial(self.exercise, seed) for seed in SEEDS]

    @cached_property
    def blank(self):
        points = {name: q.points for name, q in self.exercise.questions.items()}
        return build.blank(self.solution, points)

    @cached_property
    def names(self) -> dict[str, Any]:
        """What the solution's cells define."""
        return run_notebook(self.solution)

    def local(self, names: dict[str, Any]) -> Local:
        """Names as a learner's answers."""
        return Local(names, self.exercise.builds)

    def judge(self, trial: Trial, question: str, answer) -> Verdict:
        """The verdict on an answer of the check file, all else being right."""
        with self.exercise.stand_in(**{question: answer}) as names:
            return trial.judge(Local(names), question)


def cells(nb) -> list[submission.Cell]:
    """The code cells as a check reads them."""
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    return [submission.Cell(c.id, c.source, tuple(c.metadata.get("tags", ()))) for c in code]


def run_notebook(nb) -> dict[str, Any]:
    """What a notebook's cells define, run here as the worker runs them there."""
    names: dict[str, Any] = {"__name__": "__main__", "display": Mock()}
    real, sys.modules["nncheck"] = sys.modules["nncheck"], Mock()
    try:
        for cell in cells(nb):
            if cell.runs and "raises-exception" not in cell.tags:
                error = worker.run_cell(cell.id, cell.source, names)
                if error:
                    raise RuntimeError(f"cell {cell.id!r} raised {error['kind']}: {error}")
    finally:
        sys.modules["nncheck"] = real
    return names
