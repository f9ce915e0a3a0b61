"""What a learner reads; what of it is kept secret is tested in test_told.py."""

import re

import pytest

from nncheck import export, register
from nncheck.gradebook import Gradebook
from tests.nncheck import books, samples
from tests.nncheck.books import cell, enter, failed, mistake, passed

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def book(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    with Gradebook(tmp_path / "class.db", create=True) as book:
        yield book


@pytest.fixture
def read(book, tmp_path):
    """The page of a learner, as HTML or Markdown."""

    def read(name, roster=None):
        found = register.read(book, roster=roster)
        export.write(tmp_path / "out", book, found, ["feedback"])
        return books.pages(tmp_path / "out" / "feedback", name)

    return read


@pytest.mark.parametrize("ending", ["html", "md"])
def test_a_learner_reads_points_the_mistakes_sentence_and_the_hints(book, read, ending):
    enter(book, "ada", mistake(), passed("predict", 1), cells=[])
    text = read(f"ada.{ending}")
    assert "1 of 3 points." in text
    assert "Not yet right" in text
    assert "0 of 2 points" in text
    assert books.SENTENCE in text
    for hint in samples.load("01_functions").questions["softmax"].hints:
        assert hint in text
    assert "argmax" not in text, "a hint on what is right already"


@pytest.mark.parametrize("ending", ["html", "md"])
def test_a_learner_reads_why_a_teacher_decided_otherwise(book, read, ending):
    enter(book, "ada", mistake(), cells=[])
    book.mark("ada", "01_functions", "softmax", 2, "It is what I had asked for.")
    text = read(f"ada.{ending}")
    assert "It is what I had asked for." in text
    assert "Your teacher decided" in text
    assert "2 of 2 points" in text
    assert f"The check said: {books.SENTENCE}" in text
    assert "Which axis" not in text, "a hint on what has all its points"


@pytest.mark.parametrize("ending", ["html", "md"])
def test_a_learner_sees_the_line_that_raised(book, read, ending):
    said = "`softmax` raised ValueError: 12.25. Look at line 2: `raise ValueError(x < 1)`"
    source = "def softmax(x):\n    raise ValueError(x < 1)"
    enter(book, "ada", failed("raised", said), cells=[cell(source)])
    text = read(f"ada.{ending}")
    assert "It raised ValueError." in text
    assert "12.25" not in text
    assert ("x &lt; 1" if ending == "html" else "\n    raise ValueError(x < 1)\n") in text


def test_nobody_reads_of_anybody_else(book, read):
    enter(book, "ada", mistake(), cells=[])
    enter(book, "bob", passed(), cells=[])
    assert "bob" not in read("ada.*")
    assert "over" not in read("bob.md")


def test_whoever_handed_in_nothing_that_was_graded_reads_so(book, read, tmp_path):
    enter(book, "ada", passed(), cells=[])
    run, _ = book.begin_run()
    book.refuse(run, register.Refused("bob", "bob/work.zip", "an archive is not opened"))
    (tmp_path / "r.csv").write_text("student_id,first_name\nzoe,Zoe\n")
    zoe = read("zoe.html", tmp_path / "r.csv")
    assert "Feedback for Zoe" in zoe
    assert "bob" not in zoe
    assert "01_functions: 0 of 2 points" in zoe
    assert "No notebook of this was graded." in zoe
    assert "Not graded: bob/work.zip: an archive is not opened." in read("bob.html")


def test_nothing_of_a_learner_or_teacher_is_markup(book, read, tmp_path):
    line = f"raise ValueError('{EVIL}``` ![a](b)')"
    said = f"`softmax` raised ValueError: {EVIL}. Look at line 1: `{line}`"
    files = ["``<img src=x>`", "`[a](javascript:x)`", "<b>*c* [d](e) # f"]
    for number, file in enumerate(files):
        content = str(number).encode()
        enter(book, "eve", failed("raised", said), cells=[cell(line)], content=content, file=file)
        book.mark("eve", "01_functions", "softmax", 1, f"{EVIL} ``<i>`")
        page, text = read("eve.html"), read("eve.md")
        assert not re.search(r"<(script|img|b|i)\b", page)
        outside = "\n".join(n for n in text.splitlines() if not n.startswith("    "))
        assert not re.search(r"(?<!\\)<|(?<!\\)\]\(", outside)


def test_a_code_span_of_a_sentence_stays_code_in_markdown():
    from nncheck.feedback import _marked_up

    assert _marked_up("use `np.sum(x, axis=1)[0]`, not *it*") == (
        "use `np.sum(x, axis=1)[0]`, not \\*it\\*"
    )


def test_an_exercise_that_is_gone_leaves_feedback_without_hints(book, read):
    enter(book, "ada", mistake(), exercise="09_gone", cells=[])
    assert books.SENTENCE in read("ada.html")
    assert "Hint" not in read("ada.html")
