"""A learner's own copy of the course: write it, bring it up to date, open it.

What was written is remembered in `.nncheck.json`, cell by cell. So an update knows what the learner
has touched: that stays, and the new version arrives beside it with the answers carried over.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from nncheck import exercise, notebooks, submission

MANIFEST = ".nncheck.json"
RECORD = "progress.jsonl"
FIRST_PAGE = "course/00_start_here.ipynb"

Print = dict[str, str]  # a file's fingerprint: a hash for each cell, or one for a plain file


# ---- the three commands


def start(folder: str | Path, open: bool = False) -> int:
    """Write a working copy, or complete one; nothing that is there is touched.

    With `open`, JupyterLab opens on its first page. Returns an exit code.
    """
    folder = Path(folder)
    if not is_working_copy(folder) and folder.exists():
        if not folder.is_dir():
            raise FileExistsError(f"{folder} is a file; name a new folder for the working copy.")
        if any(path.suffix != ".tmp" for path in folder.iterdir()):
            raise FileExistsError(
                f"{folder} holds other things and is not a working copy (it has no {MANIFEST}). "
                "Name a new folder: nncheck start my-course"
            )
    course = contents()
    written, newer = 0, 0
    manifest = read_manifest(folder) if is_working_copy(folder) else {}
    write_manifest(folder, manifest)  # first: if we are stopped half-way, the next start completes
    for name, text in course.items():
        path, new = folder / name, fingerprint(name, text)
        if not path.exists():
            notebooks.write_text(path, text)
            manifest[name] = new
            written += 1
        elif name not in manifest and same(fingerprint_of(path), new):
            manifest[name] = new
        elif not same(manifest.get(name), new):
            newer += 1
    (folder / RECORD).touch()
    write_manifest(folder, manifest)
    print(f"Your working copy is {folder}: {written} files written, {len(course)} in all.")
    if newer:
        print(f"Files with a newer version: {newer}. Bring them in: nncheck update {folder}")
    return open_lab(folder) if open else 0


def update(folder: str | Path) -> int:
    """Bring a working copy up to date; nothing that the learner has changed is overwritten."""
    folder = Path(folder)
    if not is_working_copy(folder):
        raise FileNotFoundError(
            f"{folder} is not a working copy (it has no {MANIFEST}). "
            "Name the folder that `nncheck start` wrote, or write one: nncheck start my-course"
        )
    manifest = read_manifest(folder)
    course = contents()
    said = []
    for name, text in course.items():
        path, new, before = folder / name, fingerprint(name, text), manifest.get(name)
        now = fingerprint_of(path)
        if now is None:
            notebooks.write_text(path, text)
            said.append(f"{name}: added")
        elif same(now, new):
            pass
        elif same(now, before):
            notebooks.write_text(path, text)
            said.append(f"{name}: updated")
        elif same(before, new):
            continue  # the learner's own work on the present version
        else:
            said.append(beside(folder, name, text, manifest))
        manifest[name] = new
    for name in [name for name in manifest if name not in course]:
        if not (folder / name).exists():
            del manifest[name]
    write_manifest(folder, manifest)
    print("\n".join(said) or "Everything is up to date.")
    return 0


def open_lab(folder: str | Path) -> int:
    """Open JupyterLab on a working copy, with the course's settings, until it is stopped."""
    folder = Path(folder).resolve()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    if (folder / FIRST_PAGE).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{FIRST_PAGE}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is nobody else
    lab = subprocess.Popen(command, cwd=folder, env=lab_environment())
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is Lab's: it asks first
    try:
        return lab.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def lab_environment() -> dict[str, str]:
    """The environment in which JupyterLab finds the course's settings and its quiet kernel.

    Kernels count with one thread, unless somebody has chosen another number.
    """
    ours = str(notebooks.TEMPLATES / "jupyter")
    found = notebooks.ONE_THREAD | os.environ
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
        found[name] = os.pathsep.join(filter(None, [ours, os.environ.get(name)]))
    return found


# ---- what a working copy holds, and what was touched


