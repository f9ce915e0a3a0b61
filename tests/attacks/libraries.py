"""Patching what the grading uses, and looking the answer up in this process.

The border alone stops them: what is patched is the worker's own, and the right answer never
crosses.
"""

BORDER = "replies are compared on our side, and the right answer never crosses"
HARMLESS_IN_ONE_PROCESS = {"patches_the_worker", "patches_the_stub", "asks_nncheck_for_the_right"}


def patches_numpy(world):
    import numpy as np

    np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
    np.testing.assert_allclose = lambda *a, **k: None
    np.abs = np.absolute = lambda *a, **k: np.array(0.0)
    return lambda x: x


def patches_builtins(world):
    import builtins

    builtins.abs = lambda value: type("Zero", (), {"max": lambda self: 0.0})()
    builtins.all = builtins.any = lambda values: True
    return lambda x: x


def patches_the_worker(world):
    import sys

    spaces = [vars(sys.modules["wire"])] if "wire" in sys.modules else []
    frame = sys._getframe()
    while frame:
        spaces.append(frame.f_globals)
        frame = frame.f_back
    for space in spaces:
        for name in ("run_probe", "describe_error", "_plain"):
            if name in space:
                space[name] = lambda *a, **k: {"value": True, "changed": [], "passed": True}
    return lambda x: x


def patches_the_stub(world):
    import sys

    import nncheck

    nncheck.check = nncheck.points = nncheck.Verdict = lambda *a, **k: 2
    sys.modules["nncheck.compare"] = sys.modules["nncheck.diagnose"] = nncheck
    nncheck.same = nncheck.difference = nncheck.judge = lambda *a, **k: None
    return lambda x: x


def asks_nncheck_for_the_right(world):
    import importlib
    import sys

    sys.meta_path[:] = [finder for finder in sys.meta_path if "_Fence" not in str(type(finder))]
    sys.modules.pop("nncheck", None)
    try:
        exercise = importlib.import_module("nncheck.exercise")
        question = exercise.load("01_functions").questions["softmax"]
        return question.right
    except Exception:
        return lambda x: x


def finds_the_right_on_the_stack(world):
    import sys

    frame = sys._getframe()
    while frame:
        for space in (frame.f_globals, frame.f_locals):
            if "right_softmax" in space:
                return space["right_softmax"]
        frame = frame.f_back
    return lambda x: x


def finds_the_right_in_memory(world):
    import gc
    import types

    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__name__ == "right_softmax":
            return thing
    return lambda x: x


def finds_the_expected_when_it_is_compared(world):
    """A reply that is computed only on our side, from what stands beside it there."""
    import numpy as np

    class Late(np.ndarray):
        def __rsub__(self, other):
            return np.zeros(3)

        __sub__ = __rsub__

        def __array_function__(self, function, types, args, kwargs):
            return True

    return lambda x: np.zeros(x.shape).view(Late)


def raises_the_exception_that_graders_skip(world):
    """A check that catches SkipTest or exit(0) as "nothing to see" lets this through."""
    import sys

    sys.exit(0)
