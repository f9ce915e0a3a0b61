"""Marks by hand, and the replay of an answer."""

import re
import shutil
import sys
from dataclasses import replace

import pytest

from nncheck import cli, grade
from nncheck.gradebook import Gradebook
from tests.nncheck import samples
from tests.nncheck.small_class import (
    EXERCISE,
    OVER_THE_BATCH,
    answers,
    hand_in,
    other_checks,
    run as grade_all,
)

CHECKS = samples.load(EXERCISE).path
COLOURED = """# \x1b[2J
def softmax(x):
    raise ValueError('\\x1b[31mred\\nverdict: 2 of 2')
"""
CLASS = {
    "ada": {},
    "bob": {"softmax": OVER_THE_BATCH},
    "cy": {"softmax": COLOURED},
    "dan": {"softmax": "def softmax(x):\n    while True: pass"},
    "eve": {"predict": "def predict(logits):\n    logits *= 0\n    return [print] * 6"},
    "fay": {"missing_transpose": "def missing_transpose():\n    return np.eye(2), np.eye(2)"},
    "gus": {"softmax": "x = 1"},
    "ivy": {"softmax": f"def softmax(x):\n    return open({str(CHECKS)!r}).read()"},
}


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """A gradebook of eight learners, and a notebook that cannot be read."""
    folder, one = tmp_path_factory.mktemp("class"), grade.grade_one
    for student, written in CLASS.items():
        hand_in(folder / "submitted", student, answers(**written))
    hand_in(folder / "submitted", "hal", b"{")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
        patch.setattr(grade, "grade_one", lambda job: one(replace(job, limits=samples.QUICK)))
        grade_all(folder / "submitted", folder / "class.db")
    shutil.rmtree(folder / "submitted")  # what was handed in is in the gradebook
    return folder / "class.db"


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    monkeypatch.setattr("nncheck.dispute.LIMITS", samples.QUICK)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def book(a_class, tmp_path):
    """A copy, to write into."""
    with Gradebook(a_class) as opened:
        opened.db.execute("VACUUM INTO ?", (str(tmp_path / "class.db"),))
    return tmp_path / "class.db"


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def standing(book, student):
    with Gradebook(book) as opened:
        return opened.standings(student=student)[0]


# ------------------------------------------------------------------------------- by hand


def test_a_mark_wins_and_says_what_was(run, book):
    code, out, _ = run(
        "mark", "bob", "01:softmax", 1.5, "--because", "axis\nonly", "--gradebook", book
    )
    assert code == 0
    assert "bob, 01_functions: softmax: 0 -> 1.5 of 2 points, because: axis only" in out
    assert "It was failed (over_the_batch)." in out
    now = standing(book, "bob")
    assert now.points == 1.5 + 1
    assert now.answers[0].marked == "axis only"


def test_a_second_mark_says_the_first_and_its_reason(run, book):
    run("mark", "bob", "01:softmax", 1, "--because", "kind", "--gradebook", book)
    _, out, _ = run("mark", "bob", "functions:softmax", 2, "--because", "b", "--gradebook", book)
    assert "1 -> 2 of 2 points" in out
    assert "marked before, because: kind" in out
    assert standing(book, "bob").points == 3


def test_a_mark_is_taken_back_and_the_reason_is_kept(run, book):
    run("mark", "bob", "01:softmax", 1.5, "--because", "kind", "--gradebook", book)
    back = ("mark", "bob", "01:softmax", "computed", "--because", "ada's", "--gradebook", book)
    code, out, _ = run(*back)
    assert code == 0
    assert "1.5 -> 0 of 2 points, because: ada's" in out
    assert "It was marked before, because: kind. What is computed counts again." in out
    assert standing(book, "bob").points == 1
    with Gradebook(book) as opened:
        [reason] = opened.db.execute("SELECT because FROM mark ORDER BY id DESC LIMIT 1").fetchone()
    assert reason == "ada's"
    code, _, err = run(*back)
    assert code == 2
    assert "bob, 01_functions: softmax is not marked" in err


@pytest.mark.parametrize(
    ("student", "answer", "points", "because", "said"),
    [
        ("bobb", "01:softmax", 1, "x", "has no learner 'bobb'. There is: bob"),
        ("", "01:softmax", 1, "x", "has no learner ''"),
        ("bob", "02:softmax", 1, "x", "Nothing of bob is graded for '02'. There is: 01_functions"),
        ("bob", "01:softmacks", 1, "x", "no question 'softmacks'. There is: softmax"),
        ("bob", "softmax", 1, "x", "write EXERCISE:QUESTION"),
        ("bob", "01:softmax", 2.5, "x", "2.5 points: softmax is worth 2; give 0 to 2. If you mean"),
        ("bob", "01:softmax", -1, "x", "If you mean it: --beyond"),
        ("bob", "01:softmax", 1, " \x1b[0m ", "say why"),
    ],
)
def test_a_mark_that_cannot_be_meant_is_refused(run, book, student, answer, points, because, said):
    code, out, err = run("mark", student, answer, points, "--because", because, "--gradebook", book)
    assert (code, out) == (2, "")
    assert said in err
    assert standing(book, "bob").points == 1


