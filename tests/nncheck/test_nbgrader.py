"""An nbgrader site can use the exercises as they are: both graders give the same points."""

import csv

import pytest

from nncheck import exercise, notebooks
from nncheck.gradebook import Gradebook
from tests.nncheck import nbgrader_site
from tests.nncheck.nbgrader_site import ROOT, run

pytestmark = pytest.mark.skipif(
    not nbgrader_site.INSTALLED,
    reason='nbgrader is not installed: pip install -e ".[nbgrader]"',
)

EXERCISES = ("11_neuron", "22_autograd")  # of NumPy alone, and of nnlib
BEGIN = "# BEGIN SOLUTION"
# To nbgrader a word on stderr is a failure; a warning of a library is one.
NOISE = "import sys, warnings; print('hm', file=sys.stderr); warnings.warn('old')"


def hand_in(site, student, name, blank, answers):
    """Fill in these answers, by cell, and put the notebook where both graders look for it."""
    nb = notebooks.read(blank)
    for cell in nb.cells:
        cell.source = answers.get(cell.id, cell.source)
    notebooks.write(nb, site / "submitted" / student / name / f"{name}.ipynb")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An nbgrader site with two assignments and three learners, all of it graded by both."""
    site = tmp_path_factory.mktemp("site")
    for name in EXERCISES:
        solution = notebooks.read(ROOT / "solutions" / f"{name}.ipynb")
        notebooks.write(solution, site / "source" / name / f"{name}.ipynb")
        run(site, "nbgrader", "generate_assignment", name)
        released = site / "release" / name / f"{name}.ipynb"
        ours = ROOT / "exercises" / f"{name}.ipynb"
        right = {c.id: c.source for c in solution.cells if c.id.startswith("answer-")}
        noisy = {key: source.replace(BEGIN, NOISE) for key, source in right.items()}
        assert all(NOISE in source for source in noisy.values())
        hand_in(site, "good", name, released, noisy)
        hand_in(site, "half", name, ours, {key: right[key] for key in list(right)[::2]})
        hand_in(site, "untouched", name, released, {})
        run(site, "nbgrader", "autograde", name)
    run(site, "nbgrader", "export")
    run(site, "nncheck", "grade", "submitted")
    return site


def test_a_released_assignment_is_the_exercise(site):
    """But for how nbgrader spells the placeholder, with brackets."""
    for name in EXERCISES:
        released = notebooks.read(site / "release" / name / f"{name}.ipynb")
        ours = notebooks.read(ROOT / "exercises" / f"{name}.ipynb")
        sources = [
            c.source.replace("NotImplementedError()", "NotImplementedError") for c in released.cells
        ]
        assert sources == [c.source for c in ours.cells]


def test_nbgrader_and_nncheck_give_the_same_points(site):
    with open(site / "grades.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    theirs = {
        (r["student_id"], r["assignment"]): (float(r["score"]), float(r["max_score"])) for r in rows
    }
    with Gradebook(site / "class.db") as book:
        ours = {(s.student, s.exercise): (s.points, s.worth) for s in book.standings()}
    assert theirs == ours
    for name in EXERCISES:
        whole = exercise.load(name).points
        assert ours["good", name] == (whole, whole)
        assert 0 < ours["half", name][0] < whole
        assert ours["untouched", name] == (0, whole)
