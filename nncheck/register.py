"""Who is in a class, and what counts for each of them now: a gradebook and a roster, joined."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from nncheck import exercise, intake
from nncheck.gradebook import Answer, Attempt, Gradebook, Standing
from nncheck.intake import Refused
from nncheck.told import Told, told
from nncheck.wire import clean


@dataclass(frozen=True)
class Learner:
    """One learner, with what the roster says of them."""

    student_id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Item:
    """One question of an attempt: what counts, what was computed, what the learner may be told."""

    answer: Answer
    computed: float
    told: Told
    hints: tuple[str, ...]

    @property
    def full(self) -> bool:
        return self.answer.points >= self.answer.worth


@dataclass(frozen=True)
class Entry:
    """One learner's attempt at one exercise, as it counts now."""

    standing: Standing
    items: tuple[Item, ...]
    guarantees: dict[str, list[str]]


@dataclass(frozen=True)
class Register:
    """A class: its learners, its exercises with what they are worth, and who did what.

    `entries` has no entry for what somebody did not hand in. `unlisted` are learners who handed
    something in and are not on the roster.
    """

    attempt: Attempt
    learners: list[Learner]
    worth: dict[str, float]
    entries: dict[tuple[str, str], Entry]
    refused: list[Refused]
    unlisted: list[str]

    def of(self, learner: Learner) -> Iterator[tuple[str, float, Entry | None]]:
        """(exercise, what it is worth, what the learner did) for all exercises of the class."""
        for name, worth in self.worth.items():
            entry = self.entries.get((learner.student_id, name))
            yield name, entry.standing.worth if entry else worth, entry

    def points(self, learner: Learner) -> tuple[float, float]:
        """A learner's points in all exercises, and how many there are."""
        rows = list(self.of(learner))
        return sum(e.standing.points for _, _, e in rows if e), sum(worth for _, worth, _ in rows)


def read(
    book: Gradebook,
    attempt: Attempt = "latest",
    only: str = "",
    roster: Path | None = None,
    bar: Callable[[int], Callable[[], object]] = lambda total: lambda: None,
) -> Register:
    """Everything that counts now, of one exercise if `only` names it.

    `bar(total)` gives what is called for each attempt.
    """
    standings = book.standings(attempt, exercise=only)
    if not standings:
        raise ValueError(
            f"{book.path} holds no result{f' of {only}' if only else ''} yet. Grade something "
            f"first: nncheck grade submitted --gradebook {book.path}"
        )
    listed = read_roster(roster) if roster else {}
    refused = book.refusals()
    known = {s.student for s in standings}
    known |= {r.student for r in refused if intake.STUDENT.fullmatch(r.student)}
    learners = [listed.get(s) or Learner(s) for s in sorted(known | set(listed))]
    hints = {name: _hints(name) for name in {s.exercise for s in standings}}
    step, entries = bar(len(standings)), {}
    for standing in standings:
        entries[standing.student, standing.exercise] = _entry(book, standing, hints)
        step()
    standings.sort(key=lambda s: (s.exercise, s.graded))  # the last graded says what it is worth
    worth = {s.exercise: s.worth for s in standings}
    unlisted = sorted(known - set(listed)) if roster else []
    return Register(attempt, learners, worth, entries, refused, unlisted)


def _hints(name):
    """The hints of an exercise's questions; none if it is not here any more."""
    try:
        return {q.name: q.hints for q in exercise.load(name).questions.values()}
    except LookupError:
        return {}


def _entry(book, standing, hints):
    known = hints[standing.exercise]
    result = book.result(standing.submission)
    sources = [str(cell["source"]) for cell in result.cells or ()]
    items = (
        Item(answer, computed.points, told(answer, sources), known.get(answer.question, ()))
        for answer, computed in zip(standing.answers, result.answers, strict=True)
    )
    return Entry(standing, tuple(items), result.guarantees)


def read_roster(path: Path) -> dict[str, Learner]:
    """The learners of a CSV file with the columns student_id, last_name, first_name, email."""
    found: dict[str, Learner] = {}
    names = [field.name for field in fields(Learner)]
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if "student_id" not in (rows.fieldnames or ()):
                raise ValueError(
                    f"{path}: the first line should name the columns {','.join(names)}; it is "
                    f"{','.join(rows.fieldnames or ()) or 'empty'}."
                )
            for row in rows:
                learner = Learner(**{n: clean(row.get(n) or "").strip() for n in names})
                if not learner.student_id:
                    raise ValueError(f"{path}, line {rows.line_num}: there is no student_id.")
                if learner.student_id in found:
                    raise ValueError(
                        f"{path}, line {rows.line_num}: {learner.student_id} is on the roster "
                        "twice. Leave one of the two."
                    )
                found[learner.student_id] = learner
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file in UTF-8: {error}. Save it as one.") from None
    return found
