"""All gates on a teacher's own exercise folder: what holds and what does not, question by question.

The folder holds `checks/NN_name.py`, `solutions/NN_name.ipynb`, and the exercise notebook that
learners get, beside checks/ or in exercises/. Its code runs in this process: it is the teacher's.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nncheck import build, exercise
from nncheck.prove import gates
from nncheck.prove.candidate import Candidate

SHOWN = 6  # problems of one gate: one cause has many
TIMED = (gates.mutants_are_caught,)  # an endless mutant is stopped by a timer of Unix


@dataclass(frozen=True)
class Finding:
    """What one gate says about a question, or about the exercise as a whole if that is "".

    It holds if there are no problems. `unseen` says why it was not looked at.
    """

    exercise: str
    question: str
    gate: str
    problems: tuple[str, ...] = ()
    unseen: str = ""


def prove(home: Path, only: str = "") -> Iterator[Finding]:
    """What each gate says about each exercise of a home, or about `only` one."""
    stems = exercise.names(home)
    if only:
        found = exercise.matching(only, stems)
        if len(found) != 1:
            raise LookupError(f"There is no exercise {only!r}. There is: {', '.join(stems)}")
        stems = found
    else:
        yield from _strays(home, stems)
    for stem in stems:
        yield from _one(home, stem)


def _strays(home, stems):
    """Files that look like an exercise's and that nothing would ever find."""
    for path in sorted(exercise.checks_in(home).glob("[!_]*.py")):
        if path.stem not in stems:
            said = f"{path.name}: call it NN_name.py, such as 31_{path.name.lower()}."
            yield Finding(path.stem, "", "it is found by its name", (said,))
    for path in sorted((home / "solutions").glob("*.ipynb")):
        if path.stem not in stems:
            said = f"solutions/{path.name} has no check file {path.stem}.py; write it."
            yield Finding(path.stem, "", "it has a check file", (said,))


def _one(home, stem):
    solution = home / "solutions" / f"{stem}.ipynb"
    if not solution.is_file():
        said = f"solutions/{stem}.ipynb is missing: the gates try your own solution. Write it."
        yield Finding(stem, "", "it has a solution", (said,))
        return
    try:
        candidate = Candidate(home, stem)
        blank, *_ = candidate.blank, candidate.names, candidate.trials  # what all gates look at
    except Exception as error:  # whatever the teacher's files raise
        yield Finding(stem, "", "it can be tried", (_raised(error),))
        return
    handed_out = exercise.notebooks_in(home) / f"{stem}.ipynb"
    problems = build.difference(blank, handed_out)
    yield Finding(stem, "", "the notebook is what the solution makes", tuple(problems))
    for gate in gates.OF_EXERCISES:
        if gate in TIMED and not hasattr(signal, "setitimer"):
            yield Finding(stem, "", _title(gate), unseen="this system has no timer for it")
        else:
            yield Finding(stem, "", _title(gate), _problems(gate, candidate))
    for name, question in candidate.exercise.questions.items():
        for gate in gates.OF_QUESTIONS:
            yield Finding(stem, name, _title(gate), _problems(gate, candidate, question))


def _problems(gate, *about):
    try:
        return tuple(gate(*about))
    except Exception as error:  # whatever the teacher's code raises
        return (_raised(error),)


def _raised(error):
    return f"{type(error).__name__}: {error}"


def _title(gate):
    return gate.__name__.replace("_", " ")


# ---------------------------------------------------------------------------------- words


def said(finding: Finding, before: Finding | None) -> Iterator[str]:
    """A line for a gate, under a heading where its exercise or question is another than before."""
    name, question = finding.exercise, finding.question
    if before is None or before.exercise != name:
        yield f"\n{name}" if before else name
    if before is None or (before.exercise, before.question) != (name, question):
        yield f"  {question or 'the exercise as a whole'}"
    word = "FAILS" if finding.problems else "unseen" if finding.unseen else "holds"
    yield f"    {word:<6} {finding.gate}" + (f" ({finding.unseen})" if finding.unseen else "")
    for problem in finding.problems[:SHOWN]:
        yield f"           {' '.join(problem.split())}"
    if len(finding.problems) > SHOWN:
        yield f"           ... and {len(finding.problems) - SHOWN} more"
