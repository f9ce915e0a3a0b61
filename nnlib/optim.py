"""Given its gradient, where should each parameter go? An optimizer is one formula for that."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any

import numpy as np

from nnlib.check import number, whole
from nnlib.graph import Node


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """One parameter moved.

    Attributes:
        name: "0.weight", or "param 0" if the optimizer was not given names.
        before, after: the parameter's `data`, a number or an array.
        grad: the gradient it moved by.
        state: what the optimizer remembers of this parameter, after the step.
    """

    name: str
    before: Any
    grad: Any
    state: dict[str, Any]
    after: Any


@dataclass(eq=False, repr=False)
class Optimizer:
    """What all optimizers share. A new one is a class with the method `update`.

    `lr` may be changed at any time. `state[name]` is what is remembered of one parameter; it holds
    `t`, how many steps that parameter has taken. `weight_decay` is 0 where a class does not set it.
    A class with more settings is a dataclass, as those below are: its numbers must be 0 or more.

    Unlike torch's, all parameters share one setting (no parameter groups), and `step()` raises if
    no parameter at all has a gradient: there it does nothing, and training stands still in silence.

    Args:
        params: Parameters, Tensors or Values that require grad, or pairs (name, parameter) as
            `model.named_parameters()` gives them.
        lr: the learning rate, 0 or more.

    Example:
        >>> from nnlib import Value
        >>> class SignDescent(Optimizer):
        ...     def update(self, p, g, state):
        ...         return p - self.lr if g > 0 else p + self.lr
        >>> w = Value(3.0)
        >>> optimizer = SignDescent([("w", w)], lr=0.5)
        >>> (w * w).backward()
        >>> for step in optimizer.steps():
        ...     print(f"{step.name}: {step.before} -> {step.after}, gradient {step.grad}")
        w: 3.0 -> 2.5, gradient 6.0
    """

    params: Any  # kept as {name: parameter}
    lr: float
    weight_decay = 0.0

    def __post_init__(self) -> None:
        self.params = _named(self.params, type(self).__name__)
        self.state: dict[str, dict[str, Any]] = {name: {"t": 0} for name in self.params}
        _check_settings(self)

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        """Return the new value of a parameter. Never change `p` or `g` in place.

        Args:
            p: the parameter's value, a number or an array.
            g: its gradient, of the same shape.
            state: this parameter's own, to keep things in from step to step. `state["t"]` is 1 at
                the first step.
        """
        owner = type(self).__name__
        raise NotImplementedError(f"Define update(self, p, g, state) in {owner}: return the new p.")

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[UpdateStep]:
        """The work of `step()`, one parameter at a time."""
        return self._steps(_moving(self.params, type(self).__name__))

    def _steps(self, moving: list[tuple[str, Node]]) -> Iterator[UpdateStep]:
        for name, p in moving:
            state = self.state[name]
            state["t"] += 1
            before, grad = p.data, p.grad
            after = self.update(before, grad, state)
            self._check(name, before, after)
            p.data = after
            yield UpdateStep(name, before, grad, dict(state), after)

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next `backward()` does not add to them."""
        for p in self.params.values():
            p.grad = None

    def _decayed(self, p: Any, g: Any) -> Any:
        """The gradient with that of the L2 penalty; `g` itself, unless there is `weight_decay`."""
        return g + self.weight_decay * p if self.weight_decay else g

    def _check(self, name: str, before: Any, after: Any) -> None:
        """A wrong `update` says so here, before the parameter is lost."""
        method = f"{type(self).__name__}.update()"
        if after is None:
            raise TypeError(f"{method} returned None for {name}. Return the new value of p.")
        if not hasattr(before, "shape"):  # the plain number of a Value
            return
        if after is before:
            fix = "Was it changed in place (p -= ...)? Compute a new one: return p - ..."
            raise ValueError(f"{method} returned the very array it was given for {name}. {fix}")
        shape, dtype = getattr(after, "shape", ()), getattr(after, "dtype", type(after).__name__)
        if (shape, dtype) != (before.shape, before.dtype):
            raise ValueError(
                f"{method} must return {name} with shape {before.shape} and dtype {before.dtype}; "
                f"got shape {shape} and dtype {dtype}. Was it broadcast, or mixed with float64?"
            )


