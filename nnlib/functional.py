"""Functions without state: activations, losses, and a check of gradients against nudges."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnlib import ops
from nnlib.check import Size, pair
from nnlib.graph import Function, Node, no_grad
from nnlib.random import generator
from nnlib.tensor import Tensor, expect, needs_floats, ones, same_dtype, stack, tensor, zeros

IMAGES = "Images are (batch, channels, height, width); see .unsqueeze() and .permute()."

# Activations


def relu(x: Any) -> Any:
    """max(0, x)

    Shape:
        x any; the result has that of x.

    Example:
        >>> relu(tensor([-1.0, 2.0]))
        Tensor([0., 2.])
    """
    return x.relu()


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x above 0, negative_slope · x elsewhere.

    Shape:
        x any; the result has that of x.

    Example:
        >>> leaky_relu(tensor([-1.0, 2.0]), 0.5)
        Tensor([-0.5, 2.])
    """
    return ops.LeakyRelu.apply(needs_floats("leaky_relu", x), slope=float(negative_slope))


def sigmoid(x: Any) -> Any:
    """σ(x) = 1 / (1 + e⁻ˣ), in (0, 1)

    Shape:
        x any; the result has that of x.

    Example:
        >>> sigmoid(tensor([0.0, 2.0]))
        Tensor([0.5, 0.8808])
    """
    return x.sigmoid()


def tanh(x: Any) -> Any:
    """tanh x, in (-1, 1)

    Shape:
        x any; the result has that of x.

    Example:
        >>> tanh(tensor([0.0, 2.0]))
        Tensor([0., 0.964])
    """
    return x.tanh()


def silu(x: Tensor) -> Tensor:
    """x · σ(x), a smooth relu (Hendrycks & Gimpel, 2016; also called swish).

    Shape:
        x any; the result has that of x.

    Example:
        >>> silu(tensor([0.0, 2.0]))
        Tensor([0., 1.7616])
    """
    return ops.Silu.apply(needs_floats("silu", x))


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), with Φ(x) the share of a bell curve below x (Hendrycks & Gimpel, 2016).

    Args:
        x: floats.
        approximate: "none", or "tanh" for x · ½(1 + tanh(√(2/π) · (x + 0.044715 · x³))), which
            GPT-2 uses. They differ by at most 0.0005.

    Shape:
        x any; the result has that of x.

    Example:
        >>> gelu(tensor([-1.0, 2.0])), gelu(tensor([-1.0, 2.0]), "tanh")
        (Tensor([-0.1587, 1.9545]), Tensor([-0.1588, 1.9546]))
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f'gelu needs approximate="none" or "tanh"; got {approximate!r}.')
    return ops.Gelu.apply(needs_floats("gelu", x), approximate=approximate)


def softmax(x: Tensor, dim: int) -> Tensor:
    """eˣ / Σ eˣ along the axis `dim`: positive numbers that sum to 1.

    Shape:
        x any; the result has that of x.

    Example:
        >>> softmax(tensor([0.0, 0.0, 1.0]), dim=0)
        Tensor([0.2119, 0.2119, 0.5761])
    """
    return x.softmax(dim)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """ln softmax(x), without overflow.

    Shape:
        x any; the result has that of x.

    Example:
        >>> log_softmax(tensor([0.0, 0.0, 1.0]), dim=0)
        Tensor([-1.5514, -1.5514, -0.5514])
    """
    return x.log_softmax(dim)


# Layers


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b

    Shape:
        x (..., D_in), weight (D_out, D_in), bias (D_out,); the result (..., D_out).

    Example:
        >>> linear(tensor([[1.0, 2.0]]), tensor([[3.0, 4.0]]), tensor([0.5]))
        Tensor([[11.5]])
    """
    same_dtype("linear", *(t for t in (x, weight, bias) if t is not None))
    if x.shape[-1:] != weight.shape[1:]:
        raise ValueError(
            f"linear: weight {weight.shape} needs x (..., {weight.shape[-1]}); it has {x.shape}."
        )
    return x @ weight.T if bias is None else ops.Linear.apply(x, weight, bias)


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """In training, set each number to 0 with probability p and divide the others by 1 - p.

    So the expected result is x itself (Srivastava et al., 2014). Otherwise x, unchanged.

    Shape:
        x any; the result has that of x.

    Example:
        >>> dropout(tensor([1.0, 2.0]), p=0.5, training=False)
        Tensor([1., 2.])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout needs a probability p from 0 to 1; got {p}.")
    return x * tensor(_kept(x.shape, p, x.dtype)) if training and p else x


