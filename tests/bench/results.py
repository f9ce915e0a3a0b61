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
ALLOWED = 1.25  # times the figure that is written down
COMPARED = f"Compared with the next run; more than {ALLOWED - 1:.0%} higher fails `make bench`."


@dataclass(frozen=True)
class Measured:
    """What a section found.

    `lines` are its Markdown. `figures` are ratios of which less is better; they are compared with
    those of the same name that were written down. `files` are written beside RESULTS.md.
    """

    lines: list[str]
    figures: dict[str, float] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def page(sections: Mapping[str, str]) -> str:
    """The whole of RESULTS.md, from its sections by title."""
    return "\n".join(["# Measured by `make bench`\n", *sections.values()])


def section(title: str, part: Measured) -> str:
    """The text of one section: the machine, what was found, and what a later run is held to."""
    lines = [f"## {title}", "", machine(), "", *part.lines]
    if part.figures:
        rows = [{"figure": name, "ratio": value} for name, value in part.figures.items()]
        lines += ["", COMPARED, "", *markdown(rows)]
    return "\n".join(lines) + "\n"


def read_sections(text: str) -> dict[str, str]:
    """The sections of a page that was written down, by title."""
    texts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {text.partition("\n")[0].removeprefix("## "): text.strip() + "\n" for text in texts}


def read_figures(text: str) -> dict[str, float]:
    """The figures of a page that was written down."""
    found = {}
    for part in read_sections(text).values():
        table = [line for line in part.partition(COMPARED)[2].splitlines() if line.startswith("| ")]
        rows = [line.strip("| ").split(" | ") for line in table[1:]]
        found |= {name: float(value) for name, value in rows}
    return found


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
