"""The backprop stepper: a graph computed node by node, then walked back one `+=` at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nnlib.graph import Node, rehearse, topological
from nnlib.show import svg
from nnlib.show.cards import as_table, heading, in_words, read
from nnlib.show.layout import CARD_WIDTH, GAP_X, Box, Layout, Wire, layered
from nnlib.show.text import minus, narrow, num, one_line, short, tiny
from nnlib.show.trace import Card, Contribution, Event, Frame, Shown, Small, Trace

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

FEW = 4  # numbers of an array that fit on a card
SAID = 6  # what a sentence names; the picture shows all
MARGIN, BELOW = 10, 24  # pixels around the picture; below the last row hang its chips
PAD = 8  # from a card's edge to its text
VALUE_Y, GRAD_Y = 2, 22  # from the middle of a card to the middle of its lines
JUMPS = {"forward": "forward pass", "seed": "seed", "backward": "backward pass"}
INFIX = ("+", "-", "*", "/", "@", "**")


def backprop(root, title: str = "") -> "Stage":
    """Step through the computation of `root` and through the walk that finds its gradients.

    First each operation is computed, from the inputs to the result. Then each hands its gradient
    back to what it was made from, one `+=` at a time: amount = gradient × local derivative. The
    local derivative is the pill on the wire. Nothing is changed by looking: these are the steps
    that `root.backward()` would take.

    Click a card to go to what happens to it next. The stage's `data` holds `value` and `grad` after
    the walk, each by the node's name. `to_html()` gives the same as a page of its own.

    Args:
        root: a Value, or a Tensor with a single number, computed from at most 120 nodes.
        title: stands above the picture.

    Example:
        >>> from nnlib.scalar import Value
        >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        >>> backprop(a * b)
        node  op    value     grad  inputs
        a          2.0000  -3.0000
        b         -3.0000   2.0000
        #3    *   -6.0000   1.0000  a, b
        Graph of 3 nodes from a, b through * to #3 = -6.0000, grad 1.0000.
    """
    from nnlib.show.stage import Stage

    return Stage(trace(root, title))


def trace(root: Node, title: str = "") -> Trace:
    """All that happens when `root` is computed and its gradients are found; nothing is changed."""
    cards = read(root, "show.backprop", shown)
    events = list(_events(root, cards))
    last = events[-1]
    cards = [replace(c, grad=grad) for c, grad in zip(cards, last.grads, strict=True)]
    layout = layered([card.inputs for card in cards])
    title = one_line(title or "", limit=80)
    kinds = [event.kind for event in events]
    happens: dict[str, list[int]] = {_key(i): [] for i in range(len(cards))}
    for step, event in enumerate(events):
        for i in dict.fromkeys([event.at, *(c.to for c in event.contributions)]):
            if event.kind != "given":
                happens[_key(i)].append(step)

    def still():
        from nnlib.show.png import draw

        return draw(cards, layout, title)

    return Trace(
        title=title or f"Backprop through {cards[-1].name}",
        frames=tuple(_frame(event, cards, kinds, step) for step, event in enumerate(events)),
        draw=_drawing(cards, layout),
        view=(-MARGIN, -MARGIN, layout.width + 2 * MARGIN, layout.height + MARGIN + BELOW),
        jumps={name: kinds.index(kind) for kind, name in JUMPS.items() if kind in kinds},
        clicks={key: steps for key, steps in happens.items() if steps},
        alt=(f"{title}. " if title else "") + in_words(cards),
        text=as_table(cards),
        data={what: {c.name: getattr(c, what) for c in cards} for what in ("value", "grad")},
        still=still,
    )


def shown(content: Any) -> Shown:
    """A number as it is; an array by its shape, and if it has few numbers by these."""
    if content is None or isinstance(content, float):
        return content
    if content.size == 1:
        return float(content.item())
    if content.size > FEW:
        return content.shape
    numbers = content.tolist()
    return Small(_nested(numbers, tiny), _nested(numbers, num), repr(numbers), content.shape)


def _nested(numbers, write: Callable[[float], str]) -> str:
    if isinstance(numbers, list):
        return f"[{' '.join(_nested(part, write) for part in numbers)}]"
    return write(numbers)


# ---- what happens


def _events(root: Node, cards: Sequence[Card]) -> Iterator[Event]:
    """The inputs are given, each operation in turn, the seed, each operation's way back."""
    nodes = topological(root)
    place = {node: i for i, node in enumerate(nodes)}
    steps = rehearse(root)
    values = [None if card.inputs else card.value for card in cards]
    grads = [None if card.inputs else card.grad for card in cards]
    end = len(cards) - 1

    def event(kind: str, at: int, contributions=()) -> Event:
        return Event(kind, at, tuple(values), tuple(grads), tuple(contributions))

    yield event("given", 0)
    for i, card in enumerate(cards):
        if card.inputs:
            values[i] = card.value
            yield event("forward", i)
    if steps:
        grads[end] = shown(steps[0].grad)
    else:  # a leaf alone: its gradient adds up from walk to walk
        seed = root._seed(None)
        grads[end] = shown(seed if root.grad is None else root.grad + seed)
    yield event("seed", end)
    for step in steps:
        at = place[step.node]
        contributions = []
        slots = [slot for slot, x in enumerate(step.node.inputs) if x.requires_grad]
        for slot, c in zip(slots, step.contributions, strict=True):
            to, amount = place[c.to], shown(c.amount)
            # The first one is taken as it is: 0 + -0.0 would be another number.
            after = amount if grads[to] is None else shown(c.after)
            contributions.append(Contribution(to, slot, c.local, amount, shown(c.before), after))
            grads[to] = after
        yield event("backward", at, contributions)


