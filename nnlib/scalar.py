"""A number that remembers how it was computed, and a neural network built from nothing else."""

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from operator import mul
from typing import Any

from nnlib.graph import Node, births, no_grad
from nnlib.random import generator


class Value(Node):
    """One number in a graph. Arithmetic on it gives new Values that know where they came from.

    An operation is recorded as data: its `symbol`, its `inputs`, and its `locals`, one local
    derivative per input, which says how far the result moves when that input moves by a little.

    Args:
        data: the number.
        label: your name for it in a picture.

    Example:
        >>> a = Value(2.0, label="a")
        >>> y = a * a + 3 * a
        >>> y.backward()
        >>> y, a.grad
        (Value(10, grad=1), 7.0)
    """

    __slots__ = ("inputs", "locals", "symbol")

    data: float
    grad: float | None
    symbol: str
    inputs: tuple["Value", ...]
    locals: tuple[float, ...]
    requires_grad = True

    def __init__(self, data: float, label: str = "") -> None:
        if not isinstance(data, Real):
            raise TypeError(f"a Value holds one number; got {type(data).__name__} {data!r}.")
        self.data = float(data)
        self.grad = None
        self.label = label
        self.order = next(births)
        self.symbol, self.inputs, self.locals = "", (), ()

    # Arithmetic. A plain number on either side becomes a leaf.

    def __add__(self, other: "Value | float") -> "Value":
        if not isinstance(other, Value):
            other = Value(other)
        return _made(self.data + other.data, "+", (self, other), (1.0, 1.0))

    def __radd__(self, other: float) -> "Value":
        return Value(other) + self

    def __sub__(self, other: "Value | float") -> "Value":
        if not isinstance(other, Value):
            other = Value(other)
        return _made(self.data - other.data, "-", (self, other), (1.0, -1.0))

    def __rsub__(self, other: float) -> "Value":
        return Value(other) - self

    def __mul__(self, other: "Value | float") -> "Value":
        if not isinstance(other, Value):
            other = Value(other)
        return _made(self.data * other.data, "*", (self, other), (other.data, self.data))

    def __rmul__(self, other: float) -> "Value":
        return Value(other) * self

    def __truediv__(self, other: "Value | float") -> "Value":
        if not isinstance(other, Value):
            other = Value(other)
        a, b = self.data, other.data
        return _made(a / b, "/", (self, other), (1 / b, -a / (b * b)))

    def __rtruediv__(self, other: float) -> "Value":
        return Value(other) / self

    def __neg__(self) -> "Value":
        return _made(-self.data, "-", (self,), (-1.0,))

    def __pow__(self, exponent: "Value | float") -> "Value":
        """A plain exponent is part of the operation; a Value is one of its inputs."""
        a = self.data
        n = exponent.data if isinstance(exponent, Value) else Value(exponent).data
        if a < 0 and n % 1:
            raise ValueError(f"({a:g}) ** {n:g} is no real number: a base below 0 needs a whole n.")
        out = a**n
        slope = n * a ** (n - 1) if a or n >= 1 else math.inf if n else 0.0
        if not isinstance(exponent, Value):
            return _made(out, f"**{n:g}", (self,), (slope,))
        if a <= 0:
            raise ValueError(f"{a:g} ** Value({n:g}) needs a base above 0: its slope has a log.")
        return _made(out, "**", (self, exponent), (slope, out * math.log(a)))

    def __rpow__(self, base: float) -> "Value":
        return Value(base) ** self

    # Functions of one number.

    def exp(self) -> "Value":
        """eˣ, its own slope; inf beyond the largest float."""
        out = math.exp(self.data) if self.data < 709.78 else math.inf
        return _made(out, "exp", (self,), (out,))

    def log(self) -> "Value":
        """The natural logarithm; its slope is 1/x."""
        if self.data <= 0:
            raise ValueError(f"log needs a number above 0; this Value is {self.data:g}.")
        return _made(math.log(self.data), "log", (self,), (1 / self.data,))

    def tanh(self) -> "Value":
        """tanh x, between -1 and 1; its slope is 1 - tanh² x."""
        out = math.tanh(self.data)
        return _made(out, "tanh", (self,), (1 - out * out,))

    def sigmoid(self) -> "Value":
        """σ(x) = 1 / (1 + e⁻ˣ), between 0 and 1; its slope is σ(x)·(1 - σ(x))."""
        e = math.exp(-abs(self.data))  # never above 1, so it cannot overflow
        out = 1 / (1 + e) if self.data >= 0 else e / (1 + e)
        return _made(out, "sigmoid", (self,), (out * (1 - out),))

    def relu(self) -> "Value":
        """max(0, x); its slope is 1 above 0, and 0 elsewhere."""
        on = self.data > 0
        return _made(self.data if on else 0.0, "relu", (self,), (1.0 if on else 0.0,))

    # Comparisons go by the number and give plain bools. `==` stays "the same node", so that
    # `node in nodes` finds this node and not another of equal value: compare `a.data == b.data`.

    def __lt__(self, other: "Value | float") -> bool:
        return self.data < float(other)

    def __le__(self, other: "Value | float") -> bool:
        return self.data <= float(other)

    def __gt__(self, other: "Value | float") -> bool:
        return self.data > float(other)

    def __ge__(self, other: "Value | float") -> bool:
        return self.data >= float(other)

    def detach(self) -> "Value":
        """The same number as a new leaf, cut off from the graph."""
        return Value(self.data, self.label)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        grad = "" if self.grad is None else f", grad={self.grad:.6g}"
        return f"Value({self.data:.6g}{label}{grad})"

    def _seed(self, gradient: float | None) -> float:
        return 1.0 if gradient is None else float(gradient)

    def _share(self, grad: float) -> list[float]:
        return [grad * slope for slope in self.locals]