@dataclass(eq=False, repr=False)
class SGD(Optimizer):
    """Step downhill: against the gradient, or against a running sum of it (momentum).

    ::

        g = g + weight_decay * p
        v = momentum * v + g                    # v starts at 0
        p = p - lr * (g + momentum * v)         # nesterov: look ahead along v
        p = p - lr * v                          # otherwise

    Momentum: Polyak (1964); Nesterov's in the form of Sutskever et al. (2013). The sum is torch's:
    `lr` stands outside it.

    Args:
        params: what to move.
        lr: the learning rate.
        momentum: how much of the running sum survives a step, 0 <= momentum < 1.
        weight_decay: pulls every parameter towards 0 (an L2 penalty), 0 or more.
        nesterov: look ahead; needs momentum.

    Example:
        >>> from nnlib import Value
        >>> w = Value(3.0)
        >>> optimizer = SGD([w], lr=0.1)
        >>> (w * w).backward()
        >>> optimizer.step()
        >>> round(w.data, 6)
        2.4
    """

    lr: float = 1e-3
    momentum: float = 0.0
    _: KW_ONLY
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and self.momentum == 0:
            raise ValueError("SGD needs momentum above 0 when nesterov=True: try momentum=0.9.")

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        g = self._decayed(p, g)
        if self.momentum == 0:
            return p - self.lr * g
        state["v"] = v = self.momentum * state.get("v", 0.0) + g
        if self.nesterov:
            v = g + self.momentum * v
        return p - self.lr * v


@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """Divide each gradient by its usual size, so that steep and flat directions move alike.

    ::

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g * g     # how large g is, squared, on average; starts at 0
        d = g / (sqrt(v) + eps)
        b = momentum * b + d                    # b starts at 0; without momentum it is d
        p = p - lr * b

    From Hinton's lectures (2012). `v` starts at 0 and Adam's correction is missing, so the first
    step is lr / sqrt(1 - alpha) long: ten times `lr`, if you leave `alpha` alone.

    Args:
        params: what to move.
        lr: the learning rate.
        alpha: how much of the average survives a step, in [0, 1).
        eps: keeps the division finite.
        weight_decay: an L2 penalty, added to the gradient.
        momentum: how much of the running sum survives a step, in [0, 1).

    Example:
        >>> from nnlib import Value
        >>> w = Value(3.0)
        >>> optimizer = RMSprop([w], lr=0.01)
        >>> (w * w).backward()
        >>> optimizer.step()
        >>> round(w.data, 6)
        2.9
    """

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        g = self._decayed(p, g)
        state["v"] = v = self.alpha * state.get("v", 0.0) + (1 - self.alpha) * (g * g)
        d = g / (v**0.5 + self.eps)
        if self.momentum:
            state["b"] = d = self.momentum * state.get("b", 0.0) + d
        return p - self.lr * d


