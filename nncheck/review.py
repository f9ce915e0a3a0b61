"""What you have missed comes back after 1, 3, 7 and 21 days, five minutes at a time.

Missed is a try that failed, a question that was skipped or whose solution was opened, and a wrong
prediction. Each time it comes back and is right, the next wait is longer; when it is wrong, it
starts again at one day. All of this is read from the record: nothing else is stored.
"""

import ast
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from urllib.parse import quote

from nncheck import exercise, notebooks, progress, submission
from nncheck.message import Shown, card, paragraph, words
from nncheck.prediction import Asked, ask_live, lettered

DAYS = (1, 3, 7, 21)
MINUTES = 5
FOLDER = "review"
RULE = "What you miss comes back after 1, 3, 7 and 21 days."
LONG_AGO = date(1, 1, 1)
TITLE = """# Once more: `{name}`

It is a question of [exercise {number}](../exercises/{stem}.ipynb). Write the answer from memory,
run it, and run the check. When the question comes back, this page is written anew."""
OPENED = """from nncheck import open_exercise

check = open_exercise("{stem}", review=True)"""


@dataclass
class Missed:
    """A question, or a prediction (then `exercise` is empty), and when it comes back."""

    exercise: str
    name: str
    since: date
    right: int = 0  # how many times it has come back and was right

    @property
    def due(self) -> date:
        return self.since + timedelta(days=DAYS[self.right])

    @property
    def minutes(self) -> float:
        """How long it takes, roughly."""
        return 2 if self.exercise else 0.5

    def after(self, right: bool, today: date) -> str:
        """When it comes back, once it has been answered today."""
        if not right:
            return "It comes back tomorrow."
        if self.right + 1 == len(DAYS):
            return "That was its last time."
        return f"It comes back on {today + timedelta(days=DAYS[self.right + 1])}."


@dataclass
class Session:
    """What to do now."""

    predictions: list[tuple[Missed, Asked]]
    questions: list[Missed]
    unfinished: list[Missed]  # have never passed: they wait in their own exercise
    waiting: int = 0  # due as well, but five minutes are over

    def __str__(self):
        """How much there is to do; nothing if there is nothing."""
        kinds = {
            "to predict again": self.predictions,
            "to write again": self.questions,
            "not passed yet": self.unfinished,
        }
        parts = [f"{len(items)} {kind}" for kind, items in kinds.items() if items]
        more = f" For another five minutes: {self.waiting}." if self.waiting else ""
        return f"Due today: {', '.join(parts)}.{more}" if parts else ""


# ------------------------------------------------------------------------------- the schedule


def missed(events: Iterable[dict]) -> list[Missed]:
    """All that has been missed and not come back often enough yet, the longest overdue first."""
    found: dict[tuple[str, str], Missed] = {}
    for where, name, right, day in results(events):
        known = found.get((where, name))
        if not right:
            found[where, name] = Missed(where, name, day)
        elif known and day >= known.due:
            known.since, known.right = day, known.right + 1
            if known.right == len(DAYS):
                del found[where, name]
    return sorted(found.values(), key=lambda m: (m.due, m.exercise, m.name))


def results(events: Iterable[dict]) -> Iterator[tuple[str, str, bool, date]]:
    """What was right and what was missed: (exercise, question) or ("", prediction), and the day."""
    guesses: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    judged: set[str] = set()
    for event in events:
        kind, day = event["event"], _day(event)
        guess, outcome = str(event.get("guess", "")), str(event.get("outcome", ""))
        key = str(event.get("key", ""))
        if kind == "review" and key:
            yield "", key, guess == outcome, day
        elif kind in ("predict", "reveal", "recall"):
            if guess:
                guesses.setdefault(key, guess)
            if outcome:
                outcomes[key] = outcome
            if key in guesses and key in outcomes and key not in judged:
                judged.add(key)
                yield "", key, guesses[key] == outcomes[key], day
        elif kind in ("try", "review", "skip", "solution"):
            where, name = str(event.get("exercise", "")), str(event.get("question", ""))
            yield where, name, event.get("status") == "passed", day


