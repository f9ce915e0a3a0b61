"""The card that opens each lesson: what it introduces and uses, and the course's map made of them.

A card is the first Markdown cell of a notebook in course/: a heading `# 22 Autograd` and a table.
It is the only place where this is said; the map, the order checks and the tests read it here.
"""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nncheck import exercise, notebooks, progress

PARTS = (
    "Before you start",
    "One neuron",
    "Learning",
    "Training",
    "Generalising",
    "Images",
    "Sequences",
    "Trust",
    "Shipping",
    "Frontier",
)
ROWS = ("The idea", "Introduces", "Uses", "Time", "Exercise")
NOTHING = "nothing"

TITLE = re.compile(r"# (\d\d) (\S.*)")
ROW = re.compile(r"\|\s*\*\*(.+?)\*\*\s*\|\s*(.*?)\s*\|")
USE = re.compile(r"(■\s*)?(.+?)\s*\((\d\d)\)")
TIME = re.compile(r"(\d+) min(?:, exercise (\d+) min)?")
LINK = re.compile(r"\[exercises/(\w+)\.ipynb\]\(\.\./exercises/\1\.ipynb\)")
NO_EXERCISE = re.compile(r"none: (\S.*)")


@dataclass(frozen=True)
class Use:
    """Something a lesson needs, and the number of the lesson that introduces it."""

    what: str
    lesson: str
    black_box: bool


@dataclass(frozen=True)
class Card:
    """What a lesson says of itself."""

    path: Path
    number: str
    title: str
    idea: str
    introduces: tuple[str, ...]
    uses: tuple[Use, ...]
    minutes: int
    exercise_minutes: int | None
    exercise: str | None
    why_no_exercise: str

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def part(self) -> int:
        return int(self.number[0])


def parse(nb: dict, path: str | Path) -> Card:
    """Read the card of a lesson. Raises ValueError with the file and the line of the cell."""
    path = Path(path)
    first = nb["cells"][0] if nb["cells"] else None
    if first is None or first["cell_type"] != "markdown":
        raise ValueError(f"{path}: the first cell must be the card, a Markdown cell.")
    lines = first["source"].splitlines()

    def wrong(line: int, message: str) -> ValueError:
        return ValueError(f"{path}, card, line {line}: {message}")

    title = TITLE.fullmatch(lines[0].rstrip()) if lines else None
    if not title:
        raise wrong(1, f"expected a heading like `# {path.stem[:2]} Title`; got {lines[:1]}.")
    if title[1] != path.stem[:2]:
        raise wrong(1, f"the heading says {title[1]}, the file's name {path.stem[:2]}.")

    rows: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines[1:], 2):
        row = ROW.fullmatch(line.strip())
        if row:
            rows[row[1]] = (number, row[2])
    if tuple(rows) != ROWS:
        raise wrong(
            len(lines), f"expected the rows {', '.join(ROWS)}, in this order; got {list(rows)}."
        )
    for name, (line, value) in rows.items():
        if not value:
            raise wrong(line, f"**{name}** is empty; write `{NOTHING}` if there is nothing.")

    line, value = rows["Time"]
    time = TIME.fullmatch(value)
    if not time:
        raise wrong(line, f"expected `25 min, exercise 40 min` or `25 min`; got {value!r}.")
    line, value = rows["Exercise"]
    link, none = LINK.fullmatch(value), NO_EXERCISE.fullmatch(value)
    if not link and not none:
        raise wrong(
            line,
            f"expected `[exercises/{path.stem}.ipynb](../exercises/{path.stem}.ipynb)` or "
            f"`none: why`; got {value!r}.",
        )
    if link and link[1] != path.stem:
        raise wrong(line, f"the exercise must be {path.stem}.ipynb too; got {link[1]}.ipynb.")
    if bool(link) != bool(time[2]):
        line = rows["Time"][0]
        raise wrong(
            line, "the exercise's minutes stand here if, and only if, there is an exercise."
        )

    uses = []
    for item in items(rows["Uses"][1]):
        use = USE.fullmatch(item)
        if not use:
            line = rows["Uses"][0]
            raise wrong(line, f"expected `name (11)` or `■ name (35)` between `;`; got {item!r}.")
        uses.append(Use(use[2], use[3], bool(use[1])))
    return Card(
        path=path,
        number=title[1],
        title=title[2],
        idea=rows["The idea"][1],
        introduces=tuple(items(rows["Introduces"][1])),
        uses=tuple(uses),
        minutes=int(time[1]),
        exercise_minutes=int(time[2]) if time[2] else None,
        exercise=link[1] if link else None,
        why_no_exercise=none[1] if none else "",
    )


def items(value: str) -> list[str]:
    """Split a row at its semicolons."""
    return [] if value == NOTHING else [item.strip() for item in value.split(";") if item.strip()]


def cards(home: Path) -> list[Card]:
    """The cards of all lessons of a course, in order."""
    paths = sorted((home / "course").glob("*.ipynb"))
    return [parse(notebooks.load(path), path) for path in paths]


# ---- the walk: do the cards, taken together, keep their promises?


def problems(cards: Iterable[Card]) -> list[str]:
    """What is wrong with the order of the lessons or with the files that belong to them."""
    cards = sorted(cards, key=lambda card: card.stem)
    found = []
    by_number: dict[str, Card] = {}
    introduced: dict[str, str] = {}
    for card in cards:
        if card.number in by_number:
            other = by_number[card.number].stem
            found.append(f"{card.stem}: the number {card.number} is taken by {other}.")
        by_number[card.number] = card
        for what in card.introduces:
            if what in introduced:
                found.append(
                    f"{card.stem}: introduces {what}, which {introduced[what]} has already "
                    "introduced. Move it to Uses."
                )
            introduced.setdefault(what, card.stem)
    for card in cards:
        for use in card.uses:
            problem = use_problem(card, use, by_number.get(use.lesson))
            if problem:
                found.append(f"{card.stem}: uses {use.what} ({use.lesson}), {problem}")
        found += file_problems(card)
    return found


