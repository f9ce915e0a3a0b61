"""A picture in a notebook: a small PNG, the words that say what it shows, and its data."""

import base64
import io
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# Every picture of the course is drawn in these colours, on white, so that it reads in any theme.
INK, QUIET, LINE, PAPER = "#1F2328", "#59636E", "#C4CBD4", "#FFFFFF"
VALUE, GRAD = "#0072B2", "#B84A00"  # a role each, everywhere
NEGATIVE, POSITIVE = "#762A83", "#1B7837"  # sign, with white between them for zero
RUNNERS = (VALUE, GRAD, "#5200CC", "#593228")  # one colour per curve, each with dash and marker

FONT = "DejaVu Sans"  # comes with matplotlib, so a picture is the same on every machine
DPI = 100  # a notebook shows an inch as 100 pixels
LARGE = 750_000  # pixels; a smaller picture is stored at twice its size, for sharp screens
WIDEST = 1200  # pixels; JupyterLab scrolls a wider picture instead of shrinking it

STYLE = {
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "figure.dpi": DPI,
    "figure.facecolor": PAPER,
    "font.family": FONT,
    "font.size": 10.5,
    "grid.color": "#E6E9ED",
    "legend.frameon": False,
    "legend.markerscale": 1.4,
    "lines.linewidth": 2,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a name is a dollar sign
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}


@dataclass(frozen=True, repr=False)
class Picture:
    """What a notebook shows: the picture, or its words where no picture can be shown.

    `alt` says in a sentence or two what the picture shows, `text` is a longer account that ends
    with it, and `data` holds what was drawn.
    """

    png: bytes
    width: int
    alt: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.text}
        about: dict[str, Any] = {"alt": self.alt, "width": self.width}
        if self.width > WIDEST:
            about["unconfined"] = True
        return bundle, {"image/png": about}


def figure(fig, *, alt: str, data: dict[str, Any] | None = None, text: str = "") -> Picture:
    """Turn a matplotlib figure into a `Picture`, and close it.

    Args:
        fig: any matplotlib Figure.
        alt: what the picture shows, for those who cannot see it. Build it from the data.
        data: what was drawn, for whoever wants to check it.
        text: what stands above `alt` where no picture can be shown.
    """
    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("figure() needs alt: a sentence that says what the picture shows.")
    picture = Picture(
        png=_png(fig),
        width=round(fig.get_figwidth() * DPI),
        alt=alt,
        text=f"{text}\n{alt}" if text else alt,
        data=dict(data or {}),
    )
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)  # or the notebook would show it once more
    return picture


@contextmanager
def style():
    """The course's figure style, whatever the reader's own settings are, and only inside.

    Example:
        >>> import matplotlib
        >>> with style():
        ...     matplotlib.rcParams["font.size"]
        10.5
    """
    import matplotlib.style

    with warnings.catch_warnings(), matplotlib.style.context(["default", STYLE]):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _png(fig) -> bytes:
    """Draw, and keep 256 colours: those of areas as they are, the rare ones nearly."""
    from PIL import Image

    drawn, small = io.BytesIO(), io.BytesIO()
    pixels = fig.get_figwidth() * fig.get_figheight() * DPI**2
    with style():
        fig.savefig(drawn, format="png", dpi=DPI if pixels > LARGE else 2 * DPI, facecolor=PAPER)
    few = Image.open(drawn).convert("RGB").quantize(256, Image.Quantize.MEDIANCUT)
    few.save(small, format="png", optimize=True)
    return small.getvalue()
