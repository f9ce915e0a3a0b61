"""Which known wrong answer is this? Verdicts, and the one message that each carries.

A `Trial` is an exercise with its data drawn: the right replies and those of every known wrong
answer are computed when it is made, so that nothing a learner does afterwards changes a verdict.
"""

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy import array2string, ndarray

from nncheck.answer import Local, Reply, Trouble, reply_from
from nncheck.compare import Difference, describe, difference, numbers, relation, same, show
from nncheck.exercise import Call, Catch, Exercise, Question, Wrong, call
from nncheck.wire import Odd
from nncheck.worker import run_probe

Status = Literal["passed", "failed", "not done", "not run", "stale", "skipped", "missing", "error"]


@dataclass(frozen=True)
class Verdict:
    """What a check found out about one question.

    `name` is the known mistake (`mistake` is then True) or the kind of symptom. `message` says what
    happened and what to do; `detail` where it shows; `snippet` is code that shows it again; `probe`
    says which probe that was.
    """

    exercise: str
    question: str
    status: Status
    points: float
    worth: float
    name: str = ""
    message: str = ""
    detail: str = ""
    snippet: str = ""
    mistake: bool = False
    probe: str = ""

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def started(self) -> bool:
        """Did the learner write an answer, right or wrong?"""
        return self.status in ("passed", "failed", "error", "missing")


