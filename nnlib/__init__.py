"""nnlib: a small neural-network library made to be read.

One letter per axis, in every comment on a shape:
B batch, T time, D features, H W image, C channels, K kernel, V vocabulary, N heads.
"""

from nnlib import data, functional, init, metrics, nn, optim, train
from nnlib.graph import no_grad
from nnlib.random import manual_seed
from nnlib.saving import load, save
from nnlib.scalar import MLP, Layer, Neuron, Value, total
from nnlib.tensor import Tensor, arange, cat, ones, randn, stack, tensor, where, zeros

__all__ = ["data", "functional", "init", "metrics", "nn", "optim", "train"]
__all__ += ["MLP", "Layer", "Neuron", "Value", "load", "manual_seed", "no_grad", "save", "total"]
__all__ += ["Tensor", "arange", "cat", "ones", "randn", "stack", "tensor", "where", "zeros"]
