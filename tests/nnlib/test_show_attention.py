"""The attention explorer: each frame against the library, stage by stage."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from nnlib import Tensor, functional as F, manual_seed, nn, show
from tests.nnlib.seen import marks, numbers, outside


def trace(*given, **options):
    return show.attention(*given, **options).trace


@st.composite
def heads(draw):
    """q, k, v, and the options of one head."""
    T, S, D, E = (draw(st.integers(1, 4)) for _ in range(4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    q, k, v = rng.normal(size=(T, D)), rng.normal(size=(S, D)), rng.normal(size=(S, E))
    seen = rng.random((T, S)) < 0.6
    seen[:, 0] = True
    kind = draw(st.sampled_from(["", "causal", "bools", "floats"]))
    options = {"scale": draw(st.sampled_from([None, 0.5, -1.0]))}
    options |= {
        "": {},
        "causal": {"causal": True},
        "bools": {"mask": seen},
        "floats": {"mask": np.where(seen, rng.normal(size=(T, S)), -np.inf)},
    }[kind]
    return q, k, v, options


def stages(q, k, v, causal=False, mask=None, scale=None):
    """What each stage has to show, by the library's own operations."""
    scores = Tensor(q) @ Tensor(k).T
    made = {
        "scores": scores,
        "scaled": scores * (1 / math.sqrt(q.shape[1]) if scale is None else scale),
    }
    last = made["scaled"]
    if causal:
        mask = np.tri(len(q), len(k), dtype=bool)
    if mask is not None:
        mask = np.where(mask, 0, -np.inf) if mask.dtype == bool else mask
        last = made["masked"] = last + Tensor(mask)
    made["weights"] = F.softmax(last, -1)
    return {name: tensor.data for name, tensor in made.items()}


@settings(max_examples=60, deadline=None)
@given(heads())
def test_every_frame_shows_the_numbers_of_the_library(made):
    q, k, v, options = made
    t = trace(q, k, v, **options)
    expected = stages(q, k, v, **options)
    mask = np.tri(len(q), len(k), dtype=bool) if options.get("causal") else options.get("mask")
    output = F.scaled_dot_product_attention(
        Tensor(q), Tensor(k), Tensor(v), mask, scale=options["scale"]
    ).data
    names = [*expected]
    assert set(t.data) == {*names, "output"}
    assert all(np.array_equal(t.data[name], numbers) for name, numbers in expected.items())
    assert np.array_equal(t.data["output"], output)
    np.testing.assert_allclose(expected["weights"] @ v, output, rtol=1e-10, atol=1e-12)
    assert len(t.frames) == 1 + len(q) * (len(names) + 1)
    assert not set(numbers(t, 0)) & {"q", "links", "output", "row0", *names}
    for step in range(1, len(t.frames)):
        query, stage = divmod(step - 1, len(names) + 1)
        seen, weights = numbers(t, step), expected["weights"]
        assert seen["fixed"] == [*k.ravel(), *v.ravel()]
        assert seen["q"] == q[query].tolist()
        for n, name in enumerate(names):
            assert seen.get(name) == (expected[name][query].tolist() if n <= stage else None)
        assert seen.get("output") == (output[query].tolist() if stage == len(names) else None)
        weighted = stage >= len(names) - 1
        links = [w for w in weights[query] if w > 0]
        assert seen.get("links") == (links if weighted else None)
        for row in range(len(q)):
            known = row < query or (row == query and weighted)
            assert seen.get(f"row{row}") == (weights[row].tolist() if known else None)


def test_it_agrees_with_torch():
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    mask = rng.random((3, 5)) < 0.7
    expected = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.tensor, (q, k, v)), attn_mask=torch.tensor(mask)
    )
    np.testing.assert_allclose(trace(q, k, v, mask=mask).data["output"], expected, rtol=1e-10)


X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_a_link_is_the_thicker_the_larger_its_weight():
    t = trace(X, 3 * X, X)
    drawn = marks(t, len(t.frames) - 1)["links"]
    by_weight = sorted(drawn, key=lambda link: float(link.get("data-v")))
    thick = [float(link.get("stroke-width")) for link in by_weight]
    assert len(thick) == 3
    assert thick == sorted(thick)
    assert thick[-1] > 2 * thick[0]
    before = marks(t, 1)["links"]
    assert {link.get("class") for link in before} == {"link"}
    hidden = trace(X, X, X, causal=True)
    assert [len(marks(hidden, step)["links"]) for step in (1, 2, 3, 4, 5)] == [3, 3, 1, 1, 1]


