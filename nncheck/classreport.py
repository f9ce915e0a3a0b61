"""A page about a whole class: who did what, which mistakes how often, and what went wrong."""

import math
from collections.abc import Iterator

from nncheck import confine, message
from nncheck.page import page, table, text
from nncheck.register import Entry, Item, Learner, Register
from nncheck.wire import clean

ACROSS = 32  # learners in one heat map: as many as fit on a page
HARDEST = 10
STYLE = """
.heat { font-size: .85em; } .heat th { font-weight: normal; padding-right: .4em; min-width: 0; }
.heat td { width: 1.4em; min-width: 1.4em; padding: .15em 0; text-align: center; position: relative;
  vertical-align: middle; border: 1px solid var(--paper); font-variant-numeric: tabular-nums; }
.legend span { white-space: nowrap; margin-right: .8em; font-size: .85em; }
.legend b { display: inline-block; width: 1.5em; text-align: center; font-weight: normal; }
.heat thead th { vertical-align: bottom; padding: 0 0 .3em; }
.heat thead span { writing-mode: vertical-rl; rotate: 180deg; max-height: 10em; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.heat [scope=rowgroup] { font-weight: bold; padding-top: .7em; }
""" + "".join(
    f".{name} {{ background: var(--{name}); color: var(--{name}-ink); }}\n"
    for name in ("all", "most", "some", "none", "odd")
)
LEGEND = (
    ("all", "2", "all points"),
    ("most", "1", "half or more"),
    ("some", "½", "less"),
    ("none", "0", "answered, no point"),
    ("odd", "!", "could not be judged"),
    ("open", "·", "not answered yet"),
    ("open", "–", "no notebook"),
)
SECTIONS = {
    "heat": "Who solved what",
    "mistakes": "Mistakes that were recognised",
    "hardest": "The hardest questions",
    "troubles": "What could not be graded",
    "fences": "Which guarantees held",
    "marks": "Points that a teacher decided on",
}


def html(register: Register) -> str:
    """The page, as one HTML file."""
    parts = {
        "heat": _heat(register),
        "mistakes": _mistakes(register),
        "hardest": _hardest(register),
        "troubles": _troubles(register),
        "fences": _fences(register),
        "marks": _marks(register),
    }
    links = " ".join(f'<a href="#{key}">{title}</a>' for key, title in SECTIONS.items())
    body = f"<p>{_summary(register)}</p>\n<nav>{links}</nav>\n"
    for key, title in SECTIONS.items():
        body += f'<section>\n<h2 id="{key}">{title}</h2>\n{parts[key]}</section>\n'
    return page("Class report", body, STYLE)


def _summary(register):
    learners, exercises = len(register.learners), len(register.worth)
    points, worth = map(sum, zip(*map(register.points, register.learners), strict=True))
    return (
        f"{learners} learners, {exercises} exercises. {len(register.entries)} of "
        f"{learners * exercises} notebooks were graded; the {register.attempt} attempt of each "
        f"counts. On average {_percent(points, worth)} of the points."
    )


def _percent(points, worth):
    return f"{100 * points / worth:.0f} %" if worth else "–"


def _all(register: Register) -> Iterator[tuple[Entry, Item]]:
    for entry in register.entries.values():
        for item in entry.items:
            yield entry, item


def _questions(register) -> dict[tuple[str, str], list[tuple[Entry, Item]]]:
    """All that was handed in for each question, exercise by exercise."""
    found: dict[tuple[str, str], list] = {}
    for entry, item in _all(register):
        found.setdefault((entry.standing.exercise, item.answer.question), []).append((entry, item))
    return dict(sorted(found.items(), key=lambda pair: pair[0][0]))


# ---------------------------------------------------------------------------- heat map


def _heat(register):
    keys = "".join(
        f'<span><b class="{kind}" aria-hidden="true">{sign}</b> {words}</span> '
        for kind, sign, words in LEGEND
    )
    parts = [f'<p class="legend">{keys}</p>\n']
    questions = _questions(register)
    everybody = register.learners
    across = math.ceil(len(everybody) / math.ceil(len(everybody) / ACROSS))  # even parts
    for start in range(0, len(everybody), across):
        learners = everybody[start : start + across]
        parts.append(_heat_map(register, learners, questions))
    return "".join(parts)


def _heat_map(register, learners: list[Learner], questions):
    heads = "".join(
        f'<th scope="col"><span title="{text(one.name)}">{text(one.student_id)}</span></th>'
        for one in learners
    )
    last, lines = "", []
    for (name, question), handed in questions.items():
        if name != last:
            group = f'<th scope="rowgroup" colspan="{len(learners) + 1}">{text(name)}</th>'
            lines.append(f"</tbody><tbody>\n<tr>{group}</tr>\n" if last else f"<tr>{group}</tr>\n")
            last = name
        items = {entry.standing.student: item for entry, item in handed}
        cells = "".join(_cell(one, items.get(one.student_id)) for one in learners)
        lines.append(f'<tr><th scope="row">{text(question)}</th>{cells}</tr>\n')
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Points">'
        '<table class="heat"><caption>Points for each question and learner</caption>\n'
        f"<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n{''.join(lines)}</tbody></table></div>\n"
    )


