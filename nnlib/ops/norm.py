"""Normalisation: numbers brought to mean 0 and variance 1."""

import numpy as np

from nnlib.graph import Function


class LayerNorm(Function):
    """z = w · (x - mean) / √(var + eps) + b, the mean and variance taken over the axes of w.

    Its composed form is `h * w + b`, with h = `(x - x.mean(-1)) / (x.var(-1) + eps).sqrt()`. The
    mean and the variance move with each x: that takes from the gradient g of h what all have in
    common, and what goes along h. dx = (g - mean(g) - h · mean(g · h)) / √(var + eps).

    Shape:
        x (..., D), w and b (D), z (..., D). D may be several axes.

    Example:
        >>> x, w, b = np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 10.0])
        >>> LayerNorm().forward(x, w, b, eps=0.0)
        array([[-1., 12.]])
    """

    symbol = "layer_norm"

    def forward(self, x, w, b, eps):
        self.w, self.mean = w, np.full(w.size, 1 / w.size, w.dtype)
        rows = x.reshape(-1, w.size)  # (n, D)
        self.h = rows - (rows @ self.mean)[:, None]  # x @ mean is x.mean(1), but faster
        self.scale = 1 / np.sqrt((self.h * self.h) @ self.mean + eps)[:, None]  # (n, 1)
        self.h *= self.scale
        z = self.h * w.reshape(-1)
        z += b.reshape(-1)
        return z.reshape(x.shape)

    def backward(self, grad):
        w, h = self.w.reshape(-1), self.h
        dz = grad.reshape(h.shape)  # (n, D)
        dw = dz * h
        dx = dz * w
        dx -= (dx @ self.mean)[:, None]
        dx -= h * (dw @ (w * self.mean))[:, None]
        dx *= self.scale
        ones, shape = np.ones(len(h), w.dtype), self.w.shape
        return dx.reshape(grad.shape), (ones @ dw).reshape(shape), (ones @ dz).reshape(shape)
