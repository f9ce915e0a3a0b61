"""When a learner says that a mark is wrong: replay the answer, look, and decide by hand.

All of it is for the teacher: a replay shows hidden probes and right replies.
"""

import difflib
import inspect
import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nncheck import exercise, submission
from nncheck.answer import Remote, Reply, Trouble
from nncheck.compare import describe
from nncheck.diagnose import Trial, Verdict, reply_difference
from nncheck.exercise import Call, Catch, Question, call
from nncheck.grade import LIMITS
from nncheck.gradebook import Answer, Attempt, Gradebook, Result, Standing
from nncheck.submission import Cell
from nncheck.wire import Odd, clean

LONGEST = 2000  # characters of one value that are shown
CODE = 300  # lines of an answer that are shown


@dataclass(frozen=True)
class Case:
    """What is disputed: a learner's answer to one question, as it counts now."""

    standing: Standing
    answer: Answer

    def __str__(self):
        return f"{self.standing.student}, {self.standing.exercise}: {self.answer.question}"


def split(text: str) -> tuple[str, str]:
    """The exercise and the question in "22:mul"."""
    name, _, question = text.partition(":")
    if not name or not question:
        raise ValueError(f"{text!r}: write EXERCISE:QUESTION, for example 22:mul.")
    return name, question


def find(book: Gradebook, student: str, text: str, attempt: Attempt = "latest") -> Case:
    """A learner's answer in the gradebook, or a LookupError that says what is there instead."""
    name, question = split(text)
    mine = {s.exercise: s for s in book.standings(attempt, student=student) if student}
    if not mine:
        known = sorted({s.student for s in book.standings()})
        raise LookupError(_unknown(f"{book.path} has no learner {student!r}", student, known))
    stems = exercise.matching(name, mine)
    if len(stems) != 1:
        raise LookupError(_unknown(f"Nothing of {student} is graded for {name!r}", name, mine))
    stem = stems[0]
    answers = {a.question: a for a in mine[stem].answers}
    if question not in answers:
        raise LookupError(_unknown(f"{stem} has no question {question!r}", question, answers))
    return Case(mine[stem], answers[question])


def _unknown(what, word, known):
    known = list(known)
    close = difflib.get_close_matches(word, known, cutoff=0.5) or known[:8]
    return f"{what}. There is: {', '.join(close) or 'nothing'}{', ...' * (len(close) < len(known))}"


# ------------------------------------------------------------------------------- by hand


def mark(
    book: Gradebook,
    student: str,
    text: str,
    points: float | None,
    because: str,
    beyond: bool = False,
) -> str:
    """Decide on the points of one answer; what was, and what is now. `beyond` allows any number.

    None takes earlier marks back: what is computed counts again.
    """
    case, because = find(book, student, text), _line(clean(because))
    worth, old = case.answer.worth, case.answer
    if not because:
        raise ValueError('--because "": say why, so that it can still be read in a year.')
    if points is None and not old.marked:
        raise ValueError(f"{case} is not marked: what was computed counts already.")
    if points is not None and not (math.isfinite(points) and (beyond or 0 <= points <= worth)):
        hint = " If you mean it: --beyond" if math.isfinite(points) else ""
        raise ValueError(
            f"{points:g} points: {old.question} is worth {worth:g}; give 0 to {worth:g}.{hint}"
        )
    book.mark(student, case.standing.exercise, old.question, points, because)
    was = f"marked before, because: {old.marked}" if old.marked else status_of(old)
    now = "Your mark holds for later attempts too, until you mark this anew."
    if points is None:
        points = find(book, student, text).answer.points
        now = "What is computed counts again."
    return (
        f"{case}: {old.points:g} -> {points:g} of {worth:g} points, because: {because}\n"
        f"It was {was}. {now}"
    )


def status_of(answer: Answer | Verdict) -> str:
    """Its status, and the mistake or the symptom by name."""
    return f"{answer.status} ({answer.name})" if answer.name else answer.status


# -------------------------------------------------------------------------------- replayed


class Recorded:
    """An answer that keeps what it replied to each call, or why it did not."""

    def __init__(self, answer: Remote):
        self.answer = answer
        self.replies: dict[int, Reply | Trouble] = {}

    def trouble(self, name: str) -> Trouble | None:
        return self.answer.trouble(name)

    def reply(self, call: Call) -> Reply:
        try:
            reply = self.answer.reply(call)
        except Trouble as trouble:
            self.replies[id(call)] = trouble
            raise
        self.replies[id(call)] = reply
        return reply


def stored_cells(result: Result) -> list[Cell]:
    """The code that a result was computed from."""
    if result.cells is None:
        raise ValueError(f"There is no code to run: {result.reason or 'it could not be read'}")
    return submission.restored(result.cells)


def explain(book: Gradebook, student: str, text: str, attempt: Attempt = "latest") -> Iterator[str]:
    """Replay one answer as it was graded, on the same data; line by line what happened."""
    for part in _explained(book, find(book, student, text, attempt)):
        yield from clean(part).split("\n")


