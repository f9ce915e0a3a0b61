import re
from datetime import date, timedelta

import pytest

from nncheck import cli, exercise, kernel, notebooks, progress, review, submission, workcopy
from nncheck.answer import Local
from nncheck.diagnose import Trial
from nncheck.exercise import NOTEBOOK_SEED
from nncheck.prove.candidate import run_notebook
from tests.nncheck import samples, small_course
from tests.nncheck.small_course import code

FIRST = date(2026, 3, 2)
LESSON = """predict(
    "11/b",
    "b grows. "
    "What does the line do?",
    ["it turns", "it shifts"],
)"""
RECALL = """recall("10/old", "Ready?", ["yes", "no"], answer="yes", why="You are here.")
predict("11/worked-out", question, options)"""


def at(day, event, **details):
    """An event at noon, so many days after the first."""
    return {"event": event, "when": f"{FIRST + timedelta(days=day)}T12:00:00+00:00", **details}


def question(day, event, name="neuron", **details):
    return at(day, event, exercise="11_neuron", question=name, **details)


def due_days(events, until=60):
    """The days, counted from the first, on which each thing is due if it is left alone."""
    days = [FIRST + timedelta(days=n) for n in range(until)]
    return [n for n, day in enumerate(days) if any(m.due == day for m in review.missed(events))]


# ---------------------------------------------------------------------------- the schedule


def test_what_was_missed_comes_back_after_1_3_7_and_21_days_and_then_no_more():
    events = [question(0, "try", status="failed")]
    seen, day = [], 0
    while due := due_days(events):
        [day] = due
        seen.append(day)
        events.append(question(day, "review", status="passed"))
    assert seen == [1, 4, 11, 32]


def test_what_is_wrong_again_starts_again_at_one_day():
    events = [question(0, "skip"), question(1, "review", status="passed")]
    assert due_days(events) == [4]
    events.append(question(4, "review", status="failed"))
    assert due_days(events) == [5]


def test_what_comes_late_waits_from_the_day_it_was_done():
    assert due_days([question(0, "skip"), question(10, "review", status="passed")]) == [13]


def test_right_before_it_is_due_counts_for_nothing():
    events = [question(0, "try", status="failed"), question(0, "try", status="passed")]
    assert due_days(events) == [1]
    events += [question(1, "review", status="passed"), question(2, "review", status="passed")]
    assert due_days(events) == [4]


@pytest.mark.parametrize(
    "events",
    [
        [question(0, "try", status="failed")],
        [question(0, "skip")],
        [question(0, "solution")],
        [at(0, "predict", key="a", guess="1"), at(0, "reveal", key="a", outcome="2")],
        [at(0, "reveal", key="a", outcome="2"), at(0, "predict", key="a", guess="1")],
        [at(0, "recall", key="a", guess="1", outcome="2")],
        [
            at(0, "predict", key="a", guess="1"),
            *(at(n, "reveal", key="a", outcome="2") for n in (0, 3)),
        ],
    ],
)
def test_each_way_to_miss_comes_back_once(events):
    assert due_days(events) == [1]
    assert len(review.missed(events)) == 1


@pytest.mark.parametrize(
    "events",
    [
        [],
        [question(0, "try", status="passed")],
        [question(0, "review", status="passed")],
        [at(0, "predict", key="a", guess="1")],
        [at(0, "predict", key="a", guess="1"), at(0, "reveal", key="a", outcome="1")],
        [
            *(at(0, "predict", key="a", guess=g) for g in "12"),
            at(0, "reveal", key="a", outcome="1"),
        ],
        [at(0, "recall", key="a", guess="1", outcome="1"), at(0, "recall", key="a", guess="2")],
        [at(0, "something new", exercise="a", question="b")],
    ],
)
def test_what_was_right_or_is_open_does_not(events):
    assert review.missed(events) == []


def test_a_prediction_that_comes_back_is_judged_by_its_new_guess():
    events = [at(0, "recall", key="a", guess="1", outcome="2")]
    right = at(1, "review", key="a", guess="2", outcome="2")
    assert due_days([*events, right]) == [4]
    assert due_days([*events, right, at(4, "review", key="a", guess="", outcome="2")]) == [5]


