import ast

import pytest
from nbformat import v4

from nncheck import build, notebooks
from tests.nncheck.small_course import cell, code, edit, md, notebook, solution, write_course

POINTS = {"neuron": 2, "relu": 1}


def stubbed(*lines):
    return build.stubbed("\n".join(lines)).split("\n")


# ---- regions


def test_a_stub_stands_at_the_indentation_of_its_region():
    assert stubbed(
        "class Value:",
        "    def __init__(self, data):",
        "        self.data = data",
        "",
        "    def __mul__(self, other):",
        "        # BEGIN SOLUTION",
        "        if other:",
        "            return 1",
        "        # END SOLUTION",
        "",
        "    def __add__(self, other):",
        "        ### BEGIN SOLUTION",
        "        return 2",
        "        ### END SOLUTION",
        "        return self",
    ) == [
        "class Value:",
        "    def __init__(self, data):",
        "        self.data = data",
        "",
        "    def __mul__(self, other):",
        "        # YOUR CODE HERE",
        "        raise NotImplementedError",
        "",
        "    def __add__(self, other):",
        "        # YOUR CODE HERE",
        "        raise NotImplementedError",
        "        return self",
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["def f():", "    # BEGIN SOLUTION", "    # BEGIN SOLUTION", "    # END SOLUTION"],
            "line 3: BEGIN SOLUTION inside the region that began on line 2",
        ),
        (["def f():", "    pass", "    # END SOLUTION"], "line 3: END SOLUTION without a BEGIN"),
        (
            ["def f():", "    # BEGIN SOLUTION", "    return 1"],
            "line 2: this BEGIN SOLUTION has no END",
        ),
        (
            ["def f():  # BEGIN SOLUTION", "    return 1"],
            "line 1: the mark of a region needs a line",
        ),
        (["# BEGIN SOLUTION", "x = 1", "# END SOLUTION"], "outside a function"),
        (
            ["class A:", "    # BEGIN SOLUTION", "    def f(self): pass", "    # END SOLUTION"],
            "outside a function",
        ),
        (
            ["def f():", "    if True:", "        # BEGIN SOLUTION", "# END SOLUTION", "  x"],
            "it is not Python",
        ),
    ],
)
def test_a_region_that_does_not_add_up_is_named_with_its_line(lines, said):
    with pytest.raises(ValueError, match="cell 'answer-f'") as error:
        build.stubbed("\n".join(lines), "cell 'answer-f'")
    assert said in str(error.value)


# ---- a whole notebook


def test_an_exercise_has_stubs_and_marks_and_nothing_of_the_solution():
    done = solution()
    for each in done.cells:
        if each.cell_type == "code":
            each.execution_count = 3
    nb = build.blank(done, POINTS)
    assert [c.id for c in nb.cells] == [c.id for c in done.cells][:-1]
    assert cell(nb, "answer-neuron").source.endswith(
        "# YOUR CODE HERE\n    raise NotImplementedError"
    )
    assert cell(nb, "answer-neuron").metadata.nbgrader.solution is True
    assert cell(nb, "check-neuron").metadata.nbgrader.points == 2
    assert cell(nb, "check-neuron").metadata.deletable is False
    assert all(not c.get("outputs") and not c.get("execution_count") for c in nb.cells)
    assert "Only for those who solved it" not in notebooks.text(nb)
    assert "SOLUTION" not in notebooks.text(nb)
    assert all(ast.parse(c.source) for c in nb.cells if c.cell_type == "code")
    assert build.leaks(done, nb) == []


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"neuron": 2}, "asks for a question that the check file does not have"),
        (
            POINTS | {"bias": 1},
            r'question bias needs exactly one cell check\("bias"\); there are 0',
        ),
    ],
)
def test_questions_and_check_cells_must_match(points, said):
    with pytest.raises(ValueError, match=said):
        build.blank(solution(), points)


