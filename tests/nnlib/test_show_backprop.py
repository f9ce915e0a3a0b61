"""The backprop stepper as data: a frame is what the engine does, and a drawing is its frame."""

import itertools
import json
import math
import random
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from nnlib import MLP, Tensor, Value, manual_seed, show, total
from nnlib.graph import topological
from nnlib.show.backprop import trace
from nnlib.show.graph import MOST
from nnlib.show.layout import layered

BINARY = ("+", "-", "*", "total")
UNARY = ("tanh", "relu", "sigmoid", "exp")


def recipe(seed):
    """Leaves, then operations on what is there: shared nodes, one node up to the most."""
    rng = random.Random(seed)
    size = [1, 2, MOST, *range(3, MOST)][seed % MOST]
    leaves = rng.randint(1, max(1, size // 4))
    steps = []
    for made in range(leaves, size):
        op = rng.choice(BINARY + UNARY)
        near = range(max(0, made - 12), made)
        steps.append((op, [rng.choice(near) for _ in range(1 if op in UNARY else 2)]))
    return [rng.uniform(-1.5, 1.5) for _ in range(leaves)], steps


def cook(leaves, steps, total):
    """The last result of a recipe, on Values or on torch's tensors."""
    nodes = list(leaves)
    for op, inputs in steps:
        a, b = nodes[inputs[0]], nodes[inputs[-1]]
        if op in UNARY:
            nodes.append((a * 0.25).exp() if op == "exp" else getattr(a, op)())
        else:
            nodes.append({"+": a + b, "-": a - b, "*": a * b, "total": total([a, b, a])}[op])
    return nodes[-1]


def graph(seed):
    numbers, steps = recipe(seed)
    while True:
        leaves = [Value(x, label=f"x{i}") for i, x in enumerate(numbers)]
        root = cook(leaves, steps, total)
        if len(topological(root)) <= MOST:
            return root, leaves, steps
        steps = steps[:-1]


def same(a, b):
    """The very same floats: nan is nan, and -0.0 is not 0.0."""
    return repr(a) == repr(b)


def on_stage(tracks, step):
    """What the browser shows: of each track the last piece that begins no later."""
    return {key: [p for begin, p in track if begin <= step][-1] for key, track in tracks.items()}


@pytest.mark.parametrize("seed", range(200))
def test_each_frame_is_the_engine_and_the_last_one_its_gradients(seed):
    root, leaves, steps = graph(seed)
    nodes = topological(root)
    t = trace(root)
    events = [frame.event for frame in t.frames]
    assert [node.grad for node in nodes] == [None] * len(nodes)

    ops = sum(bool(node.inputs) for node in nodes)
    kinds = ["given", *["forward"] * ops, "seed", *["backward"] * ops]
    assert [event.kind for event in events] == kinds
    for before, event in itertools.pairwise(events):
        new = [i for i, v in enumerate(event.values) if v is not None and before.values[i] is None]
        assert new == ([event.at] if event.kind == "forward" else [])

    got = {}
    for event in events:
        for c in event.contributions:
            assert same(c.amount, event.grads[event.at] * c.local)
            assert c.local == nodes[event.at].locals[c.slot]
            assert nodes[event.at].inputs[c.slot] is nodes[c.to]
            assert same(c.before, got.get(c.to, 0.0))
            got[c.to] = c.before + c.amount if c.to in got else c.amount
            assert same(c.after, got[c.to])

    root.backward()
    assert same(list(events[-1].grads), [node.grad for node in nodes])
    assert same(list(events[-1].values), [node.data for node in nodes])
    assert same([*(got[i] for i in range(len(nodes) - 1)), 1.0], list(events[-1].grads))

    twins = [torch.tensor(x.data, dtype=torch.float64, requires_grad=True) for x in leaves]
    cook(twins, steps, sum).backward()
    for leaf, twin in zip(leaves, twins, strict=True):
        if leaf.grad is not None:
            assert leaf.grad == pytest.approx(twin.grad.item(), rel=1e-6, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", [0, 1, 2, 17, 60, 101])
def test_what_is_sent_gives_back_each_frame_in_any_order(seed):
    t = trace(graph(seed)[0])
    tracks = t.tracks()
    order = [*range(len(t.frames)), *reversed(range(len(t.frames)))]
    for step in order:
        assert on_stage(tracks, step) == t.draw(t.frames[step])


@pytest.mark.parametrize("seed", [0, 1, 2, 17, 60, 101])
def test_the_drawing_is_well_formed_and_holds_the_exact_numbers(seed):
    root = graph(seed)[0]
    nodes = topological(root)
    t = trace(root)
    root.backward()
    pieces = t.draw(t.frames[-1])
    for piece in pieces.values():
        ET.fromstring(f"<g>{piece}</g>")
    for i, node in enumerate(nodes):
        assert f'data-v="{node.data!r}"' in pieces[f"value{i}"]
        assert f'data-v="{node.grad!r}"' in pieces[f"grad{i}"]
    place = {node: i for i, node in enumerate(nodes)}
    wires = layered([[place[x] for x in node.inputs] for node in nodes]).wires
    for n, wire in enumerate(wires):
        assert f'data-v="{nodes[wire.target].locals[wire.slot]!r}"' in pieces[f"pill{n}"]


def a_times_a():
    a = Value(3.0, label="a")
    y = a * a
    y.label = "y"
    return a, y


def test_the_sentences_tell_the_sum():
    sentences = [frame.sentence for frame in trace(a_times_a()[1] * -2.0).frames]
    assert sentences == [
        "Given: a = 3, #3 = −2.",
        "y = a × a = 3 × 3 = 9.",
        "#4 = y × #3 = 9 × (−2) = −18.",
        "Nudge #4, and #4 moves just as far: its gradient is 1.",
        "#4 hands its gradient 1 back. To y: 1 × (−2) = −2, and 0 + (−2) = −2. "
        "To #3: 1 × 9 = 9, and 0 + 9 = 9.",
        "y hands its gradient −2 back. To a: −2 × 3 = −6, and 0 + (−6) = −6. "
        "To a: −2 × 3 = −6, and −6 + (−6) = −12.",
    ]


def test_a_second_walk_adds_to_what_the_leaves_hold_and_says_so():
    a, y = a_times_a()
    y.backward()
    t = trace(y)
    assert (a.grad, y.grad) == (6.0, 1.0)
    assert t.frames[0].event.grads == (6.0, None)
    assert t.frames[0].sentence.endswith(
        "Gradients of an earlier walk are still there, and are added to. a: 6."
    )
    assert t.data["grad"] == {"a": 12.0, "y": 1.0}


def test_a_click_leads_to_each_thing_that_happens_to_a_node():
    assert trace(a_times_a()[1]).clicks == {"card0": [3], "card1": [1, 2, 3]}


def test_a_leaf_alone_has_two_frames():
    t = trace(Value(2.0, label="a"))
    assert [frame.where for frame in t.frames] == ["given", "seed"]
    assert (t.data["grad"], dict(t.jumps)) == ({"a": 1.0}, {"seed": 1})


def test_arrays_show_few_numbers_or_their_shape():
    w = Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True, label="w")
    x = Tensor(np.array([[1.0, 0.1]]), label="x")
    loss = (x @ w.T).mean()
    t = trace(loss)
    assert w.grad is None
    loss.backward(retain_graph=True)
    assert t.frames[0].sentence == "Given: w = array (3, 2), x = [[1 0.1]]."
    last = t.draw(t.frames[-1])
    i = [node is x for node in topological(loss)].index(True)
    assert f'data-v="{x.tolist()!r}"' in last[f"value{i}"]
    assert f'data-v="{loss.item()!r}"' in last[f"value{len(topological(loss)) - 1}"]
    assert ">(3, 2)</text>" in last["grad0"]
    assert last[f"grad{i}"] == ""
    assert "[[1.0000 0.1000]]" in t.text
    assert not any(key.startswith("pill") and piece for key, piece in last.items())


def test_a_spent_graph_says_when_to_show_it():
    loss = (Tensor([1.0], requires_grad=True) * 2).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"show it before backward\(\), or pass retain_graph"):
        show.backprop(loss)


def test_what_it_cannot_step_through_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"show.backprop draws at most 120 nodes; this graph has"):
        show.backprop(total(Value(i) for i in range(MOST)))
    with pytest.raises(TypeError, match=r"show.backprop needs a Value or a Tensor.*float"):
        show.backprop(3.0)
    with pytest.raises(RuntimeError, match=r"this tensor has shape \(2,\)\. Call \.sum\(\)"):
        show.backprop(Tensor([1.0, 2.0], requires_grad=True) * 2)


