"""Exercise 15: softmax, the squared error, and the losses for classes, from chances and logits."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {
    "mse: np.asarray(prediction).ravel() - np.asarray(target) -> "
    "np.asarray(target) - np.asarray(prediction).ravel()": (
        "a difference and its opposite have the same square"
    ),
}


# ------------------------------------------------------------------------------- softmax


def right_softmax(z):
    z = np.asarray(z, dtype=float)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def right_softmax_by_row(z):
    rows = []
    for row in np.asarray(z, dtype=float):
        e = np.exp(row - max(row))
        rows.append(e / sum(e))
    return np.array(rows)


@question(
    points=2,
    right=right_softmax,
    also=(right_softmax_by_row,),
    hints=(
        "Each row is an example with a sum of its own. Which axis runs along a row?",
        "z.max(axis=1) has the shape (B,). To subtract it from each row it must be (B, 1): "
        "keepdims=True does that.",
        "shifted = z - z.max(axis=1, keepdims=True), e = np.exp(shifted), and then "
        "e / e.sum(axis=1, keepdims=True).",
    ),
)
def softmax(rng):
    """The chances of every class, row by row, from a batch of logits."""
    yield call, rng.normal(size=(3, 5)) * 2
    yield call, rng.normal(size=(4, 4)) * 2
    yield call, rng.normal(size=(4, 3)) * 2 + 1000
    levels = np.array(
        [[900.0, 1000.0, 0.0], [-900.0, 5.0, 7.0], [3.0, 4.0, 3.0], [0.0, -5.0, -6.0]]
    )
    yield call, rng.normal(size=(4, 3)) + levels
    yield call, rng.normal(size=(3, 4)) * 1e-3


@wrong(softmax, sneaky=True)
def over_everything(z):
    """You divided by the sum of the whole batch, so all rows together sum to 1. Each row is an
    example of its own and must sum to 1. With a single row nobody would notice."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum()


@wrong(softmax, like=over_everything)
def over_everything_by_rows(z):
    e = np.array([np.exp(row - row.max()) for row in z])
    return e / sum(row.sum() for row in e)


@wrong(softmax, sneaky=True)
def down_the_columns(z):
    """You summed along axis 0, down the columns. So the *examples* share the chances of a class.
    The classes of one example lie along its row, axis 1. One column that sums to 1 looks just as
    good in a square table."""
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


@wrong(softmax, like=down_the_columns)
def down_the_columns_turned(z):
    return right_softmax(z.T).T


@wrong(softmax, sneaky=True)
def no_shift(z):
    """You did not subtract the largest logit of the row first. exp(1000) is too large for a float:
    it becomes inf, and inf / inf is nan. With small logits it goes well."""
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


@wrong(softmax, like=no_shift)
def no_shift_by_row(z):
    return np.array([np.exp(row) / np.exp(row).sum() for row in z])


@wrong(softmax, sneaky=True)
def shifted_by_the_batch(z):
    """You subtracted the largest logit of the whole *batch*. A row that lies far below it becomes
    exp(-1000) everywhere, which is 0, and 0 / 0 is nan. Each row needs its own largest logit."""
    e = np.exp(z - z.max())
    return e / e.sum(axis=1, keepdims=True)


@wrong(softmax, like=shifted_by_the_batch)
def shifted_by_the_batch_by_row(z):
    largest = max(max(row) for row in z)
    return np.array([np.exp(row - largest) / np.exp(row - largest).sum() for row in z])


@wrong(softmax)
def no_exponential(z):
    """You divided the shifted logits by their sum, without exp. Chances must be positive, and the
    exponential makes them so."""
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted / shifted.sum(axis=1, keepdims=True)


@wrong(softmax)
def not_normalised(z):
    """You stopped after the exponential. The numbers are positive, but a row does not sum to 1
    yet."""
    return np.exp(z - z.max(axis=1, keepdims=True))


# ------------------------------------------------------------------------ squared error


