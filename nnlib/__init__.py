"""nnlib: a small neural-network library made to be read.

One letter per axis, in every comment on a shape:
B batch, T time, D features, H W image, C channels, K kernel, V vocabulary, N heads.
"""

from nnlib import functional
from nnlib.graph import no_grad
from nnlib.random import manual_seed
from nnlib.scalar import MLP, Layer, Neuron, Value, total
from nnlib.tensor import Tensor, arange, cat, ones, randn, stack, tensor, where, zeros

__all__ = [
    "MLP",
    "Layer",
    "Neuron",
    "Tensor",
    "Value",
    "arange",
    "cat",
    "functional",
    "manual_seed",
    "no_grad",
    "ones",
    "randn",
    "stack",
    "tensor",
    "total",
    "where",
    "zeros",
]
