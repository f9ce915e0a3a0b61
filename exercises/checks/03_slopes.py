"""Exercise 03: a slope by a nudge, a slope by the rules, and one slope for each input."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


# --------------------------------------------------------------------------- by a nudge


def right_slope(f, x, h):
    return (f(x + h) - f(x)) / h


def right_slope_in_steps(f, x, h):
    before, after = f(x), f(x + h)
    rise = after - before
    return rise / h


def cubic(slope, a, b, c, x, h):
    """Your slope of f(x) = a*x*x*x + b*x + c."""
    return slope(lambda x: a * x * x * x + b * x + c, x, h)


def wave(slope, a, c, x, h):
    """Your slope of f(x) = exp(a * x) + c."""
    return slope(lambda x: np.exp(a * x) + c, x, h)


@question(
    points=1,
    right=right_slope,
    also=(right_slope_in_steps,),
    hints=(
        "Ask f twice: once at x, once a step h further. How far did f move?",
        "A slope says how many times as far f moved as x. How far did x move?",
        "(f(x + h) - f(x)) / h, with the brackets.",
    ),
)
def slope(rng):
    """How many times as far as x does f move, when x is nudged by h?"""
    yield cubic, *rng.uniform(1, 3, size=4), rng.uniform(0.2, 0.4)
    yield cubic, *rng.uniform(1, 3, size=3), -rng.uniform(3, 5), rng.uniform(0.2, 0.4)
    yield cubic, *rng.uniform(1, 3, size=4) * 1e-3, rng.uniform(0.2, 0.4) * 1e-3
    yield wave, rng.uniform(1.2, 1.8), rng.uniform(1, 3), rng.normal(), rng.uniform(0.1, 0.2)


@wrong(slope, sneaky=True)
def not_divided(f, x, h):
    """That is how far f moves. A slope says how many *times* as far as x: divide by the h that x
    moved."""
    return f(x + h) - f(x)


@wrong(slope, like=not_divided)
def not_divided_in_steps(f, x, h):
    before = f(x)
    return -before + f(x + h)


@wrong(slope, sneaky=True)
def brackets_missing(f, x, h):
    """f(x + h) - f(x) / h divides only f(x) by h: Python divides before it subtracts. Put brackets
    around the difference."""
    return f(x + h) - f(x) / h


@wrong(slope, like=brackets_missing)
def brackets_missing_in_steps(f, x, h):
    before = f(x) / h
    return f(x + h) - before


@wrong(slope)
def wrong_way_round(f, x, h):
    """Your slope has the opposite sign. Where f rises, f(x + h) is the larger one: it comes
    first."""
    return (f(x) - f(x + h)) / h


@wrong(slope)
def nudged_what_comes_out(f, x, h):
    """You added h to f(x). The nudge belongs to what goes *in*: f(x + h). Otherwise every function
    seems to have the slope 1."""
    return (f(x) + h - f(x)) / h


@wrong(slope)
def multiplied(f, x, h):
    """You multiplied by h. How many times as far as h did f move? That is a division."""
    return (f(x + h) - f(x)) * h


@wrong(slope)
def one_step_back(f, x, h):
    """You looked from x - h to x. Here the nudge goes forward, from x to x + h."""
    return (f(x) - f(x - h)) / h


@wrong(slope)
def both_sides(f, x, h):
    """You looked to both sides of x. That is even better, and lesson 21 says why. Here it is one
    step forward, from x to x + h."""
    return (f(x + h) - f(x - h)) / (2 * h)


# -------------------------------------------------------------------------- by the rules


def right_polynomial_slope(a, x):
    return sum(k * a[k] * x ** (k - 1) for k in range(1, len(a)))


def right_polynomial_slope_from_the_top(a, x):
    total = 0.0
    for k in range(len(a) - 1, 0, -1):
        total = total * x + k * a[k]
    return total


@question(
    points=2,
    right=right_polynomial_slope,
    also=(right_polynomial_slope_from_the_top,),
    hints=(
        "Take one term: a[3] * x**3. Two rules give its slope. What is it?",
        "Each term gives k * a[k] * x**(k - 1), and the slope of a sum is the sum of the slopes. "
        "What does a[0] give?",
        "Add up k * a[k] * x ** (k - 1) for k from 1 to len(a) - 1: range(1, len(a)).",
    ),
)
def polynomial_slope(rng):
    """The slope of a[0] + a[1] x + a[2] x² + ..., by the rules."""
    yield call, rng.uniform(1, 3, size=4), rng.uniform(1.2, 2)
    yield call, rng.uniform(1, 3, size=5), -rng.uniform(0.5, 0.9)
    yield call, rng.uniform(1, 3, size=6) * 1e-3, rng.uniform(1.2, 2)
    yield call, rng.uniform(1, 3, size=4), 0.0
    yield call, rng.uniform(1, 3, size=1), rng.uniform(1.2, 2)


@wrong(polynomial_slope, sneaky=True)
def power_not_lowered(a, x):
    """You brought the power down in front, but left it above as well. The slope of x**3 is 3 *
    x**2: the power is lowered by 1. At x = 1 nobody would notice."""
    return sum(k * a[k] * x**k for k in range(1, len(a)))


@wrong(polynomial_slope, like=power_not_lowered)
def power_not_lowered_by_loop(a, x):
    total, power = 0.0, 1.0
    for k, number in enumerate(a):
        total += k * number * power
        power *= x
    return total


@wrong(polynomial_slope, sneaky=True)
def power_not_in_front(a, x):
    """You lowered the power, but did not bring it down in front. The slope of x**3 is 3 * x**2, not
    x**2."""
    return sum(a[k] * x ** (k - 1) for k in range(1, len(a)))


@wrong(polynomial_slope, like=power_not_in_front)
def power_not_in_front_by_loop(a, x):
    total = 0.0
    for number in a[:0:-1]:
        total = total * x + number
    return total


@wrong(polynomial_slope)
def constant_kept(a, x):
    """You kept a[0]. A number alone does not move when x does: its slope is 0."""
    return a[0] + right_polynomial_slope(a, x)


@wrong(polynomial_slope, sneaky=True)
def last_term_lost(a, x):
    """The last term is missing. range(1, n) stops *before* n, and the last number is a[len(a) -
    1]."""
    return sum(k * a[k] * x ** (k - 1) for k in range(1, len(a) - 1))


@wrong(polynomial_slope, like=last_term_lost)
def last_term_lost_by_slice(a, x):
    return sum(k * number * x ** (k - 1) for k, number in enumerate(a[1:-1], start=1))


@wrong(polynomial_slope, sneaky=True)
def power_below_zero(a, x):
    """Your sum begins with k = 0. That term is 0 times x**(-1), and at x = 0 this divides by zero.
    Begin with k = 1: a number alone has no slope."""
    return sum(k * a[k] * x ** (k - 1) for k in range(len(a)))


@wrong(polynomial_slope, like=power_below_zero)
def power_below_zero_by_loop(a, x):
    total = 0.0
    for k, number in enumerate(a):
        total += k * number * x**k / x
    return total


@wrong(polynomial_slope)
def value_for_slope(a, x):
    """That is the value of the polynomial at x. The question asks how steep it is there."""
    return sum(a[k] * x**k for k in range(len(a)))


@wrong(polynomial_slope)
def backwards(a, x):
    """You raised the powers and divided. That undoes a slope, it does not take one. The slope of
    x**3 is 3 * x**2."""
    return sum(a[k] * x ** (k + 1) / (k + 1) for k in range(len(a)))


@wrong(polynomial_slope)
def numbers_shifted(a, x):
    """The powers are right, but each has the number of its neighbour. x**2 comes from a[3] * x**3,
    so a[3] belongs to it."""
    return sum(k * a[k - 1] * x ** (k - 1) for k in range(1, len(a)))


# ------------------------------------------------------------------- one input at a time


def right_partials(f, x, h):
    before, found = f(x), np.zeros(len(x))
    for i in range(len(x)):
        nudged = x.copy()
        nudged[i] += h
        found[i] = (f(nudged) - before) / h
    return found


def right_partials_by_rows(f, x, h):
    return np.array([(f(x + h * row) - f(x)) / h for row in np.eye(len(x))])


def mixed(partials, x, a, b, h):
    """Your partials of f(x) = the sum of a*x*x, plus the square of b @ x."""
    return partials(lambda x: np.sum(a * x * x) + (b @ x) ** 2, x, h)


@question(
    points=2,
    right=right_partials,
    also=(right_partials_by_rows,),
    hints=(
        "How would you do it for input 0 alone? Which numbers stay as they are?",
        "For each i, begin again with an untouched copy of x, and add h to its number i.",
        "nudged = x.copy(), then nudged[i] += h, then (f(nudged) - f(x)) / h.",
    ),
)
def partials(rng):
    """One slope for each input: nudge it alone, and the others stay."""
    for size, scale in ((3, 1.0), (5, 1.0), (4, 1e-3)):
        x = rng.uniform(1, 3, size=size) * scale
        a, b = rng.uniform(1, 3, size=size), rng.uniform(1, 3, size=size)
        yield mixed, x, a, b, rng.uniform(0.2, 0.4) * scale


@wrong(partials, sneaky=True)
def all_at_once(f, x, h):
    """You nudged all inputs at once. Then f moves by the sum of what each of them does, and nobody
    can say which one did how much. Add h to one number only."""
    return np.full(len(x), (f(x + h) - f(x)) / h)


@wrong(partials, like=all_at_once)
def all_at_once_in_a_loop(f, x, h):
    found = []
    for _ in x:
        nudged = x.copy()
        nudged += h
        found.append((f(nudged) - f(x)) / h)
    return np.array(found)


@wrong(partials)
def one_number_for_all(f, x, h):
    """x + h nudges all inputs at once, and one number comes out. There should be one slope for each
    input: nudge them one at a time."""
    return (f(x + h) - f(x)) / h


@wrong(partials, sneaky=True)
def never_put_back(f, x, h):
    """The nudges pile up. When you nudge the second input, the first one is still nudged. Begin
    each time with an untouched copy of x."""
    before, nudged, found = f(x), x.copy(), []
    for i in range(len(x)):
        nudged[i] += h
        found.append((f(nudged) - before) / h)
    return np.array(found)


@wrong(partials, like=never_put_back)
def never_put_back_by_rows(f, x, h):
    return np.array([(f(x + h * row) - f(x)) / h for row in np.tri(len(x))])


@wrong(partials, sneaky=True)
def a_second_name(f, x, h):
    """nudged = x makes no copy: it is a second name for the same array. So f(nudged) and f(x) are
    the same number, every slope is 0, and the caller's x has changed. Write x.copy()."""
    found = np.zeros(len(x))
    for i in range(len(x)):
        nudged = x
        nudged[i] += h
        found[i] = (f(nudged) - f(x)) / h
    return found


