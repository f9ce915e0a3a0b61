"""One picture: how many times as long as nnlib the others take for a step."""

from collections.abc import Mapping

from nnlib.show.picture import PAPER, Picture, figure, style
from nnlib.show.plots import GRAD, INK, POSITIVE, QUIET, RUNNERS, VALUE

XLABEL = """\
time for a step, as a multiple of nnlib's
The bar is the goal: torch (moons: micrograd) should stand on it or to its right."""
MARKS = {  # in the order of lanes; torch and micrograd, who are never in one row, have the first
    "torch": (VALUE, "o"),
    "kept": (INK, "v"),
    "autograd": (GRAD, "s"),
    "mygrad": (RUNNERS[2], "^"),
    "scikit-learn": (POSITIVE, "D"),
    "composed": (QUIET, "X"),
    "micrograd": (RUNNERS[3], "P"),
}


@style()
def draw(times: Mapping[str, Mapping[str, float]], goals: Mapping[str, float]) -> Picture:
    """A row for each workload, a mark for each implementation, and a bar where the goal is.

    Args:
        times: by workload and implementation, its time as a multiple of nnlib's.
        goals: by workload, the multiple that its reference should reach.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    fig = Figure((7.2, 1.8 + 0.4 * len(times)), layout="constrained")
    ax = fig.add_subplot(xscale="log", ylim=(len(times) - 0.5, -0.5), xlabel=XLABEL)
    ax.axvline(1, color=INK, linewidth=1)
    bars = [goals[name] for name in times], range(len(times))
    ax.plot(*bars, "|", color=INK, markersize=22, markeredgewidth=2)
    for lane, (peer, (color, marker)) in enumerate(MARKS.items()):
        points = [  # a little above or below the line, so that equal times stay apart
            (row[peer], i + 0.09 * (lane % 6 - 2.5))
            for i, row in enumerate(times.values())
            if peer in row
        ]
        if points:
            look = {"color": color, "markersize": 8, "markeredgecolor": PAPER}
            ax.plot(*zip(*points, strict=True), marker, label=peer, **look)
    ax.set_yticks(range(len(times)), list(times))
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(LogLocator(subs=()))
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}×")
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    fig.legend(loc="outside upper left", ncols=4, columnspacing=1.2, handletextpad=0.1)
    words = [
        f"{name}: " + ", ".join(f"{peer} {x:.2g}" for peer, x in row.items())
        for name, row in times.items()
    ]
    return figure(fig, alt=f"Time for a step as a multiple of nnlib's. {'; '.join(words)}.")
