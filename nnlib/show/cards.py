"""A graph as plain data: one card per node, ready for a picture, a table or a sentence."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from nnlib import graph
from nnlib.graph import Node
from nnlib.show.text import cell, listed, minus, one_line, table
from nnlib.show.trace import Card, Shown

MOST = 120  # nodes; beyond it neither the picture nor the table can be read


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
    nodes = graph.topological(root)
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
