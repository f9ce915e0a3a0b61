"""The commands for whoever grades a class: grade, export."""

import sys
from pathlib import Path

from nncheck import confine, exercise, export, grade, register
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
"""
GRADE_EXIT = """\
exit code: 0 if everything was graded, whatever the scores; 1 if something could not be; 2 for a
mistake in the command itself, or if a guarantee of --require is missing (then nothing has run).
"""
EXPORT_HELP = """\
Writes what counts now, marks included, into a folder: grades.csv (nbgrader's columns), wide.csv,
junit.xml, class.html (a report on the class), feedback/ (a page for each learner, which shows no
hidden data) and code/ (what was handed in as plain Python, for a similarity tool).

examples:
  nncheck export out --gradebook class.db
  nncheck export out --gradebook class.db --roster roster.csv --attempt best
  nncheck export out --gradebook class.db --only 22 --forms csv,feedback
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

    made = command(
        "export",
        run_export,
        "write grades, reports and feedback from a gradebook (for teachers)",
        description=EXPORT_HELP,
    )
    made.add_argument("folder", metavar="FOLDER", type=Path, help="where to write; made if need be")
    _gradebook(made)
    made.add_argument(
        "--attempt",
        choices=("latest", "best"),
        default="latest",
        help="which attempt of each learner counts (default: latest)",
    )
    made.add_argument(
        "--roster",
        metavar="FILE",
        type=Path,
        help="CSV with student_id,last_name,first_name,email: who is in the class",
    )
    made.add_argument("--only", metavar="EXERCISE", default="", help="one exercise")
    made.add_argument(
        "--forms",
        metavar="LIST",
        default=",".join(export.FORMS),
        help="what to write (default: all): %(default)s",
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
        run = grade.Run(
            options.folder,
            book,
            lambda: grade.processes(options.jobs),
            at_once=2 * options.jobs,
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


def run_export(options) -> int:
    """Write grades, reports and feedback, and say what was written."""
    forms = list(filter(None, options.forms.replace(" ", "").split(",")))
    unknown = [name for name in forms if name not in export.FORMS]
    if unknown or not forms:
        raise ValueError(
            f"--forms {options.forms}: there is no form {', '.join(unknown) or 'in it'}; there are "
            f"{', '.join(export.FORMS)}."
        )
    only = exercise.find(options.only) if options.only else ""
    with Gradebook(options.gradebook) as book:
        found = register.read(book, options.attempt, only, options.roster, _late_bar)
        export.write(options.folder, book, found, forms, _late_bar)
    print(
        f"{len(found.learners)} learners, {len(found.worth)} exercises; the {options.attempt} "
        f"attempt of each counts. Written into {options.folder}:"
    )
    print("\n".join(f"  {files}" for form, files in export.FORMS.items() if form in forms))
    if found.unlisted:
        print(f"Not on the roster: {', '.join(found.unlisted)}.")
    return 0


def _late_bar(total):
    return _bar(total, unit="", delay=1)


def _bar(total, unit="notebook", delay=0):
    from tqdm import tqdm

    off = None if total else True
    bar = tqdm(total=total, unit=unit, delay=delay, disable=off, file=sys.stderr)

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
