"""A milestone runs on the learner's own answers, and prints the same whoever wrote them."""

import re
import shutil

import pytest

from nncheck import exercise, notebooks, workcopy

OWN = ("14_layers", "25_backprop")  # exercises that the learner of this test has solved


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Lesson 29, as committed and as it ran in a working copy with some answers passed."""
    folder = tmp_path_factory.mktemp("copy") / "my-course"
    workcopy.start(folder)
    for name in OWN:
        shutil.copy(exercise.solution(name), folder / "exercises" / f"{name}.ipynb")
    path = folder / "course" / "29_my_network.ipynb"
    ours = notebooks.read(exercise.home() / "course" / path.name)
    return ours, notebooks.canonical(notebooks.execute(notebooks.read(path), path.parent))


def output(nb, cell_id):
    return next(cell.outputs[0] for cell in nb.cells if cell.id == cell_id)


def texts(nb):
    """What each cell prints or displays as text."""
    outputs = [out for cell in nb.cells for out in cell.get("outputs", [])]
    return [out.get("text") or out.data["text/plain"] for out in outputs]


def test_it_says_what_is_borrowed(runs):
    for nb, own in zip(runs, ((), OWN), strict=True):
        listed = output(nb, "ready").data["text/html"]
        rows = dict(re.findall(r"<td>(\d\d_\w+)</td><td>(.*?)</td>", listed))
        assert [name for name, first in rows.items() if first != "-"] == list(own)
        assert list(rows) == [n for n in exercise.names() if n < "29"]


def test_its_text_does_not_depend_on_whose_answers_they_are(runs):
    ours, theirs = map(texts, runs)
    assert ours == theirs


def test_it_reads_digits_on_three_seeds(runs):
    for nb in runs:
        printed = output(nb, "three-seeds").text
        shares = re.findall(r"^seed \d .* (\d\.\d\d)$", printed, re.MULTILINE)
        assert len(shares) == 3
        assert min(map(float, shares)) >= 0.95
