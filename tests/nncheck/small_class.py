"""A class that hands in notebooks for the sample exercise, and an executor of this process."""

import json
from concurrent.futures import Executor, Future
from pathlib import Path

from nncheck import grade
from nncheck.gradebook import Gradebook
from nncheck.source import cell_with
from tests.nncheck import samples

EXERCISE = "01_functions"
SOFTMAX = """import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
OVER_THE_BATCH = SOFTMAX.replace("axis=1", "axis=0")
ANSWERS = {
    "softmax": SOFTMAX,
    "predict": "def predict(logits):\n    return np.argmax(softmax(logits), axis=1)",
    "missing_transpose": samples.CAUGHT,
}


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


def answers(**other: str) -> bytes:
    """A notebook as a learner writes it, a cell for each answer: right, but for the `other`."""
    return notebook(*(ANSWERS | other).values())


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


def other_checks(home: Path, old: str, new: str) -> Path:
    """A copy of the sample exercise with another text in its check file."""
    text = samples.load(EXERCISE).path.read_text(encoding="utf-8")
    assert old in text
    path = home / "exercises" / "checks" / f"{EXERCISE}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return home
