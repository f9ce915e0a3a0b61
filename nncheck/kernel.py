"""Checks in the learner's own notebook: `check = open_exercise("22_autograd")`, `check("mul")`."""

import inspect
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncheck import exercise, message, progress, submission
from nncheck.answer import Local, Trouble
from nncheck.diagnose import Trial, Verdict
from nncheck.exercise import NOTEBOOK_SEED, Catch, Exercise, Question
from nncheck.submission import defines
from nncheck.worker import NO_VALUE

_open: dict[str, "Checks"] = {}  # the last one opened of each exercise, in this kernel


def open_exercise(name: str, review: bool = False) -> "Checks":
    """The checks of an exercise, for the notebook that calls this.

    On a page of `nncheck review` a check is recorded as a review, and as no other try.

    >>> check = open_exercise("22_autograd")   # doctest: +SKIP
    >>> check("mul")                           # doctest: +SKIP
    """
    ipython = shell()
    names = ipython.user_ns if ipython else sys._getframe(1).f_globals
    before = _open.get(name)
    if before:
        before.stop_watching()
    checks = Checks(exercise.load(name), Kernel(names, ipython), review)
    if before and before.kernel.names is names:
        checks.kernel.runs.update(before.kernel.runs)
    _open[name] = checks
    return checks


class Checks:
    """Checks the answers of one exercise as they stand in this kernel."""

    def __init__(self, exercise: Exercise, kernel: "Kernel", review: bool = False):
        self.exercise, self.kernel, self.review = exercise, kernel, review
        self.again: dict[str, dict[str, str]] = {}  # in a review: each source, and its status
        self.trial = Trial(exercise, NOTEBOOK_SEED)
        self.journal = progress.Journal(progress.find())
        kernel.builds = exercise.builds
        kernel.watch(exercise.questions)

    def __repr__(self):
        return f"the checks of {self.exercise.name}: {', '.join(self.exercise.questions)}"

    def __call__(self, name: str) -> message.Shown:
        """Check the answer of that name; displays the points and what to do."""
        question = self.exercise.questions.get(name)
        if question is None:
            return self._unknown(name)
        try:
            verdict = self.trial.judge(self.kernel, name)
        except KeyboardInterrupt:
            verdict = self._interrupted(question)
        tries = self._count_try(verdict)
        which = "" if verdict.status == "stale" else self.kernel.which(name)
        notes = [which, self.journal.note]
        if verdict.status in ("passed", "failed"):
            _offer(self, verdict, message.help_after(tries))
        return message.result(verdict, question, tries, notes)

    def broken(self, name: str):
        """The broken implementation of a catch-it question, to call and not to read."""
        question = self._question(name)
        if not isinstance(question, Catch):
            raise ValueError(f"{name} is not a catch-it question: it has no broken implementation.")
        return _Unread(question.broken, name)

    def solution(self, name: str) -> message.Shown:
        """Our solution. Before the question has passed, the record will say "with help"."""
        question = self._question(name)
        try:
            source = solution_source(self.exercise.name, name)
        except (OSError, ValueError, LookupError) as error:
            text = str(error.args[0] if isinstance(error, LookupError) else error)
            return message.Shown(text, message.card(message.words(text), ""))
        if self.review:
            passed = "passed" in self.again.get(name, {}).values()
        else:
            passed = self._record(name).passed
        if not passed:
            self.journal.add("solution", exercise=self.exercise.name, question=name)
        advice = (
            "" if passed else "Read it, close it, clear your cell, and write it again from memory."
        )
        code = f"<pre>{message.html.escape(source)}</pre>"
        title = f"Our solution of <code>{question.name}</code>"
        body = message.paragraph(advice) + code
        return message.Shown(f"our solution of {name}", message.card(title, body))

    def skip(self, name: str) -> message.Shown:
        """Leave a question for later; `nncheck review` brings it back."""
        question = self._question(name)
        self.journal.add("skip", exercise=self.exercise.name, question=name)
        body = message.paragraph("The lesson goes on without it. `nncheck review` brings it back.")
        title = f"<code>{question.name}</code> is left for later"
        return message.Shown(f"{name} is left for later", message.card(title, body))

    def stop_watching(self):
        """Forget this notebook: a newer `open_exercise` watches it."""
        self.kernel.stop_watching()

    def _question(self, name) -> Question:
        if name not in self.exercise.questions:
            raise ValueError(
                f"{self.exercise.name} has no question {name!r}; it has "
                f"{', '.join(self.exercise.questions)}."
            )
        return self.exercise.questions[name]

    def _unknown(self, name):
        known = ", ".join(f"`{q}`" for q in self.exercise.questions)
        verdict = Verdict(
            self.exercise.name,
            str(name),
            "missing",
            0,
            0,
            "unknown",
            f"There is no such question in {self.exercise.name}. There are: {known}.",
        )
        return message.result(verdict)

    def _interrupted(self, question):
        return Verdict(
            self.exercise.name,
            question.name,
            "error",
            0,
            question.points,
            "interrupted",
            f"You stopped the check while `{question.name}` was still running. Does a loop in it "
            "never end?",
        )

    def _record(self, name):
        records = progress.questions(self.journal.events())
        return records.get((self.exercise.name, name), progress.QuestionRecord())

    def _count_try(self, verdict) -> int:
        """How many tries there have been; this one counts if it ran and its source is new."""
        source = self.kernel.source_hash(verdict.question)
        if self.review:
            return self._count_again(verdict, source)
        self.journal.add_try(verdict, source, self.exercise.fingerprint)
        return self._record(verdict.question).tries

    def _count_again(self, verdict, source) -> int:
        known = self.again.setdefault(verdict.question, {})
        if verdict.status in ("passed", "failed") and source not in known:
            known[source] = verdict.status
            self.journal.add(
                "review",
                exercise=verdict.exercise,
                question=verdict.question,
                status=verdict.status,
            )
        return len(known)


