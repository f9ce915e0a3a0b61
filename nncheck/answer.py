"""The learner's answer as a check sees it: `Local` in this kernel, `Remote` in another process.

Both have the same two methods. `trouble(name)` says why an answer cannot be checked at all, if so;
`reply(call)` is what it replies to one call.
"""

import contextlib
import importlib.util
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncheck import wire, worker
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
            return Reply(raised=raised_from(message["error"]), changed=changed)
        return Reply(value=message["value"], changed=changed)
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
    """How many seconds the worker may take, and how often it is started again."""

    start: float = 60
    cell: float = 20
    call: float = 10
    restarts: int = 20


class Remote:
    """The answers of a notebook's cells, run in a worker process of their own.

    A cell that never ends, or that ends the process, is left out the next time: it costs its own
    questions only.
    """

    def __init__(self, cells: list[Cell], exercise: Exercise, limits: Limits | None = None):
        self.cells, self.exercise, self.limits = cells, exercise, limits or Limits()
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
        child = self._ready()
        try:
            key = child.keep(call.probe, self.limits.call)
            said = child.ask(
                "call", key, list(call.names), list(call.data), seconds=self.limits.call
            )
            return reply_from(said)
        except Ended as ended:
            self.child = None
            raise ended.trouble("This", self.limits.call) from None
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
            if self.starts > self.limits.restarts:
                raise Trouble(
                    "error",
                    "timeout",
                    "Not checked: too many cells of this notebook never end or end Python. Mend "
                    "those first.",
                )
            self.starts += 1
            child = Child()
            try:
                self._run_cells(child)
            except BaseException:
                child.kill()
                raise
            if child.alive:
                self.child = child
        return self.child

    def _run_cells(self, child):
        try:
            uses, builds = self.exercise.uses, list(self.exercise.builds)
            child.ask("start", uses, builds, seconds=self.limits.start)
        except Ended as ended:
            raise RuntimeError(
                f"The process for the answers could not start ({ended.kind}). Is the course "
                "installed completely? Install it again."
            ) from None
        for number, cell in enumerate(self.cells):
            if not cell.runs or number in self.ended:
                continue
            try:
                what = child.ask(
                    "cell",
                    f"cell {number}",
                    cell.source,
                    list(self.exercise.questions),
                    seconds=self.limits.cell,
                )
            except Ended as ended:
                self.ended.add(number)
                self.errors[number] = ended.trouble("Its cell", self.limits.cell)
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
    text = f"Its cell stopped with {raised.kind}: {raised.message}{at}."
    return Trouble("error", "cell", text + " Run the notebook from its top, and mend that line.")


class Ended(Exception):
    """The worker is gone: it took too long ("timeout") or ended ("crashed")."""

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind

    def trouble(self, what: str, seconds: float) -> Trouble:
        if self.kind == "timeout":
            text = f"{what} was stopped after {seconds:g} seconds: does a loop in it never end?"
        else:
            text = f"{what} ended Python itself: look for exit(), or for a crash in a library."
        return Trouble("error", self.kind, text)


class Child:
    """A worker process and the pipe to it: one order at a time, each with a deadline."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nncheck-", ignore_cleanup_errors=True)
        own_group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", worker.__file__, *_import_folders()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder.name,
            env=_clean_environment(self.folder.name),
            **own_group,
        )
        self.orders = 0
        self.talker: threading.Thread | None = None
        self.ended = False
        self.probes: dict[Any, int] = {}

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def keep(self, probe, seconds) -> int:
        """Send a probe's source, once; the number it is called by."""
        if probe not in self.probes:
            source = textwrap.dedent(inspect.getsource(probe))
            self.probes[probe] = key = len(self.probes)
            self.ask("probe", key, probe.__name__, source, seconds=seconds)
        return self.probes[probe]

    def ask(self, verb: str, *arguments, seconds: float):
        """What the worker says to one order. Raises Ended, and then the worker is gone."""
        self.orders += 1
        number = self.orders
        order = wire.dumps((number, verb, list(arguments)))
        said: list = []

        def talk():
            try:
                wire.write_frame(self.process.stdin, order)
                said.append(wire.loads(wire.read_frame(self.process.stdout)))
            except (OSError, EOFError, ValueError):
                pass  # it has gone, or sent what is no message
            if self.ended:
                self._close_pipes()

        # A thread, because a deadline on a pipe works in no other way on every system.
        self.talker = threading.Thread(target=talk, daemon=True)
        self.talker.start()
        self.talker.join(seconds)
        if self.talker.is_alive():
            self.kill()
            raise Ended("timeout")
        match said:
            case [(echo, result)] if type(echo) is int and echo == number:
                return result
        self.kill()
        raise Ended("crashed")

    def kill(self):
        """End the process and all that it started in its session."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.ended = True
        if not (self.talker and self.talker.is_alive()):
            self._close_pipes()  # else the talker does, when nobody holds the other end any more
        self.folder.cleanup()

    def _close_pipes(self):
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()


def _import_folders():
    """Where the libraries lie that a learner's cells may import; never the working folder."""
    found = (importlib.util.find_spec(name) for name in ("numpy", "nnlib", "torch"))
    folders = (str(Path(spec.origin).parents[1]) for spec in found if spec and spec.origin)
    return list(dict.fromkeys(folders))


def _clean_environment(folder):
    """What a worker needs and nothing that is anybody's business."""
    kept = ("SYSTEMROOT", "PATH", "TEMP", "TMP") if sys.platform == "win32" else ("LANG", "LC_ALL")
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **threads,
        "HOME": folder,
        "MPLBACKEND": "agg",
        "TQDM_DISABLE": "1",
    }
