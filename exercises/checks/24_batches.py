"""Exercise 24: deal out batches, average their slopes, learn from one after the other."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {
    "epoch_loss: zip(losses, sizes) -> zip(sizes, losses)": "a product is the same either way",
}


# ---------------------------------------------------------------------------- dealing out


def right_batches(X, y, size, rng):
    order = rng.permutation(len(X))
    for start in range(0, len(X), size):
        rows = order[start : start + size]
        yield X[rows], y[rows]


def right_batches_as_a_list(X, y, size, rng):
    both = list(zip(X, y, strict=True))
    rng.shuffle(both)
    made = []
    while both:
        taken, both = both[:size], both[size:]
        made.append((np.array([x for x, _ in taken]), np.array([t for _, t in taken])))
    return made


def two_epochs(batches, n, size, seed):
    """X has n rows, and y their n targets. All batches are made twice, with the same rng."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(n)
    X, y = np.stack([numbers, numbers * 2.0, numbers * 3.0], axis=1), numbers * 7.0
    first, second = (list(batches(X, y, size, rng)) for _ in range(2))
    dealt = [np.asarray(X_batch)[:, 0].tolist() for X_batch, _ in first]
    order = [row for batch in dealt for row in batch]
    targets = [float(target) for _, y_batch in first for target in y_batch]
    again = [float(row) for X_batch, _ in second for row in np.asarray(X_batch)[:, 0]]
    seen = {
        "each row once": sorted(order) == numbers.tolist(),
        "rows with their targets": [row * 7 for row in order] == targets,
        "rows in another order": order != numbers.tolist(),
        "neighbours separated": any(np.ptp(batch) >= len(batch) for batch in dealt if batch),
        "a new order in the second epoch": order != again,
    }
    said = {what: "yes" if so else "no" for what, so in seen.items()}
    return {"sizes, the largest first": sorted(map(len, dealt), reverse=True)} | said


@question(
    points=3,
    right=right_batches,
    also=(right_batches_as_a_list,),
    hints=(
        "X and y must be dealt out in the same order. So shuffle neither of them: shuffle the "
        "numbers of the rows.",
        "rng.permutation(len(X)) gives all row numbers in random order. The first batch takes the "
        "first `size` of them.",
        "order = rng.permutation(len(X)), and in the loop rows = order[start : start + size]. A "
        "slice beyond the end is shorter, and that is what you want.",
    ),
)
def batches(rng):
    """All rows, dealt out in random order into batches."""
    size = int(rng.integers(3, 6))
    yield two_epochs, size * int(rng.integers(4, 8)) + int(rng.integers(1, size)), size, 11
    yield two_epochs, 5 * int(rng.integers(3, 9)), 5, int(rng.integers(1000))
    yield two_epochs, int(rng.integers(20, 60)), 7, int(rng.integers(1000))


@wrong(batches, sneaky=True)
def targets_left_behind(X, y, size, rng):
    """You dealt out the rows in one order and the targets in another. Each row now has the target
    of some other row, and there is nothing to learn from that. Use the same order for both."""
    order = rng.permutation(len(X))
    for start in range(0, len(X), size):
        yield X[order[start : start + size]], y[start : start + size]


@wrong(batches, like=targets_left_behind)
def two_permutations(X, y, size, rng):
    X, y = rng.permutation(X), rng.permutation(y)
    return [(X[i : i + size], y[i : i + size]) for i in range(0, len(X), size)]


