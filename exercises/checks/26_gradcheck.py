"""Exercise 26: measure gradients, and write probes that pass what is right and nothing else."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {
    "factor: claimed - k * measured -> k * measured - claimed": "abs takes the sign away",
    "factor: gap <= 0.0001 * np.abs(measured).max() -> gap < 0.0001 * np.abs(measured).max()": (
        "a gap of exactly this size does not occur"
    ),
    "probe: np.random.default_rng(0) -> np.random.default_rng(1)": "another case, just as good",
    "probe: factor(claimed[name], measured) -> factor(measured, claimed[name])": (
        "it is 1 either way round, or else it is not"
    ),
}


# ----------------------------------------------------------------------- measure a gradient


def right_measure(f, W, h=1e-5):
    W = np.array(W, dtype=float)
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        nudge = np.zeros(W.shape)
        nudge[index] = h
        gradient[index] = (f(W + nudge) - f(W - nudge)) / (2 * h)
    return gradient


def right_measure_in_place(f, W, h=1e-5):
    W = np.asarray(W).astype(float)
    slopes = []
    for i, before in enumerate(W.ravel().tolist()):
        W.flat[i] = before + h
        up = f(W)
        W.flat[i] = before - h
        slopes.append((up - f(W)) / h / 2)
        W.flat[i] = before
    return np.reshape(slopes, W.shape)


def cubes(measure, A, W, h):
    """The gradient of f(W), the sum of A * W * W * W."""
    return measure(lambda W: np.sum(A * W * W * W), W, h)


def together(measure, A, W, h):
    """The gradient of f(W), the product of two sums over all of W."""
    return measure(lambda W: np.sum(A * W) * np.sum(W * W), W, h)


@question(
    points=2,
    right=right_measure,
    also=(right_measure_in_place,),
    hints=(
        "Only the number at `index` moves, by h up and by h down. All others stay.",
        "f(W + nudge) and f(W - nudge), where nudge is 0 except at index. How far apart are the "
        "two places?",
        "gradient[index] = (f(W + nudge) - f(W - nudge)) / (2 * h)",
    ),
)
def measure(rng):
    """The gradient of f at W, number by number, by nudges to both sides."""
    yield cubes, rng.normal(size=(3, 5)), rng.normal(size=(3, 5)), 1e-5
    yield cubes, rng.uniform(1, 2, size=4), rng.uniform(1, 2, size=4), rng.uniform(0.2, 0.4)
    yield cubes, rng.normal(size=(4, 3)), rng.integers(1, 4, size=(4, 3)), 1e-5
    yield together, rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5)), rng.uniform(0.2, 0.4)
    yield together, rng.normal(size=(4, 3)) * 1e-3, rng.normal(size=(4, 3)), 1e-5


@wrong(measure, sneaky=True)
def to_one_side(f, W, h=1e-5):
    """You nudge to one side only. With a small h that is close, but its error shrinks with h, and
    that of the central difference with h * h. A gradcheck needs the better one: look to both
    sides."""
    W, gradient = np.array(W, dtype=float), np.zeros(np.shape(W))
    for index in np.ndindex(W.shape):
        nudge = np.zeros(W.shape)
        nudge[index] = h
        gradient[index] = (f(W + nudge) - f(W)) / h
    return gradient


@wrong(measure, like=to_one_side)
def to_one_side_by_flat(f, W, h=1e-5):
    W = np.array(W, dtype=float)
    start, gradient = f(W), np.empty(W.shape)
    for i in range(W.size):
        nudged = W.copy()
        nudged.flat[i] += h
        gradient.flat[i] = (f(nudged) - start) / h
    return gradient


@wrong(measure, sneaky=True)
def divided_by_h(f, W, h=1e-5):
    """You divided by h. From one nudge to the other it is 2 * h, so every slope is twice what it
    should be. And each right gradient would look as if it were half as large as it should be."""
    return 2 * right_measure(f, W, h)


@wrong(measure, like=divided_by_h)
def divided_by_h_in_a_loop(f, W, h=1e-5):
    W = np.array(W, dtype=float)
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        nudge = np.zeros(W.shape)
        nudge[index] = h
        rise = f(W + nudge) - f(W - nudge)
        gradient[index] = rise / h
    return gradient


@wrong(measure, sneaky=True)
def never_put_back(f, W, h=1e-5):
    """You moved a number and did not put it back. Each later slope is then measured at another
    place. With a small h, or where the numbers do not depend on each other, nobody can see it. Put
    it back, or nudge a copy."""
    W, gradient = np.array(W, dtype=float), np.zeros(np.shape(W))
    for index in np.ndindex(W.shape):
        W[index] += h
        up = f(W)
        W[index] -= 2 * h
        gradient[index] = (up - f(W)) / (2 * h)
    return gradient


@wrong(measure, like=never_put_back)
def never_put_back_after_the_upper(f, W, h=1e-5):
    W, slopes = np.array(W, dtype=float), []
    for i in range(W.size):
        W.flat[i] -= h
        down = f(W)
        W.flat[i] += 2 * h
        slopes.append((f(W) - down) / (2 * h))
    return np.reshape(slopes, W.shape)


@wrong(measure, sneaky=True)
def whole_rows(f, W, h=1e-5):
    """You nudge a whole row at once. The slope is then the sum of all slopes in that row. Every
    number needs a nudge of its own: np.ndindex(W.shape) goes through all of them."""
    W = np.array(W, dtype=float)
    gradient = np.zeros(W.shape)
    for i in range(len(W)):
        nudge = np.zeros(W.shape)
        nudge[i] = h
        gradient[i] = (f(W + nudge) - f(W - nudge)) / (2 * h)
    return gradient


@wrong(measure, like=whole_rows)
def whole_rows_in_place(f, W, h=1e-5):
    W, slopes = np.array(W, dtype=float), []
    for row in W:
        row += h
        up = f(W)
        row -= 2 * h
        slopes.append(np.full(row.shape, (up - f(W)) / (2 * h)))
        row += h
    return np.array(slopes)


@wrong(measure, sneaky=True)
def all_at_once(f, W, h=1e-5):
    """You nudge all numbers together, so you measure the sum of all slopes. Every number needs a
    nudge of its own."""
    W = np.array(W, dtype=float)
    return np.full(W.shape, (f(W + h) - f(W - h)) / (2 * h))


@wrong(measure, like=all_at_once)
def all_at_once_in_a_loop(f, W, h=1e-5):
    W, gradient = np.array(W, dtype=float), np.zeros(np.shape(W))
    for index in np.ndindex(gradient.shape):
        gradient[index] = 0.5 * (f(W + h) - f(W - h)) / h
    return gradient


@wrong(measure, sneaky=True)
def whole_numbers_stay(f, W, h=1e-5):
    """You write the nudge into an array of whole numbers. There 3 + 0.00001 becomes 3 again:
    nothing moves, and every slope is 0. Make a copy of floats first."""
    W = np.array(W)
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        before = W[index]
        W[index] = before + h
        up = f(W)
        W[index] = before - h
        gradient[index] = (up - f(W)) / (2 * h)
        W[index] = before
    return gradient


@wrong(measure, like=whole_numbers_stay)
def whole_numbers_stay_with_a_copy(f, W, h=1e-5):
    W = np.asarray(W)
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[index], down[index] = up[index] + h, down[index] - h
        gradient[index] = (f(up) - f(down)) / (2 * h)
    return gradient


@wrong(measure)
def not_divided(f, W, h=1e-5):
    """That is how far f moves. A slope is how many times as far as the number that was nudged:
    divide by 2 * h."""
    return right_measure(f, W, h) * 2 * h


# --------------------------------------------------------------------------- compare the two


def right_factor(claimed, measured):
    k = np.sum(claimed * measured) / np.sum(measured * measured)
    gap = np.abs(claimed - k * measured).max()
    return k if gap <= 1e-4 * np.abs(measured).max() else np.nan


def right_factor_at_the_largest(claimed, measured):
    claimed, measured = np.ravel(claimed), np.ravel(measured)
    i = np.argmax(np.abs(measured))
    k = claimed[i] / measured[i]
    if np.allclose(claimed, k * measured, rtol=0, atol=1e-4 * abs(measured[i])):
        return k
    return float("nan")


def almost(rng, array):
    """The same as array, but for the rounding that a measured gradient has."""
    return array + 1e-9 * np.abs(array).max() * rng.normal(size=array.shape)


@question(
    points=2,
    right=right_factor,
    also=(right_factor_at_the_largest,),
    hints=(
        "Suppose there is such a k. At which place can it be read off best: where measured is "
        "large, or where it is nearly 0?",
        "k = np.sum(claimed * measured) / np.sum(measured * measured) uses all places, the large "
        "ones most. Then look whether claimed is k * measured at every place.",
        "The largest gap is np.abs(claimed - k * measured).max(). If it is more than 1e-4 of the "
        "largest number in measured, return np.nan.",
    ),
)
def factor(rng):
    """The k for which claimed is k * measured at every place, or nan if there is none."""
    M = rng.normal(size=(3, 5))
    yield call, almost(rng, rng.uniform(1.5, 3) * M), M
    M = rng.normal(size=7)
    yield call, almost(rng, -rng.uniform(0.2, 0.6) * M), M
    M = np.where(rng.normal(size=(4, 3)) > 0.5, 0.0, rng.normal(size=(4, 3)))
    M[[0, 1], [1, 2]] = 0.0, 1.3
    yield call, almost(rng, rng.uniform(1.5, 3) * M), M
    yield call, np.zeros((3, 4)), rng.normal(size=(3, 4))
    for size in (1.0, 1e-6):
        M = size * rng.uniform(1, 2, size=(4, 3)) * np.sign(rng.normal(size=(4, 3)))
        other = M.copy()
        other[rng.integers(1, 4), rng.integers(3)] *= rng.uniform(1.01, 1.02)
        yield call, other, M
    M = rng.uniform(1, 2, size=(3, 4))
    yield call, M * np.sign(rng.permutation([-1.0] * 3 + [1.0] * 9).reshape(3, 4)), M
    yield call, almost(rng, rng.uniform(1.5, 3) * 1e-6 * M), 1e-6 * M


@wrong(factor, sneaky=True)
def first_place_only(claimed, measured):
    """You looked at one place only. A gradient can be right there and wrong everywhere else. Take k
    from it, if you like, but then compare all places."""
    return np.ravel(claimed)[0] / np.ravel(measured)[0]


@wrong(factor, like=first_place_only)
def first_place_only_by_index(claimed, measured):
    place = (0,) * np.ndim(claimed)
    return claimed[place] * (1 / measured[place])


@wrong(factor, sneaky=True)
def never_compared(claimed, measured):
    """You found the k that fits best, and did not look how well it fits. Some number always fits
    best. Return np.nan if claimed is not k * measured."""
    return np.sum(claimed * measured) / np.sum(measured * measured)


@wrong(factor, like=never_compared)
def never_compared_by_matmul(claimed, measured):
    c, m = np.ravel(claimed), np.ravel(measured)
    return (c @ m) / (m @ m)


@wrong(factor, sneaky=True)
def mean_of_ratios(claimed, measured):
    """You took the mean of claimed / measured. Where measured is 0, that divides by 0; where it is
    nearly 0, rounding becomes a large number. And a mean does not say whether all places agree."""
    return np.mean(claimed / measured)


@wrong(factor, like=mean_of_ratios)
def mean_of_ratios_by_sum(claimed, measured):
    return np.sum(claimed * (1 / measured)) / measured.size


@wrong(factor, sneaky=True)
def lengths_compared(claimed, measured):
    """You compared the sizes of the two. A gradient that points the wrong way is just as large as
    the right one. Its factor is -1."""
    return np.linalg.norm(claimed) / np.linalg.norm(measured)


@wrong(factor, like=lengths_compared)
def lengths_compared_by_squares(claimed, measured):
    return np.sqrt((claimed**2).sum() / (measured**2).sum())


@wrong(factor, sneaky=True)
def sums_compared(claimed, measured):
    """You compared the sums. In a sum a number that is too large makes up for one that is too
    small, and two different gradients can have the same sum."""
    return np.sum(claimed) / np.sum(measured)


@wrong(factor, like=sums_compared)
def sums_compared_by_mean(claimed, measured):
    return np.mean(claimed) / np.mean(measured)


@wrong(factor, sneaky=True)
def the_other_way_round(claimed, measured):
    """You found the k for which *measured* is k * claimed. A claimed gradient that is twice as
    large as it should be has the factor 2, not a half."""
    return right_factor(measured, claimed)


@wrong(factor, like=the_other_way_round)
def the_other_way_round_by_division(claimed, measured):
    i = np.argmax(np.abs(claimed))
    k = np.ravel(measured)[i] / np.ravel(claimed)[i]
    return k if np.allclose(measured, k * claimed, rtol=1e-3, atol=1e-4) else np.nan


@wrong(factor, sneaky=True)
def fixed_tolerance(claimed, measured):
    """You allow the same gap whatever the size of the gradient. With gradients near 1e-6 any claim
    passes. The gap is small or large only in proportion to the numbers themselves."""
    k = np.sum(claimed * measured) / np.sum(measured * measured)
    return k if np.abs(claimed - k * measured).max() <= 1e-4 else np.nan


@wrong(factor, like=fixed_tolerance)
def fixed_tolerance_by_allclose(claimed, measured):
    i = np.argmax(np.abs(measured))
    k = np.ravel(claimed)[i] / np.ravel(measured)[i]
    return k if np.allclose(claimed, k * measured, rtol=0, atol=1e-4) else np.nan


# ------------------------------------------------------------------- the hunt: the way back


def right_probe(suspect):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 5)), np.arange(6) % 4
    shapes = {"W1": (3, 5), "b1": 3, "W2": (4, 3), "b2": 4}
    weights = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    _, claimed = suspect(X, y, **weights)
    for name, W in weights.items():
        measured = measure(lambda w, n=name: suspect(X, y, **(weights | {n: w}))[0], W)
        if not abs(factor(claimed[name], measured) - 1) < 1e-3:
            return False
    return True


ALL = ("b2", "b1", "W1", "W2")  # the small ones first: a guilty one costs least time


def a_case(B, D, H, K):
    """Rows, labels and weights, at random, with every class among the labels."""
    rng = np.random.default_rng(B)
    shapes = {"W1": (H, D), "b1": (H,), "W2": (K, H), "b2": (K,)}
    weights = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return rng.normal(size=(B, D)), np.arange(B) % K, weights


def innocent(suspect, X, y, weights, names=ALL, enough=all):
    """Are the gradients of these names as measured: all of them, or any?"""
    _, claimed = suspect(X, y, **weights)

    def agrees(name):
        measured = right_measure(lambda w: suspect(X, y, **(weights | {name: w}))[0], weights[name])
        return np.allclose(claimed[name], measured, rtol=1e-4, atol=1e-7)

    return enough(agrees(name) for name in names)


def right_probe_by_allclose(suspect):
    return innocent(suspect, *a_case(5, 2, 4, 3))


def tried(probe, measure, factor, person):
    """Your probe gets the program of one of the sixteen."""

    def suspect(X, y, W1, b1, W2, b2):
        X, y = np.asarray(X, dtype=float), np.asarray(y)
        B, K = len(X), len(b2)
        Z1 = X @ np.transpose(W1) + b1
        H = np.maximum(Z1, 0)
        Z2 = H @ np.transpose(W2) + b2
        S = Z2 - Z2.max(axis=1, keepdims=True)
        L = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
        loss = -L[np.arange(B), y].mean()
        T = np.eye(K)[y]
        if person == 3:
            T[:, -1] = 0
        dZ2 = (np.exp(L) - T) / (K if person == 14 else B)
        if person == 4:
            dZ2 = 2 * dZ2
        if person == 15:
            dZ2 = -dZ2
        dW2, db2 = dZ2.T @ H, dZ2.sum(axis=0)
        dH = dZ2 @ (W2 - 0.1 * dW2 if person == 10 else W2)
        dZ1 = dH * (Z1 > 0)
        if person == 1:
            dZ1 = np.where(Z1 >= 0, dH, 0)
        if person == 7:
            dZ1 = dH
        if person == 8:
            dZ1 = np.maximum(dH, 0)
        dW1, db1 = dZ1.T @ X, dZ1.sum(axis=0)
        if person == 2:
            dW1 = np.einsum("bh,bd->hd", dZ1, X)
            dW2 = sum(np.outer(d, h) for d, h in zip(dZ2, H, strict=True))
            loss = (np.log(np.exp(S).sum(axis=1)) - S[np.arange(B), y]).sum() / B
        if person == 5:
            db1, db2 = db1 / B, db2 / B
        if person == 6:
            db1 = -db1
        if person == 9:
            dW1, db1 = dZ1[:-1].T @ X[:-1], dZ1[:-1].sum(axis=0)
        if person == 11:
            dW1 = 0 * dW1
        if person == 12:
            dW2 = (H.T @ dZ2).reshape(dW2.shape)
        if person == 13:
            db2 = 0 * db2
        return float(loss), {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    said = probe(suspect)
    if not isinstance(said, (bool, np.bool_)):
        return "neither True nor False"
    return "let through" if said else "caught"


@question(
    points=3,
    right=right_probe,
    also=(right_probe_by_allclose,),
    hints=(
        "Your probe needs a case: X, y and four weights. Which data would hide a bug? Zeros and "
        "ones do, a single row does, and so do two lengths that are equal.",
        "suspect(**case) gives the loss and the claimed gradients. Measure each array: "
        "vary(suspect, case, name) is the f, and case[name] is the place.",
        "For each name: measured = measure(vary(suspect, case, name), case[name]). The suspect is "
        "right if factor(claimed[name], measured) is close to 1 for all four. Draw the case with "
        "rng.normal, and let every label occur.",
    ),
)
def probe(rng):
    """True for a way back that is right, False for one that is wrong."""
    for person in rng.permutation(16).tolist():
        yield tried, person


@wrong(probe, sneaky=True)
def loss_that_falls(suspect):
    """You let the program learn and looked whether its loss falls. Nearly all of the wrong ones can
    do that. "It trains" is not evidence: compare the gradients with measured ones."""
    X, y, weights = a_case(7, 2, 4, 3)
    before, _ = suspect(X, y, **weights)
    for _ in range(30):
        _, gradients = suspect(X, y, **weights)
        weights = {name: W - 0.05 * gradients[name] for name, W in weights.items()}
    return suspect(X, y, **weights)[0] < before


@wrong(probe, like=loss_that_falls)
def loss_that_falls_in_one_step(suspect):
    X, y, weights = a_case(7, 2, 4, 3)
    before, gradients = suspect(X, y, **weights)
    after, _ = suspect(X, y, **{name: W - 1e-3 * gradients[name] for name, W in weights.items()})
    return after < before


@wrong(probe, sneaky=True)
def one_row(suspect):
    """Your batch holds one row. Then the mean over the rows is the same as the sum, and a wrong sum
    over the rows cannot be seen. Take several rows."""
    X, y, weights = a_case(5, 2, 4, 3)
    return innocent(suspect, X[2:3], y[2:3], weights)


@wrong(probe, like=one_row)
def one_row_by_factor(suspect):
    X, _, weights = a_case(1, 2, 4, 3)
    y = np.array([2])
    _, claimed = suspect(X, y, **weights)
    for name, W in weights.items():
        measured = measure(lambda w, n=name: suspect(X, y, **(weights | {n: w}))[0], W)
        if not abs(factor(claimed[name], measured) - 1) < 1e-3:
            return False
    return True


@wrong(probe, sneaky=True)
def equal_lengths(suspect):
    """Two lengths of your case are equal: there are as many rows as classes. A program that divides
    by the wrong one of the two gets through. Let all four lengths differ."""
    return innocent(suspect, *a_case(3, 2, 4, 3))


@wrong(probe, like=equal_lengths)
def square_shapes(suspect):
    return innocent(suspect, *a_case(3, 3, 3, 3))


@wrong(probe, sneaky=True)
def weights_only(suspect):
    """You compared W1 and W2, but not b1 and b2. A bug that sits in the biases gets through.
    Compare all four."""
    return innocent(suspect, *a_case(5, 2, 4, 3), names=("W1", "W2"))


@wrong(probe, like=weights_only)
def weights_only_by_factor(suspect):
    X, y, weights = a_case(6, 2, 5, 4)
    _, claimed = suspect(X, y, **weights)
    b = {"b1": weights["b1"], "b2": weights["b2"]}
    first = measure(lambda W1: suspect(X, y, W1=W1, W2=weights["W2"], **b)[0], weights["W1"])
    last = measure(lambda W2: suspect(X, y, W1=weights["W1"], W2=W2, **b)[0], weights["W2"])
    found = [factor(claimed["W1"], first), factor(claimed["W2"], last)]
    return np.allclose(found, 1, atol=1e-3)


@wrong(probe)
def last_layer_only(suspect):
    """You compared the last layer only. Most bugs of a way back sit further back: in relu, and in
    what passes it. Compare all four arrays."""
    return innocent(suspect, *a_case(5, 2, 4, 3), names=("W2", "b2"))


@wrong(probe)
def first_layer_only(suspect):
    """You compared the first layer only. It depends on much of the way back, but not on the
    gradients of W2 and b2. Compare all four arrays."""
    return innocent(suspect, *a_case(5, 2, 4, 3), names=("W1", "b1"))


@wrong(probe, sneaky=True)
def no_silent_neuron(suspect):
    """In your case no hidden neuron is silent. Then relu only copies, and nobody can see whether
    the way back knows of it. Let some sums of the hidden layer be below 0: positive weights with
    positive data never do that."""
    X, y, weights = a_case(5, 2, 4, 3)
    return innocent(suspect, X, y, weights | {"b1": weights["b1"] + 50})


@wrong(probe, like=no_silent_neuron)
def all_positive(suspect):
    X, y, weights = a_case(6, 2, 5, 4)
    first = {name: np.abs(weights[name]) for name in ("W1", "b1")}
    return innocent(suspect, np.abs(X), y, weights | first)


@wrong(probe, sneaky=True)
def up_to_a_factor(suspect):
    """You accept every factor. A gradient that is twice too large, or 0, or points the wrong way,
    has a factor too. It is right only if the factor is 1."""
    X, y, weights = a_case(5, 2, 4, 3)
    _, claimed = suspect(X, y, **weights)
    for name, W in weights.items():
        measured = measure(lambda w, n=name: suspect(X, y, **(weights | {n: w}))[0], W)
        if np.isnan(factor(claimed[name], measured)):
            return False
    return True


@wrong(probe, like=up_to_a_factor)
def up_to_a_factor_in_one_line(suspect):
    X, y, weights = a_case(6, 2, 5, 4)
    _, claimed = suspect(X, y, **weights)
    found = [
        factor(claimed[n], measure(lambda w, n=n: suspect(X, y, **(weights | {n: w}))[0], W))
        for n, W in weights.items()
    ]
    return np.isfinite(found).all()


@wrong(probe)
def one_is_enough(suspect):
    """You return True as soon as one of the four arrays agrees. A bug in one array leaves the
    others right. All four must agree."""
    return innocent(suspect, *a_case(5, 2, 4, 3), enough=any)


@wrong(probe)
def one_label(suspect):
    """All rows of your case have the same label. A bug in another class gets through. Let every
    class occur."""
    X, y, weights = a_case(5, 2, 4, 3)
    return innocent(suspect, X, 0 * y, weights)


@wrong(probe, sneaky=True)
def zeros_everywhere(suspect):
    """Your weights are all 0. Then nothing comes back to the hidden layer, and 0 is right whatever
    the way back does. Draw them at random."""
    X, y, weights = a_case(5, 2, 4, 3)
    return innocent(suspect, X, y, {name: 0 * W for name, W in weights.items()})


@wrong(probe, like=zeros_everywhere)
def zeros_everywhere_by_shape(suspect):
    X, y = np.zeros((6, 2)), np.array([0, 2, 2, 1, 0, 2])
    weights = {"W1": np.zeros((4, 2)), "b1": np.zeros(4), "W2": np.zeros((3, 4)), "b2": np.zeros(3)}
    return innocent(suspect, X, y, weights)


@wrong(probe, sneaky=True)
def ones_everywhere(suspect):
    """Your weights and your data are all 1. Then all rows are alike, and so are all neurons: what
    is mixed up looks the same as before. Draw them at random."""
    X, y, weights = a_case(5, 2, 4, 3)
    return innocent(suspect, 0 * X + 1, y, {name: 0 * W + 1 for name, W in weights.items()})


@wrong(probe, like=ones_everywhere)
def ones_everywhere_by_shape(suspect):
    X, y = np.ones((6, 2)), np.array([0, 2, 2, 1, 0, 2])
    weights = {"W1": np.ones((4, 2)), "b1": np.ones(4), "W2": np.ones((3, 4)), "b2": np.ones(3)}
    return innocent(suspect, X, y, weights)


@wrong(probe, sneaky=True)
def nobody_passes(suspect):
    """Your probe finds everybody guilty, the right ones too. Two usual reasons: it compares with
    ==, but measured gradients are rounded; or hidden sums of exactly 0 sit on relu's corner, where
    there is no slope to measure. Random data keep away from the corner."""
    X, y, weights = a_case(5, 2, 4, 3)
    return innocent(suspect, 0 * X, y, weights | {"b1": 0 * weights["b1"]})


@wrong(probe, like=nobody_passes)
def nobody_passes_to_the_last_digit(suspect):
    X, y, weights = a_case(5, 2, 4, 3)
    _, claimed = suspect(X, y, **weights)
    measured = measure(lambda w: suspect(X, y, **(weights | {"W1": w}))[0], weights["W1"])
    return (claimed["W1"] == measured).all()


@wrong(probe)
def everybody_passes(suspect):
    """Your probe lets everybody through. It must compare the claimed gradients with measured
    ones."""
    return True


@wrong(probe)
def upside_down(suspect):
    """Your probe says the opposite: return True for a way back that is right."""
    return not innocent(suspect, *a_case(5, 2, 4, 3))


# ----------------------------------------------------------------------- the hunt: the loss


def right_probe_loss(loss):
    Z = np.log(np.array([[1.0, 3.0, 4.0], [5.0, 2.0, 1.0]]))
    by_hand = -(np.log(3 / 8) + np.log(5 / 8)) / 2
    large = np.array([[1000.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    return np.isclose(loss(Z, np.array([1, 0])), by_hand) and np.isclose(
        loss(large, np.array([1, 2])), (1000 + np.log(3)) / 2
    )


def right_probe_loss_by_another_formula(loss):
    rng = np.random.default_rng(0)
    for size in (1, 2000):
        Z, y = rng.normal(size=(5, 4)) * size, np.array([0, 3, 1, 2, 2])
        total = 0.0
        for row, label in zip(Z, y, strict=True):
            total += row.max() + np.log(sum(np.exp(row - row.max()))) - row[label]
        if not abs(loss(Z, y) - total / 5) <= 1e-6 * total:
            return False
    return True


def tried_loss(probe_loss, person):
    """Your probe gets the loss of one of the fourteen."""

    def loss(Z, y):
        Z, y = np.asarray(Z, dtype=float), np.asarray(y)
        B, K = Z.shape
        rows = np.arange(B)
        S = Z - Z.max(axis=1, keepdims=True)
        if person == 2:
            S = S - 0.1
        if person == 3:
            S = Z
        if person == 4:
            S = Z - Z.max()
        L = S - np.log(np.exp(S).sum(axis=0 if person == 6 else 1, keepdims=True))
        if person == 1:
            return float(sum(np.logaddexp.reduce(z) - z[k] for z, k in zip(Z, y, strict=True)) / B)
        if person == 5:
            L = np.exp(L) - np.log(np.exp(np.exp(L)).sum(axis=1, keepdims=True))
        if person == 7:
            L = np.log(np.exp(L) + 1e-3)
        if person == 8:
            return float(-L[rows, y].sum())
        if person == 9:
            return float(-L[:, y].mean())
        if person == 10:
            L = L / np.log(2)
        if person == 11:
            L[-1] = 0
        if person == 12:
            L = np.log(np.exp(L))
        if person == 13:
            return float(-L[rows, y].sum() / L.size)
        return float(-L[rows, y].mean())

    said = probe_loss(loss)
    if not isinstance(said, (bool, np.bool_)):
        return "neither True nor False"
    return "let through" if said else "caught"


@question(
    points=2,
    right=right_probe_loss,
    also=(right_probe_loss_by_another_formula,),
    hints=(
        "You need a loss that you know without the suspect. Take logits that are logarithms: the "
        "softmax of log 1, log 3, log 4 is 1/8, 3/8, 4/8.",
        "Take at least two rows that differ, with different labels. And one case with a logit of "
        "1000 in one of its rows: what is the loss, if the label is another class?",
        "Compare with np.isclose, never with ==. A NaN is not close to anything, so np.isclose "
        "catches it too.",
    ),
)
def probe_loss(rng):
    """True for a cross-entropy that is right, False for one that is wrong."""
    for person in rng.permutation(14).tolist():
        yield tried_loss, person


def known(loss, Z, y):
    """Is the loss what it should be, on this case?"""
    want = np.mean([np.logaddexp.reduce(row) - row[k] for row, k in zip(Z, y, strict=True)])
    return abs(loss(np.array(Z, dtype=float), np.array(y)) - want) <= 1e-6 * (1 + abs(want))


SMALL = np.log(np.array([[1.0, 3.0, 4.0], [5.0, 2.0, 1.0], [1.0, 1.0, 6.0]]))
LARGE = np.array([[1000.0, 0.0, 3.0], [0.0, 2.0, 1.0]])


@wrong(probe_loss, sneaky=True)
def ordinary_numbers_only(loss):
    """Your logits are all ordinary numbers. A loss that takes exp of them works there, and breaks
    where a logit is 1000: exp(1000) is more than a float can hold. Try large ones too."""
    return known(loss, SMALL, [1, 0, 2])


@wrong(probe_loss, like=ordinary_numbers_only)
def ordinary_numbers_only_at_random(loss):
    rng = np.random.default_rng(0)
    return known(loss, rng.normal(size=(5, 4)), [0, 3, 1, 2, 2])


@wrong(probe_loss, sneaky=True)
def equal_logits(loss):
    """The logits of a row are all equal in your cases, so every class has the same chance, whatever
    is done to it. Softmax twice gives the same as softmax once. Take logits that differ."""
    Z = np.zeros((3, 4))
    return known(loss, Z, [1, 0, 2]) and known(loss, Z + 1000, [1, 0, 2])


@wrong(probe_loss, like=equal_logits)
def equal_logits_by_ones(loss):
    return known(loss, np.ones((2, 3)), [2, 0]) and known(loss, np.full((2, 3), 1000.0), [2, 0])


@wrong(probe_loss, sneaky=True)
def single_rows(loss):
    """Each of your cases is a single row. Then a sum over the rows is the same as a mean, and rows
    that get in each other's way cannot be seen. Take several rows."""
    return known(loss, SMALL[:1], [1]) and known(loss, LARGE[:1], [1])