def right_mse(prediction, target):
    d = np.asarray(prediction).ravel() - np.asarray(target).ravel()
    return float((d**2).mean())


def right_mse_by_loop(prediction, target):
    squares = [float(p[0] - t) ** 2 for p, t in zip(prediction, target, strict=True)]
    return sum(squares) / len(squares)


@question(
    points=2,
    right=right_mse,
    also=(right_mse_by_loop,),
    hints=(
        "Print the shape of prediction - target. How many differences should there be?",
        "(n, 1) minus (n,) is a table of n x n differences. Bring both to the same shape first.",
        "d = prediction.ravel() - target, and then (d**2).mean().",
    ),
)
def mse(rng):
    """The mean squared error of predictions (n, 1) for targets (n,)."""
    for n, scale in ((5, 1.0), (7, 3.0), (4, 1e-3)):
        yield call, rng.normal(size=(n, 1)) * scale, rng.normal(size=n) * scale


@wrong(mse, sneaky=True)
def every_pair(prediction, target):
    """You compared every prediction with every target. (n, 1) minus (n,) is a table of n x n
    differences, and no error message says so. A network that learns from this mean ends up with
    the same answer for everybody. Reshape one of the two first."""
    return ((prediction - target) ** 2).mean()


@wrong(mse, like=every_pair)
def every_pair_by_loop(prediction, target):
    return float(np.mean([(p - t) ** 2 for p in prediction.ravel() for t in target]))


@wrong(mse)
def summed(prediction, target):
    """You added the squares up and did not divide by their number. With more examples the loss
    grows, although no single answer got worse."""
    return ((prediction.ravel() - target) ** 2).sum()


@wrong(mse, sneaky=True)
def every_pair_over_n(prediction, target):
    """You divided by n, but there are n x n squares in your table: (n, 1) minus (n,) compares every
    prediction with every target. Reshape one of the two first."""
    return ((prediction - target) ** 2).sum() / len(target)


@wrong(mse, like=every_pair_over_n)
def every_pair_over_n_by_steps(prediction, target):
    d = prediction - target
    return float(np.sum(d * d)) / prediction.shape[0]


@wrong(mse)
def not_squared(prediction, target):
    """You took the mean of the differences themselves. Answers that are too high and too low cancel
    there. Square each difference first."""
    return (prediction.ravel() - target).mean()


@wrong(mse)
def mean_then_square(prediction, target):
    """You squared the mean. Differences above and below 0 have cancelled by then. First square each
    one, then take the mean."""
    return (prediction.ravel() - target).mean() ** 2


@wrong(mse)
def absolute(prediction, target):
    """That is the mean *absolute* error. Here each difference is squared, so a large one counts
    much more."""
    return np.abs(prediction.ravel() - target).mean()


@wrong(mse)
def root(prediction, target):
    """You took the square root at the end. That is the root mean squared error. It has the unit of
    the target, and people like to report it, but the loss is the mean itself."""
    return np.sqrt(((prediction.ravel() - target) ** 2).mean())


@wrong(mse)
def halved(prediction, target):
    """You halved it. Some books do, to have a nicer derivative. Ours is the plain mean."""
    return ((prediction.ravel() - target) ** 2).mean() / 2


# ------------------------------------------------------------------------ cross-entropy


def right_cross_entropy(P, y):
    P, y = np.asarray(P), np.asarray(y)
    return float(-np.log(P[np.arange(len(y)), y]).mean())


def right_cross_entropy_by_loop(P, y):
    return -sum(np.log(row[k]) for row, k in zip(P, y, strict=True)) / len(y)


def chances(rng, rows, classes):
    e = np.exp(rng.normal(size=(rows, classes)) * 1.5)
    return e / e.sum(axis=1, keepdims=True)


def classes_of(rng, rows, classes):
    """Classes for so many rows, all of them drawn, and never in the order of the rows."""
    while True:
        y = rng.integers(classes, size=rows)
        if len(set(y)) == classes and (y[: len(set(y))] != np.arange(classes)).any():
            return y


