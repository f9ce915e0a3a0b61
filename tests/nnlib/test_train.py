"""Training is an iterator of steps; stopping, progress and history are filters over it."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

import nnlib
from nnlib import nn, optim
from nnlib.data import DataLoader, TensorDataset, digits, split
from nnlib.metrics import accuracy
from nnlib.tensor import Tensor
from nnlib.train import (
    History,
    TrainStep,
    early_stopping,
    evaluate,
    fit,
    fit_steps,
    progress,
)


@pytest.fixture(autouse=True)
def no_bar(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")


rng = np.random.default_rng(0)
X = rng.normal(size=(10, 3)).astype(np.float32)
Y = (X @ [[1.0], [2.0], [3.0]]).astype(np.float32)


def setting(lr=0.1, n=10, batch_size=4, **options):
    """A linear model, its data in batches, a loss and an optimizer."""
    nnlib.manual_seed(0)
    model = nn.Linear(3, 1)
    loader = DataLoader(TensorDataset(X[:n], Y[:n]), batch_size, **options)
    return model, loader, nn.MSELoss(), optim.SGD(model.parameters(), lr)


def test_each_batch_is_a_step_counted_from_1_with_the_validation_loss_at_the_epochs_end():
    model, loader, loss_fn, optimizer = setting()
    steps = list(fit_steps(model, loader, loss_fn, optimizer, epochs=2, val=loader))
    assert [(s.epoch, s.batch) for s in steps] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert [s.val_loss is None for s in steps] == [True, True, False] * 2
    assert steps[-1].val_loss == evaluate(model, loader, loss_fn)
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].loss = 0


def test_fit_equals_the_loop_that_torch_users_write():
    model, loader, loss_fn, optimizer = setting()
    theirs = torch.nn.Linear(3, 1)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in model.state_dict().items()})
    their_optimizer = torch.optim.SGD(theirs.parameters(), 0.1)
    losses = []
    for _ in range(3):
        for xb, yb in loader:
            their_optimizer.zero_grad()
            loss = torch.nn.MSELoss()(theirs(torch.tensor(xb.data)), torch.tensor(yb.data))
            loss.backward()
            their_optimizer.step()
            losses.append(loss.item())
    history = fit(model, loader, loss_fn, optimizer, epochs=3)
    assert [s.loss for s in history.steps] == pytest.approx(losses, rel=1e-5)
    np.testing.assert_allclose(model.weight.data, theirs.weight.detach().numpy(), atol=1e-6)


def test_fit_exhausts_fit_steps():
    histories = []
    for train in (lambda *a, **k: History(list(fit_steps(*a, **k))), fit):
        model, loader, loss_fn, optimizer = setting()
        histories.append(train(model, loader, loss_fn, optimizer, epochs=3, val=loader))
    assert histories[0].steps == histories[1].steps


def test_each_step_trains_in_train_mode_even_if_the_loop_looks_in_eval_mode():
    class Recorder(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 1)
            self.modes = []

        def forward(self, x):
            self.modes.append(self.training)
            return self.linear(x)

    _, loader, loss_fn, _ = setting()
    model = Recorder()
    optimizer = optim.SGD(model.parameters(), 0.1)
    for _ in fit_steps(model, loader, loss_fn, optimizer, epochs=2, val=[(Tensor(X), Tensor(Y))]):
        model.eval()
    assert model.modes == [True, True, True, False] * 2


def test_a_batch_may_hold_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 1)

        def forward(self, a, b):
            return self.linear(a + b)

    model = Sum()
    batches = [(Tensor(X), Tensor(X), Tensor(Y))]
    optimizer = optim.SGD(model.parameters(), 0.05)
    history = fit(model, batches, nn.MSELoss(), optimizer, epochs=5, val=batches)
    assert history.loss[-1] < history.loss[0]


def test_evaluate_weighs_batches_by_their_size_and_leaves_mode_and_gradients_alone():
    model, loader, loss_fn, _ = setting(batch_size=4)  # 4, 4 and 2
    whole = loss_fn(model(Tensor(X)), Tensor(Y)).item()
    for mode in (True, False):
        model.train(mode)
        assert evaluate(model, loader, loss_fn) == pytest.approx(whole, rel=1e-5)
        assert model.training is mode
    assert model.weight.grad is None


# The scheduler


class Halve:
    def __init__(self, optimizer, every):
        self.optimizer, self.every = optimizer, every

    def step(self):
        self.optimizer.lr /= 2


@pytest.mark.parametrize(
    ("every", "rates"),
    [("batch", [0.1, 0.05, 0.025, 0.0125]), ("epoch", [0.1, 0.1, 0.05, 0.05])],
)
def test_the_scheduler_steps_when_it_says(every, rates):
    model, loader, loss_fn, optimizer = setting(batch_size=5)
    scheduler = Halve(optimizer, every)
    history = fit(model, loader, loss_fn, optimizer, epochs=2, scheduler=scheduler)
    assert [s.lr for s in history.steps] == rates
    assert history.lr == rates[1::2]


@pytest.mark.parametrize(
    ("make", "rates"),
    [
        (lambda o: optim.StepLR(o, 2, gamma=0.5), [0.1] * 4 + [0.05] * 4),
        (lambda o: optim.CosineAnnealingLR(o, 2), [0.1] * 2 + [0.05] * 2 + [0] * 2 + [0.05] * 2),
        (
            lambda o: optim.LinearLR(o, 0.5, total_iters=5),
            [0.05, 0.06, 0.07, 0.08, 0.09] + [0.1] * 3,
        ),
    ],
)
def test_nnlibs_schedulers_work_with_fit(make, rates):
    model, loader, loss_fn, optimizer = setting(batch_size=5)
    history = fit(model, loader, loss_fn, optimizer, epochs=4, scheduler=make(optimizer))
    assert [s.lr for s in history.steps] == pytest.approx(rates)


def test_a_plateau_of_the_validation_loss_lowers_the_rate():
    model, loader, loss_fn, optimizer = setting(batch_size=5)
    scheduler = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, threshold=0.99)
    history = fit(model, loader, loss_fn, optimizer, epochs=4, val=loader, scheduler=scheduler)
    assert [s.lr for s in history.steps] == [0.1] * 6 + [0.05] * 2
    assert scheduler.best == history.val_loss[0]
    with pytest.raises(ValueError, match="needs val= with ReduceLROnPlateau"):
        fit(model, loader, loss_fn, optimizer, epochs=1, scheduler=scheduler)


# Early stopping


def scripted(model, losses):
    """Steps whose validation losses are these, while the model's bias counts the epochs."""
    for epoch, val_loss in enumerate(losses, start=1):
        model.bias.data = np.array([epoch], np.float32)
        yield TrainStep(epoch, 1, 0.0, 0.1)
        yield TrainStep(epoch, 2, 0.0, 0.1, val_loss)


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([5, 4, 3], 1, 3, 3),  # better to the end
        ([5, 4, 6, 1], 1, 3, 2),  # one bad epoch ends it
        ([5, 4, 6, 3, 7, 8, 0], 2, 6, 4),  # one bad epoch is forgiven, two are not
        ([5, 5, 5, 5], 2, 3, 1),  # an equal loss is no improvement
    ],
)
def test_early_stopping_ends_after_patience_bad_epochs_and_restores_the_best(
    losses, patience, epochs, best
):
    model = nn.Linear(3, 1)
    steps = early_stopping(scripted(model, losses), model, patience)
    assert len(list(steps)) == 2 * epochs
    assert model.bias.item() == best
    assert (steps.best_epoch, steps.best_loss) == (best, min(losses[:epochs]))


