"""What you have built, as one file of plain Python: `nncheck mine` writes `my_nn.py`.

Your answers that pass are in it, and what they use of their notebooks; the others are borrowed
from the solutions, and say so. Each lesson was written on its own, so two of them may give one name
to different things. Then the name belongs to the answer of that name, of two answers to the later
one, and the other thing is called with its lesson's number, `relu_13`, wherever its lesson uses it.
"""

import ast
import builtins
import dis
import html
import itertools
import re
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, ModuleType

from nncheck import checkup, exercise, message, notebooks, progress, submission, workcopy
from nncheck.exercise import Catch
from nncheck.submission import Cell

FILE = "my_nn.py"
LAST = "99"  # no lesson has a higher number
HEADER = '''"""What you have built. Your own answers: {own}; borrowed from the course: {borrowed}.

Written by `nncheck mine`. Above each answer stand its lesson and its name. Where two lessons give
one name to different things, an answer keeps it, and of two answers the later one; the other
carries the number of its lesson.
"""
'''
LOADS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")
STORES = ("STORE_NAME", "STORE_GLOBAL")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(eq=False)
class Piece:
    """One statement of a notebook's top level, with its names.

    `binds` are those that it defines or adds to, `makes` those that it defines anew.
    """

    source: str
    uses: set[str]
    binds: set[str]
    makes: set[str]
    borrowed: bool
    imports: bool = False


@dataclass
class Lesson:
    """What one exercise adds to the file, and whose answers these are."""

    name: str
    own: list[str]
    borrowed: list[str]
    pieces: list[Piece]
    renamed: dict[str, str] = field(default_factory=dict)


# ------------------------------------------------------------------------------- the file


def write(
    folder: Path, targets: Iterable[tuple[Path, str]], before: str = LAST
) -> tuple[list[Lesson], str]:
    """Write `my_nn.py` into a working copy, from these notebooks of it: whose answers are in it,
    and what became of the file.

    `before` is the number of a lesson: what is built there or later is left out. A file that was
    changed by hand stays, and the new one arrives beside it.
    """
    if not workcopy.is_working_copy(folder):
        raise FileNotFoundError(
            f"{folder} is not a working copy (it has no {workcopy.MANIFEST}). Go to the folder "
            "that `nncheck start` wrote, or name it: nncheck mine my-course"
        )
    lessons = gather(targets, before)
    text = compose(lessons)
    manifest = workcopy.read_manifest(folder)
    now, new = workcopy.fingerprint_of(folder / FILE), workcopy.fingerprint(FILE, text)
    if now is None or workcopy.same(now, manifest.get(FILE)) or workcopy.same(now, new):
        notebooks.write_text(folder / FILE, text)
        manifest[FILE] = new
        said = f"{FILE} is written."
    else:
        said = workcopy.beside(folder, FILE, text, manifest)
    workcopy.write_manifest(folder, manifest)
    return lessons, said


def ready(before: str) -> message.Shown:
    """Make `my_nn` ready to be imported in this notebook; displays what is your own.

    It holds what was built before the lesson with this number: a later answer of the same name
    would take its place. In a working copy this writes `my_nn.py`, as `nncheck mine` does; if the
    file was changed by hand, it is the one that is imported. Elsewhere nothing is written, and all
    of it is borrowed.
    """
    record = progress.find()
    if record:
        path = record.with_name(FILE)
        lessons, said = write(path.parent, checkup.targets([str(path.parent)]), before)
        text = path.read_text(encoding="utf-8")
    else:
        path, lessons = Path(FILE), gather(before=before)
        said, text = "This is no working copy, so all of it is borrowed.", compose(lessons)
    module = ModuleType(path.stem)
    exec(compile(text, str(path), "exec"), vars(module))
    sys.modules[path.stem] = module
    again = "A borrowed answer works as well. When your own one passes, run this cell again."
    head, *lines = (map(html.escape, row) for row in rows(lessons))
    body = f"<tr><th>{'</th><th>'.join(head)}</th></tr>"
    body += "".join(f"<tr><td>{'</td><td>'.join(line)}</td></tr>" for line in lines)
    body = f"<table>{body}</table>" + "".join(map(message.small, (renamed(lessons), said, again)))
    return message.Shown(f"{FILE} is ready.", message.card("What is your own", body))


def rows(lessons: Sequence[Lesson]) -> list[tuple[str, str, str]]:
    """A line for each exercise: which answers are your own, which are borrowed."""
    found = [(n.name, ", ".join(n.own) or "-", ", ".join(n.borrowed) or "-") for n in lessons]
    return [("exercise", "own", "borrowed"), *found]


def renamed(lessons: Sequence[Lesson]) -> str:
    """Which names had to change; nothing if none had."""
    found = [new for lesson in lessons for new in lesson.renamed.values()]
    return f"With their lesson's number, as another has the name: {', '.join(found)}." * bool(found)


