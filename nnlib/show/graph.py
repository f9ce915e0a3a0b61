"""A graph as cards, one for each node, with a wire for each input: in a picture, in words."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from nnlib.graph import Node, topological
from nnlib.show import svg
from nnlib.show.layout import CARD_WIDTH, GAP_X, Box, Layout, Wire, layered
from nnlib.show.picture import Picture
from nnlib.show.text import cell, listed, minus, narrow, one_line, short, table, tiny
from nnlib.show.trace import Card, Event, Frame, Shown, Small, Trace, titled

MOST = 120  # nodes; beyond it neither the picture nor the table can be read
MARGIN, BELOW = 10, 24  # pixels around the picture; below the last row hang its chips
PAD = 8  # from a card's edge to its text
VALUE_Y, GRAD_Y = 2, 22  # from the middle of a card to the middle of its lines


def graph(root, title: str = "") -> Picture:
    """Show how `root` was computed: every node with its value and gradient, and what feeds what.

    Between numbers, the pill on a wire is the local derivative: how far the node moves when that
    input moves by 1. Of tensors the shapes are shown. Nothing is changed by looking. The
    picture's `data` holds `value` and `grad`, each by the node's name.

    Args:
        root: a Value or a Tensor, the result of a computation with at most 120 nodes.
        title: stands above the picture.

    Example:
        >>> from nnlib.scalar import Value
        >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        >>> y = a * b
        >>> y.backward()
        >>> graph(y)
        node  op    value     grad  inputs
        a          2.0000  -3.0000
        b         -3.0000   2.0000
        #3    *   -6.0000   1.0000  a, b
        Graph of 3 nodes from a, b through * to #3 = -6.0000, grad 1.0000.
    """
    cards = read(root)
    values, grads = zip(*((card.value, card.grad) for card in cards), strict=True)
    now = Frame("", "", Event("result", len(cards) - 1, values, grads))
    return sheet(cards, title, "", frames=[now]).picture()


def sheet(cards: Sequence[Card], title: str, usual: str, **more: Any) -> Trace:
    """Cards and wires as they are at the `Event` of each frame; titles as for `titled`."""
    layout = layered([card.inputs for card in cards])
    view = (-MARGIN, -MARGIN, layout.width + 2 * MARGIN, layout.height + MARGIN + BELOW)
    data = {what: {c.name: getattr(c, what) for c in cards} for what in ("value", "grad")}
    drawn, alt = (_drawing(cards, layout), view), in_words(cards)
    return titled(title, usual, drawn, alt, text=as_table(cards), data=data, **more)


# ---- as plain data: one card for each node


def shape_or_number(content) -> Shown:
    """What a card shows of a Value's number, or of a Tensor's array."""
    return None if content is None else getattr(content, "shape", content)


def read(
    root: Node, owner: str = "show.graph", shown: Callable[[Any], Shown] = shape_or_number
) -> list[Card]:
    """One card for each node that `root` was computed from, inputs first, `root` last.

    Nothing is changed: no gradient, no graph. `shown` says what a card shows of data and gradient.
    """
    if not isinstance(root, Node):
        got = f"it got {type(root).__name__}"
        raise TypeError(f"{owner} needs a Value or a Tensor, the result of a computation; {got}.")
    nodes = topological(root)
    if len(nodes) > MOST:
        fix = "Show a smaller part: a single example, a smaller network, or a node in the middle"
        fix += ". A sum by total([...]) is one node, a chain of + is many."
        raise ValueError(f"{owner} draws at most {MOST} nodes; this graph has {len(nodes)}. {fix}")
    place = {node: i for i, node in enumerate(nodes)}
    labels = [one_line(node.label) for node in nodes]
    cards = []
    for i, (node, label) in enumerate(zip(nodes, labels, strict=True)):
        name = label if label and labels.count(label) == 1 else f"{label} #{i + 1}".strip()
        inputs, slopes = tuple(place[x] for x in node.inputs), tuple(node.locals or ())
        value, grad = shown(node.data), shown(node.grad)
        cards.append(Card(name, label, node.symbol, value, grad, inputs, slopes))
    return cards


def heading(card: Card) -> tuple[str, str]:
    """What stands on the left and on the right of a card's first line.

    The label, or else the operation; and beside it what is missing from the card's name.
    """
    number, op = card.name.removeprefix(card.label).strip(), minus(card.op)
    return (card.label, f"{number} {op}".strip()) if card.label else (op, number)


def as_table(cards: Sequence[Card]) -> str:
    """The graph in plain text, one line per node; the same graph gives the same text."""
    names = [card.name for card in cards]
    columns: dict[str, list] = {"node": names, "op": [card.op for card in cards]}
    columns["shape" if isinstance(cards[0].value, tuple) else "value"] = [c.value for c in cards]
    columns["grad"] = [card.grad for card in cards]
    columns["inputs"] = [listed([names[i] for i in card.inputs]) for card in cards]
    return table(columns)


def in_words(cards: Sequence[Card]) -> str:
    """A sentence for somebody who cannot see the picture."""
    last = cards[-1]
    known = f"of shape {last.value}" if isinstance(last.value, tuple) else f"= {cell(last.value)}"
    end = f"{last.name} {known}, grad {cell(last.grad)}."
    if len(cards) == 1:
        return f"Graph of 1 node: the leaf {end}"
    leaves = listed([card.name for card in cards if not card.inputs])
    ops = Counter(card.op for card in cards if card.inputs)
    through = ", ".join(op if n == 1 else f"{op} ({n} times)" for op, n in ops.items())
    return f"Graph of {len(cards)} nodes from {leaves} through {through} to {end}"


# ---- how it is drawn


def _drawing(cards: Sequence[Card], layout: Layout) -> Callable[[Frame], dict[str, str]]:
    """The function that draws an event.

    A card is several pieces, so that a step sends only what it changes: `card` is the frame, `face`
    what never changes, `value` and `grad` the numbers. `flow` holds the wires that are in use.
    """
    paths = [svg.curve(wire.points) for wire in layout.wires]
    into: list[list[int]] = [[] for _ in cards]  # the wires into each card, by input
    for n, wire in sorted(enumerate(layout.wires), key=lambda both: both[1].slot):
        into[wire.target].append(n)
    fixed = {f"wire{n}": svg.element("path", class_="wire", d=d) for n, d in enumerate(paths)}
    faces = {f"face{i}": _face(card, layout.boxes[i]) for i, card in enumerate(cards)}
    pills = [_pill(cards[wire.target], wire) for wire in layout.wires]
    write = lru_cache(None)(_number)  # most numbers are the same in most frames

    def draw(frame: Frame) -> dict[str, str]:
        event: Event = frame.event
        arriving: dict[int, list[Shown]] = {}
        for c in event.contributions:
            arriving.setdefault(c.to, []).append(c.amount)
        pieces = fixed | {"flow": flow(event)}
        for i, (card, box) in enumerate(zip(cards, layout.boxes, strict=True)):
            role = "gets" if i in arriving else "waiting" if event.values[i] is None else ""
            role = f"card {'' if card.inputs else 'leaf '}{event.kind if i == event.at else role}"
            size = CARD_WIDTH, box.bottom - box.top
            pieces[f"card{i}"] = svg.box(box.left, box.top, *size, 9, role.strip())
        pieces |= faces
        for i, box in enumerate(layout.boxes):
            pieces[f"value{i}"] = write(box, event.values[i], "value")
            pieces[f"grad{i}"] = write(box, event.grads[i], "grad")
        for n, wire in enumerate(layout.wires):
            pieces[f"pill{n}"] = "" if event.values[wire.target] is None else pills[n]
        for i, box in enumerate(layout.boxes):
            pieces[f"chip{i}"] = _chips(box, arriving.get(i, []))
        return pieces

    def flow(event: Event) -> str:
        """The wires in use: into a node that is computed, or back from it, each with its amount."""
        amounts, parts = {c.slot: c.amount for c in event.contributions}, []
        for n in into[event.at]:
            wire = layout.wires[n]
            if event.kind == "forward":
                parts.append(svg.element("path", class_="wire forward", d=paths[n]))
            elif wire.slot in amounts:
                x, y = wire.points[0]
                exact = _exact(amounts[wire.slot])
                look = {"class_": "wire backward", "data_amount": exact}
                parts.append(svg.element("path", d=paths[n], **look))
                parts.append(svg.element("path", class_="head", d=f"M{x:g} {y:g}l9 -5v10z"))
        return "".join(parts)

    return draw


def _face(card: Card, box: Box) -> str:
    """Name and operation above, below them what the numbers are."""
    left, right, middle = box.left + PAD, box.right - PAD, (box.top + box.bottom) / 2
    room = CARD_WIDTH - 2 * PAD
    name, aside = heading(card)
    what = "shape" if isinstance(card.value, tuple) else "value"
    beside = min(svg.width(aside, 11.5), room / 2)
    return (
        svg.write(left, middle - 20, name, 13.5, room - beside - 4, "strong")
        + svg.write(right, middle - 20, aside, 11.5, beside, "quiet", anchor="end")
        + svg.write(left, middle + VALUE_Y, what, 10.5, room, "quiet")
        + svg.write(left, middle + GRAD_Y, "grad", 10.5, room, "quiet")
    )


def _number(box: Box, number: Shown, role: str) -> str:
    """A value or a gradient on its card."""
    if number is None:
        return ""
    y = (box.top + box.bottom) / 2 + (VALUE_Y if role == "value" else GRAD_Y)
    room = CARD_WIDTH - 2 * PAD - 33
    text = _text(number, room, 10.5, narrow)
    return svg.write(box.right - PAD, y, text, 14.5, room, role, anchor="end", exact=_exact(number))


def _pill(card: Card, wire: Wire) -> str:
    """The local derivative, where the wire enters the card; tensors have none."""
    if not card.locals:
        return ""
    (x, y), slope = wire.points[-1], card.locals[wire.slot]
    return svg.tag(x - 1, y, minus(tiny(slope)), GAP_X - 2, "pill", repr(slope))


def _chips(box: Box, amounts: Sequence[Shown]) -> str:
    """What arrives at a card in this step, below it: each amount if there is room, or how many."""
    y, room = box.bottom + 11.5, (CARD_WIDTH - 4) / max(len(amounts), 1)
    write = short if len(amounts) == 1 else tiny
    texts = [f"+= {_text(amount, room - 40, 9, write)}" for amount in amounts]
    if len(amounts) > 2 or any(svg.width(text, svg.SMALLEST) > room - 8 for text in texts):
        return svg.tag(box.left, y, f"+= {len(amounts)} amounts", CARD_WIDTH, "chip grad")
    return "".join(
        svg.tag(box.left + n * (room + 4), y, text, room, "chip grad", _exact(amounts[n]))
        for n, text in enumerate(texts)
    )


def _text(number: Shown, room: float, size: float, write: Callable[[float], str]) -> str:
    """A number as it is drawn; of an array the shape, if its numbers at `size` need more room."""
    if isinstance(number, Small) and svg.width(number.text, size) > room:
        return str(number.shape)
    return minus(brief(number, write))


def brief(number: Shown, write: Callable[[float], str]) -> str:
    """A number as `write` has it, a small array by its numbers, another by its shape."""
    if isinstance(number, float):
        return write(number)
    return number.text if isinstance(number, Small) else str(number)


def _exact(number: Shown) -> str:
    return number.exact if isinstance(number, Small) else repr(number)
