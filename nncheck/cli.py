"""The command `nncheck`: start and update a working copy, check answers, see your progress."""

import argparse
import os
import shutil
import sys
from datetime import date
from pathlib import Path

from nncheck import checkup, classroom, exercise, progress, report

CHECK_HELP = """\
Runs the answers of exercise notebooks in a process of their own and says, question by question,
what is right, which mistake was made, or what to do. Nothing in the notebooks is changed.

examples:
  nncheck check                     the working copy you are in (else the course's own exercises)
  nncheck check 22                  one exercise, by number or name
  nncheck check my-course           a folder
  nncheck check exercises/22_autograd.ipynb
"""
CHECK_EXIT = """\
exit code: 0 if no question that you have started is wrong (an untouched one counts as 0 points and
fails nothing); 1 if a started question does not pass, if one that had passed does not any more, or
if one that --require asks for has not passed; 2 for a mistake in the command itself.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    options = parser().parse_args(arguments)
    if options.exercises:
        os.environ["NNCHECK_EXERCISES"] = options.exercises
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("nncheck: stopped.", file=sys.stderr)
        return 130
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        said = error.args[0] if isinstance(error, LookupError) and error.args else error
        print(f"nncheck: {said}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """What can be typed after `nncheck`."""
    top = argparse.ArgumentParser(
        prog="nncheck",
        description="Check your answers, and keep your working copy of the course.",
    )
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--exercises", metavar="FOLDER", help="take exercises and checks from this folder"
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name, run, help, **more):
        made = commands.add_parser(
            name,
            parents=[where],
            help=help,
            description=more.pop("description", help[0].upper() + help[1:] + "."),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **more,
        )
        made.set_defaults(run=run)
        return made

    made = command("start", start, "write a working copy of the course, and open it")
    made.add_argument("folder", metavar="FOLDER", help="a new folder, for example my-course")
    made.add_argument("--open", action="store_true", help="open JupyterLab on it")

    made = command("update", update, "bring a working copy up to date; your work stays")
    made.add_argument("folder", nargs="?", help="the working copy (default: the one you are in)")

    made = command("check", check, "check your answers", description=CHECK_HELP, epilog=CHECK_EXIT)
    made.add_argument("what", nargs="*", metavar="NAME or PATH", help="exercise, notebook, folder")
    made.add_argument(
        "--ci", action="store_true", help="for a workflow: no progress bar, nothing recorded"
    )
    made.add_argument("--require", metavar="11-15", help="exercises that must have passed by now")
    made.add_argument("--junit", metavar="FILE", type=Path, help="also write JUnit XML")

    made = command("progress", show_progress, "what has passed, how often you tried and predicted")
    made.add_argument("folder", nargs="?", help="the working copy (default: the one you are in)")

    made = command(
        "review", review, "what you have missed and is due today: five minutes, from memory"
    )
    made.add_argument("folder", nargs="?", help="the working copy (default: the one you are in)")

    made = command("mine", mine, "write what you have built into my_nn.py, one file of Python")
    made.add_argument("folder", nargs="?", help="the working copy (default: the one you are in)")

    classroom.add_commands(command)

    made = command(
        "doctor",
        doctor,
        "which guarantees hold on this machine when answers are checked (for teachers)",
        epilog="exit code: 0 if every guarantee holds, 1 if one is missing",
    )

    made = command("build", build, "write exercises/ from solutions/ (for authors)")
    made.add_argument("--check", action="store_true", help="write nothing; say what differs")

    made = command("notebooks", notebooks, "run lessons and solutions, and save them (for authors)")
    made.add_argument(
        "paths", nargs="*", metavar="PATH", help="notebooks or folders (default: all)"
    )
    made.add_argument("--check", action="store_true", help="write nothing; say what differs")
    return top


# --------------------------------------------------------------------------- commands


def start(options) -> int:
    from nncheck import workcopy

    return workcopy.start(options.folder, open=options.open)


def update(options) -> int:
    from nncheck import workcopy

    return workcopy.update(options.folder or _working_copy("update"))


def build(options) -> int:
    from nncheck import build

    said = build.build(exercise.home(), check=options.check)
    print("\n".join(said) or "Every exercise is as its solution makes it.")
    return 1 if options.check and said else 0


def doctor(options) -> int:
    from nncheck import doctor

    return doctor.report()


def notebooks(options) -> int:
    from nncheck import hygiene

    return hygiene.refresh(options.paths, check=options.check)


def check(options) -> int:
    due = checkup.required(options.require) if options.require else set()
    targets = checkup.targets(options.what)
    width = shutil.get_terminal_size((100, 24)).columns
    sheets = []
    with report.no_commands():
        for path, name in _with_bar(targets, hidden=options.ci):
            sheets.append(checkup.check(path, name, record=not options.ci))
            print(report.table(sheets[-1:], width), end="\n\n", flush=True)
    print(report.summary(sheets))
    failing = [f"{s.exercise}: {v.question}" for s in sheets for v in s.verdicts if s.fails(v)]
    if failing:
        print(f"Started and not right: {', '.join(failing)}.")
    missed = _missed(due, sheets)
    if missed:
        print(f"Required and not passed: {', '.join(missed)}.")
    if options.junit:
        report.junit(sheets, options.junit)
    report.on_github(sheets)
    return 1 if failing or missed else 0


def _missed(due, sheets):
    """What --require asks for and has not passed."""
    there = {s.exercise[:2] for s in sheets}
    absent = [n for n in exercise.names() if n[:2] in due and n[:2] not in there]
    unpassed = [
        f"{s.exercise}: {v.question}"
        for s in sheets
        for v in s.verdicts
        if s.exercise[:2] in due and not v.passed and v.question not in s.changed
    ]
    return [f"{name} (no notebook)" for name in absent] + unpassed


def _with_bar(targets, hidden):
    if hidden or len(targets) < 4:
        return targets
    from tqdm import tqdm

    return tqdm(targets, unit="notebook", leave=False, disable=None, file=sys.stderr)


def show_progress(options) -> int:
    folder = Path(options.folder or ".")
    record = progress.find(folder) if folder.is_dir() else None
    if record is None:
        raise FileNotFoundError(
            f"{folder} is no working copy: there is no progress.jsonl in it or above. Go to the "
            "folder that `nncheck start` wrote, or name it: nncheck progress my-course"
        )
    events, note = progress.read(record)
    print(report.progress_table(events))
    if note:
        print(note)
    return 0


def review(options) -> int:
    from nncheck import review

    folder = Path(options.folder) if options.folder else _working_copy("review")
    if not (folder / progress.FILE).is_file():
        raise FileNotFoundError(f"{folder} is no working copy: it has no {progress.FILE}.")
    review.run(folder, date.today(), input if sys.stdin.isatty() else None)
    return 0


def mine(options) -> int:
    from nncheck import mine

    folder = Path(options.folder or _working_copy("mine"))
    lessons, said = mine.write(folder, _with_bar(checkup.targets([str(folder)]), hidden=False))
    print(f"{mine.table(lessons)}\n\n{said}")
    return 0


def _working_copy(command: str) -> Path:
    record = progress.find()
    if record is None:
        raise FileNotFoundError(
            "This is no working copy. Go to the folder that `nncheck start` wrote, or name it: "
            f"nncheck {command} my-course"
        )
    return record.parent
