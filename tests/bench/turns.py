"""Implementations that take turns, each in a process of its own."""

import json
import math
import os
import subprocess
import sys
from importlib.util import find_spec
from statistics import quantiles

from tests.bench.peers import PEERS
from tests.bench.results import ROOT

ROUNDS = 9
TOLERANCE = 1e-4  # relative, for each loss of five steps: float32, added up in other orders
KEPT = dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**30))  # glibc's


class Skipped(Exception):
    """Why there is nothing to compare."""


def absent() -> dict[str, str]:
    """The peers that are not installed here, and what each needs."""
    packages = {name: module.partition(".")[0] for name, (module, _) in PEERS.items()}
    return {name: package for name, package in packages.items() if not find_spec(package)}


def take_turns(workload: str, names: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds per step, and megabytes, by implementation. The second name is the reference.

    Raises:
        Skipped: nnlib or the reference is not there.
        SystemExit: two implementations do not compute the same.
    """
    missing = absent()
    for name in names[:2]:
        if name in missing:
            raise Skipped(f"{missing[name]} is not installed")
    workers = {name: start(workload, name) for name in names if name not in missing}
    try:
        ready = {name: read(worker) for name, worker in workers.items()}
        agree(workload, {name: answer["losses"] for name, answer in ready.items()}, names[1])
        turns = [{name: turn(worker) for name, worker in workers.items()} for _ in range(ROUNDS)]
    finally:
        for worker in workers.values():
            worker.communicate()  # it ends when there is nothing more to read
    seconds = {name: quantiles([t[name]["seconds"] for t in turns])[0] for name in workers}
    return seconds, {name: turns[-1][name]["megabytes"] for name in workers}


def start(workload: str, name: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.worker", workload, name],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (KEPT if name == "kept" else {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def turn(worker: subprocess.Popen) -> dict:
    worker.stdin.write("\n")
    worker.stdin.flush()
    return read(worker)


def read(worker: subprocess.Popen) -> dict:
    line = worker.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(worker.args[-2:])} has stopped; its message stands above.")
    return json.loads(line)


def agree(workload: str, losses: dict[str, list[float]], reference: str) -> None:
    """Stop if an implementation computes something else than the reference."""
    for name, found in losses.items():
        pairs = zip(found, losses[reference], strict=True)
        if not all(math.isclose(a, b, rel_tol=TOLERANCE) for a, b in pairs):
            raise SystemExit(
                f"{workload}: the losses of five steps must be those of {reference}, "
                f"{losses[reference]}; {name} has {found}."
            )
