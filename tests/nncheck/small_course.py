"""A course of two lessons and one exercise, written into a folder for a test."""

from pathlib import Path

from nbformat import NotebookNode, v4

from nncheck import build, notebooks

CARD = """# {number} {title}

| | |
|---|---|
| **The idea** | A weighted sum, `w @ x + b`, and one bend. |
| **Introduces** | {introduces} |
| **Uses** | {uses} |
| **Time** | {time} |
| **Exercise** | {exercise} |
"""

CHECKS = '''"""Exercise 11: one neuron."""

from nncheck.exercise import call, question

USES = "numpy"


def weighted(x, w, b):
    return x @ w + b


def bent(z):
    return max(z, 0.0)


@question(points=2, right=weighted, hints=("one", "two", "three"))
def neuron(rng):
    """A weighted sum plus a bias."""
    yield call, rng.normal(size=3), rng.normal(size=3), rng.normal()


@question(points=1, right=bent, hints=("one", "two", "three"))
def relu(rng):
    """Zero where it is negative."""
    yield call, rng.normal()
'''


def md(text: str, **kept) -> NotebookNode:
    return v4.new_markdown_cell(text, **kept)


def code(text: str, *tags: str, **kept) -> NotebookNode:
    return v4.new_code_cell(text, metadata={"tags": list(tags)} if tags else {}, **kept)


def notebook(*cells: NotebookNode) -> NotebookNode:
    return notebooks.canonical(raw(*cells))


def raw(*cells: NotebookNode) -> NotebookNode:
    """A notebook as it comes: new_notebook would already repair its ids."""
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(), cells=list(cells))


def card_cell(
    number="11",
    title="Neuron",
    introduces="`neuron`; bias",
    uses="■ NumPy arrays (02)",
    time="25 min, exercise 40 min",
    exercise="[exercises/11_neuron.ipynb](../exercises/11_neuron.ipynb)",
) -> NotebookNode:
    return md(
        CARD.format(
            number=number,
            title=title,
            introduces=introduces,
            uses=uses,
            time=time,
            exercise=exercise,
        )
    )


def lesson(*cells: NotebookNode, **card) -> NotebookNode:
    last = (md("## You can now\n\nSay what a neuron computes."), md("## Next\n\nLayers."))
    return notebook(card_cell(**card), *cells, *last)


def solution() -> NotebookNode:
    return notebook(
        md("# Exercise 11: one neuron"),
        code(
            "import numpy as np\n\nfrom nncheck import open_exercise\n\n"
            'check = open_exercise("11_neuron")'
        ),
        md("## A weighted sum"),
        code(
            "def neuron(x, w, b):\n"
            '    """x (D,), w (D,), b a number."""\n'
            "    # BEGIN SOLUTION\n"
            "    total = x @ w\n"
            "    return total + b\n"
            "    # END SOLUTION"
        ),
        code('check("neuron")'),
        md("## A bend"),
        code(
            "def relu(z):\n    # BEGIN SOLUTION\n    return np.maximum(z, 0.0)\n    # END SOLUTION"
        ),
        code('check("relu")'),
        md("Only for those who solved it.", metadata={"tags": ["solution-only"]}),
    )


def write_course(home: Path) -> Path:
    """Write course/, solutions/, exercises/ with checks/, and constraints.txt; nothing is run."""
    first = lesson(
        code("1 + 1"),
        number="00",
        title="Start here",
        introduces="the map",
        time="10 min",
        exercise="none: it is the map",
    )
    notebooks.write(first, home / "course" / "00_start_here.ipynb")
    notebooks.write(lesson(code("print(2)")), home / "course" / "11_neuron.ipynb")
    notebooks.write(solution(), home / "solutions" / "11_neuron.ipynb")
    notebooks.write_text(home / "exercises" / "checks" / "11_neuron.py", CHECKS)
    notebooks.write_text(home / "constraints.txt", "numpy==2.0.0\n")
    build.build(home)
    return home


def cell(nb: NotebookNode, cell_id: str) -> NotebookNode:
    return next(cell for cell in nb.cells if cell.id == cell_id)


def edit(path: Path, cell_id: str, source: str) -> None:
    """Change a cell of a notebook file, as a learner would."""
    nb = notebooks.read(path)
    cell(nb, cell_id).source = source
    notebooks.write(nb, path)
