"""Check whole notebooks, each in a process of its own, and keep what came out in the record."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nncheck import exercise, progress, submission
from nncheck.answer import Remote
from nncheck.diagnose import Trial, Verdict
from nncheck.exercise import NOTEBOOK_SEED, Exercise


@dataclass
class Sheet:
    """What a check of one notebook found: a verdict for each question.

    `broken` names questions that passed before and do not now; `changed` those of them whose check
    has changed since. `guarantees` says what fenced the answers in, and by which layers.
    """

    path: Path
    exercise: str
    verdicts: list[Verdict]
    broken: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    guarantees: dict[str, list[str]] = field(default_factory=dict)

    @property
    def points(self) -> float:
        return sum(v.points for v in self.verdicts)

    @property
    def worth(self) -> float:
        return sum(v.worth for v in self.verdicts)

    def fails(self, verdict: Verdict) -> bool:
        """Does this verdict make the check fail? Not for what is untouched, and not for us."""
        if verdict.passed or verdict.question in self.changed:
            return False
        return verdict.started or verdict.question in self.broken


def targets(given: list[str]) -> list[tuple[Path, str]]:
    """The notebooks that are meant, each with its exercise's name.

    By default those of the working copy that we stand in, else those of the course. A folder, a
    notebook, a name or a number otherwise.
    """
    if not given:
        record = progress.find()
        return _in_folder(record.parent if record else exercise.exercises_folder())
    found = []
    for text in given:
        path = Path(text)
        if not path.exists() and (exercise.home() / text).is_dir():
            path = exercise.home() / text  # `nncheck check solutions`, from anywhere
        if path.is_dir():
            found += _in_folder(path)
        elif path.is_file():
            found.append((path, _exercise_of(path)))
        elif path.suffix == ".ipynb" or len(path.parts) > 1:
            raise FileNotFoundError(f"There is no notebook or folder {text}.")
        else:
            found.append(_by_name(text))
    return list(dict.fromkeys(found))


def _by_name(text):
    name, record = exercise.find(text), progress.find()
    folder = record.parent / "exercises" if record else exercise.exercises_folder()
    path = folder / f"{name}.ipynb"
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path.name} in {folder}.")
    return path, name


def _in_folder(folder):
    if (folder / "exercises").is_dir():
        folder = folder / "exercises"
    files, known = sorted(folder.glob("*.ipynb")), exercise.names()
    found = [(path, path.stem) for path in files if path.stem in known]
    for path in files:  # a renamed notebook counts where the one that it stands for is gone
        with contextlib.suppress(LookupError, submission.Unreadable):
            name = _exercise_of(path)
            if name not in [n for _, n in found]:
                found.append((path, name))
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no exercise notebook. Name a working copy, a folder or a notebook."
        )
    return sorted(found, key=lambda pair: pair[1])


def _exercise_of(path):
    """The exercise a notebook belongs to: by its file name, else by what it opens."""
    known = exercise.names()
    if path.stem in known:
        return path.stem
    name = submission.opened(submission.read(path))
    if name in known:
        return name
    raise LookupError(
        f"{path.name} belongs to no exercise: neither its name nor an open_exercise(...) in it is "
        f"one of {', '.join(known)}."
    )


def check(path: Path, name: str, record=True) -> Sheet:
    """Check one notebook. In a working copy, what was tried is recorded."""
    what = exercise.load(name)
    try:
        cells = submission.read(path)
    except submission.Unreadable as error:
        return Sheet(path, name, list(all_unreadable(what, str(error))))
    with Remote(cells, what) as answer:
        verdicts = Trial(what, NOTEBOOK_SEED).judge_all(answer)
    sheet = Sheet(path, name, verdicts, guarantees=answer.guarantees)
    journal = progress.Journal(progress.find(path.parent))
    _compare_with_record(sheet, what, journal)
    if record and journal.path:
        for v in verdicts:
            cell = submission.answer_cell(cells, v.question)
            journal.add_try(
                v, submission.source_hash(cell.source) if cell else "", what.fingerprint
            )
    return sheet


def all_unreadable(what: Exercise, message: str) -> Iterator[Verdict]:
    """What each question of an exercise gets if the notebook cannot be read."""
    for q in what.questions.values():
        yield Verdict(what.name, q.name, "error", 0, q.points, "unreadable", message)


def _compare_with_record(sheet, what, journal):
    records = progress.questions(journal.events())
    for v in sheet.verdicts:
        record = records.get((sheet.exercise, v.question))
        if record and record.passed and not v.passed:
            sheet.broken.add(v.question)
            if record.check and record.check != what.fingerprint:
                sheet.changed.add(v.question)


def required(text: str) -> set[str]:
    """The two-digit numbers in "11-15,22".

    >>> sorted(required("11-13,22"))
    ['11', '12', '13', '22']
    """
    numbers: set[str] = set()
    for part in text.replace(" ", "").split(","):
        span = re.fullmatch(r"(\d\d)(?:-(\d\d))?", part)
        if not span:
            raise ValueError(f"--require {text}: write exercise numbers like 11-15 or 11,13,22.")
        first, last = int(span[1]), int(span[2] or span[1])
        numbers |= {f"{n:02d}" for n in range(first, last + 1)}
    return numbers