def _day(event) -> date:
    """The day of an event where we are; long ago, if an old record does not say."""
    try:
        return datetime.fromisoformat(event["when"]).astimezone().date()
    except (KeyError, TypeError, ValueError, OSError, OverflowError):
        return LONG_AGO


# ------------------------------------------------------------------------------- today


def session(events: Sequence[dict], today: date) -> Session:
    """What is due, as far as five minutes go. What the course no longer has is left out."""
    due = [m for m in missed(events) if m.due <= today]
    tried, predicted = progress.questions(events), progress.predictions(events)
    asked = asked_in_lessons({m.name for m in due if not m.exercise})
    there = {m.exercise for m in due} & set(exercise.names())
    questions = {name: exercise.load(name).questions for name in there}
    now, minutes = Session([], [], []), 0.0
    for m in due:
        again = None
        if m.exercise:
            if m.name not in questions.get(m.exercise, ()):
                continue
            record = tried.get((m.exercise, m.name))
            if not record or not record.passed:
                now.unfinished.append(m)
                continue
        else:
            again, known = asked.get(m.name), predicted.get(m.name)
            if not again or not known or known.outcome not in again.options:
                continue
            again = replace(again, answer=known.outcome)
        minutes += m.minutes
        if minutes > MINUTES:
            now.waiting += 1
        elif again:
            now.predictions.append((m, again))
        else:
            now.questions.append(m)
    return now


def summary(events: Sequence[dict], now: Session, today: date) -> str:
    """How much is due today, else when the next is."""
    later = [m.due for m in missed(events) if m.due > today]
    if str(now) or not later:
        return str(now) or f"Nothing is due. {RULE}"
    return f"Nothing is due today. Next: {later.count(later[0])} on {later[0]}."


def asked_in_lessons(keys: set[str]) -> dict[str, Asked]:
    """The predictions and recalls of these keys, as the course's lessons ask them."""
    found: dict[str, Asked] = {}
    for path in sorted((exercise.home() / "course").glob("*.ipynb")) if keys else ():
        for cell in notebooks.load(path)["cells"]:
            if cell["cell_type"] == "code":
                for asked in _calls(cell["source"], path.name):
                    if asked.key in keys:
                        found.setdefault(asked.key, asked)
    return found


def _calls(source, lesson):
    """What a cell's `predict(...)` and `recall(...)` ask, as far as it stands there literally."""
    if "predict(" not in source and "recall(" not in source:
        return
    with contextlib.suppress(SyntaxError):
        for call in ast.walk(ast.parse(source)):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            names = ["key", "question", "options"]
            given = dict(zip(names, call.args, strict=False))
            given |= {word.arg: word.value for word in call.keywords if word.arg}
            if call.func.id in ("predict", "recall"):
                with contextlib.suppress(ValueError, KeyError):
                    key, question, options = (ast.literal_eval(given[name]) for name in names)
                    why = given.get("why", ast.Constant(f"Why? See course/{lesson}."))
                    told = ast.literal_eval(why)
                    question = f"From lesson {key.partition('/')[0]}: {question}"
                    yield Asked("review", key, question, [str(o) for o in options], why=told)


def run(folder: Path, today: date, read: Callable[[str], str] | None) -> None:
    """In a terminal: ask the predictions that are due, and prepare a page for each question.

    `read` asks for a line; without it, where nobody can type, predictions are only counted.
    """
    journal = progress.Journal(folder / progress.FILE)
    events = journal.events()
    now = session(events, today)
    print(summary(events, now, today))
    for m, asked in now.predictions if read else ():
        print(f"\n{asked.text}")
        guess = _read_letter(read, asked)
        if guess is None:
            break
        journal.add("review", key=asked.key, guess=guess, outcome=asked.answer)
        right = guess == asked.answer
        said = "Right." if right else f"It is {lettered(asked.answer, asked.options)}. {asked.why}"
        print(f"{said} {m.after(right, today)}")
    if now.questions:
        print("\nWrite again from memory, and check it there:")
        for m in now.questions:
            print(f"  {page(folder, m).relative_to(folder).as_posix()}")
    if now.unfinished:
        print("\nNot passed yet; go on where you stopped:")
        for m in now.unfinished:
            print(f"  {_notebook(m).as_posix()}: {m.name}")
    if journal.note:
        print(journal.note)


