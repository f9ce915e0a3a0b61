"""Every notebook runs under nbval, with what plain nbval gets wrong put right.

    python -m pytest -p tests.course.nbval_course -n 2 --dist loadfile course exercises solutions

from the project's root (a second pass with other arithmetic: with `OPENBLAS_CORETYPE=Haswell` in
front and `-m "not second_run"`). Notebooks in course/ and solutions/ must print again what
is committed; those in exercises/ must run untouched from top to bottom and earn 0 points. After
its last cell each notebook is run once more in the same kernel and must print the same again.

Notebooks are collected, reported and compared by nbval. Different here:

- nbclient runs the cells, as it does when `nncheck notebooks` writes them: `clear_output`,
  display updates, Output widgets and `interact` leave the same outputs behind;
- a cell that was never run, one that is tagged `raises-exception` and does not raise, and one
  that writes to stderr are red;
- numbers may differ by one unit in their last printed digit (printed.py); HTML and widget views
  are not compared, their plain text is; of a picture its alt text is (its data is asserted in
  the cell);
- always this environment's kernel, one thread, no progress bars, no connection to the outside,
  60 seconds a cell.

On macOS and Windows outputs are not compared with the committed ones: the asserts in the cells
and the second run remain. The tag `long` exempts a cell from the second run.
"""

import copy
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from nbval.plugin import IPyNbCell, IPyNbFile, coalesce_streams

from nncheck import notebooks
from tests.course.printed import same_text

