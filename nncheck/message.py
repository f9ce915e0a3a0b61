"""What a learner sees: a verdict, or a question, as a small accessible card in the notebook.

The plain text of a check is the bare number of points, always; the friendly words are HTML. So a
notebook's saved output can be graded by tools that look for a number, and never changes its text
with the words.
"""

import html
import re
from dataclasses import dataclass

from nncheck.diagnose import Verdict
from nncheck.exercise import Question

TONES = {  # border colour: JupyterLab's own where there is one, readable on light and dark
    "good": "var(--jp-success-color1, #1b7837)",
    "look": "var(--jp-warn-color1, #b84a00)",
    "quiet": "var(--jp-border-color1, #767676)",
}
HEADLINES = {
    "passed": ("good", "✓ Passed"),
    "failed": ("look", "✗ Not yet right"),
    "error": ("look", "✗ Could not be checked"),
    "missing": ("look", "✗ Not found"),
    "stale": ("look", "↻ Changed since it ran"),
    "not run": ("quiet", "○ Not run yet"),
    "not done": ("quiet", "○ Not done yet"),
    "skipped": ("quiet", "○ Waiting"),
}


@dataclass(frozen=True)
class Help:
    """What is offered after so many tries."""

    hints: int = 0
    snippet: bool = False
    solution: bool = False
    skip: bool = False


def help_after(tries: int) -> Help:
    """Try 2 offers a hint, 3 a second one and the input, 4 the last and the solution, 5 to go on.

    >>> help_after(1), help_after(4).solution
    (Help(hints=0, snippet=False, solution=False, skip=False), True)
    """
    return Help(min(max(tries - 1, 0), 3), tries >= 3, tries >= 4, tries >= 5)


class Shown:
    """Something to display: `text` is its plain text, `html` the card."""

    def __init__(self, text: str, html: str):
        self.text, self.html = text, html

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text, "text/html": self.html}


class Result(Shown):
    """A verdict to display: the bare points as text, the message as HTML."""

    def __init__(self, verdict: Verdict, html: str):
        super().__init__(f"{verdict.points:g}", html)
        self.verdict = verdict


def result(verdict: Verdict, question: Question | None = None, tries=0, notes=()) -> Result:
    """The card for a verdict, with the help that so many tries have earned."""
    tone, headline = HEADLINES[verdict.status]
    points = f"{verdict.points:g} of {verdict.worth:g} point{'' if verdict.worth == 1 else 's'}"
    parts = []
    if verdict.mistake and verdict.detail and verdict.exercise >= "3":
        parts += [paragraph(verdict.detail), fold("What was done", paragraph(verdict.message))]
    else:
        parts += [paragraph(verdict.message), paragraph(verdict.detail)]
    if verdict.status == "failed" and question is not None:
        parts += _help(question, verdict, help_after(tries))
    if verdict.passed and question is not None:
        parts.append(small(f"To compare with ours: `check.solution({question.name!r})`"))
    parts += [small(note) for note in notes if note]
    title = f"{headline}: <code>{html.escape(verdict.question)}</code>, {points}"
    return Result(verdict, card(title, "".join(parts), tone))


def _help(question, verdict, offered):
    total = len(question.hints)
    shown = question.hints[: offered.hints]
    for number, hint in enumerate(shown, 1):
        yield fold(f"Hint {number} of {total}", paragraph(hint))
    if offered.snippet and verdict.snippet:
        code = f'<pre style="margin:.4em 0">{html.escape(verdict.snippet)}</pre>'
        yield fold("The smallest input that shows it: run this in a cell of your own", code)
    if offered.solution:
        yield small(f"Stuck? `check.solution({question.name!r})` shows our solution.")
    if offered.skip:
        yield small(f"Or go on: `check.skip({question.name!r})`. The question will come back.")


# -------------------------------------------------------------------------------- HTML


def card(title: str, body: str, tone: str = "quiet") -> str:
    """A titled box with a coloured edge; `title` and `body` are HTML."""
    return (
        f'<div role="status" style="border-left:4px solid {TONES[tone]};padding:.3em .9em;'
        "margin:.2em 0;max-width:46em;line-height:1.45;"
        'color:var(--jp-content-font-color1, inherit)">'
        f"<strong>{title}</strong>{body}</div>"
    )


def paragraph(text: str) -> str:
    """Plain words as a paragraph; `code` between backticks. Nothing for no words."""
    return f'<p style="margin:.3em 0">{words(text)}</p>' if text else ""


def small(text: str) -> str:
    """A note in smaller letters."""
    return f'<p style="margin:.3em 0;font-size:90%;opacity:.85">{words(text)}</p>' if text else ""


def fold(summary: str, body: str) -> str:
    """A part that opens on a click or on Enter."""
    return (
        f'<details style="margin:.3em 0"><summary style="cursor:pointer">{words(summary)}</summary>'
        f"{body}</details>"
    )


def words(text: str) -> str:
    """Escaped text; what stands between backticks becomes code.

    >>> words("`a < b` & c")
    '<code>a &lt; b</code> &amp; c'
    """
    escaped = html.escape(text, quote=False)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped).replace("\n\n", "<br><br>")
