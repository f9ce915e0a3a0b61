"""Every array operation: what it computes and, beside it, its derivative.

An operation gets plain arrays and gives plain arrays. `grad` is the gradient of the result: how
much the loss moves when each number of the result moves. `backward` turns it into the gradient of
each input, by the chain rule. Where NumPy broadcast an input, the walk sums its gradient back to
its shape (see `Tensor._fit`), so no operation has to.
"""

import numpy as np

from nnlib.graph import Function

Array = np.ndarray
Dim = int | tuple[int, ...] | None  # the axes to go along; None means all


# Arithmetic, element by element


class Add(Function):
    """z = x + y"""

    symbol = "+"

    def forward(self, x, y):
        return x + y

    def backward(self, grad):
        return grad, grad


class Sub(Function):
    """z = x - y"""

    symbol = "-"

    def forward(self, x, y):
        return x - y

    def backward(self, grad):
        return grad, -grad


class Mul(Function):
    """z = x · y"""

    symbol = "*"

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, grad):
        need_x, need_y = self.needs
        return grad * self.y if need_x else None, grad * self.x if need_y else None


class Div(Function):
    """z = x / y"""

    symbol = "/"

    def forward(self, x, y):
        self.y = y
        return x / y

    def backward(self, grad):
        dx = grad / self.y
        return dx, -dx * self.out if self.needs[1] else None


class Neg(Function):
    """z = -x"""

    symbol = "-"

    def forward(self, x):
        return -x

    def backward(self, grad):
        return (-grad,)


class Pow(Function):
    """z = xⁿ for a plain number n, with the slope n·xⁿ⁻¹"""

    symbol = "**"

    def forward(self, x, n):
        self.x, self.n, self.symbol = x, n, f"**{n:g}"
        return x**n

    def backward(self, grad):
        return (grad * (self.n * self.x ** (self.n - 1)),)


class Where(Function):
    """z = x where the condition holds, y elsewhere"""

    symbol = "where"

    def forward(self, x, y, condition):
        self.condition = condition
        return np.where(condition, x, y)

    def backward(self, grad):
        return np.where(self.condition, grad, 0), np.where(self.condition, 0, grad)


# Functions of one number, applied to each


class Exp(Function):
    """z = eˣ, its own slope"""

    symbol = "exp"

    def forward(self, x):
        return np.exp(x)

    def backward(self, grad):
        return (grad * self.out,)


class Log(Function):
    """z = ln x, with the slope 1/x"""

    symbol = "log"

    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, grad):
        return (grad / self.x,)


class Sqrt(Function):
    """z = √x, with the slope 1/(2√x)"""

    symbol = "sqrt"

    def forward(self, x):
        return np.sqrt(x)

    def backward(self, grad):
        return (grad / (2 * self.out),)


class Abs(Function):
    """z = |x|, with the slope -1 below 0 and 1 above; at 0 we say 0"""

    symbol = "abs"

    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, grad):
        return (grad * np.sign(self.x),)


class Tanh(Function):
    """z = tanh x, squashing any number into (-1, 1)"""

    symbol = "tanh"

    def forward(self, x):
        return np.tanh(x)

    def backward(self, grad):
        return (grad * (1 - self.out * self.out),)


class Sigmoid(Function):
    """z = σ(x) = 1 / (1 + e⁻ˣ), squashing any number into (0, 1), with the slope z·(1 - z)"""

    symbol = "sigmoid"

    def forward(self, x):
        return sigmoid(x)

    def backward(self, grad):
        return (grad * (self.out * (1 - self.out)),)


class Relu(Function):
    """z = max(0, x), with the slope 1 above 0 and 0 elsewhere"""

    symbol = "relu"

    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, grad):
        return (grad * (self.out > 0),)


class LeakyRelu(Function):
    """z = x above 0 and slope·x elsewhere, so that no unit ever goes quite silent"""

    symbol = "leaky_relu"

    def forward(self, x, slope):
        self.x, self.slope = x, slope
        return np.where(x > 0, x, slope * x)

    def backward(self, grad):
        return (np.where(self.x > 0, grad, self.slope * grad),)


class Clamp(Function):
    """z = x held between low and high; where it is held, nothing flows back"""

    symbol = "clamp"

    def forward(self, x, low, high):
        self.x = x
        return np.clip(x, low, high)

    def backward(self, grad):
        return (grad * (self.x == self.out),)


