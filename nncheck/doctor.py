"""Which guarantees hold on this machine: by starting a worker and trying to break each of them.

Nothing here asks a version or reads a setting: what counts is what a worker can really do.
"""

import inspect
import os
import platform
import socket
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nncheck import child, confine
from nncheck.child import Ended

MEMORY = 128 << 20  # what the worker of an examination may take
MOMENT = 0.2  # the deadline that an endless loop gets
REMEDIES = {
    "fs": "Landlock: Linux 5.13 or newer with landlock in /sys/kernel/security/lsm",
    "net": "seccomp on x86_64 or aarch64: a kernel or container that lets prctl add a filter",
    "proc": "seccomp on x86_64 or aarch64: a kernel or container that lets prctl add a filter",
    "mem": "rlimits: Linux, with a 64-bit Python",
    "split": "the worker itself is broken: install the course again",
}
ELSEWHERE = "fences are built on what Linux has: use a Linux container, or WSL2 on Windows"


@dataclass(frozen=True)
class Finding:
    """What an attempt showed: does this guarantee hold, by which layer, and if not, what to do."""

    guarantee: str
    attempt: str
    holds: bool
    layer: str
    remedy: str = ""

    def __str__(self):
        verdict = "HOLDS" if self.holds else "MISSING"
        line = f"{verdict:8} {self.guarantee:6} {self.attempt:47} {self.layer}"
        return line.rstrip() if self.holds else f"{line.rstrip()}\n{'':16}needs {self.remedy}"


# Each of these is sent to the worker by its source. One that ends without an exception got through.


def fs_reads_a_file_beside_a_submission(world):
    with open(f"{world['folder']}/solution.py") as file:
        file.read()


def fs_lists_a_folder(world):
    __import__("os").listdir(world["folder"])


def fs_writes_a_file(world):
    with open(f"{world['folder']}/left-behind", "w") as file:
        file.write("x")


def fs_deletes_a_file(world):
    __import__("os").unlink(f"{world['folder']}/old")


def fs_reads_the_environment_of_another_process(world):
    with open(f"/proc/{world['pid']}/environ", "rb") as file:
        file.read()


def net_connects_to_a_port(world):
    __import__("socket").create_connection(("127.0.0.1", world["port"]), 0.2)


def net_sends_a_datagram(world):
    socket = __import__("socket")
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.sendto(b"x", ("127.0.0.1", world["port"]))


def proc_forks(world):
    os = __import__("os")
    if os.fork() == 0:
        os._exit(0)


def proc_runs_a_program(world):
    __import__("subprocess").run([__import__("sys").executable, "-c", ""], check=True)


def proc_signals_another_process(world):
    os = __import__("os")
    if os.name == "posix":  # elsewhere 0 is no question, but Ctrl-C
        os.kill(world["pid"], 0)


def mem_makes_an_array_beyond_its_limit(world):
    __import__("numpy").ones(2 * world["memory"] // 8)


def mem_maps_shared_memory_beyond_its_limit(world):
    __import__("mmap").mmap(-1, 2 * world["memory"])


ATTEMPTS: tuple[Callable, ...] = (
    fs_reads_a_file_beside_a_submission,
    fs_lists_a_folder,
    fs_writes_a_file,
    fs_deletes_a_file,
    fs_reads_the_environment_of_another_process,
    net_connects_to_a_port,
    net_sends_a_datagram,
    proc_forks,
    proc_runs_a_program,
    proc_signals_another_process,
    mem_makes_an_array_beyond_its_limit,
    mem_maps_shared_memory_beyond_its_limit,
)
ENDINGS = {
    "ends an answer that never ends": ("while True: pass", "timeout"),
    "survives an answer that ends Python": ("import os; os._exit(0)", "crashed"),
}


def examine(fences: bool = True) -> Iterator[Finding]:
    """Try everything, in a worker as `nncheck check` starts it."""
    with tempfile.TemporaryDirectory(prefix="nncheck-doctor-") as folder, socket.socket() as door:
        Path(folder, "solution.py").write_text("secret", encoding="utf-8")
        Path(folder, "old").write_text("x", encoding="utf-8")
        door.bind(("127.0.0.1", 0))
        door.listen()
        world = {"folder": folder, "port": door.getsockname()[1], "pid": os.getpid()}
        world["memory"] = MEMORY
        worker = _start(fences)
        try:
            for attempt in ATTEMPTS:
                yield _try(worker, attempt, world)
        finally:
            worker.kill()
    for words, (source, kind) in ENDINGS.items():
        holds = _ends(_start(fences), source, kind)
        yield Finding("split", words, holds, "process, deadline", REMEDIES["split"])


def _start(fences):
    worker = child.start("numpy", MEMORY, fences)
    worker.ask("start", "numpy", [], seconds=child.START)
    return worker


def _try(worker, attempt, world):
    guarantee, _, words = attempt.__name__.partition("_")
    source = f"{textwrap.dedent(inspect.getsource(attempt))}\n{attempt.__name__}({world!r})"
    try:
        holds = worker.ask("cell", "attempt", source, [], seconds=5)["error"] is not None
    except Ended:
        return Finding(guarantee, _sentence(words), False, "", "a worker that lives")
    layers = ", ".join(worker.guarantees[guarantee])
    remedy = REMEDIES[guarantee] if sys.platform == "linux" else ELSEWHERE
    return Finding(guarantee, _sentence(words), holds, layers, remedy)


def _sentence(words):
    first, _, rest = words.replace("_", " ").partition(" ")
    return f"no answer {first} {rest}".strip()


def _ends(worker, source, kind):
    try:
        worker.ask("cell", "ending", source, [], seconds=MOMENT if kind == "timeout" else 5)
    except Ended as ended:
        return ended.kind == kind
    worker.kill()
    return False


def report() -> int:
    """Print what holds here; 0 if everything does, else 1."""
    version = confine.landlock_version()
    about = f"{platform.system()} {platform.release()}, {platform.machine()}, "
    print(f"{about}Landlock {version or 'absent'}, Python {platform.python_version()}\n")
    try:
        child.zygote_for("numpy")
    except child.Unavailable as error:
        print(f"Answers run in a plain process, without fences: {error}.\n")
    findings = []
    for finding in examine():
        findings.append(finding)
        print(finding, flush=True)
    missing = sorted({f.guarantee for f in findings if not f.holds})
    if not missing:
        print("\nEvery guarantee holds.")
        return 0
    print(
        f"\nWEAK: {', '.join(missing)}. The border between the processes keeps scores honest, but "
        "run strangers' code here only inside a container."
    )
    return 1