def test_who_leaves_the_loop_can_restore_the_best():
    model = nn.Linear(3, 1)
    steps = early_stopping(scripted(model, [5, 4, 9, 9]), model, patience=5)
    for step in steps:
        if step.epoch == 4:
            break
    assert model.bias.item() == 4
    steps.restore()
    assert model.bias.item() == 2


def test_early_stopping_without_validation_says_so_after_one_epoch():
    model = nn.Linear(3, 1)
    taken = []
    steps = (TrainStep(epoch, 1, 0.0, 0.1) for epoch in range(1, 100))
    with pytest.raises(ValueError, match=r"no validation loss. Pass val= to fit_steps"):
        taken.extend(early_stopping(steps, model, 3))
    with pytest.raises(ValueError, match="no validation loss"):
        list(early_stopping([], model, 3))
    with pytest.raises(ValueError, match=r"fit needs val= to stop early \(patience=3\)"):
        fit(*setting(), epochs=1, patience=3)
    assert next(steps).epoch == 3


def test_fit_stops_early_and_keeps_the_best_model():
    model, loader, loss_fn, optimizer = setting(lr=0.1)
    elsewhere = [(Tensor(X), Tensor(-Y))]  # learning makes this worse
    history = fit(model, loader, loss_fn, optimizer, epochs=50, val=elsewhere, patience=2)
    assert len(history.epoch) == history.best_epoch + 2
    assert evaluate(model, elsewhere, loss_fn) == pytest.approx(min(history.val_loss), rel=1e-6)


