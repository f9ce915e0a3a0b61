"""Each gate passes a sound exercise, and stops one that is broken in just that way."""

import pytest

from nncheck.prove import gates
from nncheck.prove.candidate import Candidate
from tests.course import sample
from tests.course.printed import same_text
from tests.course.transcript import transcript


def problems(gate, home) -> list[str]:
    candidate = Candidate(home, sample.STEM)
    if gate in gates.OF_EXERCISES:
        return list(gate(candidate))
    questions = candidate.exercise.questions.values()
    return [problem for question in questions for problem in gate(candidate, question)]


@pytest.mark.parametrize(
    "gate", [*gates.OF_EXERCISES, *gates.OF_QUESTIONS], ids=lambda gate: gate.__name__
)
def test_a_sound_exercise_passes(gate, tmp_path):
    assert problems(gate, sample.write(tmp_path)) == []


DRAWN = "    yield call, rng.normal(size=(5, 3))\n    yield call, rng.normal(size=(3, 4)) * 1e-3\n"
ZEROS = "    yield call, np.zeros((3, 4))\n"
MEAN = "    total = X.sum(axis=0)\n    return total / len(X)\n"
REGION = f"    # BEGIN SOLUTION\n{MEAN}    # END SOLUTION\n"
BY_COLUMN = "return np.stack([column - column.mean() for column in X.T], axis=1)"
SUMMED = "    return X.sum(axis=0)\n"
ROW_MEAN = "    return X.mean(axis=1)\n"
HINT = '"Subtract each column\'s mean."'
NONE_LISTED = "equivalent = {}"

