"""Probabilities, and the losses that judge them."""

import numpy as np

from nnlib.graph import Function
from nnlib.ops.elementwise import sigmoid


class Softmax(Function):
    """z = eˣ / Σ eˣ along the axis `dim`: positive numbers that sum to 1

    Shape:
        x any, z the same.

    Example:
        >>> Softmax().forward(np.array([0.0, 0.0, 1.0]), dim=0).round(3)
        array([0.212, 0.212, 0.576])
    """

    symbol = "softmax"

    def forward(self, x, dim):
        self.dim = dim
        e = np.exp(x - x.max(axis=dim, keepdims=True))  # the shift cancels, and avoids overflow
        return e / e.sum(axis=dim, keepdims=True)

    def backward(self, grad):
        dz = grad * self.out
        return (dz - self.out * dz.sum(axis=self.dim, keepdims=True),)


class LogSoftmax(Function):
    """z = ln softmax(x) = x - ln Σ eˣ along the axis `dim`

    Shape:
        x any, z the same.

    Example:
        >>> LogSoftmax().forward(np.array([0.0, 0.0, 1.0]), dim=0).round(3)
        array([-1.551, -1.551, -0.551])
    """

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

    Example:
        >>> CrossEntropy().forward(np.array([[0.0, 0.0, 1.0]]), target=np.array([2])).round(3)
        array([0.551])
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

    Shape:
        p any, target and z the same.

    Example:
        >>> BinaryCrossEntropy().forward(np.array([0.5]), target=np.array([1])).round(3)
        array([0.693])
    """

    symbol = "bce"

    def forward(self, p, target):
        self.p, self.target = p, target
        with np.errstate(divide="ignore"):
            log_p, log_q = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
        return -(target * log_p + (1 - target) * log_q)

    def backward(self, grad):
        return (grad * (self.p - self.target) / np.maximum(self.p * (1 - self.p), 1e-12),)


class BinaryCrossEntropyWithLogits(Function):
    """z = binary cross-entropy of σ(x). The slope is σ(x) - t, however far from 0 x is.

    Shape:
        x any, target and z the same.

    Example:
        >>> BinaryCrossEntropyWithLogits().forward(np.array([0.0]), target=np.array([1])).round(3)
        array([0.693])
    """

    symbol = "bce_with_logits"

    def forward(self, x, target):
        self.x, self.target = x, target
        return np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x)))

    def backward(self, grad):
        return (grad * (sigmoid(self.x) - self.target),)
