"""A class that hands in notebooks for the sample exercise, and an executor of this process."""

import json
from concurrent.futures import Executor, Future
from pathlib import Path

from nncheck import grade
from nncheck.gradebook import Gradebook
from nncheck.source import cell_with
from tests.nncheck import samples

EXERCISE = "01_functions"


class Here(Executor):
    """Carries work at once, in this process."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def notebook(*sources: str) -> bytes:
    """A notebook of these code cells."""
    cells = [{"cell_type": "code", "id": f"c{i}", "source": s} for i, s in enumerate(sources)]
    return json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}).encode()


def right() -> str:
    """A cell that answers every question rightly."""
    return samples.right_cells(samples.load(EXERCISE))[0].source


def wrong(question: str) -> str:
    """A cell with the first known wrong answer to a question."""
    of = samples.load(EXERCISE)
    return cell_with(of, **{question: of.questions[question].wrongs[0].answer})


def hand_in(folder: Path, student: str, content: bytes, name=f"{EXERCISE}.ipynb") -> Path:
    """Put a learner's file into a folder."""
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def run(folder: Path, gradebook: Path, **more) -> grade.Tally:
    """Grade a folder in this process."""
    with Gradebook(gradebook, create=True) as book:
        return grade.Run(folder, book, Here, **more).grade()


def scores(gradebook: Path, attempt="latest") -> dict[str, float]:
    """Points by learner."""
    with Gradebook(gradebook) as book:
        return {s.student: s.points for s in book.standings(attempt)}