def test_each_stage_says_what_it_does():
    t = trace(X, X, X, tokens=["the", "cat", "sat"], causal=True)
    assert [(frame.where, frame.sentence) for frame in t.frames[5:11]] == [
        ('"the": mix', '"the" takes home the mean of the values: 1 of "the". It is (1, 0).'),
        (
            '"cat": scores',
            '"cat" looks for keys that are like its query. The score q · k is 0 for "the", 1 for '
            '"cat", 1 for "sat".',
        ),
        (
            '"cat": scaled',
            'Each score of "cat" is multiplied by 1/√2 = 0.707: 0 for "the", 0.707 for "cat", '
            '0.707 for "sat".',
        ),
        (
            '"cat": masked',
            'The mask is added, and hides one key from "cat": 0 for "the", 0.707 for "cat", −inf '
            'for "sat".',
        ),
        (
            '"cat": softmax',
            'Softmax makes weights of the scores of "cat", which sum to 1: 0.33 for "the", 0.67 '
            'for "cat", 0 for "sat".',
        ),
        (
            '"cat": mix',
            '"cat" takes home the mean of the values: 0.33 of "the", 0.67 of "cat". It is (0.33, '
            "0.67).",
        ),
    ]


def test_a_click_on_a_token_goes_to_its_query():
    t = trace(X, X, X, tokens=["the", "cat", "the"])
    assert t.jumps == {"the (0)": 1, "cat": 5, "the (2)": 9}
    for key in ("query1", "key1", "row1"):
        assert t.clicks[key] == [5, 6, 7, 8]
    other = trace(X, X[:2], X[:2], tokens=(["a", "b", "c"], ["d", "e"]))
    assert not any(key.startswith("key") for key in other.clicks)
    texts = {
        key: [m.text for m in drawn if m.tag == "text"] for key, drawn in marks(other, 0).items()
    }
    assert (texts["query2"], texts["key1"]) == (["c"], ["e"])


def test_where_nothing_can_be_drawn_the_matrix_is_written():
    stage = show.attention(X[:2], X[:2], X[:2], tokens=["the", "cat"], causal=True, title="Who?")
    assert repr(stage).splitlines() == [
        "       the    cat",
        "the  1.000  0.000",
        "cat  0.330  0.670",
        'Who? Attention of 2 queries to 2 keys. Where each looks most: "the" at "the" (1.000), '
        '"cat" at "cat" (0.670).',
    ]


@pytest.mark.parametrize(
    ("T", "S", "D", "E", "tokens"),
    [
        (12, 12, 8, 8, None),
        (1, 1, 1, 1, ["<&\"'>"]),
        (7, 3, 2, 5, None),
        (4, 4, 4, 4, ["a", "Transformer", "reads", "it"]),
    ],
)
@pytest.mark.parametrize("causal", [False, True])
def test_nothing_sticks_out_and_it_stays_small(T, S, D, E, tokens, causal):
    rng = np.random.default_rng(0)
    q, k, v = (-rng.random(shape) * 3 for shape in ((T, D), (S, D), (S, E)))
    t = trace(q, k, v, tokens, causal)
    for step in range(len(t.frames)):
        cut = [text for _, text, what in outside(t, step)]
        assert cut == ["Trans…"] * bool(tokens and "Transformer" in tokens)  # above the matrix
    assert len(json.dumps(t.tracks())) < 1_000_000


