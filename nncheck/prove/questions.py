"""The gates that look at one question at a time."""

import ast
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, partialmethod
from itertools import combinations

import numpy as np

from nncheck.answer import Reply
from nncheck.diagnose import same_reply
from nncheck.exercise import Call, Catch, Question
from nncheck.prove.candidate import Candidate


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
