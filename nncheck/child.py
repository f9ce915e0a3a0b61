"""The process that an answer runs in, and the line to it: one order at a time, with a deadline.

`Fenced` is a worker that the zygote forks, with every fence of `confine`; `Plain` is one that is
started anew, on systems without them. Both say the same to the same orders.
"""

import atexit
import contextlib
import importlib.util
import inspect
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import psutil

from nncheck import confine, wire, worker, zygote

START = 60.0  # seconds: the first import after an installation is slow
WATCH = 0.05  # seconds between two looks at the memory of a worker without fences
LAST_WORDS = 0.1  # seconds that a process may take to end after its line has closed


class Ended(Exception):
    """The worker is gone: "timeout", "out of memory", "too much output" or "crashed"."""

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


def cause(code: int | None) -> str:
    """Why a worker ended by itself, from its exit code or minus its signal."""
    if code is None or sys.platform == "win32":
        return "crashed"
    if code == -signal.SIGXCPU:
        return "timeout"
    if code in (-signal.SIGKILL, worker.OUT_OF_MEMORY):
        return "out of memory"
    return "too much output" if code == -signal.SIGXFSZ else "crashed"


class Child:
    """A worker, one order at a time. `guarantees`: what its fences hold, and by which layers."""

    guarantees: dict[str, list[str]]
    pid: int

    def __init__(self):
        self.guarantees = {name: [] for name in confine.GUARANTEES}
        self.orders = 0
        self.probes: dict[Any, int] = {}
        self.ended = False

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
        order = wire.dumps((self.orders, verb, list(arguments)))
        try:
            match wire.loads(self._exchange(order, seconds)):
                case (echo, result) if type(echo) is int and echo == self.orders:
                    return result
            why = "crashed"
        except TimeoutError:
            why = "timeout"
        except wire.TooLarge:
            why = "too much output"
        except wire.WireError:
            why = "crashed"
        except (OSError, EOFError, ValueError):
            raise Ended(cause(self.kill(LAST_WORDS))) from None
        self.kill()
        raise Ended(why)

    def _exchange(self, order: bytes, seconds: float) -> bytes | bytearray:
        raise NotImplementedError

    def kill(self, patience: float = 0) -> int | None:
        """End the process; its exit code if it ends by itself within so many seconds."""
        raise NotImplementedError


_plain: "weakref.WeakSet[Plain]" = weakref.WeakSet()


def end_plain():
    """End every worker of this process that no zygote ends."""
    for one in list(_plain):
        one.kill()


class Plain(Child):
    """A worker without fences: its own process, and nothing else between it and the machine.

    With `memory`, one that takes more bytes is ended as soon as that is noticed.
    """

    def __init__(self, memory: int | None = None):
        super().__init__()
        self.memory = memory
        self.folder = tempfile.TemporaryDirectory(prefix="nncheck-", ignore_cleanup_errors=True)
        own_group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            _command(worker),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder.name,
            env=_clean_environment(self.folder.name),
            **own_group,
        )
        self.pid = self.process.pid
        _plain.add(self)
        self.talker: threading.Thread | None = None

    def _exchange(self, order, seconds):
        said: list = []

        def talk():
            try:
                wire.write_frame(self.process.stdin, order)
                said.append(wire.read_frame(self.process.stdout))
            except (OSError, EOFError, ValueError) as error:
                said.append(error)
            if self.ended:
                self._close_pipes()

        # A thread, because a deadline on a pipe works in no other way on every system.
        self.talker = threading.Thread(target=talk, daemon=True)
        self.talker.start()
        until = time.monotonic() + seconds
        while self.talker.is_alive() and (left := until - time.monotonic()) > 0:
            self.talker.join(left if self.memory is None else min(left, WATCH))
            if self.memory is not None and _taken(self.pid) > self.memory:
                self.kill()
                raise Ended("out of memory")
        if self.talker.is_alive():
            raise TimeoutError
        if isinstance(said[0], Exception):
            raise said[0]
        return said[0]

    def kill(self, patience=0):
        """End the process and all that it started in its session."""
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(patience)
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self.process.kill()
            else:
                os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(10)
        self.ended = True
        _plain.discard(self)
        if not (self.talker and self.talker.is_alive()):
            self._close_pipes()  # else the talker does, when nobody holds the other end any more
        self.folder.cleanup()
        return code

    def _close_pipes(self):
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()


def _taken(pid):
    """How many bytes of memory a process has taken; 0 if it is gone."""
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


