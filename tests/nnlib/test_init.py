"""Initialisers draw from torch's distributions."""

import inspect
import math

import numpy as np
import pytest
import torch

import nnlib
from nnlib import init
from nnlib.tensor import Tensor

SHAPES = [(40, 70), (16, 8, 3, 5)]
FORMULAS = [
    ("xavier_uniform_", {}),
    ("xavier_uniform_", {"gain": 5 / 3}),
    ("xavier_normal_", {"gain": 2}),
    ("kaiming_uniform_", {"nonlinearity": "relu"}),
    ("kaiming_uniform_", {"a": math.sqrt(5)}),
    ("kaiming_uniform_", {"a": 0.2, "mode": "fan_out"}),
    ("kaiming_normal_", {}),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("uniform_", {"a": -2, "b": 3}),
    ("orthogonal_", {"gain": 2}),
    ("normal_", {"mean": 4, "std": 0.5}),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "options"), FORMULAS)
def test_mean_and_spread_are_torchs(name, options, shape):
    nnlib.manual_seed(0)
    torch.manual_seed(0)
    ours = getattr(init, name)(Tensor(np.zeros(shape, np.float32)), **options).data
    theirs = getattr(torch.nn.init, name)(torch.zeros(shape), **options).numpy()
    spread = float(theirs.std())
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.15 * spread)
    assert ours.std() == pytest.approx(spread, rel=0.05)
    if "uniform" in name:
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (7, 4), (3, 2, 3, 3)])
def test_orthogonal_rows_or_columns_stand_at_right_angles(shape):
    nnlib.manual_seed(0)
    w = init.orthogonal_(Tensor(np.zeros(shape)), gain=2.0).data.reshape(shape[0], -1)
    short = w @ w.T if len(w) <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(short, 4 * np.eye(len(short)), atol=1e-12)
    theirs = torch.nn.init.orthogonal_(torch.zeros(shape), gain=2.0).reshape(shape[0], -1).numpy()
    np.testing.assert_allclose(
        np.linalg.svd(w, compute_uv=False), np.linalg.svd(theirs, compute_uv=False), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("fill", "value"),
    [(init.zeros_, 0), (init.ones_, 1), (lambda t: init.constant_(t, 2.5), 2.5)],
)
def test_a_constant_fills_the_tensor(fill, value):
    np.testing.assert_array_equal(fill(Tensor(np.full((2, 3), 9.0))).data, value)


@pytest.mark.parametrize(("name", "options"), FORMULAS)
def test_the_tensor_itself_is_filled_and_keeps_its_dtype_and_stays_a_leaf(name, options):
    w = Tensor(np.zeros((3, 4), np.float32), requires_grad=True)
    assert getattr(init, name)(w, **options) is w
    assert w.data.any()
    assert w.data.dtype == np.float32
    assert w.is_leaf


def test_the_same_seed_gives_the_same_numbers():
    drawn = []
    for _ in range(2):
        nnlib.manual_seed(7)
        drawn.append(init.kaiming_normal_(Tensor(np.zeros((3, 4)))).data)
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu"])
@pytest.mark.parametrize("param", [None, 0.3])
def test_gains_are_torchs(name, param):
    theirs = torch.nn.init.calculate_gain(name, param)
    assert init.calculate_gain(name, param) == pytest.approx(theirs, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.calculate_gain("swish"), "calculate_gain knows linear, .* got 'swish'"),
        (
            lambda: init.kaiming_normal_(Tensor(np.zeros((2, 3))), mode="in"),
            "mode=\"fan_in\" .* got 'in'",
        ),
        (
            lambda: init.kaiming_uniform_(Tensor(np.zeros(3))),
            r"kaiming_uniform_ needs a weight .* shape \(3,\). For a bias",
        ),
        (
            lambda: init.xavier_normal_(Tensor(np.zeros((0, 3)))),
            r"xavier_normal_ needs a weight .* shape \(0, 3\)",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", [name for name, _ in FORMULAS] + ["calculate_gain", "constant_"])
def test_an_initialisers_arguments_have_torchs_names_and_defaults(name):
    theirs = inspect.signature(getattr(torch.nn.init, name)).parameters
    for argument in inspect.signature(getattr(init, name)).parameters.values():
        assert argument.default == theirs[argument.name].default
