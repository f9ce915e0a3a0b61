"""Checks in a notebook, driven through a real IPython shell."""

import json
import os

import pytest

from nncheck import kernel, message, progress
from tests.nncheck import samples

OPEN = 'from nncheck import open_exercise\ncheck = open_exercise("01_functions")'
RIGHT = """
import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
OVER_THE_BATCH = RIGHT.replace("axis=1", "axis=0")
STUB = "def softmax(logits):\n    # YOUR CODE HERE\n    raise NotImplementedError"


class Notebook:
    """A kernel's shell, a cell at a time."""

    def __init__(self, shell):
        self.shell = shell

    def run(self, source, cell_id=None):
        result = self.shell.run_cell(source, store_history=True, cell_id=cell_id)
        return result.result

    def check(self, name="softmax"):
        return self.run(f"check({name!r})")

    def try_out(self, source, name="softmax"):
        self.run(source)
        return self.check(name)


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    kernel._open.clear()
    with samples.fresh_shell() as shell:
        made = Notebook(shell)
        made.run(OPEN)
        yield made
    kernel._open.clear()


@pytest.fixture
def record(tmp_path, notebook):
    path = tmp_path / "progress.jsonl"
    path.touch()
    notebook.run(OPEN)
    return path


@pytest.fixture
def saved(monkeypatch, tmp_path):
    """Save a notebook of these (id, source) cells where the server says it is."""
    path = tmp_path / "01_functions.ipynb"

    def save(*cells, later=60):
        cells = [{"cell_type": "code", "id": i, "source": s} for i, s in cells]
        path.write_text(json.dumps({"cells": cells}))
        now = path.stat().st_mtime + later
        os.utime(path, (now, now))
        monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    return save


def text(shown):
    return shown._repr_mimebundle_()["text/plain"]


def html(shown):
    return shown._repr_mimebundle_()["text/html"]


def test_a_right_answer_shows_its_points_as_text_and_the_words_as_html(notebook):
    shown = notebook.try_out(RIGHT)
    assert text(shown) == repr(shown) == "2"
    assert "✓ Passed: <code>softmax</code>, 2 of 2 points" in html(shown)


def test_a_wrong_answer_shows_zero_and_names_the_mistake(notebook):
    shown = notebook.try_out(OVER_THE_BATCH)
    assert text(shown) == "0"
    assert "You normalised over the batch" in html(shown)
    assert shown.verdict.name == "over_the_batch"


def test_an_untouched_answer_shows_zero_and_not_done(notebook):
    shown = notebook.try_out(STUB)
    assert text(shown) == "0"
    assert "○ Not done yet" in html(shown)


def test_a_check_prints_nothing_and_warns_of_nothing(notebook, capfd):
    capfd.readouterr()
    shown = notebook.try_out(
        "import sys, warnings, numpy as np\n"
        "def softmax(logits):\n"
        "    print('hello'); print('there', file=sys.stderr); warnings.warn('careful')\n"
        "    return np.log(-np.abs(logits))"
    )
    assert text(shown) == "0"
    out, err = capfd.readouterr()
    assert err == ""
    assert "hello" not in out


def test_it_says_which_cell_it_checked(notebook):
    assert "This is <code>softmax</code> as you ran it in [2]." in html(notebook.try_out(RIGHT))
    notebook.run("x = 1")
    notebook.run(RIGHT)
    assert "as you ran it in [5]." in html(notebook.check())


def test_a_later_run_that_failed_is_mentioned(notebook):
    notebook.run(RIGHT)
    notebook.run(RIGHT + "\n)")
    shown = notebook.check()
    assert text(shown) == "2"
    assert "as you ran it in [2]. Your later run [3] of the cell ended in a SyntaxError" in (
        html(shown)
    )


def test_an_answer_whose_only_run_failed_says_so(notebook):
    notebook.run("1 / 0\n" + RIGHT)
    shown = notebook.check()
    assert shown.verdict.status == "error"
    assert "Your run [2] ended in a ZeroDivisionError" in html(shown)


def test_an_answer_that_has_not_run_since_the_kernel_started_says_what_to_do(notebook, saved):
    for _ in range(2):
        shown = notebook.check()
        assert text(shown) == "0"
        assert shown.verdict.status == "not run"
        assert "Run All Above" in html(shown)
        saved(("answer-softmax", RIGHT))


def test_an_answer_that_the_saved_notebook_does_not_hold_either_is_missing(notebook, saved):
    saved(("other", "x = 1"))
    assert notebook.check().verdict.status == "missing"


def test_a_placeholder_that_was_replaced_and_neither_run_nor_saved_says_to_run_it(notebook):
    notebook.run(STUB)
    assert "If you have written it since, run its cell first" in html(notebook.check())
    notebook.run(RIGHT)
    assert "If you have written it since" not in html(notebook.check())


