"""The text that each wrong answer is shown in the notebook, for a person to read and approve."""

import re
from html.parser import HTMLParser
from pathlib import Path

from nncheck import message
from nncheck.exercise import NOTEBOOK_SEED
from nncheck.prove.candidate import Candidate


def kept_in(stem: str) -> Path:
    """The file that holds what a person has approved."""
    return Path(__file__).parent / "transcripts" / f"{stem}.txt"


def transcript(candidate: Candidate) -> str:
    """The exact text that each wrong answer is shown in the notebook, at the first try."""
    trial = candidate.trials[NOTEBOOK_SEED]
    parts = []
    for question in candidate.exercise.questions.values():
        for wrong in question.wrongs:
            verdict = candidate.judge(trial, question.name, wrong.answer)
            shown = text_of(message.result(verdict, question, tries=1).html)
            parts.append(f"--- {question.name}: {wrong.name}\n{shown}\n")
    return "\n".join(parts)


class _Text(HTMLParser):
    """The words of a small piece of HTML, a line for each block."""

    BLOCKS = ("div", "p", "pre", "details", "summary", "br", "li", "tr")

    def __init__(self):
        super().__init__()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.text += "\n" * (tag in self.BLOCKS)

    def handle_endtag(self, tag):
        self.text += "\n" * (tag in self.BLOCKS)

    def handle_data(self, data):
        self.text += data


def text_of(html: str) -> str:
    """The words of a small piece of HTML, a line for each block.

    >>> text_of("<div><b>Not</b> yet<p>You &lt; me</p></div>")
    'Not yet\\nYou < me'
    """
    parser = _Text()
    parser.feed(html)
    return re.sub(r"\n+", "\n", parser.text).strip()
