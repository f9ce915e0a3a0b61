"""Still pictures: of a graph, and of one frame of any stage."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from xml.etree import ElementTree

from nnlib.show import picture
from nnlib.show.cards import heading
from nnlib.show.layout import CARD_WIDTH, GAP_X, Box, Layout, Wire
from nnlib.show.text import minus, narrow, tiny
from nnlib.show.trace import Card, Shown, Small

MARGIN, HEAD = 14, 34  # pixels around the picture, and for its title
PAD = 8  # from a card's edge to its text
SMALLEST = 8.5  # pixels; a text that is still too long is cut
POINTS = 72 / picture.DPI  # matplotlib wants sizes in points
LEAF, WIRE = "#F1F4F7", "#8C959F"
COLOURS = {  # of the roles in stage.css
    "value": picture.VALUE,
    "grad": picture.GRAD,
    "plus": picture.POSITIVE,
    "minus": picture.NEGATIVE,
    "quiet": picture.QUIET,
    "leaf": LEAF,
}


@picture.style()
def draw(cards: Sequence[Card], layout: Layout, title: str = ""):
    """Draw the cards where the layout puts them. One unit of the axes is one pixel."""
    from matplotlib.figure import Figure

    head = HEAD if title else 0
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN + head
    fig = Figure(figsize=(width / picture.DPI, height / picture.DPI))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-MARGIN, width - MARGIN), ylim=(height - MARGIN - head, -MARGIN - head))
    ax.set_axis_off()
    if title:
        _write(ax, 0, -head / 2 - 3, title, 15, layout.width, weight="bold")
    for wire in layout.wires:
        _wire(ax, wire)
    for card, box in zip(cards, layout.boxes, strict=True):
        _card(ax, card, box, last=card is cards[-1])
    for wire in layout.wires:
        if cards[wire.target].locals:
            _pill(ax, wire, minus(tiny(cards[wire.target].locals[wire.slot])))
    return fig


def _card(ax, card: Card, box: Box, last: bool) -> None:
    """Name and operation above; below them value and gradient, each in its colour."""
    edge, thick = (picture.INK, 1.6) if last else (picture.LINE, 1)
    fill = picture.PAPER if card.inputs else LEAF
    _rounded(ax, box.left, box.top, box.right, box.bottom, 9, fill, edge, thick, layer=2)
    left, right, middle = box.left + PAD, box.right - PAD, (box.top + box.bottom) / 2
    room = CARD_WIDTH - 2 * PAD
    name, aside = heading(card)
    used = _write(ax, right, middle - 21, aside, 11.5, room / 2, ha="right", color=picture.QUIET)
    _write(ax, left, middle - 21, name, 13.5, room - used - 4, weight="bold")
    what = "shape" if isinstance(card.value, tuple) else "value"
    for caption, number, colour, y in (
        (what, card.value, picture.VALUE, middle + 2),
        ("grad", card.grad, picture.QUIET if card.grad is None else picture.GRAD, middle + 22),
    ):
        used = _write(ax, left, y, caption, 10.5, room, color=picture.QUIET)
        text = _number(number, room - used)
        _write(ax, right, y, text, 14, room - used, ha="right", color=colour)


def _number(shown: Shown, room: float) -> str:
    """A number as it is drawn; of an array the shape, if its numbers need more room."""
    if isinstance(shown, Small):
        text = minus(shown.text)
        return text if _width(text, SMALLEST) <= room else str(shown.shape)
    return minus(narrow(shown)) if isinstance(shown, float) else str(shown)


def _wire(ax, wire: Wire) -> None:
    """Level out of a card and into the next; an S-bend between columns."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points, codes = [wire.points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in zip(wire.points[:-1:2], wire.points[1::2], strict=True):
        points += [(x0, y0), (x0 + 0.5 * (x1 - x0), y0), (x0 + 0.3 * (x1 - x0), y1), (x1, y1)]
        codes += [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    ax.add_patch(PathPatch(Path(points, codes), fc="none", ec=WIRE, lw=1.2, zorder=1))


def _pill(ax, wire: Wire, number: str) -> None:
    """The local derivative, where the wire enters the card."""
    x, y = wire.points[-1]
    half = min(_width(number, 10.5) / 2 + 4, GAP_X / 2 - 1)
    middle = x - half - 1
    _rounded(ax, middle - half, y - 7.5, middle + half, y + 7.5, 7.5, picture.PAPER, WIRE, 0.8, 3)
    _write(ax, middle, y, number, 10.5, 2 * half - 4, ha="center")


def _rounded(ax, left, top, right, bottom, radius, fill, edge, thick, layer) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = f"round,pad=0,rounding_size={radius}"
    ax.add_patch(
        FancyBboxPatch(
            (left, top), right - left, bottom - top, boxstyle=shape,
            fc=fill, ec=edge, lw=thick, zorder=layer,
        )
    )  # fmt: skip


def _write(ax, x, y, text, size, room, ha="left", weight="normal", color=picture.INK) -> float:
    """Write within `room` pixels, smaller if need be, then cut short; the width it took."""
    from matplotlib.text import Text

    while size > SMALLEST and _width(text, size, weight) > room:
        size -= 0.5
    while len(text) > 1 and _width(text, size, weight) > room:
        text = text[:-2] + "…"
    ax.add_artist(
        Text(
            x, y, text, fontsize=size * POINTS, ha=ha, va="center_baseline", weight=weight,
            color=color, zorder=4,
        )
    )  # fmt: skip
    return _width(text, size, weight)


@lru_cache(4096)
def _width(text: str, size: float, weight: str = "normal") -> float:
    """How many pixels a text takes."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=picture.FONT, weight=weight, size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


@picture.style()
def still(pieces: Mapping[str, str], view: tuple[float, float, float, float], title: str = ""):
    """Draw what a stage shows in one frame: the boxes, texts and wires that `svg` makes."""
    from matplotlib.figure import Figure

    head = HEAD if title else 0
    left, top, width, height = view
    fig = Figure(figsize=(width / picture.DPI, (height + head) / picture.DPI))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(left, left + width), ylim=(top + height, top - head))
    ax.set_axis_off()
    if title:
        _write(ax, left + MARGIN, top - head / 2, title, 15, width - 2 * MARGIN, weight="bold")
    drawn = ElementTree.fromstring(f"<svg>{''.join(pieces.values())}</svg>")
    for order, mark in enumerate(drawn.iter()):
        roles = mark.get("class", "").split()
        colour = next((COLOURS[role] for role in roles if role in COLOURS), None)
        if mark.tag == "rect":
            _box(ax, mark, roles, colour, order)
        elif mark.tag == "path":
            _path(ax, mark, colour or picture.LINE, order)
        elif mark.tag == "text":
            x, y, size = (float(mark.get(name, 0)) for name in ("x", "y", "font-size"))
            align = {"middle": "center", "end": "right"}.get(mark.get("text-anchor", ""), "left")
            ax.text(
                x, y, mark.text or "", size=size * POINTS, ha=align, va="baseline", zorder=order,
                color=colour or picture.INK, weight="bold" if "strong" in roles else "normal",
            )  # fmt: skip
    return fig


def _box(ax, mark, roles: Sequence[str], colour: str | None, order: int) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    x, y, width, height, radius = (
        float(mark.get(name, 0)) for name in ("x", "y", "width", "height", "rx")
    )
    here = "here" in roles
    fill = "none" if here else to_rgba(colour or picture.PAPER, float(mark.get("fill-opacity", 1)))
    ax.add_patch(
        FancyBboxPatch(
            (x, y), width, height, boxstyle=f"round,pad=0,rounding_size={radius}", fc=fill,
            ec=colour if here else picture.LINE, lw=1.8 if here else 0.7, zorder=order,
            ls="--" if {"waiting", "padding"} & set(roles) else "-",
        )
    )  # fmt: skip


def _path(ax, mark, colour: str, order: int) -> None:
    """A wire as `svg.curve` writes it, M, C and H, or lines with V."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points, codes = [], []
    for letter, numbers in re.findall(r"([MCHV])([^MCHV]*)", mark.get("d", "")):
        at = [float(number) for number in numbers.split()]
        if letter in "HV":
            at = [at[0], points[-1][1]] if letter == "H" else [points[-1][0], at[0]]
        points += zip(at[::2], at[1::2], strict=True)
        codes += {"M": [Path.MOVETO], "C": [Path.CURVE4] * 3}.get(letter, [Path.LINETO])
    wide, part = (float(mark.get(name, 1)) for name in ("stroke-width", "stroke-opacity"))
    ax.add_patch(
        PathPatch(
            Path(points, codes), fc="none", ec=colour, lw=wide * POINTS, alpha=part, zorder=order
        )
    )
