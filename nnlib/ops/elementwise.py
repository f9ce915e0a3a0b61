"""Arithmetic and functions of one number, applied to each."""

import math

import numpy as np

from nnlib.graph import Function

Array = np.ndarray


# Arithmetic


class Add(Function):
    """z = x + y

    Example:
        >>> Add().forward(2.0, 3.0)
        5.0
    """

    symbol = "+"

    def forward(self, x, y):
        return x + y

    def backward(self, grad):
        return grad, grad


class Sub(Function):
    """z = x - y

    Example:
        >>> Sub().forward(2.0, 3.0)
        -1.0
    """

    symbol = "-"

    def forward(self, x, y):
        return x - y

    def backward(self, grad):
        return grad, -grad


class Mul(Function):
    """z = x · y

    Example:
        >>> Mul().forward(2.0, 3.0)
        6.0
    """

    symbol = "*"

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, grad):
        need_x, need_y = self.needs
        return grad * self.y if need_x else None, grad * self.x if need_y else None


class Div(Function):
    """z = x / y

    Example:
        >>> Div().forward(2.0, 4.0)
        0.5
    """

    symbol = "/"

    def forward(self, x, y):
        self.y = y
        return x / y

    def backward(self, grad):
        dx = grad / self.y
        return dx, -dx * self.out if self.needs[1] else None


class Neg(Function):
    """z = -x

    Example:
        >>> Neg().forward(2.0)
        -2.0
    """

    symbol = "-"

    def forward(self, x):
        return -x

    def backward(self, grad):
        return (-grad,)


class Pow(Function):
    """z = xⁿ for a plain number n, with the slope n·xⁿ⁻¹

    Example:
        >>> Pow().forward(2.0, n=3)
        8.0
    """

    symbol = "**"

    def forward(self, x, n):
        self.x, self.n, self.symbol = x, n, f"**{n:g}"
        return x**n

    def backward(self, grad):
        return (grad * (self.n * self.x ** (self.n - 1)),)


class Where(Function):
    """z = x where the condition holds, y elsewhere

    Example:
        >>> Where().forward(np.array([1, 2]), np.array([3, 4]), condition=np.array([True, False]))
        array([1, 4])
    """

    symbol = "where"

    def forward(self, x, y, condition):
        self.condition = condition
        return np.where(condition, x, y)

    def backward(self, grad):
        return np.where(self.condition, grad, 0), np.where(self.condition, 0, grad)


# Functions of one number


class Exp(Function):
    """z = eˣ, its own slope

    Example:
        >>> Exp().forward(np.array([0.0, 1.0])).round(3)
        array([1.   , 2.718])
    """

    symbol = "exp"

    def forward(self, x):
        return np.exp(x)

    def backward(self, grad):
        return (grad * self.out,)


class Log(Function):
    """z = ln x, with the slope 1/x

    Example:
        >>> Log().forward(np.array([1.0, 10.0])).round(3)
        array([0.   , 2.303])
    """

    symbol = "log"

    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, grad):
        return (grad / self.x,)


class Sqrt(Function):
    """z = √x, with the slope 1/(2√x)

    Example:
        >>> Sqrt().forward(np.array([1.0, 9.0]))
        array([1., 3.])
    """

    symbol = "sqrt"

    def forward(self, x):
        return np.sqrt(x)

    def backward(self, grad):
        return (grad / (2 * self.out),)


class Abs(Function):
    """z = |x|, with the slope -1 below 0 and 1 above; at 0 we say 0

    Example:
        >>> Abs().forward(np.array([-1.0, 9.0]))
        array([1., 9.])
    """

    symbol = "abs"

    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, grad):
        return (grad * np.sign(self.x),)


class Tanh(Function):
    """z = tanh x, squashing any number into (-1, 1)

    Example:
        >>> Tanh().forward(np.array([0.0, 2.0])).round(3)
        array([0.   , 0.964])
    """

    symbol = "tanh"

    def forward(self, x):
        return np.tanh(x)

    def backward(self, grad):
        return (grad * (1 - self.out * self.out),)


class Sigmoid(Function):
    """z = σ(x) = 1 / (1 + e⁻ˣ), squashing any number into (0, 1), with the slope z·(1 - z)

    Example:
        >>> Sigmoid().forward(np.array([0.0, 2.0])).round(3)
        array([0.5  , 0.881])
    """

    symbol = "sigmoid"

    def forward(self, x):
        return sigmoid(x)

    def backward(self, grad):
        return (grad * (self.out * (1 - self.out)),)


class Relu(Function):
    """z = max(0, x), with the slope 1 above 0 and 0 elsewhere

    Example:
        >>> Relu().forward(np.array([-1.0, 2.0]))
        array([0., 2.])
    """

    symbol = "relu"

    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, grad):
        return (grad * ~(self.out <= 0),)  # a nan lets it through, as in torch