# --------------------------------------------------------------------------- this kernel


@dataclass(frozen=True)
class Run:
    """The run of a cell that an answer comes from."""

    count: int
    source: str
    cell_id: str
    at: float


class Kernel(Local):
    """The answers as they stand in this kernel, and which run of which cell each comes from."""

    def __init__(self, names, shell=None):
        super().__init__(names)
        self.shell = shell
        self.runs: dict[str, Run] = {}
        self.failed: dict[str, tuple[int, str]] = {}
        self._seen: dict[str, object] = {}
        self.after_cell: list = []

    def watch(self, questions):
        """From now on, notice which cell defines the answer of which question."""
        self._seen = {name: self.names.get(name, NO_VALUE) for name in questions}
        if self.shell:
            self.shell.events.register("post_run_cell", self._after_cell)

    def stop_watching(self):
        """Notice no more."""
        if self.shell:
            self.shell.events.unregister("post_run_cell", self._after_cell)

    def _after_cell(self, result):
        source = result.info.raw_cell or ""
        for name, seen in self._seen.items():
            value = self.names.get(name, NO_VALUE)
            if value is not seen:
                self._seen[name] = value
                cell_id = str(getattr(result.info, "cell_id", "") or "")
                self.runs[name] = Run(result.execution_count or 0, source, cell_id, time.time())
                self.failed.pop(name, None)
            elif not result.success and defines(source, name):
                error = result.error_before_exec or result.error_in_exec
                self.failed[name] = (result.execution_count or 0, type(error).__name__)
        while self.after_cell:
            self.after_cell.pop(0)()

    def trouble(self, name: str) -> Trouble | None:
        """Not run, changed since it ran, or gone; None if the answer can be checked."""
        saved = saved_notebook()
        if name not in self.names:
            if name in self.failed:
                count, error = self.failed[name]
                text = f"Your run [{count}] ended in a {error} before `{name}` was defined: "
                return Trouble("error", "syntax", text + "mend the cell and run it again.")
            if saved and not any(defines(c.source, name) for c in saved.cells):
                return super().trouble(name)
            return Trouble(
                "not run",
                "not run",
                f"`{name}` has not been run since the kernel started. Choose Run > Run All Above "
                "Selected Cell from the menu, then run this check.",
            )
        run = self.runs.get(name)
        if run and saved and saved.at > run.at:
            by_id = {c.id: c for c in saved.cells}
            cell = by_id.get(run.cell_id) or submission.answer_cell(saved.cells, name)
            if cell and cell.source.strip() != run.source.strip() and defines(cell.source, name):
                return Trouble(
                    "stale",
                    "stale",
                    f"The cell of `{name}` has changed since you ran it in [{run.count}]. Run it "
                    "first (Shift+Enter), then run this check.",
                )
        return None

    def which(self, name: str) -> str:
        """Which run of which cell was checked, in words."""
        run = self.runs.get(name)
        if not run or name not in self.names:
            return ""
        text = f"This is `{name}` as you ran it in [{run.count}]."
        if "raise NotImplementedError" in run.source:  # what is not saved yet cannot be seen here
            text += " If you have written it since, run its cell first (Shift+Enter)."
        if name in self.failed:
            count, error = self.failed[name]
            text += f" Your later run [{count}] of the cell ended in a {error} and changed nothing."
        return text

    def source_hash(self, name: str) -> str:
        """Changes when the answer's code changes, not with its comments or spaces."""
        run = self.runs.get(name)
        return submission.source_hash(run.source if run else _source_text(self.names.get(name)))


