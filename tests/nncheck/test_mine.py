import importlib
import subprocess
import sys

import numpy as np
import pytest

from nncheck import cli, exercise, mine, notebooks, workcopy
from nncheck.answer import Local
from nncheck.diagnose import Trial
from nncheck.exercise import NOTEBOOK_SEED, Catch
from nncheck.submission import Cell
from tests.nncheck import small_course
from tests.nncheck.small_course import code, md

# A second exercise, which calls other things `relu` and `np`, and uses its own ones.
CHECKS_12 = '''"""Exercise 12: numbers."""

from nncheck.exercise import call, catch, question

USES = "numpy"


def right(z):
    return 3.0 * max(z, 0.0)


@question(points=1, right=right, hints=("one", "two", "three"))
def slope(rng):
    """Three times relu."""
    yield call, rng.normal()


@catch(points=1, right=right, wrong=abs, hints=("one", "two", "three"))
def caught():
    """A number."""
    return -1.0
'''


def exercise_12():
    return small_course.notebook(
        md("# Exercise 12: numbers"),
        code('from nncheck import open_exercise\n\ncheck = open_exercise("12_numbers")'),
        code("import math as np\n\nTHREE = 3.0\nprint(THREE)"),
        code("def relu(z):\n    return np.fabs(z) if z > 0 else 0.0", "example"),
        code("def slope(z):\n    # BEGIN SOLUTION\n    return THREE * relu(z)\n    # END SOLUTION"),
        code('check("slope")'),
        code("def caught():\n    # BEGIN SOLUTION\n    return -1.0\n    # END SOLUTION"),
        code('check("caught")'),
        code('def experiment(slope):\n    print("swapped")\n\n\nexperiment(slope)', "swap"),
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working copy of a small course."""
    home = tmp_path / "home"
    notebooks.write(exercise_12(), home / "solutions" / "12_numbers.ipynb")
    notebooks.write_text(home / "exercises" / "checks" / "12_numbers.py", CHECKS_12)
    notebooks.write(small_course.lesson(number="12"), home / "course" / "12_numbers.ipynb")
    small_course.write_course(home)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    workcopy.start(tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def run(capsys):
    def run():
        assert cli.main(["mine"]) == 0
        return capsys.readouterr().out

    return run


def answer(folder, name, source, stem="11_neuron"):
    small_course.edit(folder / "exercises" / f"{stem}.ipynb", f"answer-{name}", source)


def names_of(text):
    names = {"__name__": "my_nn"}
    exec(text, names)
    return names


# ------------------------------------------------------------------------- the whole course


@pytest.fixture(scope="module")
def lessons():
    return mine.gather()


@pytest.fixture(scope="module")
def borrowed(lessons, tmp_path_factory):
    """A folder with a `my_nn.py` that is made of nothing but the solutions."""
    folder = tmp_path_factory.mktemp("borrowed")
    (folder / "my_nn.py").write_text(mine.compose(lessons), encoding="utf-8")
    return folder


def test_each_answer_of_the_course_passes_its_own_check_under_the_name_that_it_has_there(lessons):
    names = names_of(mine.compose(lessons))
    assert [n.name for n in lessons] == [
        name for name in exercise.names() if exercise.load(name).uses != "torch"
    ]
    for lesson in lessons:
        what = exercise.load(lesson.name)
        assert lesson.borrowed == [
            q.name for q in what.questions.values() if not isinstance(q, Catch)
        ]
        own = names | {old: names[new] for old, new in lesson.renamed.items()}
        trial = Trial(what, NOTEBOOK_SEED)
        verdicts = [trial.judge(Local(own), name) for name in lesson.borrowed]
        assert [v.question for v in verdicts if not v.passed] == []


def test_importing_it_prints_nothing_and_brings_no_checks_and_no_drawing(borrowed):
    done = subprocess.run(
        [sys.executable, "-c", "import my_nn, sys; print(*sys.modules)"],
        cwd=borrowed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert not {"nncheck", "matplotlib", "IPython"} & set(done.stdout.split())
    assert done.stdout.count("\n") == 1


def test_the_file_is_the_same_each_time(borrowed):
    text = (borrowed / "my_nn.py").read_text(encoding="utf-8")
    assert text == mine.compose(mine.gather())
    assert text.count("import numpy as np\n") == 1


def test_catch_it_answers_checks_drawings_and_marks_are_not_in_it(lessons):
    text = mine.compose(lessons)
    for word in ("caught", "open_exercise", "check = ", "experiment", "import torch", "SOLUTION"):
        assert word not in text


# ------------------------------------------------------------------------- a learner's file


OWN = """import math
# shift first? no, there is nothing to shift
def neuron(x, w, b):
    total = summed(x * w)
    return total + b  # the bias once
print("a try")
"""


def test_own_answers_come_with_what_they_use_and_the_rest_is_borrowed(folder, run):
    answer(folder, "neuron", OWN)
    nb = notebooks.read(folder / "exercises" / "11_neuron.ipynb")
    nb.cells.insert(0, code("def summed(x):\n    return math.fsum(x)\ndef unused(): ..."))
    notebooks.write(nb, folder / "exercises" / "11_neuron.ipynb")
    out = run()
    assert "11_neuron   neuron  relu" in out
    assert "12_numbers  -       slope" in out
    assert "my_nn.py is written." in out
    text = (folder / "my_nn.py").read_text()
    assert "Your own answers: 1; borrowed from the course: 2." in text
    comment = "# shift first? no, there is nothing to shift"
    assert f"# 11_neuron: neuron\n{comment}\ndef neuron(x, w, b):" in text
    assert "return total + b  # the bias once\n" in text
    assert "# 11_neuron: summed (a helper)\n" in text
    assert "# 11_neuron: relu  # borrowed\n" in text
    assert "unused" not in text
    assert "a try" not in text
    assert text.count("import math\n") == 1
    assert names_of(text)["neuron"]([2.0], np.full(1, 3.0), 1.0) == 7.0


def test_an_answer_that_does_not_pass_is_borrowed_whatever_stands_there(folder, run):
    answer(folder, "relu", "def relu(z):\n    return -z")
    answer(folder, "neuron", "def neuron(x, w, b):\n    return x @ w + b")
    assert "11_neuron   neuron  relu" in run()
    names = names_of((folder / "my_nn.py").read_text())
    assert names["relu"](3.0) == 3.0


def test_a_deleted_answer_and_a_cell_that_is_not_python_cost_nothing(folder, run):
    path = folder / "exercises" / "11_neuron.ipynb"
    nb = notebooks.read(path)
    nb.cells = [c for c in nb.cells if c.id not in ("answer-relu", "setup", "check-relu")]
    nb.cells += [code("%timeit 3"), code("import numpy as np")]
    notebooks.write(nb, path)
    answer(folder, "neuron", "def neuron(x, w, b):\n    return x @ w + b")
    assert "11_neuron   neuron  relu" in run()
    assert names_of((folder / "my_nn.py").read_text())["relu"](3.0) == 3.0


def test_an_answer_keeps_its_name_and_another_lessons_helper_is_numbered(folder, run):
    out = run()
    assert "With their lesson's number, as another has the name: np_11, relu_12." in out
    text = (folder / "my_nn.py").read_text()
    assert "import math as np\nimport numpy as np_11\n" in text
    names = names_of(text)
    assert names["slope"](2.0) == 6.0
    assert names["relu"](2.0) == 2.0


def test_an_exercise_in_torch_is_left_out(folder, run):
    checks = exercise.checks_in(exercise.home()) / "12_numbers.py"
    checks.write_text(CHECKS_12.replace('USES = "numpy"', 'USES = "torch"'), encoding="utf-8")
    answer(folder, "slope", "def slope(z):\n    return 3.0 * max(z, 0.0)", stem="12_numbers")
    assert "12_numbers" not in run()
    assert "slope" not in (folder / "my_nn.py").read_text(encoding="utf-8")


def test_of_two_answers_of_one_name_the_later_lesson_keeps_it():
    def lesson(name, source):
        return mine.Lesson(name, ["f"], [], list(mine.pieces([Cell("", source)])))

    first = lesson("11_a", "def f(x):\n    return 1 if x else f(True)")
    second = lesson("12_b", "def f():\n    return 2")
    mine._give_numbers([first, second])
    names = names_of(mine.compose([first, second]))
    assert (names["f"](), names["f_11"](False)) == (2, 1)
    assert "# 11_a: f_11\n" in mine.compose([first, second])


def test_a_file_changed_by_hand_stays_and_the_new_one_arrives_beside_it(folder, run):
    run()
    path = folder / "my_nn.py"
    path.write_text("# mine alone\n")
    for _ in range(2):
        assert "my_nn.py: you changed it, so it stays. The new version is my_nn.py.new." in run()
        assert path.read_text() == "# mine alone\n"
    assert len(list(folder.glob("my_nn*"))) == 2
    path.unlink()
    assert "is written" in run()


def test_a_file_that_nobody_touched_is_brought_up_to_date(folder, run):
    run()
    answer(folder, "neuron", "def neuron(x, w, b):\n    return b + x @ w")
    assert "is written" in run()
    assert "b + x @ w" in (folder / "my_nn.py").read_text()


def test_update_leaves_it_alone(folder, run):
    run()
    before = (folder / "my_nn.py").read_bytes()
    workcopy.update(folder)
    workcopy.start(folder)
    assert (folder / "my_nn.py").read_bytes() == before


def test_nothing_is_recorded_by_looking(folder, run):
    answer(folder, "relu", "def relu(z):\n    return -z")
    run()
    assert (folder / "progress.jsonl").read_bytes() == b""


def test_elsewhere_it_says_where_to_go(folder, monkeypatch, capsys):
    (folder / ".nncheck.json").unlink()
    assert cli.main(["mine"]) == 2
    assert "nncheck mine my-course" in capsys.readouterr().err
    (folder / "progress.jsonl").unlink()
    assert cli.main(["mine"]) == 2
    assert "nncheck mine my-course" in capsys.readouterr().err


# ------------------------------------------------------------------------------- in a lesson


@pytest.fixture
def ready(monkeypatch):
    """What a lesson's `mine.ready()` shows, and the module that it then imports."""
    monkeypatch.setitem(sys.modules, "my_nn", None)

    def ready(before="13"):
        shown = mine.ready(before)
        return shown, importlib.import_module("my_nn")

    return ready


def test_a_lesson_imports_what_has_passed_by_now_and_shows_whose_it_is(folder, ready, monkeypatch):
    monkeypatch.chdir(folder / "course")
    shown, my_nn = ready()
    assert "<td>12_numbers</td><td>-</td><td>slope</td>" in shown.html
    assert my_nn.neuron([2.0], np.full(1, 3.0), 1.0) == 7.0
    answer(folder, "neuron", "def neuron(x, w, b):\n    'Mine.'\n    return x @ w + b")
    again, my_nn = ready()
    assert "<td>11_neuron</td><td>neuron</td><td>relu</td>" in again.html
    assert my_nn.neuron.__doc__ == "Mine."
    assert repr(shown) == repr(again) == "my_nn.py is ready."
    assert "'Mine.'" in (folder / "my_nn.py").read_text()


def test_a_lesson_imports_nothing_that_is_built_later(folder, ready, monkeypatch):
    monkeypatch.chdir(folder / "course")
    shown, my_nn = ready(before="12")
    assert "12_numbers" not in shown.html
    assert not hasattr(my_nn, "slope")


def test_a_lesson_imports_the_file_that_was_changed_by_hand(folder, ready):
    (folder / "my_nn.py").write_text("ours = 3")
    shown, my_nn = ready()
    assert my_nn.ours == 3
    assert "you changed it, so it stays. The new version is my_nn.py.new." in shown.html
    assert repr(shown) == "my_nn.py is ready."


def test_outside_a_working_copy_a_lesson_borrows_everything(folder, ready, monkeypatch):
    monkeypatch.chdir(folder.parent)
    shown, my_nn = ready()
    assert my_nn.slope(2.0) == 6.0
    assert "This is no working copy, so all of it is borrowed." in shown.html
    assert repr(shown) == "my_nn.py is ready."
    assert not list(folder.parent.rglob("my_nn*"))


# ------------------------------------------------------------------------------- pieces


def chosen(source, *names):
    found = mine.needed(names, list(mine.pieces([Cell("", source)])))
    return [piece.source for piece in found]


TRY = "try:\n    f = 1\nexcept OSError:\n    f = 2"
USES_STAR = "def f(): return exp(len('a'))"


@pytest.mark.parametrize(
    ("source", "left_out"),
    [
        ("def f(): return 1\n|def f(): return 2", [0]),
        ("class f: ...\n|f.g = h\n|def h(): ...", []),
        ("def f(): ...\n|f = g(f)\n|g = len", []),
        ("f = {}\n|f['a'] = 1\n|print(f)", [2]),
        ("a = 1; f = a", []),
        ("a = 1\n|def f(a): return [b for b in a]\n|b = 2", [0, 2]),
        ("# far\n\n|# near\n@g\ndef f(): ...\n|def g(x): return x", [0]),
        (TRY, []),
        ("from math import *\n|" + USES_STAR, []),
        ("from math import *\n|def f(): return len('a')", [0]),
        ("import os.path\n|import re as r\n|def f(): return r", [0]),
    ],
)
def test_what_a_name_needs_is_taken_and_no_more(source, left_out):
    parts = source.split("|")
    kept = [part.rstrip("\n") for i, part in enumerate(parts) if i not in left_out]
    assert chosen("".join(parts), "f") == kept


@pytest.mark.parametrize(
    "source",
    [
        "def R(x): return R(x) + np.relu(x)",
        "def f(relu): return relu(1)",
        "def f(): return g(relu=R)",
        "class V:\n    def relu(self): return R(self)",
        "class V:\n    relu = 3\n    def m(self): return self.relu + R(1)",
        "@R\nclass R: ...",
        "é = 'é'; R = R(é)",
        "def f(é): return f'{é} {R(é):.2f} relu'",
        "def f():\n    global a, R\n    R = [R for _ in R]",
    ],
)
def test_renaming_touches_global_names_only(source):
    assert mine.rename(source.replace("R", "relu"), {"relu": "R"}) == source


def test_the_answers_run_in_another_process(folder, run):
    answer(folder, "neuron", "import sys\nsys.here = 1\ndef neuron(x, w, b):\n    return x @ w + b")
    assert "11_neuron   neuron  relu" in run()
    assert not hasattr(sys, "here")