@wrong(probe_loss, like=single_rows)
def single_rows_at_random(loss):
    Z = np.random.default_rng(0).normal(size=(1, 4))
    return all(known(loss, Z * size, [2]) for size in (1, 2000))


@wrong(probe_loss, sneaky=True)
def finite_is_enough(loss):
    """You only looked whether a number comes out, neither NaN nor infinite. A wrong loss is a
    number too. Compare with a loss that you know."""
    return np.isfinite(loss(SMALL, [1, 0, 2])) and np.isfinite(loss(LARGE, [1, 0]))


@wrong(probe_loss, like=finite_is_enough)
def finite_and_positive_is_enough(loss):
    found = [loss(SMALL, np.array([1, 0, 2])), loss(LARGE, np.array([1, 1]))]
    return 0 < min(found) <= max(found) < np.inf


@wrong(probe_loss, sneaky=True)
def confident_rows_only(loss):
    """In your large case every row is certain of the right class. There the logarithm of 0 never
    occurs. Give it a label that the row is certain *not* to be: the loss is then as large as the
    logit."""
    return known(loss, SMALL, [1, 0, 2]) and known(loss, LARGE, [0, 1])


@wrong(probe_loss, like=confident_rows_only)
def confident_rows_only_at_random(loss):
    Z = 2000 * np.random.default_rng(0).normal(size=(5, 4))
    return known(loss, Z / 2000, [0, 3, 1, 2, 2]) and known(loss, Z, Z.argmax(axis=1))