class Copy(Function):
    """z = x, copied, perhaps into another dtype"""

    symbol = "copy"

    def forward(self, x, dtype):
        return x.astype(dtype)

    def backward(self, grad):
        return (grad,)


# Many numbers into fewer


class Sum(Function):
    """z = Σ x along the axes `dim`. Each x counts once, so each gets the gradient of its sum."""

    symbol = "sum"

    def forward(self, x, dim, keepdim):
        self.shape, self.dim, self.keepdim = x.shape, dim, keepdim
        return x.sum(axis=dim, keepdims=keepdim)

    def backward(self, grad):
        return (np.broadcast_to(_restored(grad, self.dim, self.keepdim), self.shape),)


class Mean(Function):
    """z = Σ x / n along the axes `dim`. Each of the n numbers gets an n-th of the gradient."""

    symbol = "mean"

    def forward(self, x, dim, keepdim):
        self.shape, self.dim, self.keepdim = x.shape, dim, keepdim
        total = x.sum(axis=dim, keepdims=keepdim)
        self.n = x.size // max(total.size, 1)
        return total / self.n

    def backward(self, grad):
        grad = _restored(grad, self.dim, self.keepdim) / self.n
        return (np.broadcast_to(grad, self.shape),)


class Max(Function):
    """z = the largest x along the axes `dim`. It alone gets the gradient; equals share it."""

    symbol = "max"

    def forward(self, x, dim, keepdim):
        self.x, self.dim, self.keepdim = x, dim, keepdim
        return x.max(axis=dim, keepdims=keepdim)

    def backward(self, grad):
        best = self.x == _restored(self.out, self.dim, self.keepdim)
        best = best.astype(grad.dtype)
        grad = _restored(grad, self.dim, self.keepdim) / best.sum(axis=self.dim, keepdims=True)
        return (grad * best,)


class Min(Max):
    """z = the smallest x along the axes `dim`. It alone gets the gradient; equals share it."""

    symbol = "min"

    def forward(self, x, dim, keepdim):
        self.x, self.dim, self.keepdim = x, dim, keepdim
        return x.min(axis=dim, keepdims=keepdim)


# The same numbers in another shape: the gradient goes the same way back


class Reshape(Function):
    """z = the numbers of x, in the same order, in another shape"""

    symbol = "reshape"

    def forward(self, x, shape):
        self.shape = x.shape
        return x.reshape(shape)

    def backward(self, grad):
        return (grad.reshape(self.shape),)


class Permute(Function):
    """z = x with its axes in another order: axis i of z is axis dims[i] of x"""

    symbol = "permute"

    def forward(self, x, dims):
        self.dims = dims
        return x.transpose(dims)

    def backward(self, grad):
        return (grad.transpose(np.argsort(self.dims)),)


class Index(Function):
    """z = x[index]. A number that was picked twice gets both gradients, one not picked gets 0."""

    symbol = "[ ]"

    def forward(self, x, index):
        self.x, self.index = x, index
        return x[index]

    def backward(self, grad):
        dx = np.zeros_like(self.x)
        np.add.at(dx, self.index, grad)
        return (dx,)


class Cat(Function):
    """z = the inputs one after another along the axis `dim`"""

    symbol = "cat"

    def forward(self, *xs, dim):
        self.dim, self.ends = dim, np.cumsum([x.shape[dim] for x in xs])
        return np.concatenate(xs, axis=dim)

    def backward(self, grad):
        return tuple(np.split(grad, self.ends[:-1], axis=self.dim))


class Stack(Function):
    """z = the inputs side by side along a new axis `dim`"""

    symbol = "stack"

    def forward(self, *xs, dim):
        self.dim = dim
        return np.stack(xs, axis=dim)

    def backward(self, grad):
        return tuple(np.moveaxis(grad, self.dim, 0))


# Sums of products


class MatMul(Function):
    """z = x @ y, with dx = dz @ yᵀ and dy = xᵀ @ dz"""

    symbol = "@"

    def forward(self, x, y):
        self.x, self.y = x, y
        return x @ y

    def backward(self, grad):
        x, y = self.x, self.y
        dx = dy = None
        # A vector on the right is a column, one on the left a row.
        if y.ndim == 1:
            y, grad = y[:, None], np.expand_dims(grad, -1)
        if x.ndim == 1:
            x, grad = x[None, :], np.expand_dims(grad, -2)
        if self.needs[0]:
            dx = grad @ y.swapaxes(-1, -2)
        if self.needs[1] and y.ndim == 2:  # one y for the whole batch: one large product
            dy = flat(x).T @ flat(grad)
        elif self.needs[1]:
            dy = x.swapaxes(-1, -2) @ grad
        if dy is not None and self.y.ndim == 1:
            dy = dy[:, 0]
        return dx, dy


