"""A learner's own record: one line of JSON per event, in `progress.jsonl` of the working copy.

Lines are only ever added, each under a lock. A last line that was cut off half-way (a full disk, a
power cut) is ignored with a note. Nothing leaves the machine.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nncheck.lock import locked
from nncheck.wire import clean

FILE = "progress.jsonl"
CONFIDENCE = ("guess", "think", "sure")  # how sure a prediction is


def find(start: Path | None = None) -> Path | None:
    """The record of the working copy that `start` (or the current folder) lies in, or None."""
    folder = Path(start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / FILE).is_file():
            return place / FILE
    return None


def append(path: Path, event: str, **details):
    """Add one event to the record."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({"event": event, "when": when, **details}, ensure_ascii=True)
    with open(path, "r+b") as file, locked(file):
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a line that was cut off must not swallow this one
                file.write(b"\n")
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> tuple[list[dict], str]:
    """All events, oldest first, and a note about lines that could not be read ("" if none)."""
    events, damaged = [], []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            events.append(event if isinstance(event["event"], str) else {}["event"])
        except (ValueError, KeyError, TypeError, RecursionError):
            damaged.append(number)
    note = ""
    if damaged:
        lines = f"line {damaged[0]}" if len(damaged) == 1 else f"{len(damaged)} lines"
        note = f"{path.name}: {lines} could not be read and was left out; all else is there."
    return events, note


class Journal:
    """The record that a notebook writes to: the working copy's, or this kernel's memory alone."""

    def __init__(self, path: Path | None):
        self.path, self._memory = path, []
        self.note = ""

    def add(self, event: str, **details):
        """Record one event; a record that cannot be written costs a note, never the check."""
        self._memory.append({"event": event, **details})
        if self.path is None:
            return
        try:
            append(self.path, event, **details)
            self.note = ""
        except OSError as error:
            self.note = f"This was not recorded in {self.path.name}: {error.strerror or error}."

    def add_try(self, verdict, source: str, check: str):
        """Record a verdict on an answer that ran; the same source again is no new try."""
        key = (verdict.exercise, verdict.question)
        before = questions(self.events()).get(key, QuestionRecord())
        same = before.sources and before.sources[-1] == source and before.last == verdict.status
        if verdict.status not in ("passed", "failed") or same:
            return
        self.add(
            "try",
            exercise=verdict.exercise,
            question=verdict.question,
            status=verdict.status,
            points=verdict.points,
            name=verdict.name,
            mistake=verdict.name if verdict.mistake else "",
            source=source,
            check=check,
        )

    def events(self) -> list[dict]:
        """All events: those of the file, if there is one that can be read."""
        try:
            return read(self.path)[0] if self.path and not self.note else self._memory
        except OSError:
            return self._memory


@dataclass
class QuestionRecord:
    """What the record says about one question."""

    tries: int = 0
    passed: bool = False
    with_help: bool = False
    skipped: bool = False
    mistakes: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    last: str = ""  # the status of the last try
    check: str = ""  # the check file's fingerprint when it passed


@dataclass
class PredictionRecord:
    """What was predicted, how surely, and what came out."""

    guess: str = ""
    confidence: str = ""
    outcome: str = ""
    late: bool = False  # the outcome had been shown before

    @property
    def right(self) -> bool:
        return bool(self.guess) and self.guess == self.outcome


def questions(events: Iterable[dict]) -> dict[tuple[str, str], QuestionRecord]:
    """The record per (exercise, question)."""
    records: dict[tuple[str, str], QuestionRecord] = {}
    for event in events:
        if event["event"] not in ("try", "solution", "skip"):
            continue
        key = str(event.get("exercise", "")), str(event.get("question", ""))
        record = records.setdefault(key, QuestionRecord())
        if event["event"] == "solution":
            record.with_help |= not record.passed
        elif event["event"] == "skip":
            record.skipped = True
        else:
            _add_try(record, event)
    return records


def _add_try(record, event):
    source = str(event.get("source", ""))
    if not record.sources or record.sources[-1] != source:
        record.tries += 1
    record.sources.append(source)
    record.last = str(event.get("status", ""))
    if event.get("status") == "passed":
        record.passed, record.skipped = True, False
        record.check = str(event.get("check", ""))
    name = str(event.get("mistake", ""))
    if name and name not in record.mistakes:
        record.mistakes.append(clean(name))


def predictions(events: Iterable[dict]) -> dict[str, PredictionRecord]:
    """The record per prediction; the first guess counts, and the last outcome."""
    records: dict[str, PredictionRecord] = {}
    for event in events:
        if event["event"] not in ("predict", "reveal", "recall"):
            continue
        record = records.setdefault(str(event.get("key", "")), PredictionRecord())
        if event.get("guess") and not record.guess:
            record.guess = str(event["guess"])
            record.confidence = str(event.get("confidence", ""))
            record.late = bool(record.outcome)
        if event.get("outcome"):
            record.outcome = str(event["outcome"])
    return records


def calibration(events: Iterable[dict]) -> dict[str, tuple[int, int]]:
    """By how sure you were: how many predictions were right, and how many there were.

    What was predicted after its outcome had been shown does not count.
    """
    found: dict[str, tuple[int, int]] = {}
    for p in predictions(events).values():
        if p.guess and p.outcome and p.confidence and not p.late:
            right, known = found.get(p.confidence, (0, 0))
            found[p.confidence] = right + p.right, known + 1
    return found
