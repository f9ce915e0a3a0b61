"""Small notebooks that a test writes, and the notebook run as `make test` starts it."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode, v4

ROOT = Path(__file__).resolve().parents[2]


def notebook(**cells: str) -> NotebookNode:
    """An executed notebook from each cell's id and source; a first line `#: a b` gives its tags."""
    nb = v4.new_notebook()
    for cell_id, source in cells.items():
        cell = v4.new_code_cell(source, id=cell_id.replace("_", "-"))
        first = source.partition("\n")[0]
        if first.startswith("#: "):
            cell.metadata.tags = first.removeprefix("#: ").split()
        nb.cells.append(cell)
    return NotebookClient(nb, timeout=60).execute()


def cell(nb: NotebookNode, cell_id: str) -> NotebookNode:
    return next(cell for cell in nb.cells if cell.id == cell_id)


def save(nb: NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


def run(*notebooks: Path, options: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """What became of each cell of each "folder/stem": "passed", "skipped" or its failure's text."""
    report = notebooks[0].parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "tests.course.nbval_course", "-q"]
    command += ["-c", "pyproject.toml", f"--rootdir={notebooks[0].parents[1]}"]
    command += [f"--junitxml={report}", "--color=no", *options]
    done = subprocess.run(
        [*command, *map(str, notebooks)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    cases = list(ET.parse(report).iter("testcase"))
    ends = {}
    for path in notebooks:
        name = f"{path.parent.name}/{path.stem}"
        mine = [case for case in cases if name.replace("/", ".") in case.attrib["classname"]]
        ends[name] = {case.attrib["name"]: end(case) for case in mine}
    return ends


def end(case: ET.Element) -> str:
    for child in case:
        if child.tag in ("failure", "error"):
            return f"{child.attrib.get('message', '')}\n{child.text}"
        if child.tag == "skipped":
            return "skipped"
    return "passed"
