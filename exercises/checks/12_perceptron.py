"""Exercise 12: learn from mistakes, know when to stop, and build XOR by hand."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

SAME_SUM = "the products of two vectors add up the same either way"
STILL_OR = "x1 alone is enough to fire, and so is x2: with a larger weight too"
equivalent = {
    "update: fires(x, w, b) -> fires(w, x, b)": SAME_SUM,
    "learn: fires(x, w, b) -> fires(w, x, b)": SAME_SUM,
    "learn: mistakes += fires(x, w, b) != target -> mistakes -= fires(x, w, b) != target": (
        "it is 0 exactly when there was no mistake, whichever way one counts"
    ),
    "xor_network: [1.0, 1.0] -> [2.0, 1.0]": STILL_OR,
    "xor_network: [1.0, 1.0] -> [1.0, 2.0]": STILL_OR,
}


def fires(x, w, b):
    """1 if the neuron fires, otherwise 0. The notebook gives this function."""
    return int(np.asarray(x) @ np.asarray(w) + b > 0)


# ---------------------------------------------------------------------------- the update


def right_update(x, y, w, b):
    error = y - fires(x, w, b)
    return w + error * x, b + error


def right_update_by_cases(x, y, w, b):
    z = sum(x * w) + b
    if y == 1 and z <= 0:
        return w + x, b + 1
    if y == 0 and z > 0:
        return w - x, b - 1
    return w, b


def one_row(rng, y, z, scale=1.0):
    """A row, its target, and a neuron whose weighted sum plus bias is z for that row."""
    x, w = rng.normal(size=3) * scale, rng.normal(size=3) * scale
    return x, y, w, z - x @ w


@question(
    points=2,
    right=right_update,
    also=(right_update_by_cases,),
    hints=(
        "There are three cases: it is right, it should have fired, it should not have fired. "
        "What is y - fires(x, w, b) in each?",
        "In the first case nothing changes. In the second x is added to w, in the third it is "
        "subtracted. And the bias?",
        "With error = y - fires(x, w, b), the new weights are w + error * x. The bias is treated "
        "like the weight of an input that is always 1.",
    ),
)
def update(rng):
    """One step of the perceptron's rule: change the neuron only if it is wrong."""
    yield call, *one_row(rng, 1, -rng.uniform(1.5, 4))
    yield call, *one_row(rng, 0, rng.uniform(1.5, 4))
    yield call, *one_row(rng, 1, rng.uniform(1.5, 4))
    yield call, *one_row(rng, 0, -rng.uniform(1.5, 4))
    yield call, *one_row(rng, 0, rng.uniform(0.2, 0.9) * 1e-3, scale=1e-3)
    yield call, rng.normal(size=4), 1, np.zeros(4), 0.0
    yield call, rng.normal(size=4), 0, np.zeros(4), 0.0


@wrong(update, sneaky=True)
def sign_flipped(x, y, w, b):
    """The sign is the wrong way round: each step makes the mistake larger. A neuron that should
    have fired needs a larger sum, so x is added to its weights."""
    error = fires(x, w, b) - y
    return w + error * x, b + error


@wrong(update, like=sign_flipped)
def sign_flipped_at_the_step(x, y, w, b):
    error = y - (1 if x @ w + b > 0 else 0)
    return w - error * x, b - error


@wrong(update, sneaky=True)
def even_when_right(x, y, w, b):
    """You change the neuron even when it is right. It then never comes to rest, although nothing
    is left to learn. When the reply equals the target, w and b stay as they are."""
    toward = 1 if y == 1 else -1
    return w + toward * x, b + toward


@wrong(update, like=even_when_right)
def even_when_right_by_sign(x, y, w, b):
    return w + (2 * y - 1) * x, b + (2 * y - 1)


@wrong(update, sneaky=True)
def never_unlearns(x, y, w, b):
    """Your neuron never learns from firing when it should not. The rule `y * z <= 0` comes from
    books in which y is -1 or 1. Here y is 0 or 1: with y = 0 the step is 0 times x, so nothing
    changes."""
    z = x @ w + b
    if y * z <= 0:
        return w + y * x, b + y
    return w, b


@wrong(update, like=never_unlearns)
def never_unlearns_by_cases(x, y, w, b):
    if y == 1 and not fires(x, w, b):
        w, b = w + x, b + 1
    return w, b


@wrong(update, sneaky=True)
def bias_forgotten(x, y, w, b):
    """The weights are right, but the bias never changes. The line can turn and cannot shift, so it
    always goes through the place where it began."""
    return w + (y - fires(x, w, b)) * x, b


@wrong(update, like=bias_forgotten)
def bias_forgotten_by_cases(x, y, w, b):
    if fires(x, w, b) == y:
        return w, b
    return (w + x, b) if y else (w - x, b)


