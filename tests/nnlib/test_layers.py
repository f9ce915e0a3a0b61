"""Every layer against torch: arguments, state, outputs, gradients, training, and wrong input.

The cases are in layer_cases.py; a layer without one is a red test here.
"""

import inspect
import itertools
import re
import warnings

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from nnlib import Tensor, nn, optim
from tests.nnlib.layer_cases import CONTAINERS, ELSEWHERE, LAYERS, LOSSES, Case

KINDS = {
    name: made
    for name, made in vars(nn).items()
    if isinstance(made, type) and issubclass(made, nn.Module) and name not in CONTAINERS
}
EACH = pytest.mark.parametrize("case", [*LAYERS, *LOSSES], ids=str)


@pytest.mark.parametrize("name", KINDS)
def test_every_layer_and_loss_has_a_docstring_and_a_case(name):
    assert "Shape:" in KINDS[name].__doc__, f"say in {name}'s docstring which shapes it takes"
    assert ">>>" in KINDS[name].__doc__, f"show in {name}'s docstring how it is used"
    assert name in ELSEWHERE or any(case.name == name for case in [*LAYERS, *LOSSES]), (
        f"add cases for {name} to layer_cases.py"
    )


@pytest.mark.parametrize("name", sorted(set(KINDS) - ELSEWHERE))
def test_arguments_have_torchs_names_order_and_defaults(name):
    theirs = [p for p in their_signature(name).parameters.values() if p.kind < 2]
    names = [p.name for p in theirs]
    ours = list(inspect.signature(KINDS[name]).parameters.values())
    for p in ours:
        if p.kind is not p.VAR_KEYWORD:
            assert p.name in names, p.name
    places = [names.index(p.name) for p in ours if p.name in names and p.kind < 2]
    assert places == list(range(len(places))), "further arguments must be keyword-only"
    defaults = {p.name: p.default for p in theirs}
    for p in ours:
        if p.name in defaults and (name, p.name) != ("Softmax", "dim"):  # torch's own is deprecated
            assert named(p.default) == named(defaults[p.name])


def named(default):
    """torch's relu and ours are two functions with one name."""
    return default.__name__ if callable(default) else default


def their_signature(name):
    """That of torch's class. Its recurrent layers take (*args, **kwargs) and say what in words.

    LSTM and GRU hand all of it on to RNNBase, behind their own name as its `mode`; RNN takes one
    argument more, the fourth, which it looks for in `args[3]` and in `kwargs`.
    """
    if name not in {"RNN", "LSTM", "GRU"}:
        return inspect.signature(getattr(torch.nn, name))
    base = list(inspect.signature(torch.nn.RNNBase).parameters.values())
    assert base.pop(0).name == "mode"
    if name == "RNN":
        made = torch.nn.RNN(3, 4, 1, "relu")
        assert made.nonlinearity == torch.nn.RNN(3, 4, nonlinearity="relu").nonlinearity == "relu"
        default = torch.nn.RNN(3, 4).nonlinearity
        base.insert(3, inspect.Parameter("nonlinearity", base[0].kind, default=default))
    return inspect.Signature(base)


@EACH
def test_state_has_torchs_keys_shapes_and_order(case):
    ours, theirs = both(case)
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
    ]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]


@EACH
def test_repr_is_torchs(case):
    ours, theirs = both(case)
    left_out = r", (inplace|ceil_mode|track_running_stats)=(False|True)"
    if "BatchNorm" in case.name:
        left_out += "|, bias=(False|True)"
    left_out += "|NonDynamicallyQuantizable"
    assert repr(ours) == re.sub(left_out, "", repr(theirs))


@pytest.mark.parametrize(("dtype", "tol"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@EACH
def test_outputs_gradients_and_buffers_equal_torchs(case, dtype, tol, close):
    ours, theirs = both(case, dtype)
    outputs, grads = run(ours, case, case.arrays(dtype), Tensor)
    wanted, their_grads = run(theirs, case, case.arrays(dtype), torch.tensor)
    assert len(outputs) == len(wanted)
    for a, b in zip(outputs, wanted, strict=True):
        assert a.dtype == str(b.dtype).removeprefix("torch.")
        close(a.data, b.detach().numpy(), tol)
    assert grads.keys() == their_grads.keys()
    for key, grad in grads.items():
        close(grad, their_grads[key], tol)
    for key, value in ours.state_dict().items():
        close(value, theirs.state_dict()[key].numpy(), tol)


LEARNING = [c for c in LAYERS if list(getattr(nn, c.name)(*c.args, **c.kwargs).parameters())]


@pytest.mark.parametrize("case", LEARNING, ids=str)
def test_ten_steps_of_training_equal_torchs(case, close):
    ours, theirs = both(case)
    # The bias of an attention's keys has the gradient 0, but for rounding, of which an Adam with
    # the usual eps of 1e-8 would make whole steps.
    our_optimizer = optim.Adam(ours.parameters(), 0.01, eps=1e-6)
    their_optimizer = torch.optim.Adam(theirs.parameters(), 0.01, eps=1e-6)
    for i in range(10):
        run(ours, case, case.arrays(seed=i), Tensor)
        run(theirs, case, case.arrays(seed=i), torch.tensor)
        our_optimizer.step()
        their_optimizer.step()
        ours.zero_grad()
        theirs.zero_grad()
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key], value.numpy(), 1e-8)


# Wrong input, as torch judges it


STRICTER = {
    ("AvgPool2d", "whole numbers"): "torch gives the mean without what follows the point",
    ("AdaptiveAvgPool2d", "5 axes"): "torch takes them for an output of 1 x 1 only",
    ("AdaptiveAvgPool2d", "6 axes"): "likewise",
}


