"""The canonical form of a notebook: read it, name its cells, clean it, run it, write it.

Two people who run the same notebook get the same file: no timing, no widget state, no version of
anything, cell ids that can be read, and one way to write the JSON.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import tempfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:  # importing nbformat takes two seconds, and a lesson's map only needs `load`
    from nbformat import NotebookNode

TEMPLATES = Path(__file__).parent / "templates"

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("deletable", "nbgrader", "nnlib", "tags")
PICTURE_METADATA = ("alt", "height", "width")
WIDGET = "application/vnd.jupyter.widget-view+json"

# Arrays of this course are small. Threads would wait for each other, on a busy machine for seconds.
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("MKL", "OMP", "OPENBLAS")}
QUIET = ONE_THREAD | {
    "TQDM_DISABLE": "1",
    "PYTHONHASHSEED": "0",
    "NNLIB_SHOW": "widget",  # wherever we are started from: a widget leaves its still picture
}

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CHECK_CALL = re.compile(r"check\(\s*[\"'](\w+)[\"']\s*\)")
DEFINITION = re.compile(r"(?:async +def|def|class) +(\w+)")
REGION = re.compile(r"(\s*)#{1,3} ?(BEGIN|END) SOLUTION\s*")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
READABLE_ID = re.compile(r"(?:answer|check)-\w+|[a-z0-9]+(?:[-_][a-z0-9]+)*")
RANDOM_ID = re.compile(r"[0-9a-f]{8}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# ---- reading and writing


def read(path: str | Path) -> NotebookNode:
    """Read a notebook of format 4, or say what is wrong with the file and what to do."""
    return joined(load(path), path)


def parse(text: str) -> NotebookNode:
    """Turn a notebook's text into a notebook."""
    return joined(loads(text, "the notebook"), "the notebook")


def load(path: str | Path) -> dict:
    """Read a notebook as plain data: each cell's source is one text, the rest as in the file."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; a notebook (.ipynb) was expected.")
    if not path.exists():
        raise FileNotFoundError(
            f"There is no notebook {path}. Look for a typing error in its name."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(path, f"is not UTF-8 text (byte {error.start} cannot be read)") from None
    return loads(text, path)


def loads(text: str, path: str | Path) -> dict:
    """Turn a notebook's text into plain data; `path` is what an error calls it."""
    if not text.strip():
        raise damaged(path, "is empty")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        marks = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("<<<<<<< ")]
        if marks:
            raise ValueError(
                f"{path} holds git's merge marks (first on line {marks[0]}): a merge stopped "
                "half-way. Keep one side with `git checkout --ours FILE` or `--theirs FILE`, then "
                "`git add FILE`."
            ) from None
        raise damaged(path, f"is not JSON (line {error.lineno}: {error.msg})") from None
    except RecursionError:
        raise damaged(path, "is nested too deeply for a notebook") from None
    major = data.get("nbformat") if isinstance(data, dict) else None
    if isinstance(major, int) and major != 4:
        raise ValueError(
            f"{path} has notebook format {major}; format 4 was expected. "
            "Open it in JupyterLab and save it: that converts it."
        )
    problem = shape_problem(data)
    if problem:
        raise damaged(path, problem)
    data.setdefault("metadata", {})
    for cell in data["cells"]:
        cell["source"] = "".join(cell["source"])
        cell.setdefault("metadata", {})
        if cell["cell_type"] == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
    return data


def joined(data: dict, path: str | Path) -> NotebookNode:
    """A notebook of plain data, with the lines of its outputs joined."""
    from nbformat.v4.rwbase import rejoin_lines

    try:
        return rejoin_lines(node(data))
    except (AttributeError, TypeError, RecursionError):
        raise damaged(path, "has an attachment or metadata that cannot be read") from None


def damaged(path: str | Path, what: str) -> ValueError:
    return ValueError(
        f"{path} {what}; a Jupyter notebook was expected. "
        "Take it back from your last commit or download, or start it anew: move it out of the way "
        "and run `nncheck start` on the working copy again."
    )


def node(data: Mapping) -> NotebookNode:
    """Dicts within dicts as NotebookNodes, whose keys are attributes too."""
    import nbformat

    return cast("NotebookNode", nbformat.from_dict(data))


