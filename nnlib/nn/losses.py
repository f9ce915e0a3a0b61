"""Losses: called as loss_fn(prediction, target), they give one number to make small."""

from typing import Any

from nnlib import functional as F
from nnlib.nn.module import Module
from nnlib.tensor import Tensor


class MSELoss(Module):
    """The mean squared error. prediction and target have the same shape."""

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.mse_loss(prediction, target)


class L1Loss(Module):
    """The mean absolute error. prediction and target have the same shape."""

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.l1_loss(prediction, target)


class BCELoss(Module):
    """Binary cross-entropy of probabilities in [0, 1]; targets 0 or 1, of the same shape."""

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy(prediction, target)


class BCEWithLogitsLoss(Module):
    """Binary cross-entropy of logits: a sigmoid and BCELoss in one, without overflow."""

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(prediction, target)


class CrossEntropyLoss(Module):
    """Softmax and the mean of -log p(target) in one; logits (B, V), target (B,) of classes."""

    def forward(self, prediction: Tensor, target: Any) -> Tensor:
        return F.cross_entropy(prediction, target)
