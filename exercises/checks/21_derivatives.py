"""Exercise 21: measure a slope, multiply slopes along a chain, and check a gradient."""

import numpy as np

from nncheck import call, question, wrong

USES = "numpy"

equivalent = {
    "relu_slope: np.where(x > 0, 1.0, 0.0) -> np.where(1.0, x > 0, 0.0)": "True and False count as "
    "1 and 0",
    "gradcheck: claimed[i] - measured -> measured - claimed[i]": "abs takes the sign away",
}


# ------------------------------------------------------------------------- measure a slope


def right_central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def right_central_difference_as_a_mean(f, x, h):
    forward = (f(x + h) - f(x)) / h
    backward = (f(x) - f(x - h)) / h
    return (forward + backward) / 2


def cubic(central_difference, a, b, c, x, h):
    """Your slope of f(x) = a*x*x*x + b*x*x + c*x."""
    return central_difference(lambda x: a * x * x * x + b * x * x + c * x, x, h)


def wave(central_difference, a, x, h):
    """Your slope of f(x) = exp(a * x)."""
    return central_difference(lambda x: np.exp(a * x), x, h)


@question(
    points=1,
    right=right_central_difference,
    also=(right_central_difference_as_a_mean,),
    hints=(
        "Where are the two points at which you call f? How far apart do they lie?",
        "From x - h to x + h it is 2 * h. Divide the rise by that distance.",
        "(f(x + h) - f(x - h)) / (2 * h), with the brackets around 2 * h.",
    ),
)
def central_difference(rng):
    """The slope of f at x, from one call on each side."""
    yield cubic, *rng.uniform(1, 3, size=4), rng.uniform(0.2, 0.4)
    yield cubic, *rng.uniform(1, 3, size=3), -rng.uniform(3, 5), rng.uniform(1.5, 3)
    yield cubic, *rng.uniform(1, 3, size=4) * 1e-4, rng.uniform(0.2, 0.4) * 1e-4
    yield wave, rng.uniform(1.2, 1.8), rng.normal(), 1e-5


@wrong(central_difference, sneaky=True)
def divided_by_h(f, x, h):
    """You divided by h. Your two points are x - h and x + h, and they are 2 * h apart: your slope
    is twice what it should be."""
    return (f(x + h) - f(x - h)) / h


@wrong(central_difference, like=divided_by_h)
def divided_by_h_in_steps(f, x, h):
    rise, run = f(x + h) - f(x - h), h
    return rise / run


@wrong(central_difference, sneaky=True)
def multiplied_by_h(f, x, h):
    """/ 2 * h divides by 2 and then multiplies by h: Python goes from left to right. Write
    / (2 * h)."""
    return (f(x + h) - f(x - h)) / 2 * h


@wrong(central_difference, like=multiplied_by_h)
def multiplied_by_h_in_steps(f, x, h):
    return 0.5 * h * (f(x + h) - f(x - h))


@wrong(central_difference, sneaky=True)
def forward(f, x, h):
    """That is the forward difference: it looks to one side only. With a small h it comes close,
    but its error shrinks with h, and that of the central one with h * h. Look to both sides."""
    return (f(x + h) - f(x)) / h


@wrong(central_difference, like=forward)
def forward_in_steps(f, x, h):
    before = f(x)
    return -(before - f(x + h)) / h


@wrong(central_difference)
def backward(f, x, h):
    """That is the backward difference: it looks to one side only, from x - h to x. Look to both
    sides, from x - h to x + h."""
    return (f(x) - f(x - h)) / h


@wrong(central_difference)
def falls_where_f_rises(f, x, h):
    """Your slope has the opposite sign. Where f rises, f(x + h) is the larger one, so it comes
    first."""
    return (f(x - h) - f(x + h)) / (2 * h)


@wrong(central_difference)
def not_divided(f, x, h):
    """That is how far f moves. A slope is how many times as far as x: divide by the 2 * h that x
    moved."""
    return f(x + h) - f(x - h)