@wrong(probe_loss, sneaky=True)
def equal_to_the_last_digit(loss):
    """You compare with ==, so a right loss is guilty if its last digit differs. Two right formulas
    round differently. Allow for a small gap: np.isclose."""
    rng = np.random.default_rng(0)
    for size in (1, 2, 4, 2000):
        Z, y = rng.normal(size=(40, 7)) * size, rng.integers(7, size=40)
        S = Z - Z.max(axis=1, keepdims=True)
        L = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
        if loss(Z, y) != -L[np.arange(40), y].mean():
            return False
    return True


@wrong(probe_loss, like=equal_to_the_last_digit)
def equal_to_the_last_digit_row_by_row(loss):
    rng = np.random.default_rng(1)
    for size in (1, 2, 4, 2000):
        Z, y = rng.normal(size=(50, 6)) * size, rng.integers(6, size=50)
        parts = [np.logaddexp.reduce(row) - row[k] for row, k in zip(Z, y, strict=True)]
        if loss(Z, y) - sum(parts) / 50 != 0:
            return False
    return True


@wrong(probe_loss)
def nobody_passes_the_loss(loss):
    """Your probe finds everybody guilty, the right ones too. Work out by hand what the loss of your
    case must be."""
    return False


@wrong(probe_loss)
def everybody_passes_the_loss(loss):
    """Your probe lets everybody through. It must compare the loss with one that you know."""
    return True


