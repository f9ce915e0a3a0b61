"""Exercise 25: back through a network of arrays, layer by layer, and one step of training."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


def softmax(Z):
    """The notebook gives this one."""
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(X, W1, b1, W2, b2):
    """The notebook gives this one: Z1, H and P of a network with one hidden layer."""
    Z1 = X @ W1.T + b1
    H = np.maximum(Z1, 0)
    return Z1, H, softmax(H @ W2.T + b2)


def targets(y, K):
    """A row for each label, with a 1 at its place."""
    return np.eye(K)[y]


# --------------------------------------------------------------------------------- the loss


def right_cross_entropy_backward(P, y):
    dZ = P.copy()
    dZ[np.arange(len(y)), y] -= 1
    return dZ / len(y)


def right_cross_entropy_backward_from_a_table(P, y):
    return (P - targets(y, P.shape[1])) / P.shape[0]


@question(
    points=1,
    right=right_cross_entropy_backward,
    also=(right_cross_entropy_backward_from_a_table,),
    hints=(
        "Row by row the gradient is P minus the target, and the target is 1 at the right class. So "
        "where does P change, and by how much?",
        "dZ[rows, y] picks one number in each row: that of the right class. rows is "
        "np.arange(len(y)).",
        "dZ[np.arange(len(y)), y] -= 1, and then dZ / len(y), because the loss is a mean over the "
        "rows.",
    ),
)
def cross_entropy_backward(rng):
    """The gradient of Z, where P = softmax(Z) and the loss is the mean cross-entropy."""
    yield call, softmax(rng.normal(size=(3, 5)) * 2), rng.integers(5, size=3)
    yield call, softmax(rng.normal(size=(7, 4))), rng.integers(4, size=7)
    y = rng.permutation(6)[:4]
    yield call, softmax(rng.normal(size=(4, 6)) + 8 * np.eye(6)[y]), y


@wrong(cross_entropy_backward, sneaky=True)
def target_forgotten(P, y):
    """You returned P, without the targets. Every number of P is positive, so every logit would be
    pushed down, that of the right class too. Take 1 away at the right class."""
    return P / len(P)


@wrong(cross_entropy_backward, like=target_forgotten)
def target_forgotten_by_copy(P, y):
    dZ = np.array(P, dtype=float)
    dZ *= 1 / len(y)
    return dZ


@wrong(cross_entropy_backward, sneaky=True)
def uphill(P, y):
    """You wrote target minus P. That is the direction in which the loss falls; the gradient points
    to where it rises. A step of training subtracts the gradient, so the sign would be turned round
    twice."""
    return (targets(y, P.shape[1]) - P) / len(y)


@wrong(cross_entropy_backward, like=uphill)
def uphill_by_index(P, y):
    dZ = -P
    dZ[np.arange(len(y)), y] += 1
    return dZ / len(y)


@wrong(cross_entropy_backward, sneaky=True)
def twice_as_large(P, y):
    """Your gradient is twice as large as it should be. The 2 belongs to the squared error, whose
    slope is 2 * (p - y). Cross-entropy has none. Training still works, as with twice the learning
    rate, so the accuracy does not tell you."""
    return 2 * (P - targets(y, P.shape[1])) / len(y)


@wrong(cross_entropy_backward, like=twice_as_large)
def twice_as_large_by_index(P, y):
    dZ = P.copy()
    dZ[np.arange(len(y)), y] -= 1
    return dZ / (0.5 * len(y))


@wrong(cross_entropy_backward, sneaky=True)
def not_a_mean(P, y):
    """You did not divide by the number of rows. The loss is the mean over the rows, so each row
    counts as an n-th. With one row nobody can see it; with 32 the steps are 32 times too large."""
    return P - targets(y, P.shape[1])


@wrong(cross_entropy_backward, like=not_a_mean)
def not_a_mean_by_index(P, y):
    dZ = P.copy()
    for i, label in enumerate(y):
        dZ[i, label] -= 1
    return dZ


@wrong(cross_entropy_backward)
def mean_over_all(P, y):
    """You divided by how many numbers P holds. The loss has one number for each row, so divide by
    the number of rows."""
    return (P - targets(y, P.shape[1])) / P.size


@wrong(cross_entropy_backward)
def before_softmax(P, y):
    """That is the gradient of P: -1/p at the right class. You are asked for that of Z, one step
    further back, through softmax. There P minus the target is all that is left."""
    return -targets(y, P.shape[1]) / P / len(y)


@wrong(cross_entropy_backward)
def right_class_only(P, y):
    """The number at the right class is right, but the others are not 0. Raise another logit, and
    the right class gets less: the loss rises."""
    return targets(y, P.shape[1]) * (P - 1) / len(y)


@wrong(cross_entropy_backward)
def one_column(P, y):
    """You took 1 away in whole columns: dZ[:, y] means every row of those columns. Pick one number
    in each row: dZ[np.arange(len(y)), y]."""
    dZ = P.copy()
    dZ[:, y] -= 1
    return dZ / len(y)


# -------------------------------------------------------------------------------- one layer


def right_linear_backward(dZ, X, W):
    return dZ @ W, dZ.T @ X, dZ.sum(axis=0)


def right_linear_backward_row_by_row(dZ, X, W):
    dW, db = np.zeros(np.shape(W)), np.zeros(len(W))
    for row, x in zip(dZ, X, strict=True):
        dW += np.outer(row, x)
        db += row
    return np.einsum("bk,kd->bd", dZ, W), dW, db


@question(
    points=2,
    right=right_linear_backward,
    also=(right_linear_backward_row_by_row,),
    hints=(
        "Each gradient has the shape of its array: dX (B, D), dW (K, D), db (K,). You have dZ "
        "(B, K), X (B, D) and W (K, D).",
        "For dX the lengths K must meet, for dW the lengths B. And b is added to every row: what "
        "comes back from the rows is added up.",
        "dX = dZ @ W, dW = dZ.T @ X, db = dZ.sum(axis=0).",
    ),
)
def linear_backward(rng):
    """The gradients of X, W and b, where Z = X @ W.T + b."""
    yield call, rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    yield call, rng.normal(size=(3, 5)) * 1e-3, rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    yield call, *rng.normal(size=(3, 4, 4))


@wrong(linear_backward, sneaky=True)
def rows_not_summed(dZ, X, W):
    """dW = dZ @ X: nothing is turned round. Each weight meets every row, so the sum runs over the
    rows, and they must stand where the two arrays meet: dZ.T, (K, B), times X, (B, D). With square
    arrays your line runs and is wrong."""
    return dZ @ W, dZ @ X, dZ.sum(axis=0)


@wrong(linear_backward, like=rows_not_summed)
def rows_not_summed_in_steps(dZ, X, W):
    dW = np.dot(dZ, X)
    db = sum(dZ)
    dX = np.dot(dZ, W)
    return dX, dW, db


@wrong(linear_backward, sneaky=True)
def weights_turned_round(dZ, X, W):
    """dX = dZ @ W.T: one turn too many. On the way forward X meets W.T; on the way back dZ, (B, K),
    meets W, (K, D). With a square W your line runs and is wrong."""
    return dZ @ W.T, dZ.T @ X, dZ.sum(axis=0)


@wrong(linear_backward, like=weights_turned_round)
def weights_turned_round_in_steps(dZ, X, W):
    dX = np.dot(dZ, np.transpose(W))
    dW = np.dot(dZ.T, X)
    return dX, dW, np.sum(dZ, axis=0)


@wrong(linear_backward, sneaky=True)
def bias_averaged(dZ, X, W):
    """You took the mean for db. Amounts are added up: b is used once in every row. The 1/B of the
    loss has already come in with dZ. The biases would learn B times too slowly, and the accuracy
    hardly shows it."""
    return dZ @ W, dZ.T @ X, dZ.mean(axis=0)


@wrong(linear_backward, like=bias_averaged)
def bias_averaged_by_len(dZ, X, W):
    db = np.zeros(dZ.shape[1])
    for row in dZ:
        db = db + row / len(dZ)
    return dZ @ W, dZ.T @ X, db


@wrong(linear_backward, sneaky=True)
def bias_left_out(dZ, X, W):
    """Your db is 0 throughout: the biases would never learn. On many data sets that costs almost
    nothing, so the accuracy does not tell you. A nudge of b moves every row of Z."""
    return dZ @ W, dZ.T @ X, np.zeros(dZ.shape[1])


@wrong(linear_backward, like=bias_left_out)
def bias_left_out_by_product(dZ, X, W):
    return dZ @ W, dZ.T @ X, 0 * dZ[0]


@wrong(linear_backward, sneaky=True)
def all_averaged(dZ, X, W):
    """You divided dW and db by the number of rows. The loss is a mean, and its 1/B has already come
    in with dZ. Now it is there twice, and every step is B times too small."""
    return dZ @ W, dZ.T @ X / len(X), dZ.mean(axis=0)


@wrong(linear_backward, like=all_averaged)
def all_averaged_by_index(dZ, X, W):
    dW = (dZ[:, :, None] * X[:, None, :]).mean(axis=0)
    return dZ @ W, dW, dZ.sum(axis=0) / dZ.shape[0]


@wrong(linear_backward, sneaky=True)
def weights_averaged(dZ, X, W):
    """You divided dW by the number of rows. The loss is a mean, and its 1/B has already come in
    with dZ. Now it is there twice."""
    return dZ @ W, dZ.T @ X / len(X), dZ.sum(axis=0)


@wrong(linear_backward, like=weights_averaged)
def weights_averaged_by_index(dZ, X, W):
    dW = np.mean([np.outer(row, x) for row, x in zip(dZ, X, strict=True)], axis=0)
    return dZ @ W, dW, np.sum(dZ, axis=0)


@wrong(linear_backward)
def inputs_first(dZ, X, W):
    """Your dW has the shape (D, K): the right numbers, turned round. W is (K, D), one row for each
    neuron, and its gradient has the same shape."""
    return dZ @ W, X.T @ dZ, dZ.sum(axis=0)


@wrong(linear_backward)
def summed_along_rows(dZ, X, W):
    """Your db adds up along each row, over the neurons. Each neuron has its own bias: add up over
    the rows, axis 0."""
    return dZ @ W, dZ.T @ X, dZ.sum(axis=1)


# ------------------------------------------------------------------------------------- relu


def right_relu_backward(dH, Z):
    return np.where(Z > 0, dH, 0.0)


def right_relu_backward_by_product(dH, Z):
    return dH * (np.asarray(Z) > 0)


@question(
    points=1,
    right=right_relu_backward,
    also=(right_relu_backward_by_product,),
    hints=(
        "relu copies or answers 0, number by number. Which number decides: one of Z or one of dH?",
        "Where Z was above 0, a nudge passes unchanged. Elsewhere nothing passes.",
        "np.where(Z > 0, dH, 0.0)",
    ),
)
def relu_backward(rng):
    """The gradient of Z, where H = relu(Z)."""
    yield call, rng.normal(size=(3, 5)), rng.normal(size=(3, 5)) * 2
    yield call, rng.normal(size=(5, 4)), rng.normal(size=(5, 4)) * 1e-3
    signs = rng.permutation([1.0, 1, 1, 1, -1, -1, -1, -1, 0, 0, 0, 0]).reshape(4, 3)
    yield call, rng.uniform(1, 2, size=(4, 3)) * np.sign(rng.normal(size=(4, 3))), signs * 2.5
    yield call, *rng.uniform(1.5, 3, size=(2, 4, 3)) * rng.permutation([[[-1.0]], [[1.0]]])


@wrong(relu_backward, sneaky=True)
def mask_of_the_gradient(dH, Z):
    """You asked whether dH is above 0. relu knows nothing of gradients: what decides is Z, the
    number that went in. Your version drops every negative gradient, so those weights can only move
    one way."""
    return np.where(dH > 0, dH, 0.0)


@wrong(relu_backward, like=mask_of_the_gradient)
def mask_of_the_gradient_by_maximum(dH, Z):
    return np.maximum(dH, 0)


@wrong(relu_backward, sneaky=True)
def times_the_output(dH, Z):
    """You multiplied by relu's output. The slope is 1 where Z is above 0, however large Z is. A
    test in which all outputs are 0 or 1 does not show it."""
    return dH * np.maximum(Z, 0)


@wrong(relu_backward, like=times_the_output)
def times_the_output_by_where(dH, Z):
    return np.where(Z < 0, 0.0, dH * Z)


@wrong(relu_backward, sneaky=True)
def passed_unchanged(dH, Z):
    """You passed dH on as it came, as if there were no relu. Where Z was below 0 its output was 0
    whatever happened, so a nudge moves nothing."""
    return np.array(dH)


@wrong(relu_backward, like=passed_unchanged)
def passed_unchanged_by_product(dH, Z):
    return dH * np.ones_like(Z)


@wrong(relu_backward, sneaky=True)
def open_at_zero(dH, Z):
    """Above and below 0 this is right. Exactly at 0 somebody has to decide: here, as in PyTorch,
    the slope there is 0. Write > and not >=."""
    return np.where(Z >= 0, dH, 0.0)


@wrong(relu_backward, like=open_at_zero)
def open_at_zero_by_product(dH, Z):
    return dH * (1.0 - (Z < 0))


@wrong(relu_backward)
def upside_down(dH, Z):
    """You let through what relu stops, and stop what it lets through. The gradient passes where Z
    is above 0."""
    return np.where(Z > 0, 0.0, dH)


@wrong(relu_backward)
def slope_only(dH, Z):
    """That is relu's slope, 1 or 0. The chain rule multiplies it by what comes back: dH."""
    return np.where(Z > 0, 1.0, 0.0)


