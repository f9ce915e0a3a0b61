"""The convolution stepper: each frame against the library, and against sums done by hand."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from nnlib import Tensor, functional as F, nn, show
from tests.nnlib.seen import marks, numbers, outside


def trace(*given, **options):
    return show.conv(*given, **options).trace


@st.composite
def convolutions(draw):
    """An image, a kernel and settings with which the kernel fits."""
    C = draw(st.integers(1, 2))
    K = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = st.integers(1, 2)
    settings = {name: draw(st.tuples(size, size)) for name in ("stride", "dilation")}
    settings["padding"] = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    shape = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
        for k, d, p in zip(K, settings["dilation"], settings["padding"], strict=True)
    ]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    image, kernel = rng.normal(size=(C, *shape)), rng.normal(size=(C, *K))
    return image, kernel, settings, draw(st.sampled_from([0.0, -0.75]))


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_every_frame_shows_the_numbers_of_the_library(made):
    image, kernel, options, bias = made
    t = trace(image, kernel, **options, bias=bias)
    x, w = Tensor(image), Tensor(kernel[None])
    sums = F.conv2d(x, w, None, **options).data[0]
    output = F.conv2d(x, w, Tensor(np.array([bias])), **options).data[0]
    assert len(t.frames) == 1 + output.size
    assert (t.data["output"] == output).all()
    assert "products" not in numbers(t, 0)
    for step, (row, column) in enumerate(np.ndindex(output.shape), start=1):
        seen = numbers(t, step)
        here = by_hand(image, kernel, options, row, column)
        assert seen["products"] == here.ravel().tolist()
        assert here.sum() == pytest.approx(sums[row, column])
        said = [sums[row, column], bias, output[row, column]] if bias else [sums[row, column]]
        assert seen["sum"] == said
        filled = {
            f"out{r}_{c}": [output[r, c]]
            for n, (r, c) in enumerate(np.ndindex(output.shape))
            if n < step
        }
        assert {key: v for key, v in seen.items() if key.startswith("out")} == filled
        pixels = {f"x{c}_{i}_{j}": [v] for (c, i, j), v in np.ndenumerate(image)}
        assert {key: v for key, v in seen.items() if key.startswith("x")} == pixels


def by_hand(image, kernel, options, row, column):
    """The products at one place, one by one."""
    padding, stride, dilation = (options[name] for name in ("padding", "stride", "dilation"))
    products = np.zeros_like(kernel)
    for c, i, j in np.ndindex(kernel.shape):
        r = row * stride[0] - padding[0] + i * dilation[0]
        s = column * stride[1] - padding[1] + j * dilation[1]
        if 0 <= r < image.shape[1] and 0 <= s < image.shape[2]:
            products[c, i, j] = image[c, r, s] * kernel[c, i, j]
    return products


@settings(max_examples=30, deadline=None)
@given(convolutions())
def test_the_frame_around_the_window_stands_on_what_it_sees(made):
    image, kernel, options, bias = made
    t = trace(image, kernel, **options, bias=bias)
    drawn = marks(t, 0)
    place = {
        (mark.get("x"), mark.get("y")): float(mark.get("data-v"))
        for key, cell in drawn.items()
        if key.startswith("x")
        for mark in cell
        if mark.tag == "rect"
    }
    for step in range(1, len(t.frames)):
        row, column = t.frames[step].event
        boxes = [box for box in marks(t, step)["window"] if box.get("class") == "here value"]
        if options["dilation"] == (1, 1):
            assert len(boxes) == len(image)
            wide, tall = float(boxes[0].get("width")), float(boxes[0].get("height"))
            side = float(drawn["x0_0_0"][0].get("width"))
            assert (tall, wide) == (kernel.shape[1] * side, kernel.shape[2] * side)
            continue
        seen = [place.get((box.get("x"), box.get("y")), 0.0) for box in boxes]
        products = [s * w for s, w in zip(seen, kernel.ravel(), strict=True)]
        assert products == t.data["products"][..., row, column].ravel().tolist()


def test_it_agrees_with_torch():
    rng = np.random.default_rng(3)
    image, kernel = rng.normal(size=(2, 6, 5)), rng.normal(size=(2, 3, 2))
    t = trace(image, kernel, stride=(1, 2), padding=(2, 1), dilation=(2, 1), bias=0.3)
    expected = torch.nn.functional.conv2d(
        torch.tensor(image), torch.tensor(kernel)[None], torch.tensor([0.3], dtype=torch.float64),
        stride=(1, 2), padding=(2, 1), dilation=(2, 1),
    )  # fmt: skip
    np.testing.assert_allclose(t.data["output"], expected[0].numpy(), rtol=1e-12)


def test_a_layer_s_own_numbers_come_out_in_its_own_dtype():
    layer = nn.Conv2d(2, 3, 3, padding=1)
    image = np.random.default_rng(0).random((2, 4, 4), np.float32)
    assert layer.bias is not None
    stage = show.conv(image, layer.weight[1], padding=1, bias=float(layer.bias.data[1]))
    assert stage.data["output"].dtype == np.float32
    np.testing.assert_allclose(stage.data["output"], layer(Tensor(image)).data[1], rtol=1e-5)


def edge(**options):
    image = [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]
    return trace(image, [[-1, 1], [-1, 1]], **options)


def test_a_frame_says_where_it_is_and_what_adds_up():
    frames = edge(bias=0.5).frames
    assert frames[0].sentence == (
        "A 2 × 2 kernel slides over an image of 3 × 4. The window fits at 2 places downwards and 3 "
        "across, so the output is 2 × 3."
    )
    assert frames[2].where == "row 0, column 1"
    assert frames[2].sentence == (
        "Output at row 0, column 1: the sum of the products is 0 + 1 + 0 + 1 = 2; plus the bias "
        "0.5 it is 2.5."
    )
    padded = edge(padding=1, stride=2).frames
    assert "stride 2, padding 1." in padded[0].sentence
    assert padded[1].sentence.endswith("Of the window 3 cells lie in the padding, as 0.")
    assert "window 3 cells lie in the padding" in edge(padding=1).frames[-1].sentence


def test_a_click_on_an_output_goes_to_it_and_on_a_pixel_to_what_sees_it():
    t, padded = edge(), edge(padding=1)
    assert t.clicks["out1_2"] == [6]
    assert t.clicks["x0_1_1"] == [1, 2, 4, 5]
    assert t.clicks["x0_2_3"] == [6]
    assert t.jumps == {"row 0": 1, "row 1": 4}
    for each in (t, padded):  # what can be clicked is drawn: nothing of the padding is
        assert set(each.clicks) <= set(each.draw(each.frames[0]))
    assert padded.clicks["x0_2_3"] == [14, 15, 19, 20]


def test_where_nothing_can_be_drawn_the_output_is_written():
    stage = show.conv([[0, 0, 1, -1]], [[-1, 1]], title="Which way?")
    assert repr(stage).splitlines() == [
        "0  1.0000  -2.0000",
        "Which way? A 1 × 2 kernel over an image of 1 × 4: the output is 1 × 3, from -2 to 1.",
    ]


@pytest.mark.parametrize(
    ("image", "kernel", "options"),
    [
        (np.ones((12, 12)) * -0.12345, np.ones((3, 3)) / -7, {}),
        (np.linspace(-1e-4, 1e5, 36).reshape(6, 6), [[0.001, -1e-9]], {"bias": -123.456}),
        (np.linspace(-1, 1, 192).reshape(3, 8, 8), np.ones((3, 3, 3)), {"bias": 1.0}),
        (np.ones((1, 1)), [[1.0]], {"padding": 3, "bias": -1 / 3}),
        (-np.ones((2, 5, 5)), -np.ones((2, 1, 1)), {"dilation": 2, "padding": 1}),
    ],
)
def test_nothing_sticks_out_and_nothing_is_cut(image, kernel, options):
    t = trace(image, kernel, **options)
    for step in range(len(t.frames)):
        assert outside(t, step) == []
    assert len(json.dumps(t.tracks())) < 1_000_000


def test_the_largest_one_is_no_more_than_a_megabyte():
    t = trace(-np.ones((12, 12)) / 3, -np.ones((4, 4)) / 3, padding=0)
    t2 = trace(-np.ones((2, 10, 10)) / 3, -np.ones((2, 3, 4)) / 3)
    assert max(len(json.dumps(each.tracks())) for each in (t, t2)) < 1_000_000


def test_the_sign_is_printed_first_and_coloured():
    cells = {mark.get("class"): mark for mark in marks(edge(), 6)["products"]}
    t = trace([[2.0, -1.0, 0.0]], [[1.0]])
    drawn = [marks(t, 3)[f"out0_{n}"] for n in range(3)]
    assert [cell[0].get("class") for cell in drawn] == ["cell plus", "cell minus", "cell zero"]
    assert [cell[1].text for cell in drawn] == ["2", "−1", "0"]
    parts = [float(cell[0].get("fill-opacity")) for cell in drawn]
    assert parts == sorted(parts, reverse=True)
    assert parts[0] == 2 * parts[1] > parts[2] == 0
    assert set(cells) <= {"cell plus", "cell minus", "cell zero", None}


def test_odd_numbers_are_shown_as_they_are():
    t = trace([[np.nan, np.inf, -0.0, -np.inf]], [[1.0]])
    texts = [marks(t, 4)[f"out0_{n}"][1].text for n in range(4)]
    assert texts == ["nan", "inf", "0", "−inf"]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (
            ([1.0, 2.0], [[1.0]]),
            ValueError,
            r"image \(C, H, W\).*kernel \(C, K, K'\).*image \(2,\) and kernel \(1, 1\)",
        ),
        (([[1.0]], np.ones((2, 1, 1))), ValueError, r"layer.weight\[0\]"),
        ((np.ones((3, 3, 3, 3)), np.ones((3, 3))), ValueError, r"images\[0\]"),
        (
            (np.ones((28, 28)), np.ones((3, 3))),
            ValueError,
            r"most 12 × 12.*:8, :8.*got image \(28, 28\)",
        ),
        ((np.ones((10, 10)), np.ones((3, 3)), 1, 2), ValueError, "padding 14 × 14 cells"),
        (
            (np.ones((3, 9, 9)), np.ones((3, 1, 1))),
            ValueError,
            "24 with all channels.*padding 9 × 9 cells .channels: 3",
        ),
        ((np.ones((12, 12)), np.ones((7, 7)), 1, 0, 1), None, ""),
        ((np.ones((12, 12)), np.ones((6, 6))), None, ""),
        ((np.ones((2, 12, 12)), np.ones((2, 6, 6))), ValueError, "3500 products.*3528 products"),
        (([[1.0]], [[1.0, 1.0]]), ValueError, "does not fit"),
        (([["a"]], [[1.0]]), TypeError, "arrays of numbers"),
        (([[1.0]], [[1.0]], 0), ValueError, "stride to be a whole number from 1 up"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(arguments, error, said):
    if error is None:
        assert trace(*arguments).frames
    else:
        with pytest.raises(error, match=f"(?s){said}"):
            trace(*arguments)


def test_the_still_picture_is_the_last_frame():
    picture = show.conv(np.eye(4), np.eye(2), title="Along").picture()
    assert picture.png.startswith(b"\x89PNG")
    assert len(picture.png) < 100_000
    assert picture.alt.startswith("Along. A 2 × 2 kernel")
