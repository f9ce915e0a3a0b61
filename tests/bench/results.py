"""RESULTS.md: what a section hands in, and how a run is compared with the last one written down."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np

from tests.bench.table import markdown

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "RESULTS.md"
COMPARED = "## What a run is compared with"
ALLOWED = 1.25  # times the figure that is written down


@dataclass(frozen=True)
class Measured:
    """What a section found.

    `lines` are its Markdown. `figures` are ratios of which less is better; they are compared with
    those of the same name that were written down. `files` are written beside RESULTS.md.
    """

    lines: list[str]
    figures: dict[str, float] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def page(parts: Mapping[str, Measured]) -> str:
    """The whole of RESULTS.md, from each section's title and findings."""
    lines = ["# Measured by `make bench`", "", machine()]
    for title, part in parts.items():
        lines += ["", f"## {title}", "", *part.lines]
    rows = [{"figure": name, "ratio": value} for name, value in figures(parts).items()]
    says = f"`make bench` fails when one of these is more than {ALLOWED - 1:.0%} higher."
    return "\n".join([*lines, "", COMPARED, "", says, "", *markdown(rows)]) + "\n"


def figures(parts: Mapping[str, Measured]) -> dict[str, float]:
    """The figures of all sections."""
    return {name: value for part in parts.values() for name, value in part.figures.items()}


def read_figures(text: str) -> dict[str, float]:
    """The figures of a page that was written down."""
    table = [line for line in text.partition(COMPARED)[2].splitlines() if line.startswith("| ")]
    rows = [line.strip("| ").split(" | ") for line in table[1:]]
    return {name: float(value) for name, value in rows}


def worse(old: Mapping[str, float], new: Mapping[str, float]) -> list[str]:
    """A sentence for each figure that is too far above the old one."""
    return [
        f"{name}: {value:.3g}, and {old[name]:.3g} is written down"
        for name, value in new.items()
        if name in old and value > ALLOWED * old[name]
    ]


def machine() -> str:
    """What ratios depend on."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = [f"{name} {metadata.version(name)}" for name in ("numpy", "torch")]
    return (
        f"{date.today()}. {processor()}, {os.cpu_count()} cores; {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}, "
        f"{blas['name']} {blas['version']}."
    )


def processor() -> str:
    """Its name, as far as the system gives it."""
    info = Path("/proc/cpuinfo")
    about = dict(re.findall(r"(.+?)\s*: (.+)", info.read_text() if info.exists() else ""))
    name = about.get("model name", platform.processor() or platform.machine())
    return f"{name} (model {about['model']})" if "model" in about else name
