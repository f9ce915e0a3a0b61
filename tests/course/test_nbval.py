"""The notebook run sees each thing that plain nbval lets through, and nothing that is well."""

import copy

import pytest
from nbformat import v4

from tests.course.notebooks_for_tests import cell, notebook, run, save

GOOD = {
    "numbers": "print(f'{0.123456:.4f}')\n[1, 2.5]",
    "count": "print(33)",
    "runs": "1 + 1",
    "raises": "#: raises-exception\nraise ValueError('needs (3, 4), got (4, 3)')",
    "quiet": "import sys\nprint('said')",
    "empty": "",
    "html": """
import itertools
class Points:
    made = itertools.count()
    def _repr_html_(self): return f"<b>{next(self.made)}</b>"
    def __repr__(self): return "2"
points = Points()
points""",
    "html_again": "points",
    "figure": """
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(1, 1))
heights = [1, 2, 3]
axes.plot(heights)
plt.close(figure)
assert heights == [1, 2, 3]
alt = f"a line from {heights[0]} to {heights[-1]}"
display(figure, metadata={"image/png": {"alt": alt}})""",
    "display_update": "shown = display('before', display_id=True)\nshown.update('after')",
    "updated_later": "handle = display('open', display_id=True)",
    "updates": "handle.update('closed')",
    "same_display": "display('first', display_id='mine')\ndisplay('second', display_id='mine')",
    "clear_output": """
from IPython.display import clear_output
for step in range(3):
    clear_output(wait=True)
    print("step", step)""",
    "output_widget": """
import ipywidgets as widgets
out = widgets.Output()
with out:
    print("inside")
out""",
    "interact": """
def square(x=3): print(x * x)
widgets.interact(square, x=(0, 9));""",
    "stage": "from nnlib import Value, show\nshow.backprop(Value(3.0, label='a') * 2)",
    "draws": "import random\nrandom.seed(1)\nprint(random.random())",
    "offline": "import socket",
    "long": "#: long\nseen = 'seen' in globals()\nprint(seen)",
}


def spoil(good):
    """The good notebook with one thing wrong in each of these cells."""
    bad = copy.deepcopy(good)
    cell(bad, "numbers").outputs[0].text = "0.1285\n"
    cell(bad, "count").outputs[0].text = "34\n"
    cell(bad, "runs").outputs, cell(bad, "runs").execution_count = [], None
    cell(bad, "raises").source = "print('fine')"
    cell(bad, "quiet").source += "\nprint('careful', file=sys.stderr)"
    cell(bad, "html").outputs[0].data["text/plain"] = "1"
    figure = cell(bad, "figure")
    figure.source = figure.source.replace("heights = [1, 2, 3]", "heights = [1, 3, 3]")
    cell(bad, "display-update").outputs[0].data["text/plain"] = "'before'"
    cell(bad, "updated-later").outputs[0].data["text/plain"] = "'open'"
    cell(bad, "clear-output").outputs[0].text = "step 0\nstep 1\nstep 2\n"
    stage = cell(bad, "stage")
    stage.source = stage.source.replace("3.0", "3.0001")
    cell(bad, "draws").source = "import random\nprint(random.random())"
    cell(
        bad, "offline"
    ).source = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=5)"
    cell(bad, "long").metadata.tags = []
    cell(bad, "html-again").source = "points.nothing"
    return bad


def unlike(good):
    """What is committed has another picture: no alt text, no picture at all."""
    other = copy.deepcopy(good)
    other.cells = [copy.deepcopy(cell(good, "figure")) for _ in range(3)]
    for number, figure in enumerate(other.cells):
        figure.id = f"figure-{number}"
    other.cells[0].outputs[0].metadata = {"image/png": {"alt": "a line from 1 to 4"}}
    other.cells[1].outputs[0].metadata = {}
    other.cells[2].outputs = []
    return other


def unrun(sources):
    nb = v4.new_notebook()
    nb.cells = [v4.new_code_cell(source, id=cell_id) for cell_id, source in sources.items()]
    return nb


EXERCISE = {
    "prints": "print('ready')",
    "check-untouched": "from IPython.display import Pretty\nPretty('0')",
    "check-earns": "Pretty('2')",
    "check-silent": "None",
    "crashes": "1 / 0",
    "runs-on": "print('still here')",
    "answer": "def answer():\n    # YOUR CODE HERE\n    raise NotImplementedError",
}


