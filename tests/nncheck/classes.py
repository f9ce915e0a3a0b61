"""A small class that has been graded, for tests: notebooks of `01_functions`, and a gradebook."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nncheck import grade
from nncheck.gradebook import Gradebook
from tests.nncheck import samples

NAME = "01_functions"
SOFTMAX = """import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
OVER_THE_BATCH = SOFTMAX.replace("axis=1", "axis=0")
RIGHT = {
    "softmax": SOFTMAX,
    "predict": "def predict(logits):\n    return np.argmax(softmax(logits), axis=1)",
    "missing_transpose": samples.CAUGHT,
}


def hand_in(folder: Path, student: str, answers: Mapping[str, str]):
    """Write a learner's notebook; an answer of None leaves the cell out."""
    cells = [
        {"cell_type": "code", "id": f"answer-{name}", "source": source, "metadata": {}}
        for name, source in (RIGHT | dict(answers)).items()
        if source is not None
    ]
    path = folder / student / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))


def graded(folder: Path, book: Path, **students: Mapping[str, str]) -> Path:
    """A gradebook with the answers of these learners; what is not given is right."""
    for student, answers in students.items():
        hand_in(folder, student, answers)
    with Gradebook(book, create=True) as opened:
        grade.Run(folder, opened, lambda: ThreadPoolExecutor(1), secret="a test's").grade()
    return book


def changed_checks(home: Path, old: str, new: str) -> Path:
    """A copy of the samples in which a text of the check file is another."""
    path = home / "exercises" / "checks" / f"{NAME}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = (samples.HOME / "exercises" / "checks" / f"{NAME}.py").read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    return home
