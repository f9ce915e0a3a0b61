"""The working copy's check.yml: what it promises, and its steps, run as GitHub runs them."""

import os
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from nncheck import notebooks
from tests.nncheck.small_course import edit

ROOT = Path(__file__).parents[2]
TEXT = (notebooks.TEMPLATES / "check.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOB = WORKFLOW["jobs"]["check"]
NOTEBOOK = "exercises/11_neuron.ipynb"
RIGHT = "def neuron(x, w, b, f):\n    return f(x @ w + b)"
WRONG = "def neuron(x, w, b, f):\n    return f(x @ w)"
STUB = "def neuron(x, w, b, f):\n    # YOUR CODE HERE\n    raise NotImplementedError"


def test_the_workflow_keeps_its_promises():
    events = WORKFLOW[True]  # YAML reads the word `on` as a truth value
    assert set(events) == {"push", "pull_request", "workflow_dispatch"}
    assert "**.ipynb" in events["push"]["paths"]
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True
    assert "secrets." not in TEXT
    assert (JOB["runs-on"], JOB["timeout-minutes"]) == ("ubuntu-latest", 10)
    assert JOB["env"]["PIP_EXTRA_INDEX_URL"].endswith("/whl/cpu")
    [python] = [step for step in JOB["steps"] if "setup-python" in step.get("uses", "")]
    assert python["with"]["cache"] == "pip"


# ---- its steps


class Runner:
    """A machine that carries out the job's own steps, in a folder that somebody has pushed.

    Instead of `checkout` and `setup-python` there are that folder and an environment of its own,
    which sees the packages of ours: so pip, kept offline, installs the course and nothing else. A
    step that has succeeded as it stands is not repeated, but the checks are.
    """

    def __init__(self, home: Path):
        self.home = home
        venv.create(home / "python", with_pip=False)
        self.bin = home / "python" / "bin"
        packages = self("python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))'")
        Path(packages.stdout.strip(), "ours.pth").write_text(sysconfig.get_path("purelib"))
        self.done: set[str] = set()

    def __call__(self, script, folder=None, **variables):
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=folder or self.home,
            env={
                "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(self.home),
                "PIP_NO_INDEX": "1",
                "PIP_NO_BUILD_ISOLATION": "0",  # pip means: no isolation
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )

    def push(self, folder, course=ROOT):
        """Run the job: its exit code, what its last step said, and the step summary."""
        summary = folder.parent / "summary.md"
        summary.write_text("")
        variables = {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_STEP_SUMMARY": str(summary)}
        known = {"${{ vars.COURSE }}": str(course)}
        variables |= {name: known.get(value, value) for name, value in JOB["env"].items()}
        conditions = {"env.COURSE == ''": not course, "env.COURSE != ''": bool(course)}
        for step in JOB["steps"]:
            if "uses" in step or step["run"] in self.done or not conditions[step["if"]]:
                continue
            done = self(step["run"], folder, **variables)
            if done.returncode:
                break
            if "pip install" in step["run"]:
                self.done.add(step["run"])
        return done.returncode, done.stdout, summary.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    if sys.platform == "win32":
        pytest.skip("the workflow runs on Linux, in bash")
    return Runner(tmp_path_factory.mktemp("runner"))


@pytest.fixture(scope="module")
def first(runner, tmp_path_factory):
    """A fresh working copy, and what became of it when it was pushed."""
    copy = tmp_path_factory.mktemp("pushed") / "my-course"
    started = runner(f"{sys.executable} -m nncheck start '{copy}'", ROOT)
    assert started.returncode == 0, started.stdout
    # The versions that are here: those of the file, unless somebody tries newer ones.
    here = {f"{d.name}=={d.version}" for d in metadata.distributions() if d.name != "nn-course"}
    (copy / "constraints.txt").write_text("\n".join(here))
    return copy, runner.push(copy)


@pytest.fixture
def copy(first):
    """The working copy, with everything in it untouched."""
    folder, _ = first
    before = (folder / NOTEBOOK).read_bytes()
    yield folder
    (folder / NOTEBOOK).write_bytes(before)
    (folder / "progress.jsonl").write_bytes(b"")


def annotations(said):
    return [line for line in said.splitlines() if line.startswith("::error")]


def test_without_the_course_the_job_says_what_to_set_and_is_green(runner, copy):
    code, said, summary = runner.push(copy, course="")
    assert (code, summary) == (0, "")
    assert said.startswith("::notice title=Nothing was checked::Set the repository variable COURSE")


def test_the_job_checks_with_the_course_that_it_has_installed(runner, first):
    place = runner("python -c 'import nncheck; print(nncheck.__file__)'").stdout
    assert place.startswith(str(runner.home))


def test_an_untouched_copy_is_green_and_its_questions_are_neither_right_nor_wrong(first):
    _, (code, said, summary) = first
    assert code == 0, said
    assert annotations(said) == []
    assert "| 11_neuron | neuron | 0/1 | not done |" in summary
    assert {line.split("|")[4].strip() for line in summary.splitlines()[4:]} == {"not done"}


def test_a_right_answer_is_green(runner, copy):
    edit(copy / NOTEBOOK, "answer-neuron", RIGHT)
    code, said, summary = runner.push(copy)
    assert (code, annotations(said)) == (0, [])
    assert "| 11_neuron | neuron | 1/1 | passed |" in summary


def test_a_wrong_answer_is_red_with_an_annotation_and_a_line_in_the_summary(runner, copy):
    edit(copy / NOTEBOOK, "answer-neuron", WRONG)
    code, said, summary = runner.push(copy)
    assert code == 1
    [line] = annotations(said)
    assert line.startswith(f"::error file={NOTEBOOK},title=11_neuron%3A neuron::")
    assert "| 11_neuron | neuron | 0/1 | failed |" in summary


def test_what_has_passed_and_is_gone_is_red(runner, copy):
    edit(copy / NOTEBOOK, "answer-neuron", RIGHT)
    runner("python -m nncheck check 11", copy)  # at home, where it is recorded
    assert runner.push(copy)[0] == 0
    edit(copy / NOTEBOOK, "answer-neuron", STUB)
    code, said, summary = runner.push(copy)
    assert code == 1
    [line] = annotations(said)
    assert "This has passed before." in line
    assert "This has passed before." in summary
