"""Where the cards and wires of a graph are placed."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from nnlib.show.layout import CARD_HEIGHT, GAP_Y, PORT, layered


@st.composite
def graphs(draw):
    """Inputs of each node; every node is used, the last one is the result."""
    inputs = [()]
    for node in range(1, draw(st.integers(1, 119))):
        inputs.append(tuple(draw(st.lists(st.integers(max(0, node - 15), node - 1), max_size=4))))
    used, stack = set(), [len(inputs) - 1]
    while stack:
        node = stack.pop()
        if node not in used:
            used.add(node)
            stack += inputs[node]
    number = {node: i for i, node in enumerate(sorted(used))}
    return [tuple(number[i] for i in inputs[node]) for node in sorted(used)]


def neuron(inputs, x):
    """One neuron with its own weights and bias: products, their sum, an activation."""
    products = []
    for source in x:
        inputs += [(), (source, len(inputs))]
        products.append(len(inputs) - 1)
    inputs += [(), (*products, len(inputs))]
    inputs += [(len(inputs) - 1,)]
    return products, len(inputs) - 1


@settings(max_examples=40)
@given(graphs())
def test_cards_stand_apart(inputs):
    layout = layered(inputs)
    for a, b in itertools.combinations(layout.boxes, 2):
        if a.left == b.left:
            upper, lower = sorted((a, b), key=lambda box: box.top)
            assert lower.top - upper.bottom >= GAP_Y - 1  # heights are rounded to pixels
        else:
            assert a.right < b.left or b.right < a.left


@settings(max_examples=40)
@given(graphs())
def test_every_input_has_one_wire_from_left_to_right(inputs):
    layout = layered(inputs)
    wanted = {
        (node, slot): source for node, row in enumerate(inputs) for slot, source in enumerate(row)
    }
    assert {(wire.target, wire.slot): wire.source for wire in layout.wires} == wanted
    assert len(layout.wires) == len(wanted)
    for wire in layout.wires:
        xs = [x for x, _ in wire.points]
        assert all(a < b for a, b in itertools.pairwise(xs))
        source, target = layout.boxes[wire.source], layout.boxes[wire.target]
        assert wire.points[0] == (source.right, (source.top + source.bottom) / 2)
        assert wire.points[-1][0] == target.left
        assert target.top < wire.points[-1][1] < target.bottom


@settings(max_examples=40)
@given(graphs())
def test_no_wire_runs_across_a_card(inputs):
    layout = layered(inputs)
    for wire in layout.wires:
        for (left, y), (right, _) in zip(wire.points[1::2], wire.points[2::2], strict=False):
            assert not any(
                box.left < right and left < box.right and box.top <= y <= box.bottom
                for box in layout.boxes
            )


@settings(max_examples=40)
@given(graphs())
def test_a_leaf_stands_just_left_of_its_first_use(inputs):
    columns = layered(inputs).columns
    for leaf, row in enumerate(inputs):
        users = [columns[node] for node, sources in enumerate(inputs) if leaf in sources]
        if not row and users:
            assert columns[leaf] == min(users) - 1


@settings(max_examples=40)
@given(graphs())
def test_wires_enter_a_card_in_the_order_in_which_they_come_and_keep_their_distance(inputs):
    layout = layered(inputs)
    for node, row in enumerate(inputs):
        arriving = sorted(
            (wire for wire in layout.wires if wire.target == node),
            key=lambda wire: wire.points[-1][1],
        )
        assert len(arriving) == len(row)
        for upper, lower in itertools.pairwise(arriving):
            assert upper.points[-2][1] <= lower.points[-2][1]
            assert lower.points[-1][1] - upper.points[-1][1] >= PORT - 1e-9


def test_a_card_grows_with_the_number_of_its_inputs():
    layout = layered([()] * 40 + [tuple(range(40))])
    assert layout.boxes[-1].bottom - layout.boxes[-1].top >= 40 * PORT
    assert layout.boxes[0].bottom - layout.boxes[0].top == CARD_HEIGHT


def test_a_product_that_is_used_late_stands_late_with_its_factors():
    # c * d is added to the end of a long chain
    chain = [(), *[(i,) for i in range(5)]]
    inputs = [*chain, (), (), (6, 7), (5, 8)]
    assert layered(inputs).columns == (0, 1, 2, 3, 4, 5, 4, 4, 5, 6)


def test_two_factors_in_the_wrong_order_are_uncrossed():
    # the leaves were made in the order d c b a, and used as a * b, c * d
    layout = layered([(), (), (), (), (3, 2), (1, 0), (4, 5)])
    for upper, lower in itertools.combinations(layout.wires, 2):
        start = upper.points[0][1] - lower.points[0][1]
        end = upper.points[-1][1] - lower.points[-1][1]
        if upper.points[0][0] == lower.points[0][0]:
            assert start * end > 0


def test_the_products_of_a_neuron_stand_together():
    inputs = [(), (), ()]
    hidden = [neuron(inputs, (0, 1, 2)) for _ in range(3)]
    neuron(inputs, [out for _, out in hidden])
    layout = layered(inputs)
    rank = {}
    same = [node for node, at in enumerate(layout.columns) if at == layout.columns[hidden[0][0][0]]]
    for place, node in enumerate(sorted(same, key=lambda node: layout.boxes[node].top)):
        rank[node] = place
    for products, out in hidden:
        own = [rank[i] for i in inputs[out - 1]]  # the products and the bias
        assert max(own) - min(own) == len(products)


@pytest.mark.parametrize("inputs", [[()], [(), (0,)], [(), (0, 0)], [(), (0, 0, 0, 0, 0)]])
def test_tiny_graphs_have_a_layout(inputs):
    layout = layered(inputs)
    assert len(layout.boxes) == len(inputs)
    assert min(box.top for box in layout.boxes) == 0


@settings(max_examples=20)
@given(graphs())
def test_the_layout_fills_its_frame_and_is_the_same_each_time(inputs):
    layout = layered(inputs)
    assert layout == layered(inputs)
    assert layout.width == max(box.right for box in layout.boxes)
    assert layout.height >= max(box.bottom for box in layout.boxes)
    assert min(y for wire in layout.wires for _, y in wire.points) >= 0 if layout.wires else True