def _read_letter(read, asked) -> str | None:
    """The option that is typed, "" for none; None at the end of the input."""
    by_letter = dict(zip(ascii_lowercase, asked.options, strict=False))
    while True:
        try:
            typed = read("Your letter (Enter: I do not know): ").strip().lower()
        except EOFError:
            return None
        if not typed or typed in by_letter:
            return by_letter.get(typed, "")


def due() -> Shown:
    """In a notebook: what is due today, as a card; predictions are asked below it."""
    return show(progress.find(), date.today())


def show(record: Path | None, today: date) -> Shown:
    """The card of a day. Its text is the same for everyone."""
    if record is None:
        return Shown(RULE, card("Nothing is due", paragraph(RULE)))
    folder, events = record.parent, progress.Journal(record).events()
    now = session(events, today)
    links = [(f"{m.exercise[:2]} `{m.name}`: from memory", page(folder, m)) for m in now.questions]
    links += [
        (f"{m.exercise[:2]} `{m.name}`: go on", folder / _notebook(m)) for m in now.unfinished
    ]
    items = "".join(
        f'<li><a href="{quote(Path(os.path.relpath(path)).as_posix())}">{words(what)}</a></li>'
        for what, path in links
    )
    body = f"<ul>{items}</ul>" if items else ""
    if not all([ask_live(asked) for _, asked in now.predictions]):
        body += paragraph("`nncheck review`, in a terminal, asks the predictions.")
    return Shown(RULE, card(summary(events, now, today), body))


# ------------------------------------------------------------------------------- a page


def page(folder: Path, m: Missed) -> Path:
    """A notebook in which one question is answered again; it is written when it becomes due.

    Until it is due the next time it stays as it is: somebody may be writing on it.
    """
    path = folder / FOLDER / f"{m.exercise}_{m.name}.ipynb"
    mark = f"due-{m.due}"
    if not path.exists() or f'"{mark}"' not in path.read_text(encoding="utf-8", errors="replace"):
        tried = progress.questions(progress.Journal(folder / progress.FILE).events())
        passed = {name for (where, name), r in tried.items() if where == m.exercise and r.passed}
        notebooks.write(_page(m, mark, passed), path)
    return path


def _page(m, mark, passed):
    from nbformat import v4

    from nncheck import build, mine

    source = exercise.solution(m.exercise)
    blank = build.blank(notebooks.read(source), build.points(source))
    section = _section(blank, m.name)
    here = {cell.id for cell in section}
    solved = {cell.id: cell for cell in submission.read(source)}
    uses = {name for p in mine.pieces(solved[i] for i in here & set(solved)) for name in p.uses}
    asked = exercise.load(m.exercise).questions[m.name]
    uses |= {name for call in asked.calls(exercise.NOTEBOOK_SEED) for name in call.names}
    others = []
    for cell in blank.cells:
        if cell.id in solved and cell.id not in here:
            known = any(submission.defines(cell.source, name) for name in passed)
            stub = replace(solved[cell.id], source=cell.source)  # what has not passed stays a gap
            others.append(solved[cell.id] if known else stub)
    given = mine.needed(uses, [p for p in mine.pieces(others) if "check" not in p.binds])
    given.sort(key=lambda piece: not piece.imports)
    title = TITLE.format(name=m.name, number=m.exercise[:2], stem=m.exercise)
    cells = [
        v4.new_markdown_cell(title, id=mark),
        v4.new_code_cell(OPENED.format(stem=m.exercise), id="setup"),
    ]
    if given:
        text = "\n\n\n".join(["# What it builds on: run this.", *(p.source for p in given)])
        cells.append(v4.new_code_cell(text, id="given"))
    return notebooks.canonical(v4.new_notebook(cells=[*cells, *section]))


def _section(nb, name):
    """The cells of a question: from its heading to its check."""
    first = last = 0
    for i, cell in enumerate(nb.cells):
        if cell.source.startswith("## ") and not last:
            first = i
        if notebooks.checked_name(cell) == name:
            last = i
    return nb.cells[first : last + 1]


def _notebook(m):
    return Path("exercises") / f"{m.exercise}.ipynb"
