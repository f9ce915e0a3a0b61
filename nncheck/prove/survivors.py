"""Which small changes to a solution pass its own checks?"""

import ast
import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from nncheck import notebooks, worker
from nncheck.exercise import Catch
from nncheck.prove.candidate import Candidate, cells
from nncheck.prove.mutants import Mutant, mutants

SECONDS = 1.0  # of work for one verdict; a mutant that needs more does not end


def mutated(candidate: Candidate) -> Iterator[tuple[str, Mutant, dict[str, Any]]]:
    """Each mutant of the solution's regions with the question it is about and its namespace."""
    code = [cell for cell in cells(candidate.solution) if cell.runs]
    parts = [definitions(cell.source) for cell in code]
    for number, cell in enumerate(code):
        for question, lines in regions(cell.source).items():
            if isinstance(candidate.exercise.questions.get(question), Catch):
                continue
            for mutant in mutants(definition_lines(cell.source), lines):
                names = dict(candidate.names)
                changed = [*parts[:number], mutant.code, *parts[number + 1 :]]
                yield question, mutant, define(names, changed)


def define(names, parts):
    for part in parts:
        with contextlib.suppress(Exception):
            exec(part, names)
    return names


def definition_lines(source: str) -> str:
    """A cell with nothing but its functions and classes, each on the line where it was.

    >>> definition_lines("x = run()\\ndef f():\\n    return 1")
    '\\ndef f():\\n    return 1'
    """
    lines = source.split("\n")
    kept = set()
    for node in ast.parse(worker.without_magics(source)).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            kept |= set(range(first, (node.end_lineno or first) + 1))
    return "\n".join(line if n in kept else "" for n, line in enumerate(lines, 1))


def definitions(source: str):
    return compile(definition_lines(source), "<solution>", "exec")


def regions(source: str) -> dict[str, set[int]]:
    """The lines of a cell's solution regions, by the function or class that they stand in.

    >>> regions("def f(x):\\n    # BEGIN SOLUTION\\n    return x\\n    # END SOLUTION")
    {'f': {3}}
    """
    found: dict[str, set[int]] = {}
    name, inside = "", False
    for number, line in enumerate(source.split("\n"), 1):
        definition = notebooks.DEFINITION.match(line)
        name = definition[1] if definition else name
        mark = notebooks.REGION.fullmatch(line)
        if mark:
            inside = mark[2] == "BEGIN"
        elif inside:
            found.setdefault(name, set()).add(number)
    return found


def survives(candidate: Candidate, question: str, mutant: Mutant, names) -> bool:
    """Does a mutant pass, for every seed? One that does not end is caught."""
    answer = candidate.local(names)
    names = [question] if question in candidate.exercise.questions else candidate.exercise.questions
    try:
        for trial in candidate.trials:
            for name in names:
                with deadline(SECONDS):
                    if not trial.judge(answer, name).passed:
                        return False
    except TimeoutError:
        return False
    return True


@contextlib.contextmanager
def deadline(seconds: float):
    """Raise TimeoutError in the code inside after so much work, and again if it is caught."""

    def stop(*_):
        raise TimeoutError(f"not done after {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