BAD = [
    ((X, X, X[0]), {}, ValueError, r"one head, such as q\[0, 0\].*q \(T, D\)"),
    ((X, X[:, :1], X), {}, ValueError, r"got q \(3, 2\), k \(3, 1\)"),
    ((X, X[:2], X), {}, ValueError, r"q \(3, 2\), k \(2, 2\) and v \(3, 2\)"),
    (
        (np.ones((13, 2)),) * 3,
        {},
        ValueError,
        r"most 12 positions.*q\[:8, :4\].*attention_weights.*got q \(13, 2\)",
    ),
    ((np.ones((2, 9)),) * 3, {}, ValueError, "of 8 numbers"),
    ((X, X, X), {"tokens": ["a"]}, ValueError, "each of 3 queries and 3 keys: a list.*got 1"),
    ((X, X, X), {"tokens": (["a"], ["b"])}, ValueError, "got 1 and 1"),
    (
        (X, X, X),
        {"causal": True, "mask": np.eye(3) > 0},
        ValueError,
        "at most one of causal and mask; got both",
    ),
    (
        (X, X, X),
        {"mask": np.tri(3, k=-1) > 0},
        ValueError,
        'each query sees a key .True.*no key for "0"',
    ),
    ((X, X, X), {"mask": np.ones((2, 3), bool)}, ValueError, r"a mask \(2, 3\) does not fit"),
    ((X, X, X), {"mask": np.ones((3, 3), int)}, TypeError, "bools or floats"),
    ((["a"], X, X), {}, TypeError, "arrays of numbers"),
]


@pytest.mark.parametrize(("given", "options", "error", "said"), BAD)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(given, options, error, said):
    with pytest.raises(error, match=f"(?s){said}"):
        trace(*given, **options)


def test_looking_changes_nothing():
    q = Tensor(X.copy(), requires_grad=True)
    show.attention(q, q, q)
    assert q.grad is None
    np.testing.assert_array_equal(q.data, X)


# ---- weights alone


def two_heads():
    manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    x = Tensor(np.random.default_rng(0).normal(size=(1, 5, 8)).astype(np.float32))
    weights = attention(x, x, x, average_attn_weights=False)[1]
    assert weights is not None
    return weights[0]


def test_the_weights_of_a_layer_are_shown_head_by_head():
    weights = two_heads()
    t = show.attention_weights(weights, tokens=list("abcde")).trace
    assert np.array_equal(t.data["weights"], weights.data)
    assert len(t.frames) == 10
    for step, (head, query) in enumerate(np.ndindex(2, 5)):
        seen = numbers(t, step)
        assert seen["links"] == weights.data[head, query].tolist()
        for row in range(5):
            assert seen[f"row{row}"] == weights.data[head, row].tolist()
        assert t.frames[step].where == f"head {head}, {'abcde'[query]}"
        assert outside(t, step) == []
    assert t.jumps == {"head 0": 0, "head 1": 5}
    assert t.clicks["query2"] == t.clicks["key2"] == t.clicks["row2"] == [2, 7]


def test_the_weights_of_a_layer_are_written_head_by_head():
    text = repr(show.attention_weights([np.eye(2), [[0.5, 0.5], [0.25, 0.75]]], title="Two"))
    assert text.splitlines() == [
        "head 0",
        "       0      1",
        "0  1.000  0.000",
        "1  0.000  1.000",
        "head 1",
        "       0      1",
        "0  0.500  0.500",
        "1  0.250  0.750",
        'Two. 2 heads; on average: Attention of 2 queries to 2 keys. Where each looks most: "0" at '
        '"0" (0.750), "1" at "1" (0.875).',
    ]


def test_many_weights_stay_inside_and_small():
    e = np.exp(np.random.default_rng(0).normal(size=(4, 24, 24)))
    t = show.attention_weights(e / e.sum(-1, keepdims=True)).trace
    assert len(json.dumps(t.tracks())) < 1_000_000
    assert outside(t, 0) == outside(t, 90) == []


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.ones(3), r"\(T, S\), or \(N, T, S\).*weights\[0\].*got \(3,\)"),
        (np.eye(25), r"24 positions.*got \(25, 25\)"),
        (np.ones((5, 24, 24)) / 24, "2400 pairs"),
        ([[1.0, 2.0]], r"softmax.*sums from 3 to 3"),
        ([[2.0, -1.0]], "weights from 0 up.*got -1 and up"),
        ([[math.nan, 1.0]], "sums from nan"),
    ],
)
def test_weights_that_are_none_are_refused_with_what_to_do(weights, said):
    with pytest.raises(ValueError, match=f"(?s){said}"):
        show.attention_weights(weights)


def test_both_have_a_still_picture():
    for stage in (show.attention(X, X, X, causal=True), show.attention_weights(two_heads())):
        picture = stage.picture()
        assert picture.png.startswith(b"\x89PNG")
        assert len(picture.png) < 100_000
        assert stage.trace.alt == picture.alt
