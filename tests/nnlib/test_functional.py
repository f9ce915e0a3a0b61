"""Functions against torch, the words of their errors, and gradcheck against wrong gradients."""

import inspect

import numpy as np
import pytest
import torch

import nnlib
from nnlib import Tensor, Value, functional as F, no_grad, ones, tensor
from nnlib.functional import gradcheck
from nnlib.graph import Function

T = torch.nn.functional
rng = np.random.default_rng(3)
SCORES = rng.normal(size=(6, 5)) * 3
CLASSES = np.array([4, 0, 3, 3, 1, 2])
BINARY = np.array([[0.0, 1, 1, 0, 1]] * 6)

IMAGES = rng.normal(size=(4, 3, 5, 6))

# name: (f, arrays), where f(F, tensor, *inputs) runs on nnlib and on torch alike
CASES = {
    "relu": (lambda F, t, x: F.relu(x), [SCORES]),
    "leaky_relu": (lambda F, t, x: F.leaky_relu(x), [SCORES]),
    "leaky_relu slope": (lambda F, t, x: F.leaky_relu(x, negative_slope=0.3), [SCORES]),
    "sigmoid": (lambda F, t, x: F.sigmoid(x), [SCORES]),
    "tanh": (lambda F, t, x: F.tanh(x), [SCORES]),
    "silu": (lambda F, t, x: F.silu(x), [SCORES]),
    "gelu": (lambda F, t, x: F.gelu(x), [SCORES]),
    "gelu approximate=": (lambda F, t, x: F.gelu(x, approximate="tanh"), [SCORES]),
    "layer_norm": (
        lambda F, t, x, w, b: F.layer_norm(x, (5,), w, b),
        [SCORES, SCORES[0], SCORES[1]],
    ),
    "layer_norm eps=": (lambda F, t, x: F.layer_norm(x, (6, 5), eps=0.1), [SCORES]),
    "embedding": (lambda F, t, w: F.embedding(t(CLASSES), w), [SCORES]),
    "embedding padding_idx=": (lambda F, t, w: F.embedding(t(CLASSES), w, 3), [SCORES]),
    "scaled_dot_product_attention": (
        lambda F, t, *qkv: F.scaled_dot_product_attention(*qkv, is_causal=True),
        [SCORES, SCORES[::-1].copy(), SCORES[:, :3]],
    ),
    "softmax": (lambda F, t, x: F.softmax(x, 1), [SCORES]),
    "softmax dim=": (lambda F, t, x: F.softmax(x, dim=0), [SCORES]),
    "softmax far out": (lambda F, t, x: F.softmax(x * 1000, -1), [SCORES]),
    "log_softmax": (lambda F, t, x: F.log_softmax(x, dim=-1), [SCORES]),
    "log_softmax far out": (lambda F, t, x: F.log_softmax(x * 1000, 0), [SCORES]),
    "linear": (lambda F, t, x, w, b: F.linear(x, w, b), [SCORES, SCORES[:3], SCORES[0, :3]]),
    "linear without bias": (lambda F, t, x, w: F.linear(x, w), [SCORES, SCORES[:3]]),
    "linear sequence": (
        lambda F, t, x, w, b: F.linear(x, w, b),
        [rng.normal(size=(4, 6, 5)), SCORES[:3], SCORES[0, :3]],
    ),
    "mse_loss": (lambda F, t, x, y: F.mse_loss(x, y), [SCORES, SCORES[::-1].copy()]),
    "l1_loss": (lambda F, t, x, y: F.l1_loss(x, y), [SCORES, SCORES[::-1].copy()]),
    "cross_entropy": (lambda F, t, x: F.cross_entropy(x, t(CLASSES)), [SCORES]),
    "cross_entropy far out": (lambda F, t, x: F.cross_entropy(x * 1000, t(CLASSES)), [SCORES]),
    "binary_cross_entropy": (
        lambda F, t, x: F.binary_cross_entropy(F.sigmoid(x), t(BINARY, dtype=x.dtype)),
        [SCORES],
    ),
    "binary_cross_entropy_with_logits": (
        lambda F, t, x: F.binary_cross_entropy_with_logits(x, t(BINARY, dtype=x.dtype)),
        [SCORES],
    ),
    "binary_cross_entropy_with_logits far out": (
        lambda F, t, x: F.binary_cross_entropy_with_logits(x * 1000, t(BINARY, dtype=x.dtype)),
        [SCORES],
    ),
    "dropout in eval mode": (lambda F, t, x: F.dropout(x, 0.5, training=False), [SCORES]),
    "dropout of nothing": (lambda F, t, x: F.dropout(x, 0.0), [SCORES]),
    "batch_norm in training": (
        lambda F, t, x, w, b: F.batch_norm(
            x, t(np.zeros(3), dtype=x.dtype), t(np.ones(3), dtype=x.dtype), w, b, training=True
        ),
        [IMAGES, SCORES[0, :3], SCORES[1, :3]],
    ),
    "batch_norm": (
        lambda F, t, x: F.batch_norm(
            x, t(SCORES[0], dtype=x.dtype), t(SCORES[1] ** 2, dtype=x.dtype)
        ),
        [SCORES],
    ),
    "conv2d": (lambda F, t, x, w: F.conv2d(x, w, padding=1), [IMAGES, IMAGES[:, :, :3, :2]]),
    "max_pool2d": (lambda F, t, x: F.max_pool2d(x, 2), [IMAGES]),
    "avg_pool2d": (lambda F, t, x: F.avg_pool2d(x, 2, 1), [IMAGES]),
    "adaptive_avg_pool2d": (lambda F, t, x: F.adaptive_avg_pool2d(x, (2, 3)), [IMAGES]),
    "dropout of all": (lambda F, t, x: F.dropout(x, 1.0), [SCORES]),
}