@wrong(central_difference)
def half_steps(f, x, h):
    """A central difference, but with half of the step: it looks at x - h/2 and x + h/2. Here h is
    the step to each side."""
    return (f(x + h / 2) - f(x - h / 2)) / h


# ----------------------------------------------------------------------------- along a chain


def right_chain(f_slope, g, g_slope, x):
    return f_slope(g(x)) * g_slope(x)


def right_chain_step_by_step(f_slope, g, g_slope, x):
    grad = g_slope(x)
    u = g(x)
    grad *= f_slope(u)
    return grad


def powers(chain, a, b, x):
    """y = f(g(x)) with g(x) = a*x*x + b and f(u) = u*u*u."""
    return chain(lambda u: 3 * u * u, lambda x: a * x * x + b, lambda x: 2 * a * x, x)


def neuron(chain, w, b, x):
    """y = f(g(x)) with g(x) = w*x + b and f = tanh."""
    return chain(lambda u: 1 - np.tanh(u) ** 2, lambda x: w * x + b, lambda x: w, x)


def waves(chain, a, x):
    """y = f(g(x)) with g(x) = exp(a*x) and f = sin."""
    return chain(np.cos, lambda x: np.exp(a * x), lambda x: a * np.exp(a * x), x)


@question(
    points=2,
    right=right_chain,
    also=(right_chain_step_by_step,),
    hints=(
        "x goes into g, and what comes out goes into f. Which number does f see?",
        "A nudge is stretched by g first and then by f. Stretching twice: add, or multiply?",
        "g is at x, so its slope is g_slope(x). f is at g(x). Multiply the two.",
    ),
)
def chain(rng):
    """The slope of f(g(x)) at x, from the two slopes."""
    yield powers, rng.uniform(1, 2), rng.uniform(0.5, 1), rng.uniform(1.2, 2)
    yield powers, rng.uniform(1, 2), rng.uniform(0.5, 1), rng.uniform(1.2, 2) * 1e-3
    yield neuron, rng.uniform(1.2, 2), rng.uniform(-1, -0.5), rng.uniform(0.2, 0.6)
    yield waves, rng.uniform(0.3, 0.6), rng.uniform(0.4, 0.9)


@wrong(chain, sneaky=True)
def both_at_x(f_slope, g, g_slope, x):
    """You took both slopes at x. But f never sees x: it sees u = g(x), and that is where its slope
    belongs. Where f is a straight line the two agree, so a simple example does not show it."""
    return f_slope(x) * g_slope(x)


@wrong(chain, like=both_at_x)
def both_at_x_in_a_loop(f_slope, g, g_slope, x):
    grad = 1.0
    for slope in (g_slope, f_slope):
        grad = grad * slope(x)
    return grad


@wrong(chain, sneaky=True)
def slope_of_a_slope(f_slope, g, g_slope, x):
    """You put g's slope into f's slope, f'(g'(x)). What goes into f is the number g(x). The two
    slopes are multiplied."""
    return f_slope(g_slope(x))


@wrong(chain, like=slope_of_a_slope)
def slope_of_a_slope_step_by_step(f_slope, g, g_slope, x):
    u = g_slope(x)
    return 1.0 * f_slope(u)


@wrong(chain)
def added(f_slope, g, g_slope, x):
    """You added the slopes. If g moves 3 times as far as x, and f moves 5 times as far as g, then
    f moves 15 times as far as x, not 8 times."""
    return f_slope(g(x)) + g_slope(x)


@wrong(chain, sneaky=True)
def only_the_outer(f_slope, g, g_slope, x):
    """That is how far f moves when u = g(x) is nudged. You nudge x, and g stretches the nudge
    before f sees it: multiply by g_slope(x)."""
    return f_slope(g(x))


@wrong(chain, like=only_the_outer)
def only_the_outer_step_by_step(f_slope, g, g_slope, x):
    u = g(x)
    return +f_slope(u)


@wrong(chain)
def both_at_u(f_slope, g, g_slope, x):
    """You took both slopes at g(x). That is where f stands. g stands at x, so its slope is
    g_slope(x)."""
    return f_slope(g(x)) * g_slope(g(x))


