"""The walk: its order, its steps, what it keeps and what it lets go."""

import subprocess
import sys
import weakref
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import nnlib
from nnlib import Tensor, Value, graph, no_grad
from nnlib.graph import Function, rehearse, topological


def diamond(a):
    """y = a² + a³ with the square used twice: 2a + 3a² is 33 at a = 3."""
    u = a * a
    return u + u * a


def leaf(kind, number=3.0, label=""):
    """A leaf of either kind."""
    if kind is Value:
        return Value(number, label=label)
    return Tensor(np.array(number), requires_grad=True, label=label)


both = pytest.mark.parametrize("kind", [Value, Tensor])


# The order


@both
def test_a_node_that_is_used_twice_gets_both_gradients(kind):
    a = leaf(kind)
    diamond(a).backward()
    assert a.grad == 33


@both
def test_topological_lists_each_node_once_after_its_inputs(kind):
    y = diamond(leaf(kind))
    nodes = topological(y)
    assert len(nodes) == len(set(nodes)) == 4
    for i, node in enumerate(nodes):
        assert all(x in set(nodes[:i]) for x in node.inputs)
    assert nodes[-1] is y


@both
def test_the_walk_takes_the_newest_operation_first(kind):
    steps = list(diamond(leaf(kind)).backward_steps())
    assert [step.node.symbol for step in steps] == ["+", "*", "*"]


@both
def test_an_operation_made_late_on_an_old_node_still_comes_first(kind):
    a = leaf(kind)
    u = a * a
    v = u * a
    w = u + v  # u waits until v and w have given it their share
    w.backward()
    assert a.grad == 33


@both
def test_fifty_thousand_chained_operations_need_no_recursion(kind):
    a = leaf(kind, 1.0)
    y = a
    for _ in range(50_000):
        y = y + a
    y.backward()
    assert a.grad == 50_001


