"""Exercise 13: activations that survive large numbers, and a unit with a threshold."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {
    "leaky_relu: x > 0 -> x >= 0": "at 0 both sides give 0",
    "sigmoid: x >= 0 -> x > 0": "at 0 both forms give one half",
    "threshold: x @ w -> w @ x": "the products of two vectors add up the same either way",
}


def right_leaky_relu(x, slope):
    x = np.asarray(x, dtype=float)
    return np.where(x > 0, x, slope * x)


def right_leaky_relu_by_parts(x, slope):
    x = np.asarray(x, dtype=float)
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


@question(
    points=1,
    right=right_leaky_relu,
    also=(right_leaky_relu_by_parts,),
    hints=(
        "relu throws everything below 0 away. What does leaky relu keep of it?",
        "np.where(condition, a, b) takes a where the condition holds, and b elsewhere.",
        "np.where(x > 0, x, slope * x)",
    ),
)
def leaky_relu(rng):
    """x above 0, and slope * x below."""
    yield call, rng.normal(size=7), rng.uniform(0.1, 0.4)
    yield call, rng.normal(size=(3, 4)) * 1e-3, rng.uniform(0.1, 0.4)
    yield call, -rng.uniform(1, 4), rng.uniform(0.1, 0.4)


@wrong(leaky_relu, sneaky=True)
def nothing_leaks(x, slope):
    """That is plain relu: below 0 nothing comes through. A leaky relu lets slope * x through."""
    return np.maximum(x, 0)


@wrong(leaky_relu, like=nothing_leaks)
def nothing_leaks_by_product(x, slope):
    return np.asarray(x) * (np.asarray(x) > 0)


@wrong(leaky_relu)
def constant_leak(x, slope):
    """Below 0 you return slope itself, the same number for every x. It should be slope times x."""
    return np.where(np.asarray(x) > 0, x, slope)


@wrong(leaky_relu)
def leak_turned_up(x, slope):
    """Below 0 your line goes up to the left. slope * x is already negative there: no minus."""
    return np.where(np.asarray(x) > 0, x, -slope * np.asarray(x))


@wrong(leaky_relu)
def sides_swapped(x, slope):
    """You swapped the sides: numbers above 0 are made small and those below pass unchanged."""
    return np.where(np.asarray(x) > 0, slope * np.asarray(x), x)


def right_sigmoid(x):
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def right_sigmoid_by_shift(x):
    x = np.asarray(x, dtype=float)
    below = np.minimum(x, 0)
    return np.exp(below) / (np.exp(below) + np.exp(below - x))


def squeezed(sigmoid, x):
    """An overflow on the way counts as an error here, even where the result comes out right."""
    with np.errstate(over="raise", invalid="raise"):
        return sigmoid(x)


@question(
    points=2,
    right=right_sigmoid,
    also=(right_sigmoid_by_shift,),
    hints=(
        "np.exp overflows for large numbers, never for negative ones. Which power is always safe?",
        "Multiply 1 / (1 + exp(-x)) above and below by exp(x). For which x is which form safe?",
        "e = np.exp(-np.abs(x)); then np.where(x >= 0, 1 / (1 + e), e / (1 + e)).",
    ),
)
def sigmoid(rng):
    """1 / (1 + exp(-x)), without overflow for any x."""
    yield squeezed, rng.normal(size=6) * 2
    yield squeezed, rng.uniform(800, 1200, size=3) * np.array([1, 1, 0.001])
    yield squeezed, -rng.uniform(800, 1200, size=3) * np.array([1, 0.001, 1])
    yield squeezed, -rng.uniform(25, 30)


@wrong(sigmoid, sneaky=True)
def overflows_above(x):
    """exp(x) / (1 + exp(x)) is right on paper. But exp(1000) is too large for a float: it becomes
    inf, and inf / inf is nan."""
    return np.exp(x) / (1 + np.exp(x))


@wrong(sigmoid, like=overflows_above)
def overflows_above_with_a_name(x):
    e = np.exp(x)
    return e / (e + 1)


@wrong(sigmoid, sneaky=True)
def overflows_below(x):
    """1 / (1 + exp(-x)) is right on paper, and for most numbers here. But for x = -1000 it asks for
    exp(1000), which is too large for a float. NumPy warns and goes on with inf. Here 1 / inf is 0,
    so the result is right by luck; in the next formula it may not be."""
    return 1 / (1 + np.exp(-x))


@wrong(sigmoid, like=overflows_below)
def overflows_below_by_power(x):
    return (np.exp(-x) + 1) ** -1.0


@wrong(sigmoid)
def falls(x):
    """Your curve falls where it should rise. Check the sign in the exponent: sigmoid(5) is close
    to 1, not to 0."""
    x = np.asarray(x, dtype=float)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, e, 1) / (1 + e)


@wrong(sigmoid, sneaky=True)
def mirrored(x):
    """Below 0 you return what belongs to the positive side: with |x| in the exponent, -3 and 3 come
    out the same. The negative side needs e / (1 + e)."""
    e = np.exp(-np.abs(x))
    return 1 / (1 + e)


@wrong(sigmoid, like=mirrored)
def mirrored_by_maximum(x):
    x = np.maximum(x, -np.asarray(x))
    return (1 + np.exp(-x)) ** -1


def right_tanh(x):
    return 2 * right_sigmoid(2 * np.asarray(x)) - 1


def right_tanh_by_difference(x):
    x = np.asarray(x)
    return right_sigmoid(2 * x) - right_sigmoid(-2 * x)


def stretched(tanh, sigmoid, x):
    """tanh, which calls your sigmoid."""
    return tanh(x)


@question(
    points=1,
    right=right_tanh,
    also=(right_tanh_by_difference,),
    hints=(
        "sigmoid goes from 0 to 1, tanh from -1 to 1. Stretch it and move it down.",
        "tanh is twice as high as sigmoid. At 0 it is also steeper: put 2 * x in.",
        "2 * sigmoid(2 * x) - 1",
    ),
)
def tanh(rng):
    """tanh x, from sigmoid."""
    yield stretched, rng.normal(size=5)
    yield stretched, rng.normal(size=(2, 3)) * 1e-2
    yield stretched, np.array([-1, 1]) * rng.uniform(800, 1200)


@wrong(tanh, sneaky=True)
def too_flat(x):
    """The range is right, but the curve is too flat: at 0 the slope of tanh is 1, and yours is
    one half. The 2 * x inside sigmoid is missing."""
    return 2 * right_sigmoid(x) - 1


@wrong(tanh, like=too_flat)
def too_flat_by_difference(x):
    return right_sigmoid(x) - right_sigmoid(-np.asarray(x))


@wrong(tanh)
def not_moved(x):
    """Your curve goes from 0 to 2. Move it down by 1."""
    return 2 * right_sigmoid(2 * np.asarray(x))


@wrong(tanh)
def not_stretched(x):
    """Your curve goes from -1 to 0: you moved sigmoid down but did not make it twice as high."""
    return right_sigmoid(2 * np.asarray(x)) - 1


@wrong(tanh)
def only_inside(x):
    """You squeezed sigmoid sideways, and it still goes from 0 to 1. Make it twice as high, and move
    it down by 1."""
    return right_sigmoid(2 * np.asarray(x))


def right_threshold(x, w, t):
    return 1.0 if np.dot(x, w) > t else 0.0


def right_threshold_by_bias(x, w, t):
    b = -t
    return float(sum(x_i * w_i for x_i, w_i in zip(x, w, strict=True)) + b > 0)


def many(threshold, X, w, t):
    """The unit's answers to several inputs, the rows of X."""
    return [threshold(x, w, t) for x in X]


