"""A class in which honest learners and every attacker hand in side by side."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from nncheck import grade
from nncheck.answer import Limits
from nncheck.gradebook import Gradebook
from tests.attacks.test_attacks import ATTACKS, MEMORY, cell
from tests.attacks.world import World, no_process_left
from tests.nncheck import samples
from tests.nncheck.small_class import EXERCISE, hand_in, notebook, right, wrong

if sys.platform != "linux":
    pytest.skip("the fences are built on what Linux has", allow_module_level=True)

LIMITS = Limits(cell=0.7, call=0.7, total=5, memory=MEMORY)
SECRET = "the same for both runs"
HONEST = {
    "a first": notebook(right()),
    "n middle": notebook(right(), wrong("softmax")),
    "o blank": notebook("x = 1"),
    "z last": notebook(right()),
}
BROUGHT = """
from nncheck import question, call
USES = "numpy"
@question(points=1000, right=lambda x: None)
def softmax(rng):
    "Everything is right."
    yield call, 1
"""


RIGHT_BUT_ODD = {"m odd id", "m half of a pair", "m terminal", "m right to left"}


def malformed():
    """Files that are no notebooks, or more than one can take."""
    yield "deep", b'{"cells": ' + b"[" * 2_000_000
    yield "cut off", notebook(right())[:-20]
    yield "other coding", notebook(right()).decode().encode("utf-16")
    yield "zeros", b"\0" * 5000
    yield "image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
    yield "zip", b"PK\x03\x04" + bytes(200)
    yield "zip bomb by name", b"\x1f\x8b\x08" + bytes(200)
    yield "many cells", notebook(*["x = 1"] * 20_000)
    yield (
        "wide",
        json.dumps({"cells": [{"cell_type": "code", "source": "x=1;" * 500_000}]}).encode(),
    )
    yield "long number", b'{"cells": ' + b"9" * 100_000 + b"}"
    yield "not a number", b'{"cells": NaN}'
    yield "twice", b'{"cells": [], "cells": 3}'
    yield "null", b"null"
    yield "lists", b'{"cells": [' + b"[]," * 2_000_000 + b"[]]}"
    yield (
        "odd id",
        json.dumps(
            {"cells": [{"cell_type": "code", "source": right(), "id": {"a": ["\ud800"]}}]}
        ).encode(),
    )
    yield "half of a pair", notebook(right(), 'y = "\ud83d"')
    yield "terminal", notebook(right(), 'y = "\x1b]0;owned\x07\x1b[2J"')
    yield "right to left", notebook(right(), "# \u202e gnorw si siht")
    yield "null byte", notebook("x = '\0'\n" + right())
    yield "formula", notebook("def softmax(x):\n    raise ValueError('=HYPERLINK(1)')")
    yield "template", notebook("def softmax(x):\n    raise ValueError('<script>alert(1)</script>')")
    yield "sql", notebook('def softmax(x):\n    raise ValueError("\'); DROP TABLE result; --")')


def class_of(folder, world=None):
    for student, content in HONEST.items():
        hand_in(folder, student, content)
    if world is None:
        return []
    attackers = []
    for i, attack in enumerate(ATTACKS):
        _, function = attack.values
        student = f"{'bmy'[i % 3]} {i:03d} {function.__name__}"
        hand_in(folder, student, notebook(cell(function, world).source))
        attackers.append(student)
    for name, content in malformed():
        hand_in(folder, f"m {name}", content)
        attackers.append(f"m {name}")
    # Checks, a gradebook and a start-up file of one's own, where a careless grader would take them.
    for name in (f"checks/{EXERCISE}.py", f"{EXERCISE}.py", "nncheck.py", "numpy.py", "class.db"):
        hand_in(folder, "b 000 brings its own", BROUGHT.encode(), name)
    hand_in(folder, "b 000 brings its own", notebook(BROUGHT))
    (folder / "m link").mkdir()
    (folder / "m link" / f"{EXERCISE}.ipynb").symlink_to(folder / "z last" / f"{EXERCISE}.ipynb")
    os.mkfifo(folder / "m link" / "02_objects.ipynb")
    return [*attackers, "b 000 brings its own"]


@pytest.fixture(autouse=True)
def sample_exercises(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))


def graded(folder, gradebook):
    with Gradebook(gradebook, create=True) as book:
        run = grade.Run(folder, book, lambda: grade.processes(2), limits=LIMITS, secret=SECRET)
        tally = run.grade()
        standings = {s.student: s for s in book.standings()}
        results = {
            s.student: replace(book.result(s.submission), seconds=0) for s in standings.values()
        }
    return tally, standings, results


def test_a_class_full_of_attackers_costs_honest_learners_nothing_and_attackers_their_points(
    tmp_path,
):
    alone, crowd = tmp_path / "alone", tmp_path / "submitted"
    class_of(alone)
    _, _, expected = graded(alone, tmp_path / "alone.db")
    (tmp_path / "world").mkdir()
    with World(tmp_path / "world", MEMORY) as world:
        attackers = class_of(crowd, world)
        with no_process_left():
            tally, standings, results = graded(crowd, tmp_path / "class.db")
        assert world.harm("") == []
    assert {student: results[student] for student in HONEST} == expected
    assert expected["a first"].points == samples.load(EXERCISE).points
    assert len(attackers) >= 60
    for student in attackers:
        found = standings[student]
        answers = {a.question: a for a in found.answers}
        assert set(answers) == set(samples.load(EXERCISE).questions), student
        for name in ("softmax", "predict"):
            told = answers[name]
            assert (told.points > 0) == (student in RIGHT_BUT_ODD), (student, told)
            assert told.message, student
        assert found.outcome != "grader error", (student, found.reason)
    assert {r.student for r in tally.refused} == {"m link"}


def test_a_process_that_an_attacker_leaves_behind_is_seen():
    asked = "import subprocess; subprocess.Popen(['sleep', '30'], start_new_session=True)"
    with pytest.raises(AssertionError, match="sleep") as seen, no_process_left():
        subprocess.run([sys.executable, "-c", asked], check=True)
    for process in seen.value.args[0]:
        process.kill()
