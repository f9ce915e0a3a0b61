"""Each attack runs twice: behind the fences, where nothing may happen, and without them.

Without fences it must do its harm, or the test would be blind; the attacks on the grading itself
are stopped by the border between the processes alone, and for them a naive grader in one process
shows that they work.
"""

import inspect
import subprocess
import sys
import textwrap
import time
import types

import pytest

from nncheck import child
from nncheck.answer import Limits, Remote, Trouble
from nncheck.submission import Cell
from tests.nncheck import samples

if sys.platform != "linux":
    pytest.skip("the fences are built on what Linux has", allow_module_level=True)

from tests.attacks import (
    borrowing,
    endings,
    files,
    libraries,
    memory,
    naive,
    network,
    processes,
    replies,
)
from tests.attacks.world import World

GROUPS = (replies, libraries, borrowing, files, processes, network, memory, endings)
ATTACKS = [
    pytest.param(group, attack, id=f"{group.__name__.split('.')[-1]}: {name}")
    for group in GROUPS
    for name, attack in vars(group).items()
    if isinstance(attack, types.FunctionType)
]
MEMORY = 200 << 20
ENDLESS = Limits(cell=0.7, call=0.7, memory=MEMORY)
LIMITS = Limits(cell=20, call=5, memory=MEMORY)
HONEST = Cell(
    "honest",
    """
import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
def predict(logits):
    return np.argmax(softmax(logits), axis=1)
""",
)


def aims_at_the_grading(attack):
    group, function = attack.values
    aim = hasattr(group, "BORDER")
    return aim and function.__name__ not in getattr(group, "HARMLESS_IN_ONE_PROCESS", ())


def cell(attack, world) -> Cell:
    """A learner's cell that runs the attack, and whose answer replies what it got."""
    return Cell(
        attack.__name__,
        textwrap.dedent(inspect.getsource(attack))
        + f"""
try:
    loot = {attack.__name__}({world.addresses!r})
except Exception as error:
    loot = f"{{type(error).__name__}}: {{error}}"
softmax = loot if callable(loot) else lambda x: loot
""",
    )


def run(attack, group, world, fences):
    """The verdicts on a notebook with the attack in it, and what the attack replied."""
    of = samples.trial("01_functions")
    cells = [cell(attack, world), Cell("b", samples.CAUGHT)]
    limits = ENDLESS if group is endings or attack is replies.drips else LIMITS
    with Remote(cells, of.exercise, limits, fences) as there:
        verdicts = {v.question: v for v in of.judge_all(there)}
        try:
            reply = there.reply(of.calls["softmax"][0])
        except Trouble as trouble:
            reply = trouble.kind
        return verdicts, repr(reply), there.guarantees


def all_right(verdicts):
    return {name: v.status for name, v in verdicts.items() if v.status != "passed"} == {}


@pytest.mark.parametrize(("group", "attack"), ATTACKS)
def test_behind_the_fences_an_attack_does_nothing(group, attack, tmp_path):
    with World(tmp_path, MEMORY) as world:
        verdicts, reply, holds = run(attack, group, world, fences=True)
        needs = getattr(group, "NEEDS", None)
        if needs and not holds[needs]:
            pytest.skip(f"this kernel has no layer for: {needs}")
        assert world.harm(reply) == []
    assert verdicts["softmax"].points == 0, verdicts["softmax"]
    assert verdicts["predict"].points == 0, verdicts["predict"]
    if group is endings:
        assert verdicts["softmax"].name in endings.OUTCOME or "refused" in reply, verdicts
        assert verdicts["missing_transpose"].passed, verdicts
    assert all_right(by_honest_cells(fences=True)), "the next learner pays for it"


@pytest.mark.parametrize(("group", "attack"), ATTACKS)
def test_without_fences_an_attack_does_its_harm_or_the_border_stops_it(group, attack, tmp_path):
    with World(tmp_path, MEMORY) as world:
        verdicts, reply, _ = run(attack, group, world, fences=False)
        if hasattr(group, "BORDER"):
            assert world.harm(reply) == [], f"stopped by the border alone: {group.BORDER}"
        else:
            if "refused" in reply:
                pytest.skip("this machine refuses it by itself, without our fences")
            until = time.monotonic() + 10
            while not world.harm(reply) and time.monotonic() < until:
                time.sleep(0.05)
            assert world.harm(reply), f"a blind test: the attack did nothing, it replied {reply}"
    assert verdicts["softmax"].points == 0, verdicts["softmax"]


@pytest.mark.parametrize(("group", "attack"), [p for p in ATTACKS if aims_at_the_grading(p)])
def test_an_attack_on_the_grading_works_where_answer_and_check_share_a_process(
    group, attack, tmp_path
):
    with World(tmp_path, MEMORY) as world:
        try:
            done = subprocess.run(
                [sys.executable, naive.__file__],
                input=cell(attack, world).source,
                capture_output=True,
                text=True,
                timeout=2,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return  # it stops such a grader
        assert done.returncode != 1 or world.harm(""), done.stderr


def by_honest_cells(fences):
    of = samples.trial("01_functions")
    with Remote([HONEST, Cell("b", samples.CAUGHT)], of.exercise, fences=fences) as there:
        return {v.question: v for v in of.judge_all(there)}


def test_an_honest_submission_gets_the_same_with_and_without_fences():
    fenced = by_honest_cells(fences=True)
    assert fenced == by_honest_cells(fences=False)
    assert all_right(fenced)


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_right_answers_pass_behind_the_fences(name):
    of = samples.trial(name)
    with Remote(samples.right_cells(of.exercise), of.exercise) as there:
        assert all(v.passed for v in of.judge_all(there))
        assert not isinstance(there.child, child.Plain)