def test_a_cell_that_changed_after_it_ran_asks_to_be_run_first(notebook, saved):
    notebook.run(OVER_THE_BATCH, cell_id="answer-softmax")
    saved(("answer-softmax", RIGHT))
    shown = notebook.check()
    assert shown.verdict.status == "stale"
    assert text(shown) == "0"
    assert "has changed since you ran it in [2]. Run it first" in html(shown)
    notebook.run(RIGHT, cell_id="answer-softmax")
    saved(("answer-softmax", RIGHT))
    assert text(notebook.check()) == "2"


def test_a_cell_that_was_saved_before_it_ran_is_not_stale(notebook, saved):
    saved(("answer-softmax", OVER_THE_BATCH), later=-3600)
    notebook.run(RIGHT, cell_id="answer-softmax")
    assert text(notebook.check()) == "2"


def test_opening_the_exercise_again_remembers_which_cell_ran(notebook):
    notebook.run(RIGHT)
    notebook.run(OPEN)
    assert "as you ran it in [2]." in html(notebook.check())


def test_opening_the_exercise_again_and_again_watches_once(notebook):
    def watching():
        return [
            f
            for f in notebook.shell.events.callbacks["post_run_cell"]
            if isinstance(getattr(f, "__self__", None), kernel.Kernel)
        ]

    for _ in range(3):
        notebook.run(OPEN)
    assert len(watching()) == 1


def test_an_unknown_question_lists_the_known_ones(notebook):
    shown = notebook.check("softmaxx")
    assert text(shown) == "0"
    assert "<code>softmax</code>, <code>predict</code>" in html(shown)


def test_stopping_a_check_that_never_ends_gives_a_message(notebook):
    shown = notebook.try_out("def softmax(x):\n    raise KeyboardInterrupt")
    assert shown.verdict.status == "error"
    assert "Does a loop in it never end?" in html(shown)


def test_a_question_that_rests_on_another_waits_for_it(notebook):
    notebook.run(OVER_THE_BATCH)
    shown = notebook.try_out("def predict(x):\n    return np.argmax(softmax(x), axis=1)", "predict")
    assert shown.verdict.status == "skipped"
    assert "make <code>softmax</code> pass first" in html(shown)


# ------------------------------------------------------------------- tries, hints, solution


def unlike(n):
    return f"def softmax(logits):\n    return logits + {n}"


def test_help_grows_with_the_tries(notebook, record):
    cards = [html(notebook.try_out(unlike(n))) for n in range(1, 6)]
    hints = samples.trial("01_functions").exercise.questions["softmax"].hints
    shown = [[hint in card for hint in hints] for card in cards]
    assert shown == [
        [False, False, False],
        [True, False, False],
        [True, True, False],
        [True, True, True],
        [True, True, True],
    ]
    assert ["Hint 1 of 3" in card for card in cards] == [False, True, True, True, True]
    assert ["The smallest input that shows it" in c for c in cards] == [False] * 2 + [True] * 3
    assert ["check.solution(" in card for card in cards] == [False] * 3 + [True] * 2
    assert ["check.skip(" in card for card in cards] == [False] * 4 + [True]


def test_checking_the_same_code_again_is_no_new_try_and_shows_the_same(notebook, record):
    first = html(notebook.try_out(unlike(1)))
    again = html(notebook.check())
    assert first == again
    notebook.run(unlike(1) + "  # a comment")
    assert "Hint 1" not in html(notebook.check())
    assert len(progress.read(record)[0]) == 1


def test_an_unstarted_or_stale_answer_is_no_try(notebook, record):
    notebook.try_out(STUB)
    notebook.check("predict")
    assert progress.read(record)[0] == []


def test_tries_survive_a_restart_of_the_kernel(notebook, record):
    for n in range(1, 3):
        notebook.try_out(unlike(n))
    kernel._open.clear()
    with samples.fresh_shell() as shell:
        restarted = Notebook(shell)
        restarted.run(OPEN)
        assert "Hint 2 of 3" in html(restarted.try_out(unlike(3)))


def test_without_a_working_copy_nothing_is_written_and_help_still_grows(notebook, tmp_path):
    for n in range(1, 3):
        card = html(notebook.try_out(unlike(n)))
    assert "Hint 1 of 3" in card
    assert not list(tmp_path.glob("*.jsonl"))


def test_passing_offers_to_compare_and_is_recorded(notebook, record):
    shown = notebook.try_out(RIGHT)
    assert "check.solution(" in html(shown)
    mine = progress.questions(progress.read(record)[0])["01_functions", "softmax"]
    assert mine.passed
    assert not mine.with_help


def test_reading_the_solution_before_passing_is_recorded_as_help(notebook, record, monkeypatch):
    monkeypatch.setattr(kernel, "solution_source", lambda *names: "def softmax(x): <ours>")
    shown = notebook.run('check.solution("softmax")')
    assert "clear your cell, and write it again" in html(shown)
    assert "&lt;ours&gt;" in html(shown)
    assert "ours" not in text(shown).replace("our solution", "")
    notebook.try_out(RIGHT)
    assert progress.questions(progress.read(record)[0])["01_functions", "softmax"].with_help