# --------------------------------------------------------------------------- the bug museum

RUNS = {
    "A": "W2 first",
    "B": "softmax twice",
    "C": "doubled",
    "D": "right",
    "E": "last row lost",
    "F": "overflow",
    "G": "relu ignored",
    "H": "bias reversed",
}


def museum(run, X, y, W1, b1, W2, b2):
    """The loss and the claimed gradients of one of the eight runs."""
    if run not in RUNS:
        raise ValueError(f"the runs are called A to H; got {run!r}.")
    bug, y = RUNS[run], np.asarray(y)
    X, W1, b1, W2, b2 = (np.asarray(a, dtype=float) for a in (X, W1, b1, W2, b2))
    Z1 = X @ W1.T + b1
    H = np.maximum(Z1, 0)
    Z2 = H @ W2.T + b2
    S = Z2 if bug == "overflow" else Z2 - Z2.max(axis=1, keepdims=True)
    rows, T = np.arange(len(y)), np.eye(len(b2))[y]
    with np.errstate(all="ignore"):
        e = np.exp(S)
        P = e / e.sum(axis=1, keepdims=True)
        if bug == "softmax twice":
            Q = np.exp(P) / np.exp(P).sum(axis=1, keepdims=True)
            loss, dP = -np.log(Q[rows, y]).mean(), (Q - T) / len(y)
            dZ2 = P * (dP - (dP * P).sum(axis=1, keepdims=True))
        else:
            loss = (np.log(e.sum(axis=1)) - S[rows, y]).mean()
            dZ2 = (P - T) / len(y) * (2 if bug == "doubled" else 1)
    if bug == "last row lost":
        X, H, Z1, dZ2 = X[:-1], H[:-1], Z1[:-1], dZ2[:-1]
    dW2 = dZ2.T @ H
    dH = dZ2 @ (W2 - 0.1 * dW2 if bug == "W2 first" else W2)
    dZ1 = dH if bug == "relu ignored" else dH * (Z1 > 0)
    db1 = dZ1.sum(axis=0) * (-1 if bug == "bias reversed" else 1)
    return float(loss), {"W1": dZ1.T @ X, "b1": db1, "W2": dW2, "b2": dZ2.sum(axis=0)}


