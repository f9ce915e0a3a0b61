"""Convolution and pooling: layers that look at an image through a small window."""

import math

import numpy as np

from nnlib import functional as F
from nnlib import init
from nnlib.check import Size, pair, whole
from nnlib.nn.module import Module, Parameter
from nnlib.tensor import Tensor


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
        >>> Conv2d(3, 8, 5, padding=2)(Tensor(np.ones((2, 3, 28, 28), np.float32))).shape
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
        self.in_channels = whole("Conv2d", "in_channels", in_channels)
        self.out_channels = whole("Conv2d", "out_channels", out_channels)
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size)
        self.stride = pair("Conv2d", "stride", stride)
        self.padding = pair("Conv2d", "padding", padding, least=0)
        self.dilation = pair("Conv2d", "dilation", dilation)
        shape = (out_channels, in_channels, *self.kernel_size)
        self.weight = Parameter(np.empty(shape, np.float32))
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # ±1/√fan_in
        self.bias = None
        if bias:
            bound = 1 / math.sqrt(math.prod(shape[1:]))
            self.bias = Parameter(np.empty(out_channels, np.float32))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
            + f", padding={self.padding}" * (self.padding != (0, 0))
            + f", dilation={self.dilation}" * (self.dilation != (1, 1))
            + ", bias=False" * (self.bias is None)
        )


class MaxPool2d(Module):
    """The largest number in each window: was the pattern seen anywhere here?

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, C, H', W') or (C, H', W'); see `Conv2d`.
        The window moves by its own size if there is no stride.

    Example:
        >>> MaxPool2d(2)(Tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]))
        Tensor([[[4., 5.]]])
    """

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1
    ):
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}"
        )


class AvgPool2d(Module):
    """The mean of each window; padding counts as zeros.

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, C, H', W') or (C, H', W'); see `MaxPool2d`.

    Example:
        >>> AvgPool2d(2)(Tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]))
        Tensor([[[2.5, 1.25]]])
    """

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0):
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """The means of a grid of rectangles: an image of any size becomes one of `output_size`.

    Shape:
        x (B, C, H, W) or (C, H, W), y (B, C, *output_size) or (C, *output_size).

    Example:
        >>> AdaptiveAvgPool2d(1)(Tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]))
        Tensor([[[1.875]]])
    """

    def __init__(self, output_size: Size):
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
