"""Functions without state: activations, losses, and a check of gradients against nudges."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlib import ops
from nnlib.check import Size, pair
from nnlib.graph import Node, no_grad
from nnlib.random import generator
from nnlib.tensor import Tensor, expect, needs_floats, same_dtype, stack, tensor

IMAGES = "Images are (batch, channels, height, width); see .unsqueeze() and .permute()."

# Activations


def relu(x: Any) -> Any:
    """max(0, x)"""
    return x.relu()


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x above 0, negative_slope · x elsewhere."""
    needs_floats("leaky_relu", x)
    return ops.LeakyRelu.apply(x, slope=float(negative_slope))


def sigmoid(x: Any) -> Any:
    """σ(x) = 1 / (1 + e⁻ˣ), in (0, 1)"""
    return x.sigmoid()


def tanh(x: Any) -> Any:
    """tanh x, in (-1, 1)"""
    return x.tanh()


def softmax(x: Tensor, dim: int) -> Tensor:
    """eˣ / Σ eˣ along the axis `dim`: positive numbers that sum to 1."""
    return x.softmax(dim)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """ln softmax(x), without overflow."""
    return x.log_softmax(dim)


# Layers


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b

    Shape:
        x (..., D_in), weight (D_out, D_in), bias (D_out,); the result (..., D_out).
    """
    same_dtype("linear", *(t for t in (x, weight, bias) if t is not None))
    if x.shape[-1:] != weight.shape[1:]:
        raise ValueError(
            f"linear: weight {weight.shape} needs the last axis of x to be {weight.shape[-1]}; "
            f"x has shape {x.shape}."
        )
    return x @ weight.T if bias is None else ops.Linear.apply(x, weight, bias)


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """In training, set each number to 0 with probability p and divide the others by 1 - p.

    So the expected result is x itself (Srivastava et al., 2014). Otherwise x, unchanged.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout needs a probability p from 0 to 1; got {p}.")
    if not training or p == 0:
        return x
    kept = generator.random(x.shape, np.float32) >= p
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return x * tensor(kept * scale, dtype=x.dtype)