def _kept(shape: tuple[int, ...], p: float, dtype: Any) -> np.ndarray:
    """0 with probability p, else 1 / (1 - p): what dropout multiplies by."""
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return ((generator.random(shape, np.float32) >= p) * scale).astype(dtype)


def layer_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(variance + eps) · weight + bias, over the last axes (Ba et al., 2016).

    The variance is that of these numbers themselves, divided by n and not n - 1.

    Args:
        x: of shape (..., *normalized_shape), often (B, T, D).
        normalized_shape: how long the axes are that are brought to mean 0 and variance 1.
        weight, bias: of that shape; without them 1 and 0.
        eps: keeps the division finite.

    Shape:
        x (..., *normalized_shape), as the result; weight and bias normalized_shape.

    Example:
        >>> layer_norm(tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (3,))
        Tensor([[-1.2247, 0., 1.2247], [-1.2247, 0., 1.2247]])
    """
    shape = tuple(normalized_shape)
    if not isinstance(x, Tensor) or x.shape[x.ndim - len(shape) :] != shape:
        raise ValueError(
            f"layer_norm needs a Tensor whose last axes are {shape}; got {type(x).__name__} "
            f"{np.shape(x)}. Normalise over the axes that it has."
        )
    weight = ones(shape, dtype=x.dtype) if weight is None else weight
    bias = zeros(shape, dtype=x.dtype) if bias is None else bias
    same_dtype("layer_norm", x, weight, bias)
    return ops.LayerNorm.apply(needs_floats("layer_norm", x), weight, bias, eps=eps)


def embedding(ids: Any, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """weight[ids]: for each id, the row of the table that stands for it.

    Args:
        ids: whole numbers from 0 to V - 1, of any shape.
        weight: the table (V, D).
        padding_idx: an id whose row gets no gradient, as it stands for nothing.

    Shape:
        ids (...), weight (V, D); the result (..., D).

    Example:
        >>> embedding([[0, 2, 0]], tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])).tolist()
        [[[0.0, 1.0], [4.0, 5.0], [0.0, 1.0]]]
    """
    found = _ids("embedding", "id", ids, len(weight), weight, "weight {} has rows")
    return ops.Embedding.apply(weight, ids=found, padding=padding_idx)


def _ids(owner: str, name: str, ids: Any, n: int, table: Tensor, rows: str) -> np.ndarray:
    """The ids as an array, if they are whole numbers from 0 to n - 1."""
    ids = ids.data if isinstance(ids, Tensor) else np.asarray(ids)
    if ids.dtype.kind not in "iu":
        fix = "Use .long(), or .argmax(1) if it is one-hot."
        raise TypeError(f"{owner} needs each {name} as a whole number; got {ids.dtype}. {fix}")
    outside = (ids < 0) | (ids >= n)
    if outside.any():
        i = int(outside.argmax())
        raise ValueError(
            f"{owner}: {name} {ids.flat[i]} at position {i}, but {rows.format(table.shape)} "
            f"0..{n - 1}. The {name}s go from {ids.min()} to {ids.max()}: mend them, or make room."
        )
    return ids


# Attention


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(query keyᵀ · scale + mask) value (Vaswani et al., 2017).

    Each query is compared with all keys; its result is the mean of the values, weighted by how
    well their keys fit.

    Args:
        query, key, value: the axes before the last two, such as batch and heads, are the same.
        attn_mask: of a shape that broadcasts to (..., T, S). Of floats, it is added. Of bools,
            True means that this query sees this key: the opposite of what it means in
            `nn.MultiheadAttention`, in torch as well. A query that sees no key gets 0.
        dropout_p: the probability of leaving a pair out. Always: pass 0 when not in training.
        is_causal: query t sees keys 0..t only. Not together with attn_mask.
        scale: 1/√D if not given.

    Shape:
        query (..., T, D), key (..., S, D), value (..., S, E); the result (..., T, E).

    Example:
        >>> x = tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> scaled_dot_product_attention(x, x, x, is_causal=True)
        Tensor([[1., 0.], [0.3302, 0.6698]])
    """
    name = "scaled_dot_product_attention"
    same_dtype(name, query, key, value)
    *batch, T, D = query.shape
    S = key.shape[-2]
    if key.shape != (*batch, S, D) or value.shape[:-1] != key.shape[:-1]:
        raise ValueError(
            f"{name} needs query (..., T, D), key (..., S, D) and value (..., S, E); got "
            f"{query.shape}, {key.shape} and {value.shape}. All axes in ... must be equal."
        )
    if is_causal and attn_mask is not None:
        raise ValueError(f"{name} takes attn_mask or is_causal, not both. Leave one out.")
    mask = np.tri(T, S, dtype=bool) if is_causal else attn_mask
    shape = (*batch, T, S)
    masks = [] if mask is None else [added_mask(name, mask, shape, query.dtype)]
    kept = _kept(shape, dropout_p, query.dtype) if dropout_p else None
    scale = 1 / math.sqrt(D) if scale is None else scale
    return ops.Attention.apply(query, key, value, *masks, scale=scale, kept=kept)


