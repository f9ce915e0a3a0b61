"""The training loop, as a generator: one step per batch, and everything else is a filter over it.

    for step in early_stopping(fit_steps(model, loader, loss_fn, optimizer, epochs=50, val=val),
                               model, patience=5):
        print(step.epoch, step.batch, step.loss)

`fit` is that loop with a progress bar and a record.
"""

import math
import os
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

import numpy as np

from nnlib.check import whole
from nnlib.graph import no_grad
from nnlib.nn import Module
from nnlib.optim import Optimizer, ReduceLROnPlateau


@dataclass(frozen=True, slots=True)
class TrainStep:
    """The model has learned from one batch.

    Attributes:
        epoch: how often the data has been begun, from 1.
        batch: which batch of this epoch, from 1.
        loss: on this batch, before the weights moved.
        lr: the learning rate of this step.
        val_loss: on the validation data, after the last batch of an epoch; None at other batches.
    """

    epoch: int
    batch: int
    loss: float
    lr: float
    val_loss: float | None = None


def fit_steps(
    model: Module,
    loader: Iterable[Any],
    loss_fn: Any,
    optimizer: Optimizer,
    *,
    epochs: int,
    val: Iterable[Any] | None = None,
    scheduler: Any = None,
) -> Iterator[TrainStep]:
    """Train, and yield a TrainStep after each batch.

    The model is put into train mode before each batch, so a loop that looks at it in eval mode
    between two steps does no harm. It is left in train mode, as torch would leave it: call
    `model.eval()` before you use it.

    Args:
        model: what to train.
        loader: gives batches (x, y), anew each time it is iterated: a DataLoader, or a list.
            Of a longer batch all but the last go to the model.
        loss_fn: called as loss_fn(model(x), y).
        optimizer: made from model.parameters().
        epochs: how often to go through the loader, 1 or more.
        val: batches to measure `val_loss` on at the end of each epoch.
        scheduler: changes optimizer.lr by its step(), called after each batch or each epoch as its
            `every`, "batch" or "epoch", says. ReduceLROnPlateau is called with each `val_loss`.

    Raises:
        RuntimeError: a loss is nan or infinite. The message names the step, the learning rate and
            the first parameter whose gradient is not finite.

    Example:
        >>> import nnlib
        >>> from nnlib import nn, optim
        >>> model = nn.Linear(1, 1)
        >>> batches = [(nnlib.tensor([[0.0], [1.0]]), nnlib.tensor([[1.0], [3.0]]))]
        >>> optimizer = optim.SGD(model.parameters(), lr=0.3)
        >>> for step in fit_steps(model, batches, nn.MSELoss(), optimizer, epochs=2):
        ...     print(step.epoch, step.batch, step.lr)
        1 1 0.3
        2 1 0.3
    """
    whole("fit_steps", "epochs", epochs)
    every = getattr(scheduler, "every", None)
    if scheduler is not None and every not in ("batch", "epoch"):
        need = 'scheduler.every to be "batch" or "epoch", to know when to call its step()'
        raise ValueError(f"fit_steps needs {need}; got {every!r}.")
    if isinstance(scheduler, ReduceLROnPlateau) and val is None:
        raise ValueError("fit_steps needs val= with ReduceLROnPlateau, to watch its loss.")
    return _fit_steps(model, loader, loss_fn, optimizer, epochs, val, scheduler)


def _fit_steps(model, loader, loss_fn, optimizer, epochs, val, scheduler) -> Iterator[TrainStep]:
    for epoch in range(1, epochs + 1):
        last = False
        for number, (batch, following) in enumerate(pairwise(chain(loader, [None])), start=1):
            last = following is None  # the None above, behind the last batch
            lr = optimizer.lr
            loss = _learn(model, batch, loss_fn, optimizer, f"epoch {epoch}, batch {number}")
            val_loss = None
            if last and val is not None:
                val_loss = evaluate(model, val, loss_fn)
                if not math.isfinite(val_loss):
                    raise RuntimeError(
                        f"The validation loss is {val_loss} after epoch {epoch} (learning rate "
                        f"{lr:g}), in training {loss:.4g}. Lower the rate, or look for nan in val."
                    )
            if isinstance(scheduler, ReduceLROnPlateau):
                if val_loss is not None:
                    scheduler.step(val_loss)
            elif scheduler is not None and (scheduler.every == "batch" or last):
                scheduler.step()
            yield TrainStep(epoch, number, loss, lr, val_loss)
        if not last:
            why = "no data, less than a batch with drop_last=True, or a generator that is used up"
            raise ValueError(f"The loader gave no batches: {why}. Pass a DataLoader or a list.")


