"""Recurrent layers: any sizes, both modes, and what they say of states that do not fit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import nnlib
from nnlib import Tensor, nn, zeros

KINDS = ["RNN", "LSTM", "GRU"]
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


def both(kind, *args, **kwargs):
    """A layer of ours and of torch's in float64, with the same weights."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(*args, **kwargs).double()
    ours = getattr(nn, kind)(*args, **kwargs).double()
    ours.load_state_dict({k: v.detach().numpy() for k, v in theirs.state_dict().items()})
    return ours, theirs


def flattened(output, last):
    return [output, *(last if isinstance(last, tuple) else [last])]


size = st.integers(1, 5)


@settings(max_examples=40)
@given(
    st.sampled_from(KINDS), size, size, size, size, st.integers(1, 3), st.booleans(), st.booleans()
)
def test_a_layer_of_any_size_equals_torchs(kind, T, B, D, H, layers, bias, given_start):
    ours, theirs = both(kind, D, H, layers, bias=bias)
    rng = np.random.default_rng(T + 10 * B)
    arrays = [rng.normal(size=(T, B, D))]
    if given_start:
        arrays += [rng.normal(size=(layers, B, H)) for _ in range(1 + (kind == "LSTM"))]
    found = []
    for module, made in ((ours, Tensor), (theirs, torch.tensor)):
        x, *start = inputs = [made(a, requires_grad=True) for a in arrays]
        hx = (tuple(start) if len(start) > 1 else start[0]) if start else None
        outputs = flattened(*module(x, hx))
        weighted = [
            (y * made(np.random.default_rng(i).normal(size=tuple(y.shape)))).sum()
            for i, y in enumerate(outputs)
        ]
        sum(weighted[1:], weighted[0]).backward()
        found.append(
            [y.data if module is ours else y.detach().numpy() for y in outputs]
            + [np.asarray(x.grad) for x in [*inputs, *module.parameters()]]
        )
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@EACH_KIND
def test_the_state_carries_on_from_one_part_of_a_sequence_to_the_next(kind, close):
    layer, _ = both(kind, 3, 4, 2)
    x = Tensor(np.random.default_rng(0).normal(size=(6, 5, 3)))
    whole, end = layer(x)
    first, state = layer(x[:2])
    second, last = layer(x[2:], state)
    close(nnlib.cat([first, second]).data, whole.data, 1e-12)
    for a, b in zip(flattened(whole, end)[1:], flattened(whole, last)[1:], strict=True):
        close(a.data, b.data, 1e-12)


@EACH_KIND
def test_weights_start_uniform_within_one_over_the_root_of_the_hidden_size(kind):
    nnlib.manual_seed(0)
    for p in getattr(nn, kind)(20, 64, 2).parameters():
        assert 0.9 < np.abs(p.data).max() * 8 <= 1
        assert abs(p.data.mean()) * 8 < 0.2


@EACH_KIND
def test_what_goes_from_layer_to_layer_is_dropped_in_train_mode_only(kind):
    layer = getattr(nn, kind)(3, 4, 2, dropout=0.5)
    without = getattr(nn, kind)(3, 4, 2)
    without.load_state_dict(layer.state_dict())
    x = nnlib.randn(6, 5, 3)
    below, above = (flattened(*layer(x))[1].data == flattened(*without(x))[1].data).all((1, 2))
    assert below
    assert not above
    assert (layer.eval()(x)[0].data == without(x)[0].data).all()


def test_dropout_between_layers_drops_its_share_and_scales_the_rest():
    nnlib.manual_seed(0)
    layer = nn.RNN(1, 200, 2, "relu", dropout=0.25)
    for name, p in layer.named_parameters():
        p.data[:] = np.eye(200, dtype=np.float32) if name == "weight_ih_l1" else 0
    layer.bias_ih_l0.data[:] = 3  # the first layer says 3 everywhere, and the second repeats it
    output, h_n = layer(zeros(10, 20, 1))
    values, counts = np.unique(output.data, return_counts=True)
    assert values.tolist() == [0, 4]
    assert abs(counts[0] / output.data.size - 0.25) < 0.01
    assert (h_n[0].data == 3).all()
    assert (h_n[1].data == output[-1].data).all()  # nothing is dropped after the last layer
    assert (layer.eval()(zeros(10, 20, 1))[0].data == 3).all()