class Trial:
    """An exercise with one draw of data, and what the right and the wrong answers reply to it."""

    def __init__(self, exercise: Exercise, seed: int):
        self.exercise, self.seed = exercise, seed
        self.calls: dict[str, list[Call]] = {}
        self.right: dict[str, list[Reply]] = {}
        self.wrong: dict[str, list[list[Reply]]] = {}
        for q in exercise.questions.values():
            self.calls[q.name] = q.calls(seed)
            self.right[q.name] = [] if isinstance(q, Catch) else self._replies(q, q.right)
            self.wrong[q.name] = [self._replies(q, w.answer) for w in q.wrongs]
            if any(_holds_odd(reply.value) for reply in self.right[q.name]):
                raise ValueError(
                    f"{exercise.name}, {q.name}: a probe on the right answer returns what is no "
                    "data, so anything that is no data would agree. Return numbers or arrays."
                )

    def _replies(self, q, answer):
        with self.exercise.stand_in(**{q.name: answer}) as names:
            return [Local(names).reply(c) for c in self.calls[q.name]]

    def judge(self, answer, name: str) -> Verdict:
        """The verdict on one question."""
        return self._judge(answer, name, {})

    def judge_all(self, answer) -> list[Verdict]:
        """The verdict on every question, in the exercise's order."""
        done: dict[str, Verdict] = {}
        for name in self.exercise.order:
            done[name] = self._judge(answer, name, done)
        return [done[name] for name in self.exercise.questions]

    def _judge(self, answer, name, done):
        q = self.exercise.questions[name]
        blank = Verdict(self.exercise.name, name, "failed", 0, q.points)
        try:
            trouble = answer.trouble(name)
            if trouble:
                raise trouble
            if isinstance(q, Catch):
                return self._judge_catch(answer, q, blank)
            return self._judge_replies(answer, q, blank, done)
        except Trouble as t:
            return replace(blank, status=t.status, name=t.kind, message=t.message)

    # ---------------------------------------------------------------- ordinary questions

    def _judge_replies(self, answer, q, blank, done):
        calls, right = self.calls[q.name], self.right[q.name]
        replies: dict[int, Reply] = {}
        waits_for: list[str] = []
        for i, c in enumerate(calls):
            unpassed = [
                other
                for other in self.exercise.rests_on(c, q.name)
                if not self._verdict_on(answer, other, done).passed
            ]
            if not unpassed:
                replies[i] = answer.reply(c)
                self._stop_at_placeholder(q, replies[i])
            elif not waits_for:  # one look, to see whether this question was started at all
                waits_for = unpassed
                self._peek(answer, q, c)
        gaps = {i: gap for i, r in replies.items() if (gap := reply_difference(r, right[i]))}
        if gaps:
            return replace(blank, **self._diagnose(q, replies, gaps))
        if waits_for:
            raise rests_on(waits_for[0])
        times = "on the one input tried" if len(calls) == 1 else f"on all {len(calls)} inputs tried"
        said = f"It does what ours does {times}."
        return replace(blank, status="passed", points=q.points, message=said)

    def _peek(self, answer, q, c):
        try:
            self._stop_at_placeholder(q, answer.reply(c))
        except Trouble as t:
            if t.status in ("not done", "missing"):
                raise

    def _verdict_on(self, answer, name, done):
        if name not in done:
            done[name] = self._judge(answer, name, done)
        return done[name]

    def _stop_at_placeholder(self, q, reply):
        raised = reply.raised
        if raised is None or raised.kind != "NotImplementedError" or raised.message:
            return
        owner = raised.function.split(".")[0]
        if owner != q.name and owner in self.exercise.questions:
            raise rests_on(owner)
        inside = raised.function if "." in raised.function else q.name
        raise Trouble(
            "not done",
            "placeholder",
            f"`{inside.replace('.<locals>', '')}` still holds the placeholder. Write your code in "
            "place of `raise NotImplementedError`, run the cell, then run this check.",
        )

    def _diagnose(self, q, replies, gaps):
        """The name and the words for an answer that failed on some calls, those in `gaps`."""
        calls, right = self.calls[q.name], self.right[q.name]
        wrong = self._named(q, replies, set(gaps))

        def severity(i):  # a known mistake is shown on the smallest input that shows it
            return 0 if wrong else SYMPTOMS.index(gaps[i].kind), calls[i].size, i

        worst = min(gaps, key=severity)
        gap, reply, c = gaps[worst], replies[worst], calls[worst]
        gap = replace(gap, text=_placed(q, c, gap.text, right[worst].value))
        found = {"detail": _where(q, c, gap), "snippet": snippet(q, c)}
        found["probe"] = f"{c.probe.__name__} ({worst + 1} of {len(calls)})"
        if wrong:
            return {**found, "name": wrong.mistake, "message": wrong.sentence, "mistake": True}
        if reply.raised is None and gap.kind in ("value", "shape"):
            related = relation([(replies[i].value, right[i].value) for i in gaps])
            related = related or _only_in_one_mode(calls, replies, list(gaps))
            if related:
                return {**found, "name": "relation", "message": related}
        words = _symptom(q, c, reply, gap)
        detail = "" if words == found["detail"] else found["detail"]
        return {**found, "name": gap.kind, "message": words, "detail": detail}

    def _named(self, q: Question, replies, failing):
        """The known wrong answer that replies the same on every failing call, if there is one.

        Of several, the one that agrees on most of all calls; of equals, the first.
        """
        best, most = None, -1
        for wrong, theirs in zip(q.wrongs, self.wrong[q.name], strict=True):
            agrees = {i for i, r in replies.items() if same_reply(r, theirs[i], by_message=True)}
            if agrees.issuperset(failing) and len(agrees) > most:
                best, most = wrong, len(agrees)
        return best

    # --------------------------------------------------------------------- catch it

    def _judge_catch(self, answer, q, blank):
        reply = answer.reply(self.calls[q.name][0])
        self._stop_at_placeholder(q, reply)
        if reply.raised is not None:
            return replace(blank, name="raised", message=_exception(q.name, reply.raised))
        try:
            inputs = _inputs(q, reply.value)
        except ValueError as error:
            return replace(blank, name="input", message=str(error))
        right, broken = _run(q.right, inputs), _run(q.broken, inputs)
        shown = _call_text("right", inputs)
        if right.raised:
            why = f"{right.raised.kind}: {right.raised.message}"
            message = f"This input does not count: the right one refuses it too ({why})."
            return replace(blank, name="refused", message=message)
        if not _finite(right.value):
            message = f"This input does not count: {shown} is not finite."
            return replace(blank, name="not finite", message=message)
        gap = reply_difference(broken, right, "what the broken one returns")
        if gap:
            said = f"Caught: {gap.text}."
            if broken.raised:
                said = (
                    f"Caught: the broken one raises {broken.raised.kind} where the right one works."
                )
            return replace(blank, status="passed", points=q.points, message=said)
        for wrong, theirs in zip(q.wrongs, self.wrong[q.name], strict=True):
            if same_reply(reply, theirs[0]) or _is_useless(wrong, inputs):
                found = {"name": wrong.mistake, "message": wrong.sentence, "mistake": True}
                return replace(blank, **found)
        message = "On this input the broken one gives the right reply. Look for another."
        return replace(blank, name="not caught", message=message)


