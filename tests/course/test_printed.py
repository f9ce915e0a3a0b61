"""The comparison of printed outputs lets rounding noise through, and nothing else."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, strategies as st

from tests.course.printed import same_number, same_text

digits = st.text("0123456789", min_size=1, max_size=6)
signs = st.sampled_from(["", "-"])
exponents = st.sampled_from(["", "e-05", "e+03", "e-1"])


@st.composite
def rounded(draw):
    """A number printed with decimals, as sign, digits, number of decimals and exponent."""
    text = draw(digits)
    decimals = draw(st.integers(1, 5))
    return draw(signs), text.rjust(decimals + 1, "0"), decimals, draw(exponents)


def printed(sign, text, decimals, exponent):
    return f"{sign}{text[:-decimals]}.{text[-decimals:]}{exponent}"


def shifted(number, units):
    """The same number with so many units added to its last digit."""
    sign, text, decimals, exponent = number
    units = int(sign + text) + units
    assume(units != 0 or sign == "")
    return "-" if units < 0 else "", str(abs(units)).rjust(len(text), "0"), decimals, exponent


@given(rounded(), st.sampled_from([-1, 0, 1]))
def test_one_unit_in_the_last_digit_is_noise(number, unit):
    assert same_number(printed(*number), printed(*shifted(number, unit)))


@given(rounded(), st.integers(2, 10**6), st.sampled_from([-1, 1]))
def test_more_than_one_unit_in_the_last_digit_is_a_difference(number, units, direction):
    assert not same_number(printed(*number), printed(*shifted(number, direction * units)))


@given(rounded(), st.data())
def test_a_changed_digit_that_is_not_the_last_is_a_difference(number, data):
    sign, text, decimals, exponent = number
    where = data.draw(st.integers(0, len(text) - 2))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != text[where]]))
    other = text[:where] + digit + text[where + 1 :]
    assert not same_number(printed(*number), printed(sign, other, decimals, exponent))


@given(rounded())
def test_a_changed_sign_is_a_difference(number):
    sign, text, decimals, exponent = number
    assume(int(text) > 0)
    other = ("" if sign else "-", text, decimals, exponent)
    assert not same_number(printed(*number), printed(*other))


@given(rounded(), exponents)
def test_a_changed_exponent_is_a_difference(number, exponent):
    sign, text, decimals, old = number
    assume(exponent != old)
    assume(int(text) > 1)
    assert not same_number(printed(*number), printed(sign, text, decimals, exponent))


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_whole_numbers_must_be_equal(a, b):
    assert same_number(str(a), str(b)) == (a == b)
    assert same_number(f"{a}.", f"{b}.") == (a == b)  # as NumPy prints an array of whole floats


@given(rounded(), st.integers(-20, 20))
def test_the_comparison_does_not_depend_on_the_order(number, units):
    a, b = printed(*number), printed(*shifted(number, units))
    assert same_number(a, b) == same_number(b, a)


@given(st.floats(-1e6, 1e6), st.integers(1, 12))
def test_noise_in_the_last_bits_never_shows(x, decimals):
    """Whatever number is printed, its neighbours among the floats print the same."""
    assume(abs(x) * 1e-15 < 10.0**-decimals)
    assert same_text(f"{x:.{decimals}f}", f"{x * (1 + 1e-15):.{decimals}f}")
    assert same_text(f"{x:.{decimals}e}", f"{x * (1 + 1e-15):.{decimals}e}")
    assert same_text(f"{x:.{decimals}g}", f"{x * (1 + 1e-15):.{decimals}g}") or whole(x, decimals)


def whole(x, decimals):
    """Printed by :g without decimals: then a count, which has no tolerance."""
    return Decimal(f"{x:.{decimals}g}") % 1 == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loss 0.31, accuracy 0.97", "loss 0.32, accuracy 0.96"),
        ("[-0.001  0.250]", "[ 0.000  0.250]"),
        ("  9.99", " 10.00"),
        ("9.99e-05", "1.00e-04"),
        ("0.4999", "0.5"),
        ("grad of a\n  33.0000", "grad of a\n  33.0001"),
    ],
)
def test_texts_that_differ_by_noise_are_the_same(old, new):
    assert same_text(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a 0.25", "b 0.25"),
        ("0.25", "0.25\n"),
        ("0.25 0.25", "0.25"),
        ("0.25", "0.250"),
        ("(32, 10)", "(32, 11)"),
        ("step 7 of 9", "step 8 of 9"),
        ("nan", "0.0"),
        ("1e-05", "1e-06"),
        ("float32", "float64"),
        ("x 0.25", "x  0.25"),
        ("33.", "34."),
    ],
)
def test_texts_that_differ_by_more_are_not(old, new):
    assert not same_text(old, new)