@wrong(relu_backward)
def forward_again(dH, Z):
    """That is relu of Z, the forward pass. On the way back dH passes where Z is above 0."""
    return np.maximum(Z, 0)


# --------------------------------------------------------------------------- a step of it all


def gradients(X, y, W1, b1, W2, b2):
    """Backpropagation as it should be: dW1, db1, dW2, db2."""
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dH, dW2, db2 = linear_backward(cross_entropy_backward(P, y), H, W2)
    _, dW1, db1 = linear_backward(relu_backward(dH, Z1), X, W1)
    return dW1, db1, dW2, db2


def right_step(X, y, W1, b1, W2, b2, lr):
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dZ2 = cross_entropy_backward(P, y)
    dH, dW2, db2 = linear_backward(dZ2, H, W2)
    dZ1 = relu_backward(dH, Z1)
    dX, dW1, db1 = linear_backward(dZ1, X, W1)
    return W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2


def right_step_in_a_loop(X, y, W1, b1, W2, b2, lr):
    weights = (W1, b1, W2, b2)
    return [w - lr * g for w, g in zip(weights, gradients(X, y, *weights), strict=True)]


def stepped(step, cross_entropy_backward, linear_backward, relu_backward, X, y, W1, b1, W2, b2, lr):
    """One step of training."""
    W1, b1, W2, b2 = step(X, y, W1, b1, W2, b2, lr)
    return W1, b1, W2, b2