@dataclass(frozen=True)
class Saved:
    """A notebook as it was last saved, and when."""

    cells: list[submission.Cell]
    at: float


def saved_notebook() -> Saved | None:
    """The notebook of this kernel as it stands on disk, where the server says which one it is."""
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))
    if path.suffix != ".ipynb":
        return None
    try:
        return Saved(submission.read(path), path.stat().st_mtime)
    except (submission.Unreadable, OSError):
        return None


def solution_source(exercise_name: str, question: str) -> str:
    """Our solution's cell, without the marks of its region."""
    cell = submission.answer_cell(submission.read(exercise.solution(exercise_name)), question)
    if cell is None:
        raise LookupError(f"The solutions of {exercise_name} have no cell for {question}.")
    return submission.unmarked(cell.source)


class _Unread:
    """A function that can be called; what it does is for the learner to find out."""

    def __init__(self, function, name):
        self._function, self.__name__ = function, f"broken_{name}"

    def __call__(self, *args, **kwargs):
        return self._function(*args, **kwargs)

    def __repr__(self):
        return f"<{self.__name__}: call it, and find where it goes wrong>"


def _source_text(thing) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return repr(type(thing))


def shell() -> Any:
    """The IPython that runs this code, or None."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


# ------------------------------------------------------------------------------- buttons


def has_front_end() -> bool:
    """Is somebody looking: a kernel that a notebook server started for a person?"""
    return bool(shell() and os.environ.get("JPY_SESSION_NAME"))


def _offer(checks, verdict, offered):
    """Buttons below the card, where they can work; the card's words say the same."""
    wanted = []
    if verdict.passed or offered.solution:
        label = "Compare with our solution" if verdict.passed else "Show our solution"
        wanted.append((label, checks.solution))
    if offered.skip and not verdict.passed:
        wanted.append(("Skip for now", checks.skip))
    if not wanted or not has_front_end():
        return
    try:
        import ipywidgets
        from IPython.display import display
    except ImportError:
        return

    def show():
        place = ipywidgets.Output()
        buttons = []
        for label, action in wanted:
            button = ipywidgets.Button(description=label, layout={"width": "auto"})
            button.on_click(lambda _, act=action: _show_in(place, act(verdict.question)))
            buttons.append(button)
        display(ipywidgets.VBox([ipywidgets.HBox(buttons), place]))

    checks.kernel.after_cell.append(show)


def _show_in(place, shown):
    place.clear_output()
    place.append_display_data(shown)
