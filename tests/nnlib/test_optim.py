"""Optimizers take torch's steps, one parameter at a time, and refuse what would fail in silence."""

import dataclasses
import inspect
import math

import numpy as np
import pytest
import torch

from nnlib import Value, optim
from nnlib.nn import Linear, Parameter, Sequential
from nnlib.tensor import Tensor

SETTINGS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.03, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.3}),
    ("RMSprop", {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.01}),
    ("Adam", {}),
    ("Adam", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.03, "weight_decay": 0.3}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
]
OPTIMIZERS = sorted(
    name
    for name, made in vars(optim).items()
    if isinstance(made, type) and issubclass(made, optim.Optimizer) and made is not optim.Optimizer
)


def test_every_optimizer_is_compared_with_torch():
    """Whoever adds an optimizer adds its cases to SETTINGS."""
    assert {name for name, _ in SETTINGS} == set(OPTIMIZERS)


def gradients(steps=10):
    """Of many sizes, some near Adam's eps, and with both signs."""
    rng = np.random.default_rng(0)
    return [
        [rng.normal(size=(3, 4)) * 10.0 ** rng.integers(-9, 2, (3, 4)), rng.normal(size=5)]
        for _ in range(steps)
    ]


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_ten_steps_equal_torchs(name, setting):
    start = [np.random.default_rng(1).normal(size=shape) for shape in ((3, 4), (5,))]
    ours = [Parameter(p.copy()) for p in start]
    theirs = [torch.nn.Parameter(torch.tensor(p)) for p in start]
    our_optimizer = getattr(optim, name)(ours, **setting)
    their_optimizer = getattr(torch.optim, name)(theirs, **setting)
    for grads in gradients():
        for p, q, g in zip(ours, theirs, grads, strict=True):
            p.grad, q.grad = g, torch.tensor(g)
        our_optimizer.step()
        their_optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=0, atol=1e-8)


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_a_value_moves_as_an_array_does_and_stays_a_plain_float(name, setting):
    value, array = Value(2.0), Parameter(np.array([2.0]))
    for p in (value, array):
        optimizer = getattr(optim, name)([p], **setting)
        for _ in range(5):
            optimizer.zero_grad()
            ((p * p).sum() if isinstance(p, Tensor) else p * p).backward()
            optimizer.step()
    assert type(value.data) is float
    assert value.data == pytest.approx(array.data[0], abs=1e-12)


def test_the_steps_say_what_moved_from_where_to_where():
    model = Sequential(Linear(3, 2))
    optimizer = optim.SGD(model.named_parameters(), lr=0.5, momentum=0.9)
    before = model.state_dict()
    model[0].weight.grad = np.ones((2, 3), np.float32)
    model[0].bias.grad = np.ones(2, np.float32)
    weight, bias = optimizer.steps()
    assert (weight.name, bias.name) == ("0.weight", "0.bias")
    np.testing.assert_array_equal(weight.before, before["0.weight"])
    np.testing.assert_array_equal(weight.after, before["0.weight"] - 0.5)
    np.testing.assert_array_equal(weight.grad, 1)
    assert weight.state["t"] == 1
    assert weight.after is model[0].weight.data
    with pytest.raises(dataclasses.FrozenInstanceError):
        weight.after = None


def test_an_old_step_does_not_change_when_training_goes_on():
    p = Parameter(np.ones(3))
    optimizer = optim.Adam([p])
    p.grad = np.ones(3)
    (first,) = optimizer.steps()
    kept = first.before.copy(), {k: np.copy(v) for k, v in first.state.items()}, first.after.copy()
    p.grad = np.full(3, 5.0)
    optimizer.step()
    np.testing.assert_array_equal(first.before, kept[0])
    np.testing.assert_array_equal(first.after, kept[2])
    for key, value in kept[1].items():
        np.testing.assert_array_equal(first.state[key], value)


def test_each_parameter_counts_its_own_steps_and_waits_while_it_has_no_gradient():
    a, b = Parameter(np.ones(2)), Parameter(np.ones(2))
    optimizer = optim.Adam([a, b])
    a.grad = np.ones(2)
    optimizer.step()
    b.grad = np.ones(2)
    optimizer.step()
    assert (optimizer.state["param 0"]["t"], optimizer.state["param 1"]["t"]) == (2, 1)
    # b's first step is as long as a's was: lr, because the averages are corrected by b's own t.
    np.testing.assert_allclose(b.data, 1 - 1e-3, atol=1e-9)


def test_an_array_keeps_its_dtype():
    p = Parameter(np.ones(3, np.float32))
    optimizer = optim.Adam([p], weight_decay=0.1)
    p.grad = np.ones(3, np.float32)
    optimizer.step()
    assert p.data.dtype == np.float32
    assert all(a.dtype == np.float32 for k, a in optimizer.state["param 0"].items() if k != "t")