class Fenced(Child):
    """A worker that was forked from a zygote and has put up its fences."""

    def __init__(self, zygote: "Zygote", memory: int):
        super().__init__()
        self.zygote = zygote
        self.line, theirs = socket.socketpair()
        try:
            with theirs:
                self.pid = zygote.fork(theirs, memory)
        except Unavailable:
            self.line.close()
            raise
        try:
            holds = wire.loads(_receive(self.line, time.monotonic() + START))
        except (OSError, EOFError, ValueError) as error:
            self.kill()
            raise Unavailable("a worker ended before its fences stood") from error
        self.guarantees = {name: list(layers) for name, layers in holds.items()}

    def _exchange(self, order, seconds):
        until = time.monotonic() + seconds
        self.line.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            if self.line.recv(1):
                raise wire.WireError("an answer that nobody has asked for")
            raise EOFError
        _send(self.line, order, until)
        return _receive(self.line, until)

    def kill(self, patience=0):
        """End the process. It could not start another one."""
        if self.ended:
            return None
        self.ended = True
        self.line.close()
        return self.zygote.end(self.pid, patience)


def _send(line, data, until):
    line.settimeout(max(until - time.monotonic(), 0.001))
    line.sendall(len(data).to_bytes(4, "big"))
    line.sendall(data)


def _receive(line, until):
    """The next frame; TimeoutError if it has not come as a whole by then, however it drips."""
    size = int.from_bytes(_exactly(line, 4, until), "big")
    if size > wire.MAX_BYTES:
        raise wire.TooLarge(f"a message of {size} bytes; at most {wire.MAX_BYTES} are read")
    return _exactly(line, size, until)


def _exactly(line, size, until):
    data = bytearray(size)
    free = memoryview(data)
    while free:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        got = line.recv_into(free)
        if not got:
            raise EOFError("the other side has gone")
        free = free[got:]
    return data


# ------------------------------------------------------------------------------ the zygote


class Unavailable(Exception):
    """There is no fenced worker on this system; the message says why."""


class Zygote:
    """The process that workers are forked from, seen from the trusted side."""

    def __init__(self, uses: str):
        self.line, theirs = socket.socketpair()
        self.lock = threading.Lock()
        self.closed = False
        with theirs:
            self.process = subprocess.Popen(
                _command(zygote),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_clean_environment("/nonexistent"),
                start_new_session=True,
            )
        try:
            self._ask("prepare", uses)
        except Unavailable:
            self.close()
            raise

    def fork(self, line: socket.socket, memory: int) -> int:
        """A confined worker at the other end of this line; its process id."""
        return self._ask("fork", memory, line=line)

    def end(self, pid: int, patience: float) -> int | None:
        """End a worker; its exit code if it ended by itself."""
        try:
            return self._ask("end", pid, patience)
        except Unavailable:
            return None  # with its zygote gone, it is gone too

    def _ask(self, verb, *arguments, line=None):
        until = time.monotonic() + START
        with self.lock:
            try:
                if self.closed:
                    raise EOFError
                _send(self.line, wire.dumps((verb, list(arguments))), until)
                if line is not None:
                    socket.send_fds(self.line, [b"L"], [line.fileno()])
                outcome, said = wire.loads(_receive(self.line, until))
            except (OSError, EOFError, ValueError) as error:
                self.close()
                raise Unavailable("the process that forks workers has ended") from error
        if outcome != "done":
            raise Unavailable(str(said))
        return said

    def close(self):
        """End it, and every worker with it."""
        self.closed = True
        self.line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self.process.kill()
        self.process.wait(10)


_zygotes: dict[tuple[int, str], Zygote] = {}


def zygote_for(uses: str) -> Zygote:
    """The zygote of this process for what an exercise uses; started when it is first needed."""
    key = os.getpid(), uses
    if key not in _zygotes or _zygotes[key].closed:
        if sys.platform != "linux":
            raise Unavailable("fences are built on what Linux has; use a container or WSL2")
        if os.getpid() not in [pid for pid, _ in _zygotes]:
            atexit.register(end_zygotes, os.getpid())
        _zygotes[key] = Zygote(uses)
    return _zygotes[key]


def end_zygotes(pid: int | None = None):
    """End every zygote that this process has started."""
    if pid in (None, os.getpid()):
        for key in [key for key in _zygotes if key[0] == os.getpid()]:
            _zygotes.pop(key).close()


def start(uses: str, memory: int, fences: bool = True) -> Child:
    """A worker: fenced where the system can, else a plain one, whose guarantees say so."""
    if fences:
        with contextlib.suppress(Unavailable):
            return Fenced(zygote_for(uses), memory)
        return Plain(memory)
    return Plain()


# ------------------------------------------------------------------------------ both


def _command(module):
    return [sys.executable, "-I", "-B", "-X", "utf8", str(module.__file__), *_import_folders()]


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
        "MALLOC_ARENA_MAX": "1",  # else each thread reserves 64 MB of address space
    }