def network(rng, B, D, H, K):
    """Rows, labels and weights; with a positive and a negative number in each row of Z1."""
    W1, b1 = rng.normal(size=(H, D)), rng.normal(size=H)
    W2, b2 = rng.normal(size=(K, H)), rng.normal(size=K)
    while True:
        X = rng.normal(size=(B, D))
        on = (X @ W1.T + b1 > 0).mean(axis=1)
        if on.min() > 0 and on.max() < 1:
            return X, rng.integers(K, size=B), W1, b1, W2, b2


@question(
    points=3,
    right=right_step,
    also=(right_step_in_a_loop,),
    hints=(
        "Start with forward: it gives you all that the way back needs. Then go back, from P to the "
        "first weights. Which of your functions comes first?",
        "cross_entropy_backward gives dZ2. linear_backward(dZ2, H, W2) gives three things, and the "
        "first of them goes into relu_backward, together with Z1.",
        "The last call is linear_backward(dZ1, X, W1). Only then make the new arrays: "
        "W2 - lr * dW2, and so on. If W2 changes earlier, the hidden layer gets a gradient of a "
        "network that never existed.",
    ),
)
def step(rng):
    """One step: forward, back, and then all four arrays move against their gradients."""
    yield stepped, *network(rng, 5, 4, 6, 3), rng.uniform(0.5, 1)
    yield stepped, *network(rng, 7, 3, 5, 4), rng.uniform(2, 3)
    yield stepped, *network(rng, 3, 4, 4, 4), rng.uniform(0.5, 1)