def shape_problem(data) -> str:
    """Say how parsed JSON differs from a notebook, or nothing."""
    if not isinstance(data, dict):
        return "holds no notebook"
    if not isinstance(data.get("cells"), list) or not isinstance(data.get("metadata", {}), dict):
        return "has no cells"
    for number, cell in enumerate(data["cells"], 1):
        kinds = ("code", "markdown", "raw")
        if not isinstance(cell, dict) or cell.get("cell_type") not in kinds:
            return f"has a cell {number} that is neither code nor Markdown"
        if not is_text(cell.get("source")) or not isinstance(cell.get("id", ""), str):
            return f"has a cell {number} whose source or id is not text"
        metadata = cell.get("metadata", {})
        if not isinstance(metadata, dict) or not is_list_of(str, metadata.get("tags", [])):
            return f"has a cell {number} whose metadata cannot be read"
        outputs = cell.get("outputs", [])
        if not is_list_of(dict, outputs) or not all(map(is_output, outputs)):
            return f"has a cell {number} whose outputs cannot be read"
    return ""


def is_list_of(kind: type, value) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def is_text(value) -> bool:
    return isinstance(value, str) or is_list_of(str, value)


def is_output(out: dict) -> bool:
    match out.get("output_type"):
        case "stream":
            return is_text(out.get("text")) and isinstance(out.get("name"), str)
        case "error":
            return isinstance(out.get("ename"), str) and isinstance(out.get("evalue"), str)
        case "display_data" | "execute_result":
            return isinstance(out.get("data"), dict) and isinstance(out.get("metadata", {}), dict)
    return False


def text(nb: NotebookNode) -> str:
    """The one way in which a notebook is written down."""
    from nbformat import v4

    return v4.writes(copy.deepcopy(nb)) + "\n"


def write(nb: NotebookNode, path: str | Path) -> bool:
    """Write a notebook if its text differs from the file's; say whether it did."""
    path, new = Path(path), text(nb)
    if path.exists() and path.read_bytes() == new.encode():
        return False
    write_text(path, new)
    return True


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file in one move: a reader sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        half.write_text(content, encoding="utf-8", newline="\n")
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


# ---- the canonical form


def canonical(nb: NotebookNode) -> NotebookNode:
    """A copy with readable ids, known metadata and clean outputs; its source is unchanged."""
    nb = copy.deepcopy(nb)
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = node(METADATA)
    for cell, name in zip(nb.cells, cell_ids(nb), strict=True):
        cell.id = name
        cell.metadata = cell_metadata(cell)
        if cell.cell_type == "code":
            cell.outputs = clean_outputs(cell)
    return nb


def kept(data: Mapping, keys: tuple[str, ...]) -> NotebookNode:
    return node({key: value for key, value in data.items() if key in keys})


def cell_metadata(cell: NotebookNode) -> NotebookNode:
    """What is kept of a cell's metadata. A recall question is folded: its text holds the answer."""
    metadata = kept(cell.metadata, CELL_METADATA)
    if not metadata.get("tags"):
        metadata.pop("tags", None)
    if cell.source.startswith("recall("):
        metadata["jupyter"] = node({"source_hidden": True})
    return metadata


def cell_ids(nb: NotebookNode) -> list[str]:
    """An id for each cell: its own if it can be read and is not taken, else one from the text.

    A heading gives its words, what follows it counts on (`run`, `run-2`); a check is
    `check-NAME` and the cell that it checks `answer-NAME`, NAME being what the learner defines.
    """
    ids: list[str] = []
    wanted = [given_id(cell) for cell in nb.cells]
    section = "cell"
    for cell, want in zip(nb.cells, wanted, strict=True):
        title = heading(cell)
        if title:
            section = slug(title)
        new, number = want or section, 1
        while new in ids or (new in wanted and new != want):
            number += 1
            new = f"{want or section}-{number}"
        ids.append(new)
    return ids


def given_id(cell: NotebookNode) -> str:
    """The id that a cell must have or may keep; nothing if it needs one."""
    if checked_name(cell):
        return f"check-{checked_name(cell)}"
    if answer_names(cell):
        return f"answer-{answer_names(cell)[0]}"
    name = cell.get("id", "")
    good = len(name) <= 64 and READABLE_ID.fullmatch(name) and not RANDOM_ID.fullmatch(name)
    return name if good else ""


def checked_name(cell: NotebookNode) -> str:
    """The question that a check cell is about; nothing for any other cell."""
    match = CHECK_CALL.fullmatch(cell.source.strip())
    return match[1] if match and cell.cell_type == "code" else ""


def answer_names(cell: NotebookNode) -> list[str]:
    """The functions and classes of a cell whose body holds a solution region."""
    names, current = [], ""
    for line in cell.source.splitlines() if cell.cell_type == "code" else ():
        definition = DEFINITION.match(line)
        current = definition[1] if definition else current
        mark = REGION.fullmatch(line)
        if mark and mark[2] == "BEGIN" and current and current not in names:
            names.append(current)
    return names