@wrong(batches, sneaky=True)
def last_dropped(X, y, size, rng):
    """You left out the last batch, because it is smaller than the others. Its rows would be missing
    in every epoch, others each time. Here each row counts."""
    order = rng.permutation(len(X))
    for i in range(len(X) // size):
        rows = order[i * size : (i + 1) * size]
        yield X[rows], y[rows]


@wrong(batches, like=last_dropped)
def last_dropped_by_range(X, y, size, rng):
    order = rng.permutation(len(X))
    starts = range(0, len(X) - size + 1, size)
    return [(X[order[s : s + size]], y[order[s : s + size]]) for s in starts]


@wrong(batches, sneaky=True)
def same_order_each_time(X, y, size, rng):
    """You made a generator of your own with a fixed seed, so every epoch has the same order and the
    same batches. Use the rng that you are given: it goes on from where it was."""
    order = np.random.default_rng(0).permutation(len(X))
    for start in range(0, len(X), size):
        rows = order[start : start + size]
        yield X[rows], y[rows]


@wrong(batches, like=same_order_each_time)
def same_old_generator(X, y, size, rng):
    order = np.arange(len(X))
    np.random.RandomState(42).shuffle(order)
    return [(X[order[i : i + size]], y[order[i : i + size]]) for i in range(0, len(X), size)]


@wrong(batches, sneaky=True)
def order_of_the_file(X, y, size, rng):
    """Your rows come in the order of the file. If the file is sorted, a batch holds one kind of row
    only. Deal them out in random order."""
    for start in range(0, len(X), size):
        yield X[start : start + size], y[start : start + size]


@wrong(batches, like=order_of_the_file)
def order_of_the_file_split(X, y, size, rng):
    ends = list(range(size, len(X), size))
    return list(zip(np.split(X, ends), np.split(y, ends), strict=True))


@wrong(batches, sneaky=True)
def whole_batches_shuffled(X, y, size, rng):
    """You shuffled the batches, and each batch still holds neighbours of the file. If the file is
    sorted, a batch holds one kind of row only. Shuffle the rows before you cut."""
    for start in rng.permutation(np.arange(0, len(X), size)):
        yield X[start : start + size], y[start : start + size]


@wrong(batches, like=whole_batches_shuffled)
def whole_batches_in_a_list(X, y, size, rng):
    made = [(X[i : i + size], y[i : i + size]) for i in range(0, len(X), size)]
    rng.shuffle(made)
    return made


@wrong(batches, sneaky=True)
def drawn_with_replacement(X, y, size, rng):
    """You drew each batch anew from all rows. Some rows then come twice in an epoch, and others not
    at all. Deal them out: each row once."""
    for start in range(0, len(X), size):
        rows = rng.integers(len(X), size=min(size, len(X) - start))
        yield X[rows], y[rows]


@wrong(batches, like=drawn_with_replacement)
def drawn_by_choice(X, y, size, rng):
    rows = rng.choice(len(X), size=len(X))
    return [(X[rows[i : i + size]], y[rows[i : i + size]]) for i in range(0, len(X), size)]


@wrong(batches, sneaky=True)
def an_empty_batch(X, y, size, rng):
    """If the rows fill all batches exactly, you add an empty one at the end. Its average loss is 0
    divided by 0. Count with range(0, len(X), size), which stops in time."""
    order = rng.permutation(len(X))
    for i in range(len(X) // size + 1):
        rows = order[i * size : (i + 1) * size]
        yield X[rows], y[rows]


@wrong(batches, like=an_empty_batch)
def an_empty_batch_by_range(X, y, size, rng):
    order = rng.permutation(len(X))
    starts = range(0, len(X) + 1, size)
    return [(X[order[s : s + size]], y[order[s : s + size]]) for s in starts]


# ------------------------------------------------------------------- the slopes of a batch


def right_gradients(w, b, X, y):
    gap = X @ w + b - y
    return 2 * X.T @ gap / len(X), 2 * gap.mean()


def right_gradients_row_by_row(w, b, X, y):
    slope_w, slope_b = np.zeros(len(w)), 0.0
    for x, target in zip(X, y, strict=True):
        gap = sum(x * w) + b - target
        slope_w, slope_b = slope_w + 2 * gap * x / len(y), slope_b + 2 * gap / len(y)
    return slope_w, slope_b


@question(
    points=2,
    right=right_gradients,
    also=(right_gradients_row_by_row,),
    hints=(
        "For one row: the gap is x @ w + b - y, the slopes are 2 * gap * x and 2 * gap. A batch "
        "has the average of these over its rows.",
        "gap = X @ w + b - y has one number for each row. For w, each row of X is multiplied by "
        "its own gap, and then averaged over the rows.",
        "X.T @ gap adds up gap * x over the rows. Divide by len(X).",
    ),
)
def gradients(rng):
    """The slopes of the average squared gap of a batch."""
    yield call, rng.normal(size=3), rng.normal(), rng.normal(size=(5, 3)), rng.normal(size=5)
    yield call, rng.normal(size=4), rng.normal(), rng.normal(size=(7, 4)), rng.normal(size=7)
    yield (
        call,
        rng.normal(size=5) * 1e-3,
        rng.normal() * 1e-3,
        rng.normal(size=(3, 5)) * 1e-3,
        rng.normal(size=3) * 1e-3,
    )


@wrong(gradients, sneaky=True)
def summed(w, b, X, y):
    """You added the slopes of the rows up, and did not divide by their number. With one row it is
    right. With 32 rows each step is 32 times as long."""
    gap = X @ w + b - y
    return 2 * X.T @ gap, 2 * gap.sum()


@wrong(gradients, like=summed)
def summed_row_by_row(w, b, X, y):
    slope_w, slope_b = 0.0, 0.0
    for x, target in zip(X, y, strict=True):
        gap = x @ w + b - target
        slope_w, slope_b = slope_w + 2 * gap * x, slope_b + 2 * gap
    return slope_w, slope_b


@wrong(gradients, sneaky=True)
def w_summed(w, b, X, y):
    """The slope of b is an average, that of w is a sum: `X.T @ gap` adds up over the rows. Divide
    it by their number."""
    gap = X @ w + b - y
    return 2 * X.T @ gap, 2 * gap.mean()


@wrong(gradients, like=w_summed)
def w_summed_by_axis(w, b, X, y):
    gap = (X * w).sum(axis=1) + b - y
    return 2 * (gap[:, None] * X).sum(axis=0), 2 * np.average(gap)


@wrong(gradients)
def by_all_numbers(w, b, X, y):
    """You divided the slope of w by the number of all numbers in X. Divide by the number of rows:
    each row has one gap."""
    gap = X @ w + b - y
    return 2 * X.T @ gap / X.size, 2 * gap.mean()


@wrong(gradients, sneaky=True)
def by_columns(w, b, X, y):
    """You divided by the number of columns of X. The average goes over the rows: len(X), or
    X.shape[0]."""
    gap = X @ w + b - y
    return 2 * X.T @ gap / X.shape[1], 2 * gap.sum() / X.shape[1]


@wrong(gradients, like=by_columns)
def by_weights(w, b, X, y):
    gap = X.dot(w) - y + b
    return 2 / len(w) * gap @ X, 2 / len(w) * np.sum(gap)


@wrong(gradients)
def one_for_all(w, b, X, y):
    """You averaged over the columns too, so all weights share one slope. Average over the rows
    only: axis=0."""
    gap = X @ w + b - y
    return 2 * np.mean(gap[:, None] * X), 2 * gap.mean()


@wrong(gradients)
def two_forgotten(w, b, X, y):
    """The factor 2 is missing. The square of the gap has the slope 2 * gap."""
    gap = X @ w + b - y
    return X.T @ gap / len(X), gap.mean()


@wrong(gradients)
def gap_turned_round(w, b, X, y):
    """The sign is turned round: the gap is what the line says minus what it should say."""
    gap = y - X @ w - b
    return 2 * X.T @ gap / len(X), 2 * gap.mean()


# ------------------------------------------------------------------------------- one epoch


def right_learn(w, b, made, lr):
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        w, b = w - lr * slope_w, b - lr * slope_b
    return w, b


def right_learn_by_index(w, b, made, lr):
    w = np.array(w, dtype=float)
    for i in range(len(made)):
        X, y = made[i]
        gap = X @ w + b - y
        w -= lr * 2 * (gap @ X) / len(y)
        b = b - lr * 2 * sum(gap) / len(y)
    return [w, b]


def one_epoch(learn, gradients, w, b, X, y, starts, lr):
    """X and y are cut into batches; `starts` are the first rows of all batches but the first."""
    made = list(zip(np.split(X, starts), np.split(y, starts), strict=True))
    new_w, new_b = learn(w, b, made, lr)
    return new_w, new_b


@question(
    points=2,
    right=right_learn,
    also=(right_learn_by_index,),
    hints=(
        "How many steps are there in an epoch of four batches? And where does the second one "
        "begin?",
        "For each batch: ask gradients for the slopes at the w and b of now, and step at once.",
        "for X, y in made: slope_w, slope_b = gradients(w, b, X, y), then w = w - lr * slope_w and "
        "b = b - lr * slope_b.",
    ),
)
def learn(rng):
    """One step for each batch, one after the other."""
    X, y = rng.normal(size=(14, 3)), rng.normal(size=14) + 1
    yield one_epoch, rng.normal(size=3), rng.normal(), X, y, [5, 10], 0.13
    X, y = rng.normal(size=(10, 4)), rng.normal(size=10) + 1
    yield one_epoch, rng.normal(size=4), rng.normal(), X, y, [7], 0.07
    X, y = rng.normal(size=(18, 5)) * 1e-3, rng.normal(size=18) * 1e-3
    yield one_epoch, np.zeros(5), 0.0, X, y, [6, 11, 14], 0.1


@wrong(learn, sneaky=True)
def one_long_step(w, b, made, lr):
    """You asked for all slopes at the place where the epoch began. The second batch must see the w
    and b that the first one has left."""
    new_w, new_b = w, b
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        new_w, new_b = new_w - lr * slope_w, new_b - lr * slope_b
    return new_w, new_b


@wrong(learn, like=one_long_step)
def one_long_step_by_sum(w, b, made, lr):
    pairs = [gradients(w, b, X, y) for X, y in made]
    return w - lr * sum(p[0] for p in pairs), b - lr * sum(p[1] for p in pairs)


@wrong(learn, sneaky=True)
def one_step_for_all(w, b, made, lr):
    """You averaged the slopes of all batches and made one step. That is the full batch again. Make
    one step for each batch."""
    pairs = [gradients(w, b, X, y) for X, y in made]
    slope_w, slope_b = (sum(slopes) / len(made) for slopes in zip(*pairs, strict=True))
    return w - lr * slope_w, b - lr * slope_b


@wrong(learn, like=one_step_for_all)
def one_step_collected(w, b, made, lr):
    slope_w, slope_b = 0.0, 0.0
    for X, y in made:
        part = gradients(w, b, X, y)
        slope_w, slope_b = slope_w + part[0] / len(made), slope_b + part[1] / len(made)
    return [w - lr * slope_w, b - lr * slope_b]


@wrong(learn, sneaky=True)
def slopes_kept(w, b, made, lr):
    """You added each batch's slopes to those of the batches before it. That is a forgotten
    zero_grad: each step goes by the slopes of its own batch alone."""
    sum_w, sum_b = 0.0, 0.0
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        sum_w, sum_b = sum_w + slope_w, sum_b + slope_b
        w, b = w - lr * sum_w, b - lr * sum_b
    return w, b


@wrong(learn, like=slopes_kept)
def slopes_kept_in_a_list(w, b, made, lr):
    seen = []
    for X, y in made:
        seen.append(gradients(w, b, X, y))
        for slope_w, slope_b in seen:
            w, b = w - lr * slope_w, b - lr * slope_b
    return w, b


@wrong(learn, sneaky=True)
def times_the_rows(w, b, made, lr):
    """You multiplied each step by the number of rows of its batch. The slopes are averages: a
    larger batch gives a better direction, not a longer step."""
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        w, b = w - lr * len(X) * slope_w, b - lr * len(X) * slope_b
    return w, b


@wrong(learn, like=times_the_rows)
def times_the_rows_by_sum(w, b, made, lr):
    for X, y in made:
        gap = X @ w + b - y
        w, b = w - lr * 2 * X.T @ gap, b - lr * 2 * gap.sum()
    return w, b


@wrong(learn, sneaky=True)
def b_after_w(w, b, made, lr):
    """You moved w, and then asked for the slope of b at the new w. Ask once for both slopes, then
    move both."""
    for X, y in made:
        w = w - lr * gradients(w, b, X, y)[0]
        b = b - lr * gradients(w, b, X, y)[1]
    return w, b


@wrong(learn, like=b_after_w)
def b_after_w_by_hand(w, b, made, lr):
    for X, y in made:
        w = w - 2 * lr * (X @ w + b - y) @ X / len(X)
        b = b - 2 * lr * (X @ w + b - y).mean()
    return w, b


@wrong(learn)
def only_the_last(w, b, made, lr):
    """Only the last batch has an effect: your step always begins at the old w and b. Go on from
    the new ones."""
    new_w, new_b = w, b
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        new_w, new_b = w - lr * slope_w, b - lr * slope_b
    return new_w, new_b


@wrong(learn)
def only_the_first(w, b, made, lr):
    """You return after the first batch: the `return` stands inside the loop."""
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        return w - lr * slope_w, b - lr * slope_b


@wrong(learn)
def uphill(w, b, made, lr):
    """You went uphill. The step goes against the slope, with a minus."""
    for X, y in made:
        slope_w, slope_b = gradients(w, b, X, y)
        w, b = w + lr * slope_w, b + lr * slope_b
    return w, b


# ---------------------------------------------------------------------- the loss of an epoch


def right_epoch_loss(losses, sizes):
    return float(np.dot(losses, sizes) / np.sum(sizes))


def right_epoch_loss_row_by_row(losses, sizes):
    of_each_row = []
    for loss, size in zip(losses, sizes, strict=True):
        of_each_row += [loss] * int(size)
    return sum(of_each_row) / len(of_each_row)


@question(
    points=1,
    right=right_epoch_loss,
    also=(right_epoch_loss_row_by_row,),
    hints=(
        "A batch with 30 rows and a loss of 2: what do its rows have together?",
        "Add up loss * size over the batches. What do you divide by, to have an average over rows?",
        "The sum of loss * size, divided by the sum of the sizes.",
    ),
)
def epoch_loss(rng):
    """The average loss over all rows of an epoch."""
    yield call, rng.uniform(0.2, 3, size=3).tolist(), [32, 32, int(rng.integers(5, 20))]
    yield call, rng.uniform(0.2, 3, size=5).tolist(), rng.integers(3, 40, size=5).tolist()
    yield call, (rng.uniform(0.2, 3, size=4) * 1e-3).tolist(), [7, 7, 7, int(rng.integers(3, 6))]


@wrong(epoch_loss, sneaky=True)
def mean_of_means(losses, sizes):
    """You averaged the batches, not the rows. A row in a small batch then counts more than a row in
    a large one. Weigh each loss by its size."""
    return sum(losses) / len(losses)


@wrong(epoch_loss, like=mean_of_means)
def mean_of_means_by_numpy(losses, sizes):
    return np.mean(losses)


@wrong(epoch_loss)
def of_the_last_batch(losses, sizes):
    """That is the loss of the last batch. Asked for is the average over the whole epoch."""
    return losses[-1]


@wrong(epoch_loss)
def not_divided(losses, sizes):
    """This is the sum over all rows. Divide it by their number, the sum of the sizes."""
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True))


