"""The learner's answer as a check sees it: `Local` in this kernel, `Remote` in another process.

Both have the same two methods. `trouble(name)` says why an answer cannot be checked at all, if so;
`reply(call)` is what it replies to one call.
"""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nncheck import child, confine, wire
from nncheck.child import Child, Ended
from nncheck.exercise import Call, Exercise
from nncheck.submission import Cell, answer_cell
from nncheck.wire import Odd
from nncheck.worker import built_here, run_probe


@dataclass(frozen=True)
class Raised:
    """An exception as a reply: its type's name, its message, and the learner's own line."""

    kind: str
    message: str
    function: str = ""
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class Reply:
    """What an answer replied to one call: a value or an exception, and the data it changed."""

    value: Any = None
    raised: Raised | None = None
    changed: dict[int, Any] = field(default_factory=dict)


class Trouble(Exception):
    """Why an answer cannot be checked. `status` is a verdict's, `kind` names the case."""

    def __init__(self, status: str, kind: str, message: str, name: str = ""):
        super().__init__(message)
        self.status, self.kind, self.message, self.name = status, kind, message, name


def reply_from(message) -> Reply:
    """A reply from what `run_probe` said, believing nothing about its form."""
    try:
        changed = {int(i): value for i, value in message["changed"]}
        if "missing" in message:
            raise missing(str(message["missing"])[:80])
        if "error" in message:
            raised = raised_from(message["error"])
            if ran_out(raised):
                raise Trouble("error", "out of memory", out_of_memory("This"))
            return Reply(raised=raised, changed=changed)
        value = message["value"]
        if isinstance(value, Odd) and value.kind == wire.TOO_LARGE:
            raise ended_trouble("too much output", "This", 0)
        return Reply(value=value, changed=changed)
    except (KeyError, TypeError, ValueError):
        return Reply(value=Odd("reply that cannot be read"))


def raised_from(error) -> Raised:
    function, line, text = error["at"] or ("", 0, "")
    kind, message = error["kind"], error["message"]
    if not all(isinstance(s, str) for s in (kind, message, function, text)):
        raise TypeError("an error without words")
    return Raised(kind, message, function, int(line), text)


def missing(name) -> Trouble:
    return Trouble(
        "missing",
        "missing",
        f"There is no `{name}` any more: was it renamed, or its cell deleted? Define `{name}` "
        "again under this very name; `nncheck update` brings a deleted cell back.",
        name,
    )


class Local:
    """An answer in this process: names and what they stand for."""

    def __init__(self, names: Mapping[str, Any], builds: tuple[str, ...] = ()):
        self.names, self.builds = names, builds

    def trouble(self, name: str) -> Trouble | None:
        """Why the answer of that name cannot be checked; None if it can."""
        return None if name in self.names else missing(name)

    def reply(self, call: Call) -> Reply:
        """What the answer replies to one call."""
        with built_here(self.builds) as closed:
            wanted = {n: self.names[n] for n in call.names if n in self.names}
            wanted = {n: closed.get(id(v), v) for n, v in wanted.items()}
            said = run_probe(call.probe, call.names, wanted, call.data, self.names)
        # As bytes and back, like a worker's: what is an array of the learner's may change later.
        return reply_from(wire.loads(wire.dumps(said)))

    def close(self):
        """Nothing to end here."""


# --------------------------------------------------------------------------- another process


@dataclass(frozen=True)
class Limits:
    """How much the worker may take: seconds, bytes of memory, and how many starts anew.

    `total` are the seconds of all that a notebook's own code does.
    """

    start: float = 60
    cell: float = 20
    call: float = 10
    total: float = math.inf
    restarts: int = 20
    memory: int = 1 << 30


class Unfenced(RuntimeError):
    """A worker lacks a guarantee without which no answer may run."""


