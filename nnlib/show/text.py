"""How a number, a name and a table are written, in pictures and in plain text."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any


def num(x, decimals: int = 4) -> str:
    """Write a number with a fixed number of decimals.

    NaN, infinity and minus zero print as ``nan``, ``inf`` and ``0``. A number that would round
    to zero, or has more than six digits before the point, is written with an exponent.

    Example:
        >>> num(2 / 3), num(-3), num(-0.0), num(1.5e-9), num(float("inf"))
        ('0.6667', '-3.0000', '0', '1.5000e-09', 'inf')
    """
    x = float(x)
    if x == 0:
        return "0"
    if not math.isfinite(x):
        return str(x)
    if 0.5 * 10**-decimals <= abs(x) < 1e6:
        return f"{x:.{decimals}f}"
    return f"{x:.{decimals}e}"


def narrow(x, signs: int = 8) -> str:
    """Write a number with at most three decimals, and with fewer if it is then too wide.

    Example:
        >>> narrow(2 / 3), narrow(-123456.789), narrow(-1.23456e-9)
        ('0.667', '-123457', '-1.2e-09')
    """
    tries = [num(x, decimals) for decimals in (3, 2, 1, 0)]
    return next((text for text in tries if len(text) <= signs), tries[-1])


def short(x, signs: int = 7) -> str:
    """Write a number in few signs: `narrow`, without zeros at its end.

    Example:
        >>> short(1.0), short(2 / 3), short(-0.25), short(1.5e-9)
        ('1', '0.667', '-0.25', '1.5e-09')
    """
    digits, exponent, power = narrow(x, signs).partition("e")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return digits + exponent + power


def tiny(x, signs: int = 5) -> str:
    """Write a number in about five signs, or in fewer, for where there is hardly any room.

    Example:
        >>> tiny(2 / 3), tiny(-0.25), tiny(-123456.789), tiny(-1.6e-9)
        ('0.667', '-0.25', '-1e5', '-2e-9')
    """
    text = short(x, signs)
    if len(text) <= signs:
        return text
    digits, power = f"{x:.0e}".split("e")
    return f"{digits}e{int(power)}"


def minus(text: str) -> str:
    """Write the minus sign (U+2212) for the hyphen: pictures do, Python does not."""
    return text.replace("-", "\N{MINUS SIGN}")


def say(x) -> str:
    """Write a number in a sentence: `short`, with a minus sign.

    Example:
        >>> say(-0.25)
        '−0.25'
    """
    return minus(short(x))


def factor(text: str) -> str:
    """A number in words, after a sign of arithmetic: a negative one stands in brackets.

    Example:
        >>> factor(say(-0.25)), factor(say(2.0))
        ('(−0.25)', '2')
    """
    return f"({text})" if text.startswith("\N{MINUS SIGN}") else text


def one_line(name, limit: int = 40) -> str:
    """Make any name fit in one line of a table: no line breaks, at most `limit` signs.

    Example:
        >>> one_line("a\\nname"), one_line("w" * 50, limit=8)
        ('a name', 'wwwwwww…')
    """
    signs = "".join(sign if sign.isprintable() else " " for sign in str(name))
    text = " ".join(signs.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a sentence, at most so many.

    Example:
        >>> listed(["a", "b"]), listed(["a", "b", "c"], most=2)
        ('a, b', 'a, b and 1 more')
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if names[most:] else "")


def under(title: str, words: str) -> str:
    """A title, if there is one, and what is said below it, as one text.

    Example:
        >>> under("An edge", "It is 3."), under("Who looks?", "It is 3."), under("", "It is 3.")
        ('An edge. It is 3.', 'Who looks? It is 3.', 'It is 3.')
    """
    return " ".join(filter(None, [title + "." * (title[-1:] not in ".?!"), words]))


def table(columns: Mapping[str, Sequence]) -> str:
    """Write columns side by side, the same text every time.

    Floats go through `num`; columns of numbers stand to the right, words to the left.

    Example:
        >>> print(table({"name": ["a", "loss"], "value": [3.0, 0.25], "grad": [None, 1.0]}))
        name   value    grad
        a     3.0000    None
        loss  0.2500  1.0000
    """
    lengths = {name: len(cells) for name, cells in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"table() needs columns of one length; these have {lengths}.")
    written = []
    for name, cells in columns.items():
        texts = [name, *map(cell, cells)]
        width = max(map(len, texts))
        right = all(c is None or isinstance(c, Real) for c in cells)
        written.append([text.rjust(width) if right else text.ljust(width) for text in texts])
    return "\n".join("  ".join(row).rstrip() for row in zip(*written, strict=True))


def cell(content) -> str:
    """What stands in a table: floats through `num`, all else as Python writes it."""
    if isinstance(content, Real) and not isinstance(content, Integral):
        return num(content)
    return str(content)


def need(right: Any, where: str, wanted: str, got: Any) -> None:
    """Say what was needed and what came, unless it is right."""
    if not right:
        raise ValueError(f"{where} needs {wanted}; got {got}.")
