import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyterlab_server.settings_utils import _get_overrides

from nncheck import build, notebooks, workcopy
from tests.nncheck.small_course import cell, code, edit, md, write_course

ANSWER = "def neuron(x, w, b):\n    return x @ w + b"
EXERCISE = "exercises/11_neuron.ipynb"
NEW = "exercises/11_neuron.new.ipynb"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(tmp_path / "home"))
    return write_course(tmp_path / "home")


@pytest.fixture
def copy(home, tmp_path):
    folder = tmp_path / "my-course"
    assert workcopy.start(folder) == 0
    return folder


def contents(folder):
    """Every file with its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def teach(home, text):
    """The course moves on: another text in the exercise."""
    edit(home / "solutions" / "11_neuron.ipynb", "a-bend", text)
    build.build(home)


def updated(copy, capsys):
    capsys.readouterr()
    assert workcopy.update(copy) == 0
    return capsys.readouterr().out


# ---- start


def test_a_working_copy_holds_lessons_without_outputs_and_what_a_learner_needs(home, tmp_path):
    lesson = home / "course" / "11_neuron.ipynb"
    notebooks.write(notebooks.execute(notebooks.read(lesson), home), lesson)
    folder = tmp_path / "a folder" / "my course ü"
    workcopy.start(folder)
    assert set(contents(folder)) == {
        ".github/workflows/check.yml",
        ".gitignore",
        ".nncheck.json",
        "README.md",
        "constraints.txt",
        "course/00_start_here.ipynb",
        "course/11_neuron.ipynb",
        "exercises/11_neuron.ipynb",
        "progress.jsonl",
    }
    for path in folder.rglob("*.ipynb"):
        nb = nbformat.read(path, as_version=4)
        nbformat.validate(nb)
        assert all(not c.outputs and c.execution_count is None for c in nb.cells if "outputs" in c)
    assert (folder / EXERCISE).read_bytes() == (home / EXERCISE).read_bytes()
    assert (folder / "constraints.txt").read_text(encoding="utf-8") == "numpy==2.0.0\n"


def test_starting_again_changes_nothing(copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    (copy / "progress.jsonl").write_text('{"event": "try"}\n', encoding="utf-8")
    before = contents(copy)
    capsys.readouterr()
    assert workcopy.start(copy) == 0
    assert contents(copy) == before
    said = capsys.readouterr().out
    assert said == f"Your working copy is {copy}: 0 files written, 7 in all.\n"


def test_a_deleted_file_comes_back_untouched(copy):
    before = contents(copy)
    (copy / EXERCISE).unlink()
    (copy / "progress.jsonl").unlink()
    workcopy.start(copy)
    assert contents(copy) == before


def test_a_start_that_was_stopped_half_way_is_completed_by_the_next(copy, monkeypatch):
    whole = contents(copy)
    shutil.rmtree(copy)
    write, count = notebooks.write_text, 0

    def fails(path, text):
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(notebooks, "write_text", fails)
    with pytest.raises(KeyboardInterrupt):
        workcopy.start(copy)
    assert 1 < len(contents(copy)) < len(whole)
    monkeypatch.undo()
    monkeypatch.setenv("NNCHECK_EXERCISES", str(copy.parent / "home"))
    workcopy.start(copy)
    assert contents(copy) == whole


def test_a_folder_with_other_things_is_refused_and_left_alone(home, tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds other things and is not a working copy"):
        workcopy.start(folder)
    assert list(contents(folder)) == ["chapter.txt"]
    with pytest.raises(FileExistsError, match="is a file"):
        workcopy.start(folder / "chapter.txt")


def test_an_empty_folder_is_welcome(home, tmp_path):
    (tmp_path / "empty").mkdir()
    assert workcopy.start(tmp_path / "empty") == 0


def test_a_course_without_notebooks_is_named(tmp_path, monkeypatch):
    (tmp_path / "exercises" / "checks").mkdir(parents=True)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="holds no notebooks; expected course/"):
        workcopy.start(tmp_path / "my-course")
    assert not (tmp_path / "my-course").exists()


def test_a_start_on_an_older_copy_says_that_there_is_news(home, copy, capsys):
    teach(home, "## Another bend")
    capsys.readouterr()
    workcopy.start(copy)
    said = capsys.readouterr().out
    assert f"Files with a newer version: 1. Bring them in: nncheck update {copy}" in said


# ---- update


def test_an_update_without_news_changes_nothing(copy, capsys):
    before = contents(copy)
    assert updated(copy, capsys) == "Everything is up to date.\n"
    assert contents(copy) == before


def test_an_untouched_file_is_replaced(home, copy, capsys):
    teach(home, "## Another bend")
    assert updated(copy, capsys) == f"{EXERCISE}: updated\n"
    assert (copy / EXERCISE).read_bytes() == (home / EXERCISE).read_bytes()
    assert updated(copy, capsys) == "Everything is up to date.\n"


def test_a_notebook_that_was_only_run_and_saved_counts_as_untouched(home, copy, capsys):
    nb = notebooks.execute(notebooks.read(copy / "course" / "11_neuron.ipynb"), copy)
    nb.metadata["language_info"]["version"] = "3.11.7"
    (copy / "course" / "11_neuron.ipynb").write_text(nbformat.writes(nb), encoding="utf-8")
    assert updated(copy, capsys) == "Everything is up to date.\n"
    edit(home / "course" / "11_neuron.ipynb", "11-neuron-2", "print(3)")
    assert updated(copy, capsys) == "course/11_neuron.ipynb: updated\n"


def test_a_changed_exercise_stays_and_the_new_one_arrives_with_its_answers(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    mine = (copy / EXERCISE).read_bytes()
    teach(home, "## Another bend")
    said = updated(copy, capsys)
    assert f"{EXERCISE}: you changed it, so it stays. The new version is {NEW}" in said
    assert "with your neuron in it" in said
    assert (copy / EXERCISE).read_bytes() == mine
    new = notebooks.read(copy / NEW)
    assert cell(new, "answer-neuron").source == ANSWER
    assert cell(new, "a-bend").source == "## Another bend"
    assert "YOUR CODE HERE" in cell(new, "answer-relu").source


def test_an_update_twice_brings_the_new_version_once(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    teach(home, "## Another bend")
    updated(copy, capsys)
    before = contents(copy)
    assert updated(copy, capsys) == "Everything is up to date.\n"
    assert contents(copy) == before


def test_an_answer_that_moved_to_another_cell_is_found_by_its_name(home, copy, capsys):
    nb = notebooks.read(copy / EXERCISE)
    cell(nb, "answer-neuron").source = "# see below"
    nb.cells.append(code(ANSWER, id="4fef7ba0"))
    nb.cells.append(code("def relu(z): return (z > 0) * z"))
    del nb.cells[[c.id for c in nb.cells].index("answer-relu")]
    notebooks.write(nb, copy / EXERCISE)
    teach(home, "## Another bend")
    assert "with your neuron, relu in it" in updated(copy, capsys)
    assert cell(notebooks.read(copy / NEW), "answer-neuron").source == ANSWER


def test_a_stub_that_was_not_touched_becomes_the_new_stub(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    solution = home / "solutions" / "11_neuron.ipynb"
    text = "def relu(z):\n    # BEGIN SOLUTION\n    return max(z, 0)\n    # END SOLUTION\n    # new"
    edit(solution, "answer-relu", text)
    build.build(home)
    updated(copy, capsys)
    assert cell(notebooks.read(copy / NEW), "answer-relu").source.endswith("# new")


def test_an_arrival_that_the_learner_worked_on_is_not_overwritten(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    teach(home, "## Bend 2")
    updated(copy, capsys)
    edit(copy / NEW, "answer-relu", "def relu(z):\n    return max(z, 0)")
    mine = (copy / NEW).read_bytes()
    teach(home, "## Bend 3")
    assert "11_neuron.new-2.ipynb" in updated(copy, capsys)
    assert (copy / NEW).read_bytes() == mine


def test_an_arrival_that_nobody_touched_makes_way_for_the_next(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    for number in (2, 3):
        teach(home, f"## Bend {number}")
        updated(copy, capsys)
    assert sorted(path.name for path in (copy / "exercises").iterdir()) == [
        "11_neuron.ipynb",
        "11_neuron.new.ipynb",
    ]
    assert cell(notebooks.read(copy / NEW), "a-bend").source == "## Bend 3"


def test_the_new_version_can_take_the_old_ones_place(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    teach(home, "## Another bend")
    updated(copy, capsys)
    os.replace(copy / NEW, copy / EXERCISE)
    assert updated(copy, capsys) == "Everything is up to date.\n"
    assert not (copy / NEW).exists()


def test_notes_in_a_lesson_are_kept(home, copy, capsys):
    path = copy / "course" / "11_neuron.ipynb"
    nb = notebooks.read(path)
    nb.cells.append(md("My note."))
    notebooks.write(nb, path)
    edit(home / "course" / "11_neuron.ipynb", "11-neuron-2", "print(3)")
    assert "The new version is course/11_neuron.new.ipynb." in updated(copy, capsys)
    assert notebooks.read(path).cells[-1].source == "My note."


def test_two_cells_of_one_id_are_both_looked_at(home, copy, capsys):
    nb = notebooks.read(copy / EXERCISE)
    original = cell(nb, "answer-neuron")
    at = nb.cells.index(original)
    nb.cells.insert(at, code(ANSWER, id="answer-neuron"))
    notebooks.write_text(copy / EXERCISE, notebooks.text(nb))
    teach(home, "## Another bend")
    assert "you changed it" in updated(copy, capsys)


@pytest.mark.parametrize(
    "text", ["", "{ torn", "<<<<<<< HEAD\n{}", '{"nbformat": 3, "worksheets": []}']
)
def test_a_damaged_notebook_stays_and_a_whole_one_arrives(home, copy, capsys, text):
    (copy / EXERCISE).write_text(text, encoding="utf-8")
    teach(home, "## Another bend")
    said = updated(copy, capsys)
    assert "none of your answers could be carried over" in said
    assert (copy / EXERCISE).read_text(encoding="utf-8") == text
    assert (copy / NEW).read_bytes() == (home / EXERCISE).read_bytes()


def test_a_changed_workflow_stays_and_the_new_one_does_not_run_beside_it(copy, capsys, monkeypatch):
    workflow = copy / ".github" / "workflows" / "check.yml"
    workflow.write_text("name: mine\n", encoding="utf-8")
    there = workcopy.contents()
    there[".github/workflows/check.yml"] += "# newer\n"
    monkeypatch.setattr(workcopy, "contents", lambda: there)
    assert "check.yml.new" in updated(copy, capsys)
    assert workflow.read_text(encoding="utf-8") == "name: mine\n"
    assert sorted(path.suffix for path in workflow.parent.iterdir()) == [".new", ".yml"]


def test_line_ends_that_git_changed_are_no_change(copy, capsys):
    path = copy / "README.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert updated(copy, capsys) == "Everything is up to date.\n"


def test_without_its_memory_an_update_overwrites_nothing(home, copy, capsys):
    edit(copy / EXERCISE, "answer-neuron", ANSWER)
    mine = (copy / EXERCISE).read_bytes()
    (copy / ".nncheck.json").write_text("{ torn", encoding="utf-8")
    teach(home, "## Another bend")
    updated(copy, capsys)
    assert (copy / EXERCISE).read_bytes() == mine
    assert cell(notebooks.read(copy / NEW), "answer-neuron").source == ANSWER


def test_a_new_lesson_arrives_and_a_dropped_one_stays(home, copy, capsys):
    os.replace(home / "course" / "00_start_here.ipynb", home / "course" / "01_notebooks.ipynb")
    assert updated(copy, capsys) == "course/01_notebooks.ipynb: added\n"
    assert notebooks.read(copy / "course" / "01_notebooks.ipynb").cells
    assert (copy / "course" / "00_start_here.ipynb").exists()


def test_an_update_of_another_folder_is_refused(home, tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a working copy"):
        workcopy.update(tmp_path)
    assert not (tmp_path / ".nncheck.json").exists()


# ---- opening


def test_lab_gets_the_settings_of_the_course_before_those_of_the_user(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    found = workcopy.lab_environment()
    ours = str(notebooks.TEMPLATES / "jupyter")
    assert found["JUPYTER_CONFIG_PATH"] == os.pathsep.join([ours, "theirs"])
    assert found["JUPYTER_PATH"] == ours


def test_kernels_count_with_one_thread_unless_somebody_chose_another_number(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    found = workcopy.lab_environment()
    assert found["OMP_NUM_THREADS"] == "1"
    assert found["OPENBLAS_NUM_THREADS"] == "4"


def test_the_installed_lab_reads_our_settings_and_our_kernel(tmp_path, monkeypatch):
    for name, value in workcopy.lab_environment().items():
        monkeypatch.setenv(name, value)
    settings, _ = _get_overrides(str(tmp_path))
    news = settings["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}
    kernel = KernelSpecManager().get_kernel_spec("python3")
    assert kernel.env["PYDEVD_DISABLE_FILE_VALIDATION"] == "1"
    assert "--IPKernelApp.log_level=ERROR" in kernel.argv


@pytest.fixture
def seen(monkeypatch):
    """How JupyterLab would have been started."""
    seen = {}

    class Lab:
        def __init__(self, command, **options):
            seen.update(command=command, **options)

        def wait(self):
            return 0

    monkeypatch.setattr(subprocess, "Popen", Lab)
    return seen


def test_opening_starts_lab_on_the_first_page_of_this_copy(copy, seen):
    assert workcopy.start(copy, open=True) == 0
    assert seen["command"][:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={copy.resolve()}" in seen["command"]
    assert "--LabApp.default_url=/lab/tree/course/00_start_here.ipynb" in seen["command"]
    assert seen["cwd"] == copy.resolve()
    assert "templates" in seen["env"]["JUPYTER_CONFIG_PATH"]


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_only_the_superuser_of_a_container_is_let_through(copy, seen, monkeypatch, user, allowed):
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    workcopy.open_lab(copy)
    assert ("--allow-root" in seen["command"]) == allowed
