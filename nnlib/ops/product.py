"""Sums of products."""

import numpy as np

from nnlib.graph import Function


class MatMul(Function):
    """z = x @ y, with dx = dz @ yᵀ and dy = xᵀ @ dz

    Shape:
        x (..., n, k), y (..., k, m), z (..., n, m); an axis is left out for a vector.

    Example:
        >>> MatMul().forward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
        array([[11.]])
    """

    symbol = "@"

    def forward(self, x, y):
        self.x, self.y = x, y
        return x @ y

    def backward(self, grad):
        x, y = self.x, self.y
        if y.ndim == 1:  # a vector on the right is a column, one on the left a row
            y, grad = y[:, None], grad[..., None]
        if x.ndim == 1:
            x, grad = x[None, :], grad[..., None, :]
        dx = grad @ y.swapaxes(-1, -2) if self.needs[0] else None
        if not self.needs[1]:
            return dx, None
        if y.ndim > 2:
            return dx, x.swapaxes(-1, -2) @ grad
        dy = flat(x).T @ flat(grad)  # one y for the whole batch: one large product
        return dx, dy[:, 0] if self.y.ndim == 1 else dy


class Linear(Function):
    """z = x Wᵀ + b: a layer. Its composed form is `x @ W.T + b`.

    Shape:
        x (..., D), W (O, D), b (O,), z (..., O).

    Example:
        >>> Linear().forward(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
        array([[11.5]])
    """

    symbol = "x·Wᵀ+b"

    def forward(self, x, W, b):
        self.x, self.W = x, W
        z = flat(x) @ W.T  # one large product, however many axes the batch has
        z += b
        return z.reshape(*x.shape[:-1], len(W))  # (..., D_in) -> (..., D_out)

    def backward(self, grad):
        dz = flat(grad)  # (n, D_out)
        dx = (dz @ self.W).reshape(self.x.shape) if self.needs[0] else None
        dW = dz.T @ flat(self.x) if self.needs[1] else None
        db = np.ones(len(dz), dz.dtype) @ dz  # dz.sum(0), but faster
        return dx, dW, db


def flat(x: np.ndarray) -> np.ndarray:
    """All axes but the last in one: (B, T, D) becomes (B·T, D)."""
    return x.reshape(-1, x.shape[-1])
