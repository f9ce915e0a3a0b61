"""The numbers a layer starts from: random, and neither too large nor too small.

Every function overwrites a tensor's numbers and returns the tensor, as in torch.nn.init.
Its fan-in is how many inputs one output sums over, its fan-out how many outputs one input reaches.
"""

import math

import numpy as np

from nnlib import random
from nnlib.tensor import Tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill with numbers drawn evenly from [a, b).

    Example:
        >>> w = uniform_(Tensor(np.zeros((100, 100))), -1, 1)
        >>> round(w.data.min()), round(w.data.max())
        (-1, 1)
    """
    return _fill(tensor, random.generator.uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill with numbers drawn from a bell curve.

    Example:
        >>> w = normal_(Tensor(np.zeros((100, 100))), mean=5, std=0.1)
        >>> print(f"{w.data.mean():.1f} {w.data.std():.1f}")
        5.0 0.1
    """
    return _fill(tensor, random.generator.normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Example:
        >>> constant_(Tensor(np.zeros(2)), 0.5).tolist()
        [0.5, 0.5]
    """
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0: right for a bias; a layer of zero weights never tells its units apart.

    Example:
        >>> zeros_(Tensor([1.0, 2.0]))
        Tensor([0., 0.])
    """
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    Example:
        >>> ones_(Tensor([1.0, 2.0]))
        Tensor([1., 1.])
    """
    return _fill(tensor, 1)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Keep the variance of signal and gradient alike through tanh or sigmoid layers.

    Uniform in ±gain · √(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010).

    Example:
        >>> w = xavier_uniform_(Tensor(np.zeros((100, 200))))
        >>> print(f"{w.data.max():.2f}")
        0.14
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor, "xavier_uniform_")))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Keep the variance of signal and gradient alike through tanh or sigmoid layers.

    Normal with standard deviation gain · √(2 / (fan_in + fan_out)) (Glorot & Bengio, 2010).

    Example:
        >>> w = xavier_normal_(Tensor(np.zeros((100, 200))))
        >>> print(f"{w.data.std():.2f}")
        0.08
    """
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(_fans(tensor, "xavier_normal_"))))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Keep the variance of the signal through ReLU layers (He et al., 2015).

    Uniform in ±gain · √(3 / fan). `a` is the negative slope of the leaky ReLU that follows.

    Example:
        >>> w = kaiming_uniform_(Tensor(np.zeros((100, 200))))
        >>> print(f"{w.data.max():.2f}")
        0.17
    """
    gain = calculate_gain(nonlinearity, a)
    bound = gain * math.sqrt(3 / _fan(tensor, mode, "kaiming_uniform_"))
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Keep the variance of the signal through ReLU layers (He et al., 2015).

    Normal with standard deviation gain / √fan. `a` is the negative slope of the leaky ReLU
    that follows.

    Example:
        >>> w = kaiming_normal_(Tensor(np.zeros((100, 200))))
        >>> print(f"{w.data.std():.2f}")
        0.10
    """
    gain = calculate_gain(nonlinearity, a)
    return normal_(tensor, 0, gain / math.sqrt(_fan(tensor, mode, "kaiming_normal_")))


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Rows (or columns, if there are fewer) at right angles and of length `gain`.

    Such a matrix turns a vector without making it longer or shorter, however often it is applied:
    what a recurrent network asks for (Saxe et al., 2014).

    Example:
        >>> w = orthogonal_(Tensor(np.zeros((2, 3)))).data
        >>> abs(w @ w.T).round(6).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    outputs, inputs = len(tensor.data), _fans(tensor, "orthogonal_")[0]
    q, r = np.linalg.qr(random.generator.normal(size=sorted((outputs, inputs))[::-1]))
    q = q * np.sign(np.diag(r))  # so that every rotation is equally likely
    return _fill(tensor, gain * (q if outputs > inputs else q.T).reshape(tensor.shape))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much larger the weights must be to make up for what an activation takes away.

    Args:
        nonlinearity: its name, as in nnlib.functional ("linear", "relu", "tanh" ...).
        param: the negative slope of "leaky_relu"; 0.01 if not given.

    Example:
        >>> calculate_gain("relu")
        1.4142135623730951
    """
    leak = math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "leaky_relu": leak}
    if nonlinearity not in gains:
        needs = f"calculate_gain knows {', '.join(gains)}; got {nonlinearity!r}"
        raise ValueError(f"{needs}. Pass the nearest of these, or a gain of your own.")
    return gains[nonlinearity]


def _fill(tensor: Tensor, values: np.ndarray | float) -> Tensor:
    tensor.data[...] = values  # keeps the dtype
    return tensor


def _fans(tensor: Tensor, caller: str) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight of shape (out, in) or (out, in, *kernel)."""
    if len(tensor.shape) < 2 or 0 in tensor.shape:
        needs = f"{caller} needs a weight of shape (out, in) or (out, in, *kernel)"
        fix = "For a bias use zeros_ or uniform_."
        raise ValueError(f"{needs}; this tensor has shape {tensor.shape}. {fix}")
    outputs, inputs, *kernel = tensor.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def _fan(tensor: Tensor, mode: str, caller: str) -> int:
    """fan_in, which keeps the signal alike, or fan_out, which keeps the gradient."""
    if mode not in ("fan_in", "fan_out"):
        needs = f'{caller} needs mode="fan_in" (keep the signal) or "fan_out" (keep the gradient)'
        raise ValueError(f"{needs}; got {mode!r}.")
    fan_in, fan_out = _fans(tensor, caller)
    return fan_in if mode == "fan_in" else fan_out
