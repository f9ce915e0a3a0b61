"""Exercise 27: the gradients of whole arrays: broadcasting, matmul, mean and max."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

# ------------------------------------------------------------------- stretched, then summed


def right_unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def right_unbroadcast_at_once(grad, shape):
    grad = np.asarray(grad)
    new = grad.ndim - len(shape)
    used = tuple(i for i in range(grad.ndim) if i < new or shape[i - new] == 1)
    return grad.sum(axis=used).reshape(shape)


@question(
    points=2,
    right=right_unbroadcast,
    also=(right_unbroadcast_at_once,),
    hints=(
        "How many axes does grad have, and how many should it have? The ones too many stand in "
        "front.",
        "grad.sum(axis=0) takes the first axis away. With keepdims=True a summed axis stays, with "
        "length 1.",
        "while grad.ndim > len(shape): sum axis 0 away. Then, if length == 1: "
        "grad = grad.sum(axis=axis, keepdims=True).",
    ),
)
def unbroadcast(rng):
    """Sum a gradient back to the shape that an array had before it was broadcast."""
    yield call, rng.normal(size=(5, 3)), (3,)
    yield call, rng.normal(size=(5, 3)) * 1e-3, (5, 1)
    yield call, rng.normal(size=(4, 5, 3)), (5, 1)
    yield call, rng.normal(size=(4, 5, 3)), (4, 1, 3)
    yield call, rng.normal(size=(4, 5, 3)), (3,)
    yield call, rng.normal(size=(5, 3)), (1, 3)
    yield call, rng.normal(size=(5, 3)), ()
    yield call, rng.normal(size=(5, 3)), (5, 3)


@wrong(unbroadcast, sneaky=True)
def always_the_first_axis(grad, shape):
    """You sum the first axis away, whatever the shape is. That is right for (3,) in (5, 3). Other
    arrays were stretched along other axes: count the new axes in front, then look for axes of
    length 1."""
    return grad.sum(0)


@wrong(unbroadcast, like=always_the_first_axis)
def always_the_first_axis_by_matmul(grad, shape):
    return np.tensordot(np.ones(len(grad)), grad, axes=1)


@wrong(unbroadcast, sneaky=True)
def axes_lost(grad, shape):
    """You summed the right axes, but those of length 1 are gone. An array of shape (5, 1) needs a
    gradient of shape (5, 1), not (5,): sum with keepdims=True."""
    new = grad.ndim - len(shape)
    used = tuple(i for i in range(grad.ndim) if i < new or shape[i - new] == 1)
    return grad.sum(axis=used)


@wrong(unbroadcast, like=axes_lost)
def axes_lost_one_by_one(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            grad = grad.sum(axis=axis)
    return grad


@wrong(unbroadcast, sneaky=True)
def only_the_new_axes(grad, shape):
    """The new axes in front are gone, but an axis of length 1 was stretched too. Sum it, and keep
    it with keepdims=True."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad


@wrong(unbroadcast, like=only_the_new_axes)
def only_the_new_axes_at_once(grad, shape):
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