def batch_norm(
    x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias, channel by channel (Ioffe & Szegedy, 2015).

    In training, mean and var are those of the batch, and the running ones move towards them by the
    share `momentum`; else they are the running ones. As in torch, x is divided by the root of the
    mean square, Σ d² / n, but the running variance follows Σ d² / (n - 1).

    Shape:
        x (B, C), (B, C, T) or (B, C, H, W), as the result; all others (C,).

    Example:
        >>> mean, var = tensor([0.0]), tensor([1.0])
        >>> batch_norm(tensor([[1.0], [3.0]]), mean, var, training=True)
        Tensor([[-1.], [1.]])
        >>> mean, var
        (Tensor([0.2]), Tensor([1.1]))
    """
    C = len(running_mean)
    expect("batch_norm", x, "B C", "B C T", "B C H W", fix=f"It normalises {C} channels.", C=C)
    same_dtype("batch_norm", x, running_mean)
    each = (1, C, *[1] * (x.ndim - 2))  # one number per channel, in the shape of x
    mean, var = running_mean.reshape(each), running_var.reshape(each)
    if training:
        axes, n = (0, *range(2, x.ndim)), x.numel() // C
        if n == 1:
            raise ValueError(
                f"batch_norm: in training the batch needs more than one value per channel; x has "
                f"shape {x.shape}. Use a larger batch (drop_last=True), or model.eval()."
            )
        mean, var = x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)
        for running, batch in (running_mean, mean.data), (running_var, var.data * n / (n - 1)):
            running.data = (1 - momentum) * running.data + momentum * batch.reshape(C)
    y = (x - mean) / (var + eps).sqrt()
    if weight is not None:
        y = y * weight.reshape(each)
    return y if bias is None else y + bias.reshape(each)


# Images


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> Tensor:
    """Slide a window over images: z = Σ weight · (what the window sees) + bias at each place.

    Args:
        stride: how far the window moves from place to place.
        padding: how many rows or columns of zeros to put on each side.
        dilation: how far apart the pixels are that the window looks at.

    Each is a number, or a pair (along H, along W).

    Shape:
        x (B, C, H, W) or (C, H, W), weight (O, C, K, K'), bias (O,), the result (B, O, H', W') or
        (O, H', W'), where H' = (H + 2·padding - dilation·(K - 1) - 1) // stride + 1.

    Example:
        >>> edges = tensor([[[[-1.0, 1.0]]]])  # the pixel on the right less the one on the left
        >>> conv2d(tensor([[[0.0, 0.0, 1.0, 1.0]]]), edges)
        Tensor([[[0., 1., 0.]]])
    """
    C, *kernel = weight.shape[1:]
    fix = f"The weight has shape {weight.shape}: it looks at {C} channels."
    window = _window("conv2d", x, kernel, stride, padding, dilation, fix, C=C)
    if bias is None:
        bias = tensor(np.zeros(len(weight), weight.dtype))
    same_dtype("conv2d", x, weight, bias)
    if x.ndim == 3:
        return conv2d(x.unsqueeze(0), weight, bias, stride, padding, dilation).squeeze(0)
    return ops.Conv2d.apply(x, weight, bias, **window)


def max_pool2d(
    x: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1
) -> Tensor:
    """The largest number that a window sees, at each place of the window.

    Shape:
        x (B, C, H, W) or (C, H, W), the result (B, C, H', W') or (C, H', W'); see `conv2d`. The
        window moves by its own size if there is no stride.

    Example:
        >>> max_pool2d(tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]), 2)
        Tensor([[[4., 5.]]])
    """
    kernel = pair("max_pool2d", "kernel_size", kernel_size)
    stride = kernel if stride is None else stride
    window = _window("max_pool2d", x, kernel, stride, padding, dilation)
    if any(2 * p > k for p, k in zip(window["padding"], kernel, strict=True)):
        raise ValueError(
            f"max_pool2d: padding {padding} is more than half of the window, {kernel}, which "
            "would see nothing else. Use less padding."
        )
    if x.ndim == 3:
        return max_pool2d(x.unsqueeze(0), kernel, stride, padding, dilation).squeeze(0)
    return ops.MaxPool2d.apply(x, kernel=kernel, **window)


def avg_pool2d(
    x: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0
) -> Tensor:
    """The mean of what a window sees, at each place of the window; padding counts as zeros.

    Shape:
        x (B, C, H, W) or (C, H, W), the result (B, C, H', W') or (C, H', W'); see `max_pool2d`.

    Example:
        >>> avg_pool2d(tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]), 2)
        Tensor([[[2.5, 1.25]]])
    """
    kernel = pair("avg_pool2d", "kernel_size", kernel_size)
    stride = kernel if stride is None else stride
    window = _window("avg_pool2d", x, kernel, stride, padding)
    needs_floats("avg_pool2d", x)
    if x.ndim == 3:
        return avg_pool2d(x.unsqueeze(0), kernel, stride, padding).squeeze(0)
    return ops.AvgPool2d.apply(x, kernel=kernel, **window)


def adaptive_avg_pool2d(x: Tensor, output_size: Size) -> Tensor:
    """The means of a grid of rectangles that cover the image, as even as they can be.

    Shape:
        x (B, C, H, W) or (C, H, W), the result (B, C, *output_size) or (C, *output_size).

    Example:
        >>> adaptive_avg_pool2d(tensor([[[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]]]), 1)
        Tensor([[[1.875]]])
    """
    expect("adaptive_avg_pool2d", x, "B C H W", "C H W", fix=IMAGES)
    needs_floats("adaptive_avg_pool2d", x)

    def parts(length: int, n: int) -> list[slice]:
        return [slice(i * length // n, -(-(i + 1) * length // n)) for i in range(n)]

    rows, columns = map(
        parts, x.shape[-2:], pair("adaptive_avg_pool2d", "output_size", output_size)
    )
    return stack(
        [stack([x[..., r, c].mean((-2, -1)) for c in columns], dim=-1) for r in rows], dim=-2
    )


def _window(
    name: str,
    x: Tensor,
    kernel: Any,
    stride: Size,
    padding: Size,
    dilation: Size = 1,
    fix: str = IMAGES,
    **lengths: int,
) -> dict[str, tuple[int, int]]:
    """The pairs that an operation needs, if the window fits the images."""
    expect(name, x, "B C H W", "C H W", fix=fix, called="x", **lengths)
    window = {
        "stride": pair(name, "stride", stride),
        "padding": pair(name, "padding", padding, least=0),
        "dilation": pair(name, "dilation", dilation),
    }
    for n, k, p, d in zip(x.shape[-2:], kernel, window["padding"], window["dilation"], strict=True):
        if n + 2 * p < d * (k - 1) + 1:
            raise ValueError(
                f"{name}: x has shape {x.shape}, and a window of {tuple(kernel)} with padding "
                f"{padding} and dilation {dilation} does not fit into it. Use a smaller window, "
                "more padding, or pool less before it."
            )
    return window


# Losses: one number to make small


# reduction= says what becomes of the single losses: "mean", "sum" or "none".


def mse_loss(prediction: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """The mean squared error, Σ (prediction - target)² / n."""
    d = prediction - _target("mse_loss", prediction, target)
    return _reduced(d * d, reduction)


def l1_loss(prediction: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """The mean absolute error, Σ |prediction - target| / n."""
    return _reduced((prediction - _target("l1_loss", prediction, target)).abs(), reduction)


def cross_entropy(
    logits: Tensor, target: Any, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """The mean of -ln softmax(logits)[target]: how little the right classes were expected.

    Rows whose target is `ignore_index` do not count, such as those that only fill up a batch.

    Shape:
        logits (B, V), raw scores and no probabilities; target (B,), whole numbers 0..V-1.
    """
    _needs_tensor("cross_entropy", logits)
    classes = target.data if isinstance(target, Tensor) else np.asarray(target)
    if logits.ndim != 2 or classes.shape != logits.shape[:1]:
        raise ValueError(
            "cross_entropy needs logits (B, V) and one class per row, target (B,); got logits "
            f"{logits.shape} and target {classes.shape}. Reshape them, as in "
            "logits.reshape(-1, V) and target.reshape(-1)."
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(
            f"cross_entropy needs classes as whole numbers; target is {classes.dtype}. "
            "Use target.long(), or target.argmax(1) if it is one-hot."
        )
    counted = classes != ignore_index
    outside = counted & ((classes < 0) | (classes >= logits.shape[1]))
    if outside.any():
        i = int(outside.argmax())
        raise ValueError(
            f"cross_entropy: target {classes[i]} at position {i}, but logits {logits.shape} have "
            f"classes 0..{logits.shape[1] - 1}."
        )
    if counted.all():
        return _reduced(ops.CrossEntropy.apply(logits, target=classes), reduction)
    losses = ops.CrossEntropy.apply(logits, target=np.where(counted, classes, 0)) * counted
    return losses.sum() / counted.sum() if reduction == "mean" else _reduced(losses, reduction)


def binary_cross_entropy(p: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """The mean of -(t·ln p + (1 - t)·ln(1 - p)), for probabilities p and targets t of 0 or 1."""
    t = _target("binary_cross_entropy", p, target, binary=True)
    if ((p.data < 0) | (p.data > 1)).any():  # nan goes on, for the loss to show
        raise ValueError(
            "binary_cross_entropy needs probabilities from 0 to 1; got numbers from "
            f"{p.data.min():g} to {p.data.max():g}. "
            "For raw scores use binary_cross_entropy_with_logits."
        )
    return _reduced(ops.BinaryCrossEntropy.apply(p, target=t.data), reduction)


def binary_cross_entropy_with_logits(
    logits: Tensor, target: Any, reduction: str = "mean"
) -> Tensor:
    """binary_cross_entropy(sigmoid(logits), target), but exact however large the logits are."""
    t = _target("binary_cross_entropy_with_logits", logits, target, binary=True)
    return _reduced(ops.BinaryCrossEntropyWithLogits.apply(logits, target=t.data), reduction)


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction= must be "mean", "sum" or "none"; got {reduction!r}.')
    return losses if reduction == "none" else getattr(losses, reduction)()


def _target(name: str, prediction: Tensor, target: Any, binary: bool = False) -> Tensor:
    """The target as a tensor, if it is one for this prediction."""
    _needs_tensor(name, prediction)
    data = target.data if isinstance(target, Tensor) else np.asarray(target)
    if not (isinstance(target, Tensor) and data.dtype.kind == "f"):
        target = tensor(data, dtype=prediction.dtype)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{name}: prediction {prediction.shape} and target {target.shape} "
            + _advice(prediction.shape, target.shape)
        )
    if binary and ((target.data < 0) | (target.data > 1)).any():
        raise ValueError(
            f"{name} needs targets from 0 to 1; got numbers from {target.data.min():g} "
            f"to {target.data.max():g}."
        )
    return target


def _needs_tensor(name: str, prediction: Any) -> None:
    if not isinstance(prediction, Tensor):
        raise TypeError(f"{name} needs a Tensor to judge; got {type(prediction).__name__}.")


def _advice(wanted: tuple[int, ...], got: tuple[int, ...]) -> str:
    try:
        shape = np.broadcast_shapes(wanted, got)
    except ValueError:
        return "differ. They need the same shape, one target for each prediction."
    if math.prod(wanted) != math.prod(got):
        return f"would broadcast to {shape}. They need the same shape."
    lengths = ", ".join(map(str, wanted))
    return f"would broadcast to {shape}. Reshape one: target.reshape({lengths})."


# Checking gradients


def gradcheck(fn: Callable[..., Any], *inputs: Any, eps: float = 1e-6, tol: float = 1e-5) -> bool:
    """Compare the gradients of backward() with what happens when each number is nudged.

    Each number of each input that requires grad moves by ±eps, in float64, and the slope
    (f(x + eps) - f(x - eps)) / (2 eps) must agree with the gradient to the share `tol` of it,
    apart from the rounding of that difference itself. A result that is no single number is
    checked through a sum with random weights.

    Args:
        fn: called as fn(*inputs); gives a Tensor or a Value.
        inputs: Tensors or Values, or anything else, which is passed on as it is. They are left as
            they were found.
        eps: how far to nudge.
        tol: how large a share of a gradient it may be off.

    Returns:
        True. A disagreement raises.

    Example:
        >>> gradcheck(lambda x: x.tanh(), tensor([0.5, -2.0], requires_grad=True))
        True
    """
    checked = {i: x for i, x in enumerate(inputs) if isinstance(x, Node) and x.requires_grad}
    if not checked:
        raise ValueError("gradcheck needs an input that requires grad; none of these does.")
    if any(x.inputs for x in checked.values()):
        raise ValueError("gradcheck nudges leaves; give it x.detach().requires_grad_(), not x.")
    found = [(x, x.data, x.grad) for x in inputs if isinstance(x, Node)]
    try:
        for x, _, _ in found:
            if isinstance(x, Tensor) and x.dtype.kind == "f":
                x.data = x.data.astype(np.float64)
            x.grad = None
        result = fn(*inputs)
        weights = np.random.default_rng(0).normal(size=np.shape(result.data))
        result.backward(weights)

        @no_grad()
        def total() -> float:
            return float(np.sum(fn(*inputs).data * weights))

        if not np.array_equal(total(), total(), equal_nan=True):
            raise RuntimeError(
                "gradcheck needs a fn that gives the same result for the same input; two calls "
                "gave two results. Seed what is random inside fn."
            )
        for i, x in checked.items():
            _compare_with_nudges(i, x, total, eps, tol)
    finally:
        for x, data, grad in found:
            x.data, x.grad = data, grad
    return True


def _compare_with_nudges(
    i: int, x: Any, total: Callable[[], float], eps: float, tol: float
) -> None:
    """Raise at the first number of `x`, the i-th input, whose gradient is not its slope."""
    data = x.data
    grad = np.zeros(np.shape(data)) if x.grad is None else np.asarray(x.grad)
    for place in np.ndindex(np.shape(data)):
        sums = []
        for nudge in (eps, -eps):
            moved = np.array(data)
            moved[place] += nudge
            x.data = moved if isinstance(x, Tensor) else moved.item()
            sums.append(total())
        x.data = data
        slope = (sums[0] - sums[1]) / (2 * eps)
        rounding = 64 * np.finfo(np.float64).eps * max(1.0, *map(abs, sums)) / eps
        if not abs(grad[place] - slope) <= tol * abs(slope) + rounding:  # so that nan fails
            where = f"input {i}" + (f" at {place}" if place else "")
            raise RuntimeError(
                f"gradcheck: {where}: backward() gives {grad[place]:.6g}, but nudging by "
                f"{eps:g} gives {slope:.6g}."
            )