@wrong(partials, like=a_second_name)
def a_second_name_by_slice(f, x, h):
    found, nudged = [], x[:]
    for i in range(len(x)):
        nudged[i] = nudged[i] + h
        found.append(f(nudged) - f(x))
    return np.array(found) / h


@wrong(partials)
def x_not_put_back(f, x, h):
    """You wrote the nudge into x itself and did not take it out again. The nudges pile up, and the
    caller's x has changed. Work on a copy, a fresh one for each input."""
    before, found = f(x), []
    for i in range(len(x)):
        x[i] += h
        found.append((f(x) - before) / h)
    return np.array(found)


@wrong(partials)
def moves_for_slopes(f, x, h):
    """That is how far f moves for each nudge. Divide by h: how many times as far as the input?"""
    return h * right_partials(f, x, h)


@wrong(partials)
def both_sides_of_each(f, x, h):
    """You looked to both sides of each input. That is even better, and lesson 21 says why. Here it
    is one step forward, from f(x)."""
    rows = h * np.eye(len(x))
    return np.array([(f(x + row) - f(x - row)) / (2 * h) for row in rows])


@wrong(partials)
def only_the_nudged_input(f, x, h):
    """You set all the other inputs to 0. They should stay as they are: only the one that you nudge
    changes."""
    rows = np.eye(len(x))
    return np.array([(f((x + h) * row) - f(x * row)) / h for row in rows])


