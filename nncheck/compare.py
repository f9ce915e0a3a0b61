"""Are two replies the same? The one place for tolerances, and for the words that say why not.

Two numbers are the same when they differ by at most 1e-4 of the right one plus 1e-6 of the largest
number in the right array. So a right answer passes in float32, in float64 and as nested lists, and
an array of tiny numbers is still really compared. A tuple or a dict holds several things and is
compared part by part, each on its own scale; a list of numbers is one array.
"""

from dataclasses import dataclass
from typing import Any

# By name: a learner who replaces one of these in NumPy changes no verdict.
from numpy import argwhere, array, concatenate, errstate, float64, isfinite, isnan, ndarray

from nncheck.wire import Odd

RELATIVE = 1e-4  # of the right number
OF_LARGEST = 1e-6  # of the largest number in the right array
OF_ZERO = 1e-12  # where the right array is zero throughout
TINIEST = 1e-37  # below this float32 holds nothing


@dataclass(frozen=True)
class Difference:
    """The first difference between what came and what was expected.

    `kind` is one of none, type, length, shape, dtype, nan, inf, value, raised, changed.
    """

    kind: str
    text: str


def same(got, want) -> bool:
    """Are two plain values the same, within tolerance?

    >>> import numpy as np
    >>> same([0.1, 0.2], np.float32([0.1, 0.2]))
    True
    >>> same(np.array([1e-12, 2e-12]), np.array([1e-12, 1e-12]))
    False
    """
    return difference(got, want) is None


def difference(got, want, place="the result") -> Difference | None:
    """The first difference between two plain values, in words; None if they are the same.

    >>> import numpy as np
    >>> difference(np.zeros(3), np.zeros((3, 1))).text
    'the result has shape (3,), expected shape (3, 1)'
    """
    if got is None and want is not None:
        return Difference("none", f"{place} is None; expected {describe(want)}")
    if want is None:
        return None if got is None else _unlike(got, want, place)
    if isinstance(want, (str, Odd)) or isinstance(got, (str, Odd)):
        if type(got) is not type(want):
            return _unlike(got, want, place)
        if got != want:
            return Difference("value", f"{place} is {show(got)}, expected {show(want)}")
        return None
    if isinstance(want, dict):
        return _dict_difference(got, want, place)
    expected = None if isinstance(want, tuple) else numbers(want)
    if expected is None:
        return _parts_difference(got, want, place)
    came = numbers(got)
    if came is None:
        return _unlike(got, want, place)
    return _array_difference(came, expected, place)


def _dict_difference(got, want, place):
    if not isinstance(got, dict):
        return _unlike(got, want, place)
    if set(got) != set(want):
        return Difference(
            "length", f"{place} has the keys {_listed(got)}, expected {_listed(want)}"
        )
    parts = (difference(got[k], want[k], f"{place}[{k!r}]") for k in want)
    return next((d for d in parts if d), None)


def _parts_difference(got, want, place):
    if isinstance(got, ndarray) and got.ndim:
        got = list(got)
    if not isinstance(got, (list, tuple)):
        return _unlike(got, want, place)
    if len(got) != len(want):
        return Difference("length", f"{place} has {len(got)} parts, expected {len(want)}")
    parts = (
        difference(g, w, f"{place}[{i}]") for i, (g, w) in enumerate(zip(got, want, strict=True))
    )
    return next((d for d in parts if d), None)


def _array_difference(got, want, place):
    if got.shape != want.shape:
        came = f"has shape {got.shape}" if got.ndim else "is a single number"
        expected = f"shape {want.shape}" if want.ndim else "a single number"
        return Difference("shape", f"{place} {came}, expected {expected}")
    if (want.dtype.kind == "b") and got.dtype.kind != "b":
        return Difference("dtype", f"{place} holds numbers, expected True or False")
    wrong = ~_close(got, want)
    if not wrong.any():
        return None
    index = tuple(argwhere(wrong)[0].tolist())
    at = f"{place}[{', '.join(map(str, index))}]" if index else place
    kind = "value"
    if (isnan(got) & ~isnan(want)).any():
        kind = "nan"
    elif (~isfinite(got) & isfinite(want)).any():
        kind = "inf"
    came, expected = show_both(got[index], want[index])
    return Difference(kind, f"{at} is {came}, expected {expected}")


def _close(got, want):
    """Element by element; NaN equals NaN, and an infinity equals itself."""
    exact = want.dtype.kind in "biu"
    with errstate(all="ignore"):
        g, w = got.astype(float64), want.astype(float64)
        if exact:
            return abs(g - w) <= 1e-9
        finite = w[isfinite(w)]
        largest = abs(finite).max() if finite.size else 0.0
        room = RELATIVE * abs(w) + (OF_LARGEST * largest if largest else OF_ZERO) + TINIEST
        near = isfinite(w) & (abs(g - w) <= room)
        return near | (g == w) | (isnan(g) & isnan(w))


