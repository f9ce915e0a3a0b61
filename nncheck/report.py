"""Results in the forms that people and machines read: a table, Markdown, JUnit XML."""

import contextlib
import os
import re
import secrets
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from nncheck import exercise, progress
from nncheck.checkup import Sheet
from nncheck.diagnose import Verdict
from nncheck.notebooks import write_text
from nncheck.wire import clean

SHOWS_VALUES = ("value", "nan", "inf", "length", "type", "dtype", "shape")


def table(sheets: Iterable[Sheet], width: int = 100) -> str:
    """A plain table per exercise: question, points, status, and what to do."""
    return "\n\n".join(_one(sheet, width) for sheet in sheets)


def _one(sheet, width):
    longest = max(len(v.question) for v in sheet.verdicts)
    lines = [f"{sheet.exercise}: {sheet.points:g} of {sheet.worth:g} points"]
    for v in sheet.verdicts:
        points = f"{v.points:g}/{v.worth:g}"
        head = f"  {v.question:<{longest}}  {points:>5}  {v.status:<8}"
        text = _told(sheet, v)
        body = textwrap.wrap(text, max(width - len(head) - 2, 30)) or [""]
        lines.append(f"{head}  {body[0]}".rstrip())
        lines += [" " * (len(head) + 2) + line for line in body[1:]]
    return "\n".join(lines)


def _told(sheet: Sheet, v: Verdict) -> str:
    if v.passed:
        return ""
    text = f"{v.name}: {v.message}" if v.mistake else v.message
    if v.status == "not done":  # what to do is the same for each
        text = text.split(". ")[0] + "."
    if v.question in sheet.changed:
        text = f"The check has changed since this passed. {text}"
    elif v.question in sheet.broken:
        text = f"This has passed before. {text}"
    return " ".join(f"{text} {v.detail}".replace("`", "").split())


def summary(sheets: list[Sheet]) -> str:
    """One line for all: points, and how many questions of each status."""
    verdicts = [v for s in sheets for v in s.verdicts]
    counts = [
        f"{sum(v.status == status for v in verdicts)} {status}"
        for status in dict.fromkeys(v.status for v in verdicts)
    ]
    points, worth = sum(s.points for s in sheets), sum(s.worth for s in sheets)
    return f"{points:g} of {worth:g} points; questions: {', '.join(counts)}."


def markdown(sheets: Iterable[Sheet]) -> str:
    """A table for a GitHub step summary."""
    lines = ["| exercise | question | points | status | what to do |", "|---|---|---|---|---|"]
    for sheet in sheets:
        for v in sheet.verdicts:
            cells = (sheet.exercise, v.question, f"{v.points:g}/{v.worth:g}", v.status)
            lines.append(f"| {' | '.join(cells)} | {escaped(_told(sheet, v))} |")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Plain words in Markdown, without what would be markup."""
    return re.sub(r"([\\|<>*_\[\]#&!])", r"\\\1", text)


def annotations(sheets: Iterable[Sheet]) -> list[str]:
    """GitHub workflow commands: one for each question that makes the check fail."""
    found = []
    for sheet in sheets:
        for v in sheet.verdicts:
            if sheet.fails(v):
                file, title = (
                    _property(str(sheet.path)),
                    _property(f"{sheet.exercise}: {v.question}"),
                )
                found.append(f"::error file={file},title={title}::{_data(_told(sheet, v))}")
    return found


def _data(text):
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text):
    return _data(text).replace(":", "%3A").replace(",", "%2C")


@contextlib.contextmanager
def no_commands():
    """On GitHub, nothing printed here is taken as a workflow command: it quotes learners' code."""
    word = secrets.token_hex(16) if os.environ.get("GITHUB_ACTIONS") else ""
    if word:
        print(f"::stop-commands::{word}")
    try:
        yield
    finally:
        if word:
            print(f"::{word}::")