@dataclass(eq=False, repr=False)
class Adam(Optimizer):
    """A step of about `lr` for each number, however large its gradient (Kingma & Ba, 2015).

    ::

        g = g + weight_decay * p
        m = b1 * m + (1 - b1) * g               # where the gradient points, on average
        v = b2 * v + (1 - b2) * g * g           # how large it is, squared, on average
        M = m / (1 - b1**t)                     # both start at 0: undo that
        V = v / (1 - b2**t)
        p = p - lr * M / (sqrt(V) + eps)

    Args:
        params: what to move.
        lr: the learning rate.
        betas: (b1, b2), how much of either average survives a step, each in [0, 1).
        eps: keeps the division finite.
        weight_decay: an L2 penalty, added to the gradient.

    Example:
        >>> from nnlib import Value
        >>> w = Value(3.0)
        >>> optimizer = Adam([w], lr=0.1)
        >>> (w * w).backward()
        >>> optimizer.step()
        >>> round(w.data, 6)
        2.9
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        owner, betas = type(self).__name__, self.betas
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"{owner} needs betas as a pair like (0.9, 0.999); got {betas!r}.")
        b1, b2 = (number(owner, f"betas[{i}]", b, below=1) for i, b in enumerate(betas))
        self.betas = b1, b2

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        return self._move(p, self._decayed(p, g), state)

    def _move(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        b1, b2 = self.betas
        t = state["t"]
        # Line by line, so that no array is made that the next line throws away: making one costs
        # more than the arithmetic. What is changed in place was made here.
        m = b1 * state.get("m", 0.0)
        m += (1 - b1) * g
        v = g * g
        v *= 1 - b2
        v += b2 * state.get("v", 0.0)
        state["m"], state["v"] = m, v
        size = v / (1 - b2**t)
        size **= 0.5  # the square root, of a number and of an array alike
        size += self.eps
        step = (-self.lr / (1 - b1**t)) * m
        step /= size
        step += p
        return step


@dataclass(eq=False, repr=False)
class AdamW(Adam):
    """Adam, with a weight decay that every parameter feels alike (Loshchilov & Hutter, 2019).

    Adam divides a gradient by its usual size, and an L2 penalty inside the gradient with it: where
    gradients are large, little of the penalty is left. Here the decay stays outside::

        p = p - lr * weight_decay * p
        p = p - lr * M / (sqrt(V) + eps)        # M and V as in Adam, of g alone

    Args:
        params: what to move.
        lr, betas, eps: as in Adam.
        weight_decay: the share of a parameter, times `lr`, that each step takes away.

    Example:
        >>> from nnlib import Value
        >>> w = Value(3.0)
        >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
        >>> (w * w).backward()
        >>> optimizer.step()
        >>> round(w.data, 6)  # 3 * (1 - 0.1 * 0.5), and lr towards 0
        2.75
    """

    weight_decay: float = 1e-2

    def update(self, p: Any, g: Any, state: dict[str, Any]) -> Any:
        return self._move(p - self.lr * self.weight_decay * p, g, state)


@dataclass(eq=False, repr=False)
class LRScheduler:
    """What schedulers share: `step()` counts `t` up and sets `optimizer.lr` to `rate(t)`.

    `every` says when `fit` is to call `step()`: after each "batch" or after each "epoch". torch has
    no such attribute, since there you call `step()` yourself. Set it on a scheduler to change it.

    Unlike torch's, the rate follows from `t` and from the rate that the scheduler found when it was
    made, `base_lr`. So an optimizer obeys one scheduler at a time: of two, the last to step wins.

    Example:
        >>> from nnlib import Value
        >>> class Halve(LRScheduler):
        ...     def rate(self, t):
        ...         return self.base_lr / 2**t
        >>> optimizer = SGD([Value(1.0)], lr=0.8)
        >>> scheduler = Halve(optimizer)
        >>> scheduler.step()
        >>> optimizer.lr
        0.4
    """

    optimizer: Optimizer
    every = "epoch"

    def __post_init__(self) -> None:
        _check_settings(self)
        self.base_lr = self.optimizer.lr
        self.t = 0
        self.optimizer.lr = self.rate(0)

    def rate(self, t: int) -> float:
        """The learning rate after `t` steps of the scheduler."""
        raise NotImplementedError("Define rate(self, t): the learning rate after t steps.")

    def step(self) -> None:
        """One epoch or batch is over: set the next rate."""
        self.t += 1
        self.optimizer.lr = self.rate(self.t)


@dataclass(eq=False, repr=False)
class StepLR(LRScheduler):
    """Go down a stair: `lr = base_lr * gamma ** (t // step_size)`.

    Args:
        optimizer: whose `lr` to set.
        step_size: how many epochs a stair is wide, 1 or more.
        gamma: what the rate is multiplied by at each stair.

    Example:
        >>> from nnlib import Value
        >>> scheduler = StepLR(SGD([Value(1.0)], lr=0.8), step_size=2, gamma=0.5)
        >>> [round(scheduler.rate(t), 4) for t in range(6)]
        [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    """

    step_size: int
    gamma: float = 0.1

    def rate(self, t: int) -> float:
        return self.base_lr * self.gamma ** (t // self.step_size)


@dataclass(eq=False, repr=False)
class CosineAnnealingLR(LRScheduler):
    """Slow at first, then fast, then slow again: half a cosine wave (Loshchilov & Hutter, 2017).

    ::

        lr = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2

    Args:
        optimizer: whose `lr` to set.
        T_max: after how many epochs `eta_min` is reached. Beyond, the rate rises again.
        eta_min: the lowest rate.

    Example:
        >>> from nnlib import Value
        >>> scheduler = CosineAnnealingLR(SGD([Value(1.0)], lr=0.8), T_max=4)
        >>> [round(scheduler.rate(t), 4) for t in range(5)]
        [0.8, 0.6828, 0.4, 0.1172, 0.0]
    """

    T_max: int
    eta_min: float = 0.0

    def rate(self, t: int) -> float:
        height = (1 + math.cos(math.pi * t / self.T_max)) / 2  # from 1 down to 0
        return self.eta_min + (self.base_lr - self.eta_min) * height


@dataclass(eq=False, repr=False)
class LinearLR(LRScheduler):
    """Warm up: raise the rate evenly, batch by batch, and then leave it where it is.

    ::

        done = min(t, total_iters) / total_iters
        lr = base_lr * (start_factor + (end_factor - start_factor) * done)

    Args:
        optimizer: whose `lr` to set.
        start_factor, end_factor: the share of `base_lr` at the beginning and at the end.
        total_iters: how many batches the way takes, 1 or more.

    Example:
        >>> from nnlib import Value
        >>> scheduler = LinearLR(SGD([Value(1.0)], lr=0.8), start_factor=0.25, total_iters=3)
        >>> [round(scheduler.rate(t), 4) for t in range(5)]
        [0.2, 0.4, 0.6, 0.8, 0.8]
    """

    start_factor: float = 1 / 3
    end_factor: float = 1.0
    total_iters: int = 5
    every = "batch"

    def rate(self, t: int) -> float:
        done = min(t, self.total_iters) / self.total_iters
        return self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * done)


@dataclass(eq=False, repr=False)
class ReduceLROnPlateau:
    """Lower the rate when a loss has stopped falling.

    ::

        if metrics < best * (1 - threshold): best, bad = metrics, 0
        else: bad = bad + 1
        if bad > patience: lr, bad = lr * factor, 0

    `fit` passes the validation loss, so it needs val=. In your own loop, call `step(loss)`.
    torch has more arguments; one of them, `eps`, stops the rate there once it is near 1e-8.

    Args:
        optimizer: whose `lr` to lower.
        mode: "min" for a loss; "max" for what should rise, such as accuracy: there, better means
            above best * (1 + threshold).
        factor: what the rate is multiplied by, below 1.
        patience: how many epochs in a row without a new best are forgiven, 0 or more.
        threshold: by which share of the best a new one must be better.

    Example:
        >>> from nnlib import Value
        >>> optimizer = SGD([Value(1.0)], lr=0.8)
        >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.5):
        ...     scheduler.step(loss)
        ...     print(optimizer.lr)
        0.8
        0.8
        0.8
        0.4
    """

    optimizer: Optimizer
    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    every = "epoch"

    def __post_init__(self) -> None:
        _check_settings(self)
        if self.mode not in ("min", "max"):
            raise ValueError(f'ReduceLROnPlateau needs mode "min" or "max"; got {self.mode!r}.')
        self.best = math.inf if self.mode == "min" else -math.inf
        self.num_bad_epochs = 0

    def step(self, metrics: float) -> None:
        """An epoch is over, with this loss: lower the rate, if it has waited too long."""
        low, high = self.best * (1 - self.threshold), self.best * (1 + self.threshold)
        better = metrics < low if self.mode == "min" else metrics > high
        self.best = metrics if better else self.best
        self.num_bad_epochs = 0 if better else self.num_bad_epochs + 1
        if self.num_bad_epochs > self.patience:
            self.optimizer.lr *= self.factor
            self.num_bad_epochs = 0


def clip_grad_norm_(parameters: Iterable[Any], max_norm: float, norm_type: float = 2.0) -> float:
    """Shorten all gradients by one factor, so that together they are at most `max_norm` long.

    Their direction stays. Call it between `loss.backward()` and `optimizer.step()`. In torch it is
    in `torch.nn.utils`, and does nothing if no parameter has a gradient; here it raises, as
    `step()` does.

    ::

        norm = (sum of |g| ** norm_type over every number of every gradient) ** (1 / norm_type)
        g = g * min(1, max_norm / (norm + 1e-6))

    Args:
        parameters: as for an optimizer.
        max_norm: the greatest length, 0 or more.
        norm_type: 2 for the usual length; math.inf for the largest |g|.

    Returns:
        The norm before clipping. If it is nan or infinite, so are gradients: stop there.

    Example:
        >>> from nnlib import Value
        >>> a, b = Value(3.0), Value(4.0)
        >>> (a * a + b * b).backward()
        >>> clip_grad_norm_([a, b], max_norm=5.0)
        10.0
        >>> print(f"{a.grad:.3f} {b.grad:.3f}")
        3.000 4.000
    """
    number("clip_grad_norm_", "max_norm", max_norm)
    moving = _moving(_named(parameters, "clip_grad_norm_"), "clip_grad_norm_")
    norms = [np.linalg.norm(np.ravel(p.grad), norm_type) for _, p in moving]
    norm = float(np.linalg.norm(norms, norm_type))  # the norm of the norms is that of all numbers
    factor = min(max_norm / (norm + 1e-6), 1.0)  # in this order, a nan stays a nan, as in torch
    for _, p in moving:
        p.grad = p.grad * factor
    return norm


def clip_grad_value_(parameters: Iterable[Any], clip_value: float) -> None:
    """Bring every number of every gradient into -clip_value..clip_value.

    Their direction may change. When to call it, and what it raises: as for `clip_grad_norm_`.

    Example:
        >>> from nnlib import Value
        >>> a, b = Value(3.0), Value(-0.5)
        >>> (a * a + b * b).backward()
        >>> clip_grad_value_([a, b], 2.0)
        >>> a.grad, b.grad
        (2.0, -1.0)
    """
    number("clip_grad_value_", "clip_value", clip_value)
    for _, p in _moving(_named(parameters, "clip_grad_value_"), "clip_grad_value_"):
        clipped = np.clip(p.grad, -clip_value, clip_value)
        p.grad = clipped if hasattr(p.grad, "shape") else float(clipped)  # a Value's is a number


def _moving(params: dict[str, Node], owner: str) -> list[tuple[str, Node]]:
    """Those that have a gradient."""
    moving = [(name, p) for name, p in params.items() if p.grad is not None]
    if not moving:
        raise RuntimeError(
            f"{owner}: no parameter has a gradient. Call loss.backward() first, and zero_grad() "
            "before it. If you did, the loss was computed by another model than the one with these."
        )
    return moving


_BELOW = {"alpha": 1, "factor": 1, "momentum": 1, "threshold": 1}  # other numbers have no limit
_LEAST = {"patience": 0}  # other counts begin at 1


def _check_settings(made: Any) -> None:
    """Each setting of an optimizer or a scheduler makes sense, or an error says what would."""
    owner = type(made).__name__
    for setting in fields(made):
        name, value = setting.name, getattr(made, setting.name)
        if setting.type is float:
            number(owner, name, value, _BELOW.get(name, math.inf))
        elif setting.type is int:
            setattr(made, name, whole(owner, name, value, _LEAST.get(name, 1)))
        elif setting.type is Optimizer and not isinstance(value, Optimizer):
            raise TypeError(f"{owner} needs an optimizer, to set its lr; got {value!r}.")


def _named(params: Any, owner: str) -> dict[str, Node]:
    """The parameters by name, or an error that says what is wrong with the list."""
    if callable(params):  # the model itself, or its method without the brackets
        raise TypeError(f"{owner} needs parameters; got {params!r}. Pass model.parameters().")
    if isinstance(params, Node):
        raise TypeError(f"{owner} needs a list of parameters; got one by itself. Write [p].")
    named: dict[str, Node] = {}
    for i, entry in enumerate(params):
        name, p = entry if isinstance(entry, tuple) and len(entry) == 2 else (f"param {i}", entry)
        if not isinstance(p, Node):
            got = f"{name} is a {type(p).__name__}"
            raise TypeError(f"{owner} needs Parameters, Tensors or Values; {got}.")
        if p.symbol:
            fix = "Pass the parameters that it was computed from."
            raise ValueError(f"{owner}: {name} is the result of a computation. {fix}")
        if name in named or any(p is q for q in named.values()):
            raise ValueError(f"{owner} got {name} twice; it would move twice. Pass it once.")
        named[name] = p
    if not named:
        fix = "Pass model.parameters() afresh: a generator is used up after one pass."
        raise ValueError(f"{owner} got an empty list of parameters. {fix}")
    return named
