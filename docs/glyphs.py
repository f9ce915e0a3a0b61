"""Write nnlib/sets/glyphs.npz, printed characters from the fonts that come with matplotlib.

Run `python docs/glyphs.py` from the top folder.

Each of the 36 characters in each of the 16 fonts, 20 pixels to the em, with the middle of its ink
in the middle of 28 x 28 pixels. Nothing is drawn at random. Another version of Pillow may round a
few pixels differently.
"""

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FILE = Path(__file__).parents[1] / "nnlib" / "sets" / "glyphs.npz"
FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DEJAVU = [
    f"DejaVu{family}{style}"
    for family, slanted in {"Sans": "Oblique", "SansMono": "Oblique", "Serif": "Italic"}.items()
    for style in ("", "-Bold", f"-{slanted}", f"-Bold{slanted}")
]
FONTS = [*DEJAVU, "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"]
SIDE, EM = 28, 20


def glyph(font: str, character: str) -> np.ndarray:
    """One character in one font, (28, 28) uint8: 0 is paper, 255 is ink."""
    ink = ImageFont.truetype(FOLDER / f"{font}.ttf", EM, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = ink.getbbox(character)
    picture = Image.new("L", (SIDE, SIDE))
    corner = (SIDE - (right - left)) // 2 - left, (SIDE - (bottom - top)) // 2 - top
    ImageDraw.Draw(picture).text(corner, character, fill=255, font=ink)
    return np.asarray(picture)


def pictures() -> np.ndarray:
    """All of them, (16, 36, 28, 28) uint8."""
    return np.array([[glyph(font, character) for character in CHARACTERS] for font in FONTS])


if __name__ == "__main__":
    np.savez_compressed(FILE, pictures=pictures())