class Linear(Function):
    """z = x Wᵀ + b: a layer. Its composed form is `x @ W.T + b`."""

    symbol = "x·Wᵀ+b"

    def forward(self, x, W, b):
        self.x, self.W = x, W
        return x @ W.T + b  # (..., D_in) -> (..., D_out)

    def backward(self, grad):
        dz = flat(grad)  # (n, D_out), however many axes the batch has
        dx = grad @ self.W if self.needs[0] else None
        dW = dz.T @ flat(self.x) if self.needs[1] else None
        db = np.ones(len(dz), dz.dtype) @ dz  # dz.sum(0), but faster
        return dx, dW, db


# Probabilities


class Softmax(Function):
    """z = eˣ / Σ eˣ along the axis `dim`: positive numbers that sum to 1"""

    symbol = "softmax"

    def forward(self, x, dim):
        self.dim = dim
        e = np.exp(x - x.max(axis=dim, keepdims=True))  # the shift cancels, and avoids overflow
        return e / e.sum(axis=dim, keepdims=True)

    def backward(self, grad):
        dz = grad * self.out
        return (dz - self.out * dz.sum(axis=self.dim, keepdims=True),)


class LogSoftmax(Function):
    """z = ln softmax(x) = x - ln Σ eˣ along the axis `dim`"""

    symbol = "log_softmax"

    def forward(self, x, dim):
        self.dim = dim
        x = x - x.max(axis=dim, keepdims=True)
        return x - np.log(np.exp(x).sum(axis=dim, keepdims=True))

    def backward(self, grad):
        return (grad - np.exp(self.out) * grad.sum(axis=self.dim, keepdims=True),)


class CrossEntropy(Function):
    """z = -ln softmax(x)[target], row by row. The slope is softmax(x), less 1 at the target.

    Its composed form is `-log_softmax(x, 1)[range(B), target]`.

    Shape:
        x (B, V), target (B,) of classes 0..V-1, z (B,).
    """

    symbol = "cross_entropy"

    def forward(self, x, target):
        self.target, self.rows = target, np.arange(len(x))
        x = x - x.max(axis=1, keepdims=True)  # (B, V)
        e = np.exp(x)
        total = e.sum(axis=1, keepdims=True)  # (B, 1)
        self.p = e / total
        return np.log(total[:, 0]) - x[self.rows, target]  # (B,)

    def backward(self, grad):
        dx = self.p * grad[:, None]  # (B, V)
        dx[self.rows, self.target] -= grad
        return (dx,)


class BinaryCrossEntropy(Function):
    """z = -(t·ln p + (1 - t)·ln(1 - p)), with the slope (p - t) / (p·(1 - p))

    As in torch a logarithm counts as at least -100, so that p = 0 or 1 gives no infinite loss.
    """

    symbol = "bce"

    def forward(self, p, target):
        self.p, self.target = p, target
        with np.errstate(divide="ignore"):
            return -(
                target * np.maximum(np.log(p), -100) + (1 - target) * np.maximum(np.log1p(-p), -100)
            )

    def backward(self, grad):
        return (grad * (self.p - self.target) / np.maximum(self.p * (1 - self.p), 1e-12),)


class BinaryCrossEntropyWithLogits(Function):
    """z = binary cross-entropy of σ(x). The slope is σ(x) - t, however far from 0 x is."""

    symbol = "bce_with_logits"

    def forward(self, x, target):
        self.x, self.target = x, target
        return np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x)))

    def backward(self, grad):
        return (grad * (sigmoid(self.x) - self.target),)


# What several operations share


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), never taking the exp of a large number."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def flat(x: Array) -> Array:
    """All axes but the last in one: (B, T, D) becomes (B·T, D)."""
    return x.reshape(-1, x.shape[-1])


def _restored(z: Array, dim: Dim, keepdim: bool) -> Array:
    """A reduced array with the axes that it lost, of length 1, so that it broadcasts again."""
    return z if keepdim or dim is None else np.expand_dims(z, dim)