def test_the_learning_rate_may_change_between_steps():
    p = Parameter(np.ones(1))
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = np.ones(1)
    optimizer.step()
    optimizer.lr = 0.2
    optimizer.step()
    assert p.data[0] == pytest.approx(1 - 0.1 - 0.2)


def test_zero_grad_forgets_the_gradients():
    p = Parameter(np.ones(1))
    p.grad = np.ones(1)
    optim.SGD([p]).zero_grad()
    assert p.grad is None


def test_steps_complains_even_if_nobody_iterates():
    with pytest.raises(RuntimeError, match=r"no parameter has a gradient\. Call loss\.backward"):
        optim.SGD([Parameter(np.ones(1))]).steps()


class Wrong(optim.Optimizer):
    def __init__(self, params, update):
        super().__init__(params, lr=0.1)
        self.answer = update

    def update(self, p, g, state):
        return self.answer(p, g)


def in_place(p, g):
    p -= g
    return p


@pytest.mark.parametrize(
    ("update", "error", "message"),
    [
        (lambda p, g: None, TypeError, r"Wrong\.update\(\) returned None for param 0"),
        (in_place, ValueError, "the very array it was given.*in place"),
        (lambda p, g: p[:, None] - g, ValueError, r"shape \(3,\) .*; got shape \(3, 3\)"),
        (lambda p, g: p - g.astype(np.float64), ValueError, "dtype float32; .*dtype float64"),
        (lambda p, g: 1.0, ValueError, r"got shape \(\) and dtype float"),
    ],
)
def test_a_wrong_update_is_named_before_the_parameter_is_lost(update, error, message):
    p = Parameter(np.ones(3, np.float32))
    p.grad = np.ones(3, np.float32)
    with pytest.raises(error, match=message):
        Wrong([p], update).step()
    assert p.data.shape == (3,)


def test_an_optimizer_without_update_says_so():
    p = Value(1.0)
    (p * p).backward()
    with pytest.raises(NotImplementedError, match=r"Define update\(self, p, g, state\)"):
        optim.Optimizer([p], lr=0.1).step()


one = [Parameter(np.ones(1))]
model = Linear(2, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD(one, lr=-1), ValueError, "SGD needs lr to be 0 or more and finite"),
        (lambda: optim.SGD(one, lr=float("nan")), ValueError, "got nan"),
        (lambda: optim.SGD(one, lr=float("inf")), ValueError, "got inf"),
        (lambda: optim.SGD(one, lr="0.1"), ValueError, "lr .* got '0.1'"),
        (lambda: optim.SGD(one, momentum=1), ValueError, "momentum .* below 1; got 1"),
        (lambda: optim.SGD(one, weight_decay=-1), ValueError, "weight_decay .* got -1"),
        (lambda: optim.SGD(one, nesterov=True), ValueError, "needs momentum above 0"),
        (lambda: optim.Adam(one, betas=0.9), ValueError, "betas as a pair .* got 0.9"),
        (lambda: optim.Adam(one, betas=(0.9, 1.0)), ValueError, r"betas\[1\] .* below 1; got 1.0"),
        (lambda: optim.Adam(one, eps=-1), ValueError, "eps .* got -1"),
        (lambda: optim.AdamW(one, betas=0.9), ValueError, "AdamW needs betas as a pair"),
        (lambda: optim.AdamW(one, weight_decay=-1), ValueError, "AdamW needs weight_decay"),
        (lambda: optim.RMSprop(one, alpha=1), ValueError, "RMSprop needs alpha .* below 1; got 1"),
        (lambda: optim.RMSprop(one, eps=-1), ValueError, "eps .* got -1"),
        (lambda: optim.RMSprop(one, momentum=1), ValueError, "momentum .* below 1; got 1"),
        (lambda: optim.RMSprop(one, weight_decay=-1), ValueError, "weight_decay .* got -1"),
        (lambda: optim.SGD([]), ValueError, "empty list of parameters"),
        (lambda: optim.SGD(model), TypeError, r"Pass model\.parameters\(\)"),
        (lambda: optim.SGD(model.parameters), TypeError, r"Pass model\.parameters\(\)"),
        (lambda: optim.SGD(one[0]), TypeError, r"one by itself. Write \[p\]"),
        (lambda: optim.SGD([np.ones(2)]), TypeError, "param 0 is a ndarray"),
        (lambda: optim.SGD([one[0] * 2]), ValueError, "param 0 is the result of a computation"),
        (lambda: optim.SGD([*one, *one]), ValueError, "param 1 twice"),
    ],
)
def test_bad_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_settings_of_ones_own_optimizer_are_checked_too():
    @dataclasses.dataclass
    class Capped(optim.Optimizer):
        most: float = 1.0

    assert (Capped(one, 0.1).most, Capped(one, 0.1, most=2).lr) == (1, 0.1)
    with pytest.raises(ValueError, match="Capped needs most to be 0 or more and finite; got -1"):
        Capped(one, 0.1, most=-1)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizers_arguments_have_torchs_names_and_defaults(name):
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    for argument in inspect.signature(getattr(optim, name)).parameters.values():
        assert argument.default == theirs[argument.name].default