def right_guide():
    return dict(RUNS)


def right_guide_the_other_way_round():
    runs = dict(zip(RUNS.values(), RUNS, strict=True))
    return {run: label for label, run in runs.items()}


def label_of(guide, run, salt):
    """Your label of one run. Labels become secret numbers here, so as not to give one away."""
    labels = guide()
    if run not in labels:
        return "no label"
    number = salt
    for letter in str(labels[run]).strip().lower():
        number = (number * 31 + ord(letter)) % 999983
    return str(number)


@question(
    points=2,
    right=right_guide,
    also=(right_guide_the_other_way_round,),
    hints=(
        "Begin with the table of factors. Which runs have the factor 1 everywhere? A factor of 2, "
        "or of -1, tells you the label at once.",
        "Two runs go wrong in W1 and b1 only. Give them a case in which no neuron is silent, "
        "b1 + 3 for example. One of them is right there: which bug does that exclude?",
        "Three runs have right gradients everywhere. Try probe_loss's cases on their losses: "
        "ordinary logits tell one of them, large ones another. With W1 and X chosen well you can "
        "make the sums of the last layer as large as you like.",
    ),
)
def guide(rng):
    """The label of each of the eight runs."""
    for run in rng.permutation(list(RUNS)).tolist():
        yield label_of, run, int(rng.integers(1000, 9999))


