"""micrograd's demo, number by number: a network 2-16-16-1 learns to separate 100 points.

The goal counts from micrograd's time. Nothing but the names it is given differs between engines.
"""

from collections.abc import Callable

import numpy as np

from tests.bench.workloads import Workload

WHAT = "100 points, 2-16-16-1, ReLU, hinge loss"
OTHERS = {"reference": "micrograd", "peers": ("composed",)}
WORKLOADS = {
    "moons": Workload(WHAT, 1 / 15, **OTHERS),
    "moons_nogc": Workload(f"{WHAT}; Python's garbage collector off", 1 / 2.5, **OTHERS),
}


def training(value: Callable, model, call: Callable, total: Callable) -> Callable[[], float]:
    """A function that takes one training step and returns the loss before it.

    Args:
        value: makes a number of the engine.
        model: has `parameters()` and `zero_grad()`.
        call: the model's output for the numbers of one point.
        total: the engine's sum of many numbers.
    """
    points, signs = data()
    params = model.parameters()
    for p, w in zip(params, first_weights(len(params)), strict=True):
        p.data = w

    def step() -> float:
        scores = [call([value(v) for v in point]) for point in points]
        hinges = [(1 + -sign * score).relu() for sign, score in zip(signs, scores, strict=True)]
        loss = total(hinges) * (1 / len(hinges)) + 1e-4 * total([p * p for p in params])
        model.zero_grad()
        loss.backward()
        for p in params:
            p.data -= 0.1 * p.grad
        return loss.data

    return step


def data() -> tuple[list[list[float]], list[int]]:
    from nnlib.data import moons

    X, y = moons(100, noise=0.1, generator=np.random.default_rng(0))
    return X.tolist(), (2 * y - 1).tolist()


def first_weights(n: int) -> list[float]:
    return np.random.default_rng(0).uniform(-1, 1, n).tolist()


def nnlib():
    from nnlib import MLP, Value, total

    model = MLP(2, [16, 16, 1], activation="relu")
    return training(Value, model, model, total)


def composed():
    """On nnlib's Values, with the demo's own sums of two numbers at a time."""
    from nnlib import MLP, Value

    model = MLP(2, [16, 16, 1], activation="relu")

    def call(x):
        for layer in model.layers:
            x = [sum((w * v for w, v in zip(n.w, x, strict=True)), n.b) for n in layer.neurons]
            x = x if layer is model.layers[-1] else [v.relu() for v in x]
        return x[0]

    return training(Value, model, call, sum)


def micrograd():
    from micrograd.engine import Value
    from micrograd.nn import MLP

    model = MLP(2, [16, 16, 1])
    return training(Value, model, model, sum)
