"""A small course that passes every gate, so that a test can break one thing at a time in a copy."""

from pathlib import Path

from nbformat import NotebookNode, v4

from nncheck import build, notebooks

STEM = "91_sample"

# Notebooks as text: a line "%% code ID TAG" or "%% markdown ID" begins a cell.
LESSON = """
%% markdown 91-sample
# 91 Sample

| | |
|---|---|
| **The idea** | A column has a middle. |
| **Introduces** | `column_mean`; `tensor`; axis |
| **Uses** | ■ `ones` (95) |
| **Time** | 5 min, exercise 10 min |
| **Exercise** | [exercises/91_sample.ipynb](../exercises/91_sample.ipynb) |
%% markdown run
## Run
%% code run-2
import nnlib
import torch

X = nnlib.tensor([[1.0, 2.0], [3.0, 4.0]])
torch.ones(2)
%% markdown you-can-now
## You can now

Take the mean of a column.
%% markdown next
## Next

Nothing.
"""

SOLUTION = """
%% markdown sample
# 91 Sample
%% code sample-2
import numpy as np
from nncheck import open_exercise

check = open_exercise("91_sample")
%% markdown column-mean
## Column mean
%% code answer-column_mean
def column_mean(X):
    '''The mean of each column: (N, D) -> (D,).'''
    # BEGIN SOLUTION
    total = X.sum(axis=0)
    return total / len(X)
    # END SOLUTION
%% code check-column_mean
check("column_mean")
%% markdown centred
## Centred
%% code answer-centred
def centred(X):
    '''Each column minus its mean: (N, D) -> (N, D).'''
    # BEGIN SOLUTION
    return X - column_mean(X)
    # END SOLUTION
%% code check-centred
check("centred")
%% markdown catch-it
## Catch it
%% code answer-caught
def caught():
    # BEGIN SOLUTION
    return np.ones((2, 3))
    # END SOLUTION
%% code check-caught
check("caught")
%% markdown swap
## Swap
%% code swap-2 swap
import torch

torch.ones(2, 3).mean(0)
"""

CHECKS = '''"""Exercise 91: columns."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


def right_mean(X):
    return X.sum(axis=0) / len(X)


def right_mean_row_by_row(X):
    total = np.zeros(X.shape[1])
    for row in X:
        total = total + row
    return total / X.shape[0]


@question(
    points=2,
    right=right_mean,
    also=(right_mean_row_by_row,),
    hints=("Which axis runs down a column?", "Divide by the number of rows."),
)
def column_mean(rng):
    """The mean of each column."""
    yield call, rng.normal(size=(5, 3))
    yield call, rng.normal(size=(3, 4)) * 1e-3


@wrong(column_mean, sneaky=True)
def row_mean(X):
    """You averaged along the rows: axis 1 runs along a row, axis 0 down a column."""
    return X.mean(axis=1)


@wrong(column_mean, like=row_mean)
def row_mean_summed(X):
    return X.sum(1) / X.shape[1]


@wrong(column_mean)
def not_divided(X):
    """You summed each column but did not divide by the number of rows."""
    return X.sum(axis=0)


def right_centred(X):
    return X - right_mean(X)


def right_centred_by_column(X):
    return np.stack([column - column.mean() for column in X.T], axis=1)


def centred_by_it(centred, column_mean, X):
    """Centre a table."""
    return centred(X)


@question(
    points=1,
    right=right_centred,
    also=(right_centred_by_column,),
    hints=("Subtract each column's mean.",),
)
def centred(rng):
    """Each column minus its own mean."""
    yield centred_by_it, rng.normal(size=(5, 3)) + 1


@wrong(centred)
def one_mean_for_all(X):
    """You subtracted the mean of all numbers; each column has a mean of its own."""
    return X - X.mean()


def sum_of_all(X):
    return X.sum(axis=(0, 1))


def sum_of_first_column(X):
    return X[:, 0].sum()


@catch(points=1, right=sum_of_all, wrong=sum_of_first_column, hints=("Try a wider table.",))
def caught():
    """A table on which a sum of the first column is not the sum of all."""


@wrong(caught)
def one_column():
    """A table of one column has nothing else to sum."""
    return np.ones((3, 1))


equivalent = {}
'''

POINTS = {"column_mean": 2, "centred": 1, "caught": 1}


def write(home: Path, **changes: tuple[str, str]) -> Path:
    """Write the course, as if it had been run, with some text replaced.

    `checks=(old, new)` changes the check file, `lesson=` and `solution=` those notebooks, and
    `exercise=` the solution that the exercise is built from.
    """
    checks = home / "exercises" / "checks" / f"{STEM}.py"
    checks.parent.mkdir(parents=True, exist_ok=True)
    checks.write_text(edited(CHECKS, changes.get("checks")), encoding="utf-8")
    lesson = as_if_run(notebook(edited(LESSON, changes.get("lesson"))))
    solution = as_if_run(notebook(edited(SOLUTION, changes.get("solution"))))
    exercise = build.blank(notebook(edited(SOLUTION, changes.get("exercise"))), POINTS)
    notebooks.write(lesson, home / "course" / f"{STEM}.ipynb")
    notebooks.write(solution, home / "solutions" / f"{STEM}.ipynb")
    notebooks.write(exercise, home / "exercises" / f"{STEM}.ipynb")
    return home


def as_if_run(nb: NotebookNode) -> NotebookNode:
    nb = notebooks.marked(nb, POINTS)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        points = POINTS.get(notebooks.checked_name(cell))
        if points:
            shown = v4.new_output(
                "execute_result", data={"text/plain": str(points)}, execution_count=count
            )
            cell.outputs = [shown]
    return nb


def edited(text: str, change: tuple[str, str] | None) -> str:
    if change is None:
        return text
    assert change[0] in text, f"nothing to replace: {change[0]!r}"
    return text.replace(*change)


def notebook(text: str) -> NotebookNode:
    nb = v4.new_notebook()
    for part in text.split("\n%% ")[1:]:
        head, _, source = part.partition("\n")
        kind, cell_id, *tags = head.split()
        make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
        cell = make(source.strip("\n"), id=cell_id)
        cell.metadata.update({"tags": tags} if tags else {})
        nb.cells.append(cell)
    return nb
