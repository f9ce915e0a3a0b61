"""The drawing vocabulary of the instruments: cards, wires, pills and chips as pieces of SVG.

Colours are not here but in stage.css, by the names of roles: `value`, `grad`, `quiet`, `strong`.
Text is measured with a rough table that errs on the wide side, because the reader's font is not
known here.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise

SMALLEST = 8.5  # pixels; a text that is still too long is cut

# How wide a sign is, as a part of the font size, in a wide font (DejaVu Sans).
WIDTHS = {
    sign: width
    for width, signs in (
        (0.34, " ',./IJ\\ijl|·"),
        (0.42, "!()-:;[]f"),
        (0.5, '"*_`rt'),
        (0.6, "?Lcksvxyz"),
        (0.65, "$0123456789EFSTYabdeghnopqu{}"),
        (0.72, "ABCKPRVXZσ"),
        (0.85, "#&+<=>DGHNOQU^w~−×"),
        (1.0, "%@MWm…"),
    )
    for sign in signs
}
BOLD = 1.12  # how much wider bold text is


@lru_cache(4096)
def width(text: str, size: float, bold: bool = False) -> float:
    """About how many pixels a text takes, rather more than less.

    Example:
        >>> width("w0", 10) < width("w0", 10, bold=True) < width("損失", 10)
        True
    """
    ems = sum(
        WIDTHS.get(s) or (1.1 if unicodedata.east_asian_width(s) in "WF" else 0.72) for s in text
    )
    return size * ems * (BOLD if bold else 1)


def fitted(text: str, size: float, room: float, bold: bool = False) -> tuple[str, float]:
    """A text and its size such that it fits: smaller if need be, then cut short.

    Example:
        >>> fitted("loss", 13.5, room=60), fitted("the loss of the batch", 13.5, room=60)
        (('loss', 13.5), ('the loss of…', 8.5))
    """
    while size > SMALLEST and width(text, size, bold) > room:
        size = max(SMALLEST, size - 0.5)
    if width(text, size, bold) > room:
        while len(text) > 1 and width(text + "…", size, bold) > room:
            text = text[:-1]
        text = text.rstrip() + "…"
    return text, size


def element(tag: str, content: str = "", /, **attributes: object) -> str:
    """One element. `class_` and `data_v` lose or change their `_`; None leaves an attribute out.

    Example:
        >>> element("rect", class_="card", x=0, rx=9.0, data_v='"', height=None)
        '<rect class="card" x="0" rx="9" data-v="&quot;"/>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def _attribute(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))


def write(
    x: float,
    y: float,
    text: str,
    size: float,
    room: float,
    role: str = "",
    *,
    anchor: str | None = None,
    exact: str | None = None,
) -> str:
    """Write around height `y`, within `room` pixels. `exact` goes into `data-v` for whoever checks.

    `anchor` is None for the left, "middle" or "end", as in SVG.
    """
    if not text:
        return ""
    text, size = fitted(text, size, room, bold="strong" in role)
    return element(
        "text", escape(text), class_=role or None, x=x, y=round(y + 0.36 * size, 1), font_size=size,
        text_anchor=anchor, data_v=exact,
    )  # fmt: skip


def box(left: float, top: float, width: float, height: float, radius: float, role: str) -> str:
    """A rectangle with round corners."""
    return element("rect", class_=role, x=left, y=top, width=width, height=height, rx=radius)


def tag(x: float, y: float, text: str, room: float, role: str, exact: str | None = None) -> str:
    """Text in a frame with round corners, which begins at `x`; a pill ends there."""
    size, pad, radius = (11, 3, 8) if role == "pill" else (11.5, 4, 4)
    text, size = fitted(text, size, room - 2 * pad)
    wide = width(text, size) + 2 * pad
    left, inside = (x - wide, "slope") if role == "pill" else (x, "on-chip")
    return box(left, y - 8.5, wide, 17, radius, role) + write(
        left + wide / 2, y, text, size, wide, inside, anchor="middle", exact=exact
    )


def curve(points: Sequence[tuple[float, float]]) -> str:
    """The path of a wire through points from left to right: S-bends between, level along cards.

    Example:
        >>> curve([(0, 0), (40, 20), (152, 20), (190, 20)])
        'M0 0C20 0 12 20 40 20H190'
    """
    path, level = "M{:g} {:g}".format(*points[0]), ""
    for (x0, y0), (x1, y1) in pairwise(points):
        if y0 == y1:
            level = f"H{x1:g}"
            continue
        leave, arrive = x0 + 0.5 * (x1 - x0), x0 + 0.3 * (x1 - x0)
        path += f"{level}C{leave:g} {y0:g} {arrive:g} {y1:g} {x1:g} {y1:g}"
        level = ""
    return path + level