def added_mask(
    name: str, mask: Any, shape: tuple[int, ...], dtype: Any, seen: bool = True
) -> Tensor:
    """A mask in the form that is added to scores of this shape: 0 if a pair is seen, -inf if not.

    Args:
        name: who asks, for the message.
        mask: bools, or floats, which are in this form already.
        shape: that of the scores, (..., T, S).
        dtype: that of the scores.
        seen: what a True means.

    Shape:
        mask one that broadcasts to `shape`, as the result.

    Example:
        >>> added_mask("attention", [[True, False]], (3, 2), np.float32).tolist()
        [[0.0, -inf]]
    """
    mask = mask if isinstance(mask, Tensor) else tensor(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name} needs a mask of bools or floats; it is {mask.dtype}. Use .bool().")
    if len(mask.shape) > len(shape) or any(
        m not in (1, n) for m, n in zip(mask.shape[::-1], shape[::-1], strict=False)
    ):
        raise ValueError(
            f"{name}: a mask {mask.shape} does not fit scores {shape}, one for each query and key. "
            f"Give it the shape {shape[-2:]}, queries by keys, or one that broadcasts to {shape}."
        )
    if mask.dtype.kind == "b":
        return tensor(np.where(mask.data == seen, 0, -np.inf), dtype=dtype)
    return mask if mask.dtype == dtype else ops.Copy.apply(mask, dtype=dtype)


