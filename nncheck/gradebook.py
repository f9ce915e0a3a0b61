"""The gradebook of a class: every attempt, every result, every mark, in one SQLite file.

Rows are added and never overwritten; what counts now is a view. A submission is taken in one
transaction and its result is written in another, so a grader that is ended at any moment leaves
nothing half-written, and the next one goes on where it stopped.
"""

import contextlib
import json
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal

from nncheck.intake import Handed, Refused
from nncheck.lock import locked

OURS = 0x6E6E6763  # "nngc": what says in an SQLite file that it is a gradebook
VERSION = 2
TRIES = 10  # so often grading a submission may be begun without coming to an end
Attempt = Literal["latest", "best"]

SCHEMA = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, version TEXT NOT NULL, secret TEXT NOT NULL
);
CREATE TABLE submission (  -- one attempt of one learner at one exercise
    id INTEGER PRIMARY KEY, student TEXT NOT NULL, exercise TEXT NOT NULL,
    file TEXT NOT NULL, handed_in TEXT NOT NULL, sha256 TEXT NOT NULL,
    tries INTEGER NOT NULL,  -- how often grading it was begun since it last came to an end
    cells TEXT  -- its code, once it has been read
);
CREATE INDEX attempt ON submission (student, exercise);
CREATE TABLE result (
    id INTEGER PRIMARY KEY, submission INTEGER NOT NULL REFERENCES submission,
    run INTEGER NOT NULL REFERENCES run, at TEXT NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL, points REAL NOT NULL, worth REAL NOT NULL,
    seconds REAL NOT NULL, seed TEXT NOT NULL, checks TEXT NOT NULL, guarantees TEXT NOT NULL
);
CREATE INDEX result_of ON result (submission);
CREATE TABLE answer (  -- one question of one result
    result INTEGER NOT NULL REFERENCES result, place INTEGER NOT NULL, question TEXT NOT NULL,
    status TEXT NOT NULL, points REAL NOT NULL, worth REAL NOT NULL, name TEXT NOT NULL,
    mistake INTEGER NOT NULL, message TEXT NOT NULL, detail TEXT NOT NULL, snippet TEXT NOT NULL,
    probe TEXT NOT NULL,
    PRIMARY KEY (result, place)
) WITHOUT ROWID;
CREATE TABLE mark (  -- a teacher's own decision; the last one wins over what was computed
    -- without points it takes back the ones before: what was computed counts
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, student TEXT NOT NULL, exercise TEXT NOT NULL,
    question TEXT NOT NULL, points REAL, because TEXT NOT NULL
);
CREATE TABLE refused (  -- what lay in the folder and could not be graded
    run INTEGER NOT NULL REFERENCES run, student TEXT NOT NULL, file TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX mark_of ON mark (student, exercise, question);
CREATE VIEW answers AS  -- of each attempt's last result, with the points that count
    SELECT s.id AS submission, a.place, a.question, a.status,
           coalesce(m.points, a.points) AS points, a.worth,
           a.name, a.mistake, a.message, a.detail, a.snippet, a.probe,
           iif(m.points IS NULL, '', m.because) AS marked
    FROM submission s
    JOIN result r ON r.id = (SELECT max(id) FROM result WHERE submission = s.id)
    JOIN answer a ON a.result = r.id
    LEFT JOIN mark m ON m.id = (SELECT max(id) FROM mark WHERE student = s.student
                                AND exercise = s.exercise AND question = a.question);
CREATE VIEW attempts AS
    SELECT s.id AS submission, s.student, s.exercise, s.file, s.handed_in, r.at AS graded,
           r.outcome, r.reason, r.worth,
           (SELECT total(points) FROM answers WHERE submission = s.id) AS points
    FROM submission s
    JOIN result r ON r.id = (SELECT max(id) FROM result WHERE submission = s.id);
CREATE VIEW latest AS
    SELECT * FROM attempts a WHERE submission =
        (SELECT max(submission) FROM attempts WHERE student = a.student AND exercise = a.exercise);
CREATE VIEW best AS
    SELECT * FROM attempts a WHERE submission =
        (SELECT submission FROM attempts WHERE student = a.student AND exercise = a.exercise
         ORDER BY points DESC, submission DESC LIMIT 1);
"""
STATEMENTS = SCHEMA.split(";\n")
UPGRADES = {  # what makes the next version of a file that an older one wrote
    1: (
        *(f"DROP VIEW {view}" for view in ("best", "latest", "attempts", "answers")),
        "DROP INDEX mark_of",
        "ALTER TABLE mark RENAME TO mark_1",
        *(made for made in STATEMENTS if "CREATE VIEW" in made or " mark (" in made),
        "INSERT INTO mark SELECT * FROM mark_1",
        "DROP TABLE mark_1",
    )
}


@dataclass(frozen=True)
class Answer:
    """One question of a result. `marked` says why, if a teacher decided on the points."""

    question: str
    status: str
    points: float
    worth: float
    name: str = ""
    mistake: bool = False
    message: str = ""
    detail: str = ""
    snippet: str = ""
    probe: str = ""
    marked: str = ""


@dataclass(frozen=True)
class Result:
    """What grading one submission came to.

    `outcome` is "graded", or what kept an answer from being judged: "timeout", "out of memory",
    "too much output", "crashed", "unreadable", "grader error"; `reason` says it in words.
    """

    outcome: str
    reason: str
    seconds: float
    seed: int
    checks: str
    guarantees: dict[str, list[str]]
    answers: tuple[Answer, ...]
    cells: list[dict] | None = None

    @property
    def points(self) -> float:
        return sum(a.points for a in self.answers)

    @property
    def worth(self) -> float:
        return sum(a.worth for a in self.answers)


@dataclass(frozen=True)
class Standing:
    """One learner's attempt at one exercise as it counts now, marks included."""

    submission: int
    student: str
    exercise: str
    file: str
    handed_in: str
    graded: str
    outcome: str
    reason: str
    points: float
    worth: float
    answers: tuple[Answer, ...] = field(repr=False)


@dataclass(frozen=True)
class Last:
    """A learner's last attempt; `checks` is None while it is still to be graded."""

    number: int
    sha256: str
    tries: int
    checks: str | None


class Gradebook:
    """An open gradebook. Use it in a `with` statement."""

    def __init__(self, path: str | Path, create: bool = False):
        self.path = Path(path)
        if not create and not self.path.is_file():
            raise FileNotFoundError(
                f"There is no gradebook {path}. `nncheck grade FOLDER --gradebook {path}` makes it."
            )
        self.db = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self.db.close()
            raise ValueError(f"{path} is no gradebook that can be read: {error}.") from None
        except ValueError:
            self.db.close()
            raise

    def _open(self):
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("PRAGMA foreign_keys = ON")
        with self._transaction():
            [kind], [version] = (
                self.db.execute(f"PRAGMA {name}").fetchone()
                for name in ("application_id", "user_version")
            )
            tables = self.db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if kind == 0 and tables == 0:
                changes = [*STATEMENTS, f"PRAGMA application_id = {OURS}"]
            elif kind != OURS:
                raise ValueError(f"{self.path} is an SQLite file of something else. Name another.")
            elif version not in (*UPGRADES, VERSION):
                raise ValueError(
                    f"{self.path} was written by another version of the course ({version}, this "
                    f"is {VERSION}). Open it with that one."
                )
            else:
                changes = [each for older in range(version, VERSION) for each in UPGRADES[older]]
            for statement in [*changes, f"PRAGMA user_version = {VERSION}"] if changes else ():
                self.db.execute(statement)

    def close(self):
        self.db.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @contextlib.contextmanager
    def _transaction(self):
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # ------------------------------------------------------------------------ grading

    @contextlib.contextmanager
    def only_grader(self) -> Iterator[None]:
        """Be the only one who grades into this file; the lock ends with the process."""
        beside = self.path.with_name(f"{self.path.name}.lock")
        with open(beside, "ab") as file, contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(file, patience=1))
            except TimeoutError:
                raise RuntimeError(
                    f"Another `nncheck grade` is writing into {self.path}. Wait until it ends."
                ) from None
            yield

    def begin_run(self, secret: str = "") -> tuple[int, str]:
        """A new run: its number, and the secret that its data are drawn from."""
        secret = secret or secrets.token_hex(16)
        with self._transaction():
            run = self._insert("run", at=now(), version=version(), secret=secret)
        return run, secret

    def last(self, handed: Handed) -> Last | None:
        """The last attempt of this learner at this exercise."""
        row = self.db.execute(
            "SELECT s.id, s.sha256, s.tries, r.checks, r.outcome FROM submission s "
            "LEFT JOIN result r ON r.id = (SELECT max(id) FROM result WHERE submission = s.id) "
            "WHERE s.student = ? AND s.exercise = ? ORDER BY s.id DESC LIMIT 1",
            (handed.student, handed.exercise),
        ).fetchone()
        if row is None:
            return None
        checks = None if row["outcome"] == "grader error" else row["checks"]
        return Last(row["id"], row["sha256"], row["tries"], checks)

    def claim(self, handed: Handed) -> tuple[int, int]:
        """Begin to grade an attempt: its number, and how often that was begun, this time included.

        A file that differs from the learner's last one is a new attempt.
        """
        with self._transaction():
            last = self.last(handed)
            if last and last.sha256 == handed.sha256:
                number, tries = last.number, last.tries + 1
                self.db.execute("UPDATE submission SET tries = ? WHERE id = ?", (tries, number))
                return number, tries
            number = self._insert(
                "submission",
                student=handed.student,
                exercise=handed.exercise,
                file=handed.file,
                handed_in=handed.handed_in,
                sha256=handed.sha256,
                tries=1,
            )
            return number, 1

    def refuse(self, run: int, refused: Refused):
        """Note what lay in the folder and could not be graded."""
        with self._transaction():
            self._insert("refused", run=run, **asdict(refused))

    def finish(self, submission: int, run: int, result: Result):
        """Add a result and all its answers, or nothing of it."""
        with self._transaction():
            number = self._insert(
                "result",
                submission=submission,
                run=run,
                at=now(),
                outcome=result.outcome,
                reason=result.reason,
                points=result.points,
                worth=result.worth,
                seconds=result.seconds,
                seed=str(result.seed),
                checks=result.checks,
                guarantees=json.dumps(result.guarantees),
            )
            for place, a in enumerate(result.answers):
                values = {name: getattr(a, name) for name in ANSWER if name != "marked"}
                self._insert("answer", result=number, place=place, **values)
            cells = None if result.cells is None else json.dumps(result.cells)
            self.db.execute(
                "UPDATE submission SET tries = 0, cells = coalesce(?, cells) WHERE id = ?",
                (cells, submission),
            )

    # -------------------------------------------------------------------- what counts

    def mark(self, student: str, exercise: str, question: str, points: float | None, because: str):
        """Add a teacher's decision on one question; it wins over what was computed.

        With None for the points what was computed counts again.
        """
        with self._transaction():
            self._insert(
                "mark",
                at=now(),
                student=student,
                exercise=exercise,
                question=question,
                points=points,
                because=because,
            )

    def standings(
        self, attempt: Attempt = "latest", student: str = "", exercise: str = ""
    ) -> list[Standing]:
        """What counts now, by learner and exercise: the latest attempt of each, or the best."""
        rows = self.db.execute(
            f"SELECT * FROM {'best' if attempt == 'best' else 'latest'} "
            "WHERE student = coalesce(nullif(?, ''), student) "
            "AND exercise = coalesce(nullif(?, ''), exercise) ORDER BY student, exercise",
            (student, exercise),
        ).fetchall()
        return [
            Standing(
                answers=self._answers(
                    "SELECT * FROM answers WHERE submission = ?", row["submission"]
                ),
                **{name: row[name] for name in STANDING},
            )
            for row in rows
        ]

    def result(self, submission: int) -> Result:
        """The last result of an attempt, as it was computed."""
        row = self.db.execute(
            "SELECT r.*, s.cells FROM result r JOIN submission s ON s.id = r.submission "
            "WHERE submission = ? ORDER BY r.id DESC LIMIT 1",
            (submission,),
        ).fetchone()
        return Result(
            outcome=row["outcome"],
            reason=row["reason"],
            seconds=row["seconds"],
            seed=int(row["seed"]),
            checks=row["checks"],
            guarantees=json.loads(row["guarantees"]),
            answers=self._answers("SELECT *, '' AS marked FROM answer WHERE result = ?", row["id"]),
            cells=json.loads(row["cells"]) if row["cells"] else None,
        )

    def refusals(self) -> list[Refused]:
        """What the last run could not grade."""
        rows = self.db.execute(
            "SELECT student, file, reason FROM refused "
            "WHERE run = (SELECT max(id) FROM run) ORDER BY student, file"
        )
        return [Refused(**row) for row in rows]

    def _answers(self, query: str, number: int) -> tuple[Answer, ...]:
        rows = self.db.execute(f"{query} ORDER BY place", (number,))
        found = ({name: row[name] for name in ANSWER} for row in rows)
        return tuple(Answer(**{**values, "mistake": bool(values["mistake"])}) for values in found)

    def _insert(self, table: str, **values) -> int:
        names, places = ", ".join(values), ", ".join("?" * len(values))
        done = self.db.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(values.values())
        )
        return done.lastrowid or 0


ANSWER = tuple(f.name for f in fields(Answer))
STANDING = tuple(f.name for f in fields(Standing) if f.name != "answers")


def now() -> str:
    """The present moment, in universal time."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def version() -> str:
    """Which version of the course is installed."""
    try:
        return metadata.version("nn-course")
    except metadata.PackageNotFoundError:
        return "unknown"
