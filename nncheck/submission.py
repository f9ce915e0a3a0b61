"""A learner's notebook as a check reads it: its code cells, whatever state the file is in.

It is somebody else's file, so reading it is careful and quick, and what cannot be read is said in
words. (Notebooks of ours are read and written by notebooks.py.)
"""

import ast
import contextlib
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 20_000_000  # full of brackets, that much takes half a gigabyte to read
CHECK = re.compile(r"\s*check\(\s*[\"']\w*[\"']\s*\)\s*")
MARK = re.compile(r"\s*#+ ?(BEGIN|END) SOLUTION")
OPENED = re.compile(r"\bopen_exercise\(\s*[\"'](\w+)[\"']")


class Unreadable(ValueError):
    """A file that holds no notebook; its message says why, and what to do."""


@dataclass(frozen=True)
class Cell:
    """One code cell."""

    id: str
    source: str
    tags: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Does a check run it? All but check cells and cells tagged `swap`."""
        return "swap" not in self.tags and not CHECK.fullmatch(self.source)


def read(path: Path) -> list[Cell]:
    """The code cells of a notebook in a file, in order."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise too_large(path.name)
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}.") from None
    return parse(content, path.name)


def parse(content: bytes, name: str) -> list[Cell]:
    """The code cells of a notebook from its bytes; `name` is what messages call it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _no_notebook(name, "it is not UTF-8 text") from None
    if not text.strip():
        raise _no_notebook(name, "it is empty")
    try:
        return [_cell(c) for c in json.loads(text)["cells"] if c["cell_type"] == "code"]
    except json.JSONDecodeError as error:
        raise _no_notebook(name, f"line {error.lineno} is not JSON ({error.msg})") from None
    except RecursionError:
        raise _no_notebook(name, "it is nested too deeply") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _no_notebook(name, "its cells are not those of a notebook") from None


def restored(cells: Iterable[dict]) -> list[Cell]:
    """The cells of a result in a gradebook."""
    return [Cell(c["id"], c["source"], tuple(c["tags"])) for c in cells]


def too_large(name: str) -> Unreadable:
    return Unreadable(
        f"{name} has more than {MAX_BYTES // 1_000_000} MB. Choose Edit > Clear Outputs of All "
        "Cells, and save it."
    )


def _cell(data):
    source, tags = data["source"], data.get("metadata", {}).get("tags", [])
    source = source if isinstance(source, str) else "".join(source)
    return Cell(str(data.get("id", "")), source, tuple(t for t in tags if isinstance(t, str)))


def _no_notebook(name, why):
    return Unreadable(
        f"{name} is not a notebook: {why}. Take it back from your last commit or from "
        "JupyterLab's checkpoint (File > Revert Notebook to Checkpoint), or start it anew: move it "
        "out of the way and run `nncheck update` on the working copy."
    )


def unmarked(source: str) -> str:
    """A solution's cell without the marks of its regions."""
    return "\n".join(n for n in source.splitlines() if not MARK.match(n))


def opened(cells: list[Cell]) -> str:
    """The exercise that a notebook opens in its code; "" if none."""
    return next((m[1] for c in cells if (m := OPENED.search(c.source))), "")


def answer_cell(cells: list[Cell], name: str) -> Cell | None:
    """The cell that holds the answer `name`: the last that defines it, or the one with its id."""
    defining = [c for c in cells if c.runs and defines(c.source, name)]
    by_id = [c for c in cells if c.id == f"answer-{name}"]
    return (defining or by_id or [None])[-1]


def defines(source: str, name: str) -> bool:
    """Does a cell's source define `name` at its top level?

    >>> defines("def mul(a, b): ...", "mul"), defines("mul(1, 2)", "mul")
    (True, False)
    """
    word = re.escape(name)
    pattern = rf"^(?:(?:async\s+)?def|class)\s+{word}\b|^{word}\s*(?::[^=\n]+)?=(?!=)"
    return re.search(pattern, source, re.MULTILINE) is not None


def source_hash(source: str) -> str:
    """Changes when the code changes, not with its comments or spaces."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        source = ast.dump(ast.parse(source))
    return hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:16]
