"""What every committed notebook keeps to, and the command that brings it there.

`problems` takes milliseconds and runs nothing; `refresh` (`nncheck notebooks`) runs the notebooks
of course/ and solutions/ and writes what comes out.
"""

import base64
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from nncheck import build, card, exercise, notebooks

PICTURE_BYTES = 100_000
TEXT_LENGTH = 10_000
HTML_LENGTH = 100_000
NOTEBOOK_BYTES = 1_000_000

SECTIONS = (
    "Warm-up",
    "Predict",
    "Run",
    "Reveal",
    "By hand",
    "Build",
    "Break it",
    "Limits",
    "You can now",
    "Next",
)

ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}\b")
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.~:/<])/(?:home|Users|root|tmp|usr|opt|var|mnt|private)/\w[^\s'\"<>]*"
    r"|\b[A-Za-z]:\\{1,2}\w[^\s'\"<>]*"
)
TIMING = re.compile(r"Wall time:|CPU times:|\bper loop\b|[\d?](?:it/s|s/it)\b")
EMPTY_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=['\"]\s*[^\s'\"])[^>]*>")


def problems(nb: NotebookNode, path: str | Path) -> list[str]:
    """What a committed notebook gets wrong, each in a sentence that names the cell.

    The folder in `path` says what it must be: course/ and solutions/ executed, exercises/ not.
    """
    path = Path(path)
    executed = path.parent.name != "exercises"
    found = [*form_problems(nb), *heading_problems(nb)]
    count = 0
    for cell in nb.cells:
        here = f"cell {cell.get('id', '?')!r}"
        for what in text_problems(cell.source):
            found.append(f"{here}: its source holds {what}.")
        if not cell.source.strip():
            found.append(f"{here} is empty. Delete it.")
        elif cell.cell_type == "code" and executed:
            count += 1
            if cell.execution_count != count:
                found.append(
                    f"{here} has execution count {cell.execution_count}, expected {count}. "
                    "Run `nncheck notebooks`."
                )
            found += [f"{here}: {what}" for what in output_problems(cell)]
        elif cell.cell_type == "code" and (cell.outputs or cell.execution_count):
            found.append(f"{here} has outputs; an exercise has none. Run `nncheck build`.")
        elif cell.cell_type == "markdown" and EMPTY_ALT.search(cell.source):
            found.append(f"{here} shows a picture without alt text.")
    if len(notebooks.text(nb).encode()) > NOTEBOOK_BYTES:
        found.append(f"the notebook is larger than {NOTEBOOK_BYTES:,} bytes.")
    if path.parent.name == "course":
        found += lesson_problems(nb, path)
    else:
        found += exercise_problems(nb, path)
    return found


def form_problems(nb: NotebookNode) -> list[str]:
    """How a notebook differs from its canonical form."""
    found = []
    if (nb.nbformat, nb.get("nbformat_minor")) != (4, 5):
        found.append(f"format {nb.nbformat}.{nb.get('nbformat_minor')} instead of 4.5.")
    if nb.metadata != notebooks.METADATA:
        extra = sorted(set(nb.metadata) - set(notebooks.METADATA)) or "another kernel or version"
        found.append(f"notebook metadata that does not belong here: {extra}.")
    for cell, new in zip(nb.cells, notebooks.cell_ids(nb), strict=True):
        if cell.get("id") != new:
            found.append(f"cell id {cell.get('id')!r} should be {new!r}.")
        want = notebooks.cell_metadata(cell)
        extra = sorted(set(cell.metadata) - set(want))
        if extra:
            found.append(f"cell {new!r} has metadata that does not belong here: {extra}.")
        elif cell.metadata != want:
            found.append(f"cell {new!r} should have the metadata {dict(want)}.")
        if any(notebooks.WIDGET in out.get("data", {}) for out in cell.get("outputs", [])):
            found.append(f"cell {new!r} has a widget's state in its output.")
    if not found:
        try:
            nbformat.validate(nb)
        except nbformat.ValidationError as error:
            found.append(f"not a valid notebook: {error.message}")
    if not found and notebooks.text(notebooks.canonical(nb)) != notebooks.text(nb):
        found.append("not in canonical form.")
    return [f"{what} Run `nncheck notebooks`." for what in found]


def heading_problems(nb: NotebookNode) -> Iterator[str]:
    """One heading `#`, first, and no level skipped after it."""
    level = 0
    for cell in nb.cells:
        prose = notebooks.FENCED.sub("", cell.source) if cell.cell_type == "markdown" else ""
        for marks, title in re.findall(r"^(#{1,6}) +(.+)$", prose, re.MULTILINE):
            if len(marks) == 1 and level > 0:
                yield f"a second heading of level 1: {title!r}."
            elif len(marks) > level + 1:
                yield f"the heading {title!r} skips from level {level} to {len(marks)}."
            level = len(marks)
    if level == 0:
        yield "no heading."


