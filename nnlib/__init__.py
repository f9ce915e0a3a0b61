"""nnlib: a small neural-network library made to be read."""

from nnlib.graph import no_grad
from nnlib.random import manual_seed
from nnlib.scalar import MLP, Layer, Neuron, Value, total

__all__ = ["MLP", "Layer", "Neuron", "Value", "manual_seed", "no_grad", "total"]
