"""The cells that grids of numbers are made of."""

import re
from pathlib import Path

import numpy as np
import pytest

from nnlib import Tensor
from nnlib.show.grid import FULLEST, Grid, floats
from tests.nnlib.test_show_stage import contrast

CSS = (Path(__file__).parents[2] / "nnlib" / "show" / "stage.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("role", ["plus", "minus", "value", "grad"])
def test_a_number_stands_out_from_the_fullest_cell(role, theme):
    colours = {n: both[theme] for n, *both in re.findall(r"--nn-(\w+): .*\((#\w+), (#\w+)\)", CSS)}
    papers = [colours["paper"], ("#fff", "#111")[theme]]  # without a theme, and in JupyterLab
    for paper in papers:
        mixed = [
            round(FULLEST * over + (1 - FULLEST) * under)
            for over, under in zip(parts(colours[role]), parts(paper), strict=True)
        ]
        assert contrast("#{:02x}{:02x}{:02x}".format(*mixed), colours["ink"]) >= 4.5


def parts(colour):
    """Red, green and blue of #rgb or #rrggbb."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]


@pytest.mark.parametrize(
    ("wide", "number", "text"),
    [
        (52, -1 / 3, "−0.333"),
        (38, -1 / 3, "−0.33"),
        (30, -1 / 3, "−.33"),
        (30, 12.345, "12"),
        (30, 1.25, "1.2"),
        (30, -1e-9, "−.00"),
        (30, 0.999, "1.00"),
        (38, -0.0, "0"),
        (30, -np.inf, "−inf"),
        (20, 1.0, None),
    ],
)
def test_a_number_is_as_long_as_its_cell_allows(wide, number, text):
    drawn = Grid(0, 0, 1, 1, wide, 30).cell(0, 0, number, 1.0)
    assert f'data-v="{float(number)!r}"' in drawn
    assert re.findall(r">([^<]+)</text>", drawn) == ([text] if text else [])


def test_floats_have_one_type_and_leave_what_they_are_given_alone():
    given = np.ones(3, np.float32)
    x, y = floats("me", given, Tensor(np.zeros(2, np.float32)))
    assert x.dtype == y.dtype == np.float32
    x[0] = 7
    assert given[0] == 1
    assert [a.dtype for a in floats("me", given, [1, 2])] == [np.float64] * 2
    with pytest.raises(TypeError, match=r"me needs arrays of numbers; got <U1 of shape \(1,\)"):
        floats("me", ["a"])
    with pytest.raises(TypeError, match=r"of shape \(0,\)"):
        floats("me", [])
