"""Training for real: every module in training/ states a claim in its docstring and has `run()`."""

import importlib

from tests.bench.results import HERE, Measured
from tests.bench.table import markdown, print_table, with_mean

TITLE = "Training for real"


def names() -> list[str]:
    return sorted(path.stem for path in (HERE / "training").glob("[!_]*.py"))


def measure(chosen: list[str]) -> Measured:
    lines = []
    for name in chosen:
        module = importlib.import_module(f"tests.bench.training.{name}")
        title, _, claim = (module.__doc__ or name).strip().partition("\n")
        rows = module.run()
        print_table(f"{name}: {title}", rows)
        lines += [
            f"### {title}",
            "",
            *claim.strip().splitlines(),
            "",
            *markdown(with_mean(rows)),
            "",
        ]
    return Measured(lines[:-1])