def spoilt(x):
    """Ways to get this input wrong, or nearly so: a name and an array."""
    yield "an axis too many", x[None]
    yield "an axis too few", x.reshape(-1, *x.shape[2:]) if x.ndim > 1 else x.sum()
    yield "all in a row", x.reshape(-1)
    yield "two axes too many", x[None, None]
    for axis in range(x.ndim):
        yield f"axis {axis} too long", np.concatenate([x, x.take([0], axis)], axis)
        yield f"axis {axis} too short", np.delete(x, 0, axis)
    if x.dtype.kind == "f":
        yield "whole numbers", (10 * x).astype(np.int64)
        yield "float32", x.astype(np.float32)
        nan = x.copy()
        nan[(0,) * x.ndim] = np.nan
        yield "a nan", nan
    else:
        yield "floats", x.astype(np.float32)
        yield "a class too many", x + 10**4
        yield "a negative number", x - 10**4


# Of the others a mask would have to be spoilt along with the input.
PLAIN = [c for c in LAYERS if not any(isinstance(v, np.ndarray) for v in c.options.values())]
WRONG = [
    pytest.param(case, i, what, wrong, id=f"{case}: input {i}, {what}")
    for case in PLAIN
    for i, x in enumerate(case.arrays())
    for what, wrong in spoilt(x)
]


@pytest.mark.parametrize(("case", "i", "what", "wrong"), WRONG)
def test_wrong_input_is_named_wherever_torch_raises(case, i, what, wrong, close):
    ours, theirs = both(case)
    arrays = case.arrays()
    arrays[i] = wrong
    agree(ours, theirs, case, arrays, wrong, what, close)


@pytest.mark.parametrize("case", [c for c in PLAIN if c.batch is not None], ids=str)
def test_an_empty_batch_is_treated_as_torch_does(case, close):
    ours, theirs = both(case)
    arrays = [x.take([], case.batch) for x in case.arrays()]
    agree(ours, theirs, case, arrays, arrays[0], "an empty batch", close)


def agree(ours, theirs, case, arrays, wrong, what, close):
    """Either both accept these inputs, with equal results, or ours raises a helpful error."""
    try:
        if {(case.name, what), (case.name, f"{wrong.ndim} axes")} & STRICTER.keys():
            raise TypeError
        with sdpa_kernel(SDPBackend.MATH):  # torch's fused attention makes 0 of a nan, silently
            wanted, their_grads = run(theirs, case, arrays, torch.tensor)
    except (RuntimeError, ValueError, IndexError, AssertionError, TypeError):
        with pytest.raises((ValueError, TypeError)) as error:
            run(ours, case, arrays, Tensor)
        message = str(error.value)
        name = case.name.lower().removesuffix("1d").removesuffix("2d")
        assert name in message.lower().replace("_", ""), message
        ends = (wrong.min(), wrong.max()) if wrong.size else ()
        found = (str(wrong.shape), str(wrong.dtype), *map(str, ends))
        assert any(f in message for f in found), message
        assert message.endswith((".", "?")), "say what to do, as a sentence"
        assert message.count(". ") >= 1, message
        return
    with np.errstate(all="ignore"):
        outputs, grads = run(ours, case, arrays, Tensor)
    for a, b in zip(outputs, wanted, strict=True):
        close_or_nan(close, a.data, b.detach().numpy())
    for key, grad in grads.items():
        close_or_nan(close, grad, their_grads[key])


def close_or_nan(close, a, b):
    assert (np.isnan(a) == np.isnan(b)).all()
    close(np.nan_to_num(a), np.nan_to_num(b), 1e-5 if a.dtype == np.float32 else 1e-9)


# Helpers


def both(case: Case, dtype=np.float64):
    """The module in nnlib and in torch, with the same weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        theirs = getattr(torch.nn, case.name)(*case.args, **case.kwargs)
    ours = getattr(nn, case.name)(*case.args, **case.kwargs)
    rng = np.random.default_rng(3)
    state = {
        key: rng.normal(size=value.shape).astype(np.float32) * 0.5 + (value.ndim == 1)
        if value.dtype.is_floating_point
        else value.numpy()
        for key, value in theirs.state_dict().items()
    }  # not torch's own start, which has zeros that could hide a mistake
    ours.load_state_dict(state)
    theirs.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    if dtype == np.float64:
        ours, theirs = ours.double(), theirs.double()
    return ours.train(case.train), theirs.train(case.train)


def run(module, case: Case, arrays, make):
    """All outputs, and by name the gradients of inputs and parameters."""
    inputs = [make(x) for x in arrays]
    for x, array in zip(inputs, arrays, strict=True):
        if array.dtype.kind == "f" and case.name not in {c.name for c in LOSSES}:
            x.requires_grad_()
    if case.name.endswith("Loss"):
        inputs[0].requires_grad_()
    options = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = list(flattened(case.call(module, *inputs, **options)))
        rng = np.random.default_rng(4)
        total = None
        for y in outputs:
            part = (y * make(rng.normal(size=tuple(y.shape)).astype(np.float32)).double()).sum()
            total = part if total is None else total + part
        if total.requires_grad:
            total.backward()
    named = [(str(i), x) for i, x in enumerate(inputs)]
    grads = {
        name: x.grad if isinstance(x.grad, np.ndarray) else x.grad.numpy()
        for name, x in itertools.chain(named, module.named_parameters())
        if x.grad is not None
    }
    return outputs, grads


def flattened(result):
    if isinstance(result, tuple):
        for part in result:
            yield from flattened(part)
    elif result is not None:
        yield result