def use_problem(card: Card, use: Use, source: Card | None) -> str:
    """Say why a lesson may not use this in this way, or nothing."""
    earlier = use.lesson < card.number
    if source is None:
        return "" if use.black_box else "but that lesson does not exist yet. Mark it with ■."
    if use.black_box and earlier:
        return "which the learner has read by now. Remove the mark ■."
    if not use.black_box and not earlier:
        return "but that lesson comes later. Mark it with ■."
    if use.what not in source.introduces:
        listed = "; ".join(source.introduces) or NOTHING
        return f"but {source.stem} introduces: {listed}. Use the same words on both cards."
    return ""


def file_problems(card: Card) -> list[str]:
    """Whether a lesson's exercise, checks and solution exist exactly when its card says so."""
    home = card.path.parent.parent
    files = [
        home / "exercises" / f"{card.stem}.ipynb",
        home / "exercises" / "checks" / f"{card.stem}.py",
        home / "solutions" / f"{card.stem}.ipynb",
    ]
    found = []
    for file in files:
        name = file.relative_to(home).as_posix()
        if card.exercise and not file.exists():
            found.append(f"{card.stem}: the card names an exercise, but {name} is missing.")
        if not card.exercise and file.exists():
            found.append(f"{card.stem}: the card says `Exercise: none`, but {name} exists.")
    return found


# ---- the map


STATES = {  # what a lesson's line says: a word, a sign, and colours that read on any background
    "done": ("●", "background:#1B7837;color:#FFFFFF"),
    "started": ("◐", "background:#0072B2;color:#FFFFFF"),
    "to do": ("○", "border:1px solid currentColor"),
}


class CourseMap:
    """The lessons by part. Its text is the same for everyone; its HTML shows your progress."""

    def __init__(self, cards: Iterable[Card], states: Mapping[str, str]):
        self.cards = list(cards)
        self.states = states

    def part(self, number: int) -> list[Card]:
        return [card for card in self.cards if card.part == number]

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}

    def __repr__(self) -> str:
        return f"CourseMap({len(self.cards)} lessons)"

    def text(self) -> str:
        """One line for each lesson; a part without lessons is its name only."""
        width = max((len(card.title) for card in self.cards), default=0)
        lines = []
        for number, name in enumerate(PARTS):
            lines.append(f"Part {number}  {name}")
            for card in self.part(number):
                time = f"{minutes(card):>11}"
                lines.append(f"  {card.number}  {card.title:<{width}}  {time}  {card.idea}")
        return "\n".join(lines)

    def html(self) -> str:
        """A table with links, which can be walked through with the Tab key."""
        cell = "style='text-align:left;vertical-align:top'"
        rows = []
        for number, name in enumerate(PARTS):
            rows.append(
                f"<tr><th scope='rowgroup' colspan='4' {cell}>Part {number} · {name}</th></tr>"
            )
            for card in self.part(number):
                state = self.states.get(card.stem, "to do" if card.exercise else "")
                rows.append(
                    f"<tr><td {cell}>{chip(state)}</td>"
                    f"<th scope='row' {cell}><a href='{card.stem}.ipynb'>{card.number} "
                    f"{inline(card.title)}</a></th>"
                    f"<td {cell}>{inline(card.idea)}</td>"
                    f"<td {cell}>{minutes(card).replace(' ', '&nbsp;')}</td></tr>"
                )
        caption = "<caption style='text-align:left'>The course, and how far you are</caption>"
        return f"<table>{caption}<tbody>{''.join(rows)}</tbody></table>"


def chip(state: str) -> str:
    if not state:
        return ""
    sign, colour = STATES[state]
    style = f"display:inline-block;padding:0 .5em;border-radius:1em;white-space:nowrap;{colour}"
    return f"<span style='{style}'>{sign} {state}</span>"


def minutes(card: Card) -> str:
    own = f"{card.minutes} min"
    return own if card.exercise_minutes is None else f"{card.minutes} + {card.exercise_minutes} min"


def inline(markdown: str) -> str:
    """A card's words as HTML: `code` and **strong** are all that they use."""
    escaped = html.escape(markdown)
    escaped = re.sub(r"`(.+?)`", r"<code>\1</code>", escaped)
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escaped)


def course_map(home: Path | None = None, states: Mapping[str, str] | None = None) -> CourseMap:
    """The map of the course. `states` says "done" or "started" by stem; by default your own do."""
    home = home or exercise.home()
    lessons = cards(home)
    return CourseMap(lessons, own_states(lessons, home) if states is None else states)


def own_states(lessons: Iterable[Card], home: Path) -> dict[str, str]:
    """What the record of the working copy we are in says about each lesson.

    A lesson is done when every question of its exercise has passed, and started when a question
    was tried or a prediction made.
    """
    record = progress.find()
    events = progress.read(record)[0] if record else []
    tried = progress.questions(events)
    touched = {key.partition("/")[0] for key in progress.predictions(events)}
    touched |= {stem[:2] for stem, _ in tried}
    states = {}
    for card in lessons:
        if card.number in touched:
            states[card.stem] = "started"
        file = home / "exercises" / f"{card.stem}.ipynb"
        if file.exists():
            ids = [cell.get("id", "") for cell in notebooks.load(file)["cells"]]
            names = [name.removeprefix("check-") for name in ids if name.startswith("check-")]
            if all((card.stem, name) in tried and tried[card.stem, name].passed for name in names):
                states[card.stem] = "done"
    return states
