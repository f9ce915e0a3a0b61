"""What `import nnlib` costs, and which names it gives."""

import subprocess
import sys

import pytest

import nnlib

HEAVY = (
    "torch matplotlib sklearn scipy pandas tqdm ipywidgets anywidget PIL IPython nnlib.show "
    "zipfile difflib gzip"
)


def modules_after(code):
    run = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(run, capture_output=True, text=True, check=True).stdout.split())


def test_import_nnlib_brings_numpy_and_nothing_heavier():
    loaded = modules_after("import nnlib")
    assert not loaded & {*HEAVY.split(), "nncheck"}
    new = {name.partition(".")[0] for name in loaded - modules_after("import numpy.random")}
    assert new - sys.stdlib_module_names <= {"nnlib", "numpy"}


def test_repr_imports_nothing():
    code = "import nnlib; x = nnlib.Value(1.0); y = nnlib.ones(3)"
    assert modules_after(f"{code}; repr(x), repr(y)") == modules_after(code)


@pytest.mark.parametrize("name", ["nn", "optim", "data", "metrics", "train", "init", "functional"])
def test_a_submodule_is_there_either_way(name):
    assert f"nnlib.{name}" in modules_after(f"from nnlib import {name}")
    modules_after(f"import nnlib; nnlib.{name}")


def test_the_public_names_are_all_there():
    for name in nnlib.__all__:
        assert hasattr(nnlib, name)
    assert len(set(nnlib.__all__)) == len(nnlib.__all__)


def test_the_package_says_what_the_letters_of_axes_mean():
    for letter in ("B batch", "T time", "D features", "V vocabulary", "N heads"):
        assert letter in nnlib.__doc__
