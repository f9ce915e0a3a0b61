"""The backprop stepper: a graph computed node by node, then walked back one `+=` at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from nnlib.graph import Node, rehearse, topological
from nnlib.show.graph import brief, read, sheet
from nnlib.show.text import factor, listed, minus, num, short, tiny
from nnlib.show.trace import Card, Contribution, Event, Frame, Shown, Small, Stage, Trace

FEW = 4  # numbers of an array that fit on a card
SAID = 6  # what a sentence names; the picture shows all
JUMPS = {"forward": "forward pass", "seed": "seed", "backward": "backward pass"}
INFIX = ("+", "-", "*", "/", "@", "**")


def backprop(root, title: str = "") -> Stage:
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
    return trace(root, title).on_stage()


def trace(root: Node, title: str = "") -> Trace:
    """All that happens when `root` is computed and its gradients are found; nothing is changed."""
    cards = read(root, "show.backprop", shown)
    events = list(_events(root, cards))
    last = events[-1]
    cards = [replace(c, grad=grad) for c, grad in zip(cards, last.grads, strict=True)]
    kinds = [event.kind for event in events]
    happens: dict[str, list[int]] = {}
    for step, event in enumerate(events[1:], start=1):
        for i in {event.at, *(c.to for c in event.contributions)}:
            happens.setdefault(f"card{i}", []).append(step)
    frames = [_frame(event, cards, kinds, n) for n, event in enumerate(events)]
    jumps = {name: kinds.index(kind) for kind, name in JUMPS.items() if kind in kinds}
    usual = f"Backprop through {cards[-1].name}"
    return sheet(cards, title, usual, frames=frames, jumps=jumps, clicks=happens)


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
    return Frame(where, _sentence(event, cards), event, at=f"card{event.at}")


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
    rest = [f"And {len(said) - SAID} more."] if len(said) > SAID else []
    return " ".join([f"{card.name} hands its gradient {grad} back.", *said[:SAID], *rest])


def _given(event: Event, cards: Sequence[Card]) -> str:
    both = zip(cards, event.grads, strict=True)
    leaves = [(card, grad) for card, grad in both if not card.inputs]
    said = f"Given: {listed([f'{card.name} = {_say(card.value)}' for card, _ in leaves])}."
    old = [f"{card.name}: {_say(grad)}" for card, grad in leaves if grad is not None]
    if old:
        said += f" Gradients of an earlier walk are still there, and are added to. {listed(old)}."
    return said


def _plus(c: Contribution, event: Event, cards: Sequence[Card]) -> str:
    """One `+=` in words: gradient × local derivative = amount, and before + amount = after."""
    amount, product = _say(c.amount), ""
    if c.local is not None:
        slope, grad = factor(_say(c.local)), _say(event.grads[event.at])
        product = f"{grad} × {slope} = {amount}, and "
    grown = f"{_say(c.before)} + {factor(amount)} = {_say(c.after)}"
    return f"To {cards[c.to].name}: {product}{grown}."


def _formula(card: Card, inputs: Sequence[str]) -> str:
    op = "×" if card.op == "*" else minus(card.op)
    if len(inputs) == 2 and card.op in INFIX:
        return f"{inputs[0]} {op} {factor(inputs[1])}"
    if len(inputs) == 1 and card.op == "-":
        return f"{op}{factor(inputs[0])}"
    if len(inputs) == 1 and op.startswith("**"):
        return f"{factor(inputs[0])}{op}"
    return f"{op}({listed(inputs)})"


def _say(number: Shown) -> str:
    """A number in a sentence."""
    if isinstance(number, tuple):
        return f"array {number}"
    return minus(brief(number, short))