def table(lessons: Sequence[Lesson]) -> str:
    """The rows as text, and the names that had to change."""
    lines = rows(lessons)
    first, second = (max(len(line[i]) for line in lines) for i in (0, 1))
    text = [f"{name:<{first}}  {own:<{second}}  {borrowed}" for name, own, borrowed in lines]
    return "\n".join(filter(None, [*text, renamed(lessons)]))


def compose(lessons: Sequence[Lesson]) -> str:
    """The text of the file."""
    counts = {kind: sum(len(getattr(n, kind)) for n in lessons) for kind in ("own", "borrowed")}
    imports = sorted({p.source for n in lessons for p in n.pieces if p.imports})
    parts = ["\n".join([HEADER.format(**counts), *imports])]
    for lesson in lessons:
        asked = {lesson.renamed.get(name, name) for name in (*lesson.own, *lesson.borrowed)}
        for piece in lesson.pieces:
            if not piece.imports:
                label = f"# {lesson.name}: {', '.join(sorted(piece.binds))}"
                if not piece.binds & asked:
                    label += " (a helper)"
                elif piece.borrowed:
                    label += "  # borrowed"
                parts.append(f"{label}\n{piece.source}")
    return "\n\n\n".join(parts) + "\n"


# ------------------------------------------------------------------------------- gathering


def gather(targets: Iterable[tuple[Path, str]] = (), before: str = LAST) -> list[Lesson]:
    """Every exercise before a lesson: own answers from these notebooks, the rest from solutions.

    The notebooks' answers run in a process of their own, as `nncheck check` runs them. What is
    solved in torch is left out: the file is about doing without.
    """
    names = (n for n in exercise.names() if n < before and exercise.uses(n) != "torch")
    lessons = {name: _lesson(name) for name in names}
    for path, name in targets:
        if name not in lessons:
            continue
        verdicts = checkup.check(path, name, record=False).verdicts
        passed = {v.question for v in verdicts if v.passed}
        if passed & set(lessons[name].borrowed):
            lessons[name] = _lesson(name, passed, submission.read(path))
    found = list(lessons.values())
    _give_numbers(found)
    return found


def _lesson(name: str, passed: Collection[str] = (), cells: Iterable[Cell] = ()) -> Lesson:
    questions = exercise.load(name).questions.values()
    asked = [q.name for q in questions if not isinstance(q, Catch)]
    own = [q for q in asked if q in passed]
    rest = [q for q in asked if q not in passed]
    ours = solution(name)
    if not own:
        return Lesson(name, own, rest, needed(asked, ours))
    theirs = _filled(list(pieces(cells)), ours, set(rest))
    return Lesson(name, own, rest, needed(asked, theirs, ours))


def solution(name: str) -> list[Piece]:
    """The pieces of an exercise's solution."""
    return list(pieces(submission.read(exercise.solution(name)), borrowed=True))


def _filled(theirs, ours, missing):
    """The learner's pieces, with ours where an answer has not passed."""
    found = []
    for piece in theirs:
        if piece.binds & missing:
            found += [p for p in ours if p.binds & piece.binds & missing and p not in found]
        else:
            found.append(piece)
    return found + [p for p in ours if p.binds & missing and p not in found]


def needed(
    names: Iterable[str], pieces: Sequence[Piece], spare: Sequence[Piece] = ()
) -> list[Piece]:
    """The pieces that define these names and all that those use, in the notebook's order.

    What `pieces` do not define comes from `spare`.
    """
    chosen: list[Piece] = []
    wanted, seen = list(names), set()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        found = _binding(name, pieces) or _binding(name, spare)
        if not found and not hasattr(builtins, name):
            found = _binding("*", pieces)
        chosen += [p for p in found if p not in chosen]
        wanted += [use for p in found for use in p.uses]
    everything = [p for p in spare if p not in pieces] + list(pieces)
    return [p for p in everything if p in chosen]


def _binding(name, pieces):
    """The last piece that makes a name, and those that add to it or make it of itself."""
    found = [p for p in pieces if name in p.binds]
    last = max((i for i, p in enumerate(found) if name in p.makes), default=0)
    return found[last:]


# ------------------------------------------------------------------------------- pieces


def pieces(cells: Iterable[Cell], borrowed: bool = False) -> Iterator[Piece]:
    """The statements of a notebook, as a check runs them; a cell that is not Python has none."""
    for cell in cells:
        source = submission.unmarked(cell.source)
        try:
            with warnings.catch_warnings(action="ignore"):
                body = ast.parse(source).body if cell.runs else []
                compile(source, "", "exec")
        except (SyntaxError, ValueError, RecursionError):
            continue
        lines, end = source.splitlines(), 0
        for statements in _by_lines(body):
            first, last = _first_line(statements[0]), statements[-1].end_lineno or 0
            while first - 1 > end and lines[first - 2].startswith("#"):
                first -= 1  # a comment that stands right above belongs to it
            end = last
            if all(isinstance(s, (ast.Import, ast.ImportFrom)) for s in statements):
                for statement in statements:
                    yield from _imports(statement, borrowed)
            else:
                yield _piece("\n".join(lines[first - 1 : last]), statements, borrowed)