@question(
    points=1,
    right=right_threshold,
    also=(right_threshold_by_bias,),
    hints=(
        "Compare the weighted sum with t. Which side fires?",
        "A threshold is a bias with the other sign: x @ w > t is the same as x @ w - t > 0.",
        "return 1.0 if x @ w > t else 0.0",
    ),
)
def threshold(rng):
    """A neuron that fires when its weighted sum is above t."""
    yield many, rng.normal(size=(16, 3)), rng.normal(size=3), rng.uniform(0.3, 0.6)
    X, w = rng.integers(-3, 4, size=(16, 4)), rng.integers(1, 4, size=4)
    yield many, X, w, int(X[5] @ w)


@wrong(threshold, sneaky=True)
def added(x, w, t):
    """You added t, as if it were a bias. A high threshold then makes it easier to fire. It should
    be harder: compare the sum with t itself."""
    return 1.0 if x @ w + t > 0 else 0.0


@wrong(threshold, like=added)
def added_on_the_other_side(x, w, t):
    return float(np.sum(x * w) > -t)


@wrong(threshold)
def reversed_comparison(x, w, t):
    """Your unit fires below the threshold and is silent above it. Turn the comparison round."""
    return 1.0 if x @ w < t else 0.0


@wrong(threshold, sneaky=True)
def fires_on_the_line(x, w, t):
    """Exactly at t your unit fires. It should fire above t only: > and not >=."""
    return 1.0 if x @ w >= t else 0.0


@wrong(threshold, like=fires_on_the_line)
def fires_on_the_line_by_sign(x, w, t):
    return float(not np.sum(x * w) - t < 0)


@wrong(threshold)
def passes_the_sum_on(x, w, t):
    """Above the threshold you pass the sum itself on. A threshold unit answers 1.0 or 0.0."""
    return x @ w if x @ w > t else 0.0


@wrong(threshold)
def each_input_alone(x, w, t):
    """You compared each input with t and then weighed the answers. Weigh and add first; there is
    one sum, and one comparison."""
    return float((x > t) @ w > 0)


def leaky_by_where(x, slope):
    return x if x > 0 else slope * x


def leaky_by_maximum(x, slope):
    return max(x, slope * x)


@catch(
    points=1,
    right=leaky_by_where,
    wrong=leaky_by_maximum,
    hints=(
        "max takes the larger one. Below 0, when is slope * x the larger of the two?",
        "With x = -1 the two are -1 and -slope. Which slopes make -1 the larger one?",
        "Any slope above 1, and any x but 0.",
    ),
)
def caught():
    """An x and a slope on which max(x, slope * x) is not leaky relu."""
    return -2.0, 3.0


@wrong(caught, when=lambda x, slope: x == 0)
def at_zero():
    """At x = 0 both give 0, whatever the slope is."""
    return 0.0, 3.0


@wrong(caught, when=lambda x, slope: 0 <= slope <= 1)
def usual_slope():
    """With a slope from 0 to 1 the two agree everywhere, and these are the slopes that everybody
    uses. That is why the short form is so popular."""
    return -2.0, 0.01