_new = object.__new__


def _made(data: float, symbol: str, inputs: tuple[Value, ...], slopes: tuple[float, ...]) -> Value:
    """The Value that an operation made. (It skips `__init__`, whose checks take half the time.)"""
    if no_grad.depth:
        return Value(data)
    node = _new(Value)
    node.data = data
    node.grad = None
    node.label = ""
    node.order = next(births)
    node.symbol = symbol
    node.inputs = inputs
    node.locals = slopes
    return node


def total(values: Iterable[Value | float]) -> Value:
    """The sum of many Values as one operation: one node, where a chain of `+` makes one for each.

    Example:
        >>> total([Value(1.0), Value(2.0), 3.0])
        Value(6)
    """
    nodes = _nodes(values)
    return _made(sum([v.data for v in nodes]), "sum", nodes, (1.0,) * len(nodes))


def weighted_sum(weights: Sequence[Value], x: Sequence[Value | float], bias: Value) -> Value:
    """w₁x₁ + w₂x₂ + ... + b as one operation: what a neuron computes before its activation.

    Example:
        >>> weighted_sum([Value(2.0), Value(-1.0)], [3.0, 5.0], Value(0.5))
        Value(1.5)
    """
    xs = _nodes(x)
    w, v = [w.data for w in weights], [x.data for x in xs]
    out = sum(map(mul, w, v), bias.data)
    return _made(out, "w·x+b", (*weights, *xs, bias), (*v, *w, 1.0))


def _nodes(values: Iterable[Value | float]) -> tuple[Value, ...]:
    return tuple([v if isinstance(v, Value) else Value(v) for v in values])


ACTIVATIONS = {"tanh": Value.tanh, "relu": Value.relu, "sigmoid": Value.sigmoid, "linear": None}


class Neuron:
    """One neuron on Values: activation(w₁x₁ + w₂x₂ + ... + b).

    Args:
        n_in: how many inputs it has.
        activation: "tanh", "relu", "sigmoid", or "linear" for none.

    Example:
        >>> Neuron(2, activation="relu")
        Neuron(2, relu)
    """

    def __init__(self, n_in: int, activation: str = "tanh") -> None:
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is one of {', '.join(ACTIVATIONS)}; got {activation!r}.")
        bound = 1 / math.sqrt(n_in)  # as in torch's Linear
        self.w = [Value(generator.uniform(-bound, bound), label=f"w{i}") for i in range(n_in)]
        self.b = Value(generator.uniform(-bound, bound), label="b")
        self.activation = activation

    def __call__(self, x: Sequence[Value | float]) -> Value:
        if len(x) != len(self.w):
            raise ValueError(f"{self!r} takes {len(self.w)} inputs; got {len(x)}.")
        out = weighted_sum(self.w, x, self.b)
        activate = ACTIVATIONS[self.activation]
        return activate(out) if activate else out

    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, {self.activation})"


class Layer:
    """`n_out` neurons that look at the same inputs.

    Example:
        >>> layer = Layer(2, 3)
        >>> len(layer([0.5, -1.0]))
        3
    """

    def __init__(self, n_in: int, n_out: int, activation: str = "tanh") -> None:
        self.neurons = [Neuron(n_in, activation) for _ in range(n_out)]

    def __call__(self, x: Sequence[Value | float]) -> list[Value]:
        x = _nodes(x)  # once for all neurons, so that a number is one leaf
        return [neuron(x) for neuron in self.neurons]

    def parameters(self) -> list[Value]:
        """The parameters of each neuron in turn."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer({len(self.neurons)} of {self.neurons[0]!r})"


class MLP:
    """Layers one after another (a multi-layer perceptron). The last has no activation.

    Args:
        n_in: how many inputs it has.
        sizes: how many neurons each layer has.
        activation: that of every layer but the last.

    Example:
        >>> net = MLP(2, [16, 16, 1])
        >>> net, len(net.parameters())
        (MLP(2 -> 16 -> 16 -> 1, tanh), 337)
    """

    def __init__(self, n_in: int, sizes: Sequence[int], activation: str = "tanh") -> None:
        self.sizes = [n_in, *sizes]
        self.activation = activation
        hidden = [activation] * (len(sizes) - 1)
        self.layers = [Layer(*s) for s in zip(self.sizes, sizes, [*hidden, "linear"], strict=False)]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        """One Value if the last layer has one neuron, else a list of them."""
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def parameters(self) -> list[Value]:
        """The parameters of each layer in turn."""
        return [p for layer in self.layers for p in layer.parameters()]

    def zero_grad(self) -> None:
        """Forget every gradient, before the next backward() adds to it."""
        for p in self.parameters():
            p.grad = None

    def __repr__(self) -> str:
        return f"MLP({' -> '.join(map(str, self.sizes))}, {self.activation})"
