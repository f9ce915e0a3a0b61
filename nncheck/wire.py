"""Plain data as bytes and back: what may cross between us and a learner's process.

Only None, booleans, numbers, strings, lists, tuples, dicts and arrays of numbers cross; anything
else becomes an `Odd`, which carries its type's name alone. Nothing is ever unpickled or evaluated.
This file imports nothing of ours, because the worker loads it by its path.
"""

import math
import re
import sys
from dataclasses import dataclass
from json import dumps as to_json, loads as from_json
from typing import Any

# By name: a learner who replaces one of these in NumPy changes no verdict.
from numpy import asarray, ascontiguousarray, dtype, frombuffer, generic, ndarray

MAX_BYTES = 64_000_000
MAX_DEPTH = 24
TOO_LARGE = "reply that is too large"
MAX_PARTS = 500_000  # an array counts as a part for 64 bytes, a string for 8 characters
DTYPES = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
DTYPES += ("float16", "float32", "float64")


class WireError(ValueError):
    """Bytes that are no message of ours."""


class TooLarge(WireError):
    """A message that is longer than any of ours."""


@dataclass(frozen=True)
class Odd:
    """Something that is no data: a function, an object, a list that is too deep or too long."""

    kind: str


def plain(value) -> Any:
    """The same value with nothing but plain data in it; what is no data becomes an Odd.

    Tensors of nnlib and torch become arrays. Subclasses become their plain base, so a type that
    lies about itself (a str or an array with its own `__eq__`) arrives as what it holds.

    >>> import numpy as np
    >>> plain((1, np.float32(0.5), {"a": [True, None]}))
    (1, 0.5, {'a': [True, None]})
    >>> plain([print])
    [Odd(kind='builtin_function_or_method')]
    """
    return _plain(value, MAX_DEPTH, [MAX_PARTS])


def _plain(value, depth, left) -> Any:
    value = _unwrapped(value)
    left[0] -= 1
    if isinstance(value, ndarray):
        left[0] -= value.nbytes // 64
    elif isinstance(value, str):
        left[0] -= str.__len__(value) // 8
    if left[0] < 0:
        return Odd(TOO_LARGE)
    if depth == 0:
        return Odd("reply that is nested too deeply")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Odd):
        return Odd(str(value.kind))
    if isinstance(value, ndarray):
        return _plain_array(value, depth, left)
    if isinstance(value, generic):
        return _plain(value.item(), depth - 1, left) if value.dtype.kind in "biufU" else _odd(value)
    if isinstance(value, str):
        return str.__str__(value) if type(value) is str else "".join(str.__iter__(value))
    if isinstance(value, int):
        number = int.__index__(value)
        return number if abs(number) < 2**63 else _as_float(number)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, list):
        return [_plain(v, depth - 1, left) for v in list.__iter__(value)]
    if isinstance(value, tuple):
        return tuple(_plain(v, depth - 1, left) for v in tuple.__iter__(value))
    if isinstance(value, dict):
        pairs = [(_plain(k, depth - 1, left), v) for k, v in dict.items(value)]
        if all(isinstance(k, (str, int)) for k, _ in pairs):
            return {k: _plain(v, depth - 1, left) for k, v in pairs}
    return _odd(value)


def _unwrapped(value):
    """The array or number inside a Tensor of torch or a Node of nnlib."""
    torch, graph = sys.modules.get("torch"), sys.modules.get("nnlib.graph")
    if torch and isinstance(value, torch.Tensor):
        return value.detach().cpu().resolve_conj().resolve_neg().numpy()
    if graph and isinstance(value, graph.Node):
        return value.data
    return value


def _plain_array(value, depth, left):
    array = asarray(value)
    if array.dtype.name in DTYPES:
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        return array
    if array.dtype.kind in "OU":
        return _plain(array.tolist(), depth - 1, left)
    return Odd(f"array of {array.dtype.name}")


def _odd(value):
    return Odd(clean(type(value).__name__)[:80])


def _as_float(number):
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def dumps(value) -> bytes:
    """Plain data as bytes: the length of a JSON text, the text, and the numbers of its arrays.

    >>> import numpy as np
    >>> dumps([1, (2.5,), np.arange(2, dtype="uint8")])[4:]
    b'[1,{"t":[2.5]},{"a":["uint8",[2]]}]\\x00\\x01'
    """
    blobs: list[memoryview] = []
    text = to_json(_tagged(plain(value), blobs), separators=(",", ":")).encode("ascii")
    return b"".join([len(text).to_bytes(4, "big"), text, *blobs])