def numbers(value) -> ndarray | None:
    """A number, an array, or nested lists of numbers of equal length, as an array; else None."""
    if isinstance(value, ndarray):
        return value
    if isinstance(value, (bool, int, float)):
        return array(value)
    if not isinstance(value, (list, tuple)):
        return None
    try:
        found = array(_nested(value))
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.dtype.kind in "biuf" else None


def _nested(value):
    if isinstance(value, (list, tuple)):
        return [_nested(v) for v in value]
    if isinstance(value, (bool, int, float, ndarray)):
        return value
    raise TypeError("no number")


def _unlike(got, want, place):
    return Difference("type", f"{place} is {describe(got)}, expected {describe(want)}")


# ------------------------------------------------------------------------------- relations


def relation(pairs) -> str | None:
    """What all failing replies have in common with the right ones, as a sentence; or None.

    `pairs` are (got, want). Looked for: the opposite sign, one constant factor, rows and columns
    exchanged, only some rows.

    >>> import numpy as np
    >>> relation([(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]))])
    'Every number is 2 times what it should be.'
    """
    arrays = []
    for got, want in pairs:
        g, w = numbers(got), numbers(want)
        if g is None or w is None:
            return None
        arrays.append((g, w))
    if all(g.ndim == 2 and g.shape[::-1] == w.shape and _close(g.T, w).all() for g, w in arrays):
        return "Rows and columns are exchanged: this is the right result, transposed."
    if any(g.shape != w.shape or not isfinite(g).all() for g, w in arrays):
        return None
    if any(g.dtype.kind == "b" or w.dtype.kind == "b" for g, w in arrays):
        return None
    return _factor(arrays) or _rows(arrays)


def _factor(arrays):
    got = concatenate([g.astype(float64).ravel() for g, _ in arrays])
    want = concatenate([w.astype(float64).ravel() for _, w in arrays])
    seen = isfinite(want) & (want != 0)
    if seen.sum() < 2:
        return None
    factor = sorted((got[seen] / want[seen]).tolist())[int(seen.sum()) // 2]
    if factor == 0 or not all(_close(g.astype(float64), factor * w).all() for g, w in arrays):
        return None
    if same(factor, -1.0):
        return "Every number has the opposite sign."
    for whole in range(2, 1001):
        if same(abs(factor), 1 / whole):
            return f"Every number is {show(factor)} (1/{whole}) times what it should be."
    return f"Every number is {show(factor)} times what it should be."


def _rows(arrays):
    g, w = arrays[0]
    if len(arrays) != 1 or g.ndim < 2 or len(g) < 2:
        return None
    right = _close(g, w).reshape(len(g), -1).all(1)
    if not right.any():
        return None
    good, bad = (which.nonzero()[0].tolist() for which in (right, ~right))
    return f"{_rows_named(good)} right, {_rows_named(bad).lower()} not."


def _rows_named(rows):
    if len(rows) == 1:
        return f"Row {rows[0]} is"
    if len(rows) > 6:
        return f"{len(rows)} rows are"
    return f"Rows {', '.join(map(str, rows[:-1]))} and {rows[-1]} are"


# ------------------------------------------------------------------------------------ words


def describe(value) -> str:
    """What kind of thing a plain value is.

    >>> describe((1.5, [2])), describe(True), describe([1, 2])
    ('a tuple of 2 parts', 'True or False', 'a list of 2 numbers')
    """
    if value is None:
        return "None"
    if isinstance(value, Odd):
        if value.kind.startswith(("reply", "array")):
            return f"{_article(value.kind)} {value.kind}"
        return f"an object of type {value.kind}" if value.kind != "function" else "a function"
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, ndarray):
        return f"an array of shape {value.shape}" if value.ndim else "a number"
    if isinstance(value, dict):
        return f"a dict with the keys {_listed(value)}"
    plural = "" if len(value) == 1 else "s"
    flat = all(isinstance(v, (bool, int, float)) for v in value)
    if isinstance(value, list) and flat:
        return f"a list of {len(value)} number{plural}"
    return f"a {type(value).__name__} of {len(value)} part{plural}"


def _article(noun):
    return "an" if noun[0] in "aeiou" else "a"


def _listed(keys):
    return ", ".join(map(repr, keys)) or "none"


def show_both(got, want) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes to see that they differ.

    >>> show_both(1.00001, 1.0)
    ('1.00001', '1')
    """
    for digits in (4, 6, 8, 17):
        came, expected = (f"{float(n) + 0.0:.{digits}g}" for n in (got, want))  # no -0
        if came != expected:
            break
    return came, expected


def show(value: Any) -> str:
    """A number or a string, short.

    >>> show(0.123456), show(3), show(float("nan")), show("a" * 3)
    ('0.1235', '3', 'nan', "'aaa'")
    """
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    if isinstance(value, float):
        return f"{value + 0.0:.4g}"  # no -0
    if isinstance(value, Odd):
        return describe(value)
    return str(value)
