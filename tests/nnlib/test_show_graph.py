"""The picture of a graph, and the words that stand for it."""

import base64
import io
import math
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from unittest import mock

import numpy as np
import pytest
from matplotlib import rc_context, style
from PIL import Image

from nnlib import show
from nnlib.scalar import Value, total
from nnlib.show import svg, trace
from nnlib.show.graph import MOST, read
from nnlib.show.layout import layered
from nnlib.show.plots import GRAD, INK, VALUE
from nnlib.show.text import minus, narrow, tiny
from nnlib.tensor import Tensor


def random_graph(size, seed):
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(-2, 2), label=f"x{i}") for i in range(4)]
    while len(nodes) < size:
        a, b = rng.choices(nodes[-9:], k=2)
        nodes.append(rng.choice([a + b, a * b, a - b, a.tanh(), total([a, b, a])]))
    return total(nodes)


def small_graph():
    a = Value(3.0, label="a")
    u = a * a
    u.label = "u"
    y = u + u * a
    y.label = "y"
    return y


def drawing(root):
    """Its cards, where they are, and all that is written: (text, left, right, height) in pixels."""
    cards = read(root)
    layout = layered([card.inputs for card in cards])
    written = []
    marks = marks_of_graph(root)
    for mark in marks:
        if mark.tag == "text":
            size, x = float(mark.get("font-size")), float(mark.get("x"))
            wide = svg.width(mark.text, size, "strong" in mark.get("class", ""))
            left = x - {"middle": wide / 2, "end": wide}.get(mark.get("text-anchor"), 0)
            written.append((mark.text, left, left + wide, float(mark.get("y")) - 0.36 * size))
    return cards, layout, written


def marks_of_graph(root):
    """Every element that `show.graph` draws."""
    with mock.patch.object(trace, "rasterised", wraps=trace.rasterised) as rasterised:
        show.graph(root)
    pieces = rasterised.call_args.args[0]
    return list(ET.fromstring(f"<g>{''.join(pieces.values())}</g>").iter())


def texts_in(written, box):
    """What is written inside a card."""
    return [
        text
        for text, left, right, y in written
        if box.left < (left + right) / 2 < box.right and box.top < y < box.bottom
    ]


