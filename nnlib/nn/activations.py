"""Activations: what stands between two layers, which without it would be one."""

from dataclasses import dataclass

from nnlib import functional as F
from nnlib.nn.module import Module, Stateless
from nnlib.tensor import Tensor


class ReLU(Module):
    """max(0, x)

    Shape: any; y has that of x.

    Example:
        >>> ReLU()(Tensor([-1.0, 2.0]))
        Tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


@dataclass(eq=False, repr=False)
class LeakyReLU(Stateless):
    """x where it is positive, negative_slope · x elsewhere.

    Shape: any; y has that of x.

    Example:
        >>> LeakyReLU(0.5)(Tensor([-1.0, 2.0]))
        Tensor([-0.5, 2.])
    """

    negative_slope: float = 0.01

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)


@dataclass(eq=False, repr=False)
class GELU(Stateless):
    """x · Φ(x), with Φ(x) the share of a bell curve below x: a relu without a corner.

    Args:
        approximate: "none", or "tanh" for the form that GPT-2 uses. See `functional.gelu`.

    Shape: any; y has that of x.

    Example:
        >>> GELU()(Tensor([-1.0, 2.0]))
        Tensor([-0.1587, 1.9545])
    """

    approximate: str = "none"

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self.approximate)


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


@dataclass(eq=False, repr=False)
class Softmax(Stateless):
    """eˣ / Σ eˣ along the axis `dim`: positive numbers that sum to 1.

    Shape: any; y has that of x.

    Example:
        >>> Softmax(0)(Tensor([-1.0, 2.0]))
        Tensor([0.0474, 0.9526])
    """

    dim: int

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim)
