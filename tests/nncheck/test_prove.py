"""A teacher's own exercise: from its folder to a mark in the gradebook, and what stops it."""

import json
import re
import signal

import pytest

from nncheck import cli, notebooks
from nncheck.gradebook import Gradebook
from nncheck.prove import folder
from tests.course import sample
from tests.nncheck.small_class import hand_in

STEM = "31_columns"
RIGHT = {
    "column_mean": "import numpy as np\ndef column_mean(X):\n    return X.mean(axis=0)",
    "centred": "def centred(X):\n    return X - column_mean(X)",
    "caught": "def caught():\n    return np.ones((2, 3))",
}

needs_a_timer = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="an endless mutant is stopped by a timer of Unix"
)


def write(home, checks=None, solution=None, checks_in="checks"):
    """A folder with one exercise and no course around it."""
    path = home / checks_in / f"{STEM}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sample.edited(sample.CHECKS, checks))
    text = sample.edited(sample.SOLUTION, solution).replace(sample.STEM, STEM)
    notebooks.write(sample.notebook(text), home / "solutions" / f"{STEM}.ipynb")
    return home


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command. Each is a process of its own: what --exercises sets does not stay."""

    def run(*arguments):
        with monkeypatch.context() as patch:
            patch.setenv("NNCHECK_EXERCISES", "")
            patch.delenv("GITHUB_ACTIONS", raising=False)
            code = cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def failing(out):
    return re.findall(r"^    FAILS  (.*)$", out, re.MULTILINE)


@needs_a_timer
def test_an_exercise_of_ones_own_from_its_folder_to_a_mark(run, tmp_path):
    """Written, built, proved, handed in, graded in processes, explained, marked."""
    own, submitted, book = write(tmp_path / "own"), tmp_path / "submitted", tmp_path / "class.db"
    code, out, _ = run("build", "--exercises", own)
    assert (code, out) == (0, f"own/{STEM}.ipynb: written\n")
    code, out, _ = run("prove", own)
    assert code == 0, out
    assert failing(out) == []
    assert re.findall(r"^  (\S.*)$", out, re.MULTILINE) == [
        "the exercise as a whole",
        "column_mean",
        "centred",
        "caught",
    ]
    assert out.count("    holds  ") == 1 + len(folder.gates.OF_EXERCISES) + 3 * len(
        folder.gates.OF_QUESTIONS
    )
    assert out.endswith("\nEverything holds.\n")

    blank = (own / f"{STEM}.ipynb").read_bytes()
    hand_in(submitted, "bob", blank, f"{STEM}.ipynb")
    answers = RIGHT | {"column_mean": RIGHT["column_mean"].replace("axis=0", "axis=1")}
    for student, written in (("ada", RIGHT), ("cyd", answers)):
        cells = [
            {"cell_type": "code", "id": f"answer-{name}", "source": source}
            for name, source in written.items()
        ]
        hand_in(submitted, student, json.dumps({"cells": cells}).encode(), f"{STEM}.ipynb")
    where = ("--exercises", own, "--gradebook", book)
    code, out, err = run("grade", submitted, "--jobs", 1, *where)
    assert code == 0, err
    assert f"{STEM}: 3 graded, 1.7 of 4 points on average" in out

    code, out, _ = run("explain", "cyd", "31:column_mean", *where)
    assert code == 0
    assert "return X.mean(axis=1)" in out
    assert "failed (row_mean)\n  You averaged along the rows" in out
    assert "This is what the gradebook holds." in out

    code, out, _ = run("mark", "cyd", "31:column_mean", 1, "--because", "axes swapped", *where)
    assert code == 0
    assert "0 -> 1 of 2 points" in out
    with Gradebook(book) as opened:
        assert {s.student: s.points for s in opened.standings()} == {"ada": 4, "bob": 0, "cyd": 2}


@pytest.mark.parametrize("checks_in", ["checks", "exercises/checks"])
def test_both_layouts_are_read(run, tmp_path, checks_in):
    own = write(tmp_path / "own", checks_in=checks_in)
    assert run("build", "--exercises", own)[0] == 0
    findings = list(folder.prove(own))
    assert [f for f in findings if f.problems] == []
    assert (own / checks_in).parent.joinpath(f"{STEM}.ipynb").is_file()


def test_a_notebook_may_lie_in_exercises_beside_checks(run, tmp_path):
    own = write(tmp_path / "own")
    (own / "exercises").mkdir()
    assert run("build", "--exercises", own)[1] == f"exercises/{STEM}.ipynb: written\n"
    assert next(folder.prove(own)).problems == ()
    assert not (own / f"{STEM}.ipynb").exists()


@pytest.mark.parametrize(
    ("change", "gate", "said"),
    [
        (
            {"checks": ("return X.sum(axis=0)\n", "return X.mean(axis=1)\n")},
            "wrong answers are named",
            "column_mean, not_divided, seed 0: it is told 'row_mean', not 'not_divided'.",
        ),
        (
            {"solution": ("total / len(X)", "total / 4")},
            "solution passes",
            "column_mean, seed 0: the solution is failed.",
        ),
    ],
)
def test_what_does_not_hold_is_said_with_its_question(run, tmp_path, change, gate, said):
    own = write(tmp_path / "own", **change)
    run("build", "--exercises", own)
    code, out, _ = run("prove", own)
    assert code == 1
    assert gate in failing(out)
    assert f"FAILS  {gate}\n           {said}" in out
    assert out.count("more\n") <= 1
    assert f"Does not hold: {len(failing(out))}. After a change to a solution: nncheck " in out


def test_a_notebook_that_is_not_what_the_solution_makes_is_told(run, tmp_path):
    own = write(tmp_path / "own")
    first = next(folder.prove(own))
    assert first.gate == "the notebook is what the solution makes"
    assert first.problems == (f"own/{STEM}.ipynb: missing. Run `nncheck build`.",)
    run("build", "--exercises", own)
    assert next(folder.prove(own)).problems == ()
    write(own, solution=("## Centred", "## Centre it"))
    assert "differs from its solution in" in next(folder.prove(own)).problems[0]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda own: (own / "solutions" / f"{STEM}.ipynb").unlink(), "is missing: the gates try"),
        (lambda own: (own / "solutions" / f"{STEM}.ipynb").write_text("{"), "is not JSON"),
        (lambda own: (own / "checks" / f"{STEM}.py").write_text("1 / 0"), "ZeroDivisionError"),
        (lambda own: write(own, solution=("import numpy as np", "1 / 0")), "ZeroDivisionError"),
        (lambda own: write(own, solution=('check("centred")', "1")), "exactly one cell check"),
        (
            lambda own: (own / "checks" / f"{STEM}.py").rename(own / "checks" / "columns.py"),
            "columns.py: call it NN_name.py, such as 31_columns.py",
        ),
        (
            lambda own: notebooks.write(
                sample.notebook(sample.SOLUTION), own / "solutions" / "32_rows.ipynb"
            ),
            "solutions/32_rows.ipynb has no check file 32_rows.py",
        ),
    ],
)
def test_a_folder_that_is_not_whole_is_told_and_not_passed_over(run, tmp_path, spoil, said):
    own = write(tmp_path / "own")
    run("build", "--exercises", own)
    spoil(own)
    code, out, err = run("prove", own)
    assert (code, err) == (1, "")
    assert said in out


@needs_a_timer
def test_a_gate_that_raises_does_not_hold_and_the_others_are_tried(run, tmp_path):
    own = write(tmp_path / "own", checks=("equivalent = {}", "equivalent = []"))
    run("build", "--exercises", own)
    code, out, _ = run("prove", own)
    assert code == 1
    assert failing(out) == ["mutants are caught"]
    assert "AttributeError: 'list' object has no attribute 'items'" in out


def test_without_the_timer_mutants_are_said_to_be_unseen(run, tmp_path, monkeypatch):
    own = write(tmp_path / "own")
    run("build", "--exercises", own)
    monkeypatch.delattr(signal, "setitimer", raising=False)
    code, out, _ = run("prove", own)
    assert code == 0
    assert "unseen mutants are caught (this system has no timer for it)" in out


def test_what_cannot_be_meant_is_refused(run, tmp_path):
    own = write(tmp_path / "own")
    code, _, err = run("prove", tmp_path)
    assert code == 2
    assert "holds no exercises: expected a folder checks/" in err
    code, _, err = run("prove", own, "--only", "77")
    assert code == 2
    assert "There is no exercise '77'. There is: 31_columns" in err
    (tmp_path / "empty" / "checks").mkdir(parents=True)
    code, _, err = run("prove", tmp_path / "empty")
    assert code == 2
    assert "holds no check file" in err
