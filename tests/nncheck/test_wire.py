import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from nncheck import wire
from nncheck.compare import same

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=9)
)
numeric = st.sampled_from(wire.DTYPES).flatmap(
    lambda name: arrays.arrays(name, arrays.array_shapes(min_dims=0, max_dims=3, max_side=3))
)
data = st.recursive(
    scalars | numeric,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150)
@given(data)
def test_plain_data_arrives_as_it_was_sent(value):
    sent = wire.plain(value)
    came = wire.loads(wire.dumps(value))
    assert wire.dumps(came) == wire.dumps(sent)
    assert type(came) is type(sent)


def test_arrays_keep_dtype_shape_and_values():
    for name in wire.DTYPES:
        array = np.arange(6).reshape(2, 3).astype(name)
        came = wire.loads(wire.dumps(array))
        assert came.dtype == array.dtype
        assert came.shape == (2, 3)
        assert (came == array).all()
        came[0, 0] = 1  # it is ours to write to


def test_a_strange_layout_or_byte_order_arrives_as_the_same_numbers():
    array = np.arange(12.0).reshape(3, 4)
    for odd in (array.T, array[::-1, ::2], array.astype(">f8"), np.asfortranarray(array)):
        assert (wire.loads(wire.dumps(odd)) == odd).all()


def test_tensors_of_torch_and_nodes_of_nnlib_become_arrays():
    torch, nnlib = pytest.importorskip("torch"), pytest.importorskip("nnlib")
    assert same(wire.plain(torch.ones(2, 3, requires_grad=True)), np.ones((2, 3)))
    assert same(wire.plain([nnlib.Value(2.5)]), [2.5])
    assert same(wire.plain(nnlib.Tensor(np.ones(3))), np.ones(3))


class LyingFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__

    def __float__(self):
        return 42.0


class LyingArray(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __array__(self, *args, **kwargs):
        return np.full(self.shape, 42.0)

    def tolist(self):
        return 42.0


class LyingText(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def __str__(self):
        return "right"


class LyingList(list):
    def __iter__(self):
        return iter([42.0])


def test_a_type_that_lies_arrives_as_what_it_holds():
    assert type(wire.plain(LyingFloat(1.5))) is float
    assert wire.plain(LyingFloat(1.5)) == 1.5
    assert (wire.plain(np.zeros(2).view(LyingArray)) == 0).all()
    assert type(wire.plain(LyingText("wrong"))) is str
    assert wire.plain(LyingText("wrong")) == "wrong"
    assert wire.plain(LyingList([1.0])) == [1.0]


@pytest.mark.parametrize("thing", [print, object(), {1, 2}, 1j, b"bytes", range(3), {(1, 2): 3}])
def test_what_is_no_data_crosses_as_the_name_of_its_type_alone(thing):
    came = wire.loads(wire.dumps(thing))
    assert came == wire.Odd(type(thing).__name__)


def test_a_reply_without_end_is_cut_and_not_followed():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert b"nested too deeply" in wire.dumps(deep)
    loop = []
    loop.append(loop)
    assert b"nested too deeply" in wire.dumps(loop)
    wide = [0]
    for _ in range(22):
        wide = [wide, wide]
    assert b"too large" in wire.dumps(wide)
    del deep


@pytest.mark.parametrize(
    "large",
    [
        np.zeros(10**7),
        [np.zeros(10**5)] * 1000,
        "x" * 10**8,
        ["x" * 10**6] * 100,
        [0] * 600_000,
    ],
)
def test_a_reply_that_is_too_large_crosses_as_a_few_bytes_at_most(large):
    sent = wire.dumps(large)
    assert len(sent) < wire.MAX_BYTES
    assert b"that is too large" in sent


@pytest.mark.parametrize(
    "largest",
    [np.ones(3_900_000), ["\U0001f600" * 3_900_000], [-1.2345678901234567e-300] * 100_000],
)
def test_what_is_just_within_the_limit_crosses_whole(largest):
    sent = wire.dumps(largest)
    assert len(sent) < wire.MAX_BYTES
    assert b"too large" not in sent[-200:]
    wire.loads(sent)


def test_huge_integers_become_floats():
    assert wire.plain(10**30) == 1e30
    assert wire.plain(-(10**400)) == -np.inf


def message(text, blobs=b""):
    return len(text).to_bytes(4, "big") + text + blobs


def packed(dtype, shape, raw):
    return message(json.dumps({"a": [dtype, shape]}).encode(), raw)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0",
        b"\0\0\0\1",
        b"\xff\xff\xff\xff1",
        *map(
            message,
            [
                b"",
                b"\xff\xfe",
                b"{",
                b'{"x":1}',
                b"{}",
                b'{"t":1}',
                b'{"t":[1],"d":[]}',
                b'{"d":[[1]]}',
                b'{"d":[[[1],2]]}',
                b'{"o":1}',
                b'{"a":1}',
                b'{"a":["float64",[1],2]}',
                b"1" * 30,
                b"[" * 100_000,
                b"[" * 60 + b"]" * 60,
            ],
        ),
        message(b"1", b"left over"),
        packed("float64", [2], b"\0" * 8),
        packed("float64", [1], b"\0" * 16),
        packed("float64", [-1], b""),
        packed("float64", ["2"], b"\0" * 16),
        packed("float64", [True], b"\0" * 8),
        packed("object", [1], b"\0" * 8),
        packed("O", [1], b"\0" * 8),
        packed("V8", [1], b"\0" * 8),
        packed("float64", [10**9, 10**9], b""),
        packed("bool", [2], b"\0\7"),
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x95",
    ],
)
def test_bytes_that_we_would_not_write_are_refused(data):
    with pytest.raises(wire.WireError):
        wire.loads(data)


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.binary(max_size=60).map(message))
def test_any_other_bytes_are_refused_or_read_as_plain_data(data):
    with contextlib.suppress(wire.WireError):
        value = wire.loads(data)
        assert wire.dumps(wire.loads(wire.dumps(value))) == wire.dumps(value)


def test_a_message_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "frame"
    file.write_bytes((wire.MAX_BYTES + 1).to_bytes(4, "big") + b"x")
    with open(file, "rb") as f, pytest.raises(wire.WireError, match="at most"):
        wire.read_frame(f)


def test_a_frame_that_stops_half_way_is_the_end(tmp_path):
    file = tmp_path / "frame"
    file.write_bytes((10).to_bytes(4, "big") + b"half")
    with open(file, "rb") as f, pytest.raises(EOFError):
        wire.read_frame(f)


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("plain ∂ text\n", "plain ∂ text\n"),
        ("\x1b[2J\x1b[1;31mred", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;ZXZpbA==\x1b\\after", "after"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("a\rb\x00c\x9bd\u202ee", "abcde"),
    ],
)
def test_what_is_shown_holds_no_escapes_and_no_lone_surrogates(dirty, clean):
    assert wire.clean(dirty) == clean
