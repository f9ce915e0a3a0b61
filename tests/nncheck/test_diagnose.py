import numpy as np
import pytest

from nncheck.answer import Local, Raised, Reply, Trouble
from nncheck.diagnose import Trial, _datum, _part, reply_difference, same_reply, snippet
from nncheck.exercise import Call, Exercise, call
from tests.nncheck import samples

WRONGS = [
    (name, q.name, wrong.name)
    for name in samples.NAMES
    for q in samples.load(name).questions.values()
    for wrong in q.wrongs
]


def judged(question, answer, name="01_functions"):
    return samples.locally(name, question, answer)


@pytest.mark.parametrize("name", samples.NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_the_right_answers_pass_with_all_points(name, seed):
    of = samples.trial(name, seed)
    for q in of.exercise.questions.values():
        for answer in (*q.also, *([] if hasattr(q, "broken") else [q.right])):
            verdict = samples.locally(name, q.name, answer, seed)
            assert verdict.passed, verdict
            assert verdict.points == q.points


@pytest.mark.parametrize(("name", "question", "wrong"), WRONGS)
@pytest.mark.parametrize("seed", range(5))
def test_every_known_wrong_answer_fails_and_is_named(name, question, wrong, seed):
    of = samples.trial(name, seed)
    [known] = [w for w in of.exercise.questions[question].wrongs if w.name == wrong]
    verdict = samples.locally(name, question, known.answer, seed)
    assert verdict.status == "failed"
    assert verdict.points == 0
    assert verdict.mistake
    assert verdict.name == known.mistake
    assert verdict.message == known.sentence


@pytest.mark.parametrize("name", samples.NAMES)
def test_none_zeros_and_the_input_itself_earn_nothing(name):
    of = samples.trial(name)
    for q in of.exercise.questions.values():
        for answer in (
            lambda *inputs: None,
            lambda *inputs: 0.0,
            lambda *inputs: np.zeros_like(inputs[0]) if inputs else (),
            lambda *inputs: inputs[0] if inputs else (),
        ):
            assert samples.locally(name, q.name, answer).points == 0


def placeholder(*inputs):
    raise NotImplementedError


def softmax(logits):
    raise NotImplementedError


def test_a_placeholder_is_not_done_yet_and_comes_before_everything_else():
    verdict = judged("softmax", softmax)
    assert verdict.status == "not done"
    assert not verdict.started
    assert "`softmax` still holds the placeholder" in verdict.message


def test_a_placeholder_left_in_a_method_is_named():
    class Momentum:
        def __init__(self, lr, beta):
            self.lr = lr

        def step(self, p, g):
            raise NotImplementedError

    space = vars(samples.trial("02_objects").exercise.module)
    assert samples.locally("02_objects", "Momentum", Momentum).status == "not done"
    exec(
        "class Momentum:\n"
        "    def __init__(self, lr, beta): pass\n"
        "    def step(self, p, g):\n"
        "        raise NotImplementedError\n",
        names := {**space},
    )
    of = samples.trial("02_objects")
    assert "`Momentum.step` still holds" in of.judge(Local(names), "Momentum").message


def test_an_answer_that_rests_on_one_that_has_not_passed_is_skipped():
    verdict = judged_predict_with(lambda logits: logits * 2)
    assert verdict.status == "skipped"
    assert "make `softmax` pass first" in verdict.message


def judged_predict_with(softmax):
    of = samples.trial("01_functions")
    with of.exercise.stand_in(softmax=softmax) as names:
        return of.judge(Local(names), "predict")


def test_not_started_is_said_before_skipped():
    of = samples.trial("01_functions")
    with of.exercise.stand_in(softmax=lambda logits: logits, predict=placeholder) as names:
        assert of.judge(Local(names), "predict").status == "not done"


def test_a_missing_answer_is_missing_and_says_under_which_name():
    of = samples.trial("01_functions")
    verdict = of.judge(Local({}), "softmax")
    assert verdict.status == "missing"
    assert "There is no `softmax`" in verdict.message


def test_a_missing_part_that_a_probe_needs_is_said():
    names = {"predict": lambda logits: logits}
    verdict = samples.trial("01_functions").judge(Local(names), "predict")
    assert verdict.status in ("missing", "skipped")
    assert "`softmax`" in verdict.message


@pytest.mark.parametrize(
    ("answer", "name", "words"),
    [
        (lambda logits: None, "none", "`softmax` returned None: did you forget `return`?"),
        (lambda logits: logits / 0, "raised", ""),
        (lambda logits: logits.sum(1), "shape", "has shape (1,), expected shape (1, 3)"),
        (lambda logits: logits @ logits, "raised", "`softmax` raised ValueError: matmul"),
        (lambda logits: print, "type", "is an object of type builtin_function_or_method"),
        (lambda logits: -RIGHT(logits), "relation", "opposite sign"),
        (lambda logits: RIGHT(logits) / 4, "relation", "(1/4) times"),
        (lambda logits: RIGHT(logits).T, "relation", "transposed"),
        (lambda logits: RIGHT(logits) ** 1.1, "value", "expected"),
        (lambda logits: [*RIGHT(logits).tolist(), "end"], "type", ""),
    ],
)
def test_an_unknown_mistake_is_told_by_its_symptom(answer, name, words):
    with np.errstate(all="ignore"):
        verdict = judged("softmax", answer)
    assert verdict.status == "failed"
    assert not verdict.mistake
    if words:
        assert verdict.name == name
    assert words in verdict.message


RIGHT = samples.load("01_functions").questions["softmax"].right


def test_a_nan_is_told_before_a_wrong_number():
    def partly_nan(logits):
        out = RIGHT(logits) + 0.1
        out[0, 1] = np.nan
        return out

    verdict = judged("softmax", partly_nan)
    assert verdict.name == "nan"
    assert "There is a NaN in the result" in verdict.message


def test_a_wrong_shape_is_told_before_a_wrong_number_even_on_a_later_probe():
    verdict = judged("softmax", lambda x: RIGHT(x) + 1 if len(x) == 3 else RIGHT(x)[0])
    assert verdict.name == "shape"


def test_an_input_changed_in_place_fails_a_right_result():
    def in_place(logits):
        logits -= logits.max(axis=1, keepdims=True)
        return RIGHT(logits)

    verdict = judged("softmax", in_place)
    assert verdict.name == "changed"
    assert "changes its input `logits` in place" in verdict.message


def test_right_in_one_mode_only_is_said():
    def without_mask(x, p, uniforms, training):
        return x + 1 if training else x

    verdict = samples.locally("02_objects", "dropout", without_mask)
    assert verdict.message == "It is wrong only when `training` is True; otherwise it is right."


def test_an_exception_names_the_learners_own_line():
    source = "def softmax(logits):\n    wide = logits + 1\n    return wide @ wide\n"
    names = {}
    exec(compile(source, "<cell>", "exec"), names)
    verdict = samples.trial("01_functions").judge(Local(names), "softmax")
    assert "Look at line 3" in verdict.message


def test_the_detail_says_the_call_what_came_and_what_was_expected():
    verdict = judged("softmax", lambda logits: RIGHT(logits) + 0.25 * np.eye(*logits.shape))
    assert verdict.message.startswith("With logits = [[1979, 0, -5.937]]: ")
    assert "`softmax(logits)[0, 0]` is 1.25, expected 1." in verdict.message


def test_the_parts_of_a_probes_reply_are_called_what_the_probe_calls_them():
    of = samples.trial("02_objects").exercise
    [assigned] = [w for w in of.questions["Value"].wrongs if w.name == "AssignedValue"]
    verdict = samples.locally("02_objects", "Value", assigned.answer)
    assert "`x.grad` is" in verdict.detail
    assert "One number on three paths" in verdict.detail


def probe_with_a_star(answer, x):
    once = [x, x]
    return [x, *once, answer(x), sum(number for number in once if number)]


@pytest.mark.parametrize(
    ("part", "name"), [(0, "x"), (1, "once[0]"), (2, "once[1]"), (3, "answer(x)"), (4, None)]
)
def test_a_starred_part_and_those_around_it_have_their_names(part, name):
    assert _part(probe_with_a_star, part, 5) == name


def probe_of_steps(answer, x):
    places = [x, x]
    return tuple(places), answer(x)


def test_a_list_that_is_made_a_tuple_keeps_its_name():
    assert _part(probe_of_steps, 0, 2) == "places"


def test_the_snippet_shows_the_failure_again():
    of = samples.trial("02_objects").exercise
    [assigned] = [w for w in of.questions["Value"].wrongs if w.name == "AssignedValue"]
    verdict = samples.locally("02_objects", "Value", assigned.answer)
    *lines, last = verdict.snippet.splitlines()
    space = {"Value": assigned.answer}
    exec("\n".join(lines), space)
    _, grad = eval(last, space)
    assert f"{grad:.4g}" in verdict.detail


def test_large_data_are_said_by_their_shape_and_not_pasted():
    q = samples.trial("01_functions").exercise.questions["softmax"]
    large = Call(call, ("softmax",), ("logits",), (np.zeros((10, 10)),))
    small = Call(call, ("softmax",), ("logits",), (np.zeros((2, 2)),))
    assert snippet(q, large) == ""
    assert snippet(q, small).startswith("logits = np.array([[0")
    verdict = judged("predict", lambda logits: None)
    assert "with logits of shape (6, 4)" in (verdict.message + verdict.detail).lower()


@pytest.mark.parametrize(
    ("value", "said"), [((5, 1), "= (5, 1)"), ((), "= ()"), ((0.25, 1.0), "= [0.25, 1]")]
)
def test_a_shape_is_said_as_python_writes_it(value, said):
    assert _datum(value) == said


def test_arrays_in_a_list_are_said_by_their_shapes():
    assert _datum([np.ones((3, 4)), np.ones(5)]) == "= arrays of shape (3, 4) and (5,)"
    assert _datum([[np.ones(3)], [np.ones(3)]]) == "= a list of 2 parts"
    assert _datum({"W": np.ones(3)}) == "= a dict with the keys 'W'"


def test_an_input_does_not_count_where_the_right_reply_is_not_finite(tmp_path):
    path = tmp_path / "11_finite.py"
    path.write_text(
        "from nncheck import catch\nimport numpy as np\nUSES = 'numpy'\n"
        "def right(x):\n    return {'a': [np.log(x)], 'b': 'text'}\n"
        "def broken(x):\n    return {'a': [np.log(x) + 1], 'b': 'text'}\n"
        "@catch(points=1, right=right, wrong=broken)\n"
        'def find():\n    """Find one."""\n'
    )
    of = Trial(Exercise(path), 0)
    assert of.judge(Local({"find": lambda: 2.0}), "find").passed
    assert of.judge(Local({"find": lambda: (2.0,)}), "find").passed
    with np.errstate(divide="ignore"):
        assert of.judge(Local({"find": lambda: 0.0}), "find").name == "not finite"


def test_a_right_answer_that_replies_no_data_is_refused(tmp_path):
    path = tmp_path / "11_odd.py"
    path.write_text(
        "from nncheck import call, question\nUSES = 'numpy'\n"
        "def right(x):\n    return {'a': (1, print)}\n"
        "@question(points=1, right=right)\n"
        'def find(rng):\n    """Find one."""\n    yield call, 1.0\n'
    )
    with pytest.raises(ValueError, match="no data"):
        Trial(Exercise(path), 0)


def test_the_same_answer_gets_the_same_words():
    assert judged("softmax", lambda x: x) == judged("softmax", lambda x: x)


def test_an_exception_agrees_by_type_and_names_a_mistake_by_message_too():
    one = Reply(raised=Raised("ValueError", "f() has no axis"))
    two = Reply(raised=Raised("ValueError", "softmax() has no axis"))
    other = Reply(raised=Raised("ValueError", "something else"))
    assert same_reply(one, other)
    assert same_reply(one, two, by_message=True)
    assert not same_reply(one, other, by_message=True)
    assert not same_reply(one, Reply(value=1.0))


def test_a_right_answer_that_raises_asks_for_that_exception(tmp_path):
    path = tmp_path / "11_raises.py"
    path.write_text(
        '"""Raises."""\nfrom nncheck import call, question\nUSES = "numpy"\n'
        "def right(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x\n"
        "@question(points=1, right=right)\n"
        'def root(rng):\n    """Refuses."""\n    yield call, -1.0\n    yield call, 2.0\n'
    )
    of = Trial(Exercise(path), 0)

    def judged(answer):
        return of.judge(Local({"root": answer}), "root")

    def refuses(x):
        if x < 0:
            raise ValueError("in other words")
        return x

    assert judged(refuses).passed
    verdict = judged(lambda x: x)
    assert verdict.name == "raised"
    assert "should be raised here: `root(x)` is a number, expected ValueError" in verdict.message


def test_a_change_in_place_that_is_asked_for_must_happen():
    want = Reply(value=None, changed={0: 1.0})
    assert reply_difference(Reply(value=None, changed={0: 1.0}), want) is None
    assert reply_difference(Reply(value=None), want)
    assert reply_difference(Reply(value=None, changed={0: 2.0}), want)


# ---------------------------------------------------------------------------- catch it


@pytest.mark.parametrize(
    ("inputs", "name", "words"),
    [
        ((np.ones((1, 2)), np.ones((1, 2))), "", "Caught: the broken one raises ValueError"),
        ((np.eye(2), np.array([[3.0, 4], [5, 6]])), "", "Caught: what the broken one returns"),
        ((np.eye(2), [[3.0], [4.0, 5.0]]), "input", "This input does not count (ValueError"),
        ((np.eye(2), np.ones((2, 2)) * 3), "symmetric", "equals its own transpose"),
        ((np.zeros((2, 2)), np.array([[1.0, 2], [3, 4]])), "not caught", "Look for another"),
        (None, "input", "did you forget `return`"),
        (7.0, "input", "should return the input, (x, W); it returned a number"),
        ((np.ones((9, 9)), np.ones((9, 9))), "input", "162 numbers; find one with at most 50"),
        ((np.ones((2, 2)), np.full((2, 2), 1e9)), "input", "stay between -1000 and 1000"),
        ((np.ones((2, 2)), np.full((2, 2), np.nan)), "input", "holds nan"),
        ((np.ones((2, 2)), print), "input", "give numbers, lists and arrays"),
        ((1.0, 2.0), "input", "should be matrices"),
        ((np.ones((2, 3)), np.ones((2, 4))), "refused", "the right one refuses it too"),
        ((np.ones((2, 3)), np.array([["a"] * 3])), "refused", "refuses it too"),
    ],
)
def test_a_caught_input_passes_and_a_useless_one_is_told_why(inputs, name, words):
    verdict = samples.locally("01_functions", "missing_transpose", lambda: inputs)
    assert verdict.passed is words.startswith("Caught")
    assert verdict.name == name
    assert words in verdict.message


def test_a_catch_that_was_not_started_is_not_done():
    assert samples.locally("01_functions", "missing_transpose", placeholder).status == "not done"


def test_a_trouble_becomes_a_verdict():
    class Away:
        def trouble(self, name):
            return Trouble("not run", "not run", "Run it.")

    verdict = samples.trial("01_functions").judge(Away(), "softmax")
    assert (verdict.status, verdict.message, verdict.points) == ("not run", "Run it.", 0)