@pytest.mark.parametrize("when", [{}, {"when": 3}, {"when": "soon"}, {"when": None}])
def test_an_old_record_without_a_date_is_due_at_once(when):
    [m] = review.missed([{"event": "skip", "exercise": "11_neuron", "question": "relu", **when}])
    assert m.due < FIRST


# ------------------------------------------------------------------------------- today


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working copy of a small course whose lesson asks two things."""
    home = small_course.write_course(tmp_path / "home")
    lesson = small_course.lesson(code(LESSON), code(RECALL))
    notebooks.write(lesson, home / "course" / "11_neuron.ipynb")
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    workcopy.start(tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def record(folder):
    def record(*events):
        for event in events:
            progress.append(folder / "progress.jsonl", **event)

    return record


WRONG_GUESS = at(0, "recall", key="11/b", guess="it turns", outcome="it shifts")
WRONG_RECALL = at(0, "recall", key="10/old", guess="no", outcome="yes")
HELPED = [question(0, "solution"), question(0, "try", status="passed")]
TOMORROW = FIRST + timedelta(days=1)


def events(folder):
    return progress.read(folder / "progress.jsonl")[0]


def run(folder, today=TOMORROW, typed=None):
    lines = iter(typed or ())

    def read(prompt):
        for line in lines:
            return line
        raise EOFError

    review.run(folder, today, None if typed is None else read)


def test_a_prediction_is_asked_again_and_what_came_of_it_is_recorded(folder, record, capsys):
    record(WRONG_GUESS, WRONG_RECALL)
    run(folder, typed=["b", "z", " B "])
    out = capsys.readouterr().out
    assert "Due today: 2 to predict again." in out
    assert "\nFrom lesson 10: Ready?\n  a) yes\n  b) no\nIt is a) yes. You are here." in out
    assert out.count("It comes back tomorrow.") == 1
    assert (
        "\nFrom lesson 11: b grows. What does the line do?\n  a) it turns\n  b) it shifts\nRight."
        in out
    )
    assert f"Right. It comes back on {TOMORROW + timedelta(days=3)}." in out
    old, b = events(folder)[2:]
    assert (old["event"], old["key"], old["guess"], old["outcome"]) == (
        "review",
        "10/old",
        "no",
        "yes",
    )
    assert (b["key"], b["guess"], b["outcome"]) == ("11/b", "it shifts", "it shifts")


def test_who_does_not_know_is_told_and_reads_where_to_look(folder, record, capsys):
    record(WRONG_GUESS)
    run(folder, typed=[""])
    said = "It is b) it shifts. Why? See course/11_neuron.ipynb. It comes back tomorrow."
    assert said in capsys.readouterr().out
    assert events(folder)[-1]["guess"] == ""


@pytest.mark.parametrize("typed", [None, []])
def test_without_an_answer_nothing_is_recorded(folder, record, typed, capsys):
    record(WRONG_GUESS)
    run(folder, typed=typed)
    assert "1 to predict again" in capsys.readouterr().out
    assert events(folder) == [WRONG_GUESS]


def test_the_last_time_is_said_to_be_the_last(folder, record, capsys):
    record(WRONG_GUESS)
    for day in (1, 4, 11):
        record(at(day, "review", key="11/b", guess="it shifts", outcome="it shifts"))
    run(folder, FIRST + timedelta(days=32), ["b"])
    assert "Right. That was its last time." in capsys.readouterr().out


def test_a_question_gets_a_page_and_one_that_never_passed_stays_where_it_is(folder, record, capsys):
    record(*HELPED, question(0, "skip", name="relu"))
    run(folder)
    out = capsys.readouterr().out
    assert "Due today: 1 to write again, 1 not passed yet." in out
    assert "  review/11_neuron_neuron.ipynb\n" in out
    assert "  exercises/11_neuron.ipynb: relu\n" in out
    assert [p.name for p in (folder / "review").iterdir()] == ["11_neuron_neuron.ipynb"]


def test_nothing_due_says_when_the_next_is(folder, record, capsys):
    run(folder, FIRST)
    assert "Nothing is due. What you miss comes back" in capsys.readouterr().out
    record(WRONG_GUESS, WRONG_RECALL)
    run(folder, FIRST)
    assert f"Nothing is due today. Next: 2 on {TOMORROW}." in capsys.readouterr().out
    assert not (folder / "review").exists()


def test_five_minutes_are_offered_at_a_time_the_longest_overdue_first(folder, monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    seen = []
    for day, name in enumerate(exercise.load("01").questions):
        asked = {"exercise": "01_functions", "question": name}
        seen += [at(day, "solution", **asked), at(day, "try", status="passed", **asked)]
    now = review.session(seen, FIRST + timedelta(days=9))
    assert [m.name for m in now.questions] == ["softmax", "predict"]
    assert now.waiting == 1
    assert str(now) == "Due today: 2 to write again. For another five minutes: 1."


@pytest.mark.parametrize(
    "gone",
    [
        question(0, "skip", name="deleted"),
        at(0, "skip", exercise="99_gone", question="x"),
        at(0, "recall", key="11/gone", guess="1", outcome="2"),
        at(0, "recall", key="11/worked-out", guess="1", outcome="2"),
        at(0, "recall", key="11/b", guess="it turns", outcome="an option of an older lesson"),
        at(0, "review", key="11/b", guess="", outcome="it shifts"),  # its prediction is lost
    ],
)
def test_what_the_course_no_longer_has_is_left_out(folder, gone):
    assert str(review.session([gone], TOMORROW)) == ""


def test_a_review_whose_tries_are_lost_waits_in_its_exercise(folder):
    now = review.session([question(0, "review", status="failed")], TOMORROW)
    assert [m.name for m in now.unfinished] == ["neuron"]


# ------------------------------------------------------------------------------- a page


def cell(path, name):
    return next(c for c in submission.read(path) if c.id == name)


def missed(name="neuron", where="11_neuron"):
    return review.Missed(where, name, FIRST)


def test_a_page_has_the_question_and_a_gap_and_nobody_elses_answer(folder, record):
    record(*HELPED)
    path = review.page(folder, missed())
    text = path.read_text()
    assert "raise NotImplementedError" in cell(path, "answer-neuron").source
    assert "relu" not in text
    assert "total" not in text
    assert 'open_exercise("11_neuron", review=True)' in cell(path, "setup").source


def test_a_page_of_today_stays_and_is_written_anew_when_the_question_is_due_again(folder):
    path = review.page(folder, missed())
    small_course.edit(path, "answer-neuron", "half of an answer")
    review.page(folder, missed())
    assert cell(path, "answer-neuron").source == "half of an answer"
    review.page(folder, review.Missed("11_neuron", "neuron", TOMORROW))
    assert "NotImplementedError" in cell(path, "answer-neuron").source


@pytest.mark.parametrize("name", exercise.names())
def test_on_each_page_of_the_course_the_solution_passes(name, tmp_path):
    what = exercise.load(name)
    trial = Trial(what, NOTEBOOK_SEED)
    record = tmp_path / "progress.jsonl"
    record.touch()
    for q in what.questions:
        progress.append(record, "try", exercise=name, question=q, status="passed")
    for q in what.questions:
        nb = notebooks.read(review.page(tmp_path, missed(q, name)))
        answers = [c for c in nb.cells if c.id.startswith("answer-")]
        assert [submission.defines(c.source, q) for c in answers] == [True]
        assert notebooks.text(nb).count("open_exercise(") == 1
        answers[0].source = kernel.solution_source(name, q)
        verdict = trial.judge(Local(run_notebook(nb)), q)
        assert (verdict.question, verdict.status) == (q, "passed")


def test_what_has_not_passed_is_a_gap_on_another_questions_page(tmp_path):
    (tmp_path / "progress.jsonl").touch()
    progress.append(
        tmp_path / "progress.jsonl",
        "try",
        exercise="22_autograd",
        question="order",
        status="passed",
    )
    given = cell(review.page(tmp_path, missed("backward", "22_autograd")), "given").source
    assert "done.append(value)" in given
    power = re.search(r"def power.*?(?=\ndef )", given, re.DOTALL)
    assert power
    assert "NotImplementedError" in power[0]


@pytest.fixture
def on_the_page(folder, record, monkeypatch):
    """A kernel in which somebody works on the page of `neuron`."""
    record(*HELPED)
    path = review.page(folder, missed())
    monkeypatch.chdir(path.parent)
    kernel._open.clear()
    with samples.fresh_shell() as shell:

        def run(source):
            return shell.run_cell(source, store_history=True).result

        run(cell(path, "setup").source)
        yield run
    kernel._open.clear()


WRONG = "def neuron(x, w, b):\n    return x @ w"
RIGHT = "def neuron(x, w, b):\n    return x @ w + b"


def test_on_a_page_a_check_is_a_review_and_no_other_try(on_the_page, folder):
    before = len(events(folder))
    for source in (WRONG, WRONG, RIGHT, RIGHT):
        on_the_page(source)
        on_the_page('check("neuron")')
    new = events(folder)[before:]
    assert [(e["event"], e["status"]) for e in new] == [("review", "failed"), ("review", "passed")]
    assert progress.questions(events(folder))["11_neuron", "neuron"].tries == 1


def test_on_a_page_hints_come_with_the_tries_of_this_review(on_the_page):
    on_the_page(WRONG)
    assert "Hint" not in on_the_page('check("neuron")').html
    on_the_page(WRONG + " * 2")
    assert "Hint 1 of" in on_the_page('check("neuron")').html


def test_a_solution_opened_on_a_page_is_missed_unless_it_was_right_first(on_the_page, folder):
    def solutions():
        return [e["event"] for e in events(folder)].count("solution")

    before = solutions()
    on_the_page('check.solution("neuron")')
    assert solutions() == before + 1
    on_the_page(RIGHT)
    on_the_page('check("neuron")')
    on_the_page('check.solution("neuron")')
    assert solutions() == before + 1


# ------------------------------------------------------------------------------- the card


def test_the_card_says_the_same_text_to_everyone_and_links_what_is_due(folder, record, monkeypatch):
    nobody = review.show(None, TOMORROW)
    record(*HELPED, WRONG_GUESS, question(0, "skip", name="relu"))
    monkeypatch.chdir(folder / "course")
    shown = review.show(folder / "progress.jsonl", TOMORROW)
    assert shown.text == nobody.text == review.RULE
    assert 'href="../review/11_neuron_neuron.ipynb"' in shown.html
    assert 'href="../exercises/11_neuron.ipynb"' in shown.html
    assert "nncheck review" in shown.html
    assert "Due today: 1 to predict again, 1 to write again, 1 not passed yet." in shown.html


def test_on_the_card_predictions_are_asked_with_buttons(folder, record, monkeypatch):
    record(WRONG_GUESS)
    shown = []
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/00_start_here.ipynb")
    monkeypatch.setattr("IPython.display.display", shown.append)
    with samples.fresh_shell() as shell:
        result = shell.run_cell("from nncheck.review import due\ndue()").result
    title, choice, row, said = shown[-1].children
    assert "What does the line do?" in title.value
    assert choice.value is None
    assert "nncheck review" not in result.html
    choice.value, row.children[0].value = "it shifts", "sure"
    row.children[1].click()
    assert "Right." in said.value
    last = events(folder)[-1]
    assert (last["event"], last["guess"], last["confidence"]) == ("review", "it shifts", "sure")


# ------------------------------------------------------------------------------- the command


def test_the_command_works_in_the_copy_and_by_its_name_and_nowhere_else(
    folder, record, monkeypatch, capsys
):
    record(WRONG_GUESS)
    assert cli.main(["review"]) == 0
    monkeypatch.chdir(folder.parent)
    assert cli.main(["review", "mine"]) == 0
    assert capsys.readouterr().out.count("Due today: 1 to predict again.") == 2
    assert cli.main(["review"]) == 2
    assert cli.main(["review", "home"]) == 2
    assert "nncheck review my-course" in capsys.readouterr().err