@wrong(chain)
def value_for_slope(f_slope, g, g_slope, x):
    """You multiplied by the number g(x). What stretches a nudge is the slope of g, g_slope(x)."""
    return f_slope(g(x)) * g(x)


# ------------------------------------------------------------- the slopes of the activations


def given_sigmoid(x):
    """The notebook gives this one; it survives large numbers."""
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1 / (1 + e), e / (1 + e))


def right_sigmoid_slope(x):
    s = given_sigmoid(x)
    return s * (1 - s)


def right_sigmoid_slope_by_safe_power(x):
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


@question(
    points=1,
    right=right_sigmoid_slope,
    also=(right_sigmoid_slope_by_safe_power,),
    hints=(
        "In the formula, one factor is sigmoid(x) itself. What is the rest of it?",
        "1 - sigmoid(x) is exp(-x) / (1 + exp(-x)). Multiply it by sigmoid(x): what do you get?",
        "s = sigmoid(x), and the slope is s * (1 - s).",
    ),
)
def sigmoid_slope(rng):
    """The slope of sigmoid at x, for any x."""
    yield call, rng.normal(size=5) * 2
    yield call, rng.normal(size=(3, 4))
    yield call, np.array([1, 0.001, -1]) * rng.uniform(800, 1200, size=3)
    yield call, -rng.uniform(20, 25)


@wrong(sigmoid_slope, sneaky=True)
def on_the_input(x):
    """You wrote x * (1 - x), with the number that goes *in*. The formula is about what comes *out*:
    s = sigmoid(x), then s * (1 - s). Old code often calls both of them x."""
    return x * (1 - x)


@wrong(sigmoid_slope, like=on_the_input)
def on_the_input_multiplied_out(x):
    return x - np.square(x)


@wrong(sigmoid_slope, sneaky=True)
def nan_far_below(x):
    """exp(-x) / (1 + exp(-x))**2 is right on paper. But at -1000 it asks for exp(1000), which is
    too large for a float: inf / inf is nan. sigmoid(x) never overflows: use it."""
    return np.exp(-x) / (1 + np.exp(-x)) ** 2


@wrong(sigmoid_slope, like=nan_far_below)
def nan_far_below_with_a_name(x):
    e = np.exp(-np.asarray(x))
    return e / (1 + e) / (1 + e)


@wrong(sigmoid_slope, sneaky=True)
def nan_far_above(x):
    """exp(x) / (1 + exp(x))**2 is right on paper. But exp(1000) is too large for a float: it
    becomes inf, and inf / inf is nan. sigmoid(x) never overflows: use it."""
    return np.exp(x) / (1 + np.exp(x)) ** 2


@wrong(sigmoid_slope, like=nan_far_above)
def nan_far_above_with_a_name(x):
    e = np.exp(x)
    return e / (1 + 2 * e + e * e)


@wrong(sigmoid_slope)
def sigmoid_itself(x):
    """That is sigmoid, not its slope. Far out, where sigmoid is near 1, it is flat: the slope there
    is near 0."""
    return given_sigmoid(x)


@wrong(sigmoid_slope)
def one_factor_missing(x):
    """That is 1 - s alone. The slope is s * (1 - s): it is near 0 on both sides."""
    return 1 - given_sigmoid(x)


@wrong(sigmoid_slope)
def the_rule_of_tanh(x):
    """1 - s*s is the rule for tanh. For sigmoid it is s * (1 - s)."""
    return 1 - given_sigmoid(x) ** 2


def right_tanh_slope(x):
    return 1 - np.tanh(x) ** 2


def right_tanh_slope_from_sigmoid(x):
    s = given_sigmoid(2 * np.asarray(x))
    return 4 * s * (1 - s)


