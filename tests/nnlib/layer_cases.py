"""One or more cases for every layer and loss: how it is made, and what it is given."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Case:
    """A module of `nn` and of `torch.nn`, and inputs on which both must agree.

    Attributes:
        name: the class.
        args, kwargs: with which both are made.
        inputs: a shape for standard normal floats, or an array that is passed as it is.
        options: more arguments of the call; an array becomes a tensor.
        train: whether the module is in train mode (dropout would differ).
        again: whether ten steps of an optimizer make sense; no, for a loss or without parameters.
        batch: which axis of the inputs is the batch, for the empty one; None if there is none.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ((3, 4),)
    options: dict[str, Any] = field(default_factory=dict)
    train: bool = True
    batch: int | None = 0

    def __str__(self) -> str:
        args = [*map(str, self.args), *(f"{k}={v}" for k, v in self.kwargs.items())]
        shapes = [s if isinstance(s, tuple) else s.shape for s in self.inputs]
        return f"{self.name}({', '.join(args)}) of {' and '.join(map(str, shapes))}" + (
            f" with {', '.join(self.options)}" if self.options else ""
        )

    def arrays(self, dtype: Any = np.float64, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [
            rng.normal(size=s).astype(dtype) if isinstance(s, tuple) else s for s in self.inputs
        ]


def ints(shape: tuple[int, ...], high: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, high, shape)


LAYERS = [
    Case("Linear", (4, 5)),
    Case("Linear", (4, 5), {"bias": False}),
    Case("Linear", (4, 5), inputs=((4,),), batch=None),
    Case("Linear", (4, 5), inputs=((3, 6, 4),)),
    Case("Flatten", inputs=((3, 4, 5),)),
    Case("Flatten", (0, 1), inputs=((3, 4, 5),)),
    Case("Dropout", (0.3,), train=False),
    Case("ReLU"),
    Case("LeakyReLU"),
    Case("LeakyReLU", (0.3,)),
    Case("Tanh"),
    Case("Sigmoid"),
    Case("Softmax", (1,)),
    Case("Softmax", (-1,), inputs=((3, 4, 5),)),
]

LOSSES = [
    Case("MSELoss", inputs=((3, 4), np.linspace(-1, 1, 12).reshape(3, 4))),
    Case("L1Loss", inputs=((3, 4), np.linspace(-1, 1, 12).reshape(3, 4))),
    Case("CrossEntropyLoss", inputs=((5, 3), ints((5,), 3))),
    Case("BCEWithLogitsLoss", inputs=((5,), ints((5,), 2).astype(np.float64))),
    # BCELoss takes probabilities, not any float: test_nn.py
]

CONTAINERS = {"Module", "Sequential", "ModuleList"}
ELSEWHERE = {"BCELoss"}  # compared with torch in a test of its own
