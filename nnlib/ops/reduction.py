"""Many numbers into fewer."""

import numpy as np

from nnlib.graph import Function

Array = np.ndarray
Dim = int | tuple[int, ...] | None  # the axes to go along; None means all


class Sum(Function):
    """z = Σ x along the axes `dim`. Each x counts once, so each gets the gradient of its sum.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Sum().forward(np.array([[1.0, 2.0], [3.0, 4.0]]), dim=0, keepdim=False)
        array([4., 6.])
    """

    symbol = "sum"

    def forward(self, x, dim, keepdim):
        self.shape, self.dim, self.keepdim = x.shape, dim, keepdim
        return x.sum(axis=dim, keepdims=keepdim)

    def backward(self, grad):
        return (np.broadcast_to(_restored(grad, self.dim, self.keepdim), self.shape),)


class Mean(Function):
    """z = Σ x / n along the axes `dim`. Each of the n numbers gets an n-th of the gradient.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Mean().forward(np.array([[1.0, 2.0], [3.0, 4.0]]), dim=0, keepdim=False)
        array([2., 3.])
    """

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
    """z = the largest x along the axes `dim`. It alone gets the gradient; equals share it.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Max().forward(np.array([[1.0, 2.0], [3.0, 0.0]]), dim=0, keepdim=False)
        array([3., 2.])
    """

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
    """z = the smallest x along the axes `dim`. It alone gets the gradient; equals share it.

    Shape:
        x any; z without the axes `dim`, or with keepdim of length 1 there.

    Example:
        >>> Min().forward(np.array([[1.0, 2.0], [3.0, 0.0]]), dim=0, keepdim=False)
        array([1., 0.])
    """

    symbol = "min"

    def forward(self, x, dim, keepdim):
        self.x, self.dim, self.keepdim = x, dim, keepdim
        return x.min(axis=dim, keepdims=keepdim)


def _restored(z: Array, dim: Dim, keepdim: bool) -> Array:
    """A reduced array with the axes that it lost, of length 1, so that it broadcasts again."""
    return z if keepdim or dim is None else np.expand_dims(z, dim)
