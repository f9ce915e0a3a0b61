import numpy as np
import pytest


@pytest.fixture
def close():
    """close(ours, theirs, tol) asserts |ours - theirs| <= tol · max(1, max|theirs|), same shape."""

    def check(ours, theirs, tol):
        ours, theirs = (np.asarray(x) * 1.0 for x in (ours, theirs))
        assert ours.shape == theirs.shape
        if theirs.size:
            gap = np.abs(ours - theirs).max()
            assert gap <= tol * max(1.0, np.abs(theirs).max()), f"off by {gap}"

    return check