# Schedulers

SCHEDULES = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 30}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),  # up again, and down again
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.8, "total_iters": 20}),
]
PLATEAUS = [
    {},
    {"factor": 0.5, "patience": 2},
    {"factor": 0.7, "patience": 0, "threshold": 0.1},
    {"mode": "max", "factor": 0.7, "patience": 1},
    {"mode": "max", "factor": 0.7, "patience": 0, "threshold": 0.05},
]


def two_optimizers(lr=0.3):
    ours, theirs = Parameter(np.ones(1)), torch.nn.Parameter(torch.ones(1))
    ours.grad, theirs.grad = np.zeros(1), torch.zeros(1)
    return optim.SGD([ours], lr), torch.optim.SGD([theirs], lr)


def rates(optimizer, scheduler, arguments):
    """The learning rate of each step, ours or torch's."""
    for each in arguments:
        yield optimizer.lr if isinstance(optimizer, optim.Optimizer) else scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step(*each)


def test_every_scheduler_is_compared_with_torch():
    """Whoever adds a scheduler adds its cases to SCHEDULES."""
    made = {name for name, it in vars(optim).items() if isinstance(it, type) and "LR" in name}
    assert {name for name, _ in SCHEDULES} == made - {"LRScheduler", "ReduceLROnPlateau"}


@pytest.mark.parametrize(("name", "setting"), SCHEDULES)
def test_thirty_learning_rates_equal_torchs(name, setting):
    ours, theirs = two_optimizers()
    our_scheduler = getattr(optim, name)(ours, **setting)
    their_scheduler = getattr(torch.optim.lr_scheduler, name)(theirs, **setting)
    np.testing.assert_allclose(
        list(rates(ours, our_scheduler, [()] * 31)),
        list(rates(theirs, their_scheduler, [()] * 31)),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("setting", PLATEAUS)
def test_thirty_learning_rates_on_a_plateau_equal_torchs(setting):
    rng = np.random.default_rng(0)
    sign = -1 if setting.get("mode") == "max" else 1
    losses = [(2 + sign / min(t, 12) + 0.05 * rng.normal(),) for t in range(1, 32)]
    ours, theirs = two_optimizers()
    our_scheduler = optim.ReduceLROnPlateau(ours, **setting)
    their_scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **setting)
    np.testing.assert_allclose(
        list(rates(ours, our_scheduler, losses)),
        list(rates(theirs, their_scheduler, losses)),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("name", [*dict(SCHEDULES), "ReduceLROnPlateau"])
def test_a_schedulers_arguments_have_torchs_names_and_defaults(name):
    theirs = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters
    for argument in inspect.signature(getattr(optim, name)).parameters.values():
        assert argument.default == theirs[argument.name].default


sgd = optim.SGD(one, lr=0.3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.StepLR(one, 3), TypeError, "StepLR needs an optimizer"),
        (lambda: optim.ReduceLROnPlateau(one), TypeError, "Plateau needs an optimizer"),
        (lambda: optim.StepLR(sgd, 0), ValueError, "step_size .* whole number from 1 up; got 0"),
        (lambda: optim.StepLR(sgd, True), ValueError, "step_size .* got True"),
        (lambda: optim.StepLR(sgd, 3, gamma=-1), ValueError, "gamma .* 0 or more .* got -1"),
        (lambda: optim.CosineAnnealingLR(sgd, 2.5), ValueError, "T_max .* got 2.5"),
        (lambda: optim.CosineAnnealingLR(sgd, 5, -1), ValueError, "eta_min .* got -1"),
        (lambda: optim.LinearLR(sgd, end_factor=-1), ValueError, "end_factor .* got -1"),
        (lambda: optim.LinearLR(sgd, start_factor=-1), ValueError, "start_factor .* got -1"),
        (lambda: optim.LinearLR(sgd, total_iters=0), ValueError, "total_iters .* got 0"),
        (lambda: optim.ReduceLROnPlateau(sgd, "low"), ValueError, '"min" or "max"; got \'low\''),
        (lambda: optim.ReduceLROnPlateau(sgd, factor=1), ValueError, "factor .* below 1; got 1"),
        (lambda: optim.ReduceLROnPlateau(sgd, patience=-1), ValueError, "from 0 up; got -1"),
        (lambda: optim.ReduceLROnPlateau(sgd, threshold=1), ValueError, "threshold .* got 1"),
        (lambda: optim.LRScheduler(sgd), NotImplementedError, r"Define rate\(self, t\)"),
    ],
)
def test_a_schedulers_bad_arguments_are_named_and_leave_the_rate_alone(make, error, message):
    with pytest.raises(error, match=message):
        make()
    assert sgd.lr == 0.3