@pytest.fixture(scope="module")
def good():
    nb = notebook(**GOOD)
    assert "image/png" in cell(nb, "figure").outputs[0].data
    return nb


@pytest.fixture(scope="module")
def became(good, tmp_path_factory):
    """What became of the cells of four notebooks, by "stem::cell"."""
    folder = tmp_path_factory.mktemp("copy")
    return run(
        save(good, folder / "course/10_good.ipynb"),
        save(spoil(good), folder / "course/11_bad.ipynb"),
        save(unlike(good), folder / "course/12_unlike.ipynb"),
        save(unrun(EXERCISE), folder / "exercises/10_good.ipynb"),
    )


def test_a_notebook_that_is_well_passes_twice(became, good):
    assert set(became["course/10_good"].values()) == {"passed"}
    assert len(became["course/10_good"]) == 2 * len(good.cells) - 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("numbers", "0.1285"),
        ("count", "34"),
        ("runs", "committed without being run"),
        ("raises", "nothing raised"),
        ("quiet", "wrote to stderr"),
        ("html", "does not give what is committed"),
        ("html-again", "AttributeError"),
        ("figure", "AssertionError"),
        ("display-update", "before"),
        ("updated-later", "open"),
        ("clear-output", "step 0"),
        ("stage", "3.0001"),
        ("draws", "does not give what is committed"),
        ("offline", "no connection to 192.0.2.1"),
        ("draws again", "A second run gives another output"),
        ("long again", "A second run gives another output"),
    ],
)
def test_a_cell_with_one_thing_wrong_is_red(became, name, message):
    assert message in became["course/11_bad"][name]


def test_a_cell_beside_a_wrong_one_stays_green(became):
    bad = became["course/11_bad"]
    fine = ("empty", "same-display", "output-widget", "interact", "long", "count again")
    assert {name: bad[name] for name in fine} == dict.fromkeys(fine, "passed")
    assert bad["html-again again"] == "skipped"


def test_a_picture_is_compared_by_its_alt_text(became):
    unlike = became["course/12_unlike"]
    assert "a line from 1 to 4" in unlike["figure-0"]
    assert "does not give what is committed" in unlike["figure-1"]
    assert "does not give what is committed" in unlike["figure-2"]


def test_an_exercise_runs_untouched_without_outputs_and_earns_nothing(became):
    ends = became["exercises/10_good"]
    fine = ("prints", "answer", "runs-on", "check-untouched", "check-untouched again")
    assert {name: ends[name] for name in fine} == dict.fromkeys(fine, "passed")
    assert "ZeroDivisionError" in ends["crashes"]
    assert "it shows ['2']" in ends["check-earns"]
    assert "it shows []" in ends["check-silent"]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped") / "exercises"
    hangs = unrun({"before": "1", "hangs": "while True: pass", "after": "2"})
    dies = unrun({"before": "1", "dies": "import os\nos._exit(1)", "after": "2"})
    return run(
        save(hangs, folder / "10_hangs.ipynb"),
        save(dies, folder / "11_dies.ipynb"),
        options=("--nbval-cell-timeout=5",),
    )


def test_a_cell_that_hangs_is_stopped_and_the_rest_is_not_run(stopped):
    ends = stopped["exercises/10_hangs"]
    assert ends["before"] == "passed"
    assert "took more than 5 seconds" in ends["hangs"]
    assert "Not run: cell 'hangs' took more than 5 seconds" in ends["after"]
    assert ends["after again"] == "skipped"


def test_a_dead_kernel_is_said_at_the_cell_that_killed_it(stopped):
    ends = stopped["exercises/11_dies"]
    assert ends["before"] == "passed"
    assert "The kernel died" in ends["dies"]
    assert "the kernel died in cell 'dies'" in ends["after"]


def test_without_the_second_run_a_notebook_runs_once(tmp_path):
    counts = unrun({"counts": "with open('runs', 'a') as file:\n    file.write('x')"})
    ends = run(
        save(counts, tmp_path / "exercises/10_counts.ipynb"), options=("-m", "not second_run")
    )
    assert ends["exercises/10_counts"] == {"counts": "passed"}
    assert (tmp_path / "exercises" / "runs").read_text() == "x"