class Remote:
    """The answers of a notebook's cells, run in a worker process of their own.

    A cell that never ends, or that ends the process, is left out the next time: it costs its own
    questions only. `guarantees` says which fences stand around the worker, once it has started;
    without `fences` it is a process of its own and no more. None of the learner's code runs in a
    worker that lacks one of the guarantees `needs`.
    """

    def __init__(
        self,
        cells: list[Cell],
        exercise: Exercise,
        limits: Limits | None = None,
        fences=True,
        needs: Iterable[str] = (),
    ):
        self.cells, self.exercise, self.limits = cells, exercise, limits or Limits()
        self.fences, self.needs, self.spent = fences, tuple(needs), 0.0
        self.guarantees: dict[str, list[str]] = {name: [] for name in confine.GUARANTEES}
        self.errors: dict[int, Trouble] = {}  # by cell: why it cannot be used
        self.ended: set[int] = set()  # cells that ended the worker
        self.defined: dict[int, list[str]] = {}  # by cell: the questions it has answered
        self.child: Child | None = None
        self.starts = 0

    def trouble(self, name: str) -> Trouble | None:
        """Why the answer of that name cannot be checked; None if it can."""
        self._ready()
        cell = answer_cell(self.cells, name)
        number = self.cells.index(cell) if cell else -1
        if name in self.defined.get(number, ()):
            return None
        if number in self.errors:
            return self.errors[number]
        there = any(name in names for names in self.defined.values())
        return None if there else missing(name)

    def reply(self, call: Call) -> Reply:
        """What the answers reply to one call."""
        worker = self._ready()
        try:
            key = worker.keep(call.probe, self.limits.call)
            said = self._ask(
                worker, self.limits.call, "call", key, list(call.names), list(call.data)
            )
            return reply_from(said)
        except Ended as ended:
            self.child = None
            raise ended_trouble(ended.kind, "This", self.limits.call) from None
        except Trouble as trouble:
            if trouble.kind == "missing":
                cell = answer_cell(self.cells, trouble.name)
                known = self.errors.get(self.cells.index(cell)) if cell else None
                raise known or trouble from None
            raise

    def close(self):
        """End the worker."""
        if self.child:
            self.child.kill()
            self.child = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _ready(self) -> "Child":
        """A worker in which every cell has run that can."""
        while self.child is None:
            if self.starts > self.limits.restarts or self.spent >= self.limits.total:
                raise Trouble(
                    "error",
                    "timeout",
                    "Not checked: too many cells of this notebook take too long, never end, or "
                    "end Python. Mend those first.",
                )
            self.starts += 1
            worker = child.start(self.exercise.uses, self.limits.memory, self.fences)
            self.guarantees = worker.guarantees
            lacking = [name for name in self.needs if not self.guarantees[name]]
            if lacking:
                worker.kill()
                raise Unfenced(
                    f"This machine does not hold: {', '.join(lacking)}. `nncheck doctor` says what "
                    "is missing."
                )
            try:
                self._run_cells(worker)
            except BaseException:
                worker.kill()
                raise
            if not worker.ended:
                self.child = worker
        return self.child

    def _ask(self, worker, seconds, *order):
        """Have the worker run some of the learner's code, for so long or until the total is up."""
        left = self.limits.total - self.spent
        if left <= 0:
            worker.kill()
            raise Ended("timeout")
        before = time.monotonic()
        try:
            return worker.ask(*order, seconds=min(seconds, left))
        finally:
            self.spent += time.monotonic() - before

    def _run_cells(self, worker):
        try:
            uses, builds = self.exercise.uses, list(self.exercise.builds)
            worker.ask("start", uses, builds, seconds=self.limits.start)
        except Ended as ended:
            raise RuntimeError(
                f"The process for the answers could not start ({ended.kind}). Is the course "
                "installed completely? Install it again."
            ) from None
        for number, cell in enumerate(self.cells):
            if not cell.runs or number in self.ended:
                continue
            try:
                what = self._ask(
                    worker,
                    self.limits.cell,
                    "cell",
                    f"cell {number}",
                    cell.source,
                    list(self.exercise.questions),
                )
            except Ended as ended:
                self.ended.add(number)
                self.errors[number] = ended_trouble(ended.kind, "Its cell", self.limits.cell)
                return
            self._note(number, what)

    def _note(self, number, what):
        """Keep what the worker says about a cell; none of it can make an answer right."""
        self.errors.pop(number, None)
        try:
            self.defined[number] = [str(n) for n in what["new"]]
            if what["error"] is not None:
                self.errors[number] = cell_error(raised_from(what["error"]))
        except (KeyError, TypeError, ValueError):
            self.errors[number] = Trouble("error", "crashed", "Its cell could not be run.")


def cell_error(raised: Raised) -> Trouble:
    """What to say about a cell that stopped with an error."""
    at = f" (line {raised.line}: `{raised.text}`)" if raised.line else ""
    if raised.kind in ("SyntaxError", "IndentationError", "TabError"):
        text = f"Its cell is not Python yet: {raised.message}{at}."
        return Trouble("error", "syntax", text + " Mend that line, and run the cell.")
    if ran_out(raised):
        return Trouble("error", "out of memory", out_of_memory("Its cell"))
    text = f"Its cell stopped with {raised.kind}: {raised.message}{at}."
    return Trouble("error", "cell", text + " Run the notebook from its top, and mend that line.")


def ended_trouble(kind: str, what: str, seconds: float) -> Trouble:
    """What to say about a worker that is gone."""
    text = {
        "timeout": f"{what} was stopped after {seconds:g} seconds: does a loop in it never end?",
        "out of memory": out_of_memory(what),
        "too much output": f"{what} replied with more than can be read: look for a list or an "
        "array that grows without end.",
        "crashed": f"{what} ended Python itself: look for exit(), or for a crash in a library.",
    }[kind]
    return Trouble("error", kind, text)


def ran_out(raised: Raised) -> bool:
    """Was it memory that was missing? NumPy and torch have errors of their own for it."""
    ours = raised.kind in ("MemoryError", "_ArrayMemoryError")
    return ours or (raised.kind == "RuntimeError" and "can't allocate memory" in raised.message)


def out_of_memory(what: str) -> str:
    return (
        f"{what} wanted more memory than there is for it: does something in it grow without end, "
        "or does an array have an axis too many?"
    )
