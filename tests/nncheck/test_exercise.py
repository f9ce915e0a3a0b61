import numpy as np
import pytest

from nncheck import exercise
from nncheck.exercise import Catch, Exercise
from tests.nncheck import samples

HEAD = '''
"""A check file."""
import numpy as np
from nncheck import call, catch, question, wrong
USES = "numpy"
def double(x): return 2 * x
'''
QUESTION = '''
@question(points=1, right=double)
def twice(rng):
    """Twice a number."""
    yield call, rng.normal()
'''


def written(tmp_path, text):
    path = tmp_path / "11_made.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_exercise_knows_its_questions_in_order_and_its_points():
    made = samples.load("02_objects")
    assert list(made.questions) == ["Value", "Momentum", "dropout", "train"]
    assert made.points == 8
    assert made.uses == "numpy"


def test_a_question_carries_its_sentence_hints_and_wrong_answers():
    q = samples.load("01_functions").questions["softmax"]
    assert q.sentence == "Softmax of a batch of logits, row by row."
    assert len(q.hints) == 3
    assert [w.name for w in q.wrongs] == [
        "over_the_batch",
        "unshifted",
        "unshifted_by_rows",
        "not_broadcast",
    ]
    assert [w.mistake for w in q.wrongs][2] == "unshifted"
    assert q.wrongs[2].sentence == q.wrongs[1].sentence
    assert [w.sneaky for w in q.wrongs] == [False, True, True, False]
    assert isinstance(samples.load("01_functions").questions["missing_transpose"], Catch)


def test_the_same_seed_draws_the_same_data_and_another_seed_others():
    q = samples.load("01_functions").questions["softmax"]
    first, again, other = q.calls(3)[0].data[0], q.calls(3)[0].data[0], q.calls(4)[0].data[0]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_questions_draw_different_data_from_one_seed():
    made = samples.load("02_objects")
    first, second = (made.questions[n].calls(0)[0].data for n in ("Value", "Momentum"))
    assert first[0] != second[0][0]


def test_the_leading_parameters_of_a_probe_are_names_and_the_rest_is_data():
    [first, _] = samples.load("02_objects").questions["Value"].calls(0)
    assert first.names == ("Value",)
    assert first.labels == ("a",)
    [dropout, _] = samples.load("02_objects").questions["dropout"].calls(0)
    assert dropout.names == ("dropout",)
    assert dropout.labels == ("x", "p", "uniforms", "training")


def test_standing_in_changes_a_name_for_given_parts_too_and_puts_it_back():
    made = samples.load("01_functions")
    with made.stand_in(softmax=lambda logits: -logits) as names:
        assert names["predict"](np.array([[1.0, 2.0]])).tolist() == [0]
    assert vars(made.module)["predict"](np.array([[1.0, 2.0]])).tolist() == [1]


def test_a_question_rests_on_those_whose_answers_its_probes_use():
    made = samples.load("01_functions")
    [c] = made.questions["predict"].calls(0)
    assert made.rests_on(c, "predict") == ("softmax",)
    assert made.order.index("softmax") < made.order.index("predict")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("USES = 'numpy'", "no question in it"),
        (HEAD.replace('USES = "numpy"', "") + QUESTION, "write USES"),
        (HEAD.replace('"numpy"', '"jax"') + QUESTION, "write USES"),
        (HEAD + QUESTION.replace('"""Twice a number."""', ""), "needs a docstring"),
        (HEAD + QUESTION + "@wrong(twice)\ndef half(x): return x / 2", "needs a docstring"),
        (HEAD + QUESTION + "@wrong(twice, like=double)\ndef half(x): ...", "not a wrong answer"),
        (
            HEAD + "def p(twice, a, b): return 1\n" + QUESTION.replace("call, ", "p, 1, 2, "),
            "at least one name",
        ),
        (
            HEAD + "def p(other, a): return 1\n" + QUESTION.replace("call", "p"),
            "so it never uses twice itself",
        ),
        (
            HEAD + "def p(twice, other, a): return 1\n" + QUESTION.replace("call", "p"),
            "neither a question nor a name",
        ),
        (
            HEAD + "def p(twice, a): return double(a)\n" + QUESTION.replace("call", "p"),
            "probe p uses double",
        ),
        (
            HEAD
            + "def p(twice, a): return [double(i) for i in a]\n"
            + QUESTION.replace("call", "p"),
            "probe p uses double",
        ),
        (
            HEAD + "def p(twice, a, by=double): return a\n" + QUESTION.replace("call, ", "p, 1, "),
            "probe p uses what gives NameError",
        ),
        (
            HEAD + QUESTION.replace("call, ", "(lambda twice, a: 1), "),
            "probe <lambda> uses",
        ),
        (HEAD + QUESTION.replace("right=double", "right=double, builds=('x.y',)"), "builds='x.y'"),
        (HEAD + "oops(", "SyntaxError"),
        (
            HEAD
            + "def p(a, b, x): return 1\ndef q(b, a, x): return 1\n"
            + QUESTION.replace("twice", "a").replace("call", "p")
            + QUESTION.replace("twice", "b").replace("call", "q"),
            "rest on each other",
        ),
    ],
)
def test_a_check_file_that_cannot_work_says_so_when_it_is_loaded(tmp_path, text, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        Exercise(written(tmp_path, text))


def test_exercises_are_found_by_their_files_and_by_name_or_number(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    assert exercise.names() == list(samples.NAMES)
    assert exercise.find("02") == exercise.find("objects") == "02_objects"
    with pytest.raises(LookupError, match="There are: 01_functions, 02_objects"):
        exercise.find("99")


def test_exercises_are_looked_up_in_the_named_folder_and_never_in_the_working_folder(
    monkeypatch, tmp_path
):
    (tmp_path / "exercises" / "checks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNCHECK_EXERCISES", raising=False)
    assert exercise.home() != tmp_path
    monkeypatch.setenv("NNCHECK_EXERCISES", str(tmp_path))
    assert exercise.home() == tmp_path
    monkeypatch.setenv("NNCHECK_EXERCISES", str(tmp_path / "exercises"))
    assert exercise.home() == tmp_path
    private = tmp_path / "private"
    (private / "checks").mkdir(parents=True)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(private))
    assert exercise.home() == exercise.exercises_folder() == private
    monkeypatch.setenv("NNCHECK_EXERCISES", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="holds no exercises"):
        exercise.home()
