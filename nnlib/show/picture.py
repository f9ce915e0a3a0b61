"""A picture in a notebook: a small PNG, the words that say what it shows, and its data."""

import base64
import io
import re
import sys
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nnlib.show import svg

PAPER = "#FFFFFF"  # in any theme
DPI = 100  # a notebook shows an inch as 100 pixels
LARGE = 750_000  # pixels; a smaller picture is stored at twice its size, for sharp screens
WIDEST = 1200  # pixels; JupyterLab scrolls a wider picture instead of shrinking it
MARGIN, HEAD = 10, 34  # pixels beside a title, and for it
STYLE = Path(__file__).parent / "course.mplstyle"


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
    png, (wide, tall) = io.BytesIO(), fig.get_size_inches()
    with style():
        dpi = DPI * _scale(wide * DPI, tall * DPI)
        fig.savefig(png, format="png", dpi=dpi, facecolor=PAPER)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)  # or the notebook would show it once more
    return pictured(png.getvalue(), wide * DPI, alt, text, data or {})


def rasterised(
    pieces: Mapping[str, str], view: tuple[float, float, float, float], title: str
) -> bytes:
    """A PNG of pieces of SVG, such as a frame of a `Trace`, below a title."""
    from matplotlib import get_data_path
    from resvg_py import svg_to_bytes

    left, top, width, height = view
    head = svg.write(left + MARGIN, top - HEAD / 2, title, 15, width - 2 * MARGIN, "strong")
    top, height = (top - HEAD, height + HEAD) if title else (top, height)
    fonts = Path(get_data_path()) / "fonts" / "ttf"
    return svg_to_bytes(
        svg.element(
            "svg", head + "".join(pieces.values()), xmlns="http://www.w3.org/2000/svg",
            class_="nn-stage", width=width, height=height, viewBox=f"{left} {top} {width} {height}",
        ),
        background=PAPER, skip_system_fonts=True, style_sheet=_on_paper(),
        font_files=[str(fonts / f"DejaVuSans{weight}.ttf") for weight in ("", "-Bold")],
        zoom=_scale(width, height),
    )  # fmt: skip


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


@cache
def _on_paper() -> str:
    """The colours of stage.css in its light theme, written out; without what asks to be clicked."""
    css = (Path(__file__).parent / "stage.css").read_text(encoding="utf-8")
    css = re.sub(r"light-dark\((#\w+), #\w+\)", r"\1", css)
    css = re.sub(r"(?:var\(--[\w-]+, )+(#\w+)\)+", r"\1", css)  # ours, not that of the front end
    colours = dict(re.findall(r"(--nn-\w+): (#\w+);", css))
    css = re.sub(r"var\((--nn-\w+)\)", lambda name: colours[name[1]], css)
    return css + ".offer { display: none; }"


def _scale(width: float, height: float) -> int:
    return 1 if width * height > LARGE else 2


def pictured(png: bytes, width: float, alt: str, text: str, data: Mapping[str, Any]) -> Picture:
    """A picture with 256 colours: those of areas as they are, the rare ones nearly."""
    from PIL import Image

    small = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, Image.Quantize.MEDIANCUT)
    few.save(small, format="png", optimize=True)
    text = f"{text}\n{alt}" if text else alt
    return Picture(small.getvalue(), round(width), alt, text, dict(data))