def _cell(learner, item: Item | None):
    if item is None:
        return _signed("open", "–", "no notebook")
    a = item.answer
    about = f"{learner.student_id}, {a.question}: {a.points:g} of {a.worth:g}, {a.status} {a.name}"
    title = text(about.strip())
    if item.full or a.points > 0 or a.marked or a.status == "failed":
        share = a.points / a.worth if a.worth else 1
        kind = "all" if item.full else "most" if share >= 0.5 else "some" if share > 0 else "none"
        return f'<td class="{kind}" title="{title}">{a.points:g}</td>'
    if a.status in ("error", "missing"):
        return _signed("odd", "!", "could not be judged", title)
    return _signed("open", "·", "not answered yet", title)


def _signed(kind, sign, words, title=""):
    said = f' title="{title}"' if title else ""
    seen = f'<span aria-hidden="true">{sign}</span><span class="unseen">{words}</span>'
    return f'<td class="{kind}"{said}>{seen}</td>'


# ------------------------------------------------------------------------------ tables


def _mistakes(register):
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry, item in _all(register):
        if item.answer.mistake:
            key = (entry.standing.exercise, item.answer.question, item.answer.message)
            found.setdefault(key, []).append(entry.standing.student)
    if not found:
        return "<p>None.</p>\n"
    rows = [
        (f"{text(name)}: <code>{text(question)}</code>", _n(who), _said(sentence), _names(who))
        for (name, question, sentence), who in sorted(found.items(), key=lambda p: -len(p[1]))
    ]
    return table("The most frequent first", ("Question", "How often", "Mistake", "Who"), rows, [1])


def _hardest(register):
    shares = []
    for (name, question), handed in _questions(register).items():
        points = sum(item.answer.points for _, item in handed)
        worth = sum(item.answer.worth for _, item in handed)
        if points < worth:
            shares.append((points / worth, name, question, len(handed)))
    if not shares:
        return "<p>Everything that was handed in is right.</p>\n"
    rows = [
        (
            f"{text(name)}: <code>{text(question)}</code>",
            f'<meter value="{share:.3f}" aria-hidden="true"></meter> {_percent(share, 1)}',
            str(handed),
        )
        for share, name, question, handed in sorted(shares)[:HARDEST]
    ]
    heads = ("Question", "Points on average", "Handed in")
    return table("Of those who handed the exercise in", heads, rows, [2])


def _troubles(register):
    rows = []
    for entry in register.entries.values():
        found: dict[tuple[str, str], list[str]] = {}
        for item in entry.items:
            if item.answer.status in ("error", "missing"):
                ours = item.answer.name == "grader error"
                words = item.answer.message if ours else str(item.told)
                found.setdefault((item.answer.name, words), []).append(item.answer.question)
        for (kind, words), questions in found.items():
            whole = len(questions) == len(entry.items)
            of = "all questions" if whole else ", ".join(f"<code>{q}</code>" for q in questions)
            what = f"{text(entry.standing.exercise)}: {of}"
            rows.append((text(entry.standing.student), what, text(kind), _said(words)))
    for refused in register.refused:
        rows.append(
            (text(refused.student or "–"), text(refused.file), "refused", text(refused.reason))
        )
    absent = {
        name: [
            w.student_id for w in register.learners if (w.student_id, name) not in register.entries
        ]
        for name in register.worth
    }
    lines = [
        f"<p>No notebook of {text(name)} was graded for: {_names(w)}.</p>\n"
        for name, w in absent.items()
        if w
    ]
    if register.unlisted:
        lines.append(f"<p>Not on the roster: {_names(register.unlisted)}.</p>\n")
    heads = ("Who", "What", "Kind", "Why")
    told = table("Points that were earned before still count", heads, rows) if rows else ""
    return told + "".join(lines) or "<p>Everything was graded.</p>\n"


def _fences(register):
    ran = [entry.guarantees for entry in register.entries.values() if entry.guarantees]
    rows = []
    for name, meaning in confine.GUARANTEES.items():
        layers = sorted({layer for g in ran for layer in g.get(name, ())})
        held = sum(bool(g.get(name)) for g in ran)
        rows.append(
            (f"An answer {meaning}", f"{held} of {len(ran)}", text(", ".join(layers) or "–"))
        )
    told = table("While answers ran", ("Guarantee", "Notebooks", "Layers"), rows, [1])
    rest = len(register.entries) - len(ran)
    return told + (f"<p>Of {rest} more nothing ran: they could not be read.</p>\n" if rest else "")


def _marks(register):
    rows = [
        (
            text(entry.standing.student),
            f"{text(entry.standing.exercise)}: <code>{text(item.answer.question)}</code>",
            f"{item.computed:g}",
            f"{item.answer.points:g} of {item.answer.worth:g}",
            _said(item.answer.marked),
        )
        for entry, item in _all(register)
        if item.answer.marked
    ]
    heads = ("Who", "Question", "Computed", "Counts", "Because")
    return (
        table("They win over what was computed", heads, rows, [2, 3]) if rows else "<p>None.</p>\n"
    )


def _said(sentence):
    return message.words(clean(sentence))


def _names(students):
    return ", ".join(map(text, students))


def _n(things):
    return str(len(things))
