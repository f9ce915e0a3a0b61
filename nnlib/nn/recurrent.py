"""Recurrent networks: one step per element of a sequence, and a state that is carried on.

A layer is one operation for all times; what it does at each stands in `nnlib/ops/sequence.py`.
Unlike torch's, these go one way only (no `bidirectional`), and an output is the state itself (no
`proj_size`).
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nnlib import functional as F, init, ops
from nnlib.nn.layers import Dropout
from nnlib.nn.module import Module, Parameter
from nnlib.tensor import Tensor, expect, same_dtype, stack, zeros

# What each layer has, in the order in which the operation takes it.
KEYS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(eq=False, repr=False)
class _Recurrent(Module):
    """Layers on top of each other: the outputs of one are the inputs of the next.

    It is a dataclass: its fields, in this order, are the arguments it is made with.
    """

    gates: ClassVar[int]  # how many blocks of hidden_size rows its weights have
    states: ClassVar[tuple[str, ...]] = ("h_0",)  # what is carried on, by its name at the start

    op: Any = field(init=False)  # the operation that is one layer
    input_size: int
    hidden_size: int
    num_layers: int = 1
    nonlinearity: str = field(init=False)  # of an RNN alone, which has it at this place
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0

    def __post_init__(self):
        D, H, L = self.input_size, self.hidden_size, self.num_layers
        self._sizes(input_size=D, hidden_size=H, num_layers=L)
        self.dropout, bound = float(Dropout(self.dropout).p), 1 / math.sqrt(H)
        for k in range(L):
            columns = [[H if k else D], [H], [], []]
            for key, more in zip(KEYS if self.bias else KEYS[:2], columns, strict=False):
                p = Parameter(zeros(self.gates * H, *more))
                setattr(self, f"{key}_l{k}", init.uniform_(p, -bound, bound))

    def extra_repr(self) -> str:
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        unusual = [f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *unusual])

    def forward(self, x: Tensor, hx: Any = None) -> tuple[Tensor, Any]:
        name, form = type(self).__name__, "B T D" if self.batch_first else "T B D"
        fix = "Put the features last, by x.permute(...), or make the layer with another input_size."
        expect(name, x, form, "T D", fix=fix, D=self.input_size)
        asker, swapped = f"{name} with x {x.shape}", self.batch_first and x.ndim == 3
        if swapped:
            x = x.transpose(0, 1)
        T, *batch, _ = x.shape  # (T, B, D), or without a batch (T, D)
        if T == 0:
            raise ValueError(f"{asker} needs at least one step in time. Leave out what is empty.")
        start = self._start(asker, hx, batch, x.dtype)
        same_dtype(name, x, self.weight_hh_l0, start[0])  # c_0 is converted, as in torch
        no_bias, ends = zeros(len(self.weight_hh_l0), dtype=x.dtype), []
        x = x if batch else x.unsqueeze(1)
        for k in range(self.num_layers):
            weights = [vars(self).get(f"{key}_l{k}", no_bias) for key in KEYS]
            x = F.dropout(x, self.dropout if k else 0.0, self.training)
            s = self.op.apply(x, *weights, *[h[k].reshape(-1, self.hidden_size) for h in start])
            x = s[0, 1:]  # (T, B, H), of all the states (S, T+1, B, H)
            ends.append(s[:, -1])
        end = stack(ends, 1)  # (S, L, B, H)
        if not batch:
            x, end = x[:, 0], end[:, :, 0]
        x = x.transpose(0, 1) if swapped else x
        return x, tuple(end) if len(start) > 1 else end[0]

    def _start(self, asker: str, hx: Any, batch: list[int], dtype: Any) -> list[Tensor]:
        """The states before the first step, (L, B, H) each; zeros unless given."""
        names, L, H = self.states, self.num_layers, self.hidden_size
        if hx is None:
            return [zeros(L, *batch, H, dtype=dtype) for _ in names]
        start = [hx] if len(names) == 1 else hx
        if not isinstance(start, (list, tuple)) or len(start) != len(names):
            got, wanted = type(hx).__name__, ", ".join(names)
            fix = "Pass what the layer returned beside its output, or leave hx out."
            raise TypeError(f"{asker} needs hx=({wanted}); got a {got}. {fix}")
        fix = "Leave hx out to start from zeros, or give it one state per layer and example."
        axes = "L B H" if batch else "L H"
        for h, called in zip(start, names, strict=True):
            expect(asker, h, axes, called=called, fix=fix, L=L, B=math.prod(batch), H=H)
        return list(start)


@dataclass(eq=False, repr=False)
class RNN(_Recurrent):
    """A layer that sees its own last output: h_t = tanh(W_ih x_t + b_ih + W_hh h_t-1 + b_hh).

    From Elman (1990).

    Args:
        input_size, hidden_size: D, how many numbers come in at each time, and H, how many go out.
        num_layers: L, how many layers stand on top of each other.
        nonlinearity: "tanh" or "relu".
        bias: whether to add b_ih and b_hh.
        batch_first: whether x and the output have the batch first; the states never have.
        dropout: the share to drop, in train mode, of what goes from one layer to the next.

    Shape:
        x (T, B, D), or (B, T, D) if batch_first, or (T, D); hx, h_0, (L, B, H) or (L, H), zeros
        unless given. It returns `output, h_n`: the top layer's h at each time, in the form of x,
        and the last h of each layer, in the form of h_0. Per layer k = 0, 1 ... it has
        weight_ih_lk (H, D), or (H, H) from the second on, weight_hh_lk (H, H), bias_ih_lk and
        bias_hh_lk (H,), all uniform in ±1/√H at the start.

    Example:
        >>> output, h_n = RNN(3, 4)(zeros(5, 2, 3))
        >>> output.shape, h_n.shape
        ((5, 2, 4), (1, 2, 4))
    """

    gates = 1

    nonlinearity: str = "tanh"

    def __post_init__(self):
        kinds = {"tanh": ops.RNN, "relu": ops.ReluRNN}
        if self.nonlinearity not in kinds:
            raise ValueError(f"RNN needs nonlinearity 'tanh' or 'relu'; got {self.nonlinearity!r}.")
        self.op = kinds[self.nonlinearity]
        super().__post_init__()


class LSTM(_Recurrent):
    """A layer with a memory c that gates write to, keep and read (Hochreiter & Schmidhuber, 1997).

    ::

        a = W_ih x_t + b_ih + W_hh h_t-1 + b_hh     # four blocks of H rows: i, f, g, o
        i, f, o = σ(a_i), σ(a_f), σ(a_o)            # write, keep, read: each from 0 to 1
        g = tanh(a_g)                               # what to write
        c_t = f · c_t-1 + i · g
        h_t = o · tanh(c_t)

    The gate f is from Gers et al. (2000). To remember from the start, set its bias:
    `lstm.bias_hh_l0.data[H : 2 * H] = 2`.

    Args: those of RNN, except nonlinearity.

    Shape:
        as for RNN, with 4·H rows in weights and biases. hx is the pair (h_0, c_0), and it returns
        `output, (h_n, c_n)`.

    Example:
        >>> output, (h_n, c_n) = LSTM(3, 4)(zeros(5, 2, 3))
        >>> output.shape, h_n.shape, c_n.shape
        ((5, 2, 4), (1, 2, 4), (1, 2, 4))
    """

    op = ops.LSTM
    gates = 4
    states = ("h_0", "c_0")


class GRU(_Recurrent):
    """A layer that mixes its last output with a new one, gate by gate (Cho et al., 2014).

    ::

        x = W_ih x_t + b_ih                         # three blocks of H rows: r, u, n
        h = W_hh h_t-1 + b_hh
        r, u = σ(x_r + h_r), σ(x_u + h_u)           # torch's documentation calls u z
        n = tanh(x_n + r · h_n)
        h_t = (1 - u) · n + u · h_t-1

    Args: those of RNN, except nonlinearity.

    Shape:
        as for RNN, with 3·H rows in weights and biases.

    Example:
        >>> output, h_n = GRU(3, 4)(zeros(5, 2, 3))
        >>> output.shape, h_n.shape
        ((5, 2, 4), (1, 2, 4))
    """

    op = ops.GRU
    gates = 3