@question(
    points=1,
    right=right_tanh_slope,
    also=(right_tanh_slope_from_sigmoid,),
    hints=(
        "At 0 the slope of tanh is 1. Far out, on both sides, it is 0. What is tanh there?",
        "tanh(-1) and tanh(1) have opposite signs, but the curve is equally steep at both. What "
        "does that say about a formula that is made of t?",
        "t = np.tanh(x), and the slope is 1 - t * t.",
    ),
)
def tanh_slope(rng):
    """The slope of tanh at x."""
    yield call, rng.normal(size=4)
    yield call, rng.normal(size=(3, 5)) * 1e-3
    yield call, -rng.uniform(3, 5)


@wrong(tanh_slope, sneaky=True)
def not_squared(x):
    """You wrote 1 - t; the slope is 1 - t*t. At 0 both give 1, and far to the right both give 0. On
    the left yours is near 2, where the curve is flat."""
    return 1 - np.tanh(x)


@wrong(tanh_slope, like=not_squared)
def not_squared_by_exp(x):
    return 2 / (np.exp(2 * np.asarray(x)) + 1)


@wrong(tanh_slope, sneaky=True)
def squared_the_input(x):
    """You squared the number that goes *in*. The formula is about what comes *out*: t = tanh(x),
    then 1 - t*t. Near 0 the two are almost the same, so a small input does not show it."""
    return 1 - np.asarray(x) ** 2


@wrong(tanh_slope, like=squared_the_input)
def squared_the_input_in_factors(x):
    return (1 - x) * (1 + np.asarray(x))


@wrong(tanh_slope)
def the_rule_of_sigmoid(x):
    """t * (1 - t) is the rule for sigmoid. For tanh it is 1 - t*t."""
    t = np.tanh(x)
    return t * (1 - t)


@wrong(tanh_slope)
def tanh_itself(x):
    """That is tanh, not its slope. The curve rises everywhere, so its slope is never negative."""
    return np.tanh(x)


@wrong(tanh_slope)
def plus_for_minus(x):
    """You added t*t. The slope of tanh is 1 at 0 and smaller everywhere else: 1 - t*t."""
    return 1 + np.tanh(x) ** 2


def right_relu_slope(x):
    return np.where(np.asarray(x) > 0, 1.0, 0.0)


def right_relu_slope_by_sign(x):
    return np.sign(np.maximum(x, 0))


@question(
    points=1,
    right=right_relu_slope,
    also=(right_relu_slope_by_sign,),
    hints=(
        "Draw relu. It has two straight parts. How steep is each?",
        "To the right of 0, relu copies x: a nudge moves it just as far. To the left, nothing "
        "moves.",
        "np.where(x > 0, 1.0, 0.0)",
    ),
)
def relu_slope(rng):
    """The slope of relu at x, and 0 where x is 0."""
    yield call, np.array([-1, 1, 0, -1, 1]) * rng.uniform(1.5, 3, size=5)
    yield call, rng.permutation([-1.0, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 1]).reshape(3, 4) * 1e-3
    yield call, rng.uniform(1.5, 3, size=6) * np.sign(rng.normal(size=6))
    yield call, -rng.uniform(1.5, 3)


@wrong(relu_slope)
def relu_itself(x):
    """That is relu, not its slope. At 3 relu is 3, but a nudge of 0.001 moves it by 0.001: the
    slope is 1."""
    return np.maximum(x, 0)


@wrong(relu_slope)
def x_itself(x):
    """You returned x. The slope says how many times as far relu moves as x: 1 time above 0, and 0
    times below."""
    return np.asarray(x)


@wrong(relu_slope, sneaky=True)
def steep_at_zero(x):
    """Above and below 0 this is right. At exactly 0 there is a corner and somebody has to decide:
    here it counts as flat, and so it does in PyTorch. Write > and not >=."""
    return np.where(np.asarray(x) >= 0, 1.0, 0.0)


@wrong(relu_slope, like=steep_at_zero)
def steep_at_zero_by_product(x):
    return 1.0 - 1.0 * (np.asarray(x) < 0)


@wrong(relu_slope, sneaky=True)
def steep_everywhere(x):
    """Your slope is 1 below 0 too. There relu answers 0 whatever x is: a nudge moves nothing."""
    return np.ones_like(np.asarray(x), dtype=float)


