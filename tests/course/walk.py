"""The whole contract of a lesson: its files, its card, its order, and the names it may use.

Each rule looks at one lesson of a course and says, sentence by sentence, what is wrong with it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from nncheck import build, card, hygiene, notebooks, worker
from nncheck.exercise import Catch, Exercise

FOLDERS = {
    "course": "ipynb",
    "exercises": "ipynb",
    "exercises/checks": "py",
    "solutions": "ipynb",
}
TAGS = {"example", "long", "raises-exception", "solution-only", "swap"}
STEM = re.compile(r"\d\d_[a-z][a-z0-9_]*")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
WORD = re.compile(r"[A-Za-z_]\w*")

# What a notebook needs around its subject, so no card lists it.
PLUMBING = {
    "nnlib": {"manual_seed"},
    "torch": {"allclose", "as_tensor", "equal", "float32", "float64", "from_numpy", "int64"}
    | {"manual_seed", "set_num_threads", "tensor"},
}
INSTRUMENTS = ("nnlib.show.", "nnlib.data.")  # pictures and data sets are no subjects
MODULES = {
    "functional",
    "graph",
    "init",
    "nn",
    "optim",
    "data",
    "metrics",
    "train",
    "show",
    "utils",
}


def stems(home: Path) -> list[str]:
    """The stem of every lesson, exercise, check file and solution there is."""
    files = (path for folder, kind in FOLDERS.items() for path in (home / folder).glob(f"*.{kind}"))
    return sorted({path.stem for path in files})


def files_belong_to_a_lesson(home: Path, stem: str) -> Iterator[str]:
    """A file is called NN_name, and there is a lesson of the same stem."""
    if not STEM.fullmatch(stem):
        yield f"{stem}: files of the course are called NN_name, such as 22_autograd."
    if not (home / "course" / f"{stem}.ipynb").exists():
        yield f"{stem}: there is no course/{stem}.ipynb that it belongs to."


def notebooks_are_clean(home: Path, stem: str) -> Iterator[str]:
    """Canonical form, no machine's traces, alt texts, sections in order: see nncheck.hygiene."""
    for path in files(home, stem):
        for problem in hygiene.problems(notebooks.read(path), path):
            yield f"{path.parent.name}/{path.name}: {problem}"


def card_keeps_its_promises(home: Path, stem: str) -> Iterator[str]:
    """What it uses was introduced before; its exercise exists, or it says why there is none."""
    mine = f"{stem}: "
    yield from (problem for problem in card.problems(card.cards(home)) if problem.startswith(mine))


def exercise_is_built_from_the_solution(home: Path, stem: str) -> Iterator[str]:
    """The committed exercise is what `nncheck build` makes, and shows no line of the solution."""
    solution, exercise = home / "solutions" / f"{stem}.ipynb", home / "exercises" / f"{stem}.ipynb"
    if not solution.exists():
        return
    made = build.blank(notebooks.read(solution), build.points(solution), solution)
    yield from build.difference(made, exercise)
    if exercise.exists():
        for line in build.leaks(notebooks.read(solution), notebooks.read(exercise)):
            yield f"exercises/{stem}.ipynb: shows a line of its solution: {line!r}"


def exercise_asks_its_questions_in_order(home: Path, stem: str) -> Iterator[str]:
    """A section for each question, then `Catch it`, then `Swap`; checks as in the check file."""
    path = home / "solutions" / f"{stem}.ipynb"
    if not path.exists():
        return
    nb = notebooks.read(path)
    questions = exercise_of(home, stem).questions
    checked = [name for name in map(notebooks.checked_name, nb.cells) if name]
    if checked != list(questions):
        yield f"{stem}: the check cells ask {checked}, the check file {list(questions)}."
    section, where = "", {}
    for cell in nb.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            section = cell.source.partition("\n")[0].removeprefix("## ").strip()
        where[notebooks.checked_name(cell)] = section
    for name, question in questions.items():
        if isinstance(question, Catch) != (where.get(name) == "Catch it"):
            yield f"{stem}: question {name} stands in the section {where.get(name)!r}."
    own = [where[name] for name in checked if where[name] != "Catch it"]
    if len(set(own)) < len(own):
        yield f"{stem}: each question has a section of its own; they stand in {own}."
    if section != "Swap":
        yield f"{stem}: the exercise ends with `## Swap`, not with {section!r}."


def solution_shows_every_point(home: Path, stem: str) -> Iterator[str]:
    """Each check cell of the committed solution displays its question's points."""
    path = home / "solutions" / f"{stem}.ipynb"
    if not path.exists():
        return
    questions = exercise_of(home, stem).questions
    for cell in notebooks.read(path).cells:
        question = questions.get(notebooks.checked_name(cell))
        if question:
            shown = [out.get("data", {}).get("text/plain") for out in cell.outputs]
            if shown != [f"{question.points:g}"]:
                yield f"{stem}: check({question.name!r}) shows {shown}, not {question.points:g}."


def figures_say_what_they_show(home: Path, stem: str) -> Iterator[str]:
    """Pictures are not compared, so the data behind one is asserted or printed as a table."""
    for path in files(home, stem):
        code = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]
        for cell, following in zip(code, [*code[1:], None], strict=True):
            shown = [out.data for out in cell.outputs if "image/png" in out.get("data", {})]
            if all("\n" in data.get("text/plain", "").strip() for data in shown):
                continue
            sources = cell.source + "\n" + (following.source if following else "")
            if not re.search(r"^\s*assert\b", sources, re.MULTILINE):
                yield (
                    f"{path.parent.name}/{stem}, cell {cell.id!r}: nothing would notice a wrong "
                    "figure. Assert on the data that it shows, in this cell or in the next."
                )