@wrong(update, sneaky=True)
def sum_for_reply(x, y, w, b):
    """You compared the target with the sum z, not with the reply. z is almost never exactly 0 or 1,
    so your neuron finds a mistake in every row. Compare y with fires(x, w, b)."""
    error = y - (x @ w + b)
    return w + error * x, b + error


@wrong(update, like=sum_for_reply)
def sum_for_reply_by_loop(x, y, w, b):
    gap = b - y
    for x_i, w_i in zip(x, w, strict=True):
        gap += x_i * w_i
    return w - gap * x, b - gap


@wrong(update)
def old_weights_lost(x, y, w, b):
    """You returned the step itself, not the neuron after the step. Add it to the old w and b."""
    error = y - fires(x, w, b)
    return error * x, error


@wrong(update)
def all_weights_alike(x, y, w, b):
    """You added the same number to every weight. Each weight changes by its own input: an input
    that was 0 had no part in the mistake."""
    error = y - fires(x, w, b)
    return w + error, b + error


@wrong(update, sneaky=True)
def fires_at_zero(x, y, w, b):
    """Your neuron fires when the sum is exactly 0. Ours does not, and that matters at the very
    start, where all weights are 0. Use fires(x, w, b)."""
    error = y - int(x @ w + b >= 0)
    return w + error * x, b + error


@wrong(update, like=fires_at_zero)
def fires_unless_below_zero(x, y, w, b):
    reply = 0 if sum(x * w) + b < 0 else 1
    return w + (y - reply) * x, b + y - reply


# -------------------------------------------------------------------------- the stop rule


def right_learn(X, y, most):
    w, b = np.zeros(len(X[0])), 0.0
    for passes in range(1, most + 1):
        mistakes = 0
        for x, target in zip(X, y, strict=True):
            mistakes += fires(x, w, b) != target
            w, b = right_update(x, target, w, b)
        if mistakes == 0:
            break
    return w, b, passes


def right_learn_until_nothing_moves(X, y, most):
    w, b, passes, before = np.zeros(X.shape[1]), 0.0, 0, None
    while passes < most and before != 0:
        passes += 1
        before = 0
        for x, target in zip(X, y, strict=True):
            new_w, new_b = right_update_by_cases(x, target, w, b)
            before += new_b != b
            w, b = new_w, new_b
    return w, b, passes


def learned(learn, update, fires, X, y, most):
    w, b, passes = learn(X, y, most)
    return w, b, passes


def one_line_is_enough(rng):
    """Rows that one line separates; learning takes some passes, and pauses where it must not."""
    while True:
        X, w = rng.normal(size=(5, 3)), rng.normal(size=3)
        y = (X @ w + rng.normal() > 0).astype(int).tolist()
        passes = right_learn(X, y, 30)[2]
        hasty = last_row_right(X, y, 30)[2]
        if passes <= 12 and 1 < hasty < passes - 1 and stops_at_first_right(X, y, 30)[2] != hasty:
            return X, y


def no_line_is_enough(rng):
    """The same row twice, with both targets."""
    X = rng.normal(size=(6, 3))
    X[5] = X[2]
    return X, [1, 0, 1, 1, 0, 0]


@question(
    points=3,
    right=right_learn,
    also=(right_learn_until_nothing_moves,),
    hints=(
        "Two loops: the outer one counts the passes, the inner one goes through the rows. When do "
        "you know that nothing is left to learn?",
        "Count the mistakes of each pass, from 0 again each time. What does a pass with 0 mistakes "
        "say?",
        "After the inner loop: `if mistakes == 0: break`. A row is a mistake when "
        "`fires(x, w, b) != target`, before the update.",
    ),
)
def learn(rng):
    """Learn pass by pass, until a whole pass is without a mistake."""
    X, y = one_line_is_enough(rng)
    yield learned, X, y, 30
    X, y = no_line_is_enough(rng)
    yield learned, X, y, int(rng.integers(4, 9))
    yield learned, rng.normal(size=(4, 3)), [0, 0, 0, 0], 7


@wrong(learn, sneaky=True)
def stops_at_first_right(X, y, most):
    """You stop at the first row that is right. One right row says nothing about the others: stop
    only when a whole pass was without a mistake."""
    w, b = np.zeros(len(X[0])), 0.0
    for passes in range(1, most + 1):
        for x, target in zip(X, y, strict=True):
            if fires(x, w, b) == target:
                return w, b, passes
            w, b = right_update(x, target, w, b)
    return w, b, passes


@wrong(learn, like=stops_at_first_right)
def stops_at_first_right_by_flag(X, y, most):
    w, b, passes, done = np.zeros(X.shape[1]), 0.0, 0, False
    while not done and passes < most:
        passes += 1
        for i in range(len(X)):
            done = done or fires(X[i], w, b) == y[i]
            if not done:
                w, b = right_update(X[i], y[i], w, b)
    return w, b, passes