@wrong(step, sneaky=True)
def moved_too_early(X, y, W1, b1, W2, b2, lr):
    """You moved W2 before you used it to go back. The hidden layer then gets the gradient of a
    network that was never run. With a small learning rate it trains all the same; with a larger one
    it breaks down. First all gradients, then all updates."""
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dZ2 = cross_entropy_backward(P, y)
    W2, b2 = W2 - lr * dZ2.T @ H, b2 - lr * dZ2.sum(axis=0)
    dZ1 = relu_backward(dZ2 @ W2, Z1)
    return W1 - lr * dZ1.T @ X, b1 - lr * dZ1.sum(axis=0), W2, b2


@wrong(step, like=moved_too_early)
def moved_too_early_with_functions(X, y, W1, b1, W2, b2, lr):
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dZ2 = cross_entropy_backward(P, y)
    _, dW2, db2 = linear_backward(dZ2, H, W2)
    W2 = W2 - lr * dW2
    b2 = b2 - lr * db2
    dH, _, _ = linear_backward(dZ2, H, W2)
    _, dW1, db1 = linear_backward(relu_backward(dH, Z1), X, W1)
    return W1 - lr * dW1, b1 - lr * db1, W2, b2


@wrong(step, sneaky=True)
def relu_skipped(X, y, W1, b1, W2, b2, lr):
    """You went back past relu as if it were not there. Neurons that were silent get a gradient too.
    The accuracy hardly shows it. Between the two layers comes relu_backward(dH, Z1)."""
    _, H, P = forward(X, W1, b1, W2, b2)
    dH, dW2, db2 = linear_backward(cross_entropy_backward(P, y), H, W2)
    _, dW1, db1 = linear_backward(dH, X, W1)
    return W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2