@question(
    points=1,
    right=right_cross_entropy,
    also=(right_cross_entropy_by_loop,),
    hints=(
        "From each row you need one number: the chance of the class that is right. Where is it?",
        "P[[0, 1, 2], y] picks one number from each of the rows 0, 1 and 2. P[:, y] picks whole "
        "columns.",
        "-np.log(P[np.arange(len(y)), y]).mean()",
    ),
)
def cross_entropy(rng):
    """The mean of -log of the chance that was given to the right class."""
    for rows, classes in ((5, 3), (7, 4), (4, 4)):
        yield call, chances(rng, rows, classes), classes_of(rng, rows, classes)


@wrong(cross_entropy, sneaky=True)
def whole_columns(P, y):
    """P[:, y] takes whole columns: each row is asked about the classes of all the others too. Take
    one number from each row: P[np.arange(len(y)), y]. With a single example the two agree."""
    return -np.log(P[:, y]).mean()


@wrong(cross_entropy, like=whole_columns)
def whole_columns_by_loop(P, y):
    return -float(np.mean([np.log(P[:, k]).mean() for k in y]))


@wrong(cross_entropy, sneaky=True)
def over_all_entries(P, y):
    """You divided by the size of the whole table, rows times classes. Each example adds one number,
    so divide by the number of examples."""
    Y = np.eye(P.shape[1])[y]
    return -(Y * np.log(P)).mean()


@wrong(cross_entropy, like=over_all_entries)
def over_all_entries_by_size(P, y):
    return -sum(np.log(P[i, k]) for i, k in enumerate(y)) / P.size


@wrong(cross_entropy)
def added_up(P, y):
    """You added up and did not divide by the number of examples. A larger batch would then have a
    larger loss."""
    return -np.log(P[np.arange(len(y)), y]).sum()


@wrong(cross_entropy)
def no_minus(P, y):
    """The minus is missing. The log of a chance is below 0; a loss is above 0, and smaller is
    better."""
    return np.log(P[np.arange(len(y)), y]).mean()


@wrong(cross_entropy)
def log_of_the_mean(P, y):
    """You took the mean of the chances first, and then the log. Each example needs its own log:
    one that was almost excluded must stand out."""
    return -np.log(P[np.arange(len(y)), y].mean())


@wrong(cross_entropy)
def no_log(P, y):
    """You took 1 minus the chance of the right class. It never exceeds 1, however sure and wrong
    the answer was. The loss is minus the log of that chance."""
    return (1 - P[np.arange(len(y)), y]).mean()


@wrong(cross_entropy)
def in_bits(P, y):
    """You took the log to base 2. Ours is np.log, the natural one, as in PyTorch."""
    return -np.log2(P[np.arange(len(y)), y]).mean()


@wrong(cross_entropy)
def likeliest_class(P, y):
    """You took the largest chance of each row, whatever class it belongs to. The loss asks for the
    class that is *right*: y says which."""
    return -np.log(P.max(axis=1)).mean()


# ----------------------------------------------------------------- binary cross-entropy


def right_bce(p, y):
    p, y = np.asarray(p), np.asarray(y)
    return float(-np.log(np.where(y == 1, p, 1 - p)).mean())


def right_bce_by_loop(p, y):
    return sum(-np.log(p_i if y_i else 1 - p_i) for p_i, y_i in zip(p, y, strict=True)) / len(p)


def both_kinds(rng, n):
    y = rng.permutation(np.arange(n) % 2)
    return rng.uniform(0.05, 0.95, size=n), y


def certain(rng, n):
    """Some chances are exactly 0 or 1, and right."""
    p, y = both_kinds(rng, n)
    sure = rng.permutation(n)[:3]
    p[sure] = y[sure]
    return p, y