def rests_on(name) -> Trouble:
    return Trouble(
        "skipped",
        "rests on",
        f"This rests on `{name}`, which has not passed yet: make `{name}` pass first.",
    )


def _holds_odd(value) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_odd, value.values()))
    return (
        any(map(_holds_odd, value)) if isinstance(value, (list, tuple)) else isinstance(value, Odd)
    )


# ----------------------------------------------------------------------------- replies

SYMPTOMS = ("raised", "none", "type", "length", "shape", "dtype", "changed", "nan", "inf", "value")


def same_reply(got: Reply, want: Reply, by_message=False) -> bool:
    """Do two replies agree? Exceptions by type, and for naming a mistake by message too."""
    if reply_difference(got, want):
        return False
    if by_message and got.raised and want.raised:
        return _gist(got.raised.message) == _gist(want.raised.message)
    return True


def _gist(message):
    """An exception's message without the name of the function that it begins with."""
    head, bracket, tail = message.partition("()")
    return tail if bracket and " " not in head else message


def reply_difference(got: Reply, want: Reply, place="the result") -> Difference | None:
    """The first difference between two replies; None if they agree."""
    if got.raised or want.raised:
        if got.raised and want.raised and got.raised.kind == want.raised.kind:
            return None
        came = (
            f"{got.raised.kind} was raised" if got.raised else f"{place} is {describe(got.value)}"
        )
        expected = want.raised.kind if want.raised else describe(want.value)
        return Difference("raised", f"{came}, expected {expected}")
    gap = difference(got.value, want.value, place)
    if gap:
        return gap
    for i in sorted({*got.changed, *want.changed}):
        if i not in want.changed:
            return Difference("changed", str(i))
        if i not in got.changed or not same(got.changed[i], want.changed[i]):
            return Difference("value", f"input {i + 1} was not changed in place as expected")
    return None


def _only_in_one_mode(calls, replies, failing):
    """A sentence if the failing calls are those where a True/False argument has one value."""
    switches = {
        (label, j)
        for i in replies
        for j, (label, d) in enumerate(zip(calls[i].labels, calls[i].data, strict=False))
        if isinstance(d, bool)
    }
    for label, j in sorted(switches):
        for value in (True, False):
            having = [
                i
                for i in replies
                if calls[i].labels[j : j + 1] == (label,) and calls[i].data[j] is value
            ]
            if having == failing and len(having) < len(replies):
                return f"It is wrong only when `{label}` is {value}; otherwise it is right."
    return None


# -------------------------------------------------------------------------------- words


def _symptom(q, c, reply, gap):
    """The sentence for an answer whose mistake has no name."""
    if reply.raised:
        return _exception(q.name, reply.raised)
    if gap.kind == "raised":
        return f"An exception should be raised here: {gap.text}."
    if gap.kind == "none" and c.probe is call:
        return f"`{q.name}` returned None: did you forget `return`?"
    if gap.kind == "changed":
        i = int(gap.text)
        label = c.labels[i] if i < len(c.labels) else f"input {i + 1}"
        return (
            f"`{q.name}` changes its input `{label}` in place. Whoever called it still needs the "
            f"old one: work on a copy, or build a new result instead of writing into `{label}`."
        )
    if gap.kind == "nan":
        return f"There is a NaN in the result. {_capital(gap.text)}."
    if gap.kind == "inf":
        return f"There is an infinity in the result. {_capital(gap.text)}."
    return _where(q, c, gap)


