"""Every lesson keeps the whole contract, and every rule of it can be broken."""

import pytest
from nbformat import v4

from nncheck import exercise, notebooks
from tests.course import sample, walk

HOME = exercise.home()


def test_there_are_lessons():
    assert walk.stems(HOME)


@pytest.mark.parametrize("stem", walk.stems(HOME))
@pytest.mark.parametrize("rule", walk.RULES, ids=lambda rule: rule.__name__)
def test_lesson_keeps_the_rule(rule, stem):
    problems = list(rule(HOME, stem))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("rule", walk.RULES, ids=lambda rule: rule.__name__)
def test_a_sound_lesson_keeps_the_rule(rule, tmp_path):
    assert list(rule(sample.write(tmp_path), sample.STEM)) == []


# rule, what it says, which text of the sample is replaced: (in what, old, new)
BROKEN = [
    (
        walk.notebooks_are_clean,
        "no section `## You can now`",
        ("lesson", "## You can now", "## You could"),
    ),
    (
        walk.notebooks_are_clean,
        "sections out of order",
        ("lesson", "## Run", "## Limits\n\n## Run"),
    ),
    (
        walk.notebooks_are_clean,
        "the heading says 92, the file's name 91",
        ("lesson", "# 91 Sample", "# 92 Sample"),
    ),
    (
        walk.notebooks_are_clean,
        "an absolute path: '/home/ada/x.csv'",
        ("lesson", "import torch", "import torch\n\nopen('/home/ada/x.csv')"),
    ),
    (
        walk.notebooks_are_clean,
        "shows a picture without alt text",
        ("lesson", "Nothing.", "![](neuron.png)"),
    ),
    (
        walk.card_keeps_its_promises,
        "uses `ones` (95), but that lesson does not exist yet",
        ("lesson", "■ `ones` (95)", "`ones` (95)"),
    ),
    (
        walk.card_keeps_its_promises,
        "the card says `Exercise: none`, but exercises/91_sample.ipynb exists",
        (
            "lesson",
            ", exercise 10 min |\n| **Exercise** | [exercises/91_sample.ipynb]"
            "(../exercises/91_sample.ipynb) |",
            " |\n| **Exercise** | none: it is to be read |",
        ),
    ),
    (
        walk.exercise_is_built_from_the_solution,
        "differs from its solution in centred",
        ("solution", "## Centred", "## Centre a table"),
    ),
    (
        walk.exercise_is_built_from_the_solution,
        "91_sample.ipynb: shows a line of its solution: 'return X - column_mean(X)'",
        ("exercise", "## Centred", "## Centred\n\n    return X - column_mean(X)"),
    ),
    (
        walk.exercise_asks_its_questions_in_order,
        "the check cells ask ['centred', 'caught'], the check file ['column_mean', 'centred'",
        ("solution", 'check("column_mean")', "column_mean(np.ones((2, 3)))"),
    ),
    (
        walk.exercise_asks_its_questions_in_order,
        "question caught stands in the section 'Catch'",
        ("solution", "## Catch it", "## Catch"),
    ),
    (
        walk.exercise_asks_its_questions_in_order,
        "each question has a section of its own",
        ("solution", "## Centred", "Centred"),
    ),
    (
        walk.exercise_asks_its_questions_in_order,
        "ends with `## Swap`, not with 'Catch it'",
        ("solution", "## Swap", "Swap"),
    ),
    (
        walk.solution_shows_every_point,
        "check('centred') shows ['1'], not 1.5",
        ("checks", "    points=1,\n", "    points=1.5,\n"),
    ),
    (
        walk.tags_are_known,
        "cell 'swap-2': unknown tags {'swop'}",
        ("solution", "%% code swap-2 swap", "%% code swap-2 swop"),
    ),
    (
        walk.tags_are_known,
        "cell 'run-2': a comment for nbval",
        ("lesson", "import torch", "# NBVAL_SKIP\nimport torch"),
    ),
    (
        walk.links_lead_somewhere,
        "cell 'next': no file 92_more.ipynb",
        ("lesson", "Nothing.", "[More](92_more.ipynb), [home](https://example.org)"),
    ),
    (
        walk.torch_stays_where_it_is_compared,
        "cell 'swap-2': imports torch; tag it `swap`",
        ("solution", "%% code swap-2 swap", "%% code swap-2"),
    ),
    (
        walk.torch_stays_where_it_is_compared,
        "cell 'sample-2': imports nnlib",
        ("solution", "import numpy as np", "from nnlib import Tensor"),
    ),
    (
        walk.names_are_on_the_cards,
        "course/91_sample: uses torch.nn.functional.relu, but `relu` is neither introduced",
        ("lesson", "torch.ones(2)", "import torch.nn.functional as F\nF.relu(torch.ones(2))"),
    ),
    (
        walk.names_are_on_the_cards,
        "solutions/91_sample: uses torch.zeros",
        ("solution", "torch.ones(2, 3)", "torch.zeros(2, 3)"),
    ),
]


@pytest.mark.parametrize(
    ("rule", "said", "change"), BROKEN, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_broken_lesson_is_found(rule, said, change, tmp_path):
    what, old, new = change
    home = sample.write(tmp_path, **{what: (old, new)})
    found = list(rule(home, sample.STEM))
    assert any(said in problem for problem in found), found


def test_a_figure_whose_data_nothing_asserts_is_found(tmp_path):
    home = sample.write(tmp_path)
    path = home / "course" / f"{sample.STEM}.ipynb"
    nb = notebooks.read(path)
    cell = next(cell for cell in nb.cells if cell.id == "run-2")
    data = {"image/png": "aGk=", "text/plain": "a line from 1 to 3"}
    cell.outputs = [v4.new_output("display_data", data=data)]

    def problems():
        notebooks.write(nb, path)
        return list(walk.figures_say_what_they_show(home, sample.STEM))

    assert "cell 'run-2': nothing would notice a wrong figure" in problems()[0]
    cell.source += "\nassert X.shape == (2, 2)"
    assert problems() == []
    cell.source = "show.graph(y)"
    data["text/plain"] = "node value\na 3.0"
    cell.outputs = [v4.new_output("display_data", data=data)]
    assert problems() == []


def test_a_file_without_a_lesson_is_found(tmp_path):
    home = sample.write(tmp_path)
    (home / "exercises" / "checks" / "Twelve.py").write_text("")
    (home / "course" / f"{sample.STEM}.ipynb").unlink()
    assert walk.stems(home) == [sample.STEM, "Twelve"]
    assert "no course/91_sample.ipynb" in next(walk.files_belong_to_a_lesson(home, sample.STEM))
    assert "called NN_name" in next(walk.files_belong_to_a_lesson(home, "Twelve"))


def test_an_exercise_solved_in_the_repository_is_sent_to_the_working_copy(tmp_path):
    home = sample.write(tmp_path)
    path = home / "exercises" / f"{sample.STEM}.ipynb"
    nb = notebooks.read(path)
    answer = next(cell for cell in nb.cells if cell.id == "answer-centred")
    answer.source = "def centred(X):\n    return X - X.mean(0)"
    notebooks.write(nb, path)
    [problem] = walk.exercise_is_built_from_the_solution(home, sample.STEM)
    assert "you solved it here (answer-centred)" in problem
    assert "working copy" in problem


def test_every_rule_is_seen_to_fail():
    by_hand = {walk.files_belong_to_a_lesson, walk.figures_say_what_they_show}
    assert {rule for rule, _, _ in BROKEN} == {*walk.RULES} - by_hand
