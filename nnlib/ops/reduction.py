"""Many numbers into fewer."""

import numpy as np

from nnlib.graph import Function

Dim = int | tuple[int, ...] | None  # the axes to go along; None means all


class _Reduction(Function):
    """z = `reduced` x, in which the axes `dim` have length 1; without `keepdim` they then go away.

    `backward` gives them back to the gradient, with the shape of `few`: so it broadcasts to x.
    """

    def forward(self, x, dim, keepdim):
        self.x, self.dim = x, dim
        self.few = self.reduced(x)
        return self.few if keepdim else self.few.squeeze(dim)

    def reduced(self, x):
        raise NotImplementedError


class Sum(_Reduction):
    """z = Σ x along the axes `dim`. Each x counts once, so each gets the gradient of its sum.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Sum().forward(np.array([[1.0, 2.0], [3.0, 4.0]]), dim=0, keepdim=False)
        array([4., 6.])
    """

    symbol = "sum"

    def reduced(self, x):
        return x.sum(axis=self.dim, keepdims=True)

    def backward(self, grad):
        return (np.broadcast_to(grad.reshape(self.few.shape), self.x.shape),)


class Mean(_Reduction):
    """z = Σ x / n along the axes `dim`. Each of the n numbers gets an n-th of the gradient.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Mean().forward(np.array([[1.0, 2.0], [3.0, 4.0]]), dim=0, keepdim=False)
        array([2., 3.])
    """

    symbol = "mean"

    def reduced(self, x):
        total = x.sum(axis=self.dim, keepdims=True)
        self.n = x.size // max(total.size, 1)
        return total / self.n

    def backward(self, grad):
        return (np.broadcast_to(grad.reshape(self.few.shape) / self.n, self.x.shape),)


class Max(_Reduction):
    """z = the largest x along the axes `dim`. It alone gets the gradient; equals share it.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Max().forward(np.array([[1.0, 2.0], [3.0, 0.0]]), dim=0, keepdim=False)
        array([3., 2.])
    """

    symbol = "max"

    def reduced(self, x):
        return x.max(axis=self.dim, keepdims=True)

    def backward(self, grad):
        best = (self.x == self.few).astype(grad.dtype)
        return (grad.reshape(self.few.shape) / best.sum(axis=self.dim, keepdims=True) * best,)


class Min(Max):
    """z = the smallest x along the axes `dim`. It alone gets the gradient; equals share it.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Min().forward(np.array([[1.0, 2.0], [3.0, 0.0]]), dim=0, keepdim=False)
        array([1., 0.])
    """

    symbol = "min"

    def reduced(self, x):
        return x.min(axis=self.dim, keepdims=True)