@wrong(unbroadcast)
def from_the_back(grad, shape):
    """You take axes away at the back. Broadcasting puts new axes in front: (3,) becomes (5, 3), so
    the first axis is the one to sum."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=-1)
    for axis, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


@wrong(unbroadcast)
def averaged(grad, shape):
    """You took the mean where the sum belongs. Each use of a number sends an amount, and amounts
    are added up, not averaged."""
    while grad.ndim > len(shape):
        grad = grad.mean(axis=0)
    for axis, length in enumerate(shape):
        if length == 1:
            grad = grad.mean(axis=axis, keepdims=True)
    return grad


@wrong(unbroadcast)
def first_use_only(grad, shape):
    """You kept the amount of the first use and dropped the others. Every row that used the number
    sends an amount, and all of them are added up."""
    while grad.ndim > len(shape):
        grad = grad[0]
    for axis, length in enumerate(shape):
        if length == 1:
            grad = grad.take([0], axis=axis)
    return grad


# ---------------------------------------------------------------------------------- matmul


def right_matmul_backward(grad, x, w):
    return grad @ w.T, x.T @ grad


def right_matmul_backward_by_index(grad, x, w):
    dw = sum(np.outer(row, g) for row, g in zip(x, grad, strict=True))
    return np.einsum("bk,dk->bd", grad, w), dw


@question(
    points=2,
    right=right_matmul_backward,
    also=(right_matmul_backward_by_index,),
    hints=(
        "The gradient of x has the shape of x, (B, D). You have grad, (B, K), and w, (D, K). How "
        "must w stand so that the lengths meet?",
        "For w, the sum runs over the rows of x and of grad. In a matmul the sum runs over the "
        "last axis of the left one: turn x round.",
        "The gradient of x is grad @ w.T. That of w is x.T @ grad.",
    ),
)
def matmul_backward(rng):
    """The gradients of x and of w, where z = x @ w."""
    yield call, rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), rng.normal(size=(4, 3))
    yield call, rng.normal(size=(3, 6)) * 1e-3, rng.normal(size=(3, 4)), rng.normal(size=(4, 6))
    yield call, *rng.normal(size=(3, 4, 4))


@wrong(matmul_backward, sneaky=True)
def sides_swapped(grad, x, w):
    """The right arrays are turned round, but they stand on the wrong side of grad. With square
    arrays this runs and is wrong; with others the lengths do not meet."""
    return w.T @ grad, grad @ x.T


@wrong(matmul_backward, like=sides_swapped)
def sides_swapped_w_first(grad, x, w):
    dw = np.dot(grad, x.T)
    return np.dot(w.T, grad), dw


@wrong(matmul_backward, like=sides_swapped)
def sides_swapped_w_first_with_at(grad, x, w):
    dw = grad @ x.T
    dx = w.T @ grad
    return dx, dw


@wrong(matmul_backward, sneaky=True)
def not_turned_round(grad, x, w):
    """The sides are right, but nothing is turned round. Where the forward pass multiplies by w, the
    backward pass multiplies by w.T; and the gradient of w sums over the rows of x, so it takes
    x.T."""
    return grad @ w, x @ grad


@wrong(matmul_backward, like=not_turned_round)
def not_turned_round_w_first(grad, x, w):
    dw = x @ grad
    dx = grad @ w
    return dx, dw


@wrong(matmul_backward)
def x_on_the_wrong_side(grad, x, w):
    """The gradient of x is right. In that of w the sum must run over the rows: x.T, (D, B), meets
    grad, (B, K), so x.T stands on the left."""
    return grad @ w.T, grad @ x.T


@wrong(matmul_backward)
def x_not_turned_round(grad, x, w):
    """The gradient of x is right. In that of w the sum must run over the rows, but the rows are the
    first axis of x. Turn x round, so that B is its last axis: x.T."""
    return grad @ w.T, x @ grad


@wrong(matmul_backward)
def neurons_first(grad, x, w):
    """Your gradient of w has the shape (K, D): the right numbers, transposed. It would fit a layer
    that computes x @ w.T, as PyTorch's do. Here z = x @ w, and w is (D, K)."""
    return grad @ w.T, grad.T @ x


@wrong(matmul_backward)
def exchanged(grad, x, w):
    """Both gradients are right, but you return that of w first. First x, then w, as in x @ w."""
    return x.T @ grad, grad @ w.T


@wrong(matmul_backward)
def transposed(grad, x, w):
    """Both gradients are transposed. The gradient of x has the shape of x, and that of w has the
    shape of w."""
    return w @ grad.T, grad.T @ x


@wrong(matmul_backward, sneaky=True)
def divided_by_rows(grad, x, w):
    """You divided the gradient of w by the number of rows. A matmul only sums. If the loss is a
    mean, its 1/n has already come in with grad, and now it is there twice."""
    return grad @ w.T, x.T @ grad / len(x)


@wrong(matmul_backward, like=divided_by_rows)
def divided_by_rows_as_a_mean(grad, x, w):
    return grad @ w.T, (x[:, :, None] * grad[:, None, :]).mean(axis=0)


# ------------------------------------------------------------------------------------ mean


def right_mean_backward(grad, shape):
    return np.full(shape, grad / np.prod(shape))


def right_mean_backward_by_ones(grad, shape):
    ones = np.ones(shape)
    return grad * ones / ones.size