def _frame(event: Event, cards: Sequence[Card], kinds: Sequence[str], step: int) -> Frame:
    of_kind = kinds.count(event.kind)
    place = kinds[: step + 1].count(event.kind)
    where = event.kind if of_kind == 1 else f"{event.kind} {place} of {of_kind}"
    return Frame(where, _sentence(event, cards), event, at=_key(event.at))


def _sentence(event: Event, cards: Sequence[Card]) -> str:
    card, grad = cards[event.at], _say(event.grads[event.at])
    if event.kind == "given":
        return _given(event, cards)
    if event.kind == "forward":
        by_name = _formula(card, [cards[i].name for i in card.inputs])
        by_number = _formula(card, [_say(cards[i].value) for i in card.inputs])
        return f"{card.name} = {by_name} = {by_number} = {_say(card.value)}."
    if event.kind == "seed":
        return f"Nudge {card.name}, and {card.name} moves just as far: its gradient is {grad}."
    said = [_plus(c, event, cards) for c in event.contributions]
    more = len(said) - SAID
    rest = [f"And {more} more."] if more > 0 else []
    return " ".join([f"{card.name} hands its gradient {grad} back.", *said[:SAID], *rest])


def _given(event: Event, cards: Sequence[Card]) -> str:
    leaves = [
        (card, grad) for card, grad in zip(cards, event.grads, strict=True) if not card.inputs
    ]
    said = f"Given: {_list([f'{card.name} = {_say(card.value)}' for card, _ in leaves])}."
    old = [f"{card.name}: {_say(grad)}" for card, grad in leaves if grad is not None]
    if old:
        said += f" Gradients of an earlier walk are still there, and are added to. {_list(old)}."
    return said


def _plus(c: Contribution, event: Event, cards: Sequence[Card]) -> str:
    """One `+=` in words: gradient × local derivative = amount, and before + amount = after."""
    amount, product = _say(c.amount), ""
    if c.local is not None:
        slope, grad = _factor(_say(c.local)), _say(event.grads[event.at])
        product = f"{grad} × {slope} = {amount}, and "
    return (
        f"To {cards[c.to].name}: {product}{_say(c.before)} + {_factor(amount)} = {_say(c.after)}."
    )


def _formula(card: Card, inputs: Sequence[str]) -> str:
    op = "×" if card.op == "*" else minus(card.op)
    if len(inputs) == 2 and card.op in INFIX:
        return f"{inputs[0]} {op} {_factor(inputs[1])}"
    if len(inputs) == 1 and card.op == "-":
        return f"{op}{_factor(inputs[0])}"
    if len(inputs) == 1 and op.startswith("**"):
        return f"{_factor(inputs[0])}{op}"
    return f"{op}({_list(inputs)})"


def _say(number: Shown) -> str:
    """A number in a sentence."""
    if isinstance(number, tuple):
        return f"array {number}"
    return minus(_brief(number, short))


