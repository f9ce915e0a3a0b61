"""Exercise 1: plain functions, and an input to find."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


def right_softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def right_softmax_by_rows(logits):
    return [(np.exp(row - max(row)) / np.exp(row - max(row)).sum()).tolist() for row in logits]


@question(
    points=2,
    right=right_softmax,
    also=(right_softmax_by_rows,),
    hints=("Which axis do the classes lie on?", "Why subtract the maximum?", "axis=1, keepdims"),
)
def softmax(rng):
    """Softmax of a batch of logits, row by row."""
    yield call, rng.normal(size=(3, 5)) * 3
    yield call, np.array([[1000.0, 0.0, -3.0]]) * rng.uniform(1, 2)
    yield call, rng.normal(size=(4, 3)) * 1e-6


@wrong(softmax)
def over_the_batch(logits):
    """You normalised over the batch: each column sums to one, but each row should."""
    e = np.exp(logits - logits.max(0))
    return e / e.sum(0)


@wrong(softmax, sneaky=True)
def unshifted(logits):
    """Without the shift a large logit overflows: subtract each row's maximum first."""
    e = np.exp(logits)
    return e / e.sum(axis=1, keepdims=True)


@wrong(softmax, like=unshifted)
def unshifted_by_rows(logits):
    return np.stack([np.exp(row) / np.exp(row).sum() for row in logits])


@wrong(softmax)
def not_broadcast(logits):
    """The sums have shape (rows,) and meet the columns: keep the axis with keepdims=True."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1)


def right_predict(logits):
    return np.argmax(softmax(logits), axis=1)


def chosen(predict, softmax, logits):
    """The class of each row."""
    return predict(logits)


@question(points=1, right=right_predict, hints=("argmax",))
def predict(rng):
    """The most likely class of each row, from your own softmax."""
    yield chosen, rng.normal(size=(6, 4))


@wrong(predict)
def best_row(logits):
    """You looked for the best row of each class, not for the best class of each row."""
    return np.argmax(softmax(logits), axis=0)


def linear(x, W):
    return x @ W.T


def linear_without_transpose(x, W):
    return x @ W


def not_of_one_size(x, W):
    x, W = np.asarray(x), np.asarray(W)
    if x.ndim != 2 or W.ndim != 2:
        return "x and W should be matrices."
    return None


@catch(
    points=1,
    right=linear,
    wrong=linear_without_transpose,
    hints=("When does W equal its transpose?",),
    size=50,
    allow=not_of_one_size,
)
def missing_transpose():
    """An input (x, W) on which `x @ W` differs from `x @ W.T`."""
    return np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(4, 3)


@wrong(missing_transpose, when=lambda x, W: np.array_equal(W, np.transpose(W)))
def symmetric():
    """This W equals its own transpose, so nobody can tell whether it was transposed."""
    return np.ones((2, 2)), np.ones((2, 2))
