import re

import numpy as np
import pytest

from nncheck import export, register
from nncheck.gradebook import Gradebook
from nncheck.page import STYLE
from nncheck.told import told
from tests.nncheck import books, samples

# Each puts a word into what the grader says, that stands in no line of the notebook: so could it
# put the data that it was given.
MARK = "HIDDEN"
WAYS = {
    "the message of an exception": (
        "def softmax(logits):\n    raise ValueError('HID' + 'DEN' + repr(logits))"
    ),
    "the name of an exception": (
        "def softmax(logits):\n    raise type('HID' + 'DEN', (Exception,), {})()"
    ),
    "a forged line": (
        "import linecache\ndef softmax(logits):\n"
        "    lines = ['HID' + 'DEN\\n'] * 9\n"
        "    name = softmax.__code__.co_filename\n"
        "    linecache.cache[name] = (9, None, lines, name)\n"
        "    raise ValueError"
    ),
    "a message that names a line": (
        "def softmax(logits):\n    raise ValueError('Look at line 1: `HID' + 'DEN`')"
    ),
    "a key of the result": "def softmax(logits):\n    return {'HID' + 'DEN': 1}",
    "a type": "def softmax(logits):\n    return type('HID' + 'DEN', (), {})()",
    "the name of a function with a placeholder": (
        "def inner():\n    raise NotImplementedError\n"
        "inner.__code__ = inner.__code__.replace(co_qualname='HID' + 'DEN.x')\n"
        "def softmax(logits):\n    inner()"
    ),
    "a cell that stops": "raise ValueError('HID' + 'DEN')\ndef softmax(logits): ...",
    "a cell that says it is not Python": (
        "raise SyntaxError('HID' + 'DEN')\ndef softmax(logits): ..."
    ),
    "a line of what is not Python": (
        "exec(compile('HID' + 'DEN (', 'x', 'exec'))\ndef softmax(logits): ..."
    ),
    "an input to be found": "def missing_transpose():\n    return {'HID' + 'DEN': 1}",
}
NUMBERS = {
    "a factor": "return 8765 * right(logits)",
    "a number": "return np.where(np.arange(logits.shape[1]) == 1, 8765.0, right(logits))",
    "a shape": "return np.zeros(8765)",
    "a length": "return ['x'] * 8765",
}
RIGHT = """import numpy as np
def right(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""


@pytest.fixture
def book(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    with Gradebook(tmp_path / "class.db", create=True) as book:
        yield book


def written(book, folder):
    """What a learner gets to read, and the grader's own words about it."""
    export.write(folder, book, register.read(book), ("feedback", "junit", "class", "csv"))
    [standing] = book.standings()
    kept = " ".join(f"{a.name} {a.message} {a.detail}" for a in standing.answers)
    return books.pages(folder), kept


@pytest.mark.parametrize("way", WAYS)
def test_what_an_answer_says_reaches_nobody(way, book, tmp_path):
    books.grade_into(book, "eve", WAYS[way])
    shown, kept = written(book, tmp_path / "out")
    assert MARK in kept, "this way puts nothing into the grader's words: the test is blind"
    assert MARK not in shown


@pytest.mark.parametrize("way", NUMBERS)
def test_no_number_of_a_reply_reaches_anybody(way, book, tmp_path):
    books.grade_into(book, "eve", RIGHT, f"def softmax(logits):\n    {NUMBERS[way]}")
    shown, kept = written(book, tmp_path / "out")
    assert "8765" in kept
    assert "8765" not in shown


def test_an_answer_that_returns_its_input_shows_none_of_it(book, tmp_path):
    result = books.grade_into(book, "eve", "def softmax(logits):\n    return logits")
    shown, kept = written(book, tmp_path / "out")
    calls = samples.load("01_functions").questions["softmax"].calls(result.seed)
    numbers = {f"{n:.4g}" for c in calls for n in np.ravel(c.data[0]).tolist()}  # as messages do
    # A number such as 1.2 stands on any page, in its style or in a time; and this is a year 20...
    long = {n for n in numbers if len(re.sub(r"^[-0.]*|e.*|[.]", "", n)) == 4}
    hidden = {n for n in long if n not in STYLE and not n.startswith("20")}
    assert len(hidden) > 5
    assert any(n in kept for n in long), "nothing of it is in the grader's words: a blind test"
    assert not [n for n in hidden if n in shown]


def test_an_input_that_counts_is_not_repeated(book, tmp_path):
    answer = "return np.array([[87.65, 0]]), np.array([[0, 1], [0, 0]])"
    books.grade_into(book, "eve", f"import numpy as np\ndef missing_transpose():\n    {answer}")
    assert book.standings()[0].points == 1
    shown, kept = written(book, tmp_path / "out")
    assert "87.65" in kept
    assert "87.65" not in shown


def test_a_probe_is_never_named(book, tmp_path):
    wrong = "def predict(logits):\n    return np.argmax(softmax(logits), axis=0)"
    books.grade_into(book, "eve", RIGHT + "softmax = right", wrong)
    [standing] = book.standings()
    assert "chosen" in [a.probe.split(" ")[0] for a in standing.answers]
    shown, _ = written(book, tmp_path / "out")
    assert "You looked for the best row of each class" in shown
    assert "chosen" not in shown


def test_an_exception_is_told_by_its_type_and_the_learners_own_line():
    said = "`softmax` raised ValueError: array([1.5]). Look at line 2: `raise ValueError(repr(x))`"
    answer = books.failed("raised", said)
    told_ = told(answer, ["x = 1", "def softmax(x):\n    raise ValueError(repr(x))"])
    assert told_.words.startswith("It raised ValueError. Run its check in the notebook")
    assert (told_.line, told_.code) == (2, "raise ValueError(repr(x))")
    assert told(answer, ["x = 1"]).line == 0
    assert told(answer, ["raise ValueError(repr(x))"]).line == 0, "it stands in another line"


def test_an_exception_of_the_learners_own_is_told_if_the_notebook_has_its_name():
    answer = books.failed("raised", "`softmax` raised Broken: 1.")
    assert "It raised Broken." in told(answer, ["class Broken(Exception): ..."]).words
    assert "It raised an exception." in told(answer, ["class Other(Exception): ..."]).words
    assert (
        "It raised an exception." in told(books.failed("raised", "`f` raised 12: 1."), ["12"]).words
    )


def test_an_exception_that_should_have_come_is_asked_for():
    said = "An exception should be raised here: the result is [12.25], expected ValueError."
    words = told(books.failed("raised", said), []).words
    assert words.startswith("For some input an exception should be raised here")
    assert "12.25" not in words


def test_a_kind_that_nobody_thought_of_is_told_without_its_message():
    assert told(books.failed("new kind", "12.25"), []).words.startswith("It is not right yet.")


def test_what_the_grader_itself_failed_at_stays_with_the_teacher():
    answer = books.failed("grader error", "ValueError: 12.25", status="error")
    assert str(told(answer, [])) == "The grader failed here, not your answer. Tell your teacher."


def test_every_kind_of_symptom_has_its_sentence():
    from nncheck.diagnose import SYMPTOMS
    from nncheck.told import SENTENCES

    assert set(SYMPTOMS) - {"value"} <= set(SENTENCES)
