"""Training for real: every module in training/ states a claim in its docstring and has `run()`."""

import importlib
from dataclasses import dataclass
from functools import cached_property

from tests.bench.results import HERE, Measured
from tests.bench.table import markdown, print_table, with_mean


@dataclass(frozen=True)
class Claim:
    """A section for one module: its claim, and the table that it prints."""

    name: str

    @cached_property
    def module(self):
        return importlib.import_module(f"tests.bench.training.{self.name}")

    @property
    def TITLE(self) -> str:
        return f"Training for real: {self.name}"

    def names(self) -> list[str]:
        return [self.name]

    def measure(self, _chosen: list[str]) -> Measured:
        rows = self.module.run()
        print_table(self.TITLE, rows)
        claim = (self.module.__doc__ or "").strip().splitlines()
        return Measured([*claim, "", *markdown(with_mean(rows))])


def claims() -> list[Claim]:
    return [Claim(path.stem) for path in sorted((HERE / "training").glob("[!_]*.py"))]
