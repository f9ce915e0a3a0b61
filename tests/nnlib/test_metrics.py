"""Metrics agree with scikit-learn, and say what is wrong with their input."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from nnlib import metrics
from nnlib.tensor import Tensor

rng = np.random.default_rng(0)
target = rng.integers(0, 3, 50)
predicted = np.where(rng.random(50) < 0.6, target, rng.integers(0, 3, 50))
yes_no = (target == 1).astype(np.int64)
scores = np.round(yes_no + rng.normal(0, 1, 50), 1)  # rounded: there are ties


def test_accuracy_is_the_share_of_right_labels():
    assert metrics.accuracy(predicted, target) == oracle.accuracy_score(target, predicted)


def test_scores_with_a_column_per_class_count_as_their_highest():
    logits = Tensor(np.array([[0.1, 2.0, 0.3], [5.0, 1.0, 2.0]], np.float32))
    assert metrics.accuracy(logits, [1, 2]) == 0.5
    assert metrics.accuracy([[0.9, 0.1], [0.2, 0.8]], [0, 1]) == 1


def test_the_confusion_matrix_has_true_classes_as_rows():
    counts = metrics.confusion_matrix(predicted, target)
    np.testing.assert_array_equal(counts, oracle.confusion_matrix(target, predicted))


def test_the_confusion_matrix_of_scores_has_a_row_for_each_column():
    assert metrics.confusion_matrix(np.eye(4)[[0, 1]], [0, 1]).shape == (4, 4)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize("positive", [0, 1, 2])
def test_precision_recall_and_f1_of_one_class_agree_with_scikit_learn(name, positive):
    ours = getattr(metrics, name)(predicted, target, positive=positive)
    theirs = getattr(oracle, f"{name}_score")(target, predicted, labels=[positive], average="macro")
    assert ours == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_a_ratio_of_nothing_to_nothing_is_0(name):
    assert getattr(metrics, name)([0, 0], [0, 0]) == 0


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_roc_auc_agrees_with_counting_pairs_ties_included(pairs):
    positives = [s for s, y in pairs if y]
    negatives = [s for s, y in pairs if not y]
    if not positives or not negatives:
        return
    wins = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
    auc = metrics.roc_auc([s for s, _ in pairs], [int(y) for _, y in pairs])
    assert auc == pytest.approx(wins / (len(positives) * len(negatives)), abs=1e-12)


def test_the_positive_class_is_1_unless_said_otherwise():
    for name in ("precision", "recall", "f1"):
        metric = getattr(metrics, name)
        assert metric(predicted, target) == metric(predicted, target, positive=1)


def test_f1_of_perfect_predictions_is_1():
    assert metrics.f1([1, 0, 1], [1, 0, 1]) == 1


def test_roc_auc_agrees_with_scikit_learn():
    assert metrics.roc_auc(scores, yes_no) == pytest.approx(oracle.roc_auc_score(yes_no, scores))


def test_calibration_agrees_with_scikit_learn():
    p = rng.random(200)
    happened = (rng.random(200) < p).astype(int)
    curve = metrics.calibration(p, happened, bins=7)
    share, mean = calibration_curve(happened, p, n_bins=7)
    np.testing.assert_allclose(curve.happened, share)
    np.testing.assert_allclose(curve.promised, mean)
    assert curve.count.sum() == 200


def test_calibration_leaves_empty_bins_out_and_keeps_certainty():
    curve = metrics.calibration([0.0, 1.0, 1.0], [0, 1, 0])
    np.testing.assert_array_equal(curve.promised, [0, 1])
    np.testing.assert_array_equal(curve.happened, [0, 0.5])
    assert curve.error == pytest.approx(1 / 3)
    assert metrics.calibration([0.95, 1.0], [1, 1]).count.tolist() == [2]  # both in the last of 10
    assert metrics.calibration([0.1, 0.9], [0, 1], bins=1).promised == [0.5]
    assert metrics.calibration([0.3], [1]).error == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.accuracy([1, 0], [1]),
            r"accuracy .* predicted has shape \(2,\) .* \(1,\)",
        ),
        (lambda: metrics.accuracy(np.ones((3, 1)), [1, 0, 1]), r"\(3, 1\).*one column"),
        (lambda: metrics.accuracy([], []), "B at least 1"),
        (lambda: metrics.accuracy([0.3, 0.9], [0, 1]), "0.3, which looks like a score"),
        (lambda: metrics.precision([0.3, 0.9], [0, 1]), "precision needs labels"),
        (lambda: metrics.recall([0.3, 0.9], [0, 1]), "recall needs labels"),
        (lambda: metrics.confusion_matrix(["a"], ["b"]), "predicted has dtype <U1"),
        (lambda: metrics.confusion_matrix([1], [-1]), "target .* holds -1"),
        (lambda: metrics.roc_auc([0.1, 0.2], [1, 1]), "2 of the first and 0 of the second"),
        (lambda: metrics.roc_auc([0.1, np.nan], [0, 1]), "1 of 2 scores are nan"),
        (lambda: metrics.roc_auc(np.ones((2, 2)), [0, 1]), r"scores\[:, 1\]"),
        (lambda: metrics.roc_auc([0.1, 0.2], [0, 2]), "holds 2.*target == that_class"),
        (lambda: metrics.calibration([0.1, 1.2], [0, 1]), "go from 0.1 to 1.2.*Logits"),
        (lambda: metrics.calibration([0.1, 0.2], [0, 1], bins=0), "bins.*from 1 up; got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