@question(
    points=2,
    right=right_bce,
    also=(right_bce_by_loop,),
    hints=(
        "p is the chance of class 1. Which chance did an example of class 0 get for its class?",
        "np.where(y == 1, p, 1 - p) picks the chance of the right class for each example. Then it "
        "is cross-entropy as before.",
        "-np.log(np.where(y == 1, p, 1 - p)).mean()",
    ),
)
def bce(rng):
    """Cross-entropy of two classes, from the chance of class 1 alone."""
    yield call, *both_kinds(rng, 5)
    yield call, *both_kinds(rng, 8)
    yield call, *certain(rng, 7)


@wrong(bce, sneaky=True)
def one_term_only(p, y):
    """You count only the examples with y = 1. A network that always says 1 would have the loss 0.
    An example with y = 0 wants a large 1 - p."""
    with np.errstate(all="ignore"):
        return -np.where(y == 1, np.log(p), 0.0).mean()


@wrong(bce, like=one_term_only)
def one_term_only_by_loop(p, y):
    return -sum(np.log(p_i) for p_i, y_i in zip(p, y, strict=True) if y_i) / len(p)


@wrong(bce, sneaky=True)
def zero_times_infinity(p, y):
    """Your formula is right on paper. But where p is exactly 1 and y is 1, it computes 0 * log(0),
    and that is nan. Pick the chance of the right class first, then take the log of it alone."""
    with np.errstate(all="ignore"):
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


@wrong(bce, like=zero_times_infinity)
def zero_times_infinity_by_sum(p, y):
    with np.errstate(all="ignore"):
        return -(y @ np.log(p) + (1 - y) @ np.log(1 - p)) / len(y)


@wrong(bce)
def the_other_class(p, y):
    """You took the chance of the *wrong* class: p where y is 0 and 1 - p where y is 1. Turn it
    round."""
    with np.errstate(all="ignore"):
        return -np.log(np.where(y == 1, 1 - p, p)).mean()


@wrong(bce)
def chance_of_one_for_all(p, y):
    """You took the log of p for every example. With y = 0 the right class is the other one, and its
    chance is 1 - p."""
    with np.errstate(all="ignore"):
        return -np.log(p).mean()


@wrong(bce)
def bce_added_up(p, y):
    """You added up and did not divide by the number of examples."""
    return -np.log(np.where(y == 1, p, 1 - p)).sum()


@wrong(bce)
def bce_no_minus(p, y):
    """The minus is missing: your loss is below 0, and it falls when the answers get worse."""
    return np.log(np.where(y == 1, p, 1 - p)).mean()


@wrong(bce)
def squares(p, y):
    """That is the mean squared error between p and y. It never exceeds 1, and for a very wrong p it
    hardly changes: the lesson's picture shows why that is bad."""
    return ((p - y) ** 2).mean()


# ------------------------------------------------------------ cross-entropy from logits


def right_cross_entropy_from_logits(z, y):
    z, y = np.asarray(z, dtype=float), np.asarray(y)
    z = z - z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean())


def right_cross_entropy_from_logits_by_loop(z, y):
    losses = []
    for row, k in zip(z, y, strict=True):
        above = row - row[k]  # how far each logit lies above the right one
        most = above.max()
        losses.append(most + np.log(np.exp(above - most).sum()))
    return np.mean(losses)


def far_off(rng, rows, classes):
    """Logits so far apart that the right class gets a chance of 0 in floats."""
    z, y = rng.normal(size=(rows, classes)), classes_of(rng, rows, classes)
    z[np.arange(rows), y] -= rng.uniform(800, 1200, size=rows)
    return z, y


