"""The gates: what must hold for an exercise before a learner meets it.

A gate is a function that looks at a candidate and says, sentence by sentence, what is wrong. Most
run over 20 draws of the data. Blanks are made of the solution, never read from exercises/.
"""

import ast
import copy
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, partialmethod
from itertools import combinations

import numpy as np

from nncheck import build, source, submission
from nncheck.answer import Remote, Reply
from nncheck.diagnose import Verdict, same_reply
from nncheck.exercise import NOTEBOOK_SEED, Call, Catch, Question
from tests.course.candidate import Candidate, cells, run_notebook
from tests.course.survivors import mutated, survives


def untouched_earns_nothing(candidate: Candidate) -> Iterator[str]:
    """Every question of the blank is "not done", for 0 points."""
    names = run_notebook(candidate.blank)
    for trial in candidate.trials:
        for verdict in trial.judge_all(candidate.local(names)):
            if verdict.points or verdict.status != "not done":
                yield (
                    f"{verdict.question}, seed {trial.seed}: untouched, it is {verdict.status!r} "
                    f"with {verdict.points:g} points, not 'not done' with 0. {verdict.message}"
                )


def empty_replies_earn_nothing(candidate: Candidate, question: Question) -> Iterator[str]:
    """Answers that return None, zeros or their own input do not pass."""
    for what, change in EMPTY.items():
        answer = emptied(question.right, change)
        if isinstance(question, Catch):
            answer = emptied(lambda: None, change)
        for trial in candidate.trials:
            if candidate.judge(trial, question.name, answer).passed:
                yield (
                    f"{question.name}, seed {trial.seed}: an answer that only returns {what} "
                    "passes. Add a probe whose right reply is something else."
                )
                break


def zeros_like(right, *args, **kwargs):
    """Zeros in the shape of the right reply; a copy of the arguments protects them."""
    try:
        return zeroed(right(*copy.deepcopy(args), **copy.deepcopy(kwargs)))
    except Exception:
        return 0.0


def zeroed(value):
    if isinstance(value, np.ndarray):
        return np.zeros_like(value)
    if isinstance(value, (list, tuple)):
        return type(value)([zeroed(part) for part in value])
    return 0.0 if isinstance(value, (bool, int, float)) else value * 0  # a Tensor, a Value


EMPTY: dict[str, Callable] = {
    "None": lambda right, *args, **kwargs: None,
    "zeros": zeros_like,
    "its input": lambda right, *args, **kwargs: args[0] if args else None,
}


def emptied(right, change):
    """The right answer with `change` in place of what it does; of a class, of every method."""
    if not isinstance(right, type):
        return partial(change, right)
    body = {
        name: partialmethod(partial(change, method))
        for name, method in vars(right).items()
        if isinstance(method, types.FunctionType) and name not in ("__init__", "__hash__")
    }
    return type(right.__name__, (right,), body)


def solution_passes(candidate: Candidate) -> Iterator[str]:
    """The solution earns every point, for every seed."""
    answer = candidate.local(candidate.names)
    for trial in candidate.trials:
        for verdict in trial.judge_all(answer):
            if not verdict.passed:
                yield (
                    f"{verdict.question}, seed {trial.seed}: the solution is {verdict.status}. "
                    f"{verdict.message} {verdict.detail}"
                )


def two_right_answers_pass(candidate: Candidate, question: Question) -> Iterator[str]:
    """At least two right answers, spelled differently, pass. (A catch-it's answer is an input.)"""
    if isinstance(question, Catch):
        return
    rights = [question.right, *question.also]
    if len({spelling(right) for right in rights}) < 2:
        yield f"{question.name}: give a second right answer, spelled differently, in also=(...)."
    for right in rights:
        for trial in candidate.trials:
            verdict = candidate.judge(trial, question.name, right)
            if not verdict.passed:
                yield (
                    f"{question.name}, right answer {right.__name__}, seed {trial.seed}: it is "
                    f"{verdict.status}. {verdict.message} {verdict.detail}"
                )
                break


def spelling(answer) -> str:
    """The code of an answer without its name and docstring."""
    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(answer))).body[0]
    except (OSError, TypeError, SyntaxError):
        return f"{answer.__module__}.{answer.__qualname__}"
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        node.name = "answer"
        node.decorator_list = []
        if ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(node)


def any_form_of_a_right_reply_passes(candidate: Candidate, question: Question) -> Iterator[str]:
    """The solution's reply passes as float32, as float64 and as nested lists."""
    if isinstance(question, Catch):
        return
    for form, change in FORMS.items():
        for trial in candidate.trials:
            replies = zip(trial.calls[question.name], trial.right[question.name], strict=True)
            answer = Replies({id(c): changed(reply, change) for c, reply in replies})
            for name, right in trial.right.items():  # what it rests on passes as it is
                if name != question.name:
                    answer.by_call.update(
                        {id(c): r for c, r in zip(trial.calls[name], right, strict=False)}
                    )
            verdict = trial.judge(answer, question.name)
            if not verdict.passed:
                yield (
                    f"{question.name}, seed {trial.seed}: the right reply as {form} does not pass. "
                    f"{verdict.message} {verdict.detail}"
                )
                break