@wrong(step, like=relu_skipped)
def relu_skipped_by_hand(X, y, W1, b1, W2, b2, lr):
    H = np.maximum(X @ W1.T + b1, 0)
    dZ2 = softmax(H @ W2.T + b2)
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 = dZ2 / len(y)
    dZ1 = dZ2 @ W2
    moves = dZ1.T @ X, dZ1.sum(axis=0), dZ2.T @ H, dZ2.sum(axis=0)
    return [w - lr * move for w, move in zip((W1, b1, W2, b2), moves, strict=True)]


@wrong(step, sneaky=True)
def only_the_last_layer(X, y, W1, b1, W2, b2, lr):
    """Only the last layer moves; W1 and b1 stay as they were. The random hidden layer is good
    enough to hide it for a while. Go on: back through relu, and through the first layer."""
    _, H, P = forward(X, W1, b1, W2, b2)
    _, dW2, db2 = linear_backward(cross_entropy_backward(P, y), H, W2)
    return W1.copy(), b1.copy(), W2 - lr * dW2, b2 - lr * db2


@wrong(step, like=only_the_last_layer)
def only_the_last_layer_by_index(X, y, W1, b1, W2, b2, lr):
    moves = gradients(X, y, W1, b1, W2, b2)
    return W1 + 0, b1 + 0, W2 - lr * moves[2], b2 - lr * moves[3]


@wrong(step, sneaky=True)
def biases_stay(X, y, W1, b1, W2, b2, lr):
    """The weights move, the biases stay where they were. You have db1 and db2: use them."""
    dW1, _, dW2, _ = gradients(X, y, W1, b1, W2, b2)
    return W1 - lr * dW1, b1.copy(), W2 - lr * dW2, b2.copy()