def test_dropout_of_a_single_layer_does_nothing():
    layer = nn.LSTM(3, 4, dropout=0.9)
    x = zeros(5, 2, 3)
    assert (layer(x)[0].data == layer.eval()(x)[0].data).all()


@EACH_KIND
def test_a_nan_is_not_hidden(kind):
    x = np.zeros((4, 2, 3), np.float32)
    x[1, 0, 0] = np.nan
    output, _ = getattr(nn, kind)(3, 4)(Tensor(x))
    assert np.isnan(output.data).any(-1).tolist() == [[t >= 1, False] for t in range(4)]


@EACH_KIND
@pytest.mark.parametrize("batch_first", [False, True])
def test_no_steps_at_all_are_refused_and_an_empty_batch_is_not(kind, batch_first):
    layer, theirs = both(kind, 3, 4, batch_first=batch_first)
    for empty in ((0, 3), (2, 0, 3) if batch_first else (0, 2, 3)):
        with pytest.raises(RuntimeError, match="sequence length to be larger than 0"):
            theirs(torch.zeros(empty).double())
        with pytest.raises(ValueError, match=r"at least one step in time\. Leave out what is") as e:
            layer(zeros(empty, dtype=np.float64))
        assert f"x {empty}" in str(e.value)
    shape = (0, 5, 3) if batch_first else (5, 0, 3)
    for a, b in zip(
        flattened(*layer(zeros(shape, dtype=np.float64))),
        flattened(*theirs(torch.zeros(shape).double())),
        strict=True,
    ):
        assert a.shape == tuple(b.shape)


WANTED = "needs {} (L=2, B=2, H=4); it has shape {}. Leave hx out to start from zeros, or give it"
PAIR = "needs hx=(h_0, c_0); got a {}. Pass what the layer returned beside its output"


@pytest.mark.parametrize(
    ("kind", "hx", "message"),
    [
        ("RNN", zeros(1, 2, 4), WANTED.format("h_0", (1, 2, 4))),
        ("GRU", zeros(2, 4), WANTED.format("h_0", (2, 4))),
        ("LSTM", (zeros(2, 2, 4), zeros(2, 5, 4)), WANTED.format("c_0", (2, 5, 4))),
        ("LSTM", zeros(2, 2, 4), PAIR.format("Tensor")),
        ("LSTM", (zeros(2, 2, 4),), PAIR.format("tuple")),
        ("GRU", np.zeros((2, 2, 4)), "needs a Tensor; got a ndarray. Wrap it: nnlib.tensor("),
    ],
)
def test_a_state_that_does_not_fit_is_named_with_both_shapes_and_a_way_out(kind, hx, message):
    with pytest.raises((ValueError, TypeError)) as error:
        getattr(nn, kind)(3, 4, 2)(zeros(5, 2, 3), hx)
    assert f"{kind} with x (5, 2, 3) {message}" in str(error.value)


@EACH_KIND
def test_settings_that_make_no_sense_are_named(kind):
    made = getattr(nn, kind)
    for args in ((0, 4), (3, 4.0), (3, 4, 0), (3, True)):
        with pytest.raises(ValueError, match=rf"{kind} needs \w+ to be a whole number from 1 up"):
            made(*args)
    with pytest.raises(ValueError, match=r"from 0 to 1; got 1\.5"):
        made(3, 4, 2, dropout=1.5)


def test_rnn_knows_two_nonlinearities():
    with pytest.raises(ValueError, match=r"nonlinearity 'tanh' or 'relu'; got 'sigmoid'"):
        nn.RNN(3, 4, nonlinearity="sigmoid")
