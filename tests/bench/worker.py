"""One implementation of one workload, in a process of its own. It steps when it is told to.

It writes one line of JSON when it is ready (the losses of five steps), and one for each line that
it reads: CPU seconds per step, and the memory it needed so far, beyond what importing took.
"""

import gc
import importlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.bench.peers import PEERS
from tests.bench.workloads import first_step

ROUND = 0.15  # CPU seconds, about, in one turn


def main(name: str, implementation: str) -> None:
    module, make = PEERS[implementation]
    lib = importlib.import_module(module)
    if module in ("nnlib", "torch"):
        first_step(lib)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    base = megabytes("VmRSS")
    step = make(name)
    if name.endswith("nogc"):
        gc.disable()
    say(losses=[step() for _ in range(5)])
    seconds(step, 2)
    n = max(1, round(ROUND / seconds(step, 1)))
    for _ in sys.stdin:
        if not gc.isenabled():
            gc.collect()
        say(seconds=seconds(step, n), megabytes=megabytes("VmHWM") - base)


def seconds(step, n: int) -> float:
    """CPU time per step, that of the process and of the system for it."""
    start = time.process_time()
    for _ in range(n):
        step()
    return (time.process_time() - start) / n


def megabytes(what: str) -> float:
    """Memory in use (VmRSS) or its peak (VmHWM); nan where the system does not say."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
    return float("nan")


def say(**what) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
