"""What must never be committed turns the tests red: seen on copies of a real lesson."""

import copy
import re
from pathlib import Path

import pytest

from nncheck import build, exercise, hygiene, notebooks
from tests.course.notebooks_for_tests import run, save

HOME = exercise.home()
LESSONS = sorted((HOME / "course").glob("*.ipynb"), key=lambda path: path.stat().st_size)
EXERCISES = sorted((HOME / "exercises").glob("*.ipynb"))


@pytest.fixture(scope="module")
def lesson():
    """The smallest lesson that has a figure."""
    read = ((path, notebooks.read(path)) for path in LESSONS)
    return next((path, nb) for path, nb in read if any(map(figures, nb.cells)))


@pytest.fixture
def spoiled(lesson):
    return lesson[0], copy.deepcopy(lesson[1])


def figures(cell):
    return [out for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]


def printing(nb):
    """The first cell that prints a number, and that output."""
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if out.output_type == "stream" and re.search(r"\d", out.text):
                return cell, out
    raise AssertionError("this lesson prints no number")


def problems(path, nb):
    return "\n".join(hygiene.problems(nb, path))


def test_the_lesson_itself_is_green(lesson):
    assert problems(*lesson) == ""


def test_an_unrun_cell_is_red(spoiled):
    path, nb = spoiled
    cell, _ = printing(nb)
    cell.outputs, cell.execution_count = [], None
    assert f"cell {cell.id!r} has execution count None" in problems(path, nb)


def test_an_output_on_stderr_is_red(spoiled):
    path, nb = spoiled
    _, out = printing(nb)
    out.name = "stderr"
    assert "wrote to stderr" in problems(path, nb)


def test_a_missing_alt_text_is_red(spoiled):
    path, nb = spoiled
    out = next(out for cell in nb.cells for out in figures(cell))
    out.metadata = {}
    assert "a figure without alt text" in problems(path, nb)


def test_an_absolute_path_is_red(spoiled):
    path, nb = spoiled
    _, out = printing(nb)
    out.text += f"\n{Path('/home') / 'ada' / 'digits.npz'}\n"
    assert "its output holds an absolute path: '/home/ada/digits.npz'" in problems(path, nb)


def test_a_cell_that_must_raise_and_does_not_is_red(spoiled):
    path, nb = spoiled
    cell, _ = printing(nb)
    cell.metadata.tags = ["raises-exception"]
    assert "is tagged raises-exception, but nothing raised" in problems(path, nb)


def test_a_wrong_card_is_red(spoiled):
    path, nb = spoiled
    nb.cells[0].source = nb.cells[0].source.replace(f"# {path.stem[:2]} ", "# 98 ")
    assert f"the heading says 98, the file's name {path.stem[:2]}" in problems(path, nb)


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_a_leaked_solution_line_is_red(path):
    solution, nb = notebooks.read(HOME / "solutions" / path.name), notebooks.read(path)
    assert build.leaks(solution, nb) == []
    source = "\n".join(cell.source for cell in solution.cells)
    region = re.search(r"BEGIN SOLUTION\n(.*?)\n *#+ ?END SOLUTION", source, re.DOTALL)
    assert region
    line = max(region[1].splitlines(), key=len).strip()
    nb.cells[-1].source += f"\n# {line}"
    assert build.leaks(solution, nb) == [line]


def test_a_wrong_digit_and_an_unrun_cell_are_red_when_the_lesson_runs(spoiled, tmp_path):
    path, nb = spoiled
    cell, out = printing(nb)
    out.text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), out.text, count=1)
    later = nb.cells[nb.cells.index(cell) + 1 :]
    unrun = next(c for c in later if c.cell_type == "code")
    unrun.outputs, unrun.execution_count = [], None
    ends = run(save(nb, tmp_path / "course" / path.name))[f"course/{path.stem}"]
    red = {name for name, end in ends.items() if end != "passed"}
    assert red == {cell.id, unrun.id}
    assert "does not give what is committed" in ends[cell.id]
    assert "committed without being run" in ends[unrun.id]


def test_a_wrong_figure_is_red_when_the_lesson_runs(tmp_path):
    """Lines of swapped weights: what was drawn is not what the cell asserts."""
    path = HOME / "course" / "11_neuron.ipynb"
    nb = notebooks.read(path)
    cell = next(cell for cell in nb.cells if cell.id == "picture")
    right = "(w, b) for b in (-1, 0, 1)"
    assert right in cell.source
    cell.source = cell.source.replace(right, "(w[::-1], b) for b in (-1, 0, 1)")
    ends = run(save(nb, tmp_path / "course" / path.name))["course/11_neuron"]
    assert "AssertionError" in ends["picture"]
