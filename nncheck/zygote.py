"""The trusted process that workers are forked from: it has imported what they need, and no more.

Starting Python and NumPy anew for each submission takes a quarter of a second; forking takes
milliseconds. It is started as `python -I zygote.py` with a clean environment and a socket as its
standard input, and obeys orders from there: prepare, fork, end. It never sees a check file, a
solution, a seed or a submission: a worker's orders come over a line of the worker's own. It ends
when the other side of its socket closes, and every worker ends with it.

This file imports nothing of ours but its neighbours, which it loads by their paths.
"""

import contextlib
import gc
import importlib
import importlib.util
import os
import signal
import socket
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if __package__:
    from nncheck import confine, wire, worker
else:

    def _neighbour(name):
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    worker, confine = _neighbour("worker"), _neighbour("confine")
    wire = worker.wire

LINE = 3  # the descriptor on which a worker hears and answers


def readable(uses: str) -> Iterator[str]:
    """What a worker may read: the standard library, and the packages that an exercise uses.

    The standard library entry by entry, because site-packages often lies inside it.
    """
    yield sys.executable
    for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        for entry in _entries(folder):
            if entry.name not in ("site-packages", "dist-packages"):
                yield entry.path
    machine = sysconfig.get_config_var("MULTIARCH") or ""
    for folder in {f"{sys.base_prefix}/lib", f"/usr/lib/{machine}", "/usr/lib64", "/usr/lib"}:
        for entry in _entries(folder):
            if entry.name.startswith("lib") and ".so" in entry.name:
                yield entry.path
    for name in worker.PACKAGES[uses]:
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or [spec.origin]) if spec else []
        for place in map(Path, filter(None, places)):
            yield str(place)
            yield from map(str, place.parent.glob("*.libs"))  # shared libraries out of wheels


def _entries(folder):
    try:
        return list(os.scandir(folder))
    except OSError:
        return []


def threads() -> int:
    """How many threads this process has."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


def _warm_drawing():
    """Import matplotlib, which writes a cache as it is imported; a worker could not."""
    with contextlib.suppress(ImportError), tempfile.TemporaryDirectory() as folder:
        os.environ["MPLCONFIGDIR"] = folder
        importlib.import_module("matplotlib.pyplot")
        importlib.import_module("matplotlib.backends.backend_agg")
    os.environ.pop("MPLCONFIGDIR", None)


class Zygote:
    """What the orders are carried out on."""

    def __init__(self, orders: socket.socket):
        self.orders = orders
        self.rules: int | None = None

    def prepare(self, uses):
        """Import everything, so that a fork has it; what a worker may read is settled here."""
        worker.warm(uses)
        if uses != "numpy":
            _warm_drawing()
        self.rules = confine.ruleset(readable(uses))
        gc.collect()
        gc.freeze()  # a collection in a worker then writes to none of the pages that we share
        return None

    def fork(self, memory):
        """A confined worker on the line that comes along; its process id."""
        _, [line], _, _ = socket.recv_fds(self.orders, 1, 1)
        try:
            if threads() != 1:
                raise RuntimeError(f"{threads()} threads: a fork would copy locks nobody opens")
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                try:
                    self._be_worker(line, confine.Bounds(memory), parent)
                finally:
                    os._exit(1)
            return pid
        finally:
            os.close(line)

    def _be_worker(self, line, bounds, parent):
        above = os.dup(line), self.rules if self.rules is None else os.dup(self.rules)
        os.dup2(above[0], LINE)
        rules = above[1] if above[1] is None else os.dup2(above[1], LINE + 1)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nowhere, fd)
        os.closerange(LINE + 1 + (rules is not None), 1 << 20)
        holds = confine.confine(bounds, rules)
        if os.getppid() != parent:  # it has gone before its end could have been noticed
            return
        with os.fdopen(LINE, "wb", closefd=False) as replies:
            wire.write_frame(replies, wire.dumps(holds))
            worker.serve(os.fdopen(LINE, "rb", buffering=0), replies)

    def end(self, pid, patience):
        """End a worker; how it ended: an exit code, or minus a signal that was not ours."""
        until = time.monotonic() + patience
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() >= until:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None
            time.sleep(0.001)


def main():
    """Carry out one order after the other until the other side closes."""
    orders = socket.socket(fileno=os.dup(0))
    lines = orders.makefile("rb", buffering=0), orders.makefile("wb")
    zygote = Zygote(orders)
    while True:
        try:
            verb, arguments = wire.loads(wire.read_frame(lines[0]))
        except EOFError:
            return
        try:
            said = ("done", getattr(zygote, verb)(*arguments))
        except Exception as error:
            said = ("failed", f"{type(error).__name__}: {error}")
        wire.write_frame(lines[1], wire.dumps(said))


if __name__ == "__main__":
    main()
