"""Numbers for what has none: for an id, and for a place in a sequence."""

from typing import Any

import numpy as np

from nnlib import functional as F, init
from nnlib.nn.module import Buffer, Module, Parameter
from nnlib.tensor import Tensor, expect, same_dtype, zeros


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
        self._sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        V, self.padding_idx = num_embeddings, padding_idx
        self.weight = init.normal_(Parameter(zeros(V, embedding_dim)))
        if padding_idx is not None:
            if not -V <= padding_idx < V:
                raise ValueError(f"Embedding needs padding_idx in 0..{V - 1}; got {padding_idx}.")
            self.padding_idx = padding_idx % V
            self.weight.data[padding_idx] = 0

    def forward(self, ids: Any) -> Tensor:
        return F.embedding(ids, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


# Attention alone does not see the order of positions. Something must tell it.


class _Positions(Module):
    weight: Tensor

    def forward(self, x: Tensor) -> Tensor:
        name, (max_len, D) = type(self).__name__, self.weight.shape
        fix = f"Each position needs {D} numbers."
        expect(name, x, "B T D", "T D", fix=fix, D=D)
        same_dtype(name, x, self.weight)
        T = x.shape[-2]
        if max_len < T:
            fix = "Cut x into shorter pieces, or make max_len larger."
            raise ValueError(f"{name} has max_len={max_len} positions; x {x.shape} has {T}. {fix}")
        return x + self.weight[:T]


class LearnedPositions(_Positions):
    """Add to each position numbers of its own, which are learned (as in GPT-2).

    Args:
        d_model: D, how many numbers each position has.
        max_len: how many positions there may be.

    Shape:
        x (B, T, D) or (T, D), T at most max_len, y the same; weight (max_len, D).

    The weight starts normal with standard deviation 0.02, as in GPT-2. torch has no such layer.

    Example:
        >>> LearnedPositions(8, max_len=10)(Tensor(np.zeros((3, 5, 8), np.float32))).shape
        (3, 5, 8)
    """

    def __init__(self, d_model: int, max_len: int):
        super().__init__()
        self.weight = init.normal_(Parameter(zeros(max_len, d_model)), std=0.02)


class SinusoidalPositions(_Positions):
    """Add to position t the numbers sin(t·f) and cos(t·f) for many frequencies f.

    f = 10000^(-2i/D) for the numbers 2i (sine) and 2i + 1 (cosine) of a position (Vaswani et al.,
    2017, section 3.5). Nothing is learned. torch has no such layer.

    Args:
        d_model: D, how many numbers each position has.
        max_len: how many positions there may be.

    Shape:
        x (B, T, D) or (T, D), T at most max_len, y the same; weight (max_len, D).

    Example:
        >>> SinusoidalPositions(4, max_len=10)(Tensor(np.zeros((2, 4), np.float32)))
        Tensor([[0., 1., 0., 1.], [0.8415, 0.5403, 0.01, 0.9999]])
    """

    def __init__(self, d_model: int, max_len: int):
        super().__init__()
        i = np.arange(d_model)
        angles = np.arange(max_len)[:, None] * 10000.0 ** (-(i - i % 2) / d_model)
        table = np.where(i % 2, np.cos(angles), np.sin(angles))  # (max_len, D)
        self.weight = Buffer(table.astype(np.float32))