class LeakyRelu(Function):
    """z = x above 0 and slope·x elsewhere, so that no unit ever goes quite silent

    Example:
        >>> LeakyRelu().forward(np.array([-1.0, 2.0]), slope=0.5)
        array([-0.5,  2. ])
    """

    symbol = "leaky_relu"

    def forward(self, x, slope):
        self.x, self.slope = x, slope
        return np.where(x > 0, x, slope * x)

    def backward(self, grad):
        return (np.where(self.x > 0, grad, self.slope * grad),)


class Silu(Function):
    """z = x · σ(x), a smooth relu, with the slope σ(x) · (1 + x · (1 - σ(x)))

    Example:
        >>> Silu().forward(np.array([-1.0, 9.0])).round(3)
        array([-0.269,  8.999])
    """

    symbol = "silu"

    def forward(self, x):
        self.x, self.gate = x, sigmoid(x)
        return x * self.gate

    def backward(self, grad):
        return (grad * (self.gate * (1 + self.x * (1 - self.gate))),)


class Gelu(Function):
    """z = x · Φ(x), with Φ(x) the share of a bell curve below x, and the slope Φ(x) + x · Φ'(x)

    Its composed form is `0.5 * x * (1 + u.tanh())`, u = `(2 / pi) ** 0.5 * (x + 0.044715 * x**3)`,
    if approximate="tanh". The slope is found along the way, while the parts are at hand.

    Example:
        >>> Gelu().forward(np.array([-1.0, 9.0]), approximate="none").round(3)
        array([-0.159,  9.   ])
    """

    symbol = "gelu"

    def forward(self, x, approximate):
        below = tanh_below if approximate == "tanh" else bell_below
        z, self.slope = np.empty(x.size, x.dtype), np.empty(x.size, x.dtype)
        rows = x.reshape(-1)
        for i in range(0, x.size, 2**15):  # so few at a time that they stay in the cache
            part = slice(i, i + 2**15)
            share, density = below(rows[part])
            density *= rows[part]
            np.add(share, density, out=self.slope[part])
            np.multiply(share, rows[part], out=z[part])
        return z.reshape(x.shape)

    def backward(self, grad):
        return (grad * self.slope.reshape(grad.shape),)


class Clamp(Function):
    """z = x held between low and high; where it is held, nothing flows back

    Example:
        >>> Clamp().forward(np.array([-1.0, 2.0]), low=0, high=1)
        array([0., 1.])
    """

    symbol = "clamp"

    def forward(self, x, low, high):
        self.x = x
        return np.clip(x, low, high)

    def backward(self, grad):
        return (grad * (self.x == self.out),)


class Copy(Function):
    """z = x, copied, perhaps into another dtype

    Example:
        >>> Copy().forward(np.array([1.0]), dtype=np.float32)
        array([1.], dtype=float32)
    """

    symbol = "copy"

    def forward(self, x, dtype):
        return x.astype(dtype)

    def backward(self, grad):
        return (grad,)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), never taking the exp of a large number."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


# √(2π) · Φ(-x) · exp(x²/2) for x >= 0 as a polynomial in 1 / (1 + 0.225·x), highest power first.
# The form is that of Hastings (1955), the numbers are a fit of our own: it makes Φ wrong by at most
# 2e-14, or for float32 by 2e-8.
TAIL = (
    *(-0.0559899294500602, 0.5412135551018876, -2.2011825103986076, 4.854650030117931),
    *(-6.5658785492221785, 6.425237223607432, -4.08564621581303, 2.2280002097312535),
    *(-0.4714391379774857, 0.3788419561910192, 0.2042307146528664, 0.0012767907745209),
)
SHORT_TAIL = (1.97661121, -3.76604386, 4.26070651, -2.01734613, 0.878150777, -0.0787643271)


def bell_below(x: Array) -> tuple[Array, Array]:
    """The standard normal distribution: the share Φ(x) of it below x, and its density there."""
    t = 1 / (1 + 0.225 * np.abs(x))
    first, *rest = SHORT_TAIL if x.dtype == np.float32 else TAIL
    share = np.full_like(x, first)
    for c in rest:
        share *= t
        share += c
    density = np.exp(x * (-0.5 * x))
    density *= 1 / math.sqrt(2 * math.pi)
    share *= density
    share -= 0.5  # Φ(-|x|) less a half; on the other side of 0 it is as much more
    return 0.5 + np.copysign(share, x), density


def tanh_below(x: Array) -> tuple[Array, Array]:
    """Nearly the same by ½·(1 + tanh u), with u = √(2/π)·(x + 0.044715·x³)."""
    k = math.sqrt(2 / math.pi)
    xx = x * x  # x**3 would take 24 times as long
    share = 0.5 + 0.5 * np.tanh(x * (k + 0.044715 * k * xx))
    return share, share * (1 - share) * (2 * k + 6 * 0.044715 * k * xx)
