import pytest

from nncheck import choose, predict, prediction, progress, recall, reveal
from tests.nncheck import samples

OPTIONS = ["1", "2", "a"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    prediction._asked.clear()


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.touch()
    return path


def asked():
    return predict("22/a+a", "y = a + a. What is the `gradient`?", OPTIONS)


def test_a_prediction_shows_its_question_and_lettered_options():
    shown = asked()._repr_mimebundle_()
    assert shown["text/plain"] == ("y = a + a. What is the `gradient`?\n  a) 1\n  b) 2\n  c) a")
    assert "<code>gradient</code>" in shown["text/html"]
    assert "<li>b) 2</li>" in shown["text/html"]


def test_the_outcome_is_one_of_the_options():
    asked()
    assert repr(reveal("22/a+a", "2")) == "Outcome: b) 2"
    with pytest.raises(ValueError, match="none of the options"):
        reveal("22/a+a", "2.0")


def test_an_outcome_without_its_prediction_is_shown_all_the_same():
    assert repr(reveal("22/a+a", 2)) == "Outcome: 2"


@pytest.mark.parametrize("guess", [None, "1", "2"])
def test_the_text_never_depends_on_what_was_answered(record, guess):
    if guess:
        progress.append(record, "predict", key="22/a+a", guess=guess, confidence="sure")
    assert repr(asked()).endswith("c) a")
    shown = reveal("22/a+a", "2")
    assert repr(shown) == "Outcome: b) 2"
    said = {None: "have not predicted", "1": "predicted 1 (sure).", "2": "and so it is"}
    assert said[guess] in shown.html


def test_an_outcome_is_recorded_once(record):
    asked()
    reveal("22/a+a", "2")
    reveal("22/a+a", "2")
    assert [e["event"] for e in progress.read(record)[0]] == ["reveal"]


def test_nothing_is_written_where_there_is_no_working_copy(tmp_path):
    asked()
    reveal("22/a+a", "2")
    assert list(tmp_path.iterdir()) == []


def test_a_recall_folds_its_answer_away():
    shown = recall("11/b", "What does b move?", ["the line", "x"], answer="the line", why="A < B.")
    assert repr(shown) == "What does b move?\n  a) the line\n  b) x"
    before, _, after = shown.html.partition("<summary")
    assert "A &lt; B." not in before
    assert "a) the line. A &lt; B." in after


@pytest.mark.parametrize("options", [["1"], ["1", "1"], [1, "1"], []])
def test_options_that_are_no_choice_are_refused(options):
    with pytest.raises(ValueError, match="at least two options, all different"):
        predict("22/x", "?", options)


def test_the_answer_to_a_recall_is_one_of_its_options():
    with pytest.raises(ValueError, match="none of the options"):
        recall("11/b", "?", ["x", "y"], answer="z", why="")


# --------------------------------------------------------------- without buttons: by typing


def test_without_buttons_a_working_copy_says_how_to_answer_and_the_course_itself_does_not(record):
    told = 'nncheck.choose("22/a+a", "a", "think")'
    assert told in asked().html.replace("&quot;", '"')
    with_answer = asked().text
    record.unlink()
    assert "choose" not in asked().html
    assert asked().text == with_answer


@pytest.mark.parametrize("typed", ["b", "2"])
def test_an_answer_is_typed_by_its_letter_or_its_words_with_how_sure(record, typed):
    before = asked().text
    shown = choose("22/a+a", typed, "think")
    [event] = progress.read(record)[0]
    assert (event["event"], event["guess"], event["confidence"]) == ("predict", "2", "think")
    assert "Your prediction: 2." in shown.html
    assert "Your prediction: 2." in asked().html
    assert asked().text == before


def test_a_letter_is_a_letter_even_if_an_option_is_called_so(record):
    asked()
    choose("22/a+a", "a", "guess")
    assert progress.read(record)[0][0]["guess"] == "1"


def test_only_the_first_typed_answer_is_recorded(record):
    asked()
    choose("22/a+a", "b", "think")
    assert "The first answer counts" in choose("22/a+a", "c", "sure").html
    assert len(progress.read(record)[0]) == 1


def test_a_recall_is_answered_by_typing_too(record):
    recall("11/b", "?", ["x", "y"], answer="y", why="so")
    assert "It is y. so" in choose("11/b", "a", "sure").html
    mine = progress.predictions(progress.read(record)[0])["11/b"]
    assert (mine.guess, mine.outcome) == ("x", "y")


@pytest.mark.parametrize(
    ("key", "option", "confidence", "said"),
    [
        ("22/b", "a", "sure", "has asked: 22/a.a. Run the cell"),
        ("22/a+a", "d", "sure", r"none of the options: a\) 1, b\) 2, c\) a"),
        ("22/a+a", "a", "", "one of guess, think, sure; got ''"),
    ],
)
def test_what_cannot_be_recorded_says_what_to_type(record, key, option, confidence, said):
    asked()
    with pytest.raises(ValueError, match=said):
        choose(key, option, confidence)
    assert progress.read(record)[0] == []


# ------------------------------------------------------------------------ with a reader


@pytest.fixture
def boxes(monkeypatch):
    """What is displayed below a cell in a kernel that somebody looks at."""
    shown = []
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/22_autograd.ipynb")
    monkeypatch.setattr("IPython.display.display", shown.append)

    with samples.fresh_shell() as shell:

        def run(source):
            shell.run_cell("from nncheck import predict, recall\n" + source)
            return shown[-1].children

        yield run


ASK = 'predict("22/a", "?", ["1", "2"]);'


def test_a_reader_chooses_an_option_and_how_sure_and_nothing_is_chosen_beforehand(boxes, record):
    choice, row, said = boxes(ASK)
    sure, button = row.children
    assert choice.value is None
    assert sure.value is None
    button.click()
    assert "Choose an option" in said.value
    choice.value = "2"
    button.click()
    assert progress.read(record)[0] == []
    sure.value = "think"
    button.click()
    [event] = progress.read(record)[0]
    assert (event["key"], event["guess"], event["confidence"]) == ("22/a", "2", "think")
    assert "Your prediction: 2." in said.value
    assert button.disabled


def test_a_prediction_that_was_made_is_shown_after_a_restart(boxes, record):
    progress.append(record, "predict", key="22/a", guess="2", confidence="sure")
    choice, row, _ = boxes(ASK)
    assert choice.value == "2"
    assert row.children[1].disabled


def test_a_recall_tells_at_once_and_counts_as_a_prediction(boxes, record):
    choice, row, said = boxes('recall("11/b", "?", ["x", "y"], answer="y", why="so");')
    choice.value, row.children[0].value = "x", "guess"
    row.children[1].click()
    assert "It is y." in said.value
    mine = progress.predictions(progress.read(record)[0])["11/b"]
    assert (mine.guess, mine.outcome, mine.right) == ("x", "y", False)
