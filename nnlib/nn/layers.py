"""The layers that every network has."""

import math
from dataclasses import dataclass

from nnlib import functional as F, init
from nnlib.nn.module import Module, Parameter, Stateless
from nnlib.tensor import Tensor, zeros


class Linear(Module):
    """A weighted sum per output, plus a bias: y = x Wᵀ + b.

    Args:
        in_features, out_features: how many numbers go in and come out.
        bias: whether to add b.

    Shape:
        x (..., in_features), y (..., out_features), weight (out_features, in_features),
        bias (out_features,).

    Both start uniform in ±1/√in_features, as torch's do.

    Example:
        >>> Linear(3, 2)(zeros(5, 3)).shape
        (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__()
        self._sizes(in_features=in_features, out_features=out_features)
        bound = 1 / math.sqrt(in_features)
        self.weight = init.uniform_(Parameter(zeros(out_features, in_features)), -bound, bound)
        self.bias = init.uniform_(Parameter(zeros(out_features)), -bound, bound) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):
            got = type(x).__name__
            raise TypeError(f"Linear needs a Tensor; got a {got}. Wrap it: nnlib.tensor(x).")
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(self._wrong_shape(x.shape))
        return F.linear(x, self.weight, self.bias)

    def _wrong_shape(self, shape: tuple[int, ...]) -> str:
        n_in, n_out = self.in_features, self.out_features
        if len(shape) > 1 and math.prod(shape[1:]) == n_in:
            fix = f"Flatten the image first: x.reshape({shape[0]}, -1)."
        elif math.prod(shape) == n_in:
            fix = f"For a single example: x.reshape(1, {n_in})."
        elif len(shape) > 1 and shape[-2] == n_in:
            fix = "The axes look swapped: x.T."
        elif shape:
            fix = f"Make the part before it give {n_in}, or this one Linear({shape[-1]}, {n_out})."
        else:
            fix = "Give it a vector or a batch of vectors."
        needs = f"Linear({n_in} -> {n_out}) needs the last axis to be {n_in}"
        return f"{needs}; x has shape {shape}. {fix}"

    def extra_repr(self) -> str:
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"


@dataclass(eq=False, repr=False)
class Flatten(Stateless):
    """Lay all axes from `start_dim` on out in a row.

    Shape:
        x (B, C, H, W) or any other, y (B, C·H·W).

    Example:
        >>> Flatten()(zeros(5, 3, 8, 8)).shape
        (5, 192)
    """

    start_dim: int = 1
    end_dim: int = -1

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)


@dataclass(eq=False, repr=False)
class Dropout(Stateless):
    """In train mode, set each number to 0 with probability p and divide the others by 1 - p.

    So the expected output is the input (Srivastava et al., 2014). In eval mode it does nothing.

    Shape: any; y has that of x.

    Example:
        >>> drop = Dropout(0.5)
        >>> sorted(set(drop(zeros(100) + 1).tolist()))
        [0.0, 2.0]
        >>> drop.eval()(Tensor([1.0, 1.0]))
        Tensor([1., 1.])
    """

    p: float = 0.5

    def __post_init__(self):
        if not 0 <= self.p <= 1:
            raise ValueError(f"Dropout needs p, the share to drop, from 0 to 1; got {self.p}.")

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training)
