"""What an exercise is: questions, each with a right answer, known wrong answers, and probes.

An exercise is a check file, `exercises/checks/NN_name.py`. It exists because the file does; there
is no list of exercises anywhere.
"""

import builtins
import contextlib
import dis
import hashlib
import importlib.util
import inspect
import os
import re
import sys
import textwrap
import types
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nncheck import wire
from nncheck.worker import ALLOWED, NO_VALUE, allowed_modules, owner_of

NOTEBOOK_SEED = 0  # fixed, so that a learner sees the same numbers until the answer changes


# ------------------------------------------------------------------- what a check file says


@dataclass(eq=False)
class Wrong:
    """A known wrong answer: how it is spelled, and the sentence a learner reads about it."""

    name: str
    sentence: str
    answer: Any
    like: str | None = None
    sneaky: bool = False
    when: Callable[..., bool] | None = None

    @property
    def mistake(self) -> str:
        """The name shown: its own, or that of the wrong answer it is another spelling of."""
        return self.like or self.name


@dataclass(eq=False)
class Question:
    """One thing to build. Its name is the name of the learner's answer."""

    name: str
    sentence: str
    points: float
    right: Any
    also: tuple[Any, ...]
    hints: tuple[str, ...]
    builds: tuple[str, ...]
    draw: Callable[[np.random.Generator], Iterator[tuple]]
    wrongs: list[Wrong] = field(default_factory=list)

    def calls(self, seed: int) -> list["Call"]:
        """The probes with their data for one seed."""
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return [self._call(probe, data) for probe, *data in self.draw(rng)]

    def _call(self, probe, data):
        if probe is call:
            names, labels = (self.name,), _parameters(self.right)
        else:
            parameters = _parameters(probe)
            if len(parameters) < len(data) + 1:
                raise ValueError(
                    f"{self.name}: probe {probe.__name__}({', '.join(parameters)}) needs at least "
                    f"one name before its data; {len(data)} data were yielded for it."
                )
            split = len(parameters) - len(data)
            names, labels = tuple(parameters[:split]), parameters[split:]
        labels = tuple(labels) if len(labels) >= len(data) else tuple("xyzuvwst"[: len(data)])
        return Call(probe, names, labels[: len(data)], tuple(wire.plain(d) for d in data))


@dataclass(eq=False)
class Catch(Question):
    """A question whose answer is an input on which a wrong implementation shows itself."""

    broken: Any = None
    size: int = 1000
    largest: float = 1000.0
    allow: Callable[..., str | None] | None = None


@dataclass(frozen=True, eq=False)
class Call:
    """A probe, the names it asks for, and one draw of data for it."""

    probe: Callable
    names: tuple[str, ...]
    labels: tuple[str, ...]
    data: tuple[Any, ...]

    @property
    def size(self) -> int:
        """How many numbers its data hold."""
        return sum(map(_count, self.data))


def call(answer, *data):
    """The plainest probe: the answer, called on the data."""
    return answer(*data)


def question(*, points, right, also=(), hints=(), builds=()):
    """Make a question of a generator of probes; its docstring is the question's one sentence.

    Each item it yields is a probe followed by the probe's data. `right` is the right answer, `also`
    are different right ones, `builds` names what of nnlib may not be used ("functional.softmax").
    """

    def decorate(draw) -> Question:
        return Question(
            name=draw.__name__,
            sentence=_sentence(draw, "question"),
            points=points,
            right=right,
            also=tuple(also),
            hints=tuple(hints),
            builds=tuple(builds),
            draw=draw,
        )

    return decorate


def catch(*, points, right, wrong, hints=(), size=1000, largest=1000.0, allow=None):
    """Make a catch-it question: find an input on which `wrong` replies otherwise than `right`.

    The learner's answer is a function without arguments that returns the input (a tuple, if `right`
    takes several arguments). It may hold at most `size` numbers, none beyond `largest`;
    `allow(*input)` may return a sentence that says why an input does not count. The decorated
    function is documentation, and may return an input that does catch it.
    """

    def decorate(example) -> Catch:
        return Catch(
            name=example.__name__,
            sentence=_sentence(example, "question"),
            points=points,
            right=right,
            also=(example,) if example() is not None else (),
            hints=tuple(hints),
            builds=(),
            draw=lambda rng: iter([(call,)]),
            broken=wrong,
            size=size,
            largest=largest,
            allow=allow,
        )

    return decorate


