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


class Conv2d(Function):
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
        self.window, self.padding = (w.shape[2:], stride, dilation), padding
        self.image, self.x, self.w = x.shape, padded(x, padding, 0), w
        z = w.reshape(len(w), -1) @ self.columns()  # (O, H'·W'·B)
        z += b[:, None]
        return _batch_first(z.reshape(len(w), *self.places))

    def backward(self, grad):
        w = self.w.reshape(len(self.w), -1)  # (O, C·K·K')
        dz = _batch_last(grad).reshape(len(w), math.prod(self.places))
        dw = (dz @ self.columns().T).reshape(self.w.shape)
        db = dz @ np.ones(dz.shape[1], dz.dtype)  # dz.sum(1), but faster
        if not self.needs[0]:
            return None, dw, db
        dseen = (w.T @ dz).reshape(*self.w.shape[1:], *self.places)
        return collected(dseen, self.image, self.padding, self.window), dw, db

    def columns(self):
        """What each place sees, (C·K·K', H'·W'·B): made twice, for it is large and quickly made."""
        seen = windows(self.x, *self.window)  # (C, K, K', H', W', B)
        self.places = seen.shape[3:]
        return seen.reshape(self.w[0].size, math.prod(self.places))


class MaxPool2d(Function):
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
        self.window, self.padding = (kernel, stride, dilation), padding
        self.x = padded(x, padding, -np.inf)
        seen = windows(self.x, *self.window)
        z = seen[:, 0, 0].copy()
        for i, j in np.ndindex(kernel):
            np.maximum(z, seen[:, i, j], out=z)
        return _batch_first(z)

    def backward(self, grad):
        kernel, rest, z = self.window[0], _batch_last(grad).copy(), _batch_last(self.out)
        dx = np.zeros(self.x.shape, grad.dtype)
        seen, target = windows(self.x, *self.window), windows(dx, *self.window)
        whole = not np.isnan(z).any()  # where there is a nan, it is the largest
        apart = self.window == (kernel, kernel, (1, 1))  # no pixel is seen twice
        for i, j in np.ndindex(kernel):
            x = seen[:, i, j]
            share = rest * (x == z if whole else (x == z) | (x != x))
            target[:, i, j] = share if apart else target[:, i, j] + share
            rest -= share
        return (_batch_first(unpadded(dx, self.padding)),)


class AvgPool2d(Function):
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
        self.window, self.padding, self.image = (kernel, stride, dilation), padding, x.shape
        seen = windows(padded(x, padding, 0), *self.window)
        self.seen = seen.shape
        return _batch_first(seen.sum((1, 2)) / math.prod(kernel))

    def backward(self, grad):
        share = _batch_last(grad) / math.prod(self.window[0])
        seen = np.broadcast_to(share[:, None, None], self.seen)
        return (collected(seen, self.image, self.padding, self.window),)


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


def collected(dseen: Array, shape: tuple[int, ...], padding: Pair, window: tuple) -> Array:
    """The gradient of images of this shape, from that of what the window saw.

    Each pixel was seen from several places, and collects from all of them.
    """
    B, C, H, W = shape
    dx = np.zeros((C, H + 2 * padding[0], W + 2 * padding[1], B), dseen.dtype)
    target = windows(dx, *window)
    for i, j in np.ndindex(dseen.shape[1:3]):
        target[:, i, j] += dseen[:, i, j]
    return _batch_first(unpadded(dx, padding))


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