def _exception(name, raised):
    said = f": {raised.message}" if raised.message else ""
    text = f"`{name}` raised {raised.kind}{said}"
    text += "" if text.endswith((".", "!", "?")) else "."
    if raised.line:
        text += f" Look at line {raised.line}" + (f": `{raised.text}`" if raised.text else ".")
    elif "'NoneType'" in raised.message:
        text += f" Did `{name}` forget its `return`?"
    return text


def _where(q, c, gap):
    """Where it shows: the data of a call, what came, what was expected."""
    doc = inspect.getdoc(c.probe) if c.probe is not call else None
    text = doc.split("\n\n")[0].replace("\n", " ").rstrip(".") + ". " if doc else ""
    data = ", ".join(f"{label} {_datum(d)}" for label, d in zip(c.labels, c.data, strict=True))
    if gap.kind in ("raised", "changed"):
        return text + (f"It shows with {data}." if data else "")
    return text + (f"With {data}: " if data else "") + gap.text + "."


def _placed(q, c, text, want):
    """A difference in the words of the test: z.data or softmax(x)[0, 1] for the result[0]."""

    def word(found):
        index = found[1] or ""
        if c.probe is call:
            return f"`{q.name}({', '.join(c.labels)}){index}`"
        first = re.match(r"\[(\d+)\]", index)
        label = _part(c.probe, int(first[1]), len(want)) if first else None
        return f"`{label}{index[first.end() :]}`" if first and label else found[0]

    return re.sub(r"the result((?:\[[^\]]*\])*)", word, text)


def _part(probe, i, total) -> str | None:
    """What a probe's only `return` calls part i of its reply; None if it has no short name."""
    returns = [n for n in ast.walk(_tree(probe)) if isinstance(n, ast.Return)]
    if len(returns) != 1 or not isinstance(returns[0].value, (ast.Tuple, ast.List)):
        return None
    parts = returns[0].value.elts
    stars = [j for j, part in enumerate(parts) if isinstance(part, ast.Starred)]
    if len(stars) > 1:
        return None
    star = stars[0] if stars else len(parts)
    inside = total - len(parts) + 1  # how many parts the starred one stands for
    if i < star:
        text = _unparsed(parts[i])
    elif i >= star + inside:
        text = _unparsed(parts[i - inside + 1])
    else:
        text = f"{ast.unparse(parts[star])[1:]}[{i - star}]"
    return text if len(text) <= 32 else None


def _unparsed(part):
    """Its text; of `tuple(places)` only `places`."""
    match part:
        case ast.Call(func=ast.Name(id="tuple" | "list"), args=[inner], keywords=[]):
            part = inner
    return ast.unparse(part)


def _tree(probe) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(probe))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _datum(value):
    array = numbers(value)
    if isinstance(value, ndarray) and value.size > 6:
        return f"of shape {value.shape}"
    if isinstance(value, (list, tuple, dict)) and "array(" in repr(value):
        return f"= {_arrays(value)}"
    whole = isinstance(value, tuple) and all(type(part) is int for part in value)  # a shape
    if isinstance(value, bool) or array is None or whole:
        return f"= {show(value) if isinstance(value, str) else _short(repr(value))}"
    if array.ndim == 0:
        return f"= {show(value if not isinstance(value, ndarray) else value[()])}"
    if array.size > 6:
        return f"of {array.size} numbers"
    return f"= {_row(array.tolist())}"


def _arrays(value):
    """A list or a dict that holds arrays: their shapes, or only how many parts it has."""
    if isinstance(value, dict) or not all(isinstance(part, ndarray) for part in value):
        return describe(value)
    return f"arrays of shape {' and '.join(str(part.shape) for part in value)}"


