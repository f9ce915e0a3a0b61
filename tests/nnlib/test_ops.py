"""Every operation against torch and against nudges; the walk fails for one without a case."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import nnlib
from nnlib import Tensor, ops
from nnlib.functional import gradcheck
from nnlib.graph import Function, topological

OURS = SimpleNamespace(lib=nnlib, F=nnlib.functional)
THEIRS = SimpleNamespace(lib=torch, F=torch.nn.functional)


def weights(rows):
    """The shapes of W_ih, W_hh, b_ih and b_hh for D = 3 and H = 4."""
    return (rows, 3), (rows, 4), (rows,), (rows,)


def recurrent(n, name, x, W_ih, W_hh, b_ih, b_hh, *start):
    """The outputs of a recurrent layer and its last state, or states, in a row."""
    if n is OURS:
        s = getattr(ops, name).apply(x, W_ih, W_hh, b_ih, b_hh, *start)
        return n.lib.cat([s[0, 1:].flatten(), s[:, -1].flatten()])
    run = {"RNN": torch.rnn_tanh, "ReluRNN": torch.rnn_relu, "LSTM": torch.lstm, "GRU": torch.gru}
    first = [h[None] for h in start]
    output, *last = run[name](
        x, first if name == "LSTM" else first[0], [W_ih, W_hh, b_ih, b_hh], True, 1, 0.0, False,
        False, False,
    )  # fmt: skip
    return torch.cat([output.flatten(), *[h.flatten() for h in last]])


def attention(**options):
    """A case whose fourth input, if there is one, is a mask."""
    return lambda n, *inputs: n.F.scaled_dot_product_attention(*inputs, **options)


# op: cases (f, shapes), where f(n, *inputs) runs on nnlib and on torch alike. Shapes have no
# length 2 and no two equal lengths without need, so that a swapped axis cannot hide.
CASES = {
    ops.Add: [
        (lambda n, x, y: x + y, [(3, 4), (3, 4)]),
        (lambda n, x, y: x + y, [(3, 1, 5), (4, 1)]),
        (lambda n, x: 2 + x, [(3, 4)]),
    ],
    ops.Sub: [
        (lambda n, x, y: x - y, [(4,), (3, 4)]),
        (lambda n, x: 2 - x, [(3, 4)]),
    ],
    ops.Mul: [
        (lambda n, x, y: x * y, [(3, 4), (3, 1)]),
        (lambda n, x: x * x, [(3, 4)]),
        (lambda n, x: 3 * x, [(3, 4)]),
    ],
    ops.Div: [
        (lambda n, x, y: x / (y * y + 1), [(3, 4), (4,)]),
        (lambda n, x: 3 / (x * x + 1), [(3, 4)]),
        (lambda n, x: x / 3, [(3, 4)]),
    ],
    ops.Neg: [(lambda n, x: -x, [(3, 4)])],
    ops.Pow: [
        (lambda n, x: x**3, [(3, 4)]),
        (lambda n, x: x.pow(2), [(3, 4)]),
        (lambda n, x: (x * x + 1) ** -0.5, [(3, 4)]),
    ],
    ops.Where: [
        (lambda n, x, y: n.lib.where(x > y, x, y * 2), [(3, 4), (4,)]),
        (lambda n, x: x.masked_fill(x > 0, 7.0), [(3, 4)]),
    ],
    ops.Exp: [(lambda n, x: x.exp(), [(3, 4)]), (lambda n, x: 2.5**x, [(3, 4)])],
    ops.Log: [(lambda n, x: (x * x + 0.1).log(), [(3, 4)])],
    ops.Sqrt: [(lambda n, x: (x * x + 0.1).sqrt(), [(3, 4)])],
    ops.Abs: [(lambda n, x: x.abs(), [(3, 4)])],
    ops.Tanh: [(lambda n, x: x.tanh(), [(3, 4)])],
    ops.Sigmoid: [
        (lambda n, x: x.sigmoid(), [(3, 4)]),
        (lambda n, x: (30 * x).sigmoid(), [(3, 4)]),
    ],
    ops.Relu: [(lambda n, x: x.relu(), [(3, 4)])],
    ops.LeakyRelu: [(lambda n, x: n.F.leaky_relu(x, 0.1), [(3, 4)])],
    ops.Silu: [(lambda n, x: n.F.silu(x), [(3, 4)]), (lambda n, x: n.F.silu(30 * x), [(3, 4)])],
    ops.Gelu: [
        (lambda n, x: n.F.gelu(x), [(3, 4)]),
        (lambda n, x: n.F.gelu(8 * x), [(3, 4)]),
        (lambda n, x: n.F.gelu(x, approximate="tanh"), [(3, 4)]),
        (lambda n, x: n.F.gelu(8 * x, approximate="tanh"), [(3, 4)]),
    ],
    ops.Clamp: [
        (lambda n, x: x.clamp(-0.5, 0.8), [(3, 4)]),
        (lambda n, x: x.clamp(min=0.1), [(3, 4)]),
        (lambda n, x: x.clamp(max=0.1), [(3, 4)]),
    ],
    ops.Copy: [(lambda n, x: x.clone(), [(3, 4)])],
    ops.Sum: [
        (lambda n, x: x.sum(), [(3, 4)]),
        (lambda n, x: x.sum(1), [(3, 4, 5)]),
        (lambda n, x: x.sum(dim=(0, -1)), [(3, 4, 5)]),
        (lambda n, x: x.sum([0, 1], keepdim=True), [(3, 4, 5)]),
    ],
    ops.Mean: [
        (lambda n, x: x.mean(), [(3, 4)]),
        (lambda n, x: x.mean(-1, keepdim=True), [(3, 4, 5)]),
        (lambda n, x: x.mean((0, 2)), [(3, 4, 5)]),
        (lambda n, x: x.var(), [(3, 4)]),
        (lambda n, x: x.var(1, correction=0), [(3, 4)]),
        (lambda n, x: x.std(0, keepdim=True), [(3, 4)]),
    ],
    ops.Max: [
        (lambda n, x: x.max(), [(3, 4)]),
        (lambda n, x: x.max(1).values, [(3, 4, 5)]),
        (lambda n, x: x.max(-1, keepdim=True)[0], [(3, 4, 5)]),
    ],
    ops.Min: [
        (lambda n, x: x.min(), [(3, 4)]),
        (lambda n, x: x.min(0).values, [(3, 4, 5)]),
    ],
    ops.Reshape: [
        (lambda n, x: x.reshape(4, -1), [(3, 4)]),
        (lambda n, x: x.view((12,)), [(3, 4)]),
        (lambda n, x: x.flatten(1), [(3, 4, 5)]),
        (lambda n, x: x.flatten(0, 1), [(3, 4, 5)]),
        (lambda n, x: x.unsqueeze(1), [(3, 4)]),
        (lambda n, x: x.unsqueeze(-1), [(3, 4)]),
        (lambda n, x: x.squeeze(1), [(3, 1, 4, 1)]),
        (lambda n, x: x.squeeze(), [(3, 1, 4, 1)]),
    ],
    ops.Permute: [
        (lambda n, x: x.permute(2, 0, 1), [(3, 4, 5)]),
        (lambda n, x: x.transpose(0, -1), [(3, 4, 5)]),
        (lambda n, x: x.T, [(3, 4)]),
    ],
    ops.Index: [
        (lambda n, x: x[1], [(3, 4)]),
        (lambda n, x: x[:, 1:3], [(3, 4)]),
        (lambda n, x: x[..., None, ::2], [(3, 4)]),
        (lambda n, x: x[[0, 2, 0]], [(3, 4)]),
        (lambda n, x: x[n.lib.tensor([0, 2, 0]), n.lib.tensor([1, 3, 1])], [(3, 4)]),
        (lambda n, x: x[n.lib.tensor([[2, 1], [2, 2]])], [(3, 4)]),
        (lambda n, x: x[x > 0], [(3, 4)]),
        (lambda n, x: x[1:, [0, 0, 3]], [(3, 4)]),
    ],
    ops.Embedding: [
        (lambda n, W: n.F.embedding(n.lib.tensor([[4, 0, 4], [4, 1, 1]]), W), [(5, 3)]),
        (lambda n, W: n.F.embedding(n.lib.tensor(3), W), [(5, 3)]),
    ],
    ops.Cat: [
        (lambda n, x, y, z: n.lib.cat([x, y, z]), [(3, 4), (1, 4), (5, 4)]),
        (lambda n, x, y: n.lib.cat([x, y, x], dim=-1), [(3, 4), (3, 5)]),
    ],
    ops.Stack: [
        (lambda n, x, y: n.lib.stack([x, y, x]), [(4, 5), (4, 5)]),
        (lambda n, x, y: n.lib.stack([x, y, x], dim=-1), [(4, 5), (4, 5)]),
        (lambda n, x, y: n.lib.stack([x, y, x], dim=1), [(4, 5), (4, 5)]),
    ],
    ops.MatMul: [
        (lambda n, x, y: x @ y, [(3, 4), (4, 5)]),
        (lambda n, x, y: x @ y, [(4,), (4,)]),
        (lambda n, x, y: x @ y, [(4,), (4, 5)]),
        (lambda n, x, y: x @ y, [(3, 4), (4,)]),
        (lambda n, x, y: x @ y, [(6, 3, 4), (4, 5)]),
        (lambda n, x, y: x @ y, [(6, 3, 4), (4,)]),
        (lambda n, x, y: x @ y, [(4,), (6, 4, 5)]),
        (lambda n, x, y: x.matmul(y), [(6, 3, 4), (6, 4, 5)]),
        (lambda n, x, y: x @ y, [(7, 1, 3, 4), (6, 4, 5)]),
        (lambda n, x, y: x @ y, [(3, 4), (6, 4, 5)]),
    ],
    ops.Linear: [
        (lambda n, x, W, b: n.F.linear(x, W, b), [(3, 4), (5, 4), (5,)]),
        (lambda n, x, W, b: n.F.linear(x, W, b), [(6, 3, 4), (5, 4), (5,)]),
        (lambda n, x, W, b: n.F.linear(x, W, b), [(4,), (5, 4), (5,)]),
    ],
    ops.Conv2d: [
        (lambda n, x, w, b: n.F.conv2d(x, w, b), [(3, 2, 5, 6), (4, 2, 3, 2), (4,)]),
        (
            lambda n, x, w, b: n.F.conv2d(x, w, b, (2, 1), (1, 2), (1, 2)),
            [(3, 2, 5, 6), (4, 2, 3, 2), (4,)],
        ),
        (lambda n, x, w: n.F.conv2d(x, w, padding=1, stride=2), [(2, 5, 6), (4, 2, 3, 3)]),
    ],
    ops.MaxPool2d: [
        (lambda n, x: n.F.max_pool2d(x, 2), [(3, 2, 5, 6)]),
        (lambda n, x: n.F.max_pool2d(x, (3, 2), (1, 2), 1, (1, 2)), [(3, 2, 5, 6)]),
        (lambda n, x: n.F.max_pool2d(x.relu(), 3, stride=1), [(3, 2, 5, 6)]),  # equals: all zero
    ],
    ops.AvgPool2d: [
        (lambda n, x: n.F.avg_pool2d(x, 2), [(3, 2, 5, 6)]),
        (lambda n, x: n.F.avg_pool2d(x, (3, 2), (1, 2), 1), [(3, 2, 5, 6)]),
    ],
    ops.RNN: [
        (lambda n, *xs: recurrent(n, "RNN", *xs), [(6, 5, 3), *weights(4), (5, 4)]),
    ],
    ops.ReluRNN: [
        (lambda n, *xs: recurrent(n, "ReluRNN", *xs), [(6, 5, 3), *weights(4), (5, 4)]),
    ],
    ops.LSTM: [
        (lambda n, *xs: recurrent(n, "LSTM", *xs), [(6, 5, 3), *weights(16), (5, 4), (5, 4)]),
    ],
    ops.GRU: [
        (lambda n, *xs: recurrent(n, "GRU", *xs), [(6, 5, 3), *weights(12), (5, 4)]),
    ],
    ops.LayerNorm: [
        (lambda n, x, w, b: n.F.layer_norm(x, (5,), w, b), [(3, 4, 5), (5,), (5,)]),
        (lambda n, x, w: n.F.layer_norm(x, (4, 5), w, eps=0.1), [(3, 4, 5), (4, 5)]),
        (lambda n, x: n.F.layer_norm(x, (5,)), [(3, 5)]),
        (lambda n, x, w, b: n.F.layer_norm(x, (5,), w, b), [(5,), (5,), (5,)]),
    ],
    ops.Attention: [
        (attention(), [(4, 5), (3, 5), (3, 6)]),
        (attention(scale=0.3), [(6, 3, 4, 5), (6, 3, 7, 5), (6, 3, 7, 8)]),
        (attention(is_causal=True), [(3, 4, 5), (3, 4, 5), (3, 4, 5)]),
        (attention(is_causal=True), [(3, 4, 5), (3, 6, 5), (3, 6, 5)]),
        (
            lambda n, q, k, v: n.F.scaled_dot_product_attention(
                q, k, v, n.lib.tensor([[True, False, True], [False, False, False]] * 2)
            ),
            [(4, 5), (3, 5), (3, 6)],
        ),
        (attention(), [(6, 4, 5), (6, 3, 5), (6, 3, 7), (4, 3)]),
        (attention(), [(6, 4, 5), (6, 3, 5), (6, 3, 7), (6, 1, 3)]),
    ],
    ops.Softmax: [
        (lambda n, x: x.softmax(1), [(3, 4)]),
        (lambda n, x: n.F.softmax(x, dim=0), [(3, 4, 5)]),
        (lambda n, x: n.F.softmax(1000 * x, -1), [(3, 4)]),
    ],
    ops.LogSoftmax: [
        (lambda n, x: x.log_softmax(1), [(3, 4)]),
        (lambda n, x: n.F.log_softmax(x, dim=1), [(3, 4, 5)]),
        (lambda n, x: n.F.log_softmax(1000 * x, -1), [(3, 4)]),
    ],
    ops.CrossEntropy: [
        (lambda n, x: n.F.cross_entropy(x, n.lib.tensor([4, 0, 4])), [(3, 5)]),
        (lambda n, x: n.F.cross_entropy(1000 * x, n.lib.tensor([4, 0, 4])), [(3, 5)]),
    ],
    ops.BinaryCrossEntropy: [
        (lambda n, x: n.F.binary_cross_entropy(x.sigmoid(), half(n, x)), [(5,)]),
    ],
    ops.BinaryCrossEntropyWithLogits: [
        (lambda n, x: n.F.binary_cross_entropy_with_logits(x, half(n, x)), [(5,)]),
        (lambda n, x: n.F.binary_cross_entropy_with_logits(1000 * x, half(n, x)), [(5,)]),
    ],
}


def half(n, x):
    """Targets of all kinds, in the dtype of x."""
    return n.lib.tensor([0, 1, 0.3, 1, 0], dtype=x.dtype)


ALL = [
    value
    for value in vars(ops).values()
    if isinstance(value, type) and issubclass(value, Function) and value is not Function
]
EACH = [
    pytest.param(op, f, shapes, id=f"{op.__name__}-{i}")
    for op, cases in CASES.items()
    for i, (f, shapes) in enumerate(cases)
]


def arrays(shapes, dtype=np.float64):
    rng = np.random.default_rng(7)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("op", ALL)
def test_every_operation_has_a_symbol_a_sentence_and_a_case(op):
    assert op.symbol
    assert op.__doc__
    assert ">>>" in op.__doc__, "an example"
    assert "Shape:" in op.__doc__ or op.__module__ == "nnlib.ops.elementwise", "its shapes"
    assert "symbol" in vars(op), "a symbol of its own, not that of its parent"
    assert op in CASES, f"add cases for {op.__name__} to CASES"


@pytest.mark.parametrize(("op", "f", "shapes"), EACH)
def test_a_case_uses_the_operation_that_it_is_for(op, f, shapes):
    y = f(OURS, *(Tensor(x, requires_grad=True) for x in arrays(shapes)))
    assert op in {type(node.grad_fn) for node in topological(y)}
    assert all(node.symbol for node in topological(y) if node.inputs)


@pytest.mark.parametrize(("dtype", "tol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize(("op", "f", "shapes"), EACH)
def test_an_operation_equals_torch(op, f, shapes, dtype, tol, close):
    data = arrays(shapes, dtype)
    ours = [Tensor(x, requires_grad=True) for x in data]
    theirs = [torch.tensor(x, requires_grad=True) for x in data]
    y, z = f(OURS, *ours), f(THEIRS, *theirs)
    close(y.data, z.detach(), tol)
    seed = np.random.default_rng(8).normal(size=y.shape).astype(dtype)
    y.backward(seed)
    z.backward(torch.tensor(seed))
    assert type(y) is Tensor
    assert type(y.data) is np.ndarray
    assert y.dtype == dtype
    for a, b in zip(ours, theirs, strict=True):
        close(a.grad, b.grad, tol)
        assert type(a.grad) is np.ndarray
        assert a.grad.dtype == dtype


@pytest.mark.parametrize(("op", "f", "shapes"), EACH)
def test_an_operation_passes_gradcheck(op, f, shapes):
    inputs = [Tensor(x, requires_grad=True) for x in arrays(shapes)]
    assert gradcheck(lambda *xs: f(OURS, *xs), *inputs)


@pytest.mark.parametrize(("op", "f", "shapes"), EACH)
def test_an_operation_changes_neither_its_inputs_nor_the_gradient_it_is_given(op, f, shapes):
    data = arrays(shapes)
    inputs = [Tensor(x, requires_grad=True) for x in data]
    y = f(OURS, *inputs)
    seed = np.ones(y.shape)
    first = [x.copy() for x in data]
    y.backward(seed, retain_graph=True)
    once = [x.grad.copy() for x in inputs]
    y.backward(seed)
    for x, before, grad in zip(inputs, first, once, strict=True):
        assert (x.data == before).all()
        np.testing.assert_allclose(x.grad, 2 * grad)  # saved arrays were not changed either
    assert (seed == 1).all()


@pytest.mark.parametrize(("op", "f", "shapes"), EACH)
def test_the_gradients_of_leaves_are_arrays_of_their_own(op, f, shapes):
    inputs = [Tensor(x, requires_grad=True) for x in arrays(shapes)]
    y = f(OURS, *inputs)
    seed = np.ones(y.shape)
    y.backward(seed)
    held = [seed, y.data, *(a for x in inputs for a in (x.data, x.grad))]
    for x in inputs:
        assert sum(np.shares_memory(x.grad, a) for a in held) == 1
        x.grad += 1  # a broadcast view would refuse


@pytest.mark.parametrize(("op", "f", "shapes"), [p for p in EACH if len(p.values[2]) > 1])
def test_one_input_alone_may_need_a_gradient(op, f, shapes):
    data = arrays(shapes)
    full = [Tensor(x, requires_grad=True) for x in data]
    f(OURS, *full).sum().backward()
    for i in range(len(data)):
        inputs = [Tensor(x, requires_grad=j == i) for j, x in enumerate(data)]
        f(OURS, *inputs).sum().backward()
        np.testing.assert_allclose(inputs[i].grad, full[i].grad)
        assert [x.grad is None for x in inputs] == [j != i for j in range(len(data))]


# Fused operations against the composed form that defines them


def rolled_out(step):
    """All states of a recurrent layer, step by step: the form of the fused operations."""

    def composed(x, W_ih, W_hh, b_ih, b_hh, *states):
        found = [nnlib.stack(states)]
        for x_t in x:
            states = step(x_t @ W_ih.T + b_ih, states[0] @ W_hh.T + b_hh, *states)
            found.append(nnlib.stack(states))
        return nnlib.stack(found, 1)

    return composed


def rnn_step(z, a, h):
    return ((z + a).tanh(),)


def relu_rnn_step(z, a, h):
    return ((z + a).relu(),)


def lstm_step(z, a, h, c):
    i, f, g, o = (z + a).reshape(len(z), 4, -1).transpose(0, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(z, a, h):
    (z_r, z_u, z_n), (a_r, a_u, a_n) = (v.reshape(len(v), 3, -1).transpose(0, 1) for v in (z, a))
    r, u = (z_r + a_r).sigmoid(), (z_u + a_u).sigmoid()
    n = (z_n + r * a_n).tanh()
    return ((1 - u) * n + u * h,)


COMPOSED = {
    ops.RNN: (rolled_out(rnn_step), [(6, 5, 3), *weights(4), (5, 4)], {}),
    ops.ReluRNN: (rolled_out(relu_rnn_step), [(6, 5, 3), *weights(4), (5, 4)], {}),
    ops.LSTM: (rolled_out(lstm_step), [(6, 5, 3), *weights(16), (5, 4), (5, 4)], {}),
    ops.GRU: (rolled_out(gru_step), [(6, 5, 3), *weights(12), (5, 4)], {}),
    ops.Linear: (lambda x, W, b: x @ W.T + b, [(6, 3, 4), (5, 4), (5,)], {}),
    ops.Conv2d: (
        lambda x, w, b: (
            nnlib.stack(
                [
                    (x[:, :, 2 * r : 2 * r + 3, c : c + 2].unsqueeze(1) * w).sum((2, 3, 4))
                    for r in range(2)
                    for c in range(4)
                ],
                -1,
            )
            + b.unsqueeze(1)
        ).reshape(3, 4, 2, 4),
        [(3, 2, 6, 5), (4, 2, 3, 2), (4,)],
        {"stride": (2, 1), "padding": (0, 0), "dilation": (1, 1)},
    ),
    ops.MaxPool2d: (
        lambda x: x.reshape(3, 2, 2, 3, 2, 2).max(5).values.max(3).values,
        [(3, 2, 6, 4)],
        {"kernel": (3, 2), "stride": (3, 2), "padding": (0, 0), "dilation": (1, 1)},
    ),
    ops.AvgPool2d: (
        lambda x: x.reshape(3, 2, 2, 3, 2, 2).mean((3, 5)),
        [(3, 2, 6, 4)],
        {"kernel": (3, 2), "stride": (3, 2), "padding": (0, 0), "dilation": (1, 1)},
    ),
    ops.Softmax: (lambda x: x.exp() / x.exp().sum(1, keepdim=True), [(3, 4)], {"dim": 1}),
    ops.Embedding: (
        lambda W: W[[[4, 0, 4]]],
        [(5, 3)],
        {"ids": np.array([[4, 0, 4]]), "padding": None},
    ),
    ops.Silu: (lambda x: x * x.sigmoid(), [(3, 4)], {}),
    ops.Gelu: (
        lambda x: x * 0.5 * (1 + ((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)).tanh()),
        [(3, 4)],
        {"approximate": "tanh"},
    ),
    ops.LayerNorm: (
        lambda x, w, b: (
            ((x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + 0.1).sqrt())
            * w
            + b
        ),
        [(3, 4, 5), (5,), (5,)],
        {"eps": 0.1},
    ),
    ops.Attention: (
        lambda q, k, v, mask: ((q * 0.3) @ k.transpose(-2, -1) + mask).softmax(-1) @ v,
        [(6, 3, 4, 5), (6, 3, 7, 5), (6, 3, 7, 8), (4, 7)],
        {"scale": 0.3},
    ),
    ops.LogSoftmax: (lambda x: (x.exp() / x.exp().sum(0)).log(), [(3, 4)], {"dim": 0}),
    ops.CrossEntropy: (
        lambda x: -x.log_softmax(1)[range(3), [4, 0, 4]],
        [(3, 5)],
        {"target": np.array([4, 0, 4])},
    ),
    ops.BinaryCrossEntropyWithLogits: (
        lambda x: -(x.sigmoid().log() * 0.3 + (1 - x.sigmoid()).log() * 0.7),
        [(5,)],
        {"target": np.full(5, 0.3)},
    ),
}


@pytest.mark.parametrize("op", COMPOSED)
def test_a_fused_operation_equals_its_composed_form(op, close):
    composed, shapes, params = COMPOSED[op]
    fused = [Tensor(x, requires_grad=True) for x in arrays(shapes)]
    parts = [Tensor(x, requires_grad=True) for x in arrays(shapes)]
    y, z = op.apply(*fused, **params), composed(*parts)
    close(y.data, z.data, 1e-12)
    (y * y).sum().backward()
    (z * z).sum().backward()
    for a, b in zip(fused, parts, strict=True):
        close(a.grad, b.grad, 1e-12)


# Where a slope jumps we say what torch says


@pytest.mark.parametrize(
    "f",
    [
        lambda n, x: x.relu(),
        lambda n, x: x.abs(),
        lambda n, x: n.F.leaky_relu(x, 0.2),
        lambda n, x: x.clamp(0, 1),
        lambda n, x: x.max(),
        lambda n, x: x.min(),
        lambda n, x: x**2,
        lambda n, x: x**0,
        lambda n, x: x.sqrt(),
        lambda n, x: n.F.binary_cross_entropy(x, n.lib.tensor([0, 1, 0, 0.4], dtype=x.dtype)),
        lambda n, x: n.F.binary_cross_entropy(x, n.lib.tensor([1, 0, 1, 0.4], dtype=x.dtype)),
        lambda n, x: n.F.binary_cross_entropy_with_logits(
            x, n.lib.tensor([1, 0, 1, 0.4], dtype=x.dtype)
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
def test_at_the_corners_slopes_are_torchs(f, close):
    corner = np.array([0.0, 1.0, 0.0, 1.0])
    x = Tensor(corner, requires_grad=True)
    t = torch.tensor(corner, requires_grad=True)
    y, z = f(OURS, x).sum(), f(THEIRS, t).sum()
    y.backward()
    z.backward()
    close(y.data, z.detach(), 1e-8)
    close(np.nan_to_num(x.grad), torch.nan_to_num(t.grad), 1e-8)  # torch's 1e-12 is a float32


def test_equal_largest_numbers_share_the_gradient_along_an_axis_too():
    x = Tensor([[1.0, 5.0, 5.0], [2.0, 1.0, 0.0]], requires_grad=True)
    x.max(1).values.backward(np.array([1.0, 3.0]))
    assert x.grad.tolist() == [[0, 0.5, 0.5], [3, 0, 0]]


def test_no_operation_warns_on_large_numbers():
    x = Tensor([-1e4, 1e4, -200.0, 200.0], requires_grad=True)
    target = [0, 1, 1, 0]
    y = x.sigmoid().sum() + x.tanh().sum() + x.softmax(0).sum() + x.log_softmax(0).sum()
    y = y + nnlib.functional.binary_cross_entropy_with_logits(x, target)
    y = y + nnlib.functional.cross_entropy(x.reshape(1, 4), [0])
    y.backward()
    assert np.isfinite(x.grad).all()