@wrong(guide, sneaky=True)
def all_of_them_right():
    """You called every run right. Their losses all fall, and that is not evidence. Compare their
    gradients with measured ones."""
    return dict.fromkeys(RUNS, "right")


@wrong(guide, like=all_of_them_right)
def all_of_them_right_one_by_one():
    return {run: "right" for run in "ABCDEFGH"}


@wrong(guide, sneaky=True)
def gradcheck_was_enough():
    """You called a run right because its gradients agree with the measured ones. That compares the
    way back with the run's own way forward. If the loss itself is wrong, both are wrong in the same
    way. Three runs have such gradients, and only one of the three is right."""
    return RUNS | {"B": "right", "F": "right"}


@wrong(guide, like=gradcheck_was_enough)
def gradcheck_was_enough_written_out():
    agreeing = ("softmax twice", "overflow")
    return {run: "right" if label in agreeing else label for run, label in RUNS.items()}


@wrong(guide, sneaky=True)
def overflow_called_right():
    """One of the runs that you call right breaks down when numbers are large. Make the sums of the
    last layer larger than 710, where exp overflows, and look at its loss."""
    return RUNS | {"F": "right"}


@wrong(guide, like=overflow_called_right)
def overflow_called_right_written_out():
    return {run: label if label != "overflow" else "right" for run, label in RUNS.items()}