# ------------------------------------------------------------------------------- catch it


def lowered(a, x):
    return float(sum(k * a[k] * x ** (k - 1) for k in range(1, len(a))))


def not_lowered(a, x):
    return float(sum(k * a[k] * x**k for k in range(1, len(a))))


def must_be_a_polynomial(a, x):
    if np.ndim(a) != 1 or len(a) == 0 or np.ndim(x) != 0:
        return "This input does not count: a is a flat list of numbers, x is one number."
    return None


@catch(
    points=1,
    right=lowered,
    wrong=not_lowered,
    size=10,
    largest=100.0,
    allow=must_be_a_polynomial,
    hints=(
        "The broken one forgets to lower the power. For which x does the power not matter?",
        "1, 1 * 1 and 1 * 1 * 1 are all 1. So take another x, and write down both slopes of x * x.",
        "a = [0, 0, 1] and x = 3: the slope of x * x is 6. The broken one says 2 * 9.",
    ),
)
def caught():
    """A polynomial and a place where the power that was not lowered shows."""
    return [0.0, 0.0, 1.0], 3.0


@wrong(caught, when=lambda a, x: x == 1)
def at_one():
    """At x = 1 every power is 1, lowered or not. That is why the test was blind."""
    return [0.0, 0.0, 1.0], 1.0


@wrong(caught, when=lambda a, x: not any(a[1:]))
def flat_everywhere():
    """Your polynomial is a number alone. Its slope is 0, whatever anybody does to the powers."""
    return [4.0], 3.0


@wrong(caught, when=lambda a, x: lowered(a, x) == 0)
def flat_here():
    """The slope is 0 at this x, and 0 is 0 with the broken one too: it gives x times the right
    slope. Take a place where the curve is not flat."""
    return [0.0, 0.0, 1.0], 0.0