def _explained(book, case: Case) -> Iterator[str]:
    standing, result = case.standing, book.result(case.standing.submission)
    [stored] = [a for a in result.answers if a.question == case.answer.question]
    yield f"{case}  (for the teacher: this shows hidden probes)"
    yield f"  {_line(standing.file)}, handed in {standing.handed_in}, graded {standing.graded}"
    yield f"  graded: {stored.points:g} of {stored.worth:g} points, {status_of(stored)}"
    if case.answer.marked:
        yield f"  marked: {case.answer.points:g}, because: {case.answer.marked}"
    cells, what = stored_cells(result), exercise.load(standing.exercise)
    changed = what.fingerprint != result.checks
    if changed:
        yield "  The check file has changed since: below is what it asks now."
    if stored.question not in what.questions:
        yield f"  It asks for {stored.question} no more, so nothing can be replayed."
        return
    yield from _code(cells, stored.question)
    trial = Trial(what, result.seed)
    with Remote(cells, what, LIMITS) as remote:
        recorded = Recorded(remote)
        verdicts = {v.question: v for v in trial.judge_all(recorded)}
    yield from _probes(trial, what.questions[stored.question], recorded)
    yield from _verdict(verdicts[stored.question], stored, changed)


def _code(cells, question):
    cell = submission.answer_cell(cells, question)
    yield "\nwhat was handed in"
    lines = cell.source.split("\n") if cell else ["(no cell defines it)"]
    yield from (f"  | {line[:LONGEST]}" for line in lines[:CODE])
    if len(lines) > CODE:
        yield f"  | ... and {len(lines) - CODE} lines more"


def _probes(trial: Trial, q: Question, recorded: Recorded) -> Iterator[str]:
    calls, shown = trial.calls[q.name], set()
    for number, c in enumerate(calls):
        if id(c) not in recorded.replies:
            continue
        name = q.name if c.probe is call else c.probe.__name__
        names = c.labels if c.probe is call else (*c.names, *c.labels)
        yield f"\nprobe {number + 1} of {len(calls)}: {name}({', '.join(names)})"
        if c.probe is not call and c.probe not in shown:
            shown.add(c.probe)
            yield textwrap.indent(textwrap.dedent(inspect.getsource(c.probe)).rstrip(), "  | ")
        for label, datum in zip(c.labels, c.data, strict=True):
            yield _labelled(label, _value(datum))
        got = recorded.replies[id(c)]
        yield _labelled("came", _came(got, c.labels))
        if isinstance(q, Catch):
            yield _labelled("expected", "an input on which the right and the broken one differ")
        else:
            want = trial.right[q.name][number]
            yield _labelled("expected", _came(want, c.labels))
            yield _labelled("", _compared(got, want))
    asked = sum(id(c) in recorded.replies for c in calls)
    if asked < len(calls):
        yield f"\n{len(calls) - asked} of {len(calls)} probes were not called."


def _line(text):
    return " ".join(text.split())


def _labelled(label, text):
    return f"  {label:<10}" + text.replace("\n", "\n" + " " * 12)


def _compared(got: Reply | Trouble, want: Reply) -> str:
    if isinstance(got, Trouble):
        return "no reply"
    gap = reply_difference(got, want)
    if gap is None:
        return "the same"
    return "an input was changed in place" if gap.kind == "changed" else f"not the same: {gap.text}"


def _came(reply: Reply | Trouble, labels) -> str:
    if isinstance(reply, Trouble):
        return f"{reply.kind}: {reply.message}"
    text = _value(reply.value)
    if reply.raised:
        at = f" (line {reply.raised.line}: {reply.raised.text})" if reply.raised.line else ""
        said = f": {reply.raised.message}" if reply.raised.message else ""
        text = f"{reply.raised.kind} was raised{said}{at}"
    for i, value in sorted(reply.changed.items()):
        text += f"\nand {labels[i] if i < len(labels) else f'input {i + 1}'} became {_value(value)}"
    return text


def _value(value) -> str:
    if isinstance(value, Odd):
        return describe(value)
    with np.printoptions(threshold=100, linewidth=88, precision=8):
        text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters)"


def _verdict(now: Verdict, stored: Answer, changed: bool) -> Iterator[str]:
    yield f"\nverdict: {now.points:g} of {now.worth:g} points, {status_of(now)}"
    for said in filter(None, (now.message, now.detail)):
        yield f"  {_line(said)}"
    if (now.status, now.points, now.name) == (stored.status, stored.points, stored.name):
        yield "  This is what the gradebook holds."
    elif changed:
        yield "  The gradebook holds another, from the older check file. For the whole class:"
        yield f"  nncheck grade --only {now.exercise}:{now.question} --compare"
    else:
        yield "  The gradebook holds another: does the answer draw random numbers, or need time?"
