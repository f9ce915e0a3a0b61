"""Are two printed outputs the same, but for the noise that another machine adds?"""

import re
from decimal import Decimal

# The spaces in front belong to the number: a right-aligned column moves when a sign appears.
NUMBER = re.compile(r"( *)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)")


def same_text(old: str, new: str) -> bool:
    """Whether both texts say the same, up to one unit in the last printed digit of each number.

    >>> same_text("loss 0.3127 after 40 steps", "loss 0.3128 after 40 steps")
    True
    >>> same_text("loss 0.3127 after 40 steps", "loss 0.3127 after 41 steps")
    False
    """
    if old == new:
        return True
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return False
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(
        (old_pad == new_pad or len(old_pad + a) == len(new_pad + b)) and same_number(a, b)
        for (old_pad, a), (new_pad, b) in pairs
    )


def same_number(a: str, b: str) -> bool:
    """Whether two printed numbers can be roundings of almost the same one.

    A whole number is a count, a shape or a label: it has no noise and must be equal.

    >>> same_number("0.4999", "0.5"), same_number("-0.00", "0.00"), same_number("33", "34")
    (True, True, False)
    """
    x, y = Decimal(a), Decimal(b)
    if x == y:  # the sign of a zero is noise, another number of digits is another format
        return a.lstrip("+-") == b.lstrip("+-")
    units = [unit for unit in (last_digit(a), last_digit(b)) if unit is not None]
    return bool(units) and abs(x - y) <= min(units)


def last_digit(number: str) -> Decimal | None:
    """One unit in the last printed digit; None for a whole number ("33", and NumPy's "33.").

    >>> last_digit("-0.25"), last_digit("3e-05"), last_digit("33.")
    (Decimal('0.01'), Decimal('0.00001'), None)
    """
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    if not decimals and not exponent:
        return None
    return Decimal(1).scaleb(int(exponent or 0) - decimals)