@wrong(relu_slope, like=steep_everywhere)
def steep_everywhere_by_exp(x):
    return np.exp(0.0 * np.asarray(x))


@wrong(relu_slope)
def falls_below_zero(x):
    """Below 0 your slope is -1, as if the curve fell there. relu is flat below 0: the slope is
    0."""
    return np.sign(x)


@wrong(relu_slope)
def half_at_zero(x):
    """At exactly 0 you give one half. A central difference measures that, but here, as in PyTorch,
    the corner counts as flat."""
    return (np.sign(x) + 1) / 2


# -------------------------------------------------------------------------- check a gradient


def right_gradcheck(f, claimed, x, h=1e-5):
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


def right_gradcheck_by_rows(f, claimed, x, h=1e-5):
    rows = h * np.eye(len(x))
    measured = np.array([(f(x + row) - f(x - row)) / (2 * h) for row in rows])
    size = np.maximum(np.maximum(np.abs(claimed), np.abs(measured)), 1e-8)
    return float(np.max(np.abs(claimed - measured) / size))


def right_gradcheck_put_back(f, claimed, x, h=1e-5):
    errors = []
    for i, c in enumerate(claimed):
        kept = x[i]
        x[i] = kept + h
        up = f(x)
        x[i] = kept - h
        down = f(x)
        x[i] = kept
        m = (up - down) / (2 * h)
        errors.append(abs(m - c) / max(1e-8, abs(m), abs(c)))
    return max(errors)


def one_wrong(gradcheck, x, a, b, i, off):
    """The gradient of f is claimed; the one of x[i] is too large by `off`, the rest is right."""

    def f(x):
        return np.sum(a * x * x) + (b @ x) ** 2

    claimed = 2 * a * x + 2 * (b @ x) * b
    claimed[i] += off
    return gradcheck(f, claimed, x)


def coarse(gradcheck, x, a, b, h):
    """The gradient is right, but h is large, so that the error of the central difference shows."""

    def f(x):
        return np.sum(a * x * x * x) + (b @ x) ** 3

    return gradcheck(f, 3 * a * x * x + 3 * (b @ x) ** 2 * b, x, h)


def tiny(gradcheck, x, a, i, times):
    """All gradients are about a millionth, and the one of x[i] is claimed too large."""
    a = a * 1e-6
    claimed = 2 * a * x
    claimed[i] *= times
    return gradcheck(lambda x: np.sum(a * x * x), claimed, x)


def flat(gradcheck, x, a, i, off):
    """f does not depend on x[i]. Its gradient is claimed to be `off` instead of 0."""
    a = a * (np.arange(len(a)) != i)
    claimed = 2 * a * x
    claimed[i] = off
    return gradcheck(lambda x: np.sum(a * x * x), claimed, x)


def all_right(gradcheck, x, a, b):
    """A right gradient, one whose first number is a tenth too large, and one that is wrong
    everywhere. The first two are only asked whether their error is below 0.000001."""

    def f(x):
        return np.sum(a * x * x) + (b @ x) ** 2

    claimed = 2 * a * x + 2 * (b @ x) * b
    worst = gradcheck(f, claimed, x)
    claimed[0] *= 1.1
    return [worst < 1e-6, gradcheck(f, claimed, x) < 1e-6, gradcheck(f, claimed * a, x)]


@question(
    points=3,
    right=right_gradcheck,
    also=(right_gradcheck_by_rows, right_gradcheck_put_back),
    hints=(
        "How do you nudge x[i] without touching the other numbers, and without changing x?",
        "nudge = np.zeros(len(x)) and nudge[i] = h; then f at x + nudge and at x - nudge.",
        "error = abs(claimed[i] - measured) / max(abs(claimed[i]), abs(measured), 1e-8); keep the "
        "largest: worst = max(worst, error).",
    ),
)
def gradcheck(rng):
    """The largest relative error of a claimed gradient."""
    off = rng.uniform(1, 3)
    for x in (rng.uniform(0.5, 1.5, size=5), -rng.uniform(0.5, 1.5, size=5)):
        for signed in (off, -off):
            a, b = rng.uniform(1, 2, size=5), rng.uniform(0.3, 0.6, size=5)
            yield one_wrong, x, a, b, int(rng.integers(1, 4)), signed
    yield coarse, *rng.uniform(0.5, 1.5, size=(3, 4)), rng.uniform(0.2, 0.3)
    yield tiny, *rng.uniform(0.5, 1.5, size=(2, 3)), int(rng.integers(3)), rng.uniform(1.5, 3)
    yield flat, *rng.uniform(0.5, 1.5, size=(2, 4)), int(rng.integers(4)), rng.uniform(1, 9) * 1e-9
    yield all_right, *rng.uniform(0.5, 1.5, size=(3, 3))