# As notebooks are written, but with sets in another order each time: no output may depend on it.
ENVIRONMENT = notebooks.QUIET | {
    "PYTHONHASHSEED": "random",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
FOLDERS = ("course", "exercises", "solutions")
OFFLINE = f"__import__('runpy').run_path({str(Path(__file__).with_name('offline.py'))!r}) and None"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.option.nbval = True
    config.option.nbval_cell_timeout = min(config.option.nbval_cell_timeout, 60)
    for name in [name for name in notebooks.QUIET if name.endswith("_THREADS")]:
        os.environ.setdefault(name, notebooks.QUIET[name])  # for the processes started from here
    if getattr(config.option, "numprocesses", None) and config.option.dist != "loadfile":
        raise pytest.UsageError("The cells of a notebook share one kernel: add --dist loadfile.")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    found = yield
    others = [node for node in found if not isinstance(node, IPyNbFile)]
    if file_path.suffix == ".ipynb" and file_path.parent.name in FOLDERS:
        return [*others, CourseNotebook.from_parent(parent, path=file_path)]
    return others


@dataclass
class Run:
    """What one run of one cell left behind."""

    outputs: list[NotebookNode]
    failure: str = ""


def run(nb: NotebookNode, folder: Path, seconds: float, twice: bool) -> tuple[list[Run], list[Run]]:
    """Run the code cells from top to bottom in a fresh kernel; `twice`: once more in the same one.

    A cell's outputs are taken at the end of the round: a later cell may update its display.
    A cell tagged `long` keeps its first run.
    """
    nb = copy.deepcopy(nb)
    kernel = AsyncKernelManager(
        kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager()
    )
    client = NotebookClient(
        nb,
        km=kernel,
        timeout=seconds,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=[f"--IPKernelApp.exec_lines={OFFLINE}"],
    )
    code = [(index, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    stopped = ""

    def run_cell(index: int, cell: NotebookNode) -> str:
        nonlocal stopped
        if stopped:
            return stopped
        client.clear_display_id_mapping(index)
        try:
            client.execute_cell(cell, index)
        except CellExecutionError as error:
            return f"It raised an exception.\n\n{error.traceback}"
        except CellTimeoutError:
            stopped = f"Not run: cell {cell.id!r} took more than {seconds:g} seconds."
            return f"It took more than {seconds:g} seconds."
        except DeadKernelError:
            stopped = f"Not run: the kernel died in cell {cell.id!r}."
            return "The kernel died."
        return ""

    def one_round(skip: str = "") -> list[Run]:
        failures = ["" if skip in tags(cell) else run_cell(index, cell) for index, cell in code]
        runs = zip(code, failures, strict=True)
        return [Run(copy.deepcopy(cell.outputs), failure) for (_, cell), failure in runs]

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        client.setup_kernel(
            cleanup_kc=True,
            env=os.environ | ENVIRONMENT | {"IPYTHONDIR": profile},
            stderr=subprocess.DEVNULL,  # the kernel's own log; a cell's stderr is an output
        ),
    ):
        return one_round(), one_round(skip="long") if twice else []


class CourseNotebook(IPyNbFile):
    """A notebook: first its cells, then its cells again."""

    def collect(self):
        exercise = self.path.parent.name == "exercises"
        self.compare_outputs = sys.platform == "linux" and not exercise
        cells = list(super().collect())
        for kind in (FirstRun, SecondRun):
            for item in cells:
                if kind is SecondRun and "long" in tags(item.cell):
                    continue
                yield kind.from_parent(
                    self,
                    name=kind.label.format(item.cell.id),
                    cell_num=item.cell_num,
                    cell=item.cell,
                    options=item.options,
                )

    def setup(self):
        seconds = self.config.option.nbval_cell_timeout
        mine = (item for item in self.session.items if item.parent is self)
        twice = any(isinstance(item, SecondRun) for item in mine)
        self.first, self.again = run(self.nb, self.path.parent, seconds, twice)

    def teardown(self):
        """The kernel has already gone."""


class CourseCell(IPyNbCell):
    label = "{}"

    def setup(self):
        """Whether an earlier cell ran out of time is said by this cell's own failure."""

    def reportinfo(self):
        return self.fspath, 0, f"{self.path.stem}::{self.name}"

    def compare_outputs(self, test, ref, skip_compare=None):
        skip = skip_compare or (*self.parent.skip_compare, "text/html")
        return super().compare_outputs(comparable(test), comparable(ref), skip)

    def sanitize(self, s):
        """What nbval compares: text whose numbers may differ in their last digit."""
        return Printed(s) if isinstance(s, str) else s

    def difference(self) -> str:
        return "\n".join(self.comparison_traceback)

    def must(self, holds: bool, message: str, details: str = ""):
        if not holds:
            self.raise_cell_error(message, details)


class FirstRun(CourseCell):
    """The cell gives what is committed."""

    def runtest(self):
        run = self.parent.first[self.cell_num]
        self.test_outputs = run.outputs
        raised = any(output.output_type == "error" for output in run.outputs)
        must_raise = self.options["check_exception"]
        said = "".join(out.text for out in run.outputs if out.get("name") == "stderr")

        self.must(not run.failure, run.failure)
        self.must(raised or not must_raise, "It is tagged raises-exception, but nothing raised.")
        self.must(not said, "It wrote to stderr.", said)
        if self.options["check"]:
            run_before = self.cell.execution_count is not None or not self.cell.source.strip()
            self.must(run_before, "It was committed without being run: run `nncheck notebooks`.")
            same = self.compare_outputs(run.outputs, self.cell.outputs)
            self.must(same, "It does not give what is committed.", self.difference())
        if self.path.parent.name == "exercises" and self.cell.id.startswith("check-"):
            points = [output.get("data", {}).get("text/plain") for output in run.outputs]
            self.must(points == ["0"], f"Untouched, it must show 0 points; it shows {points}.")


class SecondRun(CourseCell):
    """The cell gives the same again."""

    label = "{} again"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_marker("second_run")

    def runtest(self):
        first, again = self.parent.first[self.cell_num], self.parent.again[self.cell_num]
        if first.failure:
            pytest.skip("It did not run the first time.")
        self.must(not again.failure, f"Run a second time: {again.failure}")
        same = self.compare_outputs(again.outputs, first.outputs)
        self.must(
            same,
            "A second run gives another output. Does it draw without a seed of its own, or "
            "change what an earlier cell made? (The first run is the reference here.)",
            self.difference(),
        )


class Printed(str):
    """A text that equals another one up to the noise in its numbers."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return isinstance(other, str) and same_text(str(self), str(other))

    def __ne__(self, other):
        return not self == other


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def comparable(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Copies with prints joined, and a picture's alt text among what is compared."""
    outputs = coalesce_streams(copy.deepcopy(outputs))
    for output in outputs:
        if "image/png" in output.get("data", {}):
            output["data"]["alt text"] = output.metadata.get("image/png", {}).get("alt", "")
    return outputs