def _factor(text: str) -> str:
    """A number after a sign of arithmetic: a negative one stands in brackets."""
    return f"({text})" if text.startswith("−") else text


def _list(names: Sequence[str]) -> str:
    more = len(names) - SAID
    return ", ".join(names[:SAID]) + (f" and {more} more" if more > 0 else "")


# ---- how it is drawn


def _key(card: int) -> str:
    return f"card{card}"


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
    faces = {
        f"face{i}": _face(*both) for i, both in enumerate(zip(cards, layout.boxes, strict=True))
    }
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
            if i == event.at:
                role = event.kind
            pieces[_key(i)] = _frame_of(card, box, role)
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
        if event.kind == "forward":
            return "".join(
                svg.element("path", class_="wire forward", d=paths[n]) for n in into[event.at]
            )
        amounts = {c.slot: c.amount for c in event.contributions}
        parts = []
        for n in into[event.at]:
            wire = layout.wires[n]
            if wire.slot in amounts:
                x, y = wire.points[0]
                exact = _exact(amounts[wire.slot])
                parts.append(
                    svg.element("path", class_="wire backward", d=paths[n], data_amount=exact)
                    + svg.element("path", class_="head", d=f"M{x:g} {y:g}l9 -5v10z")
                )
        return "".join(parts)

    return draw


def _frame_of(card: Card, box: Box, role: str) -> str:
    role = " ".join(["card", *(() if card.inputs else ["leaf"]), *([role] if role else ())])
    return svg.box(box.left, box.top, CARD_WIDTH, box.bottom - box.top, 9, role)


def _face(card: Card, box: Box) -> str:
    """Name and operation above, below them what the numbers are."""
    left, right, middle = box.left + PAD, box.right - PAD, (box.top + box.bottom) / 2
    room = CARD_WIDTH - 2 * PAD
    name, aside = heading(card)
    beside = min(svg.width(aside, 11.5), room / 2)
    return (
        svg.write(left, middle - 20, name, 13.5, room - beside - 4, "strong")
        + svg.write(right, middle - 20, aside, 11.5, beside, "quiet", anchor="end")
        + svg.write(left, middle + VALUE_Y, "value", 10.5, room, "quiet")
        + svg.write(left, middle + GRAD_Y, "grad", 10.5, room, "quiet")
    )


def _number(box: Box, number: Shown, role: str) -> str:
    """A value or a gradient on its card."""
    if number is None:
        return ""
    y = (box.top + box.bottom) / 2 + (VALUE_Y if role == "value" else GRAD_Y)
    room = CARD_WIDTH - 2 * PAD - 33
    text = _text(number, room, 10.5)
    return svg.write(box.right - PAD, y, text, 14.5, room, role, anchor="end", exact=_exact(number))


def _pill(card: Card, wire: Wire) -> str:
    """The local derivative, where the wire enters the card; tensors have none."""
    if not card.locals:
        return ""
    (x, y), slope = wire.points[-1], card.locals[wire.slot]
    return svg.pill(x - 1, y, minus(tiny(slope)), GAP_X - 2, repr(slope))


def _chips(box: Box, amounts: Sequence[Shown]) -> str:
    """What arrives at a card in this step, below it."""
    y = box.bottom + 11.5
    if len(amounts) > 2:
        return svg.chip(box.left, y, f"+= {len(amounts)} amounts", CARD_WIDTH, None, "grad")
    room = (CARD_WIDTH - 4) / max(len(amounts), 1)
    return "".join(
        svg.chip(box.left + n * (room + 4), y, f"+= {text}", room, _exact(amount), "grad")
        for n, amount in enumerate(amounts)
        for text in [_text(amount, room - 40, 9)]
    )


def _text(number: Shown, room: float, size: float) -> str:
    """A number as it is drawn; of an array the shape, if its numbers at `size` need more room."""
    if isinstance(number, Small) and svg.width(number.text, size) > room:
        return str(number.shape)
    return minus(_brief(number, narrow))


def _brief(number: Shown, write: Callable[[float], str]) -> str:
    if isinstance(number, float):
        return write(number)
    return number.text if isinstance(number, Small) else str(number)


def _exact(number: Shown) -> str:
    return number.exact if isinstance(number, Small) else repr(number)