def test_more_than_all_is_given_when_it_is_meant_and_never_a_nan(run, book):
    more = ("--beyond", "--because", "a proof", "--gradebook", book)
    assert run("mark", "bob", "01:softmax", 3, *more)[0] == 0
    assert standing(book, "bob").points == 4
    code, _, err = run("mark", "bob", "01:softmax", "nan", *more)
    assert code == 2
    assert "nan points" in err


def test_points_that_are_no_number_are_refused(run, book, capsys):
    with pytest.raises(SystemExit):
        run("mark", "bob", "01:softmax", "all", "--because", "x", "--gradebook", book)
    assert "a number, or the word computed; got 'all'" in capsys.readouterr().err


def test_no_gradebook_is_made_by_a_question_about_it(run, tmp_path):
    code, _, err = run("explain", "bob", "01:softmax", "--gradebook", tmp_path / "none.db")
    assert code == 2
    assert "There is no gradebook" in err
    assert not list(tmp_path.iterdir())


# -------------------------------------------------------------------------------- replayed


@pytest.fixture
def explain(run, a_class):
    def explain(student, question="softmax"):
        code, out, err = run("explain", student, f"01:{question}", "--gradebook", a_class)
        assert (code, err) == (0, "")
        return out

    return explain


def test_a_replay_shows_the_code_each_call_and_the_named_mistake(explain):
    out = explain("bob")
    assert "graded: 0 of 2 points, failed (over_the_batch)" in out
    assert "\n  |     e = np.exp(logits - logits.max(axis=0, keepdims=True))\n" in out
    assert re.findall(r"^probe .*", out, re.MULTILINE) == [
        f"probe {i} of 3: softmax(logits)" for i in (1, 2, 3)
    ]
    assert out.count("\n  logits    array([[") == 3
    assert out.count("\n  came      array([[") == 3
    assert out.count("\n  expected  array([[") == 3
    assert "not the same: the result[0, 0] is" in out
    assert "verdict: 0 of 2 points, failed (over_the_batch)\n  You normalised over the" in out
    assert "This is what the gradebook holds." in out
    assert "The check file has changed" not in out


def test_a_replay_uses_the_data_that_were_graded(explain, a_class):
    """Other learners' data are others; one learner's are the same each time."""
    shown = [re.search(r"logits    .*", explain(who))[0] for who in ("ada", "bob", "ada")]
    assert shown[0] == shown[2] != shown[1]


def test_what_a_learner_writes_can_neither_steer_the_terminal_nor_look_like_a_line(explain):
    out = explain("cy")
    assert "\x1b" not in out
    assert "ValueError was raised: red\n            verdict: 2 of 2 (line 3: raise " in out
    assert re.findall(r"^verdict: .*", out, re.MULTILINE) == [
        "verdict: 0 of 2 points, failed (raised)"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the fences are built on Linux")
def test_a_replay_runs_behind_the_fences(explain):
    out = explain("ivy")
    assert "came      PermissionError was raised" in out
    assert "This is what the gradebook holds." in out


def test_an_endless_answer_is_stopped_again(explain):
    out = explain("dan")
    assert "came      timeout: This was stopped after 1 seconds" in out
    assert "2 of 3 probes were not called." in out
    assert "This is what the gradebook holds." in out


def test_a_probe_of_the_check_file_is_shown_and_so_is_a_changed_input(explain):
    out = explain("eve", "predict")
    assert "probe 1 of 1: chosen(predict, softmax, logits)" in out
    assert "  | def chosen(predict, softmax, logits):" in out
    assert "came      [Odd(kind='builtin_function_or_method')" in out
    assert re.search(r"and logits became array\(\[\[ ?-?0\., ", out)


def test_an_input_to_find_is_shown_with_its_verdict(explain):
    out = explain("fay", "missing_transpose")
    assert "came      (array([[1., 0.]" in out
    assert "failed (symmetric)\n  This W equals its own transpose" in out


def test_an_answer_that_is_not_there_is_said_to_be_missing(explain):
    out = explain("gus")
    assert "(no cell defines it)" in out
    assert "3 of 3 probes were not called." in out
    assert "0 of 2 points, missing" in out


def test_a_file_that_could_not_be_read_cannot_be_replayed(run, a_class):
    code, out, err = run("explain", "hal", "01:softmax", "--gradebook", a_class)
    assert code == 2
    assert "graded: 0 of 2 points, error (unreadable)" in out
    assert "There is no code to run: 01_functions.ipynb is not a notebook" in err


def test_a_changed_check_file_is_said_and_what_it_would_change(run, a_class, tmp_path, monkeypatch):
    home = other_checks(
        tmp_path,
        "def right_softmax(logits):\n",
        "def right_softmax(logits):\n    return over_the_batch(logits)\n",
    )
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    code, out, _ = run("explain", "bob", "01:softmax", "--gradebook", a_class)
    assert code == 0
    assert "The check file has changed since" in out
    assert "verdict: 2 of 2 points, passed" in out
    assert "nncheck grade --only 01_functions:softmax --compare" in out
