"""Fused operations of Transformers."""

import numpy as np

from nnlib.graph import Function


class Attention(Function):
    """z = softmax(scale · q kᵀ + mask) v: each query takes its own mean of the values.

    Its composed form is `((q * scale) @ k.transpose(-2, -1) + mask).softmax(-1) @ v`; dropout
    multiplies what softmax gives by `kept`. Here the division by Σ e comes last, where there are
    fewest numbers to divide. And since softmax's derivative p · (dp - Σ p · dp) takes from each row
    a sum that is also Σ dz · z, no array of all pairs is made but e and its gradient.

    Shape:
        q (..., T, D), k (..., S, D), v (..., S, E), mask one that broadcasts to (..., T, S),
        z (..., T, E).

    Example:
        >>> q, k, v = np.array([[0.0]]), np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
        >>> Attention().forward(q, k, v, scale=1.0)
        array([[4.]])
    """

    symbol = "attention"

    def forward(self, q, k, v, *mask, scale, kept=None):
        self.q, self.k, self.v, self.scale, self.kept = q * scale, k, v, scale, kept
        e = self.q @ k.swapaxes(-2, -1)  # (..., T, S)
        if mask:
            e += mask[0]
        e -= np.maximum(e.max(-1, keepdims=True), np.finfo(e.dtype).min)  # so not -inf - -inf
        self.e = np.exp(e, out=e)
        # A row's largest e is 1, so only where all is masked is Σ e less. There z is 0.
        self.total = np.maximum(e @ np.ones(e.shape[-1], e.dtype), 1)[..., None]
        return like(q, self._dropped(e), v) / self.total

    def backward(self, grad):
        grad = grad / self.total  # (..., T, E)
        de = self._dropped(grad @ self.v.swapaxes(-2, -1))  # (..., T, S)
        de -= (grad * self.out).sum(-1, keepdims=True)
        de *= self.e
        dq = like(self.q, de, self.k)
        dq *= self.scale
        dk = like(self.k, de.swapaxes(-2, -1), self.q)
        dv = like(self.v, self._dropped(self.e).swapaxes(-2, -1), grad)
        return (dq, dk, dv, de)[: len(self.needs)]

    def _dropped(self, e):
        return e if self.kept is None else e * self.kept


def like(pattern, x, y):
    """x @ y, in memory in the order of axes that `pattern` has: heads may lie inside of time."""
    return np.matmul(x, y, out=np.empty_like(pattern, shape=(*x.shape[:-1], y.shape[-1])))
