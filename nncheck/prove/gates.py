"""The gates: what must hold for an exercise before a learner meets it.

A gate is a function that looks at a candidate and says, sentence by sentence, what is wrong. Most
run over 20 draws of the data. Blanks are made of the solution, never read from exercises/.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

from nncheck import build, source, submission
from nncheck.answer import Remote, Reply
from nncheck.diagnose import Verdict
from nncheck.exercise import NOTEBOOK_SEED, Call
from nncheck.prove.candidate import Candidate, cells, run_notebook
from nncheck.prove.questions import (
    any_form_of_a_right_reply_passes,
    empty_replies_earn_nothing,
    hints_are_given,
    replies_depend_on_data,
    there_are_wrong_answers,
    two_right_answers_pass,
    wrong_answers_are_named,
    wrong_answers_are_told_apart,
)
from nncheck.prove.survivors import mutated, survives


def untouched_earns_nothing(candidate: Candidate) -> Iterator[str]:
    """Every question of the blank is "not done", for 0 points."""
    names = run_notebook(candidate.blank)
    for trial in candidate.trials:
        for verdict in trial.judge_all(candidate.local(names)):
            if verdict.points or verdict.status != "not done":
                yield (
                    f"{verdict.question}, seed {trial.seed}: untouched, it is {verdict.status!r} "
                    f"with {verdict.points:g} points, not 'not done' with 0. {verdict.message}"
                )


def solution_passes(candidate: Candidate) -> Iterator[str]:
    """The solution earns every point, for every seed."""
    answer = candidate.local(candidate.names)
    for trial in candidate.trials:
        for verdict in trial.judge_all(answer):
            if not verdict.passed:
                yield (
                    f"{verdict.question}, seed {trial.seed}: the solution is {verdict.status}. "
                    f"{verdict.message} {verdict.detail}"
                )


def judging_changes_nothing(candidate: Candidate) -> Iterator[str]:
    """Nothing of ours is put over the learner's code, nor left in nnlib."""
    names = dict(candidate.names)
    ours = {n: dict(vars(m)) for n, m in sys.modules.items() if re.match(r"nnlib\b", n)}
    candidate.trials[0].judge_all(candidate.local(names))
    for name in {*names, *candidate.names}:
        if names.get(name) is not candidate.names.get(name):
            yield f"judging the solution changed what {name} stands for in the notebook."
    for module, before in ours.items():
        for name, thing in vars(sys.modules[module]).items():
            if before.get(name) is not thing:
                yield f"judging the solution changed {module}.{name}."


def nothing_leaks(candidate: Candidate) -> Iterator[str]:
    """No line of a solution stands in the exercise."""
    for line in build.leaks(candidate.solution, candidate.blank):
        yield f"the exercise shows a line of its solution: {line!r}"


def mutants_are_caught(candidate: Candidate) -> Iterator[str]:
    """Every small change to the solution fails, or is listed in `equivalent`, with why."""
    equivalent = candidate.exercise.equivalent
    seen = set()
    for question, mutant, names in mutated(candidate):
        key = f"{question}: {mutant.change}"
        seen.add(key)
        if survives(candidate, question, mutant, names):
            if key not in equivalent:
                yield (
                    f"{key!r} passes. Add a probe that catches it, or list it in the check file: "
                    "equivalent = {that: why it is just as right}."
                )
        elif key in equivalent:
            yield f"{key!r} is caught; take it out of `equivalent`."
    for key in set(equivalent) - seen:
        yield f"{key!r} is in `equivalent`, but there is no such change to the solution."
    for key, why in equivalent.items():
        if not str(why).strip():
            yield f"{key!r} is in `equivalent` without a reason."


def transports_agree(candidate: Candidate) -> Iterator[str]:
    """The solution, the blank and every wrong answer get the same verdict here and in a worker."""
    exercise, trial = candidate.exercise, candidate.trials[NOTEBOOK_SEED]
    for what, nb in (("solution", candidate.solution), ("blank", candidate.blank)):
        here = trial.judge_all(candidate.local(run_notebook(nb)))
        with Remote(cells(nb), exercise) as remote:
            yield from unlike(what, here, trial.judge_all(remote))
    everything = submission.Cell("wrong-answers", source.cell_with(exercise))
    with Remote([*cells(candidate.solution), everything], exercise) as remote:
        for question in exercise.questions.values():
            for wrong in question.wrongs:
                here = candidate.judge(trial, question.name, wrong.answer)
                there = trial.judge(Renamed(remote, question.name, wrong.name), question.name)
                yield from unlike(wrong.name, [here], [there])


class Renamed:
    """A notebook's answers with another of its names in place of one answer."""

    def __init__(self, remote: Remote, name: str, other: str):
        self.remote, self.name, self.other = remote, name, other

    def trouble(self, name: str):
        return None if name == self.name else self.remote.trouble(name)

    def reply(self, call: Call) -> Reply:
        names = tuple(self.other if name == self.name else name for name in call.names)
        return self.remote.reply(replace(call, names=names))


def unlike(what: str, here: list[Verdict], there: list[Verdict]) -> Iterator[str]:
    for a, b in zip(here, there, strict=True):
        if (a.status, a.points, a.name) != (b.status, b.points, b.name):
            yield (
                f"{a.question}, {what}: {a.status} {a.name!r} in this process, {b.status} "
                f"{b.name!r} in a worker. {b.message} {b.detail}"
            )


OF_EXERCISES = (
    untouched_earns_nothing,
    solution_passes,
    judging_changes_nothing,
    nothing_leaks,
    mutants_are_caught,
    transports_agree,
)
OF_QUESTIONS = (
    empty_replies_earn_nothing,
    two_right_answers_pass,
    any_form_of_a_right_reply_passes,
    wrong_answers_are_named,
    wrong_answers_are_told_apart,
    there_are_wrong_answers,
    replies_depend_on_data,
    hints_are_given,
)