@wrong(learn, sneaky=True)
def last_row_right(X, y, most):
    """You stop when the *last* row of a pass is right. The rows before it may all be wrong: count
    the mistakes of the whole pass."""
    w, b = np.zeros(len(X[0])), 0.0
    for passes in range(1, most + 1):
        for x, target in zip(X, y, strict=True):
            error = target - fires(x, w, b)
            w, b = w + error * x, b + error
        if error == 0:
            break
    return w, b, passes


@wrong(learn, like=last_row_right)
def last_row_right_by_flag(X, y, most):
    w, b, passes, clean = np.zeros(X.shape[1]), 0.0, 0, False
    while not clean and passes < most:
        for x, target in zip(X, y, strict=True):
            clean = fires(x, w, b) == target
            w, b = right_update(x, target, w, b)
        passes += 1
    return w, b, passes


@wrong(learn)
def one_pass(X, y, most):
    """You went through the rows once. A later row can undo what an earlier one taught, so go on,
    pass after pass, until one is without a mistake."""
    w, b = np.zeros(len(X[0])), 0.0
    for x, target in zip(X, y, strict=True):
        w, b = right_update(x, target, w, b)
    return w, b, 1


@wrong(learn)
def never_stops(X, y, most):
    """The weights are right, but you always make all `most` passes. Stop after the first pass
    without a mistake: the next one would see the same rows with the same weights."""
    w, b = np.zeros(len(X[0])), 0.0
    for _ in range(most):
        for x, target in zip(X, y, strict=True):
            w, b = right_update(x, target, w, b)
    return w, b, most


@wrong(learn, sneaky=True)
def count_not_reset(X, y, most):
    """You count mistakes, but never start again from 0. After the first mistake the count cannot
    be 0 any more, so you go on to the end. Set it to 0 at the start of each pass."""
    w, b, mistakes = np.zeros(len(X[0])), 0.0, 0
    for passes in range(1, most + 1):
        for x, target in zip(X, y, strict=True):
            mistakes += fires(x, w, b) != target
            w, b = right_update(x, target, w, b)
        if mistakes == 0:
            break
    return w, b, passes


@wrong(learn, like=count_not_reset)
def flag_not_reset(X, y, most):
    w, b, passes, clean = np.zeros(X.shape[1]), 0.0, 0, True
    while passes < most:
        passes += 1
        for i in range(len(X)):
            new_w, new_b = right_update(X[i], y[i], w, b)
            clean = clean and new_b == b
            w, b = new_w, new_b
        if clean:
            return w, b, passes
    return w, b, passes


@wrong(learn)
def clean_pass_not_counted(X, y, most):
    """You did not count the last pass, the one without a mistake. It was made too: without it
    nobody would know that nothing is left to learn."""
    w, b, passes = right_learn(X, y, most)
    mistakes = sum(fires(x, w, b) != target for x, target in zip(X, y, strict=True))
    return w, b, passes - (mistakes == 0)


@wrong(learn)
def mistakes_collected(X, y, most):
    """You collected the mistakes of a pass and changed the neuron at its end. Here the neuron
    changes at once, and the next row meets the new weights."""
    X, y = np.asarray(X), np.asarray(y)
    w, b = np.zeros(X.shape[1]), 0.0
    for passes in range(1, most + 1):
        errors = y - (X @ w + b > 0)
        if not errors.any():
            break
        w, b = w + errors @ X, b + errors.sum()
    return w, b, passes


# ----------------------------------------------------------------------------- two layers


def right_network():
    return ([1.0, 1.0], -0.5), ([-1.0, -1.0], 1.5), ([1.0, 1.0], -1.5)


def right_network_or_but_not_and():
    at_least_one = (np.array([2.0, 2.0]), -1.0)
    both = (np.array([1.0, 1.0]), -1.9)
    return at_least_one, both, (np.array([3.0, -5.0]), -2.0)


def right_network_one_without_the_other():
    return [([1, -1], 0), ([-1, 1], 0), ([1, 1], 0)]


def asked(xor_network, x1, x2):
    """Your three neurons are asked for one row."""
    (w1, b1), (w2, b2), (w3, b3) = xor_network()
    h1 = int(w1[0] * x1 + w1[1] * x2 + b1 > 0)
    h2 = int(w2[0] * x1 + w2[1] * x2 + b2 > 0)
    return int(w3[0] * h1 + w3[1] * h2 + b3 > 0)


