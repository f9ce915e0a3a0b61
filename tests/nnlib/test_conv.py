"""Windows over images: any shape, stride, padding and dilation gives torch's numbers."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

import nnlib
from nnlib import Tensor, functional as F, nn

pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
border = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def images(draw):
    shape = draw(st.tuples(*[st.integers(1, n) for n in (3, 3, 7, 7)]))
    return np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape)


def compare(ours, theirs, *arrays):
    a = [Tensor(x, requires_grad=True) for x in arrays]
    b = [torch.tensor(x, requires_grad=True) for x in arrays]
    y, z = ours(*a), theirs(*b)
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=1e-10)
    seed = np.random.default_rng(0).normal(size=z.shape)
    y.backward(seed)
    z.backward(torch.tensor(seed))
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), atol=1e-10)


def fits(x, kernel, padding, dilation=(1, 1)):
    return all(
        n + 2 * p > d * (k - 1)
        for n, k, p, d in zip(x.shape[2:], kernel, padding, dilation, strict=True)
    )


@settings(max_examples=150)
@given(images(), pair, pair, border, pair, st.integers(1, 3))
def test_convolution_equals_torchs(x, kernel, stride, padding, dilation, out):
    assume(fits(x, kernel, padding, dilation))
    w = np.random.default_rng(1).normal(size=(out, x.shape[1], *kernel))
    settings = (stride, padding, dilation)
    compare(
        lambda x, w, b: F.conv2d(x, w, b, *settings),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, *settings),
        x,
        w,
        np.arange(float(out)),
    )


@settings(max_examples=150)
@given(images(), pair, pair, border, pair, st.booleans())
def test_max_pooling_equals_torchs(x, kernel, stride, padding, dilation, equals):
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    assume(fits(x, kernel, padding, dilation))
    x = np.round(x) if equals else x
    settings = (kernel, stride, padding, dilation)
    # A dilated window may see nothing but padding; torch's backward then writes where it must not.
    assume(np.isfinite(F.max_pool2d(Tensor(x), *settings).data).all())
    compare(
        lambda x: F.max_pool2d(x, *settings),
        lambda x: torch.nn.functional.max_pool2d(x, *settings),
        x,
    )


@settings(max_examples=100)
@given(images(), pair, pair, border)
def test_average_pooling_equals_torchs(x, kernel, stride, padding):
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    assume(fits(x, kernel, padding))
    settings = (kernel, stride, padding)
    compare(
        lambda x: F.avg_pool2d(x, *settings),
        lambda x: torch.nn.functional.avg_pool2d(x, *settings),
        x,
    )


@settings(max_examples=50)
@given(images(), pair)
def test_adaptive_pooling_equals_torchs(x, size):
    compare(
        lambda x: F.adaptive_avg_pool2d(x, size),
        lambda x: torch.nn.functional.adaptive_avg_pool2d(x, size),
        x,
    )


def test_conv2d_starts_as_torchs_does():
    nnlib.manual_seed(0)
    conv = nn.Conv2d(20, 30, 5)
    for p in conv.parameters():
        assert p.data.dtype == np.float32
        assert np.abs(p.data).max() == pytest.approx(1 / np.sqrt(500), rel=0.1)
        assert np.abs(p.data).max() <= 1 / np.sqrt(500)


def x(*shape):
    return Tensor(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.Conv2d(3, 8, 3)(x(2, 8, 8, 3)),
            "conv2d needs x (B, C=3, H, W) or (C=3, H, W); it has shape (2, 8, 8, 3). The weight "
            "has shape (8, 3, 3, 3): it looks at 3 channels.",
        ),
        (
            lambda: nn.Conv2d(3, 8, 5)(x(2, 3, 4, 4)),
            "conv2d: a window of (5, 5), padding (0, 0) and dilation (1, 1) does not fit x "
            "(2, 3, 4, 4). Use a smaller window, more padding, or pool less.",
        ),
        (
            lambda: nn.MaxPool2d(2)(x(8, 8)),
            "max_pool2d needs x (B, C, H, W) or (C, H, W); it has shape (8, 8). Images are (batch, "
            "channels, height, width); see .unsqueeze() and .permute().",
        ),
        (
            lambda: nn.MaxPool2d(2, padding=2)(x(1, 1, 8, 8)),
            "max_pool2d: padding 2 is more than half of the window, (2, 2), which would see "
            "nothing else. Use less padding.",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match="2d") as error:
        call()
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["kernel_size", "stride", "padding", "dilation"])
@pytest.mark.parametrize("size", [-1, 1.5, (1, 2, 3), "3"])
def test_sizes_must_be_whole_numbers(name, size):
    with pytest.raises(ValueError, match=f"Conv2d needs {name} to be a whole number"):
        nn.Conv2d(1, 1, **{"kernel_size": 3, name: size})