def on_github(sheets: list[Sheet]):
    """Write the step summary and print annotations, where GitHub runs us."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        with open(place, "a", encoding="utf-8") as file:
            file.write(f"### nncheck: {summary(sheets)}\n\n{markdown(sheets)}")
    if os.environ.get("GITHUB_ACTIONS"):
        for line in annotations(sheets):
            print(line)


@dataclass(frozen=True)
class Case:
    """One question in a JUnit file; `kind` is "", "failure", "error" or "skipped"."""

    name: str
    kind: str
    type: str
    message: str


def junit(sheets: Iterable[Sheet], path: Path):
    """A suite per notebook, a case per question. No value of a hidden probe stands in it."""
    write_junit(
        (
            (
                sheet.exercise,
                str(sheet.path),
                [Case(v.question, _outcome(sheet, v), v.name, _gist(v)) for v in sheet.verdicts],
            )
            for sheet in sheets
        ),
        path,
    )


def write_junit(suites: Iterable[tuple[str, str, list[Case]]], path: Path):
    """Write JUnit XML from suites: (name, file, cases)."""
    root = ElementTree.Element("testsuites", name="nncheck")
    for name, file, cases in suites:
        kinds = [case.kind for case in cases]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=name,
            file=clean(file),
            tests=str(len(kinds)),
            failures=str(kinds.count("failure")),
            errors=str(kinds.count("error")),
            skipped=str(kinds.count("skipped")),
        )
        for case in cases:
            told = ElementTree.SubElement(suite, "testcase", classname=name, name=case.name)
            if case.kind:
                said = ElementTree.SubElement(told, case.kind, message=case.message)
                if case.kind != "skipped":
                    said.set("type", case.type)
    ElementTree.indent(root)
    write_text(path, ElementTree.tostring(root, "utf-8", xml_declaration=True).decode())


def _outcome(sheet, v):
    if v.passed:
        return ""
    if not sheet.fails(v):
        return "skipped"
    return "error" if v.status == "error" else "failure"


def _gist(v: Verdict) -> str:
    """A verdict's words without a probe's data or the expected result."""
    if v.status == "failed" and not v.mistake and v.name in SHOWS_VALUES:
        return "The result is not right yet; the check in the notebook shows where."
    return clean(v.message.replace("`", ""))


def progress_table(events: list[dict]) -> str:
    """What a record says, an exercise a line: passed, tries, predictions, mistakes met."""
    tried, predicted = progress.questions(events), progress.predictions(events)
    rows: list[tuple[str, ...]] = [("exercise", "passed", "tries", "predicted", "mistakes met")]
    shown: set[str] = set()
    for name in exercise.names():
        questions = exercise.load(name).questions
        mine = [r for q in questions if (r := tried.get((name, q)))]
        guesses = [p for key, p in predicted.items() if key.partition("/")[0] == name[:2]]
        shown |= {key for key in predicted if key.partition("/")[0] == name[:2]}
        passed = sum(r.passed for r in mine)
        helped = sum(r.passed and r.with_help for r in mine)
        rows.append(
            (
                name,
                f"{passed}/{len(questions)}" + (f" ({helped} with help)" if helped else ""),
                str(sum(r.tries for r in mine)),
                _predicted(guesses),
                ", ".join(dict.fromkeys(m for r in mine for m in r.mistakes)),
            )
        )
    rest = [p for key, p in predicted.items() if key not in shown]
    if rest:
        rows.append(("other lessons", "", "", _predicted(rest), ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    sure = progress.calibration(events)
    if sure:
        said = [f"{c}: {sure[c][0]} of {sure[c][1]}" for c in progress.CONFIDENCE if c in sure]
        lines.append(f"Right when you said {', '.join(said)}.")
    later = [f"{name}: {question}" for (name, question), r in tried.items() if r.skipped]
    if later:
        lines.append(f"Left for later: {', '.join(later)}.")
    return "\n".join(lines)


def _predicted(guesses):
    known = [p for p in guesses if p.guess and p.outcome]
    return f"{sum(p.right for p in known)} of {len(known)} right" if known else ""
