"""Value against torch, and the small network built from it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import nnlib
from nnlib import MLP, Layer, Neuron, Value, total
from nnlib.graph import topological
from nnlib.scalar import weighted_sum

# name: (the operation, numbers to try it on). Each runs on Values and on torch tensors alike.
OPS = {
    "+": (lambda a, b: a + b, (2.0, -3.0)),
    "+ number": (lambda a: a + 2, (2.0,)),
    "number +": (lambda a: 2.5 + a, (2.0,)),
    "-": (lambda a, b: a - b, (2.0, -3.0)),
    "number -": (lambda a: 2 - a, (2.0,)),
    "*": (lambda a, b: a * b, (2.0, -3.0)),
    "number *": (lambda a: 3 * a, (2.0,)),
    "/": (lambda a, b: a / b, (2.0, -3.0)),
    "number /": (lambda a: 3 / a, (2.0,)),
    "/ number": (lambda a: a / 3, (2.0,)),
    "neg": (lambda a: -a, (2.0,)),
    "**2": (lambda a: a**2, (-3.0,)),
    "**2 at 0": (lambda a: a**2, (0.0,)),
    "**3": (lambda a: a**3, (-1.5,)),
    "**1 at 0": (lambda a: a**1, (0.0,)),
    "**0": (lambda a: a**0, (0.0,)),
    "**-1": (lambda a: a**-1, (-4.0,)),
    "**.5": (lambda a: a**0.5, (2.0,)),
    "**.5 at 0": (lambda a: a**0.5, (0.0,)),
    "** Value": (lambda a, b: a**b, (1.7, -2.2)),
    "number **": (lambda b: 2.0**b, (1.5,)),
    "exp": (lambda a: a.exp(), (1.5,)),
    "exp far out": (lambda a: a.exp(), (1000.0,)),
    "exp far down": (lambda a: a.exp(), (-1000.0,)),
    "log": (lambda a: a.log(), (0.3,)),
    "tanh": (lambda a: a.tanh(), (-0.7,)),
    "sigmoid": (lambda a: a.sigmoid(), (0.4,)),
    "sigmoid far out": (lambda a: a.sigmoid(), (800.0,)),
    "sigmoid far down": (lambda a: a.sigmoid(), (-800.0,)),
    "sigmoid down": (lambda a: a.sigmoid(), (-40.0,)),
    "relu": (lambda a: a.relu(), (0.4,)),
    "relu below": (lambda a: a.relu(), (-0.4,)),
    "relu at 0": (lambda a: a.relu(), (0.0,)),
}


@pytest.mark.parametrize("name", OPS)
def test_an_operation_equals_torch(name):
    f, numbers = OPS[name]
    ours = [Value(x) for x in numbers]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    y, z = f(*ours), f(*theirs)
    y.backward()
    z.backward()
    assert y.data == pytest.approx(z.item(), rel=1e-12, abs=0)
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad == pytest.approx(b.grad.item(), rel=1e-12, abs=0)
    assert type(y.data) is type(ours[0].grad) is float


def test_every_operation_of_value_has_a_case_and_a_symbol():
    called = set()

    class Spy(Value):
        """Notes which of Value's methods a case calls."""

        __slots__ = ()

        def __getattribute__(self, name):
            called.add(name)
            return super().__getattribute__(name)

    for f, numbers in OPS.values():
        assert f(*map(Spy, numbers)).symbol
    public = {k for k, v in vars(Value).items() if callable(v) and not k.startswith("_")}
    assert public - {"detach"} <= called
    operators = "add radd sub rsub mul rmul truediv rtruediv neg pow rpow"
    others = "init repr lt le gt ge"
    defined = {k for k, v in vars(Value).items() if callable(v) and k.startswith("__")}
    assert defined == {f"__{k}__" for k in f"{operators} {others}".split()}, "add a case"


def test_an_operation_is_recorded_as_data():
    a, b = Value(2.0), Value(-3.0)
    y = a * b
    assert (y.symbol, y.inputs, y.locals) == ("*", (a, b), (-3.0, 2.0))
    assert ((a**2).symbol, (a**2).inputs) == ("**2", (a,))
    assert (a.symbol, a.inputs, a.locals) == ("", (), ())


def test_a_plain_number_becomes_a_leaf():
    y = 2 * Value(3.0)
    assert [x.data for x in y.inputs] == [2.0, 3.0]
    assert all(type(x.data) is float for x in y.inputs)