@pytest.mark.parametrize(("dtype", "tol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("name", CASES)
def test_a_function_equals_torchs(name, dtype, tol, close):
    f, arrays = CASES[name]
    ours = [tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    y, z = f(F, tensor, *ours), f(T, torch.tensor, *theirs)
    assert y.dtype == dtype
    close(y.data, z.detach(), tol)
    seed = rng.normal(size=y.shape).astype(dtype)
    y.backward(seed)
    z.backward(torch.tensor(seed))
    for a, b in zip(ours, theirs, strict=True):
        close(a.grad, b.grad, tol)


def test_every_function_has_a_case():
    public = {
        name
        for name, f in vars(F).items()
        if inspect.isfunction(f) and f.__module__ == F.__name__ and not name.startswith("_")
    }
    elsewhere = {"gradcheck", "causal_mask", "added_mask"}  # the masks in test_attention.py
    assert public - elsewhere == {name.split()[0] for name in CASES}


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_an_activation_works_on_a_value(name):
    assert getattr(F, name)(Value(0.5)).data == getattr(Value(0.5), name)().data


# dropout


def test_dropout_keeps_the_mean_and_drops_the_share_p():
    nnlib.manual_seed(0)
    y = F.dropout(ones(200, 300), 0.3).data
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert abs(y.mean() - 1) < 0.02


def test_dropout_passes_the_gradient_through_what_it_kept():
    x = ones(50, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.sum().backward()
    assert (x.grad == y.data).all()


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_dropout_needs_a_probability(p):
    with pytest.raises(ValueError, match="dropout needs a probability p from 0 to 1; got"):
        F.dropout(ones(3), p)


# Losses


def test_bce_with_logits_at_exactly_0_has_its_slope():
    x = tensor([0.0, 0.0], requires_grad=True)
    F.binary_cross_entropy_with_logits(x, [1, 0]).backward()
    assert x.grad.tolist() == [-0.25, 0.25]


@pytest.mark.parametrize(
    "loss", [F.mse_loss, F.l1_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits]
)
def test_a_loss_takes_arrays_and_lists_as_targets_and_keeps_the_dtype(loss):
    p = tensor([0.3, 0.8], requires_grad=True)
    losses = [loss(p, t) for t in ([0, 1], np.array([0.0, 1.0]), np.array([0, 1]), tensor([0, 1]))]
    assert len({x.item() for x in losses}) == 1
    assert {x.dtype for x in losses} == {np.dtype("float32")}


def test_cross_entropy_takes_lists_and_arrays_of_classes():
    logits = tensor(SCORES, requires_grad=True)
    losses = [
        F.cross_entropy(logits, t).item() for t in (CLASSES, CLASSES.tolist(), tensor(CLASSES))
    ]
    assert len(set(losses)) == 1


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]
)
def test_a_loss_refuses_shapes_that_would_broadcast(name):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        getattr(F, name)(ones(4, 1), ones(4))
    assert str(error.value) == (
        f"{name}: prediction (4, 1) and target (4,) would broadcast to (4, 4). "
        "Reshape one: target.reshape(4, 1)."
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: F.mse_loss(ones(4, 3), ones(3)),
            r"\(4, 3\) and target \(3,\) would broadcast to \(4, 3\). They need the same shape",
        ),
        (lambda: F.mse_loss(ones(4), ones(3)), r"\(4,\) and target \(3,\) differ. They need the"),
        (
            lambda: F.cross_entropy(ones(4, 3), tensor([0, 1, 2, 3])),
            r"cross_entropy: target 3 at position 3, but logits \(4, 3\) have classes 0\.\.2\.",
        ),
        (
            lambda: F.embedding([[0, 2], [5, 1]], ones(5, 3)),
            r"embedding: id 5 at position 2, but weight \(5, 3\) has rows 0\.\.4\. The ids go",
        ),
        (
            lambda: F.layer_norm(ones(4, 3), (4,)),
            r"layer_norm needs .* last axes are \(4,\); got Tensor \(4, 3\)\. Normalise over",
        ),
        (lambda: F.layer_norm(np.ones(3), (3,)), r"layer_norm needs a Tensor .*got ndarray \(3,\)"),
        (lambda: F.cross_entropy(ones(4, 3), [0, -1, 0, 0]), r"target -1 at position 1, but"),
        (
            lambda: F.cross_entropy(ones(4, 3), tensor([[0], [1], [2], [0]])),
            r"got logits \(4, 3\) and target \(4, 1\).*target.reshape\(-1\)",
        ),
        (
            lambda: F.cross_entropy(ones(4, 5, 3), np.zeros((4, 5), int)),
            r"got logits \(4, 5, 3\) and target \(4, 5\).*logits.reshape\(-1, V\)",
        ),
        (lambda: F.cross_entropy(ones(3), [0, 1, 2]), r"got logits \(3,\) and target \(3,\)"),
        (
            lambda: F.binary_cross_entropy(tensor([-1.5, 0.5]), [0, 1]),
            r"needs probabilities from 0 to 1; got numbers from -1.5 to 0.5.*with_logits",
        ),
        (
            lambda: F.binary_cross_entropy(tensor([0.5, 1.5]), [0, 1]),
            r"needs probabilities from 0 to 1; got numbers from 0.5 to 1.5",
        ),
        (
            lambda: F.binary_cross_entropy_with_logits(ones(3), [-1, 1, 1]),
            r"needs targets from 0 to 1; got numbers from -1 to 1. Use 1 for",
        ),
        (
            lambda: F.linear(ones(4, 3), ones(5, 4)),
            r"linear: weight \(5, 4\) needs x \(\.\.\., 4\); it has \(4, 3\)",
        ),
    ],
)
def test_a_mistake_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_nan_passes_through_a_loss_so_that_training_can_say_where_it_came_from():
    x = tensor([[float("nan"), 0.5]])
    for loss in (F.mse_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        assert np.isnan(loss(x, [[0, 1]]).item())
    assert np.isnan(F.cross_entropy(x, [0]).item())


def test_classes_and_ids_are_whole_numbers():
    with pytest.raises(TypeError, match=r"target as a whole .* float32. Use .long\(\), or .argmax"):
        F.cross_entropy(ones(4, 3), ones(4))
    with pytest.raises(TypeError, match=r"embedding needs each id as a whole .* float32. Use"):
        F.embedding(ones(4), ones(4, 3))


def test_a_loss_judges_a_tensor():
    with pytest.raises(TypeError, match="mse_loss needs a Tensor to judge; got ndarray"):
        F.mse_loss(np.ones(3), np.ones(3))
    with pytest.raises(TypeError, match="cross_entropy needs a Tensor to judge; got list"):
        F.cross_entropy([[1.0, 2.0]], [0])


# gradcheck


class Wrong(Function):
    """z = x³, with a slope that `slope` gives."""

    symbol = "wrong"

    def forward(self, x, slope):
        self.x, self.slope = x, slope
        return x * x * x

    def backward(self, grad):
        return (grad * self.slope(self.x),)


def cube(slope):
    return lambda x: Wrong.apply(x, slope=slope)


def test_gradcheck_passes_a_right_gradient_and_catches_a_wrong_one():
    x = tensor([[0.5, -2.0, 3.0]], requires_grad=True)
    assert gradcheck(cube(lambda x: 3 * x * x), x) is True
    for slope in (
        lambda x: 3 * x,
        lambda x: x * x,
        lambda x: -3 * x * x,
        lambda x: 3 * x * x + 1e-3,
    ):
        with pytest.raises(RuntimeError, match="gradcheck"):
            gradcheck(cube(slope), x)


def test_gradcheck_names_the_first_number_that_disagrees():
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    wrong = cube(lambda x: np.where(x < 2.5, 3 * x * x, 0.0))
    with pytest.raises(RuntimeError) as error:
        gradcheck(lambda y, x: y.sum() + wrong(x).sum() / 7, tensor(1.0, requires_grad=True), x)
    assert "input 1 at (1, 0): backward() gives 0, but nudging by 1e-06 gives" in str(error.value)


def test_gradcheck_judges_relatively_where_gradients_are_tiny_and_where_they_are_huge():
    x = tensor([0.7, -1.3], requires_grad=True)
    for scale in (1e-2, 1e6):
        assert gradcheck(lambda x, s=scale: cube(lambda x: 3 * x * x)(x) * s, x)
        with pytest.raises(RuntimeError, match="gradcheck"):
            gradcheck(lambda x, s=scale: cube(lambda x: 3 * x * x * 1.0002)(x) * s, x)


def test_gradcheck_lets_rounding_pass_where_the_slope_is_0():
    x = tensor(SCORES[0], requires_grad=True)
    assert gradcheck(lambda x: x.softmax(0).sum() * 1e4, x)


def test_gradcheck_tol_says_how_large_a_share_is_allowed():
    x = tensor([0.7, -1.3], requires_grad=True)
    off = cube(lambda x: 3 * x * x * 1.01)
    assert gradcheck(off, x, tol=0.02)
    with pytest.raises(RuntimeError, match="gradcheck"):
        gradcheck(off, x, tol=0.005)


def test_gradcheck_works_in_float64_and_leaves_everything_as_found():
    x = tensor([0.3, 0.7], requires_grad=True)
    w = tensor([2.0, 3.0])
    kinds = []
    x.grad = grad = np.ones(2, np.float32)
    before, values = x.data, x.data.copy()

    def f(x, w):
        kinds.append((x.dtype, w.dtype))
        return (x * w).exp()

    assert gradcheck(f, x, w)
    assert set(kinds) == {(np.dtype("float64"), np.dtype("float64"))}
    assert x.data is before
    assert (x.data == values).all()
    assert x.grad is grad
    assert w.dtype == np.float32
    with pytest.raises(RuntimeError):
        gradcheck(cube(lambda x: x), x)
    assert x.data is before
    assert (x.data == values).all()
    assert x.grad is grad


def test_gradcheck_works_on_values():
    a, b = Value(2.0), Value(-3.0)
    assert gradcheck(lambda a, b: a * b + a.tanh() ** 2, a, b)
    assert (a.data, a.grad) == (2.0, None)

    def wrong(a):
        y = a * 1.0
        y.locals = (1.1, 0.0)
        return y

    with pytest.raises(RuntimeError, match=r"input 0: backward\(\) gives .* but nudging"):
        gradcheck(wrong, a)


def test_gradcheck_checks_the_parameters_of_a_model_in_place():
    model = nnlib.nn.Linear(3, 4).double()
    x = tensor(rng.normal(size=(5, 3)))
    assert gradcheck(lambda *_: model(x).tanh(), *model.parameters())


def test_gradcheck_fails_on_nan():
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match="nan"):
        gradcheck(lambda x: x.log(), tensor([-1.0], requires_grad=True))


@pytest.mark.parametrize(
    ("f", "x", "error", "message"),
    [
        (lambda x: x * 2, ones(3), ValueError, "needs an input that requires grad"),
        (
            lambda x: x * 2,
            ones(3, requires_grad=True) * 2,
            ValueError,
            r"detach\(\).requires_grad_",
        ),
        (F.dropout, ones(30, requires_grad=True), RuntimeError, "Seed what is random inside fn"),
        (lambda x: tensor(1.0), ones(3, requires_grad=True), RuntimeError, "requires grad, and no"),
    ],
)
def test_gradcheck_says_what_it_needs(f, x, error, message):
    with pytest.raises(error, match=message):
        gradcheck(f, x)


def test_functions_record_nothing_under_no_grad():
    x = ones(3, 4, requires_grad=True)
    with no_grad():
        for y in (F.relu(x), F.softmax(x, 1), F.mse_loss(x, x), F.cross_entropy(x, [0, 1, 2])):
            assert y.grad_fn is None
            assert not y.requires_grad
    assert isinstance(x, Tensor)