@wrong(epoch_loss)
def by_the_batches(losses, sizes):
    """You divided by the number of batches. After loss * size the sum goes over rows, so divide by
    the number of rows."""
    return np.dot(losses, sizes) / len(sizes)


@wrong(epoch_loss, sneaky=True)
def sizes_forgotten(losses, sizes):
    """You divided by the number of rows, but never multiplied by the sizes. Each loss is already an
    average: times its size it becomes a sum again."""
    return sum(losses) / sum(sizes)


@wrong(epoch_loss, like=sizes_forgotten)
def sizes_forgotten_by_numpy(losses, sizes):
    return float(np.sum(losses) / np.sum(sizes))


# ------------------------------------------------------------------------------- catch it


def checked(losses, sizes):
    whole = all(isinstance(size, int) and size > 0 for size in sizes)
    if len(losses) != len(sizes) or not losses or not whole:
        raise ValueError(
            "losses and sizes must be lists of the same length, at least 1, and each size a whole "
            "number above 0"
        )


def loss_by_rows(losses, sizes):
    checked(losses, sizes)
    return right_epoch_loss(losses, sizes)


def loss_by_batches(losses, sizes):
    checked(losses, sizes)
    return float(np.mean(losses))


@catch(
    points=1,
    right=loss_by_rows,
    wrong=loss_by_batches,
    size=20,
    largest=100.0,
    hints=(
        "When all batches have the same size, both are right. What must be different?",
        "Different sizes are not enough: if all losses are equal, every average is the same.",
        "Two batches are enough: losses 1 and 3, sizes 4 and 1.",
    ),
)
def caught():
    """Losses and sizes of batches, for which an average over the batches is wrong."""
    return [2.0, 5.0], [3, 7]


@wrong(caught, when=lambda losses, sizes: len(set(sizes)) == 1)
def all_of_one_size():
    """All batches have the same size. Then each row counts the same in both averages."""
    return [1.0, 3.0, 2.0], [4, 4, 4]


@wrong(caught, when=lambda losses, sizes: len(set(losses)) == 1)
def all_of_one_loss():
    """All losses are the same. Then it does not matter how much each one counts."""
    return [2.0, 2.0], [4, 1]


@wrong(caught, when=lambda losses, sizes: True)
def balanced():
    """Sizes and losses differ, but in such a way that both averages are the same. Let the large
    batch have the largest loss."""
    return [1.0, 2.0, 3.0], [4, 1, 4]