def heading(cell: NotebookNode) -> str:
    """The first heading of a Markdown cell."""
    if cell.cell_type != "markdown":
        return ""
    prose = FENCED.sub("", cell.source)
    match = re.search(r"^#{1,6} +(.+?) *#*$", prose, re.MULTILINE)
    return match[1] if match else ""


def slug(title: str) -> str:
    """A title as part of an id.

    >>> slug("One `Value`, three ways: naïve & not")
    'one-value-three-ways-naive-not'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "cell"


def clean_outputs(cell: NotebookNode) -> list[NotebookNode]:
    """A cell's outputs without widget state, with neighbouring prints joined.

    An exception keeps its last line only: the rest are this machine's paths.
    """
    clean: list[NotebookNode] = []
    for out in cell.outputs:
        if out.output_type == "stream":
            last = clean[-1] if clean else {}
            if last.get("output_type") == "stream" and last["name"] == out.name:
                last["text"] += out.text
                continue
        elif out.output_type == "error":
            out.traceback = [f"{out.ename}: {out.evalue}"]
        else:
            out.data = node({k: v for k, v in out.data.items() if k != WIDGET})
            if not out.data:
                continue
            out.metadata = clean_picture_metadata(out)
            if out.output_type == "execute_result":
                out.execution_count = cell.execution_count
        clean.append(out)
    return clean


def before_saving(model: dict, **_: object) -> None:
    """Drop what JupyterLab could not show again; it calls this before it writes a file.

    A widget is gone with its kernel, and a saved view of it says "model not found" where the
    still picture beside it would do. The view on the screen stays.
    """
    cells = model["content"]["cells"] if model["type"] == "notebook" else []
    for out in [out for cell in cells for out in cell.get("outputs", [])]:
        if "image/png" in out.get("data", {}):
            out["data"].pop(WIDGET, None)


def clean_picture_metadata(out: NotebookNode) -> NotebookNode:
    pictures = {
        kind: kept(value, PICTURE_METADATA)
        for kind, value in out.get("metadata", {}).items()
        if kind in out.data and isinstance(value, dict)
    }
    return node({kind: value for kind, value in pictures.items() if value})


def without_outputs(nb: NotebookNode) -> NotebookNode:
    """A copy as if it had never been run."""
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def marked(nb: NotebookNode, points: Mapping[str, float]) -> NotebookNode:
    """A copy whose answer and check cells carry nbgrader's metadata; `points` is by question."""
    nb = canonical(nb)
    for cell in nb.cells:
        for key in ("nbgrader", "deletable"):
            cell.metadata.pop(key, None)
        name = checked_name(cell)
        if name in points:
            cell.metadata["deletable"] = False
            cell.metadata["nbgrader"] = nbgrader(cell.id, grade=True, points=points[name])
        elif any(name in points for name in answer_names(cell)):
            cell.metadata["nbgrader"] = nbgrader(cell.id, grade=False)
    return nb


def nbgrader(name: str, grade: bool, **points: float) -> NotebookNode:
    """The metadata of a check (`grade`) or of an answer, as nbgrader 0.9 writes it."""
    return node(
        {
            "schema_version": 3,
            "grade_id": name,
            "grade": grade,
            "locked": grade,
            "solution": not grade,
            "task": False,
            **points,
        }
    )


# ---- running


def execute(nb: NotebookNode, cwd: str | Path, timeout: float = 60) -> NotebookNode:
    """Run all cells of a copy in a fresh kernel and return it; one thread, no progress bars.

    Raises RuntimeError with the cell's id when a cell raises (unless tagged `raises-exception`),
    takes more than `timeout` seconds, or ends its kernel.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    nb = without_outputs(nb)
    begun: list[str] = []
    kernels = KernelSpecManager(kernel_dirs=[str(TEMPLATES / "jupyter" / "kernels")])
    client = NotebookClient(
        nb,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels),
        timeout=timeout,
        record_timing=False,
        on_cell_execute=lambda cell, cell_index: begun.append(cell.get("id", cell_index)),
        resources={"metadata": {"path": str(cwd)}},
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        try:
            client.execute(
                cleanup_kc=True,
                env=os.environ | QUIET | {"IPYTHONDIR": profile},
                stderr=subprocess.DEVNULL,  # the kernel's own log; a cell's stderr is an output
            )
        except CellExecutionError as error:
            said = COLOUR.sub("", error.traceback)
            raise RuntimeError(f"cell {begun[-1]!r} raised.\n{said}") from None
        except CellTimeoutError:
            raise RuntimeError(f"cell {begun[-1]!r} took more than {timeout:g} s.") from None
        except DeadKernelError:
            raise RuntimeError(f"cell {begun[-1]!r} ended the kernel (memory? a crash?).") from None
    return nb
