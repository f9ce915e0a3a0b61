"""Losses: called as loss_fn(prediction, target), they give one number to make small."""

from typing import Any

from nnlib import functional as F
from nnlib.nn.module import Module
from nnlib.tensor import Tensor


class _Loss(Module):
    """What all share: `reduction` says what becomes of the single losses, see `functional`."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__()
        self.reduction = reduction


class MSELoss(_Loss):
    """The mean squared error.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> MSELoss()(Tensor([1.0, 2.0]), [1.0, 4.0])
        Tensor(2.)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.mse_loss(prediction, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The mean absolute error.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> L1Loss()(Tensor([1.0, 2.0]), [1.0, 4.0])
        Tensor(1.)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.l1_loss(prediction, target, reduction=self.reduction)


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities in [0, 1], against targets of 0 or 1.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> BCELoss()(Tensor([0.5, 0.5]), [0, 1])
        Tensor(0.6931)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy(prediction, target, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits: a sigmoid and BCELoss in one, without overflow.

    Shape:
        prediction any, target the same; the result is one number.

    Example:
        >>> BCEWithLogitsLoss()(Tensor([0.0, 1000.0]), [0, 1])
        Tensor(0.3466)
    """

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(prediction, target, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """Softmax and the mean of -ln p(target) in one.

    Shape:
        prediction (B, V), raw scores; target (B,), whole numbers 0..V-1, or `ignore_index` for a
        row that does not count; the result is one number.

    Example:
        >>> CrossEntropyLoss()(Tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1])
        Tensor(0.6931)
    """

    def __init__(self, *, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.cross_entropy(prediction, target, self.ignore_index, self.reduction)