def topology(root):
    seen, stack = {}, [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = (node.grad, node.inputs, node.data)
            stack += node.inputs
    return seen


def test_the_table_is_the_engine_in_words():
    y = small_graph()
    y.backward()
    assert repr(show.graph(y)).splitlines() == [
        "node  op    value     grad  inputs",
        "a          3.0000  33.0000",
        "u     *    9.0000   4.0000  a, a",
        "#3    *   27.0000   1.0000  u, a",
        "y     +   36.0000   1.0000  u, #3",
        "Graph of 4 nodes from a through * (2 times), + to y = 36.0000, grad 1.0000.",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_table_and_picture_show_the_numbers_of_the_engine(seed):
    y = random_graph(20, seed)
    y.backward()
    cards, layout, written = drawing(y)
    values = {card.name: card for card in cards}
    for line in show.graph(y).text.splitlines()[1:-1]:
        name, *words = re.split(r" {2,}", line)
        numbers = [float(word) for word in words if re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", word)]
        card = values[name]
        assert numbers == pytest.approx([card.value, card.grad], abs=0.5e-4, rel=0.5e-4)
    for card, box in zip(cards, layout.boxes, strict=True):
        assert {minus(narrow(card.value)), minus(narrow(card.grad))} <= {*texts_in(written, box)}
    for wire in layout.wires:
        x, y = wire.points[-1]
        local = minus(tiny(cards[wire.target].locals[wire.slot]))
        assert any(
            text == local and x - 38 < left and right < x and abs(height - y) < 0.1
            for text, left, right, height in written
        )


def test_the_data_of_a_picture_has_the_exact_numbers_by_name():
    y = small_graph()
    assert show.graph(y).data["grad"] == dict.fromkeys(("a", "u", "#3", "y"))
    y.backward()
    assert show.graph(y).data == {
        "value": {"a": 3.0, "u": 9.0, "#3": 27.0, "y": 36.0},
        "grad": {"a": 33.0, "u": 4.0, "#3": 1.0, "y": 1.0},
    }


def test_looking_changes_nothing():
    y = random_graph(12, seed=1)
    before = topology(y)
    show.graph(y)
    assert topology(y) == before
    y.backward()
    after = topology(y)
    show.graph(y)
    show.graph(y)
    assert topology(y) == after


def test_before_backward_there_is_no_gradient():
    picture = show.graph(small_graph())
    assert "a          3.0000  None" in picture.text
    assert picture.alt.endswith("grad None.")


def test_the_same_graph_gives_the_same_bytes():
    first, second = show.graph(random_graph(9, seed=5)), show.graph(random_graph(9, seed=5))
    assert (first.png, first.text, first.alt) == (second.png, second.text, second.alt)


def test_nodes_of_the_same_name_are_told_apart():
    y = Value(1.0, label="w") * Value(2.0, label="w")
    assert [card.name for card in read(y)] == ["w #1", "w #2", "#3"]


@pytest.mark.parametrize("name", ["<b>&\"'</b>", "a" * 40, "$x^$", "a\nb", "损失", "\x00", "%s {}"])
def test_any_name_is_safe(name):
    y = Value(1.0, label=name) * Value(2.0)
    picture = show.graph(y, title=name)
    assert len(picture.text.splitlines()) == 5
    bundle, about = picture._repr_mimebundle_()
    assert set(bundle) == {"image/png", "text/plain"}
    assert "\n" not in about["image/png"]["alt"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -0.0, -123456.789, 1e300, -1.234e-300])
def test_long_names_and_odd_numbers_stay_inside_their_card(number):
    y = Value(number, label="w" * 40) + Value(number, label="<&\"'>" * 8)
    y.label = "the name of a sum that is very long"
    for node in (y, *y.inputs):
        node.grad = number
    _, layout, written = drawing(y)
    for box in layout.boxes:
        ends = [(left, right) for _, left, right, _ in written if box.left < left < box.right]
        assert ends
        assert all(right <= box.right for _, right in ends)
        assert minus(narrow(number)) in texts_in(written, box)


def test_odd_numbers_print_plainly():
    y = total(
        [Value(-0.0, label="zero"), Value(math.inf, label="big"), Value(math.nan, label="bad")]
    )
    lines = show.graph(y).text.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["0", "inf", "nan"]


def test_a_graph_of_120_nodes_is_drawn_and_one_more_says_what_to_do():
    x = [Value(i, label=f"x{i}") for i in range(MOST - 1)]
    assert len(show.graph(total(x)).text.splitlines()) == 1 + MOST + 1
    with pytest.raises(ValueError, match=r"at most 120 nodes; this graph has 121\. Show a smaller"):
        show.graph(total([*x, Value(0.0)]))


@pytest.mark.parametrize("root", [3.0, None, np.ones(3)])
def test_something_that_is_no_node_is_named(root):
    with pytest.raises(TypeError, match=f"needs a Value or a Tensor.*{type(root).__name__}"):
        show.graph(root)


def test_a_single_leaf_can_be_shown():
    assert (
        show.graph(Value(2.0, label="a")).alt == "Graph of 1 node: the leaf a = 2.0000, grad None."
    )


def test_tensors_show_shapes_and_no_numbers():
    w = Tensor(np.full((3, 2), 0.123, np.float32), requires_grad=True, label="w")
    x = Tensor(np.full((5, 2), 0.456, np.float32), label="x")
    loss = (x @ w.T).mean()
    loss.backward(retain_graph=True)
    text = show.graph(loss).text
    assert re.search(r"^w +\(3, 2\) +\(3, 2\)$", text, re.MULTILINE)
    assert re.search(r"^x +\(5, 2\) +None$", text, re.MULTILINE)
    assert "0." not in text
    written = {text for text, *_ in drawing(loss)[-1]}
    assert {"(3, 2)", "(5, 2)", "(5, 3)", "()"} <= written
    assert not any("." in text for text in written)


def test_a_spent_graph_says_when_to_show_it():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(
        RuntimeError, match=r"show it before backward\(\), or pass retain_graph=True"
    ):
        show.graph(loss)


def test_a_notebook_gets_a_picture_its_words_and_nothing_else():
    picture = show.graph(small_graph(), title="Three ways from a to y")
    bundle, about = picture._repr_mimebundle_()
    assert set(bundle) == {"image/png", "text/plain"}
    assert about == {"image/png": {"alt": picture.alt, "width": picture.width}}
    assert picture.alt.startswith("Three ways from a to y. Graph of 4 nodes")
    assert bundle["text/plain"].splitlines()[-1] == picture.alt
    assert base64.b64decode(bundle["image/png"]) == picture.png


def test_a_wide_picture_scrolls_instead_of_shrinking():
    y = Value(1.0)
    for _ in range(12):
        y = y.tanh()
    _, about = show.graph(y)._repr_mimebundle_()
    assert about["image/png"]["unconfined"] is True


def colours(picture):
    image = Image.open(io.BytesIO(picture.png))
    assert image.mode == "P"
    return image.width / picture.width, np.asarray(image.convert("RGB")).astype(int)


def network():
    """36 nodes."""
    rng = random.Random(0)
    x = [Value(rng.random(), label=f"x{i}") for i in range(3)]
    y = total([total([Value(rng.random()) * v for v in x]).tanh() for _ in range(4)])
    y.backward()
    return y


def test_a_small_picture_is_stored_at_twice_its_size():
    assert colours(show.graph(small_graph()))[0] == 2
    assert colours(show.graph(network()))[0] == 1


@pytest.mark.parametrize("graph", [small_graph, network])
def test_a_picture_is_light_on_white_and_keeps_the_colours_of_its_roles(graph):
    root = graph()
    root.backward()
    picture = show.graph(root)
    _, pixels = colours(picture)
    assert (pixels[[0, -1]] == 255).all()
    assert (pixels[:, [0, -1]] == 255).all()
    for colour in (VALUE, GRAD, INK):
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).sum(axis=-1) <= 6).sum() > 100


def test_a_picture_of_forty_nodes_takes_less_than_100_kilobytes():
    assert len(show.graph(network()).png) < 100_000


def test_a_reader_s_own_settings_do_not_change_the_picture():
    before = show.graph(small_graph()).png
    with style.context("dark_background"), rc_context({"savefig.bbox": "tight", "font.size": 20}):
        assert show.graph(small_graph()).png == before


def test_importing_show_does_not_import_matplotlib():
    code = (
        "import nnlib.show, sys; print(sorted({'matplotlib', 'PIL', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("numbers", [[1.0, 2.0, 3.0], [-0.66667, 123.456, -1e-7, 4.0]])
def test_the_picture_shows_a_small_array_whole_or_by_its_shape(numbers):
    x = Tensor(numbers, requires_grad=True, label="x")
    drawn = show.backprop((x * x).sum()).trace
    pieces = "".join(drawn.draw(drawn.frames[-1]).values())
    texts = [mark.text for mark in ET.fromstring(f"<g>{pieces}</g>").iter("text")]
    assert not any("…" in text for text in texts)
    assert "[1 2 3]" in texts or "(4,)" in texts
