"""Settings that make sense, or an error that says what would."""

import math
from typing import Any

import numpy as np

Size = int | tuple[int, int]  # for both axes of an image, or (along H, along W)


def whole(owner: str, name: str, value: Any, least: int = 1) -> int:
    """`value`, if it is a whole number from `least` up.

    Example:
        >>> whole("Linear", "in_features", 2.5)
        Traceback (most recent call last):
        ValueError: Linear needs in_features to be a whole number from 1 up; got 2.5.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise ValueError(f"{owner} needs {name} to be a whole number from {least} up; got {value!r}.")


def number(owner: str, name: str, value: Any, below: float = math.inf) -> Any:
    """`value`, if it is a number in [0, below)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < below:
        limit = "finite" if below == math.inf else f"below {below}"
        raise ValueError(f"{owner} needs {name} to be 0 or more and {limit}; got {value!r}.")
    return value


def pair(owner: str, name: str, size: Any, least: int = 1) -> tuple[int, int]:
    """A `Size` as (along H, along W), if it is one from `least` up."""
    height, width = size if isinstance(size, (tuple, list)) and len(size) == 2 else (size, size)
    return whole(owner, name, height, least), whole(owner, name, width, least)