# Clipping

CLIPS = [
    ("clip_grad_norm_", {"max_norm": 1.5}),
    ("clip_grad_norm_", {"max_norm": 1e4}),  # nothing to shorten
    ("clip_grad_norm_", {"max_norm": 0.5, "norm_type": 1}),
    ("clip_grad_norm_", {"max_norm": 0.5, "norm_type": 3.0}),
    ("clip_grad_norm_", {"max_norm": 0.5, "norm_type": math.inf}),
    ("clip_grad_value_", {"clip_value": 0.7}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "setting"), CLIPS)
def test_clipping_equals_torchs(name, setting, dtype):
    grads = [np.asarray(g, dtype) for g in gradients(1)[0]] + [None]
    ours = [Parameter(np.ones(s, dtype)) for s in ((3, 4), 5, 2)]
    theirs = [torch.nn.Parameter(torch.tensor(p.data)) for p in ours]
    for p, q, g in zip(ours, theirs, grads, strict=True):
        p.grad, q.grad = g, g if g is None else torch.tensor(g)
    our_norm = getattr(optim, name)(iter(ours), **setting)
    their_norm = getattr(torch.nn.utils, name)(theirs, **setting)
    tolerance = 1e-6 if dtype is np.float32 else 1e-12
    assert our_norm == (their_norm and pytest.approx(their_norm.item(), rel=tolerance))
    for p, q in zip(ours[:2], theirs, strict=False):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=tolerance)
        assert p.grad.dtype == dtype
    assert ours[2].grad is None


@pytest.mark.parametrize(("name", "setting"), CLIPS)
def test_the_gradient_of_a_value_is_clipped_as_that_of_an_array_and_stays_a_plain_float(
    name, setting
):
    value, array = Value(2.0), Parameter(np.array([2.0]))
    value.grad, array.grad = -4.0, np.array([-4.0])
    for p in (value, array):
        getattr(optim, name)([p], **setting)
    assert type(value.grad) is float
    assert value.grad == pytest.approx(array.grad[0], abs=1e-12)


@pytest.mark.parametrize(("name", "setting"), CLIPS)
def test_clipping_makes_new_gradients_so_that_what_was_recorded_stays(name, setting):
    p = Parameter(np.ones(2))
    p.grad = recorded = np.array([3.0, -4.0])
    getattr(optim, name)([p], **setting)
    np.testing.assert_array_equal(recorded, [3.0, -4.0])


@pytest.mark.parametrize("name", ["clip_grad_norm_", "clip_grad_value_"])
def test_clippings_arguments_have_torchs_names_and_defaults(name):
    theirs = inspect.signature(getattr(torch.nn.utils, name)).parameters
    for argument in inspect.signature(getattr(optim, name)).parameters.values():
        assert argument.default == theirs[argument.name].default


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite_spoils_the_gradients_that_it_spoils_in_torch(bad):
    a, b = Parameter(np.ones(1)), Parameter(np.ones(1))
    a.grad, b.grad = np.ones(1), np.array([bad])
    theirs = [torch.nn.Parameter(torch.tensor(p.data)) for p in (a, b)]
    theirs[0].grad, theirs[1].grad = torch.tensor(a.grad), torch.tensor(b.grad)
    their_norm = torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    with np.errstate(invalid="ignore"):
        our_norm = optim.clip_grad_norm_([a, b], 1.0)
    np.testing.assert_equal(
        [our_norm, a.grad[0], b.grad[0]], [their_norm.item(), *(q.grad.item() for q in theirs)]
    )


@pytest.mark.parametrize(
    ("clip", "error", "message"),
    [
        (lambda: optim.clip_grad_norm_(one, -1), ValueError, "max_norm .* got -1"),
        (lambda: optim.clip_grad_value_(one, -1), ValueError, "clip_value .* got -1"),
        (lambda: optim.clip_grad_norm_(model, 1), TypeError, r"Pass model\.parameters\(\)"),
        (lambda: optim.clip_grad_norm_(one[0], 1), TypeError, r"one by itself. Write \[p\]"),
        (lambda: optim.clip_grad_value_([], 1), ValueError, "empty list of parameters"),
        (lambda: optim.clip_grad_norm_(one, 1), RuntimeError, "norm_: no parameter has a gradient"),
        (lambda: optim.clip_grad_value_(one, 1), RuntimeError, "no parameter has a gradient"),
    ],
)
def test_clippings_bad_arguments_are_named(clip, error, message):
    with pytest.raises(error, match=message):
        clip()
