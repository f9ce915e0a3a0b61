"""What a teacher takes out of a gradebook: grades, reports, feedback, the code."""

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nncheck import classreport, feedback, report
from nncheck.gradebook import Gradebook
from nncheck.intake import STUDENT
from nncheck.notebooks import write_text
from nncheck.register import Register
from nncheck.submission import restored
from nncheck.wire import clean
from nncheck.worker import without_magics

WHO = ("student_id", "last_name", "first_name", "email")
NBGRADER = ("assignment", "duedate", "timestamp", *WHO)
NBGRADER += ("raw_score", "late_submission_penalty", "score", "max_score")
FORMULA = tuple("=+-@\t\r＝＋－＠")  # a spreadsheet runs a cell that begins with one of these
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\s*(\..*)?", re.IGNORECASE)  # on Windows
LONGEST_CELL = 200_000  # nobody writes more, and reading it as Python takes gigabytes
LONGEST = 120  # bytes of a file's name, so that an ending still fits


def grades(register: Register) -> str:
    """nbgrader's table: a line for each learner and exercise, 0 for what was not handed in."""
    rows = []
    for name in register.worth:
        for learner in register.learners:
            entry = register.entries.get((learner.student_id, name))
            worth, points, when = register.worth[name], 0.0, ""
            if entry:
                s = entry.standing
                worth, points, when = s.worth, s.points, s.handed_in
            who = [getattr(learner, n) for n in WHO]
            rows.append([name, "", when, *who, points, 0.0, points, worth])
    return _csv(NBGRADER, rows)


def wide(register: Register) -> str:
    """A line for each learner, a column for each exercise, and the total."""
    rows = []
    for learner in register.learners:
        points = [e.standing.points if e else 0.0 for _, _, e in register.of(learner)]
        rows.append([*(getattr(learner, n) for n in WHO), *points, sum(points)])
    return _csv([*WHO, *register.worth, "total"], rows)


def _csv(head, rows: Iterable[Sequence[str | float]]) -> str:
    file = io.StringIO()
    table = csv.writer(file)  # as RFC 4180 has it
    table.writerow(head)
    table.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value):
    if isinstance(value, str):
        value = clean(value)
        return f"'{value}" if value.startswith(FORMULA) else value
    return f"{round(value, 6):.15g}"


def cases(register: Register):
    """(name, file, cases) for JUnit: a suite for each notebook, a case for each question."""
    for entry in register.entries.values():
        s = entry.standing
        yield f"{s.exercise}: {s.student}", s.file, [_case(item) for item in entry.items]


def _case(item):
    a = item.answer
    if a.marked:
        kind, words = "" if item.full else "failure", f"Marked {a.points:g}: {clean(a.marked)}"
    elif a.status == "passed":
        kind, words = "", ""
    else:
        kind = {"failed": "failure", "missing": "failure", "error": "error"}.get(
            a.status, "skipped"
        )
        hint = f" Hint: {item.hints[0]}" if item.hints and kind == "failure" else ""
        words = f"{item.told}{hint}"
    return report.Case(a.question, kind, a.name, words.replace("`", ""))


def code(cells: Iterable[dict]) -> str:
    """The cells of a notebook that a check runs, as one Python file."""
    sources = [clean(_plain(cell.source)).strip() for cell in restored(cells) if cell.runs]
    return "\n\n\n".join(filter(None, sources)) + "\n"


def _plain(source):
    return without_magics(source) if len(source) <= LONGEST_CELL else source


# ------------------------------------------------------------------------------- files


def file_names(students: Iterable[str]) -> dict[str, str]:
    """A file name for each learner that is safe everywhere, and nobody else's.

    >>> file_names(["ada", "Bob", "bob", "con"])
    {'ada': 'ada', 'Bob': 'Bob~cd9fb1e1', 'bob': 'bob~81b637d8', 'con': 'con~1143da2b'}
    """
    students = list(students)
    often = Counter(map(_folded, students))  # two that differ in case are one file on Windows
    return {s: s if often[_folded(s)] == 1 and _is_plain(s) else _hashed(s) for s in students}


def _folded(student):
    return unicodedata.normalize("NFC", student).casefold()


def _is_plain(student):
    if RESERVED.fullmatch(student) or student.endswith((" ", ".")):
        return False
    return STUDENT.fullmatch(student) is not None and len(student.encode()) <= LONGEST


def _hashed(student):
    """With a ~, which no learner's folder has in its name: so it is nobody else's."""
    kept = re.sub(r"[^\w ,@+()'-]", "_", student).encode()[: LONGEST - 20].decode(errors="ignore")
    return f"{kept}~{hashlib.sha256(student.encode()).hexdigest()[:8]}"


FORMS = {
    "csv": "grades.csv, wide.csv",
    "junit": "junit.xml",
    "class": "class.html",
    "feedback": "feedback/LEARNER.html, feedback/LEARNER.md",
    "code": "code/LEARNER/EXERCISE.py",
}


def write(
    folder: Path,
    book: Gradebook,
    register: Register,
    forms: Iterable[str] = FORMS,
    bar: Callable[[int], Callable[[], object]] = lambda total: lambda: None,
):
    """Write these forms into a folder; `bar(total)` gives what is called for each learner."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file. Name a folder; it is made if need be.")
    if "csv" in forms:
        write_text(folder / "grades.csv", grades(register))
        write_text(folder / "wide.csv", wide(register))
    if "junit" in forms:
        report.write_junit(cases(register), folder / "junit.xml")
    if "class" in forms:
        write_text(folder / "class.html", classreport.html(register))
    step = bar(len(register.learners))
    names = file_names(learner.student_id for learner in register.learners)
    for learner in register.learners:
        name = names[learner.student_id]
        if "feedback" in forms:
            write_text(folder / "feedback" / f"{name}.html", feedback.html(register, learner))
            write_text(folder / "feedback" / f"{name}.md", feedback.markdown(register, learner))
        if "code" in forms:
            for what, _, entry in register.of(learner):
                cells = book.result(entry.standing.submission).cells if entry else None
                if cells is not None:
                    write_text(folder / "code" / name / f"{what}.py", code(cells))
        step()
