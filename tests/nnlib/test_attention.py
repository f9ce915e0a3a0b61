"""Attention and positions: any shapes and masks against torch, dropout, and what is named."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.nn import functional as torch_functional

import nnlib
from nnlib import Tensor, functional as F, nn
from tests.nnlib.test_layers import Case, both

RNG = np.random.default_rng(5)
SIZES = st.integers(1, 6)


def normal(*shape):
    return RNG.normal(size=shape)


# Shapes and masks of any kind


@settings(max_examples=80)
@given(
    batch=st.lists(st.integers(1, 3), max_size=2),
    T=SIZES,
    S=SIZES,
    D=SIZES,
    E=SIZES,
    mask=st.sampled_from(["none", "bools", "floats", "causal"]),
    broadcast=st.booleans(),
    scale=st.sampled_from([None, 0.1, 2.0]),
    seed=st.integers(0, 10**6),
)
def test_attention_is_torchs_for_any_shapes_and_masks(
    batch, T, S, D, E, mask, broadcast, scale, seed
):
    rng = np.random.default_rng(seed)
    data = [rng.normal(size=(*batch, *shape)) for shape in ((T, D), (S, D), (S, E))]
    options = {"scale": scale, "is_causal": mask == "causal"}
    if mask in ("bools", "floats"):
        shape = (T, S) if broadcast else (*batch, T, S)
        seen = rng.random(shape) < 0.6  # so that some rows see nothing at all
        options["attn_mask"] = seen if mask == "bools" else rng.normal(size=shape)
    results = []
    for make, function in (
        (Tensor, F.scaled_dot_product_attention),
        (torch.tensor, torch_functional.scaled_dot_product_attention),
    ):
        inputs = [make(x) for x in data]
        more = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        for x in inputs:
            x.requires_grad_()
        y = function(*inputs, **more)
        y.backward(make(np.cos(np.arange(y.detach().numpy().size)).reshape(tuple(y.shape))))
        results.append([y.detach().numpy(), *(np.asarray(x.grad) for x in inputs)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@settings(max_examples=60)
@given(
    B=st.integers(0, 3),
    T=SIZES,
    S=SIZES,
    N=st.integers(1, 3),
    head=st.integers(1, 3),
    batch_first=st.booleans(),
    need_weights=st.booleans(),
    masks=st.sets(st.sampled_from(["attn_mask", "key_padding_mask"])),
    per_head=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_multihead_attention_is_torchs(
    B, T, S, N, head, batch_first, need_weights, masks, per_head, seed
):  # B = 0: without a batch
    rng = np.random.default_rng(seed)
    ours, theirs = both(Case("MultiheadAttention", (N * head, N), {"batch_first": batch_first}))

    def sequence(length):
        batched = (B, length) if batch_first else (length, B)
        return rng.normal(size=(*(batched if B else (length,)), N * head))

    data = [sequence(T), sequence(S), sequence(S)]
    shapes = {
        "attn_mask": (max(B, 1) * N, T, S) if per_head else (T, S),
        "key_padding_mask": (B, S) if B else (S,),
    }
    options = {name: rng.random(shapes[name]) < 0.4 for name in masks}
    for mask in options.values():
        mask[..., 0] = False  # or a row of nan
    results = []
    for module, make in ((ours, Tensor), (theirs, torch.tensor)):
        inputs = [make(x) for x in data]
        more = {k: make(v) for k, v in options.items()}
        y, weights = module(*inputs, need_weights=need_weights, **more)
        (y * y).sum().backward()
        grads = [np.asarray(p.grad) for p in module.parameters()]
        results.append([y.detach().numpy(), *grads])
        if weights is not None:
            results[-1].append(weights.detach().numpy())
    assert len(results[0]) == len(results[1]) == 5 + need_weights
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


def test_the_fused_path_gives_what_the_path_with_weights_gives():
    attention = nn.MultiheadAttention(6, 3, batch_first=True).double()
    x = Tensor(normal(2, 5, 6))
    mask = F.causal_mask(5)
    y, weights = attention(x, x, x, attn_mask=mask)
    z, none = attention(x, x, x, attn_mask=mask, need_weights=False)
    np.testing.assert_allclose(y.data, z.data, atol=1e-12)
    assert none is None
    assert (np.triu(weights.data, 1) == 0).all()
    np.testing.assert_allclose(weights.data.sum(-1), 1)


def test_blocks_use_the_fused_operation():
    for layer, inputs in (
        (nn.TransformerEncoderLayer(6, 3, 5), 1),
        (nn.TransformerDecoderLayer(6, 3, 5), 2),
    ):
        y = layer(*[Tensor(normal(4, 2, 6)).float()] * inputs)
        names = [type(n.grad_fn).__name__ for n in nnlib.graph.topological(y)]
        assert names.count("Attention") == inputs
        assert "Softmax" not in names


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_that_sees_no_key_gives_what_torch_gives(need_weights):
    ours, theirs = both(Case("MultiheadAttention", (6, 3), {"batch_first": True}))
    data, hidden = normal(2, 4, 6), np.zeros((4, 4), bool)
    hidden[1] = True
    options = {"need_weights": need_weights}
    x, t = Tensor(data), torch.tensor(data)
    y, _ = ours(x, x, x, attn_mask=Tensor(hidden), **options)
    z, _ = theirs(t, t, t, attn_mask=torch.tensor(hidden), **options)
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=1e-12)
    assert np.isnan(y.data[:, 1]).all() == need_weights


def test_true_takes_part_in_the_function_and_is_left_out_in_the_module():
    x = Tensor(normal(3, 6))
    seen = np.tri(3, dtype=bool)
    y = F.scaled_dot_product_attention(x, x, x, seen)
    np.testing.assert_allclose(y.data, F.scaled_dot_product_attention(x, x, x, is_causal=True).data)
    attention = nn.MultiheadAttention(6, 1).double()
    one, _ = attention(x, x, x, attn_mask=Tensor(~seen))
    other, _ = attention(x, x, x, attn_mask=F.causal_mask(3))
    np.testing.assert_allclose(one.data, other.data)


def test_a_causal_layer_does_not_look_ahead():
    layer = nn.TransformerEncoderLayer(6, 3, 5, 0.0, batch_first=True).double()
    x = normal(2, 5, 6)
    changed = x.copy()
    changed[:, 3:] += 1
    y, z = (layer(Tensor(a), F.causal_mask(5)).data for a in (x, changed))
    np.testing.assert_array_equal(y[:, :3], z[:, :3])
    assert (y[:, 3:] != z[:, 3:]).any()


def test_the_causal_mask_is_torchs():
    theirs = torch.nn.Transformer.generate_square_subsequent_mask(4)
    np.testing.assert_array_equal(F.causal_mask(4).data, theirs.numpy())
    assert F.causal_mask(4).dtype == np.float32


def test_a_mask_of_floats_may_learn():
    attention, x = nn.MultiheadAttention(6, 3).double(), Tensor(normal(4, 2, 6))
    for need_weights in (True, False):
        bias = Tensor(np.zeros((4, 4)), requires_grad=True)
        y, _ = attention(x, x, x, attn_mask=bias, need_weights=need_weights)
        (y * y).sum().backward()
        assert np.abs(bias.grad).max() > 1e-6
        if need_weights:
            wanted = bias.grad
    np.testing.assert_allclose(bias.grad, wanted)


# Dropout


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_leaves_pairs_out_and_keeps_the_mean(need_weights):
    nnlib.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, dropout=0.25).double()
    x = Tensor(normal(6, 1, 8))
    runs = [attention(x, x, x, need_weights=need_weights)[0].data for _ in range(4000)]
    still = attention.eval()(x, x, x, need_weights=need_weights)[0].data
    error = np.std(runs, axis=0) / math.sqrt(len(runs))
    assert (np.abs(np.mean(runs, axis=0) - still) < 5 * error).all()
    assert (error > 0).all()
    np.testing.assert_array_equal(attention(x, x, x, need_weights=need_weights)[0].data, still)


def test_dropout_drops_the_share_that_it_says():
    nnlib.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, dropout=0.25)
    x = Tensor(normal(60, 5, 8)).float()
    weights = attention(x, x, x, average_attn_weights=False)[1].data
    assert (weights == 0).mean() == pytest.approx(0.25, abs=0.01)


def test_dropout_of_the_fused_operation_drops_the_share_that_it_says():
    nnlib.manual_seed(0)
    q, v = Tensor(normal(20, 60, 8)), Tensor(np.broadcast_to(np.eye(60), (20, 60, 60)))
    weights = F.scaled_dot_product_attention(q, q, v, dropout_p=0.25).data
    still = F.scaled_dot_product_attention(q, q, v).data
    assert (weights == 0).mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(weights[weights != 0], still[weights != 0] / 0.75)


def test_gradients_with_dropout_pass_gradcheck():
    kept = (np.random.default_rng(0).random((3, 4, 5)) < 0.6) / 0.6
    shapes = ((3, 4, 6), (3, 5, 6), (3, 5, 2))
    inputs = [Tensor(normal(*shape), requires_grad=True) for shape in shapes]
    assert F.gradcheck(lambda *qkv: nnlib.ops.Attention.apply(*qkv, scale=0.3, kept=kept), *inputs)


# What is wrong is named


X = Tensor(np.zeros((2, 5, 6), np.float32))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"attn_mask": np.zeros((5, 4), bool)}, ["attn_mask", "(5, 5)", "(6, 5, 5)", "(5, 4)"]),
        ({"attn_mask": np.zeros((2, 5, 5), bool)}, ["attn_mask", "(6, 5, 5)", "(2, 5, 5)"]),
        ({"key_padding_mask": np.zeros((5, 2), bool)}, ["key_padding_mask", "(2, 5)", "(5, 2)"]),
        ({"attn_mask": np.zeros((5, 5), int)}, ["attn_mask", "int64", ".bool()"]),
        ({"is_causal": True}, ["is_causal", "causal_mask(5)"]),
    ],
)
def test_a_wrong_mask_is_named_with_both_shapes_and_a_fix(options, words):
    options = {k: Tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    attention = nn.MultiheadAttention(6, 3, batch_first=True)
    with pytest.raises((ValueError, TypeError)) as error:
        attention(X, X, X, **options)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_value_that_does_not_fit_is_named_with_the_key_that_it_belongs_to():
    attention = nn.MultiheadAttention(6, 3, batch_first=True)
    message = r"value needs x \(B=2, S=4, D=6\); it has shape \(2, 5, 6\)\. The key .* \(2, 4, 6\)"
    with pytest.raises(ValueError, match=message):
        attention(X, X[:, :4], X)


@pytest.mark.parametrize(
    ("shapes", "options", "words"),
    [
        ([(4, 5), (3, 6), (3, 5)], {}, ["(4, 5)", "(3, 6)"]),
        ([(4, 5), (3, 5), (4, 5)], {}, ["(3, 5)", "(4, 5)"]),
        ([(2, 4, 5), (1, 3, 5), (1, 3, 5)], {}, ["(2, 4, 5)", "(1, 3, 5)"]),
        ([(4, 5)] * 3, {"attn_mask": np.ones((4, 3), bool)}, ["(4, 4)", "(4, 3)"]),
        ([(4, 5)] * 3, {"attn_mask": np.ones((2, 4, 4), bool)}, ["(4, 4)", "(2, 4, 4)"]),
        ([(4, 5)] * 3, {"attn_mask": np.ones((4, 4), bool), "is_causal": True}, ["not both"]),
    ],
)
def test_wrong_input_to_the_function_is_named(shapes, options, words):
    with pytest.raises(ValueError, match="scaled_dot_product_attention") as error:
        F.scaled_dot_product_attention(*(Tensor(normal(*s)) for s in shapes), **options)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.MultiheadAttention(7, 2), ["embed_dim=7", "num_heads=2"]),
        (lambda: nn.TransformerEncoderLayer(6, 3, activation="swish"), ["swish", "gelu"]),
        (lambda: nn.TransformerDecoderLayer(6, 3, activation=3), ["a function", "got 3"]),
        (lambda: F.gelu(X, "exact"), ["'exact'", '"tanh"']),
        (lambda: nn.Embedding(5, 3, padding_idx=5), ["padding_idx", "5"]),
    ],
)
def test_wrong_arguments_are_named(make, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make()
    assert all(word in str(error.value) for word in words), str(error.value)


def test_an_activation_may_be_any_function():
    layer = nn.TransformerEncoderLayer(6, 3, 5, 0.0, F.silu).double()
    theirs = torch.nn.TransformerEncoderLayer(6, 3, 5, 0.0, torch_functional.silu).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in layer.state_dict().items()})
    x = normal(4, 2, 6)
    np.testing.assert_allclose(
        layer(Tensor(x)).data, theirs(torch.tensor(x)).detach().numpy(), atol=1e-10
    )


# The exact gelu has an erf of its own


def test_gelu_is_exact_in_both_dtypes():
    x = np.concatenate([np.linspace(-40, 40, 100_001), [0.0, -0.0, 1e4, -1e4, np.inf]])
    with np.errstate(invalid="ignore"):
        wanted = np.array([v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in x])
        np.testing.assert_allclose(F.gelu(Tensor(x)).data, wanted, rtol=0, atol=1e-12)
        found = F.gelu(Tensor(x.astype(np.float32))).data
    np.testing.assert_allclose(found, wanted.astype(np.float32), rtol=2e-7, atol=1e-6)


def test_gelu_takes_more_numbers_than_it_works_on_at_a_time():
    x = normal(3, 2**15 + 7)
    t = torch.tensor(x, requires_grad=True)
    ours = Tensor(x, requires_grad=True)
    torch_functional.gelu(t).sum().backward()
    F.gelu(ours).sum().backward()
    np.testing.assert_allclose(ours.grad, t.grad.numpy(), atol=1e-12)


# How they start


def test_layers_start_as_torchs_do():
    nnlib.manual_seed(0)
    attention = nn.MultiheadAttention(64, 4)
    bound = math.sqrt(6 / (64 + 3 * 64))
    weight = attention.in_proj_weight.data
    assert np.abs(weight).max() == pytest.approx(bound, rel=0.01)
    assert weight.std() == pytest.approx(bound / math.sqrt(3), rel=0.03)
    assert not attention.in_proj_bias.data.any()
    assert not attention.out_proj.bias.data.any()
    table = nn.Embedding(300, 40, padding_idx=-1).weight.data
    assert table[:-1].std() == pytest.approx(1, rel=0.03)
    assert not table[-1].any()


# Positions


def test_sinusoids_are_those_of_the_paper():
    x = Tensor(np.zeros((7, 6)))
    y = nn.SinusoidalPositions(6, 10).double()(x).data
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert y[t, 2 * i] == pytest.approx(math.sin(angle), abs=1e-7)
            assert y[t, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-7)
    assert nn.SinusoidalPositions(5, 10).weight.shape == (10, 5)  # an odd number of them too


def test_learned_positions_are_an_embedding_of_0_to_T():
    ours = nn.LearnedPositions(6, 10).double()
    theirs = torch.nn.Embedding(10, 6).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    data = normal(3, 4, 6)
    x, t = Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, z = ours(x), t + theirs(torch.arange(4))
    np.testing.assert_allclose(y.data, z.detach().numpy())
    (y * y).sum().backward()
    (z * z).sum().backward()
    np.testing.assert_allclose(x.grad, t.grad.numpy())
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy())
    assert nn.LearnedPositions(64, 200).weight.data.std() == pytest.approx(0.02, rel=0.05)


def test_sinusoids_are_state_and_not_learned():
    positions = nn.SinusoidalPositions(6, 10)
    assert not list(positions.parameters())
    assert list(positions.state_dict()) == ["weight"]


@pytest.mark.parametrize("kind", [nn.LearnedPositions, nn.SinusoidalPositions])
def test_wrong_input_to_positions_is_named(kind):
    for shape, words in (((2, 11, 6), ["max_len=10", "(2, 11, 6)"]), ((2, 5, 7), ["D=6"])):
        with pytest.raises(ValueError, match=kind.__name__) as error:
            kind(6, 10)(Tensor(np.zeros(shape, np.float32)))
        assert all(word in str(error.value) for word in words)
    with pytest.raises(TypeError, match=f"{kind.__name__}.*float64"):
        kind(6, 10)(Tensor(np.zeros((2, 5, 6))))