def test_a_solution_that_is_not_installed_is_said_in_words(notebook, record):
    shown = notebook.run('check.solution("softmax")')
    assert "has no solutions of 01_functions" in html(shown)
    assert progress.read(record)[0] == []


def test_skipping_is_recorded_and_passing_later_takes_it_back(notebook, record):
    notebook.run('check.skip("softmax")')
    assert progress.questions(progress.read(record)[0])["01_functions", "softmax"].skipped
    notebook.try_out(RIGHT)
    assert not progress.questions(progress.read(record)[0])["01_functions", "softmax"].skipped


def test_a_solution_is_shown_without_the_marks_of_its_region(monkeypatch, tmp_path):
    (tmp_path / "exercises" / "checks").mkdir(parents=True)
    (tmp_path / "solutions").mkdir()
    source = "def f(x):\n    # BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    cell = {"cell_type": "code", "id": "answer-f", "source": source}
    (tmp_path / "solutions" / "11_x.ipynb").write_text(json.dumps({"cells": [cell]}))
    monkeypatch.setenv("NNCHECK_EXERCISES", str(tmp_path))
    assert kernel.solution_source("11_x", "f") == "def f(x):\n    return x"
    with pytest.raises(LookupError, match="no cell for g"):
        kernel.solution_source("11_x", "g")
    with pytest.raises(FileNotFoundError, match="no solutions of 12_x"):
        kernel.solution_source("12_x", "g")


def test_the_broken_one_of_a_catch_can_be_called_and_not_read(notebook):
    broken = notebook.run('check.broken("missing_transpose")')
    assert broken([[1.0]] * 1 and __import__("numpy").eye(2), 3 * __import__("numpy").eye(2)).sum()
    assert "find where it goes wrong" in repr(broken)
    with pytest.raises(ValueError, match="has no question 'soft'; it has softmax, predict"):
        kernel._open["01_functions"].solution("soft")
    with pytest.raises(ValueError, match="not a catch-it question"):
        kernel._open["01_functions"].broken("softmax")


# ------------------------------------------------------------------------- the learner's tricks


def test_patching_numpy_or_nnlib_after_opening_changes_no_verdict(notebook, monkeypatch):
    import numpy as np

    for name in ("exp", "abs", "isfinite", "array_equal", "allclose", "asarray"):
        monkeypatch.setattr(np, name, getattr(np, name))  # put back afterwards
    notebook.run(OVER_THE_BATCH)
    notebook.run(
        "import numpy as np\nkeep = np.exp\n"
        "np.abs = np.isfinite = np.array_equal = np.allclose = lambda *a, **k: True\n"
        "np.asarray = lambda x: x"
    )
    assert notebook.check().verdict.status == "failed"
    notebook.run("np.exp = lambda x: x * 0 + 1")
    assert not notebook.check().verdict.passed


def test_a_card_can_be_read_in_any_theme_and_by_a_screen_reader(notebook):
    card = html(notebook.try_out(OVER_THE_BATCH))
    assert 'role="status"' in card
    assert "var(--jp-warn-color1, " in card
    assert "background" not in card
    assert "✗ Not yet right" in card  # never by colour alone


def test_what_a_learner_writes_is_shown_as_text_and_never_as_html(notebook):
    shown = notebook.try_out(
        "def softmax(x): raise ValueError('<script>alert(1)</script>\\x1b[2J')"
    )
    assert "<script>" not in html(shown)
    assert "&lt;script&gt;" in html(shown)
    assert "\x1b" not in html(shown)


def test_from_part_3_on_the_mistake_is_one_click_away():
    verdict = samples.locally(
        "01_functions",
        "softmax",
        samples.trial("01_functions").exercise.questions["softmax"].wrongs[0].answer,
    )
    from dataclasses import replace

    early = message.result(verdict).html
    late = message.result(replace(verdict, exercise="31_init")).html
    assert early.index("You normalised") < early.index("expected")
    assert "<summary" not in early
    assert late.index("expected") < late.index("<summary") < late.index("You normalised")


# ------------------------------------------------------------------------------- buttons


def test_buttons_appear_only_where_somebody_can_press_them(notebook, saved, monkeypatch, record):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    notebook.try_out(RIGHT)
    assert shown == []
    saved(("answer-softmax", RIGHT), later=-3600)
    notebook.check()
    [box] = shown
    [row, place] = box.children
    assert [b.description for b in row.children] == ["Compare with our solution"]
    monkeypatch.setattr(kernel, "solution_source", lambda *names: "ours")
    row.children[0].click()
    assert "ours" in place.outputs[0]["data"]["text/html"]


def test_the_solution_and_skipping_are_buttons_after_enough_tries(notebook, saved, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    saved(("answer-softmax", "x"), later=-3600)
    for n in range(1, 6):
        notebook.try_out(unlike(n))
    labels = [[b.description for b in box.children[0].children] for box in shown]
    assert labels == [["Show our solution"], ["Show our solution", "Skip for now"]]