@wrong(gradcheck, sneaky=True)
def absolute(f, claimed, x, h=1e-5):
    """You compare the difference itself, without dividing it. For gradients of a millionth, a claim
    that is twice too large is off by only a millionth, and looks perfect. Divide by the size of the
    larger one."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        worst = max(worst, abs(claimed[i] - measured))
    return worst


@wrong(gradcheck, like=absolute)
def absolute_by_rows(f, claimed, x, h=1e-5):
    measured = [(f(x + row) - f(x - row)) / (2 * h) for row in h * np.eye(len(x))]
    return float(np.max(np.abs(np.array(measured) - claimed)))


@wrong(gradcheck, sneaky=True)
def not_put_back(f, claimed, x, h=1e-5):
    """You nudge x itself and do not put it back. The next slope is then measured at another point,
    and the caller's x has moved. Build a nudge of your own, or put the old number back."""
    worst = 0.0
    for i in range(len(x)):
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        down = f(x)
        measured = (up - down) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, like=not_put_back)
def not_put_back_by_name(f, claimed, x, h=1e-5):
    worst = 0.0
    for i in range(len(x)):
        old = x[i]
        x[i] = old + h
        up = f(x)
        x[i] = old - h
        slope = (up - f(x)) / (2 * h)
        worst = max(worst, abs(slope - claimed[i]) / max(abs(slope), abs(claimed[i]), 1e-8))
    return worst


@wrong(gradcheck)
def put_back_by_adding(f, claimed, x, h=1e-5):
    """You nudge x itself and undo it by adding h again. In floats (x + h) - h is not always x: the
    caller gets an x back that is off in its last digit. Keep the old number and put that back, or
    build a nudge of your own."""
    worst = 0.0
    for i in range(len(x)):
        x[i] += h
        up = f(x)
        x[i] -= 2 * h
        down = f(x)
        x[i] += h
        measured = (up - down) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, sneaky=True)
def same_array_twice(f, claimed, x, h=1e-5):
    """`up = x` makes no copy: up and down are the same array, so the two nudges cancel and every
    slope measures 0. Write up = x.copy(), or add a nudge: x + nudge is a new array."""
    worst = 0.0
    for i in range(len(x)):
        up = down = x
        up[i] += h
        down[i] -= h
        measured = (f(up) - f(down)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, like=same_array_twice)
def same_array_twice_copied_once(f, claimed, x, h=1e-5):
    worst = 0.0
    for i in range(len(x)):
        up = down = x.copy()
        up[i] = x[i] + h
        down[i] = x[i] - h
        measured = (f(up) - f(down)) / h / 2
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck)
def only_down_to_the_middle(f, claimed, x, h=1e-5):
    """You measure from x to x + h, but divide by 2 * h: every measured slope is half of what it
    should be. If you nudge x itself: after x[i] += h it takes x[i] -= 2 * h to get to the other
    side."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, like=only_down_to_the_middle)
def only_down_to_the_middle_in_place(f, claimed, x, h=1e-5):
    worst = 0.0
    for i in range(len(x)):
        x[i] += h
        up = f(x)
        x[i] -= h
        down = f(x)
        measured = (up - down) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, sneaky=True)
def measured_forward(f, claimed, x, h=1e-5):
    """You measure with the forward difference. Then the measurement is worse than most of the
    gradients that it is to judge. Look to both sides, x + nudge and x - nudge."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x)) / h
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, like=measured_forward)
def measured_forward_by_rows(f, claimed, x, h=1e-5):
    measured = np.array([(f(x + row) - f(x)) / h for row in h * np.eye(len(x))])
    size = np.maximum(np.maximum(np.abs(claimed), np.abs(measured)), 1e-8)
    return float(np.max(np.abs(measured - claimed) / size))


