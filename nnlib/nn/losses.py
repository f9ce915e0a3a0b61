"""Losses: called as loss_fn(prediction, target), they give one number to make small."""

from typing import Any

from nnlib import functional as F
from nnlib.nn.module import Module
from nnlib.tensor import Tensor


class MSELoss(Module):
    """The mean squared error.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> MSELoss()(Tensor([1.0, 2.0]), [1.0, 4.0])
        Tensor(2.)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.mse_loss(prediction, target)


class L1Loss(Module):
    """The mean absolute error.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> L1Loss()(Tensor([1.0, 2.0]), [1.0, 4.0])
        Tensor(1.)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.l1_loss(prediction, target)


class BCELoss(Module):
    """Binary cross-entropy of probabilities in [0, 1], against targets of 0 or 1.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> BCELoss()(Tensor([0.5, 0.5]), [0, 1])
        Tensor(0.6931)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy(prediction, target)


class BCEWithLogitsLoss(Module):
    """Binary cross-entropy of logits: a sigmoid and BCELoss in one, without overflow.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> BCEWithLogitsLoss()(Tensor([0.0, 1000.0]), [0, 1])
        Tensor(0.3466)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(prediction, target)


class CrossEntropyLoss(Module):
    """Softmax and the mean of -ln p(target) in one.

    Shape:
        prediction (B, V), raw scores; target (B,), whole numbers 0..V-1; the result is one number.

    Example:
        >>> CrossEntropyLoss()(Tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1])
        Tensor(0.6931)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.cross_entropy(prediction, target)