@question(
    points=1,
    right=right_mean_backward,
    also=(right_mean_backward_by_ones,),
    hints=(
        "The mean of n numbers is their sum, divided by n. What does dividing by n do to a slope?",
        "Every number of x gets the same gradient. np.prod(shape) says how many there are.",
        "np.full(shape, number) makes an array of one number. The number is grad / np.prod(shape).",
    ),
)
def mean_backward(rng):
    """The gradient of x, where z = x.mean()."""
    yield call, rng.uniform(1, 3), (7,)
    yield call, -rng.uniform(1, 3), (5, 3)
    yield call, rng.uniform(1, 3) * 1e-3, (4, 3, 5)


@wrong(mean_backward, sneaky=True)
def not_divided(grad, shape):
    """That is the backward pass of a sum. In a mean each of the n numbers counts as an n-th: nudge
    one by 0.001, and the mean moves by 0.001 / n."""
    return np.full(shape, grad)


@wrong(mean_backward, like=not_divided)
def not_divided_by_ones(grad, shape):
    return np.broadcast_to(grad, shape).copy()


@wrong(mean_backward, sneaky=True)
def rows_counted(grad, shape):
    """You divided by the number of rows. The mean is that of all numbers, so divide by how many
    numbers there are: np.prod(shape)."""
    return np.full(shape, grad / shape[0])


@wrong(mean_backward, like=rows_counted)
def rows_counted_by_len(grad, shape):
    ones = np.ones(shape)
    return grad * ones / len(ones)


@wrong(mean_backward)
def columns_counted(grad, shape):
    """You divided by the length of the last axis. The mean is that of all numbers, so divide by how
    many numbers there are: np.prod(shape)."""
    return np.full(shape, grad / shape[-1])


@wrong(mean_backward)
def one_number(grad, shape):
    """The number is right, but it is only one. The gradient of x has the shape of x, with this
    number in every place."""
    return grad / np.prod(shape)


# ------------------------------------------------------------------------------------- max


def right_max_backward(grad, x):
    largest = x == x.max(axis=1, keepdims=True)
    share = largest / largest.sum(axis=1, keepdims=True)
    return share * grad[:, None]


def right_max_backward_row_by_row(grad, x):
    dx = np.zeros(np.shape(x))
    for i, row in enumerate(x):
        equal = np.flatnonzero(row == max(row))
        dx[i, equal] = grad[i] / len(equal)
    return dx


def with_ties(max_backward, grad, x):
    """Some rows hold their largest number more than once."""
    return max_backward(grad, x)


@question(
    points=2,
    right=right_max_backward,
    also=(right_max_backward_row_by_row,),
    hints=(
        "Which numbers of x are equal to the largest of their row? x.max(axis=1, keepdims=True) "
        "has the shape (B, 1), so it can be compared with x.",
        "An array of True and False counts as 1 and 0. Its sum along a row says how many share.",
        "largest = x == x.max(axis=1, keepdims=True); divide it by its sum along each row; "
        "multiply by grad[:, None], which is (B, 1).",
    ),
)
def max_backward(rng):
    """The gradient of x, where z = x.max(axis=1); equal numbers share."""
    yield call, rng.normal(size=4), rng.normal(size=(4, 3))
    yield call, rng.normal(size=5) * 1e-3, -rng.uniform(1, 3, size=(5, 4))
    x = rng.normal(size=(5, 4))
    x[1, [1, 3]] = x[1].max() + 1
    x[2, 1:] = x[2].max() + 1
    x[4] = -2.5
    yield with_ties, rng.normal(size=5), x


@wrong(max_backward, sneaky=True)
def everyone_gets_all(grad, x):
    """You give each of two equal numbers the whole gradient, so together they get twice as much as
    came in. They share: divide by how many there are in the row."""
    return (x == x.max(axis=1, keepdims=True)) * grad[:, None]


@wrong(max_backward, like=everyone_gets_all)
def everyone_gets_all_by_where(grad, x):
    return np.where(x < x.max(axis=1)[:, None], 0.0, grad[:, None])


