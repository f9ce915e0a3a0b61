import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from nncheck.compare import describe, difference, relation, same, show
from nncheck.wire import Odd

floats = arrays.arrays(
    np.float64,
    arrays.array_shapes(max_dims=3, max_side=4),
    elements=st.floats(-1e6, 1e6, allow_nan=False),
)


@settings(max_examples=60)
@given(floats)
def test_a_right_reply_passes_as_float64_float32_and_nested_lists(right):
    assert same(right, right)
    assert same(right.astype(np.float32), right)
    assert same(right.tolist(), right)
    assert same(right, right.tolist())


@settings(max_examples=60)
@given(floats, st.sampled_from([1e-9, 1.0, 1e9]))
def test_one_number_off_by_a_thousandth_of_the_largest_fails_at_every_scale(right, scale):
    right = right * scale
    largest = np.abs(right).max()
    if largest < 1e-9:
        return
    wrong = right.copy()
    wrong.flat[0] += largest * 1e-3
    assert not same(wrong, right)


def test_tiny_magnitudes_are_really_compared():
    assert not same(np.array([1e-12, 2e-12]), np.array([1e-12, 1e-12]))
    assert not same(2e-30, 1e-30)


def test_zero_may_be_rounding_and_nothing_else():
    assert same(1e-15, 0.0)
    assert not same(1e-6, 0.0)


def test_integers_are_exact():
    assert same(3.0, 3)
    assert not same(50_001, 50_000)


def test_nan_equals_nan_and_an_infinity_itself():
    assert same([np.nan, np.inf, 1.0], np.array([np.nan, np.inf, 1.0]))
    assert not same([np.nan, -np.inf, 1.0], np.array([np.nan, np.inf, 1.0]))
    assert difference([np.nan, 1.0], np.ones(2)).kind == "nan"
    assert difference([np.inf, 1.0], np.ones(2)).kind == "inf"


def test_a_tuple_is_compared_part_by_part_each_on_its_own_scale():
    assert not same((1e6, 2e-3), (1e6, 1e-3))
    assert same([1e6, 2e-3], [1e6, 1e-3])  # one array: the small number is rounding there


def test_a_list_or_an_array_of_parts_passes_for_a_tuple():
    assert same([1.0, 2.0], (1.0, 2.0))
    assert same(np.array([1.0, 2.0]), (1.0, 2.0))


@pytest.mark.parametrize("value", [True, "a", None, {"a": 1}, {"a": [1.0, (2, "b")]}, [], ()])
def test_anything_plain_equals_itself(value):
    assert same(value, value)


@pytest.mark.parametrize(
    ("got", "want", "kind", "words"),
    [
        (None, 1.0, "none", "the result is None; expected a number"),
        (np.zeros(3), np.zeros((3, 1)), "shape", "has shape (3,), expected shape (3, 1)"),
        (np.zeros(3), 0.0, "shape", "has shape (3,), expected a single number"),
        (0.0, np.zeros(3), "shape", "is a single number, expected shape (3,)"),
        ("one", 1.0, "type", "is a string, expected a number"),
        (Odd("function"), 1.0, "type", "is a function, expected a number"),
        (Odd("Value"), 1.0, "type", "is an object of type Value"),
        ([1.0, "a"], [1.0, 2.0], "type", "is a list of 2 parts, expected a list of 2 numbers"),
        ({"a": 1}, {"b": 1}, "length", "has the keys 'a', expected 'b'"),
        ((1.0,), (1.0, 2.0), "length", "has 1 parts, expected 2"),
        ({"a": 1.0}, {"a": 2.0}, "value", "the result['a'] is 1, expected 2"),
        ((1.0, np.ones((2, 2))), (1.0, np.eye(2)), "value", "the result[1][0, 1] is 1, expected 0"),
        (1.0, True, "dtype", "holds numbers, expected True or False"),
        ("cat", "dog", "value", "is 'cat', expected 'dog'"),
        (1.0005, 1.0, "value", "is 1.0005, expected 1"),
    ],
)
def test_a_difference_says_what_came_and_what_was_expected(got, want, kind, words):
    gap = difference(got, want)
    assert gap is not None
    assert gap.kind == kind
    assert words in gap.text


def test_true_and_false_are_exact():
    assert same(np.bool_(True).item(), True)
    assert not same(np.array([1, 0]), np.array([True, False]))
    assert same(np.array([True, False]), np.array([1, 0]))  # numbers were expected


rng = np.random.default_rng(1)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(5,))


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(-A, A)], "opposite sign"),
        ([(A / 3, A)], "0.3333 (1/3) times"),
        ([(A * 7, A), (B * 7, B)], "Every number is 7 times"),
        ([(2.0, 1.0), (6.0, 3.0)], "Every number is 2 times"),
        ([(A.T, A)], "transposed"),
        ([(np.vstack([A[:2], -A[2:]]), A)], "Rows 0 and 1 are right, row 2 is not."),
    ],
)
def test_a_relation_between_wrong_and_right_is_found(pairs, words):
    assert words in (relation(pairs) or "")


@pytest.mark.parametrize(
    "pairs",
    [
        [(2.0, 1.0)],  # any single number is some factor times another
        [(A + 1, A)],
        [(A * 2, A), (B * 3, B)],
        [(np.full((3, 4), np.nan), A)],
        [("a", A)],
        [(np.zeros((3, 4)), A)],
    ],
)
def test_no_relation_is_claimed_where_there_is_none(pairs):
    assert relation(pairs) is None


def test_numbers_print_short_and_never_as_minus_zero():
    assert show(-0.0) == "0"
    assert show(1 / 3) == "0.3333"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (Odd("function"), "a function"),
        (Odd("Value"), "an object of type Value"),
        (Odd("array of complex64"), "an array of complex64"),
        (Odd("reply that is too large"), "a reply that is too large"),
        (np.zeros(()), "a number"),
        (np.zeros((2, 3)), "an array of shape (2, 3)"),
        ([1.0], "a list of 1 number"),
        ([[1.0], [2.0]], "a list of 2 parts"),
        ((), "a tuple of 0 parts"),
        ({"a": 1}, "a dict with the keys 'a'"),
    ],
)
def test_a_kind_of_value_is_said_in_words(value, words):
    assert describe(value) == words


def test_many_right_rows_are_counted_and_not_listed():
    right = rng.normal(size=(20, 3))
    wrong = right.copy()
    wrong[3] += 1
    assert relation([(wrong, right)]) == "19 rows are right, row 3 is not."