def _tagged(value, blobs):
    if isinstance(value, ndarray):
        numbers = ascontiguousarray(value).reshape(-1).view("uint8")
        blobs.append(numbers.data)  # not copied before it is joined
        return {"a": [value.dtype.name, list(value.shape)]}
    if isinstance(value, list):
        return [_tagged(v, blobs) for v in value]
    if isinstance(value, tuple):
        return {"t": [_tagged(v, blobs) for v in value]}
    if isinstance(value, dict):
        return {"d": [[k, _tagged(v, blobs)] for k, v in value.items()]}
    if isinstance(value, Odd):
        return {"o": value.kind}
    return value


def loads(data: bytes | bytearray) -> Any:
    """Bytes back to plain data; raises WireError for anything that `dumps` would not write."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"a message of {len(data)} bytes; at most {MAX_BYTES} are read")
    end = 4 + int.from_bytes(data[:4], "big")
    if end > len(data):
        raise WireError("a message that stops half-way")
    blobs = _Blobs(memoryview(data)[end:])
    try:
        value = _untagged(from_json(data[4:end].decode("ascii")), MAX_DEPTH + 2, blobs)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise WireError(f"not a message: {type(error).__name__}") from None
    if blobs.left():
        raise WireError("bytes that belong to no array")
    return value


class _Blobs:
    """The numbers of a message's arrays, handed out in order."""

    def __init__(self, data: memoryview):
        self.data, self.start = data, 0

    def take(self, size: int) -> memoryview:
        part = self.data[self.start : self.start + size]
        self.start += size
        if len(part) != size:
            raise WireError("an array whose shape and size disagree")
        return part

    def left(self) -> int:
        return len(self.data) - self.start


def _untagged(value, depth, blobs) -> Any:
    if depth == 0:
        raise WireError("a message that is nested too deeply")
    if value is None or isinstance(value, (bool, float, str)):
        return value
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise WireError("an integer that is too large")
        return value
    if isinstance(value, list):
        return [_untagged(v, depth - 1, blobs) for v in value]
    [(tag, inside)] = value.items()
    if tag == "t" and isinstance(inside, list):
        return tuple(_untagged(v, depth - 1, blobs) for v in inside)
    if tag == "d" and isinstance(inside, list):
        if not all(type(k) in (str, int) for k, _ in inside):
            raise WireError("a dict with odd keys")
        return {k: _untagged(v, depth - 1, blobs) for k, v in inside}
    if tag == "o" and isinstance(inside, str):
        return Odd(clean(inside)[:80])
    if tag == "a":
        name, shape = inside
        return _array(name, shape, blobs)
    raise WireError("an unknown tag")


def _array(name, shape, blobs):
    if name not in DTYPES or not isinstance(shape, list) or len(shape) > 16:
        raise WireError("an array of an unknown kind")
    if not all(type(n) is int and 0 <= n <= MAX_BYTES for n in shape):
        raise WireError("an array of an impossible shape")
    raw = blobs.take(math.prod(shape) * dtype(name).itemsize)
    if name == "bool" and bytes(raw).strip(b"\0\1"):
        raise WireError("an array of booleans that are neither 0 nor 1")
    return frombuffer(raw, name).reshape(shape).copy()


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def clean(text: str) -> str:
    """Text that is safe to show and to store: no terminal escapes, no lone surrogates.

    >>> clean("a\\x1b[31mred\\x1b[0m\\ud800\\r\\n")
    'ared?\\n'
    """
    text = _UNSEEN.sub("", _ESCAPES.sub("", text))
    return text.encode("utf-8", "replace").decode("utf-8")


def write_frame(file, data: bytes):
    """One message: four bytes of length, then the bytes."""
    file.write(len(data).to_bytes(4, "big"))
    file.write(data)
    file.flush()


def read_frame(file) -> bytearray:
    """The next message's bytes; raises EOFError when the other side has gone."""
    size = int.from_bytes(_read(file, 4), "big")
    if size > MAX_BYTES:
        raise TooLarge(f"a message of {size} bytes; at most {MAX_BYTES} are read")
    return _read(file, size)


def _read(file, size):
    data = bytearray(size)
    free = memoryview(data)
    while free:
        got = file.readinto(free)
        if not got:
            raise EOFError("the other side has gone")
        free = free[got:]
    return data