@question(
    points=3,
    right=right_cross_entropy_from_logits,
    also=(right_cross_entropy_from_logits_by_loop,),
    hints=(
        "Write log(softmax) out on paper. The log of a quotient is a difference of logs. What "
        "becomes of log(exp(z))?",
        "-log softmax(z)[y] = log(sum of exp(z)) - z[y], and you may subtract the same number from "
        "all logits of a row first.",
        "z = z - z.max(axis=1, keepdims=True); then the mean of "
        "np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y].",
    ),
)
def cross_entropy_from_logits(rng):
    """Cross-entropy straight from logits, exact however large they are."""
    yield call, rng.normal(size=(5, 3)) * 2, classes_of(rng, 5, 3)
    yield call, rng.normal(size=(4, 4)) * 2, classes_of(rng, 4, 4)
    yield call, rng.normal(size=(6, 3)) * 2 + 1000, classes_of(rng, 6, 3)
    yield call, *far_off(rng, 7, 4)
    levels = np.array([[0.0], [1000.0], [-1000.0], [-5.0], [800.0], [3.0]])
    yield call, rng.normal(size=(6, 4)) + levels, classes_of(rng, 6, 4)
    yield call, rng.normal(size=(7, 5)) * 1e-2, classes_of(rng, 7, 5)


@wrong(cross_entropy_from_logits, sneaky=True)
def softmax_twice(z, y):
    """You applied softmax twice. The second one sees chances between 0 and 1 as if they were
    logits, and makes them nearly equal. A network trained like this still learns, only less well,
    and no error message says so. Its loss can never come near 0."""
    return right_cross_entropy_from_logits(right_softmax(z), y)


@wrong(cross_entropy_from_logits, like=softmax_twice)
def softmax_twice_by_log(z, y):
    P = right_softmax(right_softmax(z))
    return -np.mean([np.log(P[i, k]) for i, k in enumerate(y)])


@wrong(cross_entropy_from_logits, sneaky=True)
def softmax_then_log(z, y):
    """softmax first and the log after it is right on paper. But a logit 1000 below the others gets
    the chance 0 in floats, and -log(0) is inf. Put the log into the formula: exp and log cancel,
    and the 1000 stays."""
    with np.errstate(all="ignore"):
        return right_cross_entropy(right_softmax(z), y)


@wrong(cross_entropy_from_logits, like=softmax_then_log)
def softmax_then_log_by_loop(z, y):
    with np.errstate(all="ignore"):
        return right_cross_entropy_by_loop(right_softmax_by_row(z), y)


@wrong(cross_entropy_from_logits, sneaky=True)
def largest_not_subtracted(z, y):
    """The formula is right, but exp(1000) is inf. Subtract the largest logit of each row first: the
    loss does not change, and every exponent is at most 0."""
    with np.errstate(all="ignore"):
        return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean()


@wrong(cross_entropy_from_logits, like=largest_not_subtracted)
def largest_not_subtracted_by_loop(z, y):
    with np.errstate(all="ignore"):
        return np.mean([np.log(sum(np.exp(row))) - row[k] for row, k in zip(z, y, strict=True)])


@wrong(cross_entropy_from_logits, sneaky=True)
def one_shift_for_the_batch(z, y):
    """You subtracted the largest logit of the whole *batch*. In a row that lies 1000 below it every
    exponential is 0, and log(0) is -inf. Each row needs its own largest logit."""
    z = z - z.max()
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean()


@wrong(cross_entropy_from_logits, like=one_shift_for_the_batch)
def one_shift_for_the_batch_by_loop(z, y):
    largest = max(max(row) for row in z)
    return np.mean(
        [
            np.log(np.exp(row - largest).sum()) - row[k] + largest
            for row, k in zip(z, y, strict=True)
        ]
    )


@wrong(cross_entropy_from_logits)
def log_of_logits(z, y):
    """You took the log of the logits themselves. A logit is no chance: it may be below 0, and then
    its log is nan. softmax stands between the two."""
    with np.errstate(all="ignore"):
        return -np.log(z[np.arange(len(y)), y]).mean()


@wrong(cross_entropy_from_logits)
def only_the_right_logit(z, y):
    """You took minus the logit of the right class. The other classes are missing: the network could
    make the loss as small as it likes by raising all logits together."""
    return -z[np.arange(len(y)), y].mean()


