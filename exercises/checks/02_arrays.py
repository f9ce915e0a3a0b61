"""Exercise 02: means of columns, shares of rows, an error that compares the right pairs, and @."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {
    "error: p.reshape(t.shape) - t -> t - p.reshape(t.shape)": "squaring takes the sign away",
}


# -------------------------------------------------------------------------- along an axis


def right_center(X):
    return X - X.mean(axis=0)


def right_center_column_by_column(X):
    columns = [column - sum(column) / len(column) for column in np.transpose(X)]
    return np.column_stack(columns)


@question(
    points=1,
    right=right_center,
    also=(right_center_column_by_column,),
    hints=(
        "How many means do you need: one for each row, or one for each column?",
        "A mean over the rows gives one number for each column. The axis of the rows is 0.",
        "means = X.mean(axis=0) has shape (D,). X - means then works as it is.",
    ),
)
def center(rng):
    """Every column with its own mean taken away."""
    yield call, rng.normal(size=(5, 3)) + rng.uniform(2, 6, size=3)
    yield call, (rng.normal(size=(3, 4)) + rng.uniform(2, 6, size=4)) * 1e-3
    yield call, rng.uniform(-9, 9, size=(4, 7))


@wrong(center, sneaky=True)
def rows_centred(X):
    """You took each row's mean away from that row. Here each column has a mean of its own. axis
    names the axis that goes away: axis=0 runs over the rows and leaves one number per column."""
    return X - X.mean(axis=1, keepdims=True)


@wrong(center, like=rows_centred)
def rows_centred_turned(X):
    return (X.T - X.mean(axis=1)).T


@wrong(center, sneaky=True)
def one_mean_for_all(X):
    """You took one mean away from all numbers, the mean of the whole table. Each column has its
    own: name the axis that the mean runs over."""
    return X - X.mean()


@wrong(center, like=one_mean_for_all)
def one_mean_for_all_by_sum(X):
    return X - np.sum(X) / X.size


@wrong(center)
def row_means_do_not_fit(X):
    """axis=1 runs over the columns and leaves one mean per row. NumPy lines shapes up from the
    right, so it tries to give these to the columns, and they are not as many. You want one mean per
    column."""
    return X - X.mean(axis=1)


@wrong(center, sneaky=True)
def sum_for_mean(X):
    """You took away the sum of each column. The mean is the sum divided by the number of rows."""
    return X - X.sum(axis=0)


@wrong(center, like=sum_for_mean)
def sum_for_mean_by_ones(X):
    return X - np.ones(len(X)) @ X


@wrong(center)
def only_the_means(X):
    """These are the means of the columns. The question asks for the table after they were taken
    away from it."""
    return X.mean(axis=0)


# ------------------------------------------------------------------------ keep the axis


def right_shares(X):
    return X / X.sum(axis=1, keepdims=True)


def right_shares_row_by_row(X):
    return np.array([row / sum(row) for row in X])


@question(
    points=1,
    right=right_shares,
    also=(right_shares_row_by_row,),
    hints=(
        "What is the shape of X.sum(axis=1)? What happens when X is divided by that?",
        "The sums must stand in a column, shape (B, 1), so that each goes with its row.",
        "X.sum(axis=1, keepdims=True) keeps the summed axis, with length 1.",
    ),
)
def shares(rng):
    """Every row divided by its own sum."""
    yield call, rng.uniform(1, 9, size=(5, 3))
    yield call, rng.uniform(1, 9, size=(3, 4)) * 1e-3
    yield call, rng.uniform(1, 9, size=(4, 7))


@wrong(shares, sneaky=True)
def axis_not_kept(X):
    """X.sum(axis=1) has shape (B,): a row of sums, not a column. NumPy lines shapes up from the
    right, so it tries to give these sums to the columns. If the table is square that even works,
    and is wrong. Keep the axis: keepdims=True."""
    return X / X.sum(axis=1)


@wrong(shares, like=axis_not_kept)
def axis_not_kept_by_product(X):
    return X / (X @ np.ones(X.shape[1]))


@wrong(shares, sneaky=True)
def shares_of_columns(X):
    """You divided each column by its sum, so the columns add up to 1. The rows should: sum over
    axis 1."""
    return X / X.sum(axis=0)


@wrong(shares, like=shares_of_columns)
def shares_of_columns_kept(X):
    return X / np.sum(X, axis=0, keepdims=True)


@wrong(shares, sneaky=True)
def shares_of_everything(X):
    """You divided by the sum of the whole table. Each row should add up to 1, so each row needs a
    sum of its own."""
    return X / X.sum()


@wrong(shares, like=shares_of_everything)
def shares_of_everything_in_steps(X):
    return X / X.sum(axis=0).sum()


@wrong(shares)
def left_lying(X):
    """You turned the table round so that the division works, and did not turn it back. The
    result should have the shape of X."""
    return X.T / X.sum(axis=1)


@wrong(shares)
def divided_by_mean(X):
    """You divided each row by its mean. Then its numbers add up to how many there are, not to 1.
    Divide by the sum."""
    return X / X.mean(axis=1, keepdims=True)


@wrong(shares)
def divided_by_largest(X):
    """You divided each row by its largest number. That makes the largest 1; here the sum should
    be 1."""
    return X / X.max(axis=1, keepdims=True)


# ------------------------------------------------------------------------- the right pairs


def right_error(p, t):
    return np.mean((np.ravel(p) - t) ** 2)


def right_error_pair_by_pair(p, t):
    squares = [(np.ravel(p)[i] - t[i]) ** 2 for i in range(len(t))]
    return sum(squares) / len(squares)


@question(
    points=2,
    right=right_error,
    also=(right_error_pair_by_pair,),
    hints=(
        "What is the shape of p - t, when p has shape (5, 1) and t has shape (5,)?",
        "Give p the shape of t before you subtract.",
        "p.reshape(t.shape) is flat, even if p was a column. Then square, and take the mean.",
    ),
)
def error(rng):
    """The mean of the squared differences, each prediction against its own target."""
    yield call, rng.normal(size=(5, 1)) * 3, rng.normal(size=5) * 3
    yield call, rng.normal(size=4) * 3, rng.normal(size=4) * 3
    yield call, rng.normal(size=(7, 1)) * 1e-3, rng.normal(size=7) * 1e-3


@wrong(error, sneaky=True)
def everyone_with_everyone(p, t):
    """When p is a column, p - t compares every prediction with every target: a table of B times B
    differences, and no error message. Only its diagonal is what you want. Make p flat first."""
    return np.mean((p - t) ** 2)


@wrong(error, like=everyone_with_everyone)
def everyone_with_everyone_by_size(p, t):
    d = t - p
    return (d * d).sum() / d.size


@wrong(error)
def everyone_with_everyone_over_length(p, t):
    """When p is a column, p - t is a table of B times B differences: every prediction against
    every target. You added all of it up and divided by B. Make p flat first."""
    return np.sum((p - t) ** 2) / len(t)


@wrong(error, sneaky=True)
def not_divided(p, t):
    """You added the squares up. The mean divides that by how many there are, or else the error
    grows with every further sample."""
    return np.sum((np.ravel(p) - t) ** 2)


@wrong(error, like=not_divided)
def not_divided_by_product(p, t):
    d = np.ravel(p) - t
    return d @ d


@wrong(error, sneaky=True)
def not_squared(p, t):
    """You did not square the differences. Then one that is too large and one that is too small
    cancel, and two mistakes look like none."""
    return np.mean(np.ravel(p) - t)


@wrong(error, like=not_squared)
def not_squared_of_means(p, t):
    return np.mean(p) - np.mean(t)


@wrong(error)
def absolute(p, t):
    """You took the size of each difference. Here each is squared, so that large mistakes count
    more."""
    return np.mean(np.abs(np.ravel(p) - t))


@wrong(error)
def squared_too_late(p, t):
    """You squared the mean. Square each difference first, and then take the mean, or mistakes in
    opposite directions cancel."""
    return np.mean(np.ravel(p) - t) ** 2


@wrong(error)
def not_averaged(p, t):
    """These are the squares, one for each sample. The error is one number: their mean."""
    return (np.ravel(p) - t) ** 2


# ----------------------------------------------------------------------- rows times columns


def right_cost(amounts, prices):
    return amounts @ prices.T


def right_cost_cell_by_cell(amounts, prices):
    return np.array([[sum(a * p) for p in prices] for a in amounts])


@question(
    points=1,
    right=right_cost,
    also=(right_cost_cell_by_cell,),
    hints=(
        "Write the two shapes side by side. For @ the inner two must be the same: here that is G.",
        "prices has shape (S, G). Turned round, prices.T has shape (G, S).",
        "(C, G) @ (G, S) is (C, S).",
    ),
)
def cost(rng):
    """What each customer pays in each shop."""
    yield call, rng.uniform(1, 9, size=(4, 3)), rng.uniform(1, 9, size=(5, 3))
    yield call, rng.uniform(1, 9, size=(3, 5)) * 1e-3, rng.uniform(1, 9, size=(7, 5))
    yield call, rng.uniform(1, 9, size=(3, 4)), rng.uniform(1, 9, size=(4, 4))  # S = G, on purpose


@wrong(cost, sneaky=True)
def not_turned(amounts, prices):
    """For @ the inner two numbers of the shapes must be the same, and here they are G and S. If
    there are as many kinds of goods as shops, it runs and is wrong. Turn prices round: prices.T."""
    return amounts @ prices


@wrong(cost, like=not_turned)
def not_turned_by_matmul(amounts, prices):
    return np.matmul(amounts, prices)


@wrong(cost)
def star_for_at(amounts, prices):
    """* multiplies cell by cell and adds nothing up. @ multiplies a row by a column and adds the
    products up: that is what a customer pays."""
    return amounts * prices


@wrong(cost)
def shops_first(amounts, prices):
    """The numbers are right, but the table lies on its side: you have one row for each shop. There
    should be one row for each customer."""
    return prices @ amounts.T


@wrong(cost)
def all_shops_together(amounts, prices):
    """You added up the prices of all shops first. There is one number for each customer left, and
    nobody can say what was paid in which shop."""
    return amounts @ prices.sum(axis=0)


@wrong(cost)
def nothing_added_up(amounts, prices):
    """These are the single products, one for each customer, shop and kind of goods. What a customer
    pays is their sum over the goods."""
    return amounts[:, None, :] * prices


# ------------------------------------------------------------------------------- catch it


def flat_error(p, t):
    return float(np.mean((np.asarray(p, dtype=float) - np.asarray(t, dtype=float)) ** 2))


def column_error(p, t):
    """The broken one puts the predictions into a column and leaves the targets flat."""
    column = np.asarray(p, dtype=float)[:, None]  # (B, 1)
    return float(np.mean((column - np.asarray(t, dtype=float)) ** 2))


def must_be_pairs(p, t):
    if np.ndim(p) != 1 or np.shape(p) != np.shape(t) or len(p) == 0:
        return "This input does not count: p and t are two flat lists of the same length."
    return None


@catch(
    points=1,
    right=flat_error,
    wrong=column_error,
    size=20,
    largest=100.0,
    allow=must_be_pairs,
    hints=(
        "The broken one also compares the first prediction with the second target. When does that "
        "make no difference?",
        "Let the predictions be perfect: p and t the same list. What must the error be?",
        "p = t = [3, 5]. The right error is 0. The broken one also takes 3 - 5 and 5 - 3.",
    ),
)
def caught():
    """Predictions and targets for which the column and the flat list give another error."""
    return [3.0, 5.0], [3.0, 5.0]


@wrong(caught, when=lambda p, t: len(p) == 1)
def a_single_pair():
    """With a single prediction there is nothing to mix up: a table of 1 times 1 is just that one
    difference."""
    return [3.0], [5.0]


@wrong(caught, when=lambda p, t: min(t) == max(t))
def all_targets_alike():
    """All your targets are the same number. Then it does not matter with which of them a prediction
    is compared."""
    return [3.0, 5.0, 7.0], [4.0, 4.0, 4.0]


@wrong(caught, when=lambda p, t: min(p) == max(p))
def all_predictions_alike():
    """All your predictions are the same number. Then it does not matter which of them a target is
    compared with."""
    return [4.0, 4.0, 4.0], [3.0, 5.0, 7.0]