@wrong(step, like=biases_stay)
def biases_stay_in_steps(X, y, W1, b1, W2, b2, lr):
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dZ2 = cross_entropy_backward(P, y)
    dZ1 = relu_backward(dZ2 @ W2, Z1)
    return W1 - lr * (dZ1.T @ X), b1 * 1, W2 - lr * (dZ2.T @ H), b2 * 1


@wrong(step, sneaky=True)
def stale_forward(X, y, W1, b1, W2, b2, lr):
    """You made a new forward pass between the two updates. The second half of the way back then
    belongs to another network than the first. One forward pass, then the whole way back, and only
    then the updates."""
    dW1, db1, dW2, db2 = gradients(X, y, W1, b1, W2, b2)
    W2, b2 = W2 - lr * dW2, b2 - lr * db2
    dW1, db1, _, _ = gradients(X, y, W1, b1, W2, b2)
    return W1 - lr * dW1, b1 - lr * db1, W2, b2


@wrong(step, like=stale_forward)
def stale_forward_in_steps(X, y, W1, b1, W2, b2, lr):
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dZ2 = cross_entropy_backward(P, y)
    W2, b2 = W2 - lr * (dZ2.T @ H), b2 - lr * dZ2.sum(axis=0)
    Z1, H, P = forward(X, W1, b1, W2, b2)
    dZ1 = relu_backward(cross_entropy_backward(P, y) @ W2, Z1)
    return W1 - lr * (dZ1.T @ X), b1 - lr * dZ1.sum(axis=0), W2, b2


@wrong(step)
def climbs(X, y, W1, b1, W2, b2, lr):
    """You added the gradients. They point to where the loss rises, so subtract them."""
    moves = gradients(X, y, W1, b1, W2, b2)
    return [w + lr * move for w, move in zip((W1, b1, W2, b2), moves, strict=True)]


@wrong(step)
def lr_forgotten(X, y, W1, b1, W2, b2, lr):
    """You subtracted the gradients as they are. Multiply each by lr first."""
    moves = gradients(X, y, W1, b1, W2, b2)
    return [w - move for w, move in zip((W1, b1, W2, b2), moves, strict=True)]


@wrong(step)
def gradients_returned(X, y, W1, b1, W2, b2, lr):
    """Those are the gradients. You are asked for the arrays after the step: W1 - lr * dW1, and so
    on."""
    return gradients(X, y, W1, b1, W2, b2)


# --------------------------------------------------------------------------------- catch it


def relu_gradient(dH, Z):
    dH, Z = np.asarray(dH, dtype=float), np.asarray(Z, dtype=float)
    return np.where(Z > 0, dH, 0.0)


def relu_gradient_masked_by_itself(dH, Z):
    dH, Z = np.asarray(dH, dtype=float), np.asarray(Z, dtype=float)
    return np.where(dH > 0, dH, 0.0) + 0.0 * Z


def two_tables(dH, Z):
    if np.shape(dH) != np.shape(Z):
        return f"dH and Z have one shape; yours have {np.shape(dH)} and {np.shape(Z)}."
    return None


@catch(
    points=1,
    right=relu_gradient,
    wrong=relu_gradient_masked_by_itself,
    allow=two_tables,
    size=40,
    largest=10.0,
    hints=(
        "The broken one looks at the wrong array. So it is right wherever both arrays give the "
        "same answer.",
        "It asks whether dH is above 0. Give it a place where dH and Z have different signs.",
        "Z is 1 there and dH is -1, for example.",
    ),
)
def caught():
    """dH and Z on which a backward step of relu with the wrong question is wrong."""
    return np.array([[2.0, -2.0]]), np.array([[-1.0, 1.0]])


@wrong(caught, when=lambda dH, Z: not np.any(dH))
def no_gradient():
    """Here dH is 0 everywhere. Nothing comes back, so nothing can be stopped or let through, and
    every version is right."""
    return np.zeros((3, 4)), np.ones((3, 4))


@wrong(caught, when=lambda dH, Z: np.all((np.asarray(dH) > 0) == (np.asarray(Z) > 0)))
def same_signs():
    """Here dH is above 0 exactly where Z is. So it does not matter which of the two is asked. All
    ones are of this kind, and many tests use them."""
    return np.ones((3, 4)), np.ones((3, 4))