class Replies:
    """An answer that is nothing but its replies."""

    def __init__(self, by_call: dict[int, Reply]):
        self.by_call = by_call

    def trouble(self, name: str):
        return None

    def reply(self, call: Call) -> Reply:
        return self.by_call[id(call)]


def changed(reply: Reply, change) -> Reply:
    return replace(
        reply,
        value=cast(reply.value, change),
        changed={i: cast(value, change) for i, value in reply.changed.items()},
    )


def cast(value, change):
    """A plain value with `change` done to its arrays, numbers being arrays without axes."""
    if isinstance(value, dict):
        return {key: cast(part, change) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([cast(part, change) for part in value])
    if isinstance(value, np.ndarray) or type(value) is float:
        return change(np.asarray(value))
    return value


def as_float(dtype):
    def change(array):
        with np.errstate(over="ignore"):
            return array.astype(dtype) if array.dtype.kind == "f" else array

    return change


FORMS = {
    "float32": as_float(np.float32),
    "float64": as_float(np.float64),
    "nested lists": lambda array: array.tolist(),
}


def judging_changes_nothing(candidate: Candidate) -> Iterator[str]:
    """Nothing of ours is put over the learner's code, nor left in nnlib."""
    names = dict(candidate.names)
    ours = {n: dict(vars(m)) for n, m in sys.modules.items() if re.match(r"nnlib\b", n)}
    candidate.trials[0].judge_all(candidate.local(names))
    for name in {*names, *candidate.names}:
        if names.get(name) is not candidate.names.get(name):
            yield f"judging the solution changed what {name} stands for in the notebook."
    for module, before in ours.items():
        for name, thing in vars(sys.modules[module]).items():
            if before.get(name) is not thing:
                yield f"judging the solution changed {module}.{name}."


def wrong_answers_are_named(candidate: Candidate, question: Question) -> Iterator[str]:
    """Every wrong answer fails and is named as itself; so both spellings get one name."""
    for wrong in question.wrongs:
        verdicts = [candidate.judge(t, question.name, wrong.answer) for t in candidate.trials]
        if all(verdict.passed for verdict in verdicts):
            yield (
                f"{question.name}, {wrong.name}: it is right on every probe for {len(verdicts)} "
                "seeds. Add a probe that it fails, or take it off the list."
            )
            continue
        for trial, verdict in zip(candidate.trials, verdicts, strict=True):
            if verdict.passed:
                yield f"{question.name}, {wrong.name}, seed {trial.seed}: it passes."
                break
            if not verdict.mistake or verdict.name != wrong.mistake:
                yield (
                    f"{question.name}, {wrong.name}, seed {trial.seed}: it is told "
                    f"{verdict.name!r}, not {wrong.mistake!r}. {verdict.message} {verdict.detail}"
                )
                break


def wrong_answers_are_told_apart(candidate: Candidate, question: Question) -> Iterator[str]:
    """Two different mistakes differ on some probe, for every seed."""
    for one, two in combinations(range(len(question.wrongs)), 2):
        first, second = question.wrongs[one], question.wrongs[two]
        if first.mistake == second.mistake:
            continue
        for trial in candidate.trials:
            replies = trial.wrong[question.name]
            if all(map(same_reply, replies[one], replies[two])):
                yield (
                    f"{question.name}, seed {trial.seed}: {first.name} and {second.name} reply the "
                    "same to every probe. Add a probe that tells them apart, or make them one."
                )
                break


def there_are_wrong_answers(candidate: Candidate, question: Question) -> Iterator[str]:
    """Every question has one, and every sneaky one is spelled in two ways."""
    if not question.wrongs:
        yield f"{question.name}: list at least one wrong answer."
    for wrong in question.wrongs:
        again = [other for other in question.wrongs if other.like == wrong.name]
        if wrong.sneaky and not wrong.like and not again:
            yield (
                f"{question.name}, {wrong.name}: a sneaky mistake needs a second spelling: "
                f"@wrong({question.name}, like={wrong.name})."
            )
        if any(spelling(other.answer) == spelling(wrong.answer) for other in again):
            yield f"{question.name}, {wrong.name}: its second spelling is the first one again."


def replies_depend_on_data(candidate: Candidate, question: Question) -> Iterator[str]:
    """A reply cannot be known without the data of its probe."""
    if isinstance(question, Catch):
        return
    trials = candidate.trials
    for trial, other in zip(trials, [*trials[1:], trials[0]], strict=True):
        right, theirs = trial.right[question.name], other.right[question.name]
        if len(right) == len(theirs) and all(map(same_reply, theirs, right)):
            yield (
                f"{question.name}: the right replies for seed {other.seed} also pass for seed "
                f"{trial.seed}. Draw the data of its probes from rng."
            )
            break
    by_probe: dict[str, tuple[list, list[Reply]]] = {}
    for trial in trials:
        pairs = zip(trial.calls[question.name], trial.right[question.name], strict=True)
        for call, reply in pairs:
            drawn, replies = by_probe.setdefault(call.probe.__name__, ([], []))
            drawn.append(call.data)
            replies.append(reply)
    for probe, (drawn, replies) in by_probe.items():
        fixed = all(same_reply(Reply(drawn[0]), Reply(data)) for data in drawn)
        if not fixed and all(same_reply(replies[0], reply) for reply in replies):
            shown = str(replies[0].value)[:60]
            yield f"{question.name}: probe {probe} replies {shown} whatever its data are."


def hints_are_given(candidate: Candidate, question: Question) -> Iterator[str]:
    """One to three hints, none empty, none twice."""
    hints = question.hints
    if not 1 <= len(hints) <= 3:
        yield f"{question.name}: {len(hints)} hints; give one to three."
    if not all(isinstance(hint, str) and hint.strip() for hint in hints):
        yield f"{question.name}: one of its hints is empty."
    if len(set(hints)) < len(hints):
        yield f"{question.name}: one of its hints stands there twice."


def nothing_leaks(candidate: Candidate) -> Iterator[str]:
    """No line of a solution stands in the exercise."""
    for line in build.leaks(candidate.solution, candidate.blank):
        yield f"the exercise shows a line of its solution: {line!r}"


def mutants_are_caught(candidate: Candidate) -> Iterator[str]:
    """Every small change to the solution fails, or is listed in `equivalent`, with why."""
    equivalent = candidate.exercise.equivalent
    seen = set()
    for question, mutant, names in mutated(candidate):
        key = f"{question}: {mutant.change}"
        seen.add(key)
        if survives(candidate, question, mutant, names):
            if key not in equivalent:
                yield (
                    f"{key!r} passes. Add a probe that catches it, or list it in the check file: "
                    "equivalent = {that: why it is just as right}."
                )
        elif key in equivalent:
            yield f"{key!r} is caught; take it out of `equivalent`."
    for key in set(equivalent) - seen:
        yield f"{key!r} is in `equivalent`, but there is no such change to the solution."
    for key, why in equivalent.items():
        if not str(why).strip():
            yield f"{key!r} is in `equivalent` without a reason."


def transports_agree(candidate: Candidate) -> Iterator[str]:
    """The solution, the blank and every wrong answer get the same verdict here and in a worker."""
    exercise, trial = candidate.exercise, candidate.trials[NOTEBOOK_SEED]
    for what, nb in (("solution", candidate.solution), ("blank", candidate.blank)):
        here = trial.judge_all(candidate.local(run_notebook(nb)))
        with Remote(cells(nb), exercise) as remote:
            yield from unlike(what, here, trial.judge_all(remote))
    everything = submission.Cell("wrong-answers", source.cell_with(exercise))
    with Remote([*cells(candidate.solution), everything], exercise) as remote:
        for question in exercise.questions.values():
            for wrong in question.wrongs:
                here = candidate.judge(trial, question.name, wrong.answer)
                there = trial.judge(Renamed(remote, question.name, wrong.name), question.name)
                yield from unlike(wrong.name, [here], [there])


class Renamed:
    """A notebook's answers with another of its names in place of one answer."""

    def __init__(self, remote: Remote, name: str, other: str):
        self.remote, self.name, self.other = remote, name, other

    def trouble(self, name: str):
        return None if name == self.name else self.remote.trouble(name)

    def reply(self, call: Call) -> Reply:
        names = tuple(self.other if name == self.name else name for name in call.names)
        return self.remote.reply(replace(call, names=names))


def unlike(what: str, here: list[Verdict], there: list[Verdict]) -> Iterator[str]:
    for a, b in zip(here, there, strict=True):
        if (a.status, a.points, a.name) != (b.status, b.points, b.name):
            yield (
                f"{a.question}, {what}: {a.status} {a.name!r} in this process, {b.status} "
                f"{b.name!r} in a worker. {b.message} {b.detail}"
            )


OF_EXERCISES = (
    untouched_earns_nothing,
    solution_passes,
    judging_changes_nothing,
    nothing_leaks,
    mutants_are_caught,
    transports_agree,
)
OF_QUESTIONS = (
    empty_replies_earn_nothing,
    two_right_answers_pass,
    any_form_of_a_right_reply_passes,
    wrong_answers_are_named,
    wrong_answers_are_told_apart,
    there_are_wrong_answers,
    replies_depend_on_data,
    hints_are_given,
)
