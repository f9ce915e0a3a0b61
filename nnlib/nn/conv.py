"""Convolution and pooling: layers that look at an image through a small window."""

import math
from dataclasses import dataclass

from nnlib import functional as F, init
from nnlib.check import Size, pair
from nnlib.nn.module import Module, Parameter, Stateless
from nnlib.tensor import Tensor, zeros


class Conv2d(Module):
    """The same small window of weights at each place of an image (LeCun et al., 1989).

    Args:
        in_channels, out_channels: C, how many numbers a pixel has; O, how many windows are learned.
        kernel_size, stride, padding, dilation: of the window; see `functional.conv2d`.
        bias: whether to add one number per window.

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, O, H', W') or (O, H', W'), weight (O, C, K, K'),
        bias (O,), where H' = (H + 2·padding - dilation·(K - 1) - 1) // stride + 1.

    Both start uniform in ±1/√(C·K·K'), as torch's do.

    Example:
        >>> Conv2d(3, 8, 5, padding=2)(zeros(2, 3, 28, 28)).shape
        (2, 8, 28, 28)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self._sizes(in_channels=in_channels, out_channels=out_channels)
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size)
        self.stride = pair("Conv2d", "stride", stride)
        self.padding = pair("Conv2d", "padding", padding, least=0)
        self.dilation = pair("Conv2d", "dilation", dilation)
        shape = (out_channels, in_channels, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = init.uniform_(Parameter(zeros(shape)), -bound, bound)
        self.bias = init.uniform_(Parameter(zeros(out_channels)), -bound, bound) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        sizes = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        padding = f", padding={self.padding}" * (self.padding != (0, 0))
        dilation = f", dilation={self.dilation}" * (self.dilation != (1, 1))
        bias = ", bias=False" * (self.bias is None)
        return f"{sizes}, stride={self.stride}{padding}{dilation}{bias}"


@dataclass(eq=False, repr=False)
class _Pool(Stateless):
    """A window that moves by the stride, or by its own size if there is none."""

    kernel_size: Size
    stride: Size | None = None
    padding: Size = 0

    def __post_init__(self):
        self.stride = self.kernel_size if self.stride is None else self.stride


@dataclass(eq=False, repr=False)
class MaxPool2d(_Pool):
    """The largest number in each window: was the pattern seen anywhere here?

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, C, H', W') or (C, H', W'); see `Conv2d`.
        The window moves by its own size if there is no stride.

    Example:
        >>> MaxPool2d(2)(Tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]))
        Tensor([[[4., 5.]]])
    """

    dilation: Size = 1

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation)


class AvgPool2d(_Pool):
    """The mean of each window; padding counts as zeros.

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, C, H', W') or (C, H', W'); see `MaxPool2d`.

    Example:
        >>> AvgPool2d(2)(Tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]))
        Tensor([[[2.5, 1.25]]])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding)


@dataclass(eq=False, repr=False)
class AdaptiveAvgPool2d(Stateless):
    """The means of a grid of rectangles: an image of any size becomes one of `output_size`.

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, C, *output_size) or (C, *output_size).

    Example:
        >>> AdaptiveAvgPool2d(1)(Tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]))
        Tensor([[[1.875]]])
    """

    output_size: Size

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.output_size)
