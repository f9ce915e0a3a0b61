"""The mutator makes each kind of small change, and changes only the lines it is given."""

import pytest

from nncheck.prove import survivors
from nncheck.prove.mutants import mutants


def changes(line, around="def f(x, y, n):\n    {}\n"):
    return {m.change for m in mutants(around.format(line), {2})}


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("return x + y", "x + y -> x - y"),
        ("return x @ y", "x @ y -> x * y"),
        ("return x @ y", "x @ y -> y @ x"),
        ("return x / y", "x / y -> y / x"),
        ("return x < y", "x < y -> x <= y"),
        ("return x < y", "x < y -> x > y"),
        ("return x and y", "x and y -> x or y"),
        ("return -x", "-x -> x"),
        ("return not x", "not x -> x"),
        ("return x.sum(axis=1)", "axis=1 -> axis=2"),
        ("return x.sum(axis=1)", "axis=1 -> axis=0"),
        ("return x.sum(axis=1)", "x.sum(axis=1) -> x.sum()"),
        ("return x.sum(keepdims=True)", "keepdims=True -> keepdims=False"),
        ("return f(x, y)", "f(x, y) -> f(y, x)"),
        ("return x if y else n", "x if y else n -> n if y else x"),
        ("x += y", "x += y -> x -= y"),
        ("x += y", "x += y -> x = y"),
        ("x += y", "x += y -> pass"),
        ("return 1", "return 1 -> return 2"),
        ("return x", "return x -> pass"),
    ],
)
def test_each_kind_of_change_is_made(line, change):
    assert change in changes(line)


@pytest.mark.parametrize("line", ['"""A docstring, 1 + 1."""', "return max(x, y)"])
def test_what_cannot_matter_is_left_alone(line):
    assert changes(line) <= {f"{line} -> pass"}


def test_a_guard_is_left_alone():
    assert "zip(x, y)" not in str(changes("return zip(x, y, strict=True)"))


def test_a_mutant_runs_as_its_change_says_and_the_original_is_kept():
    results = {}
    for mutant in mutants("def f(x):\n    return x + 2\n", {2}):
        space = {}
        exec(mutant.code, space)
        results[mutant.change.partition(" -> ")[2]] = space["f"](5)
    assert results == {"pass": None, "x - 2": 3, "x + 3": 8, "x + 1": 6}


def test_equal_changes_are_told_apart():
    keys = [m.change for m in mutants("def f(x):\n    x += 1\n    x += 1\n", {2, 3})]
    assert len(set(keys)) == len(keys)
    assert "x += 1 -> pass (2)" in keys


def test_only_the_region_is_changed():
    cell = (
        "def f(x):\n"
        "    given = x + 1\n"
        "    # BEGIN SOLUTION\n"
        "    return given * 2\n"
        "    # END SOLUTION"
    )
    assert survivors.regions(cell) == {"f": {4}}
    assert all("given * 2 -> " in m.change for m in mutants(cell, {4}))


def test_a_mutant_that_never_ends_is_stopped():
    def never_ends():
        while True:
            pass

    with pytest.raises(TimeoutError), survivors.deadline(0.05):
        never_ends()