def causal_mask(T: int) -> Tensor:
    """The mask with which no position sees a later one: 0 up to itself, -inf behind it.

    It is added to the scores, so it means the same everywhere. It is torch's
    `nn.Transformer.generate_square_subsequent_mask(T)`.

    Shape:
        the result (T, T).

    Example:
        >>> causal_mask(3).tolist()
        [[0.0, -inf, -inf], [0.0, 0.0, -inf], [0.0, 0.0, 0.0]]
    """
    return added_mask("causal_mask", np.tri(T, dtype=bool), (T, T), np.float32)


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
                f"batch_norm needs more than one value per channel in training; x has {x.shape}. "
                "Use a larger batch (drop_last=True), or model.eval()."
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
    expect("conv2d", x, "B C H W", "C H W", fix=fix, C=C)
    window = _window("conv2d", x, kernel, stride, padding, dilation)
    bias = zeros(len(weight), dtype=weight.dtype) if bias is None else bias
    same_dtype("conv2d", x, weight, bias)
    return _batched(ops.Conv2d, x, weight, bias, **window)


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
    window = _pooled("max_pool2d", x, kernel_size, stride, padding, dilation)
    if any(2 * p > k for p, k in zip(window["padding"], window["kernel"], strict=True)):
        raise ValueError(
            f"max_pool2d: padding {padding} is more than half of the window, {window['kernel']}, "
            "which would see nothing else. Use less padding."
        )
    return _batched(ops.MaxPool2d, x, **window)


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
    window = _pooled("avg_pool2d", x, kernel_size, stride, padding)
    return _batched(ops.AvgPool2d, needs_floats("avg_pool2d", x), **window)


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
    height, width = pair("adaptive_avg_pool2d", "output_size", output_size)

    def parts(length: int, n: int) -> list[slice]:
        return [slice(i * length // n, -(-(i + 1) * length // n)) for i in range(n)]

    rows, columns = parts(x.shape[-2], height), parts(x.shape[-1], width)
    means = [stack([x[..., r, c].mean((-2, -1)) for c in columns], dim=-1) for r in rows]
    return stack(means, dim=-2)


def _pooled(name: str, x: Any, kernel: Size, stride: Size | None, *rest: Size) -> dict[str, Any]:
    """What a pooling operation needs to know of its window, which steps by its own size."""
    expect(name, x, "B C H W", "C H W", fix=IMAGES)
    pixels = pair(name, "kernel_size", kernel)
    window = _window(name, x, pixels, pixels if stride is None else stride, *rest)
    return {"kernel": pixels, **window}


def _window(
    name: str, x: Tensor, kernel: Any, stride: Size, padding: Size, dilation: Size = 1
) -> dict[str, Any]:
    """What an operation needs to know of its window, if that fits the images."""
    steps, far = pair(name, "stride", stride), pair(name, "dilation", dilation)
    border = pair(name, "padding", padding, least=0)
    for n, k, p, d in zip(x.shape[-2:], kernel, border, far, strict=True):
        if n + 2 * p < d * (k - 1) + 1:
            raise ValueError(
                f"{name}: a window of {tuple(kernel)}, padding {padding} and dilation {dilation} "
                f"does not fit x {x.shape}. Use a smaller window, more padding, or pool less."
            )
    return {"stride": steps, "padding": border, "dilation": far}


def _batched(op: type[Function], x: Tensor, *weights: Tensor, **window: Any) -> Tensor:
    """The operation on a batch of images, or on one image as a batch of its own."""
    if x.ndim == 4:
        return op.apply(x, *weights, **window)
    return op.apply(x.unsqueeze(0), *weights, **window).squeeze(0)


# Losses: one number to make small


# reduction= says what becomes of the single losses: "mean", "sum" or "none".


def mse_loss(prediction: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """The mean squared error, Σ (prediction - target)² / n.

    Shape:
        prediction any, target the same; the result is one number, or with "none" one for each.

    Example:
        >>> x = tensor([1.0, 2.0])
        >>> mse_loss(x, [1.0, 4.0]), mse_loss(x, [1.0, 4.0], "none")
        (Tensor(2.), Tensor([0., 4.]))
    """
    d = prediction - _target("mse_loss", prediction, target)
    return _reduced(d * d, reduction)


def l1_loss(prediction: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """The mean absolute error, Σ |prediction - target| / n.

    Shape:
        prediction any, target the same; the result is one number, or with "none" one for each.

    Example:
        >>> l1_loss(tensor([1.0, 2.0]), [1.0, 4.0])
        Tensor(1.)
    """
    return _reduced((prediction - _target("l1_loss", prediction, target)).abs(), reduction)


def cross_entropy(
    logits: Tensor, target: Any, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """The mean of -ln softmax(logits)[target]: how little the right classes were expected.

    Rows whose target is `ignore_index` do not count, such as those that only fill up a batch.

    Shape:
        logits (B, V), raw scores and no probabilities; target (B,), whole numbers 0..V-1.

    Example:
        >>> cross_entropy(tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1])
        Tensor(0.6931)
    """
    if not isinstance(logits, Tensor):
        raise TypeError(f"cross_entropy needs a Tensor to judge; got {type(logits).__name__}.")
    classes = target.data if isinstance(target, Tensor) else np.asarray(target)
    if logits.ndim != 2 or classes.shape != logits.shape[:1]:
        raise ValueError(
            f"cross_entropy needs logits (B, V) and target (B,); got logits {logits.shape} and "
            f"target {classes.shape}. Reshape: logits.reshape(-1, V), target.reshape(-1)."
        )
    counted, V = classes != ignore_index, logits.shape[1]
    classes = classes * counted  # a row that does not count has class 0 meanwhile
    _ids("cross_entropy", "target", classes, V, logits, "logits {} have classes")
    losses = ops.CrossEntropy.apply(logits, target=classes)
    if counted.all():
        return _reduced(losses, reduction)
    losses = losses * counted
    return losses.sum() / counted.sum() if reduction == "mean" else _reduced(losses, reduction)


def binary_cross_entropy(p: Tensor, target: Any, reduction: str = "mean") -> Tensor:
    """The mean of -(t·ln p + (1 - t)·ln(1 - p)), for probabilities p and targets t of 0 or 1.

    Shape:
        p any, target the same; the result is one number, or with "none" one for each.

    Example:
        >>> binary_cross_entropy(tensor([0.5, 0.5]), [0, 1])
        Tensor(0.6931)
    """
    t = _target("binary_cross_entropy", p, target, binary=True)
    fix = "For raw scores use binary_cross_entropy_with_logits."
    _from_0_to_1("binary_cross_entropy", "probabilities", p.data, fix)
    return _reduced(ops.BinaryCrossEntropy.apply(p, target=t.data), reduction)


def binary_cross_entropy_with_logits(
    logits: Tensor, target: Any, reduction: str = "mean"
) -> Tensor:
    """binary_cross_entropy(sigmoid(logits), target), but exact however large the logits are.

    Shape:
        logits any, target the same; the result is one number, or with "none" one for each.

    Example:
        >>> binary_cross_entropy_with_logits(tensor([0.0, 1000.0]), [0, 1])
        Tensor(0.3466)
    """
    t = _target("binary_cross_entropy_with_logits", logits, target, binary=True)
    return _reduced(ops.BinaryCrossEntropyWithLogits.apply(logits, target=t.data), reduction)


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction= must be "mean", "sum" or "none"; got {reduction!r}.')
    return losses if reduction == "none" else getattr(losses, reduction)()


def _target(name: str, prediction: Tensor, target: Any, binary: bool = False) -> Tensor:
    """The target as a tensor, if it is one for this prediction."""
    if not isinstance(prediction, Tensor):
        raise TypeError(f"{name} needs a Tensor to judge; got {type(prediction).__name__}.")
    data = target.data if isinstance(target, Tensor) else np.asarray(target)
    if not (isinstance(target, Tensor) and data.dtype.kind == "f"):
        target = tensor(data, dtype=prediction.dtype)
    if target.shape != prediction.shape:
        fix = "They need the same shape, one target for each prediction."
        try:
            clash = f"would broadcast to {np.broadcast_shapes(prediction.shape, target.shape)}"
            if target.numel() == prediction.numel():
                fix = f"Reshape one: target.reshape{prediction.shape}."
        except ValueError:
            clash = "differ"
        raise ValueError(
            f"{name}: prediction {prediction.shape} and target {target.shape} {clash}. {fix}"
        )
    if binary:
        _from_0_to_1(name, "targets", target.data, "Use 1 for yes, 0 for no.")
    return target


def _from_0_to_1(name: str, called: str, x: np.ndarray, fix: str) -> None:
    """Raise if a number is outside. A nan is not: it goes on, for the loss to show."""
    if ((x < 0) | (x > 1)).any():
        got = f"numbers from {x.min():g} to {x.max():g}"
        raise ValueError(f"{name} needs {called} from 0 to 1; got {got}. {fix}")


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
        for x, data, _ in found:
            if isinstance(x, Tensor) and x.dtype.kind == "f":
                x.data = data.astype(np.float64)
            x.grad = None
        result = fn(*inputs)
        weights = np.random.default_rng(0).normal(size=np.shape(result.data))
        result.backward(weights)
        with no_grad():
            if not np.array_equal(fn(*inputs).data, result.data, equal_nan=True):
                raise RuntimeError(
                    "gradcheck: two calls of fn gave two results. Seed what is random inside fn."
                )
            for i, x in checked.items():
                _compare_with_nudges(i, x, lambda: np.sum(fn(*inputs).data * weights), eps, tol)
    finally:
        for x, data, grad in found:
            x.data, x.grad = data, grad
    return True


def _compare_with_nudges(i: int, x: Any, total: Callable[[], Any], eps: float, tol: float) -> None:
    """Raise at the first number of `x`, the i-th input, whose gradient is not its slope."""
    data = x.data
    grad = np.zeros(np.shape(data)) if x.grad is None else np.asarray(x.grad)
    for place in np.ndindex(grad.shape):
        sums = []
        for nudge in (eps, -eps):
            moved = np.array(data)
            moved[place] += nudge
            x.data = moved if isinstance(x, Tensor) else moved.item()
            sums.append(float(total()))
        x.data = data
        slope = (sums[0] - sums[1]) / (2 * eps)
        rounding = 64 * np.finfo(np.float64).eps * max(1.0, *map(abs, sums)) / eps
        if not abs(grad[place] - slope) <= tol * abs(slope) + rounding:  # so that nan fails
            where = f"input {i}" + (f" at {place}" if place else "")
            claim = f"backward() gives {grad[place]:.6g}"
            raise RuntimeError(
                f"gradcheck: {where}: {claim}, but nudging by {eps:g} gives {slope:.6g}."
            )
