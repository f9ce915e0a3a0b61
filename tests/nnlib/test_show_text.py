"""How numbers, names and tables are written."""

import math

import pytest
from hypothesis import given, strategies as st

from nnlib.show.text import narrow, num, one_line, short, table

FLOATS = st.floats(-1e300, 1e300)


@pytest.mark.parametrize("write", [num, narrow, short])
@pytest.mark.parametrize(
    ("number", "text"),
    [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (-0.0, "0"), (0, "0")],
)
def test_numbers_without_digits_have_one_spelling(write, number, text):
    assert write(number) == text


@given(FLOATS)
def test_a_written_number_is_the_number_to_four_decimals(x):
    assert float(num(x)) == pytest.approx(x, abs=0.5e-4, rel=0.5e-4)


@given(FLOATS)
def test_a_number_is_zero_only_if_it_is_written_so(x):
    assert (float(num(x)) == 0) == (x == 0)


@given(st.floats(-1e99, 1e99))
def test_a_number_on_a_card_has_at_most_eight_signs(x):
    assert len(narrow(x)) <= 8
    assert len(short(x)) <= 7


def test_a_short_number_keeps_the_zeros_that_count():
    assert (short(100), short(1200000), short(0.5)) == ("100", "1.2e+06", "0.5")


def test_a_name_is_one_line_of_at_most_40_signs():
    assert one_line("a\n\tb\x00c") == "a b c"
    assert one_line("<&\"'>") == "<&\"'>"
    assert len(one_line("w" * 41)) == 40
    assert one_line("w" * 40) == "w" * 40


def test_a_table_puts_numbers_right_and_words_left():
    text = table({"name": ["a", "loss"], "value": [-0.0, 12.5], "grad": [None, -1.0], "n": [1, 20]})
    assert text.splitlines() == [
        "name    value     grad   n",
        "a           0     None   1",
        "loss  12.5000  -1.0000  20",
    ]


def test_a_table_with_columns_of_two_lengths_says_which():
    with pytest.raises(ValueError, match=r"columns of one length.*'a': 1, 'b': 2"):
        table({"a": [1], "b": [1, 2]})