def _row(value):
    return f"[{', '.join(map(_row, value))}]" if isinstance(value, list) else show(value)


def _short(text, limit=60):
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _capital(text):
    return text[:1].upper() + text[1:]


def snippet(q: Question, c: Call) -> str:
    """Lines for a learner's own cell that show a failing call again; "" if the data are large."""
    if c.size > 60:
        return ""
    lines = [f"{label} = {_literal(d)}" for label, d in zip(c.labels, c.data, strict=False)]
    if c.probe is call:
        return "\n".join([*lines, f"{q.name}({', '.join(c.labels)})"])
    tree = _tree(c.probe)
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    *before, last = body
    if not isinstance(last, ast.Return) or last.value is None:
        return ""
    if any(isinstance(n, ast.Return) for b in before for n in ast.walk(b)):
        return ""
    return "\n".join([*lines, *map(ast.unparse, before), ast.unparse(last.value)])


def _literal(value):
    if isinstance(value, ndarray):
        text = array2string(value, precision=6, separator=", ", threshold=100, floatmode="maxprec")
        return f"np.array({text})" if value.ndim else text
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_literal, value))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


# ------------------------------------------------------------------------------ catch it


def _inputs(q: Catch, value) -> tuple[Any, ...]:
    """The learner's input as arguments, or a ValueError that says why it does not count."""
    wanted = list(inspect.signature(q.right).parameters)
    if value is None:
        raise ValueError(f"`{q.name}` returned None: did you forget `return`?")
    inputs = (value,) if len(wanted) == 1 and not _is_one_tuple(value) else value
    if not isinstance(inputs, (tuple, list)) or len(inputs) != len(wanted):
        expected = ", ".join(wanted) + ("," if len(wanted) == 1 else "")
        raise ValueError(
            f"`{q.name}` should return the input, ({expected}); it returned {describe(value)}."
        )
    size, largest = _measure(inputs)
    if size > q.size:
        raise ValueError(f"This input holds {size} numbers; find one with at most {q.size}.")
    if not largest <= q.largest:
        raise ValueError(
            f"This input holds {show(largest)}; stay between {-q.largest:g} and {q.largest:g}."
        )
    try:
        refused = q.allow(*inputs) if q.allow else None
    except Exception as error:  # any input may come
        refused = f"This input does not count ({type(error).__name__}: {error})."
    if refused:
        raise ValueError(refused)
    return tuple(inputs)


def _is_useless(wrong: Wrong, inputs) -> bool:
    try:
        return bool(wrong.when and wrong.when(*inputs))
    except Exception:  # any input may come
        return False


def _is_one_tuple(value):
    return isinstance(value, tuple) and len(value) == 1


def _measure(value):
    """How many parts an input has, and its largest magnitude. ValueError for what is no data."""
    if isinstance(value, Odd):
        raise ValueError(f"This input holds {describe(value)}; give numbers, lists and arrays.")
    if isinstance(value, ndarray):
        return value.size, float(abs(value.astype(float)).max()) if value.size else 0.0
    if isinstance(value, (list, tuple)):
        parts = [_measure(v) for v in value]
        return sum(p[0] for p in parts), max((p[1] for p in parts), key=_nan_last, default=0.0)
    if isinstance(value, dict):
        return _measure(list(value.values()))
    if isinstance(value, (bool, int, float)):
        return 1, abs(float(value))
    return 1, 0.0


def _nan_last(number):
    return (number != number, number)


def _run(function, inputs) -> Reply:
    return reply_from(run_probe(call, ("it",), {"it": function}, inputs, {}))


def _call_text(name, inputs):
    return f"{name}({', '.join(_short(_literal(i)) for i in inputs)})"


def _finite(value):
    if isinstance(value, Odd):
        return False
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    array = numbers(value)
    if array is not None:
        return array.dtype.kind in "bui" or bool((abs(array) < float("inf")).all())
    return not isinstance(value, (list, tuple)) or all(map(_finite, value))