@wrong(max_backward, sneaky=True)
def first_takes_all(grad, x):
    """Of equal numbers the first gets everything: np.argmax names only one. That is the rule of
    PyTorch's max along an axis. Here the rule is that of amax and of nnlib: equal numbers share."""
    dx = np.zeros_like(x)
    dx[np.arange(len(x)), x.argmax(axis=1)] = grad
    return dx


@wrong(max_backward, like=first_takes_all)
def first_takes_all_in_a_loop(grad, x):
    dx = [[0.0] * len(row) for row in x]
    for i, row in enumerate(x.tolist()):
        dx[i][row.index(max(row))] = grad[i]
    return np.array(dx)


@wrong(max_backward)
def shared_by_all(grad, x):
    """You gave every number of a row the gradient of its maximum. Only a nudge of the largest moves
    the maximum; the others get 0."""
    return np.broadcast_to(grad[:, None], x.shape).copy()


@wrong(max_backward)
def shared_by_the_row(grad, x):
    """You divided by the length of the row. Only the largest get a gradient, so divide by how many
    of them there are: by one, if there is no tie."""
    return (x == x.max(axis=1, keepdims=True)) * grad[:, None] / x.shape[1]


@wrong(max_backward)
def largest_of_columns(grad, x):
    """You looked for the largest number of each column. x.max(axis=1) goes along a row: (B, D)
    becomes (B,)."""
    largest = x == x.max(axis=0, keepdims=True)
    return largest / largest.sum(axis=0, keepdims=True) * grad[:, None]


@wrong(max_backward)
def largest_of_all(grad, x):
    """You compared with the largest number of the whole array. Each row has a largest number of its
    own: x.max(axis=1, keepdims=True)."""
    largest = x == x.max()
    return largest / np.maximum(largest.sum(axis=1, keepdims=True), 1) * grad[:, None]


@wrong(max_backward)
def value_as_slope(grad, x):
    """You multiplied by the largest number itself. A nudge of 0.001 moves the maximum by 0.001,
    however large the number is: the slope is 1."""
    largest = x == x.max(axis=1, keepdims=True)
    return largest * x / largest.sum(axis=1, keepdims=True) * grad[:, None]


# -------------------------------------------------------------------------------- catch it


def gradients(grad, x, w):
    grad, x, w = np.asarray(grad), np.asarray(x), np.asarray(w)
    return grad @ w.T, x.T @ grad


def gradients_without_a_turn(grad, x, w):
    grad, x, w = np.asarray(grad), np.asarray(x), np.asarray(w)
    return grad @ w, x.T @ grad


def three_tables(grad, x, w):
    shapes = [np.shape(part) for part in (grad, x, w)]
    if any(len(shape) != 2 for shape in shapes):
        return "Give three arrays with two axes each: grad (B, D), x (B, D) and w (D, D)."
    if shapes[2][0] != shapes[2][1]:
        return (
            f"This w has the shape {shapes[2]}. On it the broken one crashes, and a crash is easy "
            "to notice. Find a square w."
        )
    return None


@catch(
    points=1,
    right=gradients,
    wrong=gradients_without_a_turn,
    allow=three_tables,
    hints=(
        "The broken one uses w where w.T belongs. For which w does that make no difference?",
        "If w is symmetric, w and w.T are the same: the diagonal ones are, and so is one that is "
        "full of ones. Take a w that is not.",
        "w = np.array([[1.0, 2.0], [3.0, 4.0]]) is not symmetric. With it, grad and x may be full "
        "of ones.",
    ),
)
def caught():
    """A square w, with grad and x, on which a forgotten .T gives a wrong gradient."""
    return np.eye(3)[:2], np.ones((2, 3)), np.arange(9.0).reshape(3, 3)


@wrong(caught, when=lambda grad, x, w: np.array_equal(w, np.transpose(w)))
def symmetric_weights():
    """This w is symmetric: w and w.T are the same array, so nobody can see which one was used. All
    ones, the identity and every diagonal w are of this kind, and many tests use them."""
    return np.ones((3, 2)), np.ones((3, 2)), np.eye(2)


@wrong(caught, when=lambda grad, x, w: not np.any(grad))
def nothing_comes_back():
    """Here grad is 0 everywhere. Whatever w is, 0 times w is 0, and both versions agree."""
    return np.zeros((3, 2)), np.ones((3, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])