def text_problems(text: str) -> Iterator[str]:
    """Parts of a text that hold on one machine or in one run only."""
    for what, pattern in (
        ("an address", ADDRESS),
        ("an absolute path", ABSOLUTE_PATH),
        ("a timing", TIMING),
    ):
        match = pattern.search(text)
        if match:
            yield f"{what}: {match[0]!r}"


def output_problems(cell: NotebookNode) -> Iterator[str]:
    """What is wrong with the outputs of one executed cell."""
    must_raise = "raises-exception" in cell.metadata.get("tags", [])
    raised = False
    for out in cell.outputs:
        if out.output_type == "error":
            raised = True
            texts = {"text/plain": f"{out.ename}: {out.evalue}"}
            if not must_raise:
                yield f"raised {out.ename}: {out.evalue} (tag it raises-exception if it should)."
        elif out.output_type == "stream":
            texts = {"text/plain": out.text}
            if out.name == "stderr":
                yield f"wrote to stderr: {out.text.strip()[:200]!r}."
        else:
            texts = {kind: text for kind, text in out.data.items() if kind.startswith("text/")}
            yield from picture_problems(out)
        for kind, text in texts.items():
            cap = HTML_LENGTH if kind == "text/html" else TEXT_LENGTH
            if len(text) > cap:
                yield f"prints {len(text):,} characters of {kind}, more than {cap:,}."
            for what in text_problems(text):
                yield f"its output holds {what}."
    if must_raise and not raised:
        yield "is tagged raises-exception, but nothing raised."


def picture_problems(out: NotebookNode) -> Iterator[str]:
    for kind, picture in out.data.items():
        if not kind.startswith("image/"):
            continue
        if not out.metadata.get(kind, {}).get("alt", "").strip():
            yield "a figure without alt text (show it with nnlib.show)."
        size = len(picture) if kind == "image/svg+xml" else len(base64.b64decode(picture))
        if size > PICTURE_BYTES:
            yield f"a picture of {size:,} bytes, more than {PICTURE_BYTES:,}."


def lesson_problems(nb: NotebookNode, path: Path) -> Iterator[str]:
    """A card at the top, the sections in their order, `You can now` and `Next` at the end."""
    try:
        card.parse(nb, path)
    except ValueError as error:
        yield str(error)
    prose = [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
    titles = re.findall(r"^## +(.+?) *$", "\n".join(prose), re.MULTILINE)
    places = [SECTIONS.index(title) for title in titles if title in SECTIONS]
    if places != sorted(set(places)):
        yield f"sections out of order or twice: {titles}; the order is {', '.join(SECTIONS)}."
    if "You can now" not in titles:
        yield "no section `## You can now`."
    if not prose or not prose[-1].startswith("## Next"):
        yield "the last Markdown cell must start with `## Next`."


def exercise_problems(nb: NotebookNode, path: Path) -> Iterator[str]:
    """The first code cell opens the exercise of this very name."""
    first = next((cell.source for cell in nb.cells if cell.cell_type == "code"), "")
    if f'open_exercise("{path.stem}")' not in first:
        yield f'the first code cell must say `check = open_exercise("{path.stem}")`.'


# ---- the command


def refresh(paths: Iterable[str | Path] = (), check: bool = False, timeout: float = 60) -> int:
    """Run notebooks of course/ and solutions/ and write what comes out, in canonical form.

    `paths` are notebooks or folders; by default all of the course. With `check` nothing is
    written; what differs is said. Returns the exit code: 1 if something failed or differs.
    """
    files = list(found(paths))
    failed = written = 0
    for path in tqdm(files, unit="notebook", disable=None, file=sys.stderr):
        try:
            old = notebooks.read(path)
            points = build.points(path) if path.resolve().parent.name == "solutions" else {}
            new = notebooks.marked(old, points)
            new = notebooks.canonical(notebooks.execute(new, path.parent, timeout))
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            said = [str(error)]
        else:
            said = problems(new, path)
            if check:
                said += differences(old, new)
            elif notebooks.write(new, path):
                tqdm.write(f"{path}: written")
                written += 1
        for line in said:
            tqdm.write(f"{path}: {line}")
        failed += bool(said)
    if not failed and not written:
        print(f"{len(files)} notebooks, each as a new run gives it.")
    return 1 if failed else 0


def found(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The notebooks that are meant, in order."""
    home = exercise.home()
    for path in map(Path, list(paths) or [home / "course", home / "solutions"]):
        files = sorted(path.glob("*.ipynb")) if path.is_dir() else [path]
        for file in files:
            if file.resolve().parent.name == "exercises":
                raise ValueError(
                    f"{file} is written by `nncheck build` from solutions/{file.name}; "
                    "expected notebooks of course/ or solutions/."
                )
            yield file


def differences(old: NotebookNode, new: NotebookNode) -> Iterator[str]:
    """Which cells a new run changes."""
    if notebooks.text(old) == notebooks.text(new):
        return
    yield "differs from what a new run gives. Run `nncheck notebooks`."
    for before, after in zip(old.cells, new.cells, strict=True):
        parts = [key for key in after if before.get(key) != after[key]]
        if parts:
            yield f"cell {after.id!r} differs in its {', '.join(parts)}."