def _by_lines(body):
    """The statements in groups: those that share a line belong together."""
    groups: list[list[ast.stmt]] = []
    for statement in body:
        if groups and _first_line(statement) <= (groups[-1][-1].end_lineno or 0):
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _first_line(statement):
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _imports(statement, borrowed):
    start = f"from {statement.module} " if isinstance(statement, ast.ImportFrom) else ""
    for alias in statement.names:
        name = alias.asname or alias.name.split(".")[0]
        as_name = f" as {alias.asname}" if alias.asname else ""
        source = f"{start}import {alias.name}{as_name}"
        yield Piece(source, set(), {name}, {name}, borrowed, imports=True)


def _piece(source, statements, borrowed):
    code = compile(source, "", "exec")
    uses = {i.argval for i in _names(code) if i.opname in LOADS}
    stored = {i.argval for i in _names(code) if i.opname in STORES}
    added = {
        root.id
        for s in statements
        for target in getattr(s, "targets", [getattr(s, "target", None)])
        if isinstance(target, (ast.Attribute, ast.Subscript))
        and isinstance(root := _root(target), ast.Name)
    }
    defined = {s.name for s in statements if isinstance(s, DEFINITIONS)}
    return Piece(source, uses, stored | added, (stored - uses) | defined, borrowed)


def _root(target):
    while isinstance(target, (ast.Attribute, ast.Subscript)):
        target = target.value
    return target


def _names(code: CodeType) -> Iterator[dis.Instruction]:
    """Every use or definition of a global name, also inside functions and classes."""
    here = [i for i in dis.get_instructions(code) if i.opname in LOADS + STORES]
    of_a_class = {i.argval for i in here if i.opname == "STORE_NAME"}
    yield from (i for i in here if code.co_name == "<module>" or i.argval not in of_a_class)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


# ------------------------------------------------------------------------------- names


def _give_numbers(lessons):
    """Where two lessons make different things of one name, number all but the one that keeps it."""
    keeps: dict[str, tuple[bool, str]] = {}
    made = [
        # The same import in two lessons is one thing; anything else is the lesson's own.
        (lesson, name, piece.source if piece.imports else lesson.name)
        for lesson in lessons
        for piece in lesson.pieces
        for name in sorted(piece.makes - {"*"})
    ]
    for lesson, name, thing in made:
        answer = name in lesson.own + lesson.borrowed
        if answer >= keeps.get(name, (False,))[0]:
            keeps[name] = answer, thing
    for lesson, name, thing in made:
        if keeps[name][1] != thing:
            lesson.renamed[name] = f"{name}_{lesson.name[:2]}"
    for lesson in lessons:
        if lesson.renamed:
            lesson.pieces = [_renamed(p, lesson.renamed) for p in lesson.pieces]


def _renamed(piece, names):
    if piece.imports:
        [name] = piece.binds
        plain = piece.source.removesuffix(f" as {name}")
        source = f"{plain} as {names[name]}" if name in names else piece.source
    else:
        source = rename(piece.source, names)
    binds, makes = ({names.get(n, n) for n in group} for group in (piece.binds, piece.makes))
    return replace(piece, source=source, binds=binds, makes=makes)


def rename(source: str, names: Mapping[str, str]) -> str:
    """Give global names in a piece of Python other names; locals and attributes keep theirs.

    >>> print(rename("def relu(x): return np.relu(relu(x))", {"relu": "relu_13"}))
    def relu_13(x): return np.relu(relu_13(x))
    """
    text = source.encode()
    starts = [0, *itertools.accumulate(map(len, text.splitlines(keepends=True)))]
    found = {}
    for i in _names(compile(source, "", "exec")):
        if i.argval in names and i.positions and i.positions.lineno:
            start = starts[i.positions.lineno - 1] + (i.positions.col_offset or 0)
            old = i.argval.encode()
            if not text.startswith(old, start):  # the whole of a def or class statement
                start = re.compile(rb"\b(?:def|class)\s+(%b)\b" % old).search(text, start).start(1)
            found[start] = old, names[i.argval].encode()
    for start, (old, new) in sorted(found.items(), reverse=True):
        text = text[:start] + new + text[start + len(old) :]
    # The only place where a name of ours stands and the compiler does not say where.
    listed = re.compile(r"^\s*global\b.*", re.MULTILINE)
    word = re.compile(r"\w+")
    return listed.sub(
        lambda line: word.sub(lambda w: names.get(w[0], w[0]), line[0]), text.decode()
    )