# Progress


def test_progress_passes_every_step_on():
    steps = [TrainStep(1, i, 0.5, 0.1) for i in range(1, 4)]
    assert list(progress(steps)) == steps


@pytest.mark.filterwarnings("ignore::Warning")  # tqdm warns where a notebook lacks its widgets
def test_progress_shows_a_bar_with_epoch_and_loss(monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE")
    list(progress([TrainStep(7, 1, 0.25, 0.1)], total=1))
    shown = capsys.readouterr().err
    assert "1/1" in shown
    assert "epoch=7" in shown
    assert "loss=0.2500" in shown


def test_progress_is_silent_when_it_is_turned_off(capsys):
    fit(*setting(), epochs=1)
    assert capsys.readouterr() == ("", "")


# History


def test_history_gives_lists_to_plot():
    history = fit(*setting(), epochs=3, val=[(Tensor(X), Tensor(Y))])
    assert history.epoch == [1, 2, 3]
    assert len(history.loss) == len(history.val_loss) == len(history.lr) == 3
    first = [s.loss for s in history.steps if s.epoch == 1]
    assert history.loss[0] == pytest.approx(np.mean(first))
    assert history.best_epoch == 1 + np.argmin(history.val_loss)


def test_history_prints_a_row_per_epoch():
    history = History([TrainStep(1, 1, 2.30259, 0.001), TrainStep(2, 1, 0.5, 0.0005)])
    assert str(history) == (
        "epoch    loss      lr\n"
        "    1  2.3026   0.001\n"
        "    2  0.5000  0.0005"
    )  # fmt: skip
    assert history.best_epoch is None
    measured = History([TrainStep(1, 1, 0.5, 0.1), TrainStep(1, 2, 0.25, 0.1, 2.0)])
    assert str(measured) == (
        "epoch    loss  val_loss   lr\n"
        "    1  0.3750    2.0000  0.1"
    )  # fmt: skip
    assert str(History([])).split() == ["epoch", "loss", "lr"]


def test_a_long_history_prints_about_twenty_rows_with_the_first_and_the_last():
    for n in (20, 21, 200, 1001):
        rows = str(History([TrainStep(e, 1, 1.0, 0.1, 1.0) for e in range(1, n + 1)])).split("\n")
        shown = [int(row.split()[0]) for row in rows[1:]]
        assert (shown[0], shown[-1]) == (1, n)
        assert 10 <= len(shown) <= 21


# What goes wrong


@pytest.mark.parametrize(
    ("lr", "found", "gradients"),
    [
        (1e6, "inf", "Every gradient is still finite."),
        (1e38, "nan", "The first gradient that is not finite is that of weight."),
    ],
)
def test_an_exploding_loss_stops_with_the_step_the_rate_and_the_gradient(lr, found, gradients):
    model, loader, loss_fn, optimizer = setting(lr=lr, batch_size=5)
    seen = []
    with pytest.raises(RuntimeError) as error:
        seen.extend(fit_steps(model, loader, loss_fn, optimizer, epochs=99))
    where = f"epoch {len(seen) // 2 + 1}, batch {len(seen) % 2 + 1}"
    assert str(error.value) == (
        f"The loss is {found} at {where} (learning rate {lr:g}). {gradients} Lower the learning "
        "rate, or look for the log of 0, a division by 0 or the exp of a large number in the "
        "model and the loss."
    )


class Roots(nn.Module):
    """Its second parameter has an infinite slope at 0, where the loss itself is fine."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(np.ones(1))
        self.b = nn.Parameter(np.zeros(1))

    def forward(self, x):
        return self.a * x + self.b**0.5


def test_the_first_parameter_whose_gradient_is_not_finite_is_named():
    model = Roots()
    x = Tensor(np.ones((4, 1)))
    with pytest.raises(RuntimeError, match=r"at epoch 2, batch 1 .* is that of b\. Lower"):
        fit(model, [(x, x)], nn.MSELoss(), optim.SGD(model.parameters(), 0.1), epochs=3)


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_nan_in_the_data_is_named(name):
    model, _, loss_fn, optimizer = setting()
    batch = {"x": X.copy(), "y": Y.copy()}
    batch[name][3, 0] = np.nan
    with pytest.raises(RuntimeError, match=f"nan at epoch 1, batch 1 .* The batch's {name} holds"):
        fit(model, [(Tensor(batch["x"]), Tensor(batch["y"]))], loss_fn, optimizer, epochs=1)


def test_a_nan_in_the_validation_data_is_named():
    model, loader, loss_fn, optimizer = setting()
    val = [(Tensor(X), Tensor(np.full_like(Y, np.nan)))]
    with pytest.raises(RuntimeError, match=r"validation loss is nan after epoch 1 .*rate 0\.1"):
        fit(model, loader, loss_fn, optimizer, epochs=2, val=val)


def test_the_weights_of_another_model_are_noticed():
    model, loader, loss_fn, _ = setting()
    other = copy.deepcopy(model)
    with pytest.raises(RuntimeError, match="computed by another model"):
        fit(model, loader, loss_fn, optim.SGD(other.parameters(), 0.1), epochs=1)


def test_bad_arguments_raise_before_the_first_step():
    for epochs in (0, 2.5, True):
        with pytest.raises(ValueError, match=f"epochs to be a whole number .* got {epochs}"):
            fit_steps(*setting(), epochs=epochs)
    with pytest.raises(ValueError, match=r"scheduler.every .* got 'week'"):
        fit_steps(*setting(), epochs=1, scheduler=Halve(None, "week"))
    for patience in (0, 1.5):
        with pytest.raises(ValueError, match=f"patience .* got {patience}"):
            early_stopping([], nn.ReLU(), patience)


def test_a_loader_without_batches_is_named():
    model, loader, loss_fn, optimizer = setting(n=3, drop_last=True)
    with pytest.raises(ValueError, match=r"gave no batches.*drop_last"):
        fit(model, loader, loss_fn, optimizer, epochs=1)
    batches = (b for b in [(Tensor(X), Tensor(Y))])
    with pytest.raises(ValueError, match="a generator that is used up"):
        fit(model, batches, loss_fn, optimizer, epochs=2)
    with pytest.raises(ValueError, match="evaluate got no batches"):
        evaluate(model, [], loss_fn)


def test_a_batch_that_is_no_pair_is_named():
    model, _, loss_fn, optimizer = setting()
    with pytest.raises(TypeError, match=r"batches .x, y.; the loader gave a Tensor"):
        fit(model, [Tensor(X)], loss_fn, optimizer, epochs=1)


# It learns


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_small_network_reads_95_percent_of_digits_it_has_not_seen(seed):
    train, (X_test, y_test) = split(*digits(), generator=np.random.default_rng(0))
    nnlib.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    loader = DataLoader(TensorDataset(*train), batch_size=32, shuffle=True)
    fit(model, loader, nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=0.003), epochs=20)
    assert accuracy(model(Tensor(X_test)), y_test) >= 0.95
