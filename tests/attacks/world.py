"""What an attack may harm, and how we see whether it did: from outside, after it has run.

A folder with a check file, a solution and another learner's submission; a process of the same
user with a secret in its environment; an open port. An attack finds their addresses in `world`, a
dict; it never finds the secret there.
"""

import contextlib
import ctypes
import os
import secrets
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

HARM = "HARM"  # what an attack replies when it got what it must not get and left no trace


@contextlib.contextmanager
def no_process_left() -> Iterator[None]:
    """What was started here has ended, orphans included: they become children of this process."""
    libc, subreaper = ctypes.CDLL(None), 36  # PR_SET_CHILD_SUBREAPER
    me = psutil.Process()
    before = set(me.children(recursive=True))
    assert libc.prctl(subreaper, 1, 0, 0, 0) == 0
    try:
        yield
        _, alive = psutil.wait_procs(set(me.children(recursive=True)) - before, timeout=5)
    finally:
        libc.prctl(subreaper, 0, 0, 0, 0)
    if alive:
        raise AssertionError(alive)


class World:
    """A small machine room with its own secret. Use it in a `with` statement."""

    def __init__(self, folder: Path, memory: int):
        self.folder, self.memory, self.secret = folder, memory, secrets.token_hex(16)
        self.traces = [folder / "home", Path(f"/tmp/attack-{folder.name}")]
        self.traces += [Path(f"/dev/shm/attack-{folder.name}")]

    def __enter__(self):
        files = {
            "checks/11_neuron.py": f"right = '{self.secret}'",
            "solutions/11_neuron.ipynb": f'{{"cells": ["{self.secret}"]}}',
            "submitted/bob/11_neuron.ipynb": f'{{"cells": ["{self.secret}"]}}',
            "home/.profile": "# start-up file",
            "tool.sh": f"#!/bin/sh\necho {HARM} > {self.folder}/ran\necho {self.secret}\n",
        }
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (self.folder / "tool.sh").chmod(0o755)
        self.other = subprocess.Popen(["sleep", "60"], env={"TOKEN": self.secret})
        self.doors = [socket.socket(), socket.socket(type=socket.SOCK_DGRAM)]
        for door in self.doors:
            door.bind(("127.0.0.1", 0))
        self.doors += [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
        self.doors[2].bind(str(self.folder / "door"))
        self.doors[3].bind(f"\0attack-{self.secret[:8]}")
        for i in (0, 2, 3):
            self.doors[i].listen()
        self.before = self._state()
        return self

    def __exit__(self, *_):
        self.other.kill()
        self.other.wait()
        for door in self.doors:
            door.close()
        for path in self.traces[1:]:
            path.unlink(missing_ok=True)

    @property
    def addresses(self) -> dict:
        """What an attack is told."""
        return {
            "folder": str(self.folder),
            "tmp": str(self.traces[1]),
            "shm": str(self.traces[2]),
            "pid": self.other.pid,
            "tcp": self.doors[0].getsockname()[1],
            "udp": self.doors[1].getsockname()[1],
            "abstract": f"attack-{self.secret[:8]}",
            "memory": self.memory,
        }

    def _state(self):
        import resource  # not on every system, and this file is collected on all

        state = {}
        for path in [*self.folder.rglob("*"), *self.traces]:
            with contextlib.suppress(FileNotFoundError):
                if path.is_dir() and not path.is_symlink():
                    continue
                about = path.lstat()
                text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
                names = tuple(os.listxattr(path, follow_symlinks=False))
                state[path] = (about.st_mode, about.st_mtime_ns, about.st_nlink, text, names)
        state["limit"] = resource.prlimit(self.other.pid, resource.RLIMIT_NOFILE)
        state["nice"] = os.getpriority(os.PRIO_PROCESS, self.other.pid)
        state["processors"] = os.sched_getaffinity(self.other.pid)
        return state

    def harm(self, reply: str) -> list[str]:
        """What an attack that replied so has done; empty if nothing."""
        found = ["it knows the secret"] if self.secret in reply else []
        found += [reply] if HARM in reply else []
        if self.other.poll() is not None:
            return [*found, "another process was ended"]
        now = self._state()
        for key in {*self.before, *now}:
            if self.before.get(key) != now.get(key):
                found.append(f"changed: {key}")
        if select.select(self.doors, [], [], 0)[0]:
            found.append("somebody called")
        return found
