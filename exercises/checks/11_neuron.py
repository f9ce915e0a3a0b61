"""Exercise 11: one neuron, its boundary, and a batch of inputs."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {"neuron: x @ w -> w @ x": "the products of two vectors add up the same either way"}


def right_neuron(x, w, b, f):
    return f(np.asarray(x) @ w + b)


def right_neuron_by_loop(x, w, b, f):
    z = b
    for x_i, w_i in zip(x, w, strict=True):
        z += x_i * w_i
    return f(z)


def seen_through(neuron, x, w, b):
    """The neuron is called with two activations: one changes nothing, the other bends."""
    return [neuron(x, w, b, lambda z: z), neuron(x, w, b, lambda z: z * abs(z) - 2)]


@question(
    points=1,
    right=right_neuron,
    also=(right_neuron_by_loop,),
    hints=(
        "The weighted sum is one number, although x and w hold several.",
        "x @ w multiplies input by weight and adds up. What is still missing then?",
        "z = x @ w + b",
    ),
)
def neuron(rng):
    """One neuron: the activation of the weighted sum plus the bias."""
    yield seen_through, rng.normal(size=3), rng.normal(size=3), rng.uniform(2, 4)
    yield seen_through, rng.normal(size=5), rng.normal(size=5) * 1e-3, rng.normal() * 1e-3


@wrong(neuron)
def not_summed(x, w, b, f):
    """You multiplied each input by its weight, but did not add the products up. A neuron has one
    sum; yours has one number for each input."""
    return f(x * w + b)


@wrong(neuron, sneaky=True)
def bias_lost(x, w, b, f):
    """The bias is missing. The weighted sum is right, but b never comes in."""
    return f(x @ w)


@wrong(neuron, like=bias_lost)
def bias_lost_by_sum(x, w, b, f):
    return f(np.sum(x * w))


@wrong(neuron, sneaky=True)
def bias_on_each_input(x, w, b, f):
    """You added the bias to each input, before the weights. So it is multiplied by the sum of the
    weights. It belongs to the finished sum, once."""
    return f(w @ (x + b))


@wrong(neuron, like=bias_on_each_input)
def bias_on_each_input_by_sum(x, w, b, f):
    return f(sum(w_i * (x_i + b) for x_i, w_i in zip(x, w, strict=True)))


@wrong(neuron, sneaky=True)
def bias_on_each_product(x, w, b, f):
    """You added the bias to each product and then summed, so it came in once for every input. It
    belongs to the finished sum, once."""
    return f((x * w + b).sum())


@wrong(neuron, like=bias_on_each_product)
def bias_times_length(x, w, b, f):
    return f(x @ w + len(x) * b)


@wrong(neuron)
def bias_subtracted(x, w, b, f):
    """You subtracted the bias. It is added: a large b makes it easy to fire."""
    return f(x @ w - b)


def right_boundary(x1, w, b):
    return -(w[0] * x1 + b) / w[1]


def right_boundary_by_slope(x1, w, b):
    slope, start = -w[0] / w[1], -b / w[1]
    return start + slope * x1


@question(
    points=1,
    right=right_boundary,
    also=(right_boundary_by_slope,),
    hints=(
        "Write down w[0]*x1 + w[1]*x2 + b = 0. Everything but x2 is known.",
        "Bring w[0]*x1 + b to the other side: w[1]*x2 = ...",
        "-(w[0] * x1 + b) / w[1]",
    ),
)
def boundary(rng):
    """Where a neuron with two inputs is exactly 0."""
    yield call, rng.normal(), rng.uniform(0.5, 3, size=2), rng.uniform(1, 4)
    yield call, rng.normal(size=4), -rng.uniform(0.5, 3, size=2), rng.normal()
    yield call, rng.normal() * 1e-3, rng.uniform(0.5, 3, size=2), rng.normal() * 1e-3


@wrong(boundary, sneaky=True)
def weights_swapped(x1, w, b):
    """You swapped the two weights. x1 belongs to w[0], and the weight that you divide by is the
    one of x2. With two equal weights nobody would notice."""
    return -(w[1] * x1 + b) / w[0]


@wrong(boundary, like=weights_swapped)
def weights_swapped_by_name(x1, w, b):
    w2, w1 = w[0], w[1]
    return (-b - w1 * x1) / w2


@wrong(boundary, sneaky=True)
def first_sign_lost(x1, w, b):
    """The bias changed its sign on the way to the other side, but w[0] * x1 did not. Both go to
    the other side."""
    return (w[0] * x1 - b) / w[1]


@wrong(boundary, like=first_sign_lost)
def first_sign_lost_by_slope(x1, w, b):
    return x1 * w[0] / w[1] - b / w[1]


@wrong(boundary, sneaky=True)
def bias_sign_lost(x1, w, b):
    """w[0] * x1 changed its sign on the way to the other side, but the bias did not. With b = 0
    nobody would notice."""
    return -(w[0] * x1 - b) / w[1]


@wrong(boundary, like=bias_sign_lost)
def bias_sign_lost_by_slope(x1, w, b):
    return (b - w[0] * x1) / w[1]


@wrong(boundary)
def both_signs_lost(x1, w, b):
    """The size is right and the sign is not. What goes to the other side of the = changes its
    sign."""
    return (w[0] * x1 + b) / w[1]


@wrong(boundary)
def not_divided(x1, w, b):
    """You found w[1] * x2, not x2. Divide by w[1]."""
    return -(w[0] * x1 + b)


def right_batch(X, w, b):
    return np.asarray(X) @ w + b


def right_batch_by_row(X, w, b):
    return np.array([sum(x * w) + b for x in np.asarray(X)])


@question(
    points=2,
    right=right_batch,
    also=(right_batch_by_row,),
    hints=(
        "For one row it is x @ w + b. Does @ also take all the rows?",
        "X is (B, D) and w is (D,). X @ w is (B,): one number for each row.",
        "return X @ w + b",
    ),
)
def batch(rng):
    """The weighted sum plus the bias, for each row."""
    yield call, rng.normal(size=(5, 3)), rng.normal(size=3), rng.uniform(2, 4)
    yield call, rng.normal(size=(4, 6)), rng.normal(size=6) * 1e-3, rng.normal() * 1e-3


@wrong(batch)
def column_of_weights(X, w, b):
    """You made w a column, (D, 1), so your result is a column, (B, 1). We want (B,). The two look
    alike, but compare a (B, 1) with a (B,) and NumPy makes a (B, B) of it, without a word."""
    return X @ w.reshape(-1, 1) + b


@wrong(batch)
def products_not_summed(X, w, b):
    """You multiplied each input by its weight, but did not add up along the row: the result still
    has a column for each input."""
    return X * w + b


@wrong(batch)
def summed_over_rows(X, w, b):
    """You added up over the rows, so different flowers went into one sum. Add up along each row:
    axis 1."""
    return (X * w).sum(axis=0) + b


@wrong(batch)
def one_sum(X, w, b):
    """You added everything into one number. Each row has a sum of its own."""
    return (X * w).sum() + b


@wrong(batch, sneaky=True)
def batch_bias_lost(X, w, b):
    """The bias is missing: the sums are right, but b never comes in."""
    return X @ w


@wrong(batch, like=batch_bias_lost)
def batch_bias_lost_by_sum(X, w, b):
    return (X * w).sum(axis=1)


def weighted_sum(x, w, b):
    return same_length(x, w) @ np.asarray(w, dtype=float) + b


def bias_inside(x, w, b):
    return np.asarray(w, dtype=float) @ (same_length(x, w) + b)


def same_length(x, w):
    if np.shape(x) != np.shape(w) or np.ndim(x) != 1:
        raise ValueError(f"x and w must be lists of the same length; got {x} and {w}")
    return np.asarray(x, dtype=float)


@catch(
    points=1,
    right=weighted_sum,
    wrong=bias_inside,
    hints=(
        "Multiply w @ (x + b) out. By what is b multiplied?",
        "b is multiplied by the sum of the weights. In the blind test, what is that sum?",
        "Take any weights whose sum is not 1, and any b but 0.",
    ),
)
def caught():
    """Numbers on which a neuron that adds its bias to each input gets a wrong sum."""


@wrong(caught, when=lambda x, w, b: b == 0)
def no_bias():
    """Your b is 0. Wherever it is added, 0 changes nothing."""
    return [1.0, 2.0], [3.0, 5.0], 0.0


@wrong(caught, when=lambda x, w, b: abs(sum(w) - 1) < 1e-9)
def weights_sum_to_one():
    """The weights in this test add up to 1. The bias is multiplied by their sum, so here it comes
    out as b, as it should. That is why the test was blind."""
    return [1.0, 2.0], [3.0, -2.0], 4.0
