"""nncheck: says whether an answer is right, and if not, which mistake was made.

A notebook needs `open_exercise`, `predict`, `reveal`, `recall`, and `choose` where there are no
buttons; a check file needs `question`, `wrong`, `catch` and `call`.
"""

from nncheck.exercise import call, catch, question, wrong
from nncheck.kernel import open_exercise
from nncheck.prediction import choose, predict, recall, reveal

__all__ = [
    "call",
    "catch",
    "choose",
    "open_exercise",
    "predict",
    "question",
    "recall",
    "reveal",
    "wrong",
]