def test_a_question_needs_one_answer_and_one_check():
    nb = solution()
    nb.cells.append(code('check("relu")', id="check-relu-2"))
    with pytest.raises(ValueError, match=r"question relu needs exactly one cell.*there are 2"):
        build.blank(nb, POINTS)
    nb = solution()
    cell(nb, "answer-relu").source = "def relu(z):\n    return z"
    with pytest.raises(ValueError, match=r"definition of relu with a solution region.*are 0"):
        build.blank(nb, POINTS)


# ---- leaks


def leak_from(text_cell, *more):
    region = "def f(x):\n    # BEGIN SOLUTION\n    y = x * w + b\n    return y\n    # END SOLUTION"
    done = notebook(code(region), *more)
    shown = notebook(code(build.stubbed(region)), text_cell, *more)
    return build.leaks(done, shown)


def test_a_solution_line_in_prose_a_comment_or_an_output_is_a_leak():
    assert leak_from(md("Write `y = x * w + b`.")) == ["y = x * w + b"]
    assert leak_from(code("# y = x * w + b")) == ["y = x * w + b"]
    printed = v4.new_output("stream", name="stdout", text="y = x * w + b\n")
    assert leak_from(code("1", outputs=[printed])) == ["y = x * w + b"]
    assert leak_from(md("Nothing here, though `return y` is short.")) == []


def test_a_line_that_given_code_shows_as_well_is_no_leak():
    example = code("def g(x):\n    y = x * w + b", "example")
    assert leak_from(md("text"), example) == []


# ---- the command


def test_building_twice_writes_once(tmp_path):
    home = write_course(tmp_path)
    made = home / "exercises" / "11_neuron.ipynb"
    made.unlink()
    assert build.build(home) == ["exercises/11_neuron.ipynb: written"]
    written = made.stat().st_mtime_ns
    assert build.build(home) == []
    assert build.build(home, check=True) == []
    assert made.stat().st_mtime_ns == written


def test_the_check_says_where_an_exercise_differs_and_writes_nothing(tmp_path):
    home = write_course(tmp_path)
    made = home / "exercises" / "11_neuron.ipynb"
    edit(made, "a-bend", "## Another bend")
    before = made.read_bytes()
    assert build.build(home, check=True) == [
        "exercises/11_neuron.ipynb: differs from its solution in a-bend. Run `nncheck build`."
    ]
    assert made.read_bytes() == before
    made.unlink()
    assert build.build(home, check=True) == [
        "exercises/11_neuron.ipynb: missing. Run `nncheck build`."
    ]


def test_a_learner_who_solved_it_in_the_repository_is_sent_to_the_working_copy(tmp_path):
    home = write_course(tmp_path)
    made = home / "exercises" / "11_neuron.ipynb"
    edit(made, "answer-neuron", "def neuron(x, w, b):\n    return x @ w + b")
    nb = notebooks.read(made)
    cell(nb, "check-neuron").execution_count = 4  # and ran it
    notebooks.write(nb, made)
    (said,) = build.build(home, check=True)
    assert "you solved it here (answer-neuron)" in said
    assert "nncheck start my-course" in said


def test_an_exercise_that_was_only_run_is_told_so(tmp_path):
    home = write_course(tmp_path)
    made = home / "exercises" / "11_neuron.ipynb"
    nb = notebooks.read(made)
    cell(nb, "check-neuron").execution_count = 4
    notebooks.write(nb, made)
    assert "has outputs or metadata" in build.build(home, check=True)[0]


def test_an_exercise_without_a_solution_and_a_solution_without_checks_are_named(tmp_path):
    home = write_course(tmp_path)
    notebooks.write(notebook(md("# x")), home / "exercises" / "12_perceptron.ipynb")
    assert "there is no solutions/12_perceptron.ipynb" in build.build(home, check=True)[0]
    notebooks.write(notebook(md("# x")), home / "solutions" / "12_perceptron.ipynb")
    with pytest.raises(FileNotFoundError, match=r"needs exercises/checks/12_perceptron\.py"):
        build.build(home)
