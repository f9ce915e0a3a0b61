"""The receptive field against nudges: what an output sees is what changes it."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, reject, settings, strategies as st

from nnlib import Tensor, nn, no_grad, show
from tests.nnlib.seen import marks, numbers, outside

layer = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2))


def trace(*given, **options):
    return show.receptive_field(*given, **options).trace


def by_nudges(layers, shape, at):
    """Where in an input of this shape a nudge changes the output at a place, for positive weights.

    The network is made of real layers, max-pooling replaced by the mean: it sees the same.
    """
    rng = np.random.default_rng(0)
    with no_grad():
        for each in layers:
            if isinstance(each, nn.Conv2d):
                each.weight.data = rng.uniform(0.5, 1, each.weight.shape)
                each.bias = None

        image = rng.uniform(1, 2, shape)
        nudged = image + np.eye(image.size).reshape(-1, *shape)
        x = Tensor(np.concatenate([image[None], nudged])[:, None])
        for each in layers:
            x = each(x)
        output = x.data[:, 0, at[0], at[1]]
        seen = (np.abs(output[1:] - output[0]) > 1e-6).reshape(shape)
    return seen


@settings(max_examples=40, deadline=None)
@given(st.lists(layer, min_size=1, max_size=3), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_an_output_sees_what_changes_it(layers, at):
    try:
        t = trace(layers, at)
    except ValueError:
        reject()  # too large to be drawn
    paths = t.data["paths"][0]
    convs = [nn.Conv2d(1, 1, k, s, dilation=d) for k, s, d in layers]
    seen = by_nudges(convs, paths.shape, at)
    assert ((paths > 0) == seen).all()
    rows, columns = np.nonzero(seen)
    assert t.data["rows"] == (rows.min(), rows.max())
    assert t.data["columns"] == (columns.min(), columns.max())
    # The textbook's formula: each layer adds dilation · (kernel - 1) steps of the layers before it.
    size, jump = 1, 1
    for k, s, d in layers:
        size, jump = size + d * (k - 1) * jump, jump * s
    assert t.data["size"] == (size, size)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.LeakyReLU(), nn.AvgPool2d(3, 1),
    )  # fmt: skip


@pytest.mark.parametrize("at", [(0, 0), (1, 2), (4, 4)])
def test_a_network_s_layers_count_and_its_activations_do_not(at):
    t = trace(network(), at, size=28)
    alike = [
        nn.Conv2d(1, 1, 3, padding=1), nn.AvgPool2d(2), nn.Conv2d(1, 1, 3, stride=2, padding=1),
        nn.AvgPool2d(3, 1),
    ]  # fmt: skip
    assert ((t.data["paths"][0] > 0) == by_nudges(alike, (28, 28), at)).all()
    assert [m.shape for m in t.data["paths"]] == [(28, 28), (28, 28), (14, 14), (7, 7), (5, 5)]


def test_what_is_drawn_are_the_paths_map_by_map_from_the_output_back():
    t = trace([(3, 1, 1), (2, 2, 1), (3, 1, 2)], (1, 0))
    maps = t.data["paths"]
    for step in range(len(t.frames)):
        known = len(maps) - 1 - step
        seen = numbers(t, step)
        assert set(seen) == {f"map{k}" for k in range(known, len(maps))}
        for k in range(known, len(maps)):
            assert seen[f"map{k}"] == maps[k][maps[k] > 0].tolist()
            drawn = marks(t, step)
            cells = [c for c in drawn[f"map{k}"] if c.get("data-v")]
            frame, *cone = drawn[f"field{k}"]
            assert len(cone) == (0 if k == len(maps) - 1 else 2)
            x, y = (min(float(c.get(axis)) for c in cells) for axis in "xy")
            right = max(float(c.get("x")) + float(c.get("width")) for c in cells)
            assert (float(frame.get("x")), float(frame.get("y"))) == pytest.approx((x, y), abs=1e-3)
            assert x + float(frame.get("width")) == pytest.approx(right, abs=1e-2)
            for line, bottom in zip(cone, (0, 1), strict=False):
                start, end = corner(frame, 1, bottom), corner(drawn[f"field{k + 1}"][0], 0, bottom)
                assert ends(line) == pytest.approx((*start, *end), abs=1e-2)


def corner(box, right, bottom):
    """A corner of a rectangle."""
    x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
    return x + right * width, y + bottom * height


def ends(line):
    """Where a wire starts and ends, from left to right."""
    x, y, *_ = numbers = [float(n) for n in re.findall(r"[\d.]+", line.get("d"))]
    return (x, y, numbers[-1], y) if "H" in line.get("d") else (x, y, *numbers[-2:])


def test_frames_say_what_is_seen():
    frames = trace([(3, 1, 1), (3, 1, 2)], (0, 1)).frames
    assert [frame.sentence for frame in frames] == [
        "One cell of the output, (0, 1). What does it see? Go back through 2 layers.",
        "It looks through layer 2, conv 3 × 3, dilation 2, and so sees 5 × 5 cells of map 1: rows "
        "0 to 4, columns 1 to 5. There are gaps between: it sees 9 of these 25.",
        "What it saw of map 1 looks through layer 1, conv 3 × 3, and so sees 7 × 7 cells of the "
        "input: rows 0 to 6, columns 1 to 7. From one of them 4 paths lead to the output, from "
        "another 1.",
    ]


def test_each_map_is_a_click_and_a_jump_away():
    t = trace([(3, 1, 1), (3, 1, 1)])
    assert t.clicks == {"map0": [2], "map1": [1], "map2": [0]}
    assert t.jumps == {"the output": 0, "map 1": 1, "the input": 2}
    assert t.frames[0].sentence.startswith("One cell of the output, (1, 1).")


@pytest.mark.parametrize(
    ("layers", "options"),
    [
        ([(1, 1, 1)], {}),
        ([(3, 1, 1)] * 6, {}),
        ([nn.AvgPool2d(1, 1, padding=2)], {}),
        ([(7, 2, 1), (3, 2, 1), (3, 1, 1)], {}),
        ([(40, 1, 1)], {"size": 40}),
        ([((1, 3), 1, 2)], {"at": (0, 0)}),
        ([nn.Conv2d(1, 1, 3, padding=1)], {"size": (4, 40)}),
    ],
)
def test_nothing_sticks_out_and_it_stays_small(layers, options):
    t = trace(layers, **options)
    for step in range(len(t.frames)):
        assert outside(t, step) == []
    assert len(json.dumps(t.tracks())) < 1_000_000
    assert show.receptive_field(layers, **options).picture().png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (([],), ValueError, "1 to 6 layers.*got 0"),
        (([(1, 1, 1)] * 7,), ValueError, "got 7"),
        (([nn.Linear(3, 2)],), TypeError, r"got Linear\(.*model\[:4\]"),
        (([(3, 1)],), TypeError, r"got \(3, 1\)"),
        (([(3, 0, 1)],), ValueError, "stride to be a whole number from 1 up"),
        (([(3, 3, 1)] * 4,), ValueError, "up to 40 × 40.*got 243 × 243 for these layers"),
        (([(3, 1, 1)], None, 41), ValueError, r"or size=; got 41 × 41\."),
        (([(3, 1, 1)], (5, 0), 7), ValueError, r"from \(0, 0\) to \(4, 4\).*size=; got \(5, 0\)"),
        (([(3, 1, 1)], (-1, 0), 7), ValueError, r"got \(-1, 0\)"),
        (
            ([(1, 1, 1)] * 3, None, 30),
            ValueError,
            r"up to 100 cells.*smaller size=; got widths \[30, 30, 30, 30\]",
        ),
        (([(3, 1, 1)], None, 2), ValueError, "does not fit"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(arguments, error, said):
    with pytest.raises(error, match=f"(?s){said}"):
        trace(*arguments)


def test_where_nothing_can_be_drawn_sizes_and_places_are_written():
    text = repr(show.receptive_field([(3, 1, 1), (3, 2, 1)], at=(0, 1), title="Two layers"))
    *_, alt = text.splitlines()
    assert alt == (
        "Two layers. Cell (0, 1) of the output, through 2 layers, sees 5 × 5 of 9 × 9 cells of the "
        "input: rows 0 to 4, columns 2 to 6."
    )
    assert re.search(r"^input +9 × 9 +5 × 5 +0-4 +2-6$", text, re.MULTILINE)
