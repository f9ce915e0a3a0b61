"""One page for each learner: points, the mistakes that were recognised, hints, a teacher's marks.

What stands on it about an answer comes from told.py and from the check file; nothing else does.
"""

import re
from collections.abc import Iterator

from nncheck import message
from nncheck.page import page, text
from nncheck.register import Entry, Item, Learner, Register
from nncheck.report import escaped
from nncheck.wire import clean

NOTHING = "No notebook of this was graded."
MARKED = ("quiet", "◆ Your teacher decided")


def html(register: Register, learner: Learner) -> str:
    """A learner's page for a browser."""
    parts = [message.paragraph(line) for line in _total(register, learner)]
    for name, worth, entry in register.of(learner):
        parts.append(f"<h2>{text(_heading(name, worth, entry))}</h2>\n")
        parts += [message.paragraph(note) for note in _notes(entry)]
        parts += [_card(item) for item in entry.items] if entry else []
    return page(f"Feedback for {learner.name or learner.student_id}", "".join(parts))


def markdown(register: Register, learner: Learner) -> str:
    """A learner's page as Markdown."""
    parts = [f"# Feedback for {escaped(clean(learner.name or learner.student_id))}"]
    parts += [_marked_up(line) for line in _total(register, learner)]
    for name, worth, entry in register.of(learner):
        parts.append(f"## {escaped(_heading(name, worth, entry))}")
        parts += [_marked_up(note) for note in _notes(entry)]
        for item in entry.items if entry else ():
            _, headline = _headline(item)
            parts.append(f"### {headline}: `{item.answer.question}`, {_points(item)}")
            parts += [_marked_up(words) for words in _words(item)]
            if item.told.line:
                parts.append(f"Line {item.told.line}:\n\n    {item.told.code}")
            if not item.full:
                hints = [f"{n}. {_marked_up(hint)}" for n, hint in enumerate(item.hints, 1)]
                parts += ["Hints:\n\n" + "\n".join(hints)] if hints else []
    return "\n\n".join(parts) + "\n"


def _total(register, learner):
    points, worth = register.points(learner)
    yield f"{points:g} of {worth:g} points."
    for refused in register.refused:
        if refused.student == learner.student_id:
            yield f"Not graded: {clean(refused.file)}: {clean(refused.reason)}."


def _heading(name, worth, entry: Entry | None):
    return f"{name}: {entry.standing.points if entry else 0:g} of {worth:g} points"


def _notes(entry: Entry | None) -> Iterator[str]:
    if entry is None:
        yield NOTHING
    else:
        when = entry.standing.handed_in[:16].replace("T", " ")  # it is in universal time
        yield f"Handed in: {clean(entry.standing.file)}, {when} UTC."


def _card(item: Item) -> str:
    tone, headline = _headline(item)
    parts = [message.paragraph(words) for words in _words(item)]
    if item.told.line:
        parts.append(f"<pre>line {item.told.line}: {text(item.told.code)}</pre>")
    if not item.full:
        for number, hint in enumerate(item.hints, 1):
            title = f"Hint {number} of {len(item.hints)}"
            parts.append(message.fold(title, message.paragraph(hint)))
    title = f"{headline}: <code>{text(item.answer.question)}</code>, {_points(item)}"
    return message.card(title, "".join(parts), tone) + "\n"


def _headline(item):
    return MARKED if item.answer.marked else message.HEADLINES[item.answer.status]


def _points(item):
    a = item.answer
    return f"{a.points:g} of {a.worth:g} point{'' if a.worth == 1 else 's'}"


def _words(item: Item) -> Iterator[str]:
    if item.answer.marked:
        yield clean(item.answer.marked)
    if item.told.words:
        yield f"The check said: {item.told.words}" if item.answer.marked else item.told.words


def _marked_up(words):
    """Plain words as Markdown; plain code between backticks stays code, and nothing is a tag."""
    parts = re.split(r"(?<!`)(`(?:(?!\]\()[^`<&])+`)(?!`)", " ".join(words.split()))
    return "".join(part if i % 2 else escaped(part) for i, part in enumerate(parts))