@question(
    points=2,
    right=right_network,
    also=(right_network_or_but_not_and, right_network_one_without_the_other),
    hints=(
        "Say it in words: exactly one of the two. So at least one of them, and not both.",
        'The first hidden neuron says "at least one" (OR), the second "not both" (NAND). Which '
        "neuron joins the two? For each, write down the four sums.",
        "OR is ([1, 1], -0.5). NAND is AND with every sign turned round. The last one is AND: it "
        "fires only if both of its inputs are 1.",
    ),
)
def xor_network(rng):
    """XOR by three neurons, with weights picked by hand."""
    for row in [*rng.permutation(4), *rng.integers(4, size=12)]:
        yield asked, int(row) // 2, int(row) % 2


@wrong(xor_network, sneaky=True)
def and_of_or_and():
    """Your three neurons make AND(OR, AND), and that is AND: whenever both inputs are 1, OR is 1
    too. XOR must say no to 1 and 1, so the second neuron is NAND, not AND."""
    return ([1.0, 1.0], -0.5), ([1.0, 1.0], -1.5), ([1.0, 1.0], -1.5)


@wrong(xor_network, like=and_of_or_and)
def and_of_and_or():
    return ([2, 2], -3), ([3, 3], -1), ([0.5, 0.5], -0.6)


@wrong(xor_network)
def fires_always():
    """Your network fires for every row. OR(OR, NAND) does that: each row makes one of the two fire.
    The last neuron must want both of them."""
    return ([1.0, 1.0], -0.5), ([-1.0, -1.0], 1.5), ([1.0, 1.0], -0.5)


@wrong(xor_network)
def fires_never():
    """Your network never fires. AND(AND, NAND) does that: the two are never 1 together."""
    return ([1.0, 1.0], -1.5), ([-1.0, -1.0], 1.5), ([1.0, 1.0], -1.5)


@wrong(xor_network)
def the_opposite():
    """Your network gives the opposite of XOR: it fires when the two inputs are equal. Turn every
    sign of the last neuron round."""
    return ([1.0, 1.0], -0.5), ([-1.0, -1.0], 1.5), ([-1.0, -1.0], 1.5)


@wrong(xor_network)
def only_or():
    """Your network is OR: it still fires for 1 and 1. "At least one" is half of XOR; the other half
    is "not both"."""
    return ([1.0, 1.0], -0.5), ([1.0, 1.0], -0.5), ([1.0, 1.0], -1.5)


@wrong(xor_network)
def only_nand():
    """Your network is NAND: it fires for 0 and 0 too. "Not both" is half of XOR; the other half is
    "at least one"."""
    return ([-1.0, -1.0], 1.5), ([-1.0, -1.0], 1.5), ([1.0, 1.0], -1.5)


# ------------------------------------------------------------------------------- catch it

PASSES = 500


def replies_after(X, y, bias):
    """What a perceptron says to its rows after it has learned from them, with or without a bias."""
    rows = np.asarray(X, dtype=float)
    if rows.ndim != 2 or rows.size == 0 or np.shape(y) != (len(rows),) or not set(y) <= {0, 1}:
        raise ValueError(
            "X must be a list of rows of the same length, y one target, 0 or 1, for each row"
        )
    w, b = np.zeros(rows.shape[1]), 0.0
    for _ in range(PASSES):
        mistakes = 0
        for x, target in zip(rows, y, strict=True):
            error = target - fires(x, w, b)
            w, b = w + error * x, b + error * bias
            mistakes += error != 0
        if mistakes == 0:
            break
    return [fires(x, w, b) for x in rows]


def perceptron(X, y):
    return replies_after(X, y, bias=1)


def perceptron_without_bias(X, y):
    return replies_after(X, y, bias=0)


def must_be_learnable(X, y):
    if perceptron(X, y) != [int(target) for target in y]:
        return (
            f"These rows do not count: after {PASSES} passes the right perceptron is still wrong "
            "on some of them. Give rows that one line separates."
        )
    return None


@catch(
    points=1,
    right=perceptron,
    wrong=perceptron_without_bias,
    size=40,
    largest=10.0,
    allow=must_be_learnable,
    hints=(
        "The broken one never changes its bias, and it begins with 0. Through which point does its "
        "line always go?",
        "Its line goes through (0, 0). OR can be separated like that. Draw the rows of AND, and "
        "try it with a ruler.",
        "X = [[0, 0], [0, 1], [1, 0], [1, 1]] with the targets of AND, or a single row of zeros "
        "with the target 1.",
    ),
)
def caught():
    """Rows that a perceptron learns, and that it cannot learn when it forgets its bias."""
    return [[3.0], [5.0]], [0, 1]


@wrong(caught, when=lambda X, y: not any(y))
def nothing_to_learn():
    """Every target is 0. A perceptron that begins with zeros never fires, so it is right from the
    start, with or without a bias."""
    return [[0.0, 0.0], [0.0, 1.0]], [0, 0]


@wrong(caught, when=lambda X, y: True)
def through_the_origin():
    """The broken one learns these rows too: a line through (0, 0) separates them. Find rows for
    which the line must lie somewhere else."""
    return [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 1]
