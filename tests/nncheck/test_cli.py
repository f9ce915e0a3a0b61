import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from nncheck import checkup, child, cli, progress
from tests.nncheck import samples

FIRST = 'from nncheck import open_exercise\ncheck = open_exercise("01_functions")'
SOFTMAX = """import numpy as np
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
WRONG = SOFTMAX.replace("axis=1", "axis=0")
PREDICT = "def predict(logits):\n    return np.argmax(softmax(logits), axis=1)"
STUB = "def {}(*x):\n    # YOUR CODE HERE\n    raise NotImplementedError"


def notebook(path, softmax=SOFTMAX, predict=PREDICT, caught=samples.CAUGHT):
    answers = {"softmax": softmax, "predict": predict, "missing_transpose": caught}
    cells = [("first", FIRST)]
    for name, source in answers.items():
        cells.append((f"answer-{name}", STUB.format(name) if source is None else source))
        cells.append((f"check-{name}", f'check("{name}")'))
    cells = [{"cell_type": "code", "id": i, "source": s, "metadata": {}} for i, s in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    return path


@pytest.fixture(autouse=True)
def sample(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def copy(monkeypatch, tmp_path):
    """A working copy that we stand in."""
    folder = tmp_path / "my-course"
    notebook(folder / "exercises" / "01_functions.ipynb", None, None, None)
    (folder / "progress.jsonl").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(capsys):
    """Run a command: its exit code, what it printed, what it complained about."""

    def run(*arguments):
        code = cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_right_answers_pass_and_exit_with_0(run, tmp_path):
    code, out, err = run("check", notebook(tmp_path / "01_functions.ipynb"))
    assert code == 0
    assert "01_functions: 4 of 4 points" in out
    assert "4 of 4 points; questions: 3 passed." in out
    assert [n for n in out.splitlines() if "softmax" in n] == ["  softmax              2/2  passed"]
    assert err == ""


@pytest.mark.parametrize("fenced", [True, False])
def test_a_check_keeps_which_guarantees_held(tmp_path, monkeypatch, fenced):
    def refuse(uses):
        raise child.Unavailable("none here")

    monkeypatch.setattr(child, "zygote_for", child.zygote_for if fenced else refuse)
    worker = child.start("numpy", 1 << 28)
    worker.kill()
    sheet = checkup.check(notebook(tmp_path / "01_functions.ipynb"), "01_functions")
    assert sheet.guarantees == worker.guarantees
    assert sheet.points == 4


def test_an_untouched_notebook_is_0_points_not_done_and_exits_with_0(run, copy):
    code, out, _ = run("check")
    assert code == 0
    assert "01_functions: 0 of 4 points" in out
    assert out.count("not done") >= 3
    assert "0 of 4 points; questions: 3 not done." in out


def test_a_started_question_that_fails_is_named_and_exits_with_1(run, copy):
    notebook(copy / "exercises" / "01_functions.ipynb", WRONG, None, None)
    code, out, _ = run("check")
    assert code == 1
    words = " ".join(out.split())
    assert "softmax 0/2 failed over_the_batch: You normalised over the batch" in words
    assert "Started and not right: 01_functions: softmax." in words


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"predict": "def predict(logits):\n    return (1"}, "not Python yet"),
        ({"predict": "import numpyy\n" + PREDICT}, "No module named 'numpyy'"),
        ({"predict": "x = 1"}, "There is no predict any more"),
    ],
)
def test_one_bad_cell_leaves_the_other_questions_checked(run, tmp_path, answers, said):
    code, out, _ = run("check", notebook(tmp_path / "01_functions.ipynb", **answers))
    assert code == 1
    assert "3 of 4 points" in out
    assert said in " ".join(out.split())


def test_a_damaged_notebook_gets_a_named_row_for_each_question_and_no_traceback(run, tmp_path):
    path = tmp_path / "01_functions.ipynb"
    path.write_text('{"cells": [')
    code, out, err = run("check", path)
    assert code == 1
    assert "0 of 4 points; questions: 3 error." in out
    assert "is not a notebook" in out
    assert "Traceback" not in out + err


def test_a_renamed_notebook_is_known_by_what_it_opens(run, tmp_path):
    code, out, _ = run("check", notebook(tmp_path / "mine.ipynb"))
    assert code == 0
    assert "01_functions: 4 of 4" in out


def test_a_folder_is_checked_and_a_copy_beside_its_original_is_left_out(run, tmp_path):
    notebook(tmp_path / "set" / "01_functions.ipynb")
    notebook(tmp_path / "set" / "01_functions-Copy1.ipynb", None)
    (tmp_path / "set" / "other.ipynb").write_text("{")
    assert [p.name for p, _ in checkup.targets([str(tmp_path / "set")])] == ["01_functions.ipynb"]
    notebook(tmp_path / "renamed" / "mine.ipynb")
    assert [p.name for p, _ in checkup.targets([str(tmp_path / "renamed")])] == ["mine.ipynb"]


def test_a_name_or_number_means_the_notebook_of_the_working_copy(run, copy):
    for name in ("01", "01_functions", "functions"):
        assert checkup.targets([name]) == [
            (copy / "exercises" / "01_functions.ipynb", "01_functions")
        ]


def test_solutions_means_the_courses_own_from_anywhere(monkeypatch, tmp_path):
    home = tmp_path / "home"
    (home / "exercises" / "checks").mkdir(parents=True)
    source = (samples.HOME / "exercises/checks/01_functions.py").read_text()
    (home / "exercises" / "checks" / "01_functions.py").write_text(source)
    notebook(home / "solutions" / "01_functions.ipynb")
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    assert checkup.targets(["solutions"]) == [
        (home / "solutions" / "01_functions.ipynb", "01_functions")
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "99"], "There is no exercise called '99'. There are: 01_functions"),
        (["check", "nowhere/at_all.ipynb"], "There is no notebook or folder nowhere/at_all.ipynb"),
        (["check", "02_objects"], "There is no 02_objects.ipynb in"),
        (["check", "."], "holds no exercise notebook"),
        (["check", "--require", "eleven"], "write exercise numbers like 11-15"),
        (["check", "--exercises", "nowhere", "01"], "nowhere holds no exercises"),
        (["progress"], ". is no working copy"),
        (["progress", "nowhere"], "nowhere is no working copy"),
        (["update"], "This is no working copy"),
    ],
)
def test_a_mistake_in_the_command_exits_with_2_and_a_sentence(run, arguments, said):
    code, out, err = run(*arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in out + err


def test_a_notebook_that_belongs_to_no_exercise_is_told(run, tmp_path):
    path = tmp_path / "other.ipynb"
    path.write_text('{"cells": []}')
    code, _, err = run("check", path)
    assert code == 2
    assert "belongs to no exercise" in err


@pytest.mark.parametrize(
    "command",
    ["", "check", "start", "update", "progress", "mine", "review", "build", "notebooks"],
)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"] if command else ["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: nncheck")
    assert len(out) > 200


def test_the_meaning_of_the_exit_code_is_in_the_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["check", "--help"])
    assert "an untouched one counts as 0 points and\nfails nothing" in capsys.readouterr().out


# ------------------------------------------------------------------------------- workflows


def test_what_is_required_must_have_passed(run, copy):
    code, out, _ = run("check", "--ci", "--require", "01")
    assert code == 1
    assert "Required and not passed: 01_functions: softmax" in out
    notebook(copy / "exercises" / "01_functions.ipynb")
    assert run("check", "--ci", "--require", "01")[0] == 0
    code, out, _ = run("check", "--ci", "--require", "01-03")
    assert code == 1
    assert "02_objects (no notebook), 03_library (no notebook)" in out


def test_a_passed_question_that_broke_fails_even_when_it_is_a_stub_again(run, copy):
    notebook(copy / "exercises" / "01_functions.ipynb", predict=None, caught=None)
    assert run("check")[0] == 0
    notebook(copy / "exercises" / "01_functions.ipynb", None, None, None)
    code, out, _ = run("check", "--ci")
    assert code == 1
    assert "This has passed before." in " ".join(out.split())


def test_a_question_whose_check_changed_since_it_passed_reads_changed_and_fails_nothing(run, copy):
    details = {"exercise": "01_functions", "question": "softmax", "source": "x"}
    progress.append(
        copy / "progress.jsonl", "try", status="passed", check="an older check", **details
    )
    notebook(copy / "exercises" / "01_functions.ipynb", WRONG, None, None)
    code, out, _ = run("check", "--ci")
    assert code == 0
    assert "The check has changed since this passed." in " ".join(out.split())


def test_checking_in_a_working_copy_records_tries_and_ci_records_nothing(run, copy):
    notebook(copy / "exercises" / "01_functions.ipynb", WRONG, None, None)
    run("check", "--ci")
    assert progress.read(copy / "progress.jsonl")[0] == []
    run("check")
    run("check")
    [event] = progress.read(copy / "progress.jsonl")[0]
    assert (event["question"], event["mistake"]) == ("softmax", "over_the_batch")


def test_junit_has_a_suite_per_notebook_and_a_case_per_question(run, tmp_path):
    path = notebook(
        tmp_path / "01_functions.ipynb", SOFTMAX.replace("logits.max", "2 * logits.max"), None, "("
    )
    run("check", path, "--junit", tmp_path / "out" / "junit.xml")
    [suite] = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()
    assert suite.get("name") == "01_functions"
    counted = [suite.get(k) for k in ("tests", "failures", "errors", "skipped")]
    assert counted == ["3", "1", "1", "1"]
    kinds = {case.get("name"): [child.tag for child in case] for case in suite}
    assert kinds == {
        "softmax": ["failure"],
        "predict": ["skipped"],
        "missing_transpose": ["error"],
    }


def test_junit_holds_no_value_of_a_probe(run, tmp_path):
    path = notebook(tmp_path / "01_functions.ipynb", SOFTMAX + "    return 0\n", None, None)
    source = SOFTMAX.replace("e / e", "0.123 + e / e")
    notebook(path, source, None, None)
    run("check", path, "--junit", tmp_path / "junit.xml")
    text = (tmp_path / "junit.xml").read_text()
    assert "expected" not in text
    assert "The result is not right yet" in text


def test_on_github_there_is_a_summary_and_an_annotation_for_each_failure(
    run, copy, monkeypatch, tmp_path
):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    raising = "def predict(x):\n    raise ValueError('| <b>\\n::set-output')"
    notebook(copy / "exercises" / "01_functions.ipynb", SOFTMAX, raising, None)
    code, out, _ = run("check", "--ci")
    assert code == 1
    [stop, go, line] = [n for n in out.splitlines() if n.startswith("::")]
    assert stop == f"::stop-commands::{go.strip(':')}"  # learners' words between them do nothing
    assert line.startswith("::error file=")
    assert "title=01_functions%3A predict::predict raised ValueError" in line
    table = summary.read_text()
    assert "| 01_functions | softmax | 2/2 | passed |" in table
    assert "\\| \\<b\\>" in table


def test_the_working_copy_is_found_from_a_folder_inside_it(run, copy, monkeypatch):
    monkeypatch.chdir(copy / "exercises")
    code, out, _ = run("check")
    assert code == 0
    assert "01_functions: 0 of 4 points" in out


def test_checking_changes_no_notebook(run, copy):
    path = copy / "exercises" / "01_functions.ipynb"
    before = path.read_bytes()
    run("check")
    assert path.read_bytes() == before


def test_progress_tells_what_passed_how_often_tried_and_predicted(run, copy):
    record = copy / "progress.jsonl"
    notebook(copy / "exercises" / "01_functions.ipynb", WRONG, None, None)
    run("check")
    notebook(copy / "exercises" / "01_functions.ipynb", SOFTMAX, None, None)
    run("check")
    progress.append(record, "skip", exercise="02_objects", question="train")
    progress.append(record, "predict", key="01/a", guess="1", confidence="sure")
    progress.append(record, "reveal", key="01/a", outcome="1")
    progress.append(record, "predict", key="77/b", guess="1", confidence="sure")
    progress.append(record, "reveal", key="77/b", outcome="2")
    with open(record, "ab") as file:
        file.write(b"{")
    code, out, _ = run("progress")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert "1/3" in rows["01_functions"]
    assert "  2  " in rows["01_functions"]
    assert "1 of 1 right" in rows["01_functions"]
    assert "over_the_batch" in rows["01_functions"]
    assert "0/4" in rows["02_objects"]
    assert "0 of 1 right" in rows["other"]
    assert "Right when you said sure: 1 of 2." in out
    assert "Left for later: 02_objects: train." in out
    assert "could not be read and was left out" in out


def test_the_module_runs_as_the_command_does(tmp_path):
    path = notebook(tmp_path / "01_functions.ipynb", WRONG, None, None)
    done = subprocess.run(
        [sys.executable, "-m", "nncheck", "check", str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=120,
    )
    assert done.returncode == 1
    assert "over_the_batch" in done.stdout
    assert done.stderr == ""