@wrong(cross_entropy_from_logits, sneaky=True)
def columns_of_logits(z, y):
    """z[:, y] takes whole columns, so each row is asked about the classes of all the others too.
    Take one number from each row: z[np.arange(len(y)), y]."""
    z = z - z.max(axis=1, keepdims=True)
    return (np.log(np.exp(z).sum(axis=1, keepdims=True)) - z[:, y]).mean()


@wrong(cross_entropy_from_logits, like=columns_of_logits)
def columns_of_logits_by_log_softmax(z, y):
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[:, y].mean()


@wrong(cross_entropy_from_logits, sneaky=True)
def one_logit_not_shifted(z, y):
    """You subtracted the largest logit inside the exponential, but not from the logit of the right
    class. The two must be shifted alike, or the shift does not cancel."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (np.log(e.sum(axis=1)) - z[np.arange(len(y)), y]).mean()


@wrong(cross_entropy_from_logits, like=one_logit_not_shifted)
def one_logit_not_shifted_by_loop(z, y):
    losses = [np.log(np.exp(row - max(row)).sum()) - row[k] for row, k in zip(z, y, strict=True)]
    return sum(losses) / len(losses)


@wrong(cross_entropy_from_logits)
def losses_added_up(z, y):
    """You added the losses up and did not divide by the number of examples."""
    return right_cross_entropy_from_logits(z, y) * len(y)


# ------------------------------------------------------------------------------- catch it


def log_chances(z, y):
    """The logs of the chances (B, V), and the classes (B,), if z and y are logits and classes."""
    rows, classes = np.asarray(z, dtype=float), np.asarray(y)
    if rows.ndim != 2 or rows.size == 0 or classes.shape != (len(rows),):
        raise ValueError("z must be a list of rows of the same length, y one class for each row")
    if classes.dtype.kind != "i" or classes.min() < 0 or classes.max() >= rows.shape[1]:
        raise ValueError(f"the classes in y must be whole numbers from 0 to {rows.shape[1] - 1}")
    return np.log(right_softmax(rows)), classes


def one_from_each_row(z, y):
    logs, classes = log_chances(z, y)
    return float(-logs[np.arange(len(classes)), classes].mean())


def columns_from_all_rows(z, y):
    logs, classes = log_chances(z, y)
    return float(-logs[:, classes].mean())


@catch(
    points=1,
    right=one_from_each_row,
    wrong=columns_from_all_rows,
    size=30,
    largest=50.0,
    hints=(
        "P[:, y] asks every row about every class in y. When does it not matter which row is "
        "asked?",
        "You need at least two examples, of two different classes, whose logits differ.",
        "Let each example be sure of its own class: z = [[3, 0], [0, 3]] with y = [0, 1].",
    ),
)
def caught():
    """Logits and classes on which P[:, y] gives another cross-entropy."""
    return [[3.0, 0.0], [0.0, 3.0]], [0, 1]


@wrong(caught, when=lambda z, y: len(y) == 1)
def a_single_example():
    """With a single example there is only one row to ask, and P[:, y] is right."""
    return [[2.0, 0.0, 1.0]], [0]


@wrong(caught, when=lambda z, y: len(set(y)) == 1)
def one_class():
    """All your examples are of the same class. Every row is asked about that class, as it should
    be. P[:, y] goes wrong when the classes differ."""
    return [[2.0, 0.0], [0.0, 1.0]], [1, 1]


@wrong(caught, when=lambda z, y: all(list(row) == list(z[0]) for row in z))
def rows_alike():
    """All your rows are alike, so it does not matter which of them is asked. A network that has
    learned nothing would pass this test too."""
    return [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [0, 2]


@wrong(caught, when=lambda z, y: True)
def no_relation():
    """Here the rows are no surer of their own classes than of the classes of the others, so on
    average it makes no difference. Let each row be sure of its own class."""
    return [[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]], [0, 0, 1, 1]