@pytest.mark.parametrize("name", ["<b>&\"'</b>" * 4, "w" * 40, "</script>", "%s ${x}", "a\nb"])
def test_any_name_is_text(name):
    y = Value(math.nan, label=name) * Value(-0.0) + Value(math.inf)
    stage = show.backprop(y, title=name)
    tracks = stage.trace.tracks()
    for track in tracks.values():
        for _, piece in track:
            assert "<b>" not in piece
            ET.fromstring(f"<g>{piece}</g>")
    written = {text for t in tracks.values() for _, p in t for text in re.findall(">([^<]+)</t", p)}
    assert {"nan", "inf", "0"} <= written
    assert not written & {"-0", "−0", "NaN", "Infinity"}
    assert stage.to_html().count("</script>") == 2


def dense(most=MOST):
    """As many nodes and wires as there may be: each operation uses four earlier nodes."""
    rng = random.Random(0)
    nodes = [Value(rng.uniform(-1, 1), label=f"weight {i}") for i in range(30)]
    while len(nodes) < most - 1:
        nodes.append(total(rng.sample(nodes[-40:], 4)))
        if len(nodes) % 3 == 0 and len(nodes) < most - 1:
            nodes.append(nodes[-1].tanh())
    return total(nodes)


def network():
    manual_seed(0)
    return total([MLP(4, [6, 4, 1])([0.1, 0.2, 0.3, 0.4])])


@pytest.mark.parametrize("root", [dense(), network(), graph(2)[0]])
def test_what_is_sent_is_at_most_a_megabyte(root):
    assert len(json.dumps(show.backprop(root).content, ensure_ascii=False).encode()) <= 1_000_000


@pytest.mark.parametrize(
    ("number", "shown"),
    [(3.0, ["3", "3"]), (-2 / 3, ["−0.67"] * 2), (-123.456, ["−123"] * 2), (-1e-12, ["2 amounts"])],
)
def test_two_amounts_that_arrive_at_once_are_written_whole_or_counted(number, shown):
    a = Value(number, label="a")
    t = show.backprop(a * a).trace
    chips = t.draw(t.frames[-1])["chip0"]
    assert re.findall(r"\+= ([^<]*)<", chips) == shown
