"""How good are the predictions? Counts and ratios of what was predicted and what is true.

The prediction comes first, then the target, as in the losses (scikit-learn has it the other way
round). Lists, arrays and Tensors are all welcome; the replies are plain floats and arrays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nnlib.check import whole
from nnlib.tensor import Tensor

Numbers = ArrayLike | Tensor  # such as a list, an array or a Tensor


def accuracy(predicted: Numbers, target: Numbers) -> float:
    """The share of predictions that are right.

    Args:
        predicted: labels, or scores with one column per class, of which the highest counts.
        target: the true labels.

    Shape:
        predicted (B,) or (B, classes), target (B,).

    Example:
        >>> accuracy([0, 1, 1, 1], [0, 1, 0, 1])
        0.75
    """
    predicted, target = _labels(predicted, target, "accuracy")
    return float((predicted == target).mean())


def confusion_matrix(predicted: Numbers, target: Numbers) -> np.ndarray:
    """Count each pair (true class, predicted class): one row per true class, the diagonal is right.

    Shape:
        predicted (B,) or (B, classes), target (B,), both with labels 0, 1, 2 ...
        The reply is (classes, classes).

    Example:
        >>> confusion_matrix([0, 1, 1, 1], [0, 1, 0, 1])
        array([[1, 1],
               [0, 2]])
    """
    columns = np.shape(_array(predicted))[1:]
    predicted, target = _labels(predicted, target, "confusion_matrix")
    for name, labels in (("predicted", predicted), ("target", target)):
        if labels.dtype.kind not in "iub" or labels.min() < 0:
            got = f"{name} has dtype {labels.dtype} and holds {min(labels.tolist())!r}"
            fix = "Number them first: _, labels = np.unique(names, return_inverse=True)."
            raise ValueError(f"confusion_matrix needs labels 0, 1, 2 ...; {got}. {fix}")
    classes = max(int(predicted.max()), int(target.max()), *(n - 1 for n in columns)) + 1
    cell = target.astype(np.int64) * classes + predicted.astype(np.int64)  # row by row
    return np.bincount(cell, minlength=classes**2).reshape(classes, classes)


def precision(predicted: Numbers, target: Numbers, positive: int = 1) -> float:
    """Of those predicted to be `positive`, the share that are; 0 if none was predicted to be.

    Shape:
        predicted (B,) or (B, classes), target (B,).

    Example:
        >>> precision([0, 1, 1, 1], [0, 1, 0, 1])
        0.6666666666666666
    """
    predicted, target = _labels(predicted, target, "precision")
    return _share(target == positive, among=predicted == positive)


def recall(predicted: Numbers, target: Numbers, positive: int = 1) -> float:
    """Of those that are `positive`, the share that was predicted to be; 0 if there are none.

    Shape:
        predicted (B,) or (B, classes), target (B,).

    Example:
        >>> recall([0, 1, 1, 1], [0, 1, 0, 1])
        1.0
    """
    predicted, target = _labels(predicted, target, "recall")
    return _share(predicted == positive, among=target == positive)


def f1(predicted: Numbers, target: Numbers, positive: int = 1) -> float:
    """The harmonic mean of precision p and recall r, 2pr / (p + r): low if either is low.

    Shape:
        predicted (B,) or (B, classes), target (B,).

    Example:
        >>> f1([0, 1, 1, 1], [0, 1, 0, 1])
        0.8
    """
    p, r = precision(predicted, target, positive), recall(predicted, target, positive)
    return 2 * p * r / (p + r) if p + r else 0.0


def roc_auc(scores: Numbers, target: Numbers) -> float:
    """The chance that a random positive scores higher than a random negative; a tie counts half.

    It is computed from ranks: sort all scores, and see how high the positives stand
    (Mann & Whitney, 1947). Only the order of the scores matters, so logits
    do as well as probabilities.

    Shape:
        scores (B,), target (B,) of 0 and 1, both present.

    Example:
        >>> roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    scores, positive = _scores(scores, target, "roc_auc")
    n_negative, n_positive = np.bincount(positive, minlength=2).tolist()
    if n_positive == 0 or n_negative == 0:
        got = f"{n_positive} of the first and {n_negative} of the second. Take a sample with both."
        raise ValueError(f"roc_auc compares positives with negatives; target has {got}")
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2  # equal scores share the mean of their ranks
    above = rank[place][positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


@dataclass(frozen=True)
class Calibration:
    """One entry per bin that is not empty: what was promised, what came true, how often.

    Attributes:
        promised: the mean probability that was stated.
        happened: the share that turned out to be 1.
        count: how many predictions fell into the bin.
    """

    promised: np.ndarray
    happened: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """The mean gap between promised and happened, each bin weighted by its count."""
        return float(np.average(np.abs(self.promised - self.happened), weights=self.count))


def calibration(probabilities: Numbers, target: Numbers, bins: int = 10) -> Calibration:
    """Does 80 % mean 80 %? Group predictions by their stated probability and see what happened.

    Args:
        probabilities: how sure each prediction was, from 0 to 1.
        target: 1 where it came true, else 0.
        bins: how many groups of equal width to make of [0, 1].

    Shape:
        probabilities (B,), target (B,).

    Example:
        >>> curve = calibration([0.9, 0.9, 0.9, 0.2], [1, 1, 0, 0])
        >>> curve.promised.round(2), curve.happened.round(2), curve.count
        (array([0.2, 0.9]), array([0.  , 0.67]), array([1, 3]))
    """
    bins = whole("calibration", "bins", bins)
    p, positive = _scores(probabilities, target, "calibration")
    if p.min() < 0 or p.max() > 1:
        got = f"{p.min():.4g} to {p.max():.4g}. Logits need sigmoid or softmax first."
        raise ValueError(f"calibration needs probabilities from 0 to 1; these go from {got}")
    bin_of = np.minimum((p * bins).astype(np.int64), bins - 1)  # 1.0 belongs to the last bin
    # Numbered anew, without the bins that are empty.
    _, bin_of, count = np.unique(bin_of, return_inverse=True, return_counts=True)
    promised, happened = (np.bincount(bin_of, weights=w) / count for w in (p, positive))
    return Calibration(promised, happened, count)


def _array(values: Numbers) -> np.ndarray:
    return np.asarray(values.data if isinstance(values, Tensor) else values)


def _labels(predicted: Numbers, target: Numbers, caller: str) -> tuple[np.ndarray, np.ndarray]:
    """Both as labels of shape (B,); scores become the class of the highest one."""
    guess, truth = _array(predicted), _array(target)
    if guess.ndim == 2 and guess.shape[1] > 1 and truth.ndim == 1:
        guess = guess.argmax(axis=1)
    if guess.shape != truth.shape or guess.ndim != 1 or guess.size == 0:
        need = "labels (B,) or scores (B, classes), and target (B,), B at least 1"
        got = f"predicted has shape {_array(predicted).shape} and target {truth.shape}"
        fix = "Scores in one column become labels by (scores[:, 0] > threshold)."
        raise ValueError(f"{caller} needs {need}; {got}. {fix}")
    if guess.dtype.kind == "f" and not np.array_equal(guess, np.round(guess)):
        got = f"{guess[guess != np.round(guess)][0]:.4g}, which looks like a score"
        fix = "Turn scores into labels first: scores > threshold."
        raise ValueError(f"{caller} needs labels; predicted holds {got}. {fix}")
    return guess, truth


def _scores(scores: Numbers, target: Numbers, caller: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores as float64 (B,) and the target as booleans (B,)."""
    s, t = _array(scores).astype(np.float64), _array(target)
    if s.shape != t.shape or s.ndim != 1 or s.size == 0:
        got = f"shapes {s.shape} and {t.shape}. Of two columns take the second: scores[:, 1]."
        raise ValueError(f"{caller} needs scores (B,) and target (B,), B at least 1; got {got}")
    if not np.isin(t, (0, 1)).all():
        got = f"{t[~np.isin(t, (0, 1))][0]}. Ask about one class at a time: target == that_class."
        raise ValueError(f"{caller} needs a target of 0 and 1; this one holds {got}")
    if np.isnan(s).any():
        raise ValueError(f"{caller}: {int(np.isnan(s).sum())} of {s.size} scores are nan.")
    return s, t == 1


def _share(hits: np.ndarray, among: np.ndarray) -> float:
    return float(hits[among].mean()) if among.any() else 0.0
