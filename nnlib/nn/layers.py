"""The layers that every network has, and its activations."""

import math
from typing import Any

import numpy as np

from nnlib import functional as F
from nnlib import init
from nnlib.check import whole
from nnlib.nn.module import Module, Parameter
from nnlib.tensor import Tensor


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
        >>> Linear(3, 2)(Tensor(np.ones((5, 3), np.float32))).shape
        (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        super().__init__()
        self.in_features = whole("Linear", "in_features", in_features)
        self.out_features = whole("Linear", "out_features", out_features)
        self.weight = Parameter(np.empty((out_features, in_features), np.float32))
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # ±1/√in_features
        self.bias = None
        if bias:
            bound = 1 / math.sqrt(in_features)
            self.bias = Parameter(np.empty(out_features, np.float32))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):
            raise TypeError(
                f"Linear needs a Tensor; got a {type(x).__name__}. Wrap it: nnlib.tensor(x)."
            )
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(self._wrong_shape(tuple(x.shape)))
        return F.linear(x, self.weight, self.bias)

    def _wrong_shape(self, shape: tuple[int, ...]) -> str:
        n_in, n_out = self.in_features, self.out_features
        if len(shape) > 1 and math.prod(shape[1:]) == n_in:
            advice = f"Flatten the image first: x.reshape({shape[0]}, -1)."
        elif math.prod(shape) == n_in:
            advice = f"For a single example: x.reshape(1, {n_in})."
        elif len(shape) > 1 and shape[-2] == n_in:
            advice = "The axes look swapped: x.T."
        elif shape:
            advice = (
                f"Make the part before it give {n_in}, or this one Linear({shape[-1]}, {n_out})."
            )
        else:
            advice = "Give it a vector or a batch of vectors."
        return (
            f"Linear({n_in} -> {n_out}) needs the last axis to be {n_in}; x has shape {shape}. "
            + advice
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Flatten(Module):
    """Lay all axes from `start_dim` on out in a row.

    Shape:
        x (B, C, H, W) or any other, y (B, C·H·W).

    Example:
        >>> Flatten()(Tensor(np.zeros((5, 3, 8, 8)))).shape
        (5, 192)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Dropout(Module):
    """In train mode, set each number to 0 with probability p and divide the others by 1 - p.

    So the expected output is the input (Srivastava et al., 2014). In eval mode it does nothing.

    Shape: any; y has that of x.

    Example:
        >>> drop = Dropout(0.5)
        >>> sorted(set(drop(Tensor(np.ones((10, 10)))).data.ravel().tolist()))
        [0.0, 2.0]
        >>> drop.eval()(Tensor([1.0, 1.0]))
        Tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout needs p, the share to drop, from 0 to 1; got {p}.")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Embedding(Module):
    """A row of numbers to learn for each id: y = weight[ids].

    Args:
        num_embeddings: how many ids there are, V.
        embedding_dim: how many numbers stand for each, D.
        padding_idx: an id that stands for nothing: its row starts at 0 and is not trained.

    Shape:
        ids (...), whole numbers from 0 to V - 1, y (..., D), weight (V, D).

    The weight starts standard normal.

    Example:
        >>> Embedding(65, 4)(Tensor([[0, 64, 1]])).shape
        (1, 3, 4)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None):
        super().__init__()
        self.num_embeddings = whole("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = whole("Embedding", "embedding_dim", embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding needs padding_idx to be one of its {num_embeddings} ids; got "
                    f"{padding_idx}."
                )
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        init.normal_(self.weight)
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0

    def forward(self, ids: Any) -> Tensor:
        return F.embedding(ids, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


# Activations


class ReLU(Module):
    """max(0, x)

    Shape: any; y has that of x.

    Example:
        >>> ReLU()(Tensor([-1.0, 2.0]))
        Tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


class LeakyReLU(Module):
    """x where it is positive, negative_slope · x elsewhere.

    Shape: any; y has that of x.

    Example:
        >>> LeakyReLU(0.5)(Tensor([-1.0, 2.0]))
        Tensor([-0.5, 2.])
    """

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class GELU(Module):
    """x · Φ(x), with Φ(x) the share of a bell curve below x: a relu without a corner.

    Args:
        approximate: "none", or "tanh" for the form that GPT-2 uses. See `functional.gelu`.

    Shape: any; y has that of x.

    Example:
        >>> GELU()(Tensor([-1.0, 2.0]))
        Tensor([-0.1587, 1.9545])
    """

    def __init__(self, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x · σ(x): a relu without a corner.

    Shape: any; y has that of x.

    Example:
        >>> SiLU()(Tensor([-1.0, 2.0]))
        Tensor([-0.2689, 1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)


class Tanh(Module):
    """tanh x, in (-1, 1)

    Shape: any; y has that of x.

    Example:
        >>> Tanh()(Tensor([-1.0, 2.0]))
        Tensor([-0.7616, 0.964])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ), in (0, 1)

    Shape: any; y has that of x.

    Example:
        >>> Sigmoid()(Tensor([-1.0, 2.0]))
        Tensor([0.2689, 0.8808])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class Softmax(Module):
    """eˣ / Σ eˣ along the axis `dim`: positive numbers that sum to 1.

    Shape: any; y has that of x.

    Example:
        >>> Softmax(0)(Tensor([-1.0, 2.0]))
        Tensor([0.0474, 0.9526])
    """

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
