"""Whatever nnlib offers says what it is, shows how it is used, and names the shapes it takes."""

import inspect

import pytest

import nnlib
from nnlib import data, functional, init, metrics, nn, optim, train

PUBLIC = {
    f"{module.__name__}.{name}": made
    for module in (nnlib, data, functional, init, metrics, nn, optim, train)
    for name, made in vars(module).items()
    if not name.startswith("_")
    and (inspect.isfunction(made) or inspect.isclass(made))
    and made.__module__.startswith("nnlib")
    and (made.__module__ == module.__name__ or module in (nnlib, nn))
}
# Their doctest would repeat that of what they give, or need a file.
NO_EXAMPLE = {
    *("nnlib.data.mnist", "nnlib.data.idx"),
    *("nnlib.metrics.Calibration", "nnlib.optim.UpdateStep", "nnlib.train.TrainStep"),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_it_has_a_docstring_with_an_example(name):
    doc = inspect.getdoc(PUBLIC[name])
    assert doc
    assert ">>>" in doc or name in NO_EXAMPLE, f"show how {name} is used"


@pytest.mark.parametrize("name", [n for n in PUBLIC if n.startswith("nnlib.functional.")])
def test_a_function_of_tensors_names_its_shapes(name):
    doc = inspect.getdoc(PUBLIC[name])
    assert "Shape:" in doc or "gradcheck" in name, f"say which shapes {name} takes"


@pytest.mark.parametrize("name", PUBLIC)
def test_its_methods_have_docstrings(name):
    if not inspect.isclass(PUBLIC[name]):
        return
    for method, made in vars(PUBLIC[name]).items():
        if inspect.isfunction(made) and not method.startswith("_"):
            assert inspect.getdoc(getattr(PUBLIC[name], method)), f"{name}.{method}"