def wrong(question: Question, *, like=None, sneaky=False, when=None):
    """Add a known wrong answer to a question. Its docstring is what the learner reads.

    `like` is a wrong answer that this is another spelling of; `sneaky` marks one that passes a
    naive test. For a catch-it question the wrong answer returns a useless input, and
    `when(*input)` may say which other inputs are useless for the same reason.
    """

    def decorate(answer):
        of = None
        if like is not None:
            of = next((w for w in question.wrongs if w.answer is like), None)
            if of is None:
                raise ValueError(
                    f"{answer.__name__}: like={like.__name__} is not a wrong answer of "
                    f"{question.name}; write that one first."
                )
        question.wrongs.append(
            Wrong(
                name=answer.__name__,
                sentence=of.sentence if of else _sentence(answer, "wrong answer"),
                answer=answer,
                like=of.mistake if of else None,
                sneaky=sneaky or bool(of and of.sneaky),
                when=when,
            )
        )
        return answer

    return decorate


def _sentence(thing, what):
    text = inspect.getdoc(thing) if thing.__doc__ else None
    if not text:
        raise ValueError(f"{thing.__name__}: a {what} needs a docstring, the sentence it shows.")
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


# ------------------------------------------------------------------------------- the exercise


class Exercise:
    """A check file, loaded: its questions in order, and how to put other answers in their place."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self.name = self.path.stem
        self.module = _import(self.path)
        found = [v for v in vars(self.module).values() if isinstance(v, Question)]
        self.questions: dict[str, Question] = {q.name: q for q in found}
        self.uses: str = getattr(self.module, "USES", "")
        self.equivalent: dict = getattr(self.module, "equivalent", {})
        if self.uses not in ALLOWED:
            raise ValueError(f"{self.path.name}: write USES = one of {', '.join(ALLOWED)}.")
        if not found:
            raise ValueError(f"{self.path.name}: no question in it; write one with @question(...).")
        for q in found:  # from here on a question's name means its right answer, as in a notebook
            setattr(self.module, q.name, q.right)
        for name in self.builds:
            if self.uses == "numpy" or not hasattr(owner_of(name), name.split(".")[-1]):
                raise ValueError(f"{self.path.name}: builds={name!r} is no name that USES allows.")
        for q in found:
            for c in q.calls(NOTEBOOK_SEED):
                self._check_probe(q, c)
        self.order = self._in_order()

    @property
    def points(self) -> float:
        return sum(q.points for q in self.questions.values())

    @property
    def builds(self) -> tuple[str, ...]:
        """What of nnlib may not be used anywhere in this exercise."""
        return tuple(dict.fromkeys(b for q in self.questions.values() for b in q.builds))

    @property
    def fingerprint(self) -> str:
        """Changes when the check file changes."""
        return _fingerprint(self.path)

    @contextlib.contextmanager
    def stand_in(self, **answers):
        """The names of the right answer, with some answers in place of the right ones.

        >>> with exercise.stand_in(mul=own_data) as names: ...   # doctest: +SKIP
        """
        space = vars(self.module)
        before = {name: space.get(name, NO_VALUE) for name in answers}
        space.update(answers)
        try:
            yield space
        finally:
            space.update(before)
            for name, value in before.items():
                if value is NO_VALUE:
                    del space[name]

    def rests_on(self, call: Call, own: str) -> tuple[str, ...]:
        """The other questions whose answers a call uses."""
        return tuple(n for n in call.names if n in self.questions and n != own)

    def _in_order(self):
        """Question names, each after those that it rests on."""
        done: list[str] = []

        def visit(name, above):
            if name in above:
                raise ValueError(f"{self.path.name}: {' and '.join(above)} rest on each other.")
            for c in self.questions[name].calls(NOTEBOOK_SEED):
                for other in self.rests_on(c, name):
                    visit(other, (*above, name))
            if name not in done:
                done.append(name)

        for name in self.questions:
            visit(name, ())
        return tuple(done)

    def _check_probe(self, q, c):
        if q.name not in c.names:
            raise ValueError(
                f"{self.path.name}: probe {c.probe.__name__} of {q.name} asks for "
                f"{', '.join(c.names)} and {len(c.data)} data, so it never uses {q.name} itself."
            )
        for name in c.names:
            if name not in vars(self.module):
                raise ValueError(
                    f"{self.path.name}: probe {c.probe.__name__} of {q.name} asks for `{name}`, "
                    "which is neither a question nor a name of the check file."
                )
        if c.probe is not call:
            modules = allowed_modules(self.uses)
            used = _globals_of(c.probe.__code__) - set(modules) - set(vars(builtins))
            try:
                exec(textwrap.dedent(inspect.getsource(c.probe)), {**modules})
            except Exception as error:  # a decorator, a default or an annotation of elsewhere
                used = used or {f"what gives {type(error).__name__}: {error}"}
            if used or c.probe.__closure__ or c.probe.__name__ == "<lambda>":
                raise ValueError(
                    f"{self.path.name}: probe {c.probe.__name__} uses "
                    f"{', '.join(sorted(used)) or 'what stands outside it'}, but a probe is sent "
                    "to another process by its source: make it a function of the file, give it "
                    f"names as parameters and data as arguments, and use only {', '.join(modules)}."
                )


def _globals_of(code):
    found = {
        i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _globals_of(constant)
    return found - {"__module__", "__qualname__", "__name__"} - set(code.co_varnames)


def _parameters(function) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _count(data) -> int:
    if isinstance(data, np.ndarray):
        return data.size
    if isinstance(data, Mapping):
        return sum(map(_count, data.values()))
    if isinstance(data, (list, tuple)):
        return sum(map(_count, data))
    return 1


def _import(path):
    name = f"_checks_{path.stem}_{zlib.crc32(bytes(path.resolve())):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that inspect can find a class's source
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{path.name}: {type(error).__name__}: {error}") from error
    return module


# ------------------------------------------------------------------------- where they are


def home() -> Path:
    """The folder that holds course/, exercises/ and solutions/.

    The first that applies: the environment variable NNCHECK_EXERCISES (`--exercises` sets it), the
    checkout that an editable install comes from, the copy that travels in the package. Never the
    working folder and never beside a notebook: a submission cannot bring its own checks.
    """
    chosen = os.environ.get("NNCHECK_EXERCISES")
    if chosen:
        return home_in(chosen)
    package = Path(__file__).resolve().parent
    for folder in (package.parent, package / "_course"):
        if (folder / "exercises" / "checks").is_dir():
            return folder
    raise FileNotFoundError(
        "The course's exercises are not in this installation. Install it again, or say where they "
        "are: --exercises FOLDER."
    )


def home_in(chosen: str | Path) -> Path:
    """The home of the exercises in a folder that somebody names: checks/ or exercises/checks/."""
    folder = Path(chosen).expanduser().resolve()
    if (folder / "exercises" / "checks").is_dir():
        return folder
    if (folder / "checks").is_dir():
        return folder.parent if folder.name == "exercises" else folder
    raise FileNotFoundError(
        f"{chosen} holds no exercises: expected a folder checks/ (or exercises/checks/) in it."
    )


def checks_in(home: Path) -> Path:
    """The folder that holds the check files of a home."""
    folder = home / "exercises" / "checks"
    return folder if folder.is_dir() else home / "checks"


def notebooks_in(home: Path) -> Path:
    """The folder that holds the exercise notebooks of a home."""
    return home / "exercises" if (home / "exercises").is_dir() else home


def exercises_folder() -> Path:
    """The folder that holds the exercise notebooks."""
    return notebooks_in(home())


def names(where: Path | None = None) -> list[str]:
    """Every exercise there is, in order."""
    return sorted(p.stem for p in checks_in(where or home()).glob("[0-9][0-9]_*.py"))


def find(name: str) -> str:
    """The full name of an exercise from its name or its number.

    >>> find("22")   # doctest: +SKIP
    '22_autograd'
    """
    known = names()
    matches = matching(name, known)
    if len(matches) != 1:
        raise LookupError(
            f"There is no exercise called {name!r}. There are: {', '.join(known) or 'none'}."
        )
    return matches[0]


def matching(name: str, known: Iterable[str]) -> list[str]:
    """Those exercises whose name or number this is.

    >>> matching("22", ["21_derivatives", "22_autograd"])
    ['22_autograd']
    """
    return [n for n in known if name in (n, n[:2], n[3:])]


def load(name: str) -> Exercise:
    """The exercise of that name or number."""
    return Exercise(checks_in(home()) / f"{find(name)}.py")


def solution(name: str) -> Path:
    """The notebook of our solutions of an exercise."""
    path = home() / "solutions" / f"{name}.ipynb"
    if not path.exists():
        raise FileNotFoundError(f"This installation has no solutions of {name}.")
    return path


def fingerprint(name: str) -> str:
    """The fingerprint of an exercise, without loading it."""
    return _fingerprint(checks_in(home()) / f"{find(name)}.py")


def uses(name: str) -> str:
    """What the answers of an exercise may import, without loading it (and torch with it)."""
    source = (checks_in(home()) / f"{find(name)}.py").read_text(encoding="utf-8")
    said = re.search(r'^USES = "(\w+)"', source, re.MULTILINE)
    return said[1] if said else ""


def _fingerprint(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
