"""The commands for whoever grades a class: grade."""

import sys
from pathlib import Path

from nncheck import confine, exercise, grade
from nncheck.gradebook import Gradebook
from nncheck.report import no_commands

SHOWN = 12  # lines about what could not be graded

GRADE_HELP = """\
Grades every notebook of a class, submitted/STUDENT/EXERCISE.ipynb, into a gradebook. What is graded
already is not graded again: after a pause, a crash or a late submission, run the same command once
more.

examples:
  nncheck grade submitted --gradebook class.db
  nncheck grade submitted --gradebook class.db --only 22
  nncheck grade submitted --gradebook class.db --require fs,net,proc,mem
  nncheck grade submitted --gradebook class.db --dask tcp://scheduler:8786
"""
GRADE_EXIT = """\
exit code: 0 if everything was graded, whatever the scores; 1 if something could not be; 2 for a
mistake in the command itself, or if a guarantee of --require is missing (then nothing has run).
"""


def add_commands(command):
    """Add what can be typed after `nncheck`; `command(name, run, help, ...)` adds one."""
    made = command(
        "grade",
        run_grade,
        "grade a class into a gradebook (for teachers)",
        description=GRADE_HELP,
        epilog=GRADE_EXIT,
    )
    made.add_argument(
        "folder", metavar="FOLDER", type=Path, help="submitted/, a folder per learner"
    )
    _gradebook(made)
    made.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default: 2)")
    made.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="instead, grade on the workers of a Dask cluster, such as tcp://scheduler:8786",
    )
    made.add_argument("--only", metavar="EXERCISE", default="", help="one exercise")
    made.add_argument(
        "--again", action="store_true", help="also what was graded with another check file"
    )
    made.add_argument(
        "--require",
        metavar="LIST",
        default="",
        help=f"grade nothing unless these hold: {','.join(confine.GUARANTEES)}",
    )


def _gradebook(made):
    made.add_argument(
        "--gradebook", metavar="FILE", type=Path, default=Path("class.db"), help="default: class.db"
    )


def run_grade(options) -> int:
    """Grade a class, with a bar, and say what came out."""
    if options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs}: one process is the least.")
    needs = tuple(filter(None, options.require.replace(" ", "").split(",")))
    unknown = [name for name in needs if name not in confine.GUARANTEES]
    if unknown:
        raise ValueError(
            f"--require {options.require}: there is no guarantee {', '.join(unknown)}; there are "
            f"{', '.join(confine.GUARANTEES)}."
        )
    with Gradebook(options.gradebook, create=True) as book, no_commands():
        cluster = grade.Cluster(options.dask) if options.dask else None
        run = grade.Run(
            options.folder,
            book,
            lambda: cluster or grade.processes(options.jobs),
            at_once=2 * (len(cluster.workers) if cluster else options.jobs),
            only=exercise.find(options.only) if options.only else "",
            again=options.again,
            needs=needs,
            bar=_bar,
        )
        try:
            tally = run.grade()
        except KeyboardInterrupt:
            print(
                f"Stopped. {len(run.tally.graded)} results are in {options.gradebook}; the same "
                "command goes on from here.",
                file=sys.stderr,
            )
            return 130
        print("\n".join(_said(tally, options.gradebook)))
    return 1 if tally.refused or tally.troubled else 0


def _bar(total):
    from tqdm import tqdm

    bar = tqdm(total=total, unit="notebook", disable=None if total else True, file=sys.stderr)

    def step():
        bar.update()
        if bar.n == total:
            bar.close()

    return step


def _said(tally, gradebook):
    """What a run came to, a line each."""
    by_exercise: dict[str, list] = {}
    for _, name, result in tally.graded:
        by_exercise.setdefault(name, []).append(result)
    for name, results in sorted(by_exercise.items()):
        mean = sum(r.points for r in results) / len(results)
        said = (
            f"{name}: {len(results)} graded, {mean:.1f} of {results[0].worth:g} points on average"
        )
        kinds = [r.outcome for r in results if r.outcome != "graded"]
        kinds = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
        yield f"{said} ({', '.join(kinds)})" if kinds else said
    if tally.known:
        yield f"Graded before and unchanged: {tally.known}."
    if tally.outdated:
        names = ", ".join(sorted({name for _, name in tally.outdated}))
        yield (
            f"Graded with an older check file: {len(tally.outdated)} (of {names}). To grade them "
            "anew: --again"
        )
    troubled = [
        f"{r.outcome}: {student}, {name}: {r.reason}" for student, name, r in tally.troubled
    ]
    refused = [f"not graded: {refused.file}: {refused.reason}" for refused in tally.refused]
    for lines in (troubled, refused):
        yield from sorted(lines)[:SHOWN]
        if len(lines) > SHOWN:
            yield f"... and {len(lines) - SHOWN} more."
    if not (tally.graded or tally.known or tally.outdated or tally.refused):
        yield "There is nothing to grade in this folder."
    yield f"All results are in {gradebook}."
