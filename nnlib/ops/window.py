"""A window that slides over an image: convolution and max-pooling.

Both see the image with the batch as its last axis, (C, H, W, B). What a window sees at one of its
places is then a row of B neighbours in memory, which is copied at once. The result is turned back
to (B, C, H', W') without moving a number, so the next window finds it as it likes it.
"""

import math

import numpy as np

from nnlib.graph import Function

Array = np.ndarray
Pair = tuple[int, int]  # (along H, along W)


class _Window(Function):
    """An operation on what a window sees: `look` goes there, and `collected` comes back."""

    def look(self, x, kernel, stride, padding, dilation, fill=0.0):
        """What the window sees of x with a border of `fill`: (C, K, K', H', W', B)."""
        self.window, self.padding = (kernel, stride, dilation), padding
        self.x = padded(x, padding, fill)
        return windows(self.x, *self.window)

    def collected(self, parts):
        """The gradient of x. Each part of the window, (C, H', W', B), gives its own to what it saw.

        A pixel that was seen from several places collects from all of them.
        """
        dx = np.zeros(self.x.shape, self.x.dtype)
        target, (kernel, stride, dilation) = windows(dx, *self.window), self.window
        once = stride == kernel and dilation == (1, 1)  # no pixel is seen twice: nothing to add to
        for (i, j), part in zip(np.ndindex(kernel), parts, strict=True):
            target[:, i, j] = part if once else target[:, i, j] + part
        return _batch_first(unpadded(dx, self.padding))


class Conv2d(_Window):
    """z = Σ w·x over channels and window, plus b, at each place of the window.

    What each place sees becomes one column. Then a convolution is one product of matrices, with
    the derivatives of one: dW = dz @ columnsᵀ and dcolumns = Wᵀ @ dz.

    Shape:
        x (B, C, H, W), w (O, C, K, K'), b (O,), z (B, O, H', W').

    Example:
        >>> image = np.arange(8.0).reshape(1, 1, 2, 4)
        >>> op = Conv2d()
        >>> op.forward(image, np.ones((1, 1, 2, 2)), np.zeros(1), (1, 1), (0, 0), (1, 1))
        array([[[[10., 14., 18.]]]])
    """

    symbol = "conv2d"

    def forward(self, x, w, b, stride, padding, dilation):
        self.w, self.places = w, self.look(x, w.shape[2:], stride, padding, dilation).shape[3:]
        z = w.reshape(len(w), -1) @ self.columns()  # (O, H'·W'·B)
        z += b[:, None]
        return _batch_first(z.reshape(len(w), *self.places))

    def backward(self, grad):
        C, *kernel = self.w.shape[1:]
        w = self.w.reshape(len(self.w), -1)  # (O, C·K·K')
        dz = _batch_last(grad).reshape(len(w), math.prod(self.places))
        dw = (dz @ self.columns().T).reshape(self.w.shape)
        db = dz @ np.ones(dz.shape[1], dz.dtype)  # dz.sum(1), but faster
        if not self.needs[0]:
            return None, dw, db
        parts = (w.T @ dz).reshape(C, math.prod(kernel), *self.places).swapaxes(0, 1)
        return self.collected(parts), dw, db

    def columns(self):
        """What each place sees, (C·K·K', H'·W'·B): made twice, for it is large and quickly made."""
        return windows(self.x, *self.window).reshape(self.w[0].size, math.prod(self.places))


class MaxPool2d(_Window):
    """z = the largest x in each window. It alone gets the gradient; of equals, the first.

    Shape:
        x (B, C, H, W), z (B, C, H', W').

    Example:
        >>> image = np.arange(8.0).reshape(1, 1, 2, 4)
        >>> MaxPool2d().forward(image, (2, 2), (2, 2), (0, 0), (1, 1))
        array([[[[5., 7.]]]])
    """

    symbol = "max_pool2d"

    def forward(self, x, kernel, stride, padding, dilation):
        seen = self.look(x, kernel, stride, padding, dilation, -np.inf)
        self.parts = [seen[:, i, j] for i, j in np.ndindex(kernel)]
        z = self.parts[0].copy()
        for part in self.parts[1:]:
            np.maximum(z, part, out=z)
        return _batch_first(z)

    def backward(self, grad):
        return (self.collected(self.shares(_batch_last(grad).copy(), _batch_last(self.out))),)

    def shares(self, rest, z):
        """What each part of the window gets of the `rest` that the parts before it left."""
        whole = not np.isnan(z).any()  # where there is a nan, it is the largest
        for x in self.parts:
            share = rest * (x == z if whole else (x == z) | (x != x))
            yield share
            rest -= share


class AvgPool2d(_Window):
    """z = the mean of x in each window. Each of the n numbers gets an n-th of the gradient.

    Shape:
        x (B, C, H, W), z (B, C, H', W').

    Example:
        >>> image = np.arange(8.0).reshape(1, 1, 2, 4)
        >>> AvgPool2d().forward(image, (2, 2), (2, 2), (0, 0), (1, 1))
        array([[[[2.5, 4.5]]]])
    """

    symbol = "avg_pool2d"

    def forward(self, x, kernel, stride, padding, dilation):
        seen = self.look(x, kernel, stride, padding, dilation)
        return _batch_first(seen.sum((1, 2)) / math.prod(kernel))

    def backward(self, grad):
        n = math.prod(self.window[0])
        return (self.collected([_batch_last(grad) / n] * n),)


def windows(x: Array, kernel: Pair, stride: Pair, dilation: Pair) -> Array:
    """What each part of the window sees, as a view: (C, H, W, B) becomes (C, K, K', H', W', B).

    Example:
        >>> image = np.arange(12).reshape(1, 3, 4, 1)
        >>> windows(image, (2, 2), (1, 1), (1, 1))[0, :, :, 1, 2, 0]  # at row 1, column 2
        array([[ 6,  7],
               [10, 11]])
    """
    (C, H, W, B), (c, h, w, b) = x.shape, x.strides
    (k, m), (s, t), (d, e) = kernel, stride, dilation
    places = (H - d * (k - 1) - 1) // s + 1, (W - e * (m - 1) - 1) // t + 1
    return np.ndarray((C, k, m, *places, B), x.dtype, x, 0, (c, d * h, e * w, s * h, t * w, b))


def padded(x: Array, padding: Pair, fill: float) -> Array:
    """(B, C, H, W) as (C, H + 2·padding, W + 2·padding', B), with `fill` around it."""
    x, (p, q) = _batch_last(x), padding
    if not (p or q):
        return x
    C, H, W, B = x.shape
    result = np.full((C, H + 2 * p, W + 2 * q, B), fill, x.dtype)
    unpadded(result, padding)[...] = x
    return result


def unpadded(x: Array, padding: Pair) -> Array:
    p, q = padding
    return x[:, p : x.shape[1] - p, q : x.shape[2] - q]


def _batch_last(x: Array) -> Array:
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def _batch_first(x: Array) -> Array:
    return x.transpose(3, 0, 1, 2)