@pytest.mark.parametrize("two", [2, 2.0, np.float32(2), np.float64(2), np.int64(2), True + True])
def test_numpy_numbers_work_on_either_side(two):
    a = Value(3.0)
    for y in (
        a + two,
        two + a,
        a * two,
        two * a,
        a - two,
        two - a,
        a / two,
        two / a,
        a**two,
        two**a,
    ):
        assert isinstance(y, Value)
        assert type(y.data) is float


@pytest.mark.parametrize("wrong", ["3", None, [1.0], np.ones(2), np.ones((1, 1)), 1j])
def test_a_value_holds_one_number_and_says_so(wrong):
    with pytest.raises(TypeError, match="a Value holds one number; got"):
        Value(wrong)
    with pytest.raises(TypeError):
        Value(1.0) + wrong
    with pytest.raises(TypeError):
        wrong * Value(1.0)


def test_a_value_of_a_value_is_refused():
    with pytest.raises(TypeError, match="a Value holds one number; got Value"):
        Value(Value(1.0))


def test_mistakes_in_the_domain_say_what_was_wrong():
    with pytest.raises(ValueError, match="log needs a number above 0; this Value is -1"):
        Value(-1.0).log()
    with pytest.raises(ValueError, match="is no real number"):
        Value(-8.0) ** (1 / 3)
    with pytest.raises(ValueError, match="needs a base above 0"):
        Value(-2.0) ** Value(2.0)
    with pytest.raises(ZeroDivisionError):
        Value(1.0) / 0
    with pytest.raises(ZeroDivisionError):
        Value(0.0) ** -1


def test_comparisons_go_by_the_number():
    a, b = Value(1.0), Value(2.0)
    assert a < b
    assert a <= 1
    assert b > 1.5
    assert b >= a
    assert not b < a
    assert type(a < b) is bool
    assert max(a, b) is b


def test_equality_means_the_same_node_so_that_lists_of_nodes_work():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert b not in [a]
    assert len({a, b}) == 2


def test_the_hand_written_training_line_works():
    p = Value(1.0)
    (p * p).backward()
    p.data -= 0.1 * p.grad
    assert p.data == pytest.approx(0.8)
    assert type(p.data) is float


def test_detach_cuts_the_graph():
    a = Value(3.0)
    y = (a * a).detach() * a
    y.backward()
    assert a.grad == 9


def test_repr_shows_number_label_and_gradient():
    a = Value(2.0, label="a")
    assert repr(a) == "Value(2, label='a')"
    (a * 1.5).backward()
    assert repr(a) == "Value(2, label='a', grad=1.5)"


# Random graphs against torch

UNARY = [
    lambda a: -a,
    lambda a: a.tanh(),
    lambda a: a.sigmoid(),
    lambda a: a.relu(),
    lambda a: a.tanh().exp(),
    lambda a: (a * a + 1).log(),
    lambda a: a**2,
    lambda a: (a * a + 1) ** -0.5,
    lambda a: 2 - a,
    lambda a: 3 / (a * a + 1),
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b.tanh(),
    lambda a, b: a / (b * b + 1),
    lambda a, b: (a * a + 0.5) ** b.tanh(),
    lambda a, b: a * a + b * a,
]
numbers = st.floats(-2, 2, allow_subnormal=False)
steps = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), max_size=25)


@settings(max_examples=300)
@given(st.lists(numbers, min_size=1, max_size=4), steps)
def test_gradients_on_random_graphs_equal_torch(leaves, steps):
    ours = [Value(x) for x in leaves]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves]
    for z in theirs:
        z.requires_grad_()
    for k, i, j in steps:
        f = (UNARY + BINARY)[k % (len(UNARY) + len(BINARY))]
        pick = [i % len(ours), j % len(ours)][: 1 if f in UNARY else 2]
        ours.append(f(*(ours[n] for n in pick)))
        theirs.append(f(*(theirs[n] for n in pick)))
    for z in theirs:
        z.retain_grad()
    y, z = total(ours), torch.stack(theirs).sum()
    if not abs(z.item()) < 1e8:
        return  # a tower of squares
    y.backward()
    z.backward()
    scale = max(1.0, *(abs(t.grad.item()) for t in theirs))
    for a, b in zip(ours, theirs, strict=True):
        assert abs(a.data - b.item()) <= 1e-9 * max(1.0, abs(b.item()))
        assert abs(a.grad - b.grad.item()) <= 1e-9 * scale