def _learn(model, batch, loss_fn, optimizer, where: str) -> float:
    """Forward, backward, update: the five lines of every training loop. The reply is the loss."""
    *x, y = _pair(batch)
    model.train()
    # NumPy would warn of an overflow here; we stop at the nan that comes of it, and say more.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        loss = loss_fn(model(*x), y)
        value = loss.item()
        if not math.isfinite(value):
            raise RuntimeError(_not_finite(model, x, y, loss, optimizer.lr, where))
        optimizer.zero_grad()  # as late as this, so that a nan can be traced to the last gradients
        loss.backward()
        optimizer.step()
    return value


def _not_finite(model, x, y, loss, lr: float, where: str) -> str:
    found = f"The loss is {loss.item()} at {where} (learning rate {lr:g})."
    for name, values in (("x", x), ("y", [y])):
        if not all(np.isfinite(v.data).all() for v in values):
            return f"{found} The batch's {name} holds nan or inf: clean the data first."
    gradients = _bad_gradient(model)
    if not gradients:  # those of the step before were fine; what about this one's?
        loss.backward()
        gradients = _bad_gradient(model) or "Every gradient is still finite."
    return (
        f"{found} {gradients} Lower the learning rate, or look for the log of 0, a division by 0 "
        "or the exp of a large number in the model and the loss."
    )


def _bad_gradient(model) -> str:
    for name, p in model.named_parameters():
        if p.grad is not None and not np.isfinite(p.grad).all():
            return f"The first gradient that is not finite is that of {name}."
    return ""


def evaluate(model: Module, loader: Iterable[Any], loss_fn: Any) -> float:
    """The mean loss per example, in eval mode and without a graph.

    A smaller last batch counts by its size. The model's mode is left as it was found.

    Example:
        >>> import nnlib
        >>> from nnlib import nn, optim
        >>> model = nn.Linear(1, 1)
        >>> batches = [(nnlib.tensor([[0.0], [1.0]]), nnlib.tensor([[1.0], [3.0]]))]
        >>> model.load_state_dict({"weight": [[2.0]], "bias": [0.0]})
        >>> evaluate(model, batches, nn.MSELoss())
        1.0
    """
    was_training = model.training
    model.eval()
    total = count = 0
    with no_grad():
        for *x, y in map(_pair, loader):
            total += loss_fn(model(*x), y).item() * len(y)
            count += len(y)
    model.train(was_training)
    if count == 0:
        raise ValueError("evaluate got no batches. Pass a DataLoader or a list with at least one.")
    return total / count


class early_stopping:
    """Pass steps on until the validation loss has not improved for `patience` epochs.

    The best weights are put back when the steps end, for whichever reason. If you leave the loop
    yourself, call `.restore()`. (Lower case, because it is used like a function.)

    Args:
        steps: from `fit_steps(..., val=...)`.
        model: the model that they train.
        patience: how many epochs in a row may bring no new best, 1 or more.

    Attributes:
        best_epoch, best_loss: when the validation loss was lowest, and what it was.

    Example:
        >>> from nnlib import nn
        >>> losses = [0.9, 0.5, 0.7, 0.8, 0.4]
        >>> steps = [TrainStep(epoch, 1, 0.1, 0.1, loss) for epoch, loss in enumerate(losses, 1)]
        >>> stopped = early_stopping(steps, nn.Linear(1, 1), patience=2)
        >>> [step.epoch for step in stopped], stopped.best_epoch
        ([1, 2, 3, 4], 2)
    """

    def __init__(self, steps: Iterable[TrainStep], model: Module, patience: int):
        whole("early_stopping", "patience", patience)
        self._steps, self._model, self._patience = steps, model, patience
        self._best_state: dict[str, np.ndarray] | None = None
        self.best_epoch = 0
        self.best_loss = math.inf

    def __iter__(self) -> Iterator[TrainStep]:
        epoch = 0
        for step in self._steps:
            if step.val_loss is not None:
                epoch = step.epoch
                if step.val_loss < self.best_loss:
                    self.best_epoch, self.best_loss = step.epoch, step.val_loss
                    self._best_state = self._model.state_dict()  # copies
            elif step.epoch > epoch + 1:
                break  # a whole epoch without a validation loss: restore() says so
            yield step
            if step.val_loss is not None and step.epoch - self.best_epoch >= self._patience:
                break
        self.restore()

    def restore(self) -> None:
        """Put the best weights back into the model."""
        if self._best_state is None:
            fix = "Pass val= to fit_steps, and let it run for at least one epoch."
            raise ValueError(f"early_stopping saw no validation loss. {fix}")
        self._model.load_state_dict(self._best_state)