@wrong(guide, sneaky=True)
def relu_and_order_exchanged():
    """You exchanged two runs that go wrong in the first layer only. Where no neuron is silent, relu
    only copies: there, "relu ignored" is right, and "W2 first" is still wrong."""
    return RUNS | {"A": RUNS["G"], "G": RUNS["A"]}


@wrong(guide, like=relu_and_order_exchanged)
def relu_and_order_exchanged_written_out():
    other = {"W2 first": "relu ignored", "relu ignored": "W2 first"}
    return {run: other.get(label, label) for run, label in RUNS.items()}


@wrong(guide, sneaky=True)
def losses_exchanged():
    """You exchanged two runs whose loss is wrong. The one is wrong for ordinary numbers too:
    compare with a loss that you know. The other is wrong only for large ones."""
    return RUNS | {"B": RUNS["F"], "F": RUNS["B"]}


@wrong(guide, like=losses_exchanged)
def losses_exchanged_written_out():
    other = {"overflow": "softmax twice", "softmax twice": "overflow"}
    return {run: other.get(label, label) for run, label in RUNS.items()}


# --------------------------------------------------------------------------------- catch it


def museum_without_bugs(run, X, y, W1, b1, W2, b2):
    return museum("D", X, y, W1, b1, W2, b2)


def seldom_wrong(run, X, y, W1, b1, W2, b2):
    if run not in RUNS:
        return f"The runs are called A to H; yours is called {run!r}."
    if RUNS[run] not in ("right", "overflow"):
        return (
            f"Run {run} is wrong on ordinary numbers too, so it is easy to catch. Take one whose "
            "loss and gradients are right on them."
        )
    return None