# gate, what it says, which text of the sample is replaced: (in what, old, new)
BROKEN = [
    (
        gates.untouched_earns_nothing,
        "column_mean, seed 0: untouched, it is 'passed' with 2 points",
        ("solution", REGION, f"{MEAN}    # BEGIN SOLUTION\n    # END SOLUTION\n"),
    ),
    (
        gates.untouched_earns_nothing,
        "centred, seed 0: untouched, it is 'skipped'",
        ("solution", "def centred(X):\n", "def centred(X):\n    return X\n"),
    ),
    (
        gates.solution_passes,
        "column_mean, seed 0: the solution is failed",
        ("solution", "total / len(X)", "total / 4"),
    ),
    (
        gates.judging_changes_nothing,
        "judging the solution changed what patched stands for",
        ("checks", "    return centred(X)\n", "    centred.__globals__['patched'] = 1\n"),
    ),
    (
        gates.nothing_leaks,
        "a line of its solution: 'total = X.sum(axis=0)'",
        ("solution", "## Column mean", "## Column mean\n\nBegin with `total = X.sum(axis=0)`."),
    ),
    (
        gates.mutants_are_caught,
        "'column_mean: total / len(X) -> total * len(X)' passes",
        ("checks", DRAWN, ZEROS),
    ),
    (
        gates.mutants_are_caught,
        "'column_mean: total = X.sum(axis=0) -> pass' is caught; take it out",
        (
            "checks",
            NONE_LISTED,
            "equivalent = {'column_mean: total = X.sum(axis=0) -> pass': 'why'}",
        ),
    ),
    (
        gates.mutants_are_caught,
        "'column_mean: x -> y' is in `equivalent`, but there is no such change",
        ("checks", NONE_LISTED, "equivalent = {'column_mean: x -> y': 'why'}"),
    ),
    (
        gates.mutants_are_caught,
        "'column_mean: x -> y' is in `equivalent` without a reason",
        ("checks", NONE_LISTED, "equivalent = {'column_mean: x -> y': ' '}"),
    ),
    (
        gates.transports_agree,
        "column_mean, row_mean: failed 'row_mean' in this process, failed 'raised'",
        ("checks", ROW_MEAN, f"    import nnlib\n{ROW_MEAN}"),
    ),
    (
        gates.transports_agree,
        "column_mean, solution: passed '' in this process, error 'cell'",
        ("solution", "def column_mean(X):\n", "import nnlib\n\n\ndef column_mean(X):\n"),
    ),
    (
        gates.empty_replies_earn_nothing,
        "column_mean, seed 0: an answer that only returns zeros passes",
        ("checks", DRAWN, ZEROS),
    ),
    (
        gates.empty_replies_earn_nothing,
        "centred, seed 0: an answer that only returns None passes",
        ("checks", "    return centred(X)\n", "    return centred(X) is X\n"),
    ),
    (
        gates.empty_replies_earn_nothing,
        "centred, seed 0: an answer that only returns its input passes",
        ("checks", "X - right_mean(X)", "X"),
    ),
    (
        gates.two_right_answers_pass,
        "centred: give a second right answer",
        ("checks", "    also=(right_centred_by_column,),\n", ""),
    ),
    (
        gates.two_right_answers_pass,
        "centred: give a second right answer",
        ("checks", BY_COLUMN, "return X - right_mean(X)"),
    ),
    (
        gates.two_right_answers_pass,
        "centred, right answer right_centred_by_column, seed 0: it is failed",
        ("checks", BY_COLUMN, "return X"),
    ),
    (
        gates.any_form_of_a_right_reply_passes,
        "centred, seed 0: the right reply as float32 does not pass",
        ("checks", "X - right_mean(X)", "(X - right_mean(X)) * 1e50"),
    ),
    (
        gates.wrong_answers_are_named,
        "column_mean, not_divided: it is right on every probe for 20 seeds",
        ("checks", SUMMED, "    return X.mean(axis=0)\n"),
    ),
    (
        gates.wrong_answers_are_named,
        ": it passes.",
        ("checks", SUMMED, "    return X.mean(axis=0) + (X[0, 0] > 0)\n"),
    ),
    (
        gates.wrong_answers_are_named,
        "column_mean, not_divided, seed 0: it is told 'row_mean', not 'not_divided'",
        ("checks", SUMMED, ROW_MEAN),
    ),
    (
        gates.wrong_answers_are_told_apart,
        "column_mean, seed 0: row_mean and not_divided reply the same to every probe",
        ("checks", SUMMED, ROW_MEAN),
    ),
    (
        gates.there_are_wrong_answers,
        "centred: list at least one wrong answer",
        ("checks", "@wrong(centred)\n", ""),
    ),
    (
        gates.there_are_wrong_answers,
        "column_mean, row_mean: a sneaky mistake needs a second spelling",
        ("checks", "@wrong(column_mean, like=row_mean)\n", ""),
    ),
    (
        gates.there_are_wrong_answers,
        "column_mean, row_mean: its second spelling is the first one again",
        ("checks", "    return X.sum(1) / X.shape[1]\n", ROW_MEAN),
    ),
    (
        gates.replies_depend_on_data,
        "column_mean: the right replies for seed 1 also pass for seed 0",
        ("checks", DRAWN, ZEROS),
    ),
    (
        gates.replies_depend_on_data,
        "centred: probe centred_by_it replies True whatever its data are",
        ("checks", "    return centred(X)\n", "    return bool(abs(centred(X).mean()) < 1e-9)\n"),
    ),
    (gates.hints_are_given, "centred: 0 hints", ("checks", f"({HINT},)", "()")),
    (gates.hints_are_given, "centred: 4 hints", ("checks", HINT, "'a', 'b', 'c', 'd'")),
    (gates.hints_are_given, "centred: one of its hints is empty", ("checks", HINT, "' '")),
    (gates.hints_are_given, "stands there twice", ("checks", HINT, "'a', 'a'")),
]


@pytest.mark.parametrize(
    ("gate", "said", "change"), BROKEN, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_broken_exercise_is_stopped(gate, said, change, tmp_path):
    what, old, new = change
    found = problems(gate, sample.write(tmp_path, **{what: (old, new)}))
    assert any(said in problem for problem in found), found


def test_a_transcript_is_what_the_learner_reads(tmp_path):
    shown = transcript(Candidate(sample.write(tmp_path), sample.STEM))
    assert shown.startswith(
        "--- column_mean: row_mean\n✗ Not yet right: column_mean, 0 of 2 points\n"
    )
    assert "\nYou averaged along the rows: axis 1 runs along a row, axis 0 down a column." in shown


def test_a_changed_sentence_changes_the_transcript(tmp_path):
    before = transcript(Candidate(sample.write(tmp_path), sample.STEM))
    changed = sample.write(tmp_path, checks=("down a column.", "down one."))
    after = transcript(Candidate(changed, sample.STEM))
    assert not same_text(before, after)


def test_every_gate_is_seen_to_fail():
    assert {gate for gate, _, _ in BROKEN} == {*gates.OF_EXERCISES, *gates.OF_QUESTIONS}