def progress(steps: Iterable[TrainStep], total: int | None = None) -> Iterator[TrainStep]:
    """Pass steps on under a progress bar that shows epoch and loss.

    Set the environment variable TQDM_DISABLE=1 to have no bar.

    Args:
        steps: from `fit_steps`.
        total: how many there will be, if you know.

    Example:
        >>> steps = [TrainStep(1, 1, 0.9, 0.1), TrainStep(1, 2, 0.7, 0.1)]
        >>> [step.loss for step in progress(steps)]
        [0.9, 0.7]
    """
    from tqdm.auto import tqdm

    # tqdm looks at this variable only once, when it is imported.
    silent = os.environ.get("TQDM_DISABLE", "0") != "0"
    with tqdm(steps, total=total, unit=" batches", disable=silent) as bar:
        for step in bar:
            bar.set_postfix(epoch=step.epoch, loss=f"{step.loss:.4f}", refresh=False)
            yield step


@dataclass
class History:
    """What happened in training, epoch by epoch: print it, or plot its lists.

    `steps` holds the TrainStep of every batch.

    Example:
        >>> history = History([TrainStep(1, 1, 0.9, 0.1), TrainStep(1, 2, 0.7, 0.1, 0.75),
        ...                    TrainStep(2, 1, 0.5, 0.1), TrainStep(2, 2, 0.3, 0.1, 0.45)])
        >>> history.epoch, history.loss, history.val_loss
        ([1, 2], [0.8, 0.4], [0.75, 0.45])
        >>> print(history)
        epoch    loss  val_loss   lr
            1  0.8000    0.7500  0.1
            2  0.4000    0.4500  0.1
    """

    steps: list[TrainStep] = field(default_factory=list, repr=False)

    @property
    def epoch(self) -> list[int]:
        """1, 2, 3 ...: the horizontal axis."""
        return list(self._epochs())

    @property
    def loss(self) -> list[float]:
        """The mean of each epoch's batch losses.

        The weights moved meanwhile, so it lags behind: it may lie above `val_loss` without anything
        being wrong. A smaller last batch counts as much as any other.
        """
        return [math.fsum(s.loss for s in steps) / len(steps) for steps in self._epochs().values()]

    @property
    def val_loss(self) -> list[float]:
        """The validation loss after each epoch; empty if there was no validation data."""
        return [s.val_loss for s in self.steps if s.val_loss is not None]

    @property
    def lr(self) -> list[float]:
        """The learning rate at the end of each epoch."""
        return [steps[-1].lr for steps in self._epochs().values()]

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the lowest validation loss; None without validation data."""
        losses = self.val_loss
        return 1 + losses.index(min(losses)) if losses else None

    def _epochs(self) -> dict[int, list[TrainStep]]:
        epochs: dict[int, list[TrainStep]] = {}
        for step in self.steps:
            epochs.setdefault(step.epoch, []).append(step)
        return epochs

    def __str__(self) -> str:
        """A table with one row per epoch; of a long training about twenty rows and the last."""
        forms = {"epoch": "d", "loss": ".4f", "val_loss": ".4f", "lr": "g"}
        if not self.val_loss:
            del forms["val_loss"]
        columns = [[format(v, form) for v in getattr(self, name)] for name, form in forms.items()]
        rows = list(zip(*columns, strict=False))
        rows = [tuple(forms), *rows[: -1 : math.ceil(len(rows) / 20) or 1], *rows[-1:]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def fit(
    model: Module,
    loader: Iterable[Any],
    loss_fn: Any,
    optimizer: Optimizer,
    *,
    epochs: int,
    val: Iterable[Any] | None = None,
    scheduler: Any = None,
    patience: int | None = None,
) -> History:
    """Train the model and say how it went: `fit_steps`, `early_stopping`, `progress` in one.

    Args:
        patience: stop after so many epochs without a better validation loss, and put the best
            weights back. Needs val.
        model, loader, loss_fn, optimizer, epochs, val, scheduler: as for `fit_steps`.

    Example:
        >>> import nnlib
        >>> from nnlib import nn, optim
        >>> nnlib.manual_seed(0)
        >>> model = nn.Linear(1, 1)
        >>> x, y = nnlib.tensor([[0.0], [1.0]]), nnlib.tensor([[1.0], [3.0]])
        >>> optimizer = optim.SGD(model.parameters(), lr=0.3)
        >>> history = fit(model, [(x, y)], nn.MSELoss(), optimizer, epochs=100)
        >>> print(f"y = {model.weight.item():.2f} x + {model.bias.item():.2f}")
        y = 2.00 x + 1.00
    """
    if patience is not None and val is None:
        raise ValueError(f"fit needs val= to stop early (patience={patience}): pass a DataLoader.")
    steps: Iterable[TrainStep] = fit_steps(
        model, loader, loss_fn, optimizer, epochs=epochs, val=val, scheduler=scheduler
    )
    if patience is not None:
        steps = early_stopping(steps, model, patience)
    total = epochs * len(loader) if isinstance(loader, Sized) else None
    return History(list(progress(steps, total)))


def _pair(batch: Any) -> Any:
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        got, fix = type(batch).__name__, "DataLoader(TensorDataset(X, y), batch_size=32)"
        raise TypeError(f"Training needs batches (x, y); the loader gave a {got}. Try {fix}.")
    return batch
