"""What a learner may be told of a check with hidden data.

What an answer raises or returns can carry the data it was given: in a message, in the name of an
exception, in a shape, in a number of a sentence, in a line that only seems to be the learner's own.
So nothing of that is passed on. Each kind of verdict has its fixed sentence here; an exception's
name and a line are told only if they stand in the notebook that was handed in.
"""

import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nncheck.grade import ENDED
from nncheck.gradebook import Answer
from nncheck.wire import clean

OURS = (*ENDED, "rests on")  # their sentences hold nothing that a learner's process said
HERE = " Run its check in the notebook: it shows where."
SENTENCES = {
    "placeholder": "The placeholder is still there: write your code in its place.",
    "missing": "A name that this needs is not there any more: was it renamed, or its cell deleted?",
    "syntax": "Its cell is not Python yet.",
    "cell": "Its cell stopped with {}. Run the notebook from its top, and mend that.",
    "raised": "It raised {}." + HERE,
    "not raised": "For some input an exception should be raised here, or another one." + HERE,
    "none": "A result is None: is a `return` forgotten?" + HERE,
    "type": "A result is of another kind than it should be." + HERE,
    "length": "A result has more parts, or fewer, than it should have." + HERE,
    "shape": "A result has another shape than it should have." + HERE,
    "dtype": "A result should hold True and False, not numbers." + HERE,
    "changed": "It changes an input in place; whoever called it still needs the old one." + HERE,
    "nan": "There is a NaN in a result." + HERE,
    "inf": "There is an infinity in a result." + HERE,
    "relation": "It is not right yet, but near: look for a sign, a factor, an axis, a mode." + HERE,
    "input": "What it returns is no input that counts." + HERE,
    "refused": "This input does not count: the right one refuses it too.",
    "not finite": "This input does not count: the right one has no finite result for it.",
    "not caught": "On this input the broken one gives the right reply. Look for another.",
    "grader error": "The grader failed here, not your answer. Tell your teacher.",
}
KNOWN = {"AxisError", "LinAlgError"}  # NumPy's own
KNOWN |= {
    n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)
}


@dataclass(frozen=True)
class Told:
    """A sentence, and the learner's own line that it is about."""

    words: str = ""
    line: int = 0
    code: str = ""

    def __str__(self):
        return f"{self.words} Line {self.line}: {self.code}" if self.line else self.words


def told(answer: Answer, sources: Sequence[str]) -> Told:
    """What to tell about an answer to whoever handed in cells of these sources."""
    if answer.status == "passed":
        return Told()
    if answer.mistake or answer.name in OURS:
        return Told(clean(answer.message))
    kind = "not raised" if answer.message.startswith("An exception should") else answer.name
    words = SENTENCES.get(kind, "It is not right yet." + HERE)
    words = words.format(_exception(answer.message, sources))
    return Told(words, *_own_line(answer.message, sources))


def _exception(message, sources):
    found = re.match(r"(?:`\w+` raised|Its cell stopped with) (\w+)", message)
    name = found[1] if found else ""
    own = any(re.search(rf"\b{re.escape(name)}\b", source) for source in sources)
    return name if name in KNOWN or (own and name.isidentifier()) else "an exception"


def _own_line(message, sources) -> tuple[int, str]:
    """(number, text) of the line that a message names, if the notebook has it there."""
    found = re.match(r".*\bline (\d{1,6}): `(.+)`", message, re.DOTALL)
    if found:
        number, text = int(found[1]), found[2]
        for source in sources:
            there = source.splitlines()[number - 1 : number]
            if there and clean(there[0].strip())[:200] == text:
                return number, text
    return 0, ""