def tags_are_known(home: Path, stem: str) -> Iterator[str]:
    """Only the tags that mean something here; no comment that would switch nbval off."""
    for path in files(home, stem):
        for cell in notebooks.read(path).cells:
            unknown = set(cell.metadata.get("tags", [])) - TAGS
            if unknown:
                yield f"{path.parent.name}/{stem}, cell {cell.id!r}: unknown tags {unknown}."
            if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source):
                yield f"{path.parent.name}/{stem}, cell {cell.id!r}: a comment for nbval."


def links_lead_somewhere(home: Path, stem: str) -> Iterator[str]:
    """Links to files of the course, from where the notebook stands."""
    for path in files(home, stem):
        for cell in notebooks.read(path).cells:
            for target in LINK.findall(cell.source if cell.cell_type == "markdown" else ""):
                if not (path.parent / target).exists():
                    yield f"{path.parent.name}/{stem}, cell {cell.id!r}: no file {target}."


def torch_stays_where_it_is_compared(home: Path, stem: str) -> Iterator[str]:
    """An exercise imports what its check file USES; torch otherwise in `swap` cells alone."""
    path = home / "solutions" / f"{stem}.ipynb"
    if not path.exists():
        return
    allowed = worker.ALLOWED[exercise_of(home, stem).uses]
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "code" and "swap" not in cell.metadata.get("tags", []):
            roots = {dotted.split(".")[0] for dotted in imports(cell.source).values()}
            for root in roots & {"nnlib", "torch"} - set(allowed):
                yield f"{stem}, cell {cell.id!r}: imports {root}; tag it `swap`, or change USES."


def names_are_on_the_cards(home: Path, stem: str) -> Iterator[str]:
    """What a lesson and its exercise take from nnlib and torch was introduced, or is a ■."""
    cards = card.cards(home)
    mine = next((c for c in cards if c.stem == stem), None)
    if mine is None:
        return
    earlier = [item for c in cards if c.number < mine.number for item in c.introduces]
    items = [*earlier, *mine.introduces, *(use.what for use in mine.uses)]
    allowed = set(WORD.findall(" ".join(items)))
    for path in files(home, stem):
        if path.parent.name == "exercises":
            continue  # part of the solution
        for dotted in sorted(names_used(notebooks.read(path))):
            root, name = subject(dotted)
            if name and name not in allowed | PLUMBING[root]:
                yield (
                    f"{path.parent.name}/{stem}: uses {dotted}, but `{name}` is neither introduced "
                    "on this card or an earlier one, nor a black box (■) on this one."
                )


def names_used(nb: NotebookNode) -> set[str]:
    """What the code cells of a notebook take from nnlib and torch, as dotted names."""
    known: dict[str, str] = {}
    used = set()
    for cell in nb.cells:
        if cell.cell_type == "code":
            known |= imports(cell.source)
            used |= set(chains(ast.parse(worker.without_magics(cell.source)), known))
    return {dotted for dotted in used if dotted.split(".")[0] in PLUMBING}


def imports(source: str) -> dict[str, str]:
    """What each imported name of a cell stands for.

    >>> imports("import nnlib.functional as F\\nfrom torch import nn, optim as o\\nimport torch.nn")
    {'F': 'nnlib.functional', 'nn': 'torch.nn', 'o': 'torch.optim', 'torch': 'torch'}
    """
    found = {}
    for node in ast.walk(ast.parse(worker.without_magics(source))):
        if isinstance(node, ast.Import):
            for name in node.names:
                root = name.name.split(".")[0]
                found[name.asname or root] = name.name if name.asname else root
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                found[name.asname or name.name] = f"{node.module}.{name.name}"
    return found


def chains(tree: ast.AST, known: dict[str, str]) -> Iterator[str]:
    """Each `nn.Linear`-like chain that begins with an imported name, spelled out."""
    if isinstance(tree, (ast.Attribute, ast.Name)):
        parts, node = [], tree
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in known:
            yield ".".join([known[node.id], *reversed(parts)])
            return
    for child in ast.iter_child_nodes(tree):
        yield from chains(child, known)


def subject(dotted: str) -> tuple[str, str]:
    """The library and the first name in it that is no module; "" for modules and instruments.

    >>> subject("nnlib.nn.Linear"), subject("torch.nn.functional"), subject("nnlib.show.graph")
    (('nnlib', 'Linear'), ('torch', ''), ('nnlib', ''))
    """
    root, *rest = dotted.split(".")
    if dotted.startswith(INSTRUMENTS) and rest[-1].islower():
        return root, ""
    return root, next((part for part in rest if part not in MODULES), "")


def files(home: Path, stem: str) -> list[Path]:
    """The notebooks of a lesson that exist."""
    paths = [home / folder / f"{stem}.ipynb" for folder in ("course", "exercises", "solutions")]
    return [path for path in paths if path.exists()]


def exercise_of(home: Path, stem: str) -> Exercise:
    return Exercise(home / "exercises" / "checks" / f"{stem}.py")


RULES = (
    files_belong_to_a_lesson,
    notebooks_are_clean,
    card_keeps_its_promises,
    exercise_is_built_from_the_solution,
    exercise_asks_its_questions_in_order,
    solution_shows_every_point,
    figures_say_what_they_show,
    tags_are_known,
    links_lead_somewhere,
    torch_stays_where_it_is_compared,
    names_are_on_the_cards,
)