@pytest.mark.parametrize("make", ["nnlib.Value(1.0)", "nnlib.tensor(1.0, requires_grad=True)"])
@pytest.mark.parametrize(
    "end", ["del y", "gc.collect(); del y; gc.collect()", "import sys; sys.exit()"]
)
def test_letting_go_of_a_deep_graph_does_not_overflow_the_stack(make, end):
    code = f"""
import gc, threading
import nnlib
def run():
    y = {make}
    for _ in range(50_000):
        y = -y
    {end}
threading.stack_size(128 * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
print("done")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr


# The steps


@both
def test_backward_is_its_steps(kind, monkeypatch):
    """Whoever changes the steps changes backward: there is no second walk."""
    a = leaf(kind)
    taken = []
    steps = kind.backward_steps

    def counted(self, *args):
        for step in steps(self, *args):
            taken.append(step.node.symbol)
            yield step

    monkeypatch.setattr(kind, "backward_steps", counted)
    diamond(a).backward()
    assert taken == ["+", "*", "*"]
    assert a.grad == 33


@both
def test_gradients_grow_as_the_steps_are_taken(kind):
    a = leaf(kind)
    seen = [None if a.grad is None else float(a.grad) for _ in diamond(a).backward_steps()]
    assert seen == [None, 9.0, 33.0]


@both
def test_each_contribution_says_what_was_added_to_what(kind):
    a = leaf(kind, label="a")
    steps = list(diamond(a).backward_steps())
    told = [
        [
            (c.to.label or c.to.symbol, float(c.before), float(c.amount), float(c.after))
            for c in s.contributions
        ]
        for s in steps
    ]
    assert told == [
        [("*", 0, 1, 1), ("*", 0, 1, 1)],
        [("*", 1, 3, 4), ("a", 0, 9, 9)],
        [("a", 9, 12, 21), ("a", 21, 12, 33)],
    ]
    assert [float(step.grad) for step in steps] == [1, 1, 4]


def test_between_values_the_amount_is_local_times_grad():
    for step in (diamond(Value(3.0)) / 7.0).tanh().backward_steps():
        assert tuple(c.local for c in step.contributions) == step.node.locals
        for c in step.contributions:
            assert c.amount == c.local * step.grad


def test_tensor_contributions_have_no_local_number():
    for step in diamond(leaf(Tensor)).backward_steps():
        assert {c.local for c in step.contributions} == {None}


@both
def test_an_input_that_needs_no_gradient_gets_no_contribution_from_a_tensor(kind):
    a = leaf(kind)
    (step,) = (a * 2.0).backward_steps()
    assert step.contributions[0].to is a
    assert len(step.contributions) == (2 if kind is Value else 1)


@both
def test_steps_are_frozen(kind):
    (step,) = (leaf(kind) * 2.0).backward_steps()
    with pytest.raises(FrozenInstanceError):
        step.grad = 5
    with pytest.raises(FrozenInstanceError):
        step.contributions[0].amount = 5


def test_steps_that_hold_arrays_can_be_found_in_a_list():
    x = Tensor(np.ones(3), requires_grad=True)
    one, other = x.exp().exp().backward_steps(np.ones(3))
    assert other in [one, other]
    assert one != other


def test_arguments_are_checked_before_anyone_iterates():
    y = Tensor([1.0, 2.0], requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="starts at a single number"):
        y.backward_steps()
    y.backward(np.ones(2))
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward_steps(np.ones(2))


def test_an_operation_that_returns_too_few_gradients_is_noticed():
    class Bad(Function):
        symbol = "bad"

        def forward(self, x, y):
            return x + y

        def backward(self, grad):
            return (grad,)

    a = leaf(Tensor)
    with pytest.raises(ValueError, match="zip"):
        Bad.apply(a, a).backward()


# Walking again


@both
def test_a_leaf_adds_up_over_walks(kind):
    a = leaf(kind)
    diamond(a).backward()
    diamond(a).backward()
    assert a.grad == 66


def test_a_value_can_be_walked_again_and_counts_each_path_once():
    a = Value(3.0)
    y = diamond(a)
    y.backward()
    y.backward()
    assert a.grad == 66  # micrograd, which adds up interior gradients too, says 117


def test_a_value_keeps_interior_gradients_for_looking():
    a = Value(3.0)
    u = a * a
    y = u + u * a
    y.backward()
    y.backward()
    assert (y.grad, u.grad) == (1, 4)


def test_a_second_backward_through_a_tensor_raises_and_names_retain_graph():
    a = leaf(Tensor)
    y = diamond(a)
    y.backward()
    with pytest.raises(
        RuntimeError, match=r"spent.*show it before backward\(\).*retain_graph=True"
    ):
        y.backward()
    assert a.grad == 33  # nothing was added


def test_a_graph_that_shares_a_spent_part_is_spent():
    a = leaf(Tensor)
    u = a * a
    (u * 2).backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        (u * 3).backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        topological(u)


def test_retain_graph_allows_a_second_walk():
    a = leaf(Tensor)
    y = diamond(a)
    y.backward(retain_graph=True)
    y.backward()
    assert a.grad == 66


def test_retain_grad_keeps_that_of_the_latest_walk():
    a = leaf(Tensor)
    u = a * a
    u.retain_grad()
    y = u + u * a
    y.backward(retain_graph=True)
    assert u.grad == 4
    assert y.grad is None
    y.backward()
    assert u.grad == 4
    assert isinstance(u.grad, np.ndarray)


@both
def test_backward_on_a_leaf_adds_one(kind):
    a = leaf(kind)
    a.backward()
    a.backward()
    assert a.grad == 2


@both
def test_gradient_sets_where_the_walk_starts(kind):
    a = leaf(kind)
    diamond(a).backward(gradient=2.0)
    assert a.grad == 66


def test_a_walk_left_half_way_does_not_spoil_the_next_one():
    a = leaf(Tensor)
    y = diamond(a)
    next(y.backward_steps(retain_graph=True))
    a.grad = None
    y.backward()
    assert a.grad == 33


# What a walk lets go, and what it leaves alone


def test_the_walk_frees_arrays_and_nodes_as_it_passes():
    class Recorded(Function):
        symbol = "id"

        def forward(self, x):
            self.saved = x + 0
            return x + 0

        def backward(self, grad):
            return (grad,)

    h = Tensor(np.ones(3), requires_grad=True)
    nodes, arrays = [], []
    for _ in range(4):
        h = Recorded.apply(h)
        nodes.append(weakref.ref(h))
        arrays.append(weakref.ref(h.grad_fn.saved))
    loss = h
    del h
    steps = loss.backward_steps(np.ones(3))
    alive = [sum(r() is not None for r in arrays) for _ in steps]
    assert alive == [4, 3, 2, 1]
    assert [r() is not None for r in nodes] == [False, False, False, True]  # `loss` is held here
    assert [r() is not None for r in arrays] == [False] * 4


@both
def test_a_rehearsal_leaves_gradients_and_graph_as_found(kind):
    a, b = leaf(kind), leaf(kind, 2.0)
    u = a * b
    y = u + u * a
    a.grad = before = kind(5.0).data
    steps = rehearse(y)
    assert [n.symbol for n in topological(y)].count("*") == 2  # not spent
    assert a.grad is before
    assert (b.grad, u.grad, y.grad) == (None, None, None)
    taken = list(y.backward_steps())
    for one, other in zip(steps, taken, strict=True):
        assert one.node is other.node
        assert one.grad == other.grad
        for c, d in zip(one.contributions, other.contributions, strict=True):
            assert (c.to, c.local, c.amount, c.before, c.after) == (
                d.to, d.local, d.amount, d.before, d.after,
            )  # fmt: skip


def test_a_rehearsal_of_a_spent_graph_says_what_to_do():
    y = diamond(leaf(Tensor))
    y.backward()
    with pytest.raises(RuntimeError, match=r"show it before backward\(\)"):
        rehearse(y)


def test_a_rehearsal_that_fails_half_way_leaves_gradients_as_found():
    class Broken(Function):
        symbol = "broken"

        def forward(self, x):
            return x + 0

        def backward(self, grad):
            raise ZeroDivisionError

    a = leaf(Tensor)
    y = a * Broken.apply(a)
    with pytest.raises(ZeroDivisionError):
        rehearse(y)
    assert a.grad is None


# no_grad


@both
def test_no_grad_records_nothing(kind):
    a = leaf(kind)
    with no_grad():
        y = a * a
    assert y.inputs == ()
    assert y.symbol == ""
    assert (a * a).inputs == (a, a)


@both
def test_no_grad_may_be_nested_used_as_a_decorator_and_left_by_an_error(kind):
    a = leaf(kind)

    @no_grad()
    def square(x, deeper=0):
        return square(x, deeper - 1) if deeper else x * x

    with no_grad():
        assert square(a, 3).inputs == ()
        assert (a * a).inputs == ()
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (a * a).inputs == (a, a)


# Names and looks


@both
def test_a_label_is_kept_and_may_be_set_later(kind):
    a = leaf(kind, label="a")
    y = a * a
    assert (a.label, y.label, y.detach().label) == ("a", "", "")
    y.label = "y"
    assert y.detach().label == "y"


@both
def test_nodes_format_and_convert_like_numbers(kind):
    y = leaf(kind) * 2
    assert f"{y:.2f}" == "6.00"
    assert f"{y}" == repr(y)
    assert float(y) == y.item() == 6.0


@both
def test_a_misspelt_attribute_raises(kind):
    with pytest.raises(AttributeError):
        leaf(kind).gard = 0.0


@both
def test_repr_is_one_line(kind):
    assert "\n" not in repr(diamond(leaf(kind)))
    assert "\n" not in repr(nnlib.ones(3, 4, 5))


def test_graph_knows_no_numpy():
    assert not [name for name, value in vars(graph).items() if "numpy" in repr(value).lower()]
