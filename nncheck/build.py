"""From a solution notebook to the exercise notebook that a learner fills in."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from nncheck import exercise, notebooks

STUB = ("# YOUR CODE HERE", "raise NotImplementedError")
SHORT = 12  # a solution's line of up to this many characters gives nothing away


def build(home: Path, check: bool = False) -> list[str]:
    """Write exercises/ from solutions/ and say what was written; `check` only says what differs."""
    said = []
    solutions = sorted((home / "solutions").glob("*.ipynb"))
    for solution in solutions:
        target = exercise.notebooks_in(home) / solution.name
        made = blank(notebooks.read(solution), points(solution), solution)
        if check:
            said += difference(made, target)
        elif notebooks.write(made, target):
            said.append(f"{target.parent.name}/{target.name}: written")
    known = {solution.name for solution in solutions}
    for left in sorted(exercise.notebooks_in(home).glob("*.ipynb")):
        if left.name not in known:
            said.append(
                f"{left.parent.name}/{left.name}: there is no solutions/{left.name} to build it "
                "from."
            )
    return said


def difference(made: NotebookNode, committed: Path) -> list[str]:
    """Say how a committed exercise differs from the one that is built, and why that may be."""
    name = f"{committed.parent.name}/{committed.name}"
    if not committed.exists():
        return [f"{name}: missing. Run `nncheck build`."]
    there = notebooks.read(committed)
    if notebooks.text(there) == notebooks.text(made):
        return []
    changed = {key for key, _ in set(sources(there)) ^ set(sources(made))}
    if changed and all(key.startswith("answer-") for key in changed):
        return [
            f"{name}: you solved it here ({', '.join(sorted(changed))}). Solve it in your working "
            "copy instead: `nncheck start my-course` makes one, `nncheck build` restores this file."
        ]
    which = f"differs from its solution in {', '.join(sorted(changed))}"
    other = "has outputs or metadata that an exercise does not have"
    return [f"{name}: {which if changed else other}. Run `nncheck build`."]


def sources(nb: NotebookNode) -> list[tuple[str, str]]:
    return [(cell.get("id", ""), cell.source) for cell in nb.cells]


def points(solution: Path) -> dict[str, float]:
    """What each question of a solution notebook is worth, from the check file of its name."""
    home = solution.parent.parent
    checks = exercise.checks_in(home) / f"{solution.stem}.py"
    if not checks.exists():
        needed = checks.relative_to(home).as_posix()
        raise FileNotFoundError(f"{solution}: it needs {needed}; write it.")
    return {name: q.points for name, q in exercise.Exercise(checks).questions.items()}


def blank(
    solution: NotebookNode, points: Mapping[str, float], path: str | Path = "the solution"
) -> NotebookNode:
    """The exercise of a solution: stubs for the regions, no outputs, nothing `solution-only`."""
    nb = notebooks.without_outputs(notebooks.marked(solution, points))
    nb.cells = [c for c in nb.cells if "solution-only" not in c.metadata.get("tags", [])]
    checked, answered = [], []
    for cell in nb.cells:
        where = f"{path}, cell {cell.id!r}"
        checked += [notebooks.checked_name(cell)] if notebooks.checked_name(cell) else []
        if cell.cell_type == "code":
            answered += notebooks.answer_names(cell)
            cell.source = stubbed(cell.source, where)
    for name in checked:
        if name not in points:
            raise ValueError(
                f'{path}: check("{name}") asks for a question that the check file does not have. '
                f"It has: {', '.join(points)}."
            )
    for name in points:
        if checked.count(name) != 1:
            raise ValueError(
                f'{path}: question {name} needs exactly one cell check("{name}"); '
                f"there are {checked.count(name)}."
            )
        if answered.count(name) != 1:
            raise ValueError(
                f"{path}: question {name} needs exactly one definition of {name} with a solution "
                f"region in it; there are {answered.count(name)}."
            )
    return nb


def stubbed(source: str, where: str = "the cell") -> str:
    """Put a stub in place of each solution region of a code cell.

    >>> print(stubbed('''def double(x):
    ...     # BEGIN SOLUTION
    ...     return 2 * x
    ...     # END SOLUTION'''))
    def double(x):
        # YOUR CODE HERE
        raise NotImplementedError
    """
    kept: list[str] = []
    stubs: list[int] = []
    begun = 0
    for number, line in enumerate(source.split("\n"), 1):
        mark = notebooks.REGION.fullmatch(line)
        if not mark and re.search(r"\b(BEGIN|END) SOLUTION\b", line):
            raise ValueError(
                f"{where}, line {number}: the mark of a region needs a line of its own."
            )
        if mark and mark[2] == "BEGIN":
            if begun:
                raise ValueError(
                    f"{where}, line {number}: BEGIN SOLUTION inside the region that began on line "
                    f"{begun}; write its END SOLUTION first."
                )
            begun = number
            kept += [mark[1] + part for part in STUB]
            stubs.append(len(kept))
        elif mark:
            if not begun:
                raise ValueError(f"{where}, line {number}: END SOLUTION without a BEGIN SOLUTION.")
            begun = 0
        elif not begun:
            kept.append(line)
    if begun:
        raise ValueError(f"{where}, line {begun}: this BEGIN SOLUTION has no END SOLUTION.")
    result = "\n".join(kept)
    if stubs:
        must_not_raise(result, stubs, where)
    return result


def must_not_raise(source: str, stubs: list[int], where: str) -> None:
    """A stub may raise only when it is called: each must stand inside a function."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ValueError(
            f"{where}: with the stub in place of the region it is not Python: {error}."
        ) from None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    spans = [(n.lineno, n.end_lineno or 0) for n in ast.walk(tree) if isinstance(n, kinds)]
    for line in stubs:
        if not any(first < line <= last for first, last in spans):
            raise ValueError(
                f"{where}: a region stands outside a function, so its stub would stop the notebook "
                "from running. Put it inside the function that the learner writes."
            )


def leaks(solution: NotebookNode, shown: NotebookNode) -> list[str]:
    """Lines of the solution's regions that stand in the exercise `shown`.

    A line counts if it is longer than 12 characters and is not also a line of given code (a worked
    example, say), as each fading exercise repeats some.
    """
    secret, given = [], set()
    for cell in solution.cells:
        inside = False
        for line in cell.source.splitlines() if cell.cell_type == "code" else ():
            mark = notebooks.REGION.fullmatch(line)
            if mark:
                inside = mark[2] == "BEGIN"
            elif inside:
                secret.append(line.strip())
            elif "solution-only" not in cell.metadata.get("tags", []):
                given.add(line.strip())
    everything = "\n".join(text for cell in shown.cells for text in texts(cell))
    return [
        line
        for line in dict.fromkeys(secret)
        if len(line) > SHORT and line not in given and line in everything
    ]


def texts(cell: NotebookNode) -> list[str]:
    """All text in a cell: its source and its outputs."""
    found = [cell.source]
    for out in cell.get("outputs", []):
        found += [out.get("text", ""), *map(str, out.get("data", {}).values())]
    return found
