"""Normalisation: layers that keep the size of a signal in bounds."""

from nnlib import functional as F
from nnlib.nn.module import Buffer, Module, Parameter
from nnlib.tensor import Tensor, expect, ones, tensor, zeros


class _BatchNorm(Module):
    """What BatchNorm1d and BatchNorm2d share: all but the shapes that they take."""

    forms: tuple[str, ...]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
    ):
        super().__init__()
        self._sizes(num_features=num_features)
        self.eps, self.momentum, self.affine = eps, momentum, affine
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine else None
        self.running_mean = Buffer(zeros(num_features))
        self.running_var = Buffer(ones(num_features))
        self.num_batches_tracked = Buffer(tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        fix = f"{self.num_features} channels are normalised, and they are the second axis."
        expect(type(self).__name__, x, *self.forms, fix=fix, C=self.num_features)
        momentum = self.momentum
        if self.training:
            self.num_batches_tracked.data = self.num_batches_tracked.data + 1
            if momentum is None:  # a plain mean over all batches
                momentum = 1 / self.num_batches_tracked.item()
        state = self.running_mean, self.running_var, self.weight, self.bias
        return F.batch_norm(x, *state, self.training, momentum or 0.0, self.eps)

    def extra_repr(self) -> str:
        more = f"eps={self.eps}, momentum={self.momentum}, affine={self.affine}"
        return f"{self.num_features}, {more}"


class BatchNorm1d(_BatchNorm):
    """Bring each feature to mean 0 and variance 1 over the batch, then scale and shift it.

    In train mode by the batch itself, whose mean and variance are also averaged; in eval mode by
    these averages. So in train mode an example's result depends on its neighbours in the batch.
    From Ioffe & Szegedy (2015); see `functional.batch_norm`.

    Args:
        num_features: C.
        eps: keeps the division finite.
        momentum: how far the averages move at each batch; None for the plain mean of all batches.
        affine: whether to learn a scale and a shift per feature.

    Shape:
        x (B, C) or (B, C, T), y the same, weight and bias (C,).

    Example:
        >>> BatchNorm1d(2, affine=False)(Tensor([[1.0, 10.0], [3.0, 30.0]]))
        Tensor([[-1., -1.], [1., 1.]])
    """

    forms = ("B C", "B C T")


class BatchNorm2d(_BatchNorm):
    """Bring each channel to mean 0 and variance 1 over all pixels of the batch; see `BatchNorm1d`.

    Shape:
        x (B, C, H, W), y the same, weight and bias (C,).

    Example:
        >>> BatchNorm2d(3)(zeros(4, 3, 8, 8)).shape
        (4, 3, 8, 8)
    """

    forms = ("B C H W",)


class LayerNorm(Module):
    """Bring each example's numbers to mean 0 and variance 1, then learn how large they should be.

    y = (x - mean) / √(variance + eps) · weight + bias, with mean and variance over the last axes
    (Ba et al., 2016). It does the same in train and in eval mode.

    Args:
        normalized_shape: how long these axes are; one number for the last axis alone.
        eps: keeps the division finite.
        elementwise_affine: whether to learn weight and bias.
        bias: whether to learn the bias.

    Shape:
        x (..., *normalized_shape), often (B, T, D); y has that of x; weight and bias
        normalized_shape.

    The weight starts at 1, the bias at 0.

    Example:
        >>> LayerNorm(3)(Tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])).tolist()[0][1]
        0.0
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ones(shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(shape)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"
