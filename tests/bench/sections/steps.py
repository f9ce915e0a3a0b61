"""Training steps: the time and memory of nnlib, torch and other libraries, side by side."""

from tests.bench import moons
from tests.bench.peers import PEERS
from tests.bench.picture import draw
from tests.bench.results import Measured
from tests.bench.table import markdown, short
from tests.bench.turns import ROUNDS, TOLERANCE, Skipped, absent, take_turns
from tests.bench.workloads import WORKLOADS

TITLE = "Training steps"
LARGE = 20  # MB; below, memory depends on chance too much to be compared from run to run
GOALS = f"""\
A step is forward, backward and Adam, in float32 (moons: forward, backward and descent). Each
implementation has a process of its own with one thread, and they take turns. Time is CPU time, user
and system, the lower quartile of {ROUNDS} turns. First, the losses of five steps from the same
weights must be the reference's, to a share of {TOLERANCE:g}. Below: nnlib's time as a share of the
reference's, and the share that is the goal."""
OTHERS = """\
Time as a multiple of nnlib's: above 1 is slower than nnlib. `kept` is nnlib in a process that keeps
freed memory for later (glibc: MALLOC_TRIM_THRESHOLD_), where others ask the system for it again and
again. `composed` is nnlib on the path that learners build: `x @ W.T + b`, softmax of exp and log, a
neuron's sum of two numbers at a time."""
MEMORY = """\
Peak memory in MB, beyond what the process held after its imports and a first step of one neuron."""


def names() -> list[str]:
    return [*WORKLOADS, *moons.WORKLOADS]


def measure(chosen: list[str]) -> Measured:
    goals, times, memory, figures = [], {}, [], {}
    for name in chosen:
        workload = (WORKLOADS | moons.WORKLOADS)[name]
        reference, goal = workload.reference, workload.goal
        try:
            seconds, megabytes = take_turns(name, ["nnlib", reference, *workload.peers])
        except Skipped as why:
            ratio, verdict = "", str(why)
            print(f"{name}: {verdict}")
        else:
            ratio = seconds["nnlib"] / seconds[reference]
            verdict = "met" if ratio <= goal else "**missed**"
            figures[f"{name}: nnlib / {reference}"] = ratio
            times[name] = {k: s / seconds["nnlib"] for k, s in seconds.items() if k != "nnlib"}
            print(f"{name}: {short(ratio)} of {reference}'s time, goal {short(goal)}: {verdict}")
            both = {k: megabytes[k] for k in ("nnlib", reference)}
            share = both["nnlib"] / both[reference]
            memory.append({"workload": name} | both | {f"nnlib / {reference}": share})
            if both["nnlib"] > LARGE:
                figures[f"{name}: memory, nnlib / {reference}"] = share
        row = {"reference": reference, "goal": goal, "nnlib": ratio, "": verdict}
        goals.append({"workload": name, "what": workload.what} | row)

    lines, files = [GOALS, "", *markdown(goals)], {}
    if times:
        drawn = draw(times, {row["workload"]: 1 / row["goal"] for row in goals})
        files["results.png"] = drawn.png
        columns = [peer for peer in PEERS if any(peer in row for row in times.values())]
        rows = [
            {"workload": name} | {peer: row.get(peer, "") for peer in columns}
            for name, row in times.items()
        ]
        lines += ["", f"![{drawn.alt}](results.png)", "", OTHERS, "", *markdown(rows)]
        lines += ["", MEMORY, "", *markdown(memory)]
    if absent():
        lines += ["", f"Not installed, so left out: {', '.join(absent())}."]
    return Measured(lines, figures, files)
