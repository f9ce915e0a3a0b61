"""Where each card of a graph goes: inputs on the left, the result on the right.

Five steps, each a function below: give every node a column, carry long wires through the columns
between, order each column so that few wires cross, choose heights, and hang the wires on the cards.
Lengths are pixels; y grows downwards. (The steps are those of Sugiyama, Tagawa and Toda, 1981.)
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

CARD_WIDTH, CARD_HEIGHT = 112, 70
GAP_X, GAP_Y = 38, 23  # so cards stand 150 and 93 apart: seven columns in an 840 pixel cell
PORT = 18  # least distance of wires that enter one card; even, so that cards end on a pixel
SWEEPS = 12

Spot = tuple[int, int]  # (node, column): the node itself in its own column, else its passing wire


@dataclass(frozen=True)
class Box:
    """The rectangle of one card."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Wire:
    """The way from a card to the `slot`-th input of another: points from left to right."""

    source: int
    target: int
    slot: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """One box per node, one wire per input, and the size of the whole."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    columns: tuple[int, ...]
    width: float
    height: float


def layered(inputs: Sequence[Sequence[int]]) -> Layout:
    """Place a graph given as, for each node, the numbers of its inputs (all of them earlier).

    Example:
        >>> graph = layered([(), (), (0, 1)])  # a, b, a * b
        >>> graph.columns, graph.boxes[2].left
        ((0, 0, 1), 150)
    """
    column = _columns(inputs)
    before, after = _neighbours(inputs, column)
    order = _order(column, before, after)
    heights = [max(CARD_HEIGHT, PORT * len(row) + 8) for row in inputs]

    def height(spot: Spot) -> int:
        node, at = spot
        return heights[node] if at == column[node] else 0

    middle = _middles(order, before, after, height)
    top = min(middle[spot] - height(spot) / 2 for spots in order for spot in spots)
    middle = {spot: round(y - top) for spot, y in middle.items()}
    boxes = []
    for node, at in enumerate(column):
        left, y = at * (CARD_WIDTH + GAP_X), middle[node, at]
        half = heights[node] / 2
        boxes.append(Box(left, y - half, left + CARD_WIDTH, y + half))
    return Layout(
        boxes=tuple(boxes),
        wires=tuple(_wires(inputs, column, boxes, middle)),
        columns=tuple(column),
        width=max(box.right for box in boxes),
        height=max(middle[spot] + height(spot) / 2 for spots in order for spot in spots),
    )


def _columns(inputs) -> list[int]:
    """Longest path from the left; then whatever hangs on one use is pulled to just left of it."""
    column: list[int] = []
    users: list[set[int]] = [set() for _ in inputs]
    loose: list[bool] = []  # a leaf, or made only of loose nodes that nobody else uses
    for node, row in enumerate(inputs):
        column.append(1 + max((column[i] for i in row), default=-1))
        for i in row:
            users[i].add(node)
    for row in inputs:
        loose.append(all(loose[i] and len(users[i]) == 1 for i in row))
    for node in reversed(range(len(inputs))):
        if loose[node] and users[node]:
            column[node] = min(column[user] for user in users[node]) - 1
    return column


def _neighbours(inputs, column) -> tuple[dict[Spot, list[Spot]], dict[Spot, list[Spot]]]:
    """Of each spot those before and after it on a wire; wires of one source share their way."""
    before, after = {}, {}
    for target, row in enumerate(inputs):
        last = column[target]
        for source in row:
            way = [(source, at) for at in range(column[source], last)] + [(target, last)]
            for left, right in itertools.pairwise(way):
                if right not in after.setdefault(left, []):
                    after[left].append(right)
                    before.setdefault(right, []).append(left)
    return before, after


def _order(column, before, after) -> list[list[Spot]]:
    """Sort each column by the mean place of its neighbours, back and forth; keep the best."""
    spots = {*before, *after} or {(0, 0)}
    order = [sorted(s for s in spots if s[1] == at) for at in range(max(column) + 1)]
    best, least = order, _crossings(order, after)
    for sweep in range(SWEEPS):
        order = [list(spots) for spots in order]
        near = (before, after)[sweep % 2]
        place = {spot: float(rank) for spots in order for rank, spot in enumerate(spots)}
        for spots in reversed(order) if near is after else order:
            mean = {s: fmean(place[n] for n in near[s]) for s in spots if s in near}
            spots.sort(key=lambda spot, mean=mean: mean.get(spot, place[spot]))
            place.update((spot, float(rank)) for rank, spot in enumerate(spots))
        crossings = _crossings(order, after)
        if crossings < least:
            best, least = order, crossings
    return best


def _crossings(order, after) -> int:
    """How many wires cross: pairs with the right ends in the other order than the left ends."""
    place = {spot: rank for spots in order for rank, spot in enumerate(spots)}
    count = 0
    for spots in order:
        ends = [end for spot in spots for end in sorted(place[s] for s in after.get(spot, []))]
        count += sum(upper > lower for upper, lower in itertools.combinations(ends, 2))
    return count


def _middles(order, before, after, height) -> dict[Spot, float]:
    """Move every spot towards its neighbours' mean height, as far as its column leaves room."""
    middle = {}
    for spots in order:
        middle.update(zip(spots, _apart([0.0] * len(spots), spots, height), strict=True))
    for sweep in range(2 * SWEEPS):
        for spots in order if sweep % 2 == 0 else reversed(order):
            wished = []
            for spot in spots:
                near = before.get(spot, []) + after.get(spot, [])
                wished.append(fmean(middle[s] for s in near or [spot]))
            middle.update(zip(spots, _apart(wished, spots, height), strict=True))
    return middle


def _apart(wished, spots, height) -> list[float]:
    """The heights nearest to the wished ones (least squares) that keep order and distance.

    Neighbours that come too close move as one block to the mean of what they wish.
    """
    offset, offsets = 0.0, []
    for rank, spot in enumerate(spots):
        if rank:
            offset += (height(spots[rank - 1]) + height(spot)) / 2 + GAP_Y
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []  # (mean, size) of wishes with the distances taken out
    for wish, offset in zip(wished, offsets, strict=True):
        mean, size = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean = (mean * size + other * count) / (size + count)
            size += count
        blocks.append((mean, size))
    levels = [mean for mean, size in blocks for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _wires(inputs, column, boxes, middle):
    """Hang each wire on its card, in the order in which the wires arrive from above to below."""
    for target, row in enumerate(inputs):
        box, last = boxes[target], column[target]
        arriving = sorted(range(len(row)), key=lambda slot: middle[row[slot], last - 1])
        distance = min(22, (box.bottom - box.top - 8) / max(len(row), 1))
        for rank, slot in enumerate(arriving):
            source = row[slot]
            points = [(boxes[source].right, middle[source, column[source]])]
            for at in range(column[source] + 1, last):
                left, y = at * (CARD_WIDTH + GAP_X), middle[source, at]
                points += [(left, y), (left + CARD_WIDTH, y)]
            port = middle[target, last] + (rank - (len(row) - 1) / 2) * distance
            points.append((box.left, port))
            yield Wire(source, target, slot, tuple(points))