@wrong(gradcheck)
def all_at_once(f, claimed, x, h=1e-5):
    """You nudge all of x at once. That measures the sum of all slopes. One number at a time: a
    nudge that is h at place i and 0 elsewhere."""
    worst = 0.0
    for i in range(len(x)):
        measured = (f(x + h) - f(x - h)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, sneaky=True)
def last_one(f, claimed, x, h=1e-5):
    """You return the error of the last number only: each round overwrites the one before. Keep the
    largest, worst = max(worst, error)."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = abs(claimed[i] - measured) / size
    return worst


@wrong(gradcheck, like=last_one)
def last_one_by_rows(f, claimed, x, h=1e-5):
    row = h * np.eye(len(x))[-1]
    measured = (f(x + row) - f(x - row)) / (2 * h)
    return abs(measured - claimed[-1]) / max(abs(measured), abs(claimed[-1]), 1e-8)


@wrong(gradcheck, sneaky=True)
def averaged(f, claimed, x, h=1e-5):
    """You return the average error. One wrong number among a thousand right ones disappears in an
    average. Return the largest."""
    total = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        total += abs(claimed[i] - measured) / size
    return total / len(x)


@wrong(gradcheck, like=averaged)
def averaged_by_rows(f, claimed, x, h=1e-5):
    measured = np.array([(f(x + row) - f(x - row)) / (2 * h) for row in h * np.eye(len(x))])
    size = np.maximum(np.maximum(np.abs(claimed), np.abs(measured)), 1e-8)
    return float(np.mean(np.abs(measured - claimed) / size))


@wrong(gradcheck, sneaky=True)
def sign_kept(f, claimed, x, h=1e-5):
    """You kept the sign of the difference. A claim that is too small gives a negative error, and
    the largest of them is then 0. Take abs(claimed[i] - measured)."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured), 1e-8)
        worst = max(worst, (claimed[i] - measured) / size)
    return worst


@wrong(gradcheck, like=sign_kept)
def sign_kept_by_rows(f, claimed, x, h=1e-5):
    measured = np.array([(f(x + row) - f(x - row)) / (2 * h) for row in h * np.eye(len(x))])
    size = np.maximum(np.maximum(np.abs(claimed), np.abs(measured)), 1e-8)
    return max(0.0, float(np.max((claimed - measured) / size)))


@wrong(gradcheck, sneaky=True)
def compared_with_the_claim(f, claimed, x, h=1e-5):
    """You divide by the size of the claim alone. A claim that is far too small then gives a huge
    error, one that is far too large never more than 1. Divide by the larger of the two."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        worst = max(worst, abs(claimed[i] - measured) / max(abs(claimed[i]), 1e-8))
    return worst


@wrong(gradcheck, like=compared_with_the_claim)
def compared_with_the_claim_by_rows(f, claimed, x, h=1e-5):
    measured = np.array([(f(x + row) - f(x - row)) / (2 * h) for row in h * np.eye(len(x))])
    return float(np.max(np.abs(measured - claimed) / np.maximum(np.abs(claimed), 1e-8)))


@wrong(gradcheck)
def no_least_size(f, claimed, x, h=1e-5):
    """The 1e-8 is missing. A slope that is truly 0 then gives an error of 1 at the slightest
    disagreement, or 0 / 0. Let size be at least 1e-8."""
    worst = 0.0
    for i in range(len(x)):
        nudge = np.zeros(len(x))
        nudge[i] = h
        measured = (f(x + nudge) - f(x - nudge)) / (2 * h)
        size = max(abs(claimed[i]), abs(measured))
        worst = max(worst, abs(claimed[i] - measured) / size)
    return worst