# Sums and networks


def test_total_is_one_node_with_a_gradient_of_one_for_each():
    values = [Value(float(i)) for i in range(5)]
    y = total(v for v in values)
    assert y.data == 10
    assert y.inputs == tuple(values)
    y.backward()
    assert [v.grad for v in values] == [1.0] * 5


def test_total_counts_a_value_as_often_as_it_comes():
    a = Value(2.0)
    y = total([a, a, 1])
    y.backward()
    assert (y.data, a.grad) == (5.0, 2.0)
    assert total([]).data == 0


def test_weighted_sum_equals_products_and_a_sum():
    w, x = [Value(2.0), Value(-1.0), Value(0.5)], [Value(3.0), Value(5.0), Value(-7.0)]
    b = Value(0.25)
    weighted_sum(w, x, b).backward()
    fused = [v.grad for v in (*w, *x, b)]
    for v in (*w, *x, b):
        v.grad = None
    total([*(p * q for p, q in zip(w, x, strict=True)), b]).backward()
    assert fused == [v.grad for v in (*w, *x, b)]


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "linear"])
def test_an_mlp_equals_the_same_network_in_torch(activation):
    nnlib.manual_seed(0)
    net = MLP(3, [4, 5, 2], activation)
    twin, x = [], [0.3, -1.2, 0.8]
    h = torch.tensor(x, dtype=torch.float64)
    for i, layer in enumerate(net.layers):
        W = torch.tensor([[w.data for w in n.w] for n in layer.neurons], dtype=torch.float64)
        b = torch.tensor([n.b.data for n in layer.neurons], dtype=torch.float64)
        twin.append((W.requires_grad_(), b.requires_grad_()))
        h = W @ h + b
        if i < 2 and activation != "linear":
            h = getattr(torch, activation)(h)
    out = net(x)
    assert [v.data for v in out] == pytest.approx(h.tolist())
    total(v * v for v in out).backward()
    (h * h).sum().backward()
    theirs = [g for W, b in twin for row, c in zip(W.grad, b.grad, strict=True) for g in (*row, c)]
    assert [p.grad for p in net.parameters()] == pytest.approx([g.item() for g in theirs])


def test_an_mlp_with_one_output_gives_one_value():
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert len(MLP(2, [3, 2])([1.0, 2.0])) == 2


def test_zero_grad_forgets_the_gradients():
    net = MLP(2, [3, 1])
    net([1.0, 2.0]).backward()
    net.zero_grad()
    assert {p.grad for p in net.parameters()} == {None}


def test_the_same_seed_gives_the_same_network():
    nets = []
    for _ in range(2):
        nnlib.manual_seed(4)
        nets.append([p.data for p in MLP(2, [3, 1]).parameters()])
    assert nets[0] == nets[1]
    assert len(set(nets[0])) == 13


def test_weights_start_within_torchs_bound():
    nnlib.manual_seed(0)
    data = [abs(p.data) for p in Layer(16, 50).parameters()]
    assert 0.24 < max(data) <= 0.25


def test_an_mlp_learns_xor():
    nnlib.manual_seed(1)
    net = MLP(2, [4, 1])
    points = [([0, 0], -1), ([0, 1], 1), ([1, 0], 1), ([1, 1], -1)]
    for _ in range(300):
        loss = total((net(x) - y) ** 2 for x, y in points)
        net.zero_grad()
        loss.backward()
        for p in net.parameters():
            p.data -= 0.05 * p.grad
    assert [net(x) > 0 for x, _ in points] == [False, True, True, False]


def test_a_number_given_to_a_layer_is_one_leaf():
    nodes = topological(total(Layer(2, 3)([1.0, 2.0])))
    assert sum(not n.inputs for n in nodes) == 2 + 3 * 3


def test_a_neuron_says_what_it_takes():
    with pytest.raises(ValueError, match=r"Neuron\(2, tanh\) takes 2 inputs; got 3"):
        Neuron(2)([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="one of tanh, relu, sigmoid, linear; got 'softmax'"):
        Neuron(2, activation="softmax")
    assert repr(MLP(2, [4, 1])) == "MLP(2 -> 4 -> 1, tanh)"


def test_math_stays_in_plain_floats():
    a = Value(np.float32(0.5))
    assert type(a.data) is float
    assert math.isclose((a.exp() + a.log()).data, math.exp(0.5) + math.log(0.5))
