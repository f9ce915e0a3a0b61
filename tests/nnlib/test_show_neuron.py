"""The neuron dial as data: each line of the sum is the engine's, and the drawing is its frame."""

import json
import math
import random
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from nnlib import Value, random as nnlib_random, show
from nnlib.scalar import Neuron
from nnlib.show.neuron import BOX, CORNERS, CURVE, FUNCTIONS, MOST
from nnlib.show.plane import Plane


def exact(piece):
    return re.findall('data-v="(.*?)"', piece)


def wrap(pieces):
    return ET.fromstring(f"<svg>{''.join(pieces.values())}</svg>")


def places(path):
    """The points of a path in the plane of the four corners."""
    plane = Plane(BOX, (-0.35, 1.35), (-0.35, 1.35))
    return [plane.number(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def drawn(seed):
    rng = random.Random(seed)
    w, b = (rng.uniform(-3, 3), rng.uniform(-3, 3)), rng.uniform(-3, 3)
    points = [(rng.uniform(-2, 2), rng.uniform(-2, 2)) for _ in range(rng.randint(1, 5))]
    return w, b, rng.choice(list(FUNCTIONS)), points


@pytest.mark.parametrize("seed", range(40))
def test_each_frame_adds_one_term_and_every_number_is_the_engine_s(seed):
    w, b, activation, points = drawn(seed)
    t = show.neuron(w, b, activation, points).trace
    assert len(t.frames) == 4 * len(points)
    for n, frame in enumerate(t.frames):
        (x1, x2), term = points[n // 4], n % 4
        first, second = Value(w[0]) * x1, Value(w[1]) * x2
        z = first + second + b
        out = FUNCTIONS[activation](z)
        lines = (
            [first.data, first.data],
            [second.data, (first + second).data],
            [b, z.data],
            [out.data],
        )
        pieces = t.draw(frame)
        for line, numbers in enumerate(lines):
            wanted = [repr(number) for number in numbers] if line <= term else []
            assert exact(pieces[f"term{line}"]) == wanted
        assert exact(pieces[f"point{n // 4}"]) == [repr(out.data)]
        assert [bool(pieces[f"ring{i}"]) for i in range(len(points))] == [
            i == n // 4 for i in range(len(points))
        ]
        wrap(pieces)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "linear"])
def test_it_computes_what_a_neuron_computes(activation):
    neuron = Neuron(2, activation)
    stage = show.neuron([w.data for w in neuron.w], neuron.b.data, activation)
    wanted = [neuron([Value(x) for x in corner]).data for corner in CORNERS]
    assert stage.data["out"] == pytest.approx(wanted, rel=1e-12, abs=1e-15)


def test_looking_draws_no_random_numbers():
    nnlib_random.manual_seed(3)
    wanted = nnlib_random.generator.uniform(0, 1)
    nnlib_random.manual_seed(3)
    show.neuron()
    assert nnlib_random.generator.uniform(0, 1) == wanted


def test_the_step_fires_only_above_zero():
    assert show.neuron((1, 1), -1, "step").data["out"] == [0.0, 0.0, 0.0, 1.0]


def test_the_text_counts_what_is_right():
    stage = show.neuron((1, 1), -0.5, "step", classes=(0, 0, 0, 1))
    assert repr(stage).splitlines() == [
        "    x1      x2        z     out  class",
        "     0       0  -0.5000       0      0",
        "     0  1.0000   0.5000  1.0000      0",
        "1.0000       0   0.5000  1.0000      0",
        "1.0000  1.0000   1.5000  1.0000      1",
        "step(1 x1 + 1 x2 - 0.5) fires for 3 of 4 points, and is right about 2.",
    ]
    assert stage.data["right"] == 2
    pieces = stage.trace.draw(stage.trace.frames[0])
    assert exact(pieces["right"]) == ["2"]
    assert repr(show.neuron()).endswith("fires for 1 of 4 points.")
    assert "and 80 points more" in repr(show.neuron(points=[(i, -i) for i in range(100)]))


def test_each_sum_is_said_in_a_sentence():
    t = show.neuron((2, -1), -0.5, "relu", [(1, -3)]).trace
    assert [frame.sentence for frame in t.frames] == [
        "Point (1, −3): w1 says how much x1 counts, 2 × 1 = 2.",
        "w2 says how much x2 counts, −1 × (−3) = 3. Together 5.",
        "z = 5 + (−0.5) = 4.5, above 0: the neuron fires.",
        "out = relu(4.5) = 4.5.",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_green_lies_where_z_is_above_zero_and_purple_where_it_is_below(seed):
    """Every corner of a tinted region is asked."""
    w, b, _, _ = drawn(seed)
    t = show.neuron(w, b, "tanh").trace
    seen = []
    for role, path in re.findall('class="tint (.*?)" d="(.*?)"', t.draw(t.frames[0])["tint"]):
        z = [w[0] * x + w[1] * y + b for x, y in places(path)]
        assert min(z if role == "positive" else [-n for n in z], default=1) > 0
        seen += z
    assert len(seen) > 20


def test_the_line_is_where_z_is_zero():
    t = show.neuron((2, -1), 0.25).trace
    tint = t.draw(t.frames[0])["tint"]
    (line,) = re.findall('class="trail boundary" d="(.*?)"', tint)
    z = [2 * x - y + 0.25 for x, y in places(line)]
    assert len(z) > 10
    assert z == pytest.approx([0] * len(z), abs=2e-3)


def test_without_weights_there_is_no_line_and_it_says_so():
    t = show.neuron((0, 0), -1).trace
    pieces = t.draw(t.frames[0])
    assert re.findall('class="trail boundary" d="(.*?)"', pieces["tint"]) in ([], [""])
    assert pieces["tint"].count("z &lt; 0") == 2
    assert t.picture().alt == t.alt


def test_the_point_lies_on_the_curve():
    stage = show.neuron((1, 1), -1.5, "tanh")
    frame = stage.trace.frames[-1]
    z, out = stage.data["z"][-1], stage.data["out"][-1]
    curve = Plane(CURVE, (-6.3, 6.3), (-1.2 * math.tanh(6.3), 1.2 * math.tanh(6.3)))
    x, y = curve.place(z, out)
    assert f"M{x:.1f} {y:.1f}" in stage.trace.draw(frame)["place"]


def test_turning_a_dial_keeps_the_points_and_gives_the_engine_s_numbers():
    stage = show.neuron((1, 1), -1.55, "sigmoid", classes=(0, 0, 0, 1))
    names = [control.name for control in stage.trace.controls]
    assert names == ["w1", "w2", "b", "activation"]
    stage.values = stage.values | {"w1": -0.7, "activation": "tanh"}
    assert stage.data == show.neuron((-0.7, 1), -1.55, "tanh", classes=(0, 0, 0, 1)).data
    for control, sent in zip(stage.trace.controls, stage.content["controls"], strict=True):
        assert sent["values"][sent["at"]] == stage.values[control.name]
    stops = stage.content["controls"][2]["values"]
    stage.values = stage.values | {"b": 2.0}
    assert stage.content["controls"][2]["values"] == stops  # the first bias stays within reach


def test_most_points_fit_into_a_megabyte():
    rng = np.random.default_rng(0)
    points, kinds = rng.normal(size=(MOST, 2)), [0, 1] * (MOST // 2)
    stage = show.neuron((0.123, -2.3), 0.7, "tanh", points, kinds)
    assert len(json.dumps(stage.content, ensure_ascii=False).encode()) <= 1_000_000
    assert stage.trace.jumps == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"w": (1, 2, 3)}, "w to be two numbers"),
        ({"b": math.inf}, "and b one"),
        ({"activation": "gelu"}, "one of step, tanh, relu, sigmoid, linear; got gelu"),
        ({"points": [(1, 2, 3)]}, r"points \(n, 2\); got shape \(1, 3\)"),
        ({"points": []}, "1 to 120 points"),
        ({"points": [(0, 0)] * 121}, "1 to 120 points"),
        ({"points": [(0, math.nan)]}, "finite points"),
        ({"classes": (0, 1)}, "a class 0 or 1 for each of 4 points"),
        ({"classes": (0, 1, 2, 1)}, "a class 0 or 1"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ValueError, match=f"show.neuron needs .*{said}"):
        show.neuron(**wrong)
