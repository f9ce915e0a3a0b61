"""One question judged anew for a whole class, with the present check file, from the stored code.

First what would change, old beside new; nothing is written until somebody has agreed to it.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from nncheck import exercise, grade
from nncheck.dispute import status_of
from nncheck.grade import Job
from nncheck.gradebook import Answer, Attempt, Gradebook, Result, Standing


@dataclass(frozen=True)
class Change:
    """One learner's answer, old and new, and the result that would be added."""

    standing: Standing
    old: Answer
    new: Answer
    result: Result

    @property
    def mark(self) -> Answer | None:
        """The teacher's own decision, if there is one: it goes on to win."""
        counts = (a for a in self.standing.answers if a.question == self.old.question)
        return next((a for a in counts if a.marked), None)


@dataclass
class Comparison:
    """What judging one question anew comes to.

    `others` counts answers to other questions that would come out otherwise, too. `left_out` says
    why learners were not judged, and who; `failed`, why the grader itself failed for some.
    """

    exercise: str
    question: str
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    others: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)


def compare(
    book: Gradebook,
    name: str,
    question: str,
    executor: Callable[[], Executor],
    at_once: int = 4,
    needs: tuple[str, ...] = (),
    attempt: Attempt = "latest",
    bar: Callable[[int], Callable[[], object]] = lambda total: lambda: None,
) -> Comparison:
    """Judge a question anew, for every attempt that counts, on the data of its last result."""
    found, what = Comparison(exercise.find(name), question), exercise.load(name)
    if question not in what.questions:
        raise LookupError(
            f"{what.name} has no question {question!r}. There is: {', '.join(what.questions)}"
        )
    standings = book.standings(attempt, exercise=what.name)
    before: dict[int, tuple[Standing, Result]] = {}
    step = bar(len(standings))

    def jobs() -> Iterator[Job]:
        for standing in standings:
            old = book.result(standing.submission)
            if old.cells is None or question not in {a.question for a in old.answers}:
                why = "not asked then" if old.cells is not None else old.outcome
                found.left_out.setdefault(why, []).append(standing.student)
                step()
                continue
            before[standing.submission] = standing, replace(old, cells=None)
            yield Job(
                standing.submission,
                standing.student,
                standing.exercise,
                standing.file,
                _as_notebook(old.cells),
                old.seed,
                what.fingerprint,
                needs,
            )

    for job, new in grade.results(jobs(), executor, at_once):
        _note(found, *before[job.submission], new)
        step()
    found.changes.sort(key=lambda change: change.standing.student)
    return found


def _as_notebook(cells: list[dict]) -> bytes:
    """Stored cells as the file that a job carries."""
    code = [
        {**cell, "cell_type": "code", "metadata": {"tags": list(cell["tags"])}} for cell in cells
    ]
    return json.dumps({"cells": code}).encode()


def _note(found: Comparison, standing: Standing, old: Result, new: Result):
    if new.outcome == "grader error":
        found.failed.setdefault(new.reason, []).append(standing.student)
        return
    judged = {a.question: a for a in new.answers}
    [was] = [a for a in old.answers if a.question == found.question]
    now = judged[found.question]
    found.others += sum(judged.get(a.question) != a for a in old.answers if a is not was)
    if now == was:
        found.same += 1
    else:
        found.changes.append(Change(standing, was, now, _merged(old, new, was, now)))


def _merged(old: Result, new: Result, was: Answer, now: Answer) -> Result:
    """The old result with one answer anew. It keeps its check file's fingerprint, unless
    everything else comes out the same with the new one."""
    answers = tuple(now if a is was else a for a in old.answers)
    if answers == new.answers:
        return new
    outcome, reason = grade.outcome(answers)
    return replace(old, answers=answers, outcome=outcome, reason=reason)


def commit(book: Gradebook, changes: list[Change]):
    """Add the new results; the old ones stay in the gradebook's history."""
    refused = book.refusals()  # what the last run could not grade is still not graded
    run, _ = book.begin_run()
    for one in refused:
        book.refuse(run, one)
    for change in changes:
        book.finish(change.standing.submission, run, change.result)


# ---------------------------------------------------------------------------------- words


def table(found: Comparison) -> Iterator[str]:
    """Old and new, a line per learner for whom something changes, and what it comes to."""
    yield f"{found.exercise}: {found.question}, judged anew with the present check file"
    rows = [("learner", "old", "new", ""), *map(_row, found.changes)]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows if found.changes else ():
        cells = (cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
    gains = [change.new.points - change.old.points for change in found.changes]
    up, down = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    yield (
        f"{len(gains)} change: {up} up, {down} down, {len(gains) - up - down} in words only. "
        f"{found.same} stay as they are."
    )
    marked = sum(change.mark is not None for change in found.changes)
    if marked:
        yield f"Marked by hand, and so the points stay: {marked}."
    for why, students in (*found.left_out.items(), *found.failed.items()):
        yield f"Not judged ({why}): {', '.join(sorted(students))}."
    if found.others:
        yield (
            f"With this check file {found.others} answers to other questions would change, too; "
            f"they stay. To grade all anew: nncheck grade FOLDER --only {found.exercise} --again"
        )


def _row(change: Change):
    old, new = change.old, change.new
    said = " -> ".join(dict.fromkeys(map(status_of, (old, new))))
    if change.mark:
        said += f"; marked by hand: {change.mark.points:g}"
    points = (f"{a.points:g}/{a.worth:g}" for a in (old, new))
    return (change.standing.student, *points, said)
