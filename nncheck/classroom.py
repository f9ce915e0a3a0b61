"""The commands for whoever grades a class: grade, export, mark, explain, prove."""

import argparse
import sys
from pathlib import Path

from nncheck import confine, dispute, exercise, export, grade, register, rejudge
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

after a mended check file, for everybody and first without writing anything:
  nncheck grade --only 22:mul --compare --gradebook class.db
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

MARK_HELP = """\
Decides on the points of one answer by hand. The decision is added to the gradebook, with its reason
and its date, and wins over whatever is computed, until the answer is marked anew.

examples:
  nncheck mark ada 22:mul 1.5 --because "right but for the name"
  nncheck mark ada 22:mul 3 --because "also proved it" --beyond
  nncheck mark ada 22:mul computed --because "it was Bob's"
"""
EXPLAIN_HELP = """\
Runs one learner's answer again as it was graded: the code in the gradebook, behind the same fences,
on the same data. Shows each probe's call, what came and what was expected. For the teacher only.

example:
  nncheck explain ada 22:mul
"""
PROVE_HELP = """\
Tries every gate on an exercise folder of your own, over twenty draws of the data, and says for each
question what holds: a blank earns nothing, nor does an empty reply; each wrong answer fails under
its own name; small changes to your solution are caught; nothing of it stands in the exercise.

The folder holds checks/NN_name.py and solutions/NN_name.ipynb. This writes the notebook that
learners get, and tries the gates:
  nncheck build --exercises FOLDER
  nncheck prove FOLDER
and then:
  nncheck grade submitted --exercises FOLDER
"""
PROVE_EXIT = """\
exit code: 0 if everything holds, 1 if something does not, 2 for a mistake in the command itself.
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
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        help="a folder per learner; --compare reads none",
    )
    _gradebook(made)
    made.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default: 2)")
    made.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="instead, grade on the workers of a Dask cluster, such as tcp://scheduler:8786",
    )
    made.add_argument("--only", metavar="EXERCISE", default="", help="one exercise")
    anew = made.add_mutually_exclusive_group()
    anew.add_argument(
        "--again", action="store_true", help="also what was graded with another check file"
    )
    anew.add_argument(
        "--compare",
        action="store_true",
        help="judge --only EXERCISE:QUESTION anew from the gradebook; show old and new, then ask",
    )
    made.add_argument("--yes", action="store_true", help="--compare does not ask")
    made.add_argument(
        "--attempt",
        choices=["latest", "best"],
        help="which attempt of each learner --compare judges (default: latest)",
    )
    made.add_argument(
        "--require",
        metavar="LIST",
        default="",
        help=f"grade nothing unless these hold: {','.join(confine.GUARANTEES)}",
    )
    _add_export(command)
    _add_disputes(command)


def _add_export(command):
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


def _points(text):
    try:
        return None if text == "computed" else float(text)
    except ValueError:
        wanted = f"a number, or the word computed; got {text!r}"
        raise argparse.ArgumentTypeError(wanted) from None


def _add_disputes(command):
    made = command(
        "mark", run_mark, "decide on one answer by hand (for teachers)", description=MARK_HELP
    )
    _answer(made)
    either = "a number, or the word computed: what was computed counts again"
    made.add_argument("points", metavar="POINTS", type=_points, help=either)
    made.add_argument("--because", metavar="TEXT", required=True, help="why; it is kept")
    made.add_argument("--beyond", action="store_true", help="also less than 0 or more than all")

    made = command(
        "explain",
        run_explain,
        "replay one answer, call by call (for teachers)",
        description=EXPLAIN_HELP,
    )
    _answer(made)
    _attempt(made, "which of the learner's attempts")

    made = command(
        "prove",
        run_prove,
        "try every gate on exercises of your own (for teachers)",
        description=PROVE_HELP,
        epilog=PROVE_EXIT,
    )
    made.add_argument("folder", metavar="FOLDER")
    made.add_argument("--only", metavar="EXERCISE", default="", help="one exercise")


def _answer(made):
    made.add_argument("student", metavar="STUDENT")
    made.add_argument("answer", metavar="EXERCISE:QUESTION", help="for example 22:mul")
    _gradebook(made)


def _attempt(made, what):
    made.add_argument(
        "--attempt",
        choices=["latest", "best"],
        default="latest",
        help=f"{what} (default: latest)",
    )


def _gradebook(made):
    made.add_argument(
        "--gradebook", metavar="FILE", type=Path, default=Path("class.db"), help="default: class.db"
    )


def run_grade(options) -> int:
    """Grade a class, with a bar, and say what came out."""
    if options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs}: one process is the least.")
    needs = _needs(options)
    if options.compare:
        return _compare(options, needs)
    if options.yes or options.attempt:
        raise ValueError(f"{'--yes' if options.yes else '--attempt'} is a part of --compare.")
    if options.folder is None:
        raise ValueError("Name the folder that holds the submissions: nncheck grade submitted")
    if ":" in options.only:
        raise ValueError(f"--only {options.only}: one question is judged anew with --compare.")
    with Gradebook(options.gradebook, create=True) as book, no_commands():
        executor, at_once = _executor(options)
        run = grade.Run(
            options.folder,
            book,
            executor,
            at_once=at_once,
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


def _executor(options):
    """Who grades, made anew each time it is asked for, and how many jobs it is given at once."""
    if not options.dask:
        return lambda: grade.processes(options.jobs), 2 * options.jobs
    cluster = grade.Cluster(options.dask)
    return lambda: cluster, 2 * len(cluster.workers)


def _needs(options):
    needs = tuple(filter(None, options.require.replace(" ", "").split(",")))
    unknown = [name for name in needs if name not in confine.GUARANTEES]
    if unknown:
        raise ValueError(
            f"--require {options.require}: there is no guarantee {', '.join(unknown)}; there are "
            f"{', '.join(confine.GUARANTEES)}."
        )
    return needs


def _compare(options, needs):
    name, question = dispute.split(options.only)
    with Gradebook(options.gradebook) as book, no_commands(), book.only_grader():
        executor, at_once = _executor(options)
        found = rejudge.compare(
            book,
            name,
            question,
            executor,
            at_once=at_once,
            needs=needs,
            attempt=options.attempt or "latest",
            bar=_bar,
        )
        print("\n".join(rejudge.table(found)))
        if found.changes:
            if options.yes or _agreed(f"Add {len(found.changes)} results to {options.gradebook}?"):
                rejudge.commit(book, found.changes)
                print(f"Added to {options.gradebook}: {len(found.changes)} results.")
            else:
                print("Nothing was written.")
    return 1 if found.failed else 0


def _agreed(asked):
    try:
        return input(f"{asked} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        raise ValueError(
            "Nobody is there to say yes; nothing was written. With --yes it is."
        ) from None


def run_mark(options) -> int:
    """Add a teacher's decision, and say what it changed."""
    with Gradebook(options.gradebook) as book, no_commands():
        print(
            dispute.mark(
                book,
                options.student,
                options.answer,
                options.points,
                options.because,
                options.beyond,
            )
        )
    return 0


def run_explain(options) -> int:
    """Replay one answer and show what happened."""
    with Gradebook(options.gradebook) as book, no_commands():
        for line in dispute.explain(book, options.student, options.answer, options.attempt):
            print(line)
    return 0


def run_prove(options) -> int:
    """Try every gate on a folder, and say what holds."""
    from nncheck.prove import folder

    last, failing = None, 0
    for finding in folder.prove(exercise.home_in(options.folder), options.only):
        print("\n".join(folder.said(finding, last)), flush=True)
        last, failing = finding, failing + bool(finding.problems)
    if last is None:
        raise FileNotFoundError(f"{options.folder} holds no check file checks/NN_name.py.")
    if failing:
        print(
            f"\nDoes not hold: {failing}. After a change to a solution: nncheck build "
            f"--exercises {options.folder}"
        )
    else:
        print("\nEverything holds.")
    return 1 if failing else 0


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