def is_working_copy(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def contents() -> dict[str, str]:
    """Every file of a fresh working copy: its name in the folder, and its text."""
    home = exercise.home()
    files = {}
    for part in ("course", "exercises"):
        for path in sorted((home / part).glob("*.ipynb")):
            nb = notebooks.without_outputs(notebooks.read(path))
            files[f"{part}/{path.name}"] = notebooks.text(nb)
    if not files:
        raise FileNotFoundError(
            f"{home} holds no notebooks; expected course/ and exercises/ in it. "
            "Install the course again, or say where it is: --exercises FOLDER."
        )
    constraints = home / "constraints.txt"
    if constraints.exists():
        files["constraints.txt"] = constraints.read_text(encoding="utf-8")
    for template, name in (
        ("README.md", "README.md"),
        ("gitignore", ".gitignore"),
        ("check.yml", ".github/workflows/check.yml"),
    ):
        files[name] = (notebooks.TEMPLATES / template).read_text(encoding="utf-8")
    return files


def fingerprint(name: str, text: str) -> Print:
    """A hash for each cell of a notebook (source and tags, not outputs), or one for the file."""
    if name.endswith(".ipynb"):
        try:
            nb = notebooks.parse(text)
        except ValueError:
            pass  # damaged: it differs from anything that we wrote
        else:
            found: Print = {}
            for cell in nb.cells:
                key = cell.get("id", "")
                while key in found:
                    key += "+"  # two cells with one id are still two cells
                found[key] = cell_hash(cell.cell_type, cell.source, cell.metadata.get("tags", []))
            return found
    return {"": digest(text.replace("\r\n", "\n"))}


def fingerprint_of(path: Path) -> Print | None:
    if not path.exists():
        return None
    return fingerprint(path.name, path.read_text(encoding="utf-8-sig", errors="replace"))


def same(a: Print | None, b: Print | None) -> bool:
    return a is not None and b is not None and list(a.items()) == list(b.items())


def cell_hash(kind: str, source: str, tags: Iterable[str]) -> str:
    return digest(json.dumps([kind, source, list(tags)]))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_manifest(folder: Path) -> dict[str, Print]:
    """What was written, by file. A damaged manifest counts as empty: then nothing is replaced."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {name: dict(cells) for name, cells in data["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_manifest(folder: Path, manifest: dict[str, Print]) -> None:
    text = json.dumps({"files": manifest}, indent=1) + "\n"
    notebooks.write_text(folder / MANIFEST, text)


# ---- a new version beside a changed file


def beside(folder: Path, name: str, text: str, manifest: dict[str, Print]) -> str:
    """Write a new version next to the file that the learner has changed, and say so."""
    carried: list[str] = []
    note = ""
    if name.endswith(".ipynb"):
        try:
            theirs = submission.read(folder / name)
        except ValueError as error:
            note = f" (none of your answers could be carried over: {error})"
        else:
            nb = notebooks.parse(text)
            carried = carry_over(nb, theirs, manifest.get(name, {}))
            text = notebooks.text(nb)
    new = fingerprint(name, text)
    target = free_name(folder, name, new, manifest)
    if not same(fingerprint_of(folder / target), new):
        notebooks.write_text(folder / target, text)
    manifest[target] = new
    if carried:
        note = f", with your {', '.join(carried)} in it"
    return f"{name}: you changed it, so it stays. The new version is {target}{note}."


def free_name(folder: Path, name: str, new: Print, manifest: dict[str, Print]) -> str:
    """A name beside `name` that is free, or taken by an earlier arrival that nobody touched."""
    stem, ending = (name[:-6], ".ipynb") if name.endswith(".ipynb") else (name, "")
    number = 1
    while True:
        target = f"{stem}.new{'' if number == 1 else f'-{number}'}{ending}"
        there = fingerprint_of(folder / target)
        if there is None or same(there, manifest.get(target)) or same(there, new):
            return target
        number += 1


def carry_over(nb: NotebookNode, theirs: list[submission.Cell], before: Print) -> list[str]:
    """Put the learner's answers into a new version; return the names of those that had begun.

    `before` holds the hashes of the version that the learner was given: a cell that still has its
    hash is a stub.
    """
    carried = []
    for cell in nb.cells:
        kind, _, name = cell.get("id", "").partition("-")
        own = submission.answer_cell(theirs, name) if kind == "answer" else None
        if own is None or before.get(own.id) == cell_hash("code", own.source, own.tags):
            continue
        if own.source != cell.source:
            cell.source = own.source
            carried.append(name)
    return carried