@catch(
    points=1,
    right=museum_without_bugs,
    wrong=museum,
    allow=seldom_wrong,
    hints=(
        "Which runs have right gradients, and a right loss on ordinary numbers? One of the two is "
        "really right.",
        "How large can z be, before exp(z) is more than a float can hold?",
        "One row, one hidden neuron: X = [[1000.0]], W1 = [[1.0]]. With W2 = [[1.0], [0.0], [0.0]] "
        "the first sum of the last layer is 1000.",
    ),
)
def caught():
    """A run of the museum that is seldom wrong, and a case on which it is."""
    return "F", [[900.0, 0.0]], [1], [[1.0, 0.0]], [0.0], [[1.0], [0.0], [-1.0]], [0.0, 0.0, 0.0]


@wrong(
    caught,
    when=lambda run, X, y, W1, b1, W2, b2: (
        np.max(np.maximum(np.asarray(X) @ np.transpose(W1) + b1, 0) @ np.transpose(W2) + b2) < 700
    ),
)
def ordinary_sums():
    """On this case every sum of the last layer is below 700. Both runs can take that. Make one of
    the sums larger: large weights do it, or large data."""
    return "F", [[1.0, 2.0]], [1], [[1.0, 0.0]], [0.0], [[1.0], [0.0], [-1.0]], [0.0, 0.0, 0.0]


@wrong(caught, when=lambda run, *_: RUNS.get(run) == "right")
def the_right_run():
    """This run is right on every input, large ones too. The other one with right gradients is
    not."""
    return "D", [[900.0, 0.0]], [1], [[1.0, 0.0]], [0.0], [[1.0], [0.0], [-1.0]], [0.0, 0.0, 0.0]
