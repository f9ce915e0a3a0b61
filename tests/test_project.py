"""The project as a whole: what is installed, what travels in the wheel, what is written down."""

import ast
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
import tokenize
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
SYSTEMS = {
    "Linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macOS": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "Windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}
EXTRAS = list(PROJECT["optional-dependencies"])
TORCH_PINS = re.compile("nvidia|cuda|triton")  # torch names these exactly itself


# ---- versions


def test_constraints_are_exact_versions_and_nothing_else():
    for constraint in CONSTRAINTS:
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(constraint.specifier)), constraint
        assert constraint.url is None
        assert not constraint.extras


def needed(extras, environment):
    """The packages that the course and its extras install in an environment, by name."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in PROJECT["dependencies"]]
    for extra in extras:
        waiting += [(Requirement(text), "") for text in PROJECT["optional-dependencies"][extra]]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate(environment | {"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for chosen in ("", *requirement.extras):
            if (name, chosen) in seen or TORCH_PINS.match(name):
                continue
            seen.add((name, chosen))
            found.add(name)
            try:
                texts = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                texts = []  # for another system: what it needs in turn cannot be read here
            waiting += [(Requirement(text), chosen) for text in texts]
    return found


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_constraints_name_whatever_is_installed(system, python):
    """On every system, with every Python: else an install there takes what nobody has tried."""
    environment = dict(default_environment()) | SYSTEMS[system]
    environment |= {"python_version": python, "python_full_version": f"{python}.9"}
    held = {
        canonicalize_name(constraint.name)
        for constraint in CONSTRAINTS
        if constraint.marker is None or constraint.marker.evaluate(environment)
    }
    missing = needed(EXTRAS, environment) - held
    assert not missing, f"constraints.txt does not name {sorted(missing)}: run make constraints"


def test_constraints_lie_within_the_ranges():
    versions = {canonicalize_name(c.name): str(c.specifier)[2:] for c in CONSTRAINTS}
    for text in sum((PROJECT["optional-dependencies"][e] for e in EXTRAS), PROJECT["dependencies"]):
        requirement = Requirement(text)
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{text}, but constraints.txt: {version}"


# ---- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy without .git as a download is, and unpacked."""
    copy, built = tmp_path_factory.mktemp("download"), tmp_path_factory.mktemp("wheel")
    for name in ("nnlib", "nncheck", "course", "exercises", "solutions"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt", ".gitignore"):
        shutil.copy(ROOT / name, copy)
    run(["-m", "hatchling", "build", "--target", "wheel", "--directory", built], copy)
    with zipfile.ZipFile(next(built.glob("nn_course-*.whl"))) as archive:
        archive.extractall(built / "unpacked")
    return built / "unpacked"


def run(arguments, folder, **environment):
    without_choice = {k: v for k, v in os.environ.items() if k != "NNCHECK_EXERCISES"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=without_choice | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def without_caches(names):
    return {name for name in names if "__pycache__" not in name and "checkpoint" not in name}


def test_the_course_travels_in_the_wheel(wheel):
    for part in ("course", "exercises", "solutions"):
        assert files(wheel / "nncheck" / "_course" / part) == without_caches(files(ROOT / part))
    assert (wheel / "nncheck" / "_course" / "constraints.txt").is_file()
    for package in ("nnlib", "nncheck"):
        assert files(wheel / package) >= without_caches(files(ROOT / package))


def test_a_working_copy_is_started_from_the_wheel_alone(wheel, tmp_path):
    """What a learner has after `pip install .` on Windows: no checkout, no git."""
    run(["-m", "nncheck", "start", "my-course"], tmp_path, PYTHONPATH=str(wheel))
    copy = tmp_path / "my-course"
    lessons = {path.name for path in (ROOT / "course").glob("*.ipynb")}
    assert {path.name for path in (copy / "course").glob("*.ipynb")} == lessons
    assert not (copy / "solutions").exists()
    assert not (copy / "exercises" / "checks").exists()
    checked = run(["-m", "nncheck", "check", copy], tmp_path, PYTHONPATH=str(wheel))
    assert "22_autograd" in checked


# ---- what a set-up says


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


@pytest.fixture
def checkout(tmp_path):
    """What a set-up reads, and a folder bin/ that holds all the tools it may use."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in ("make", "sh", "rm", "cat", "cp", "mkdir"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    return tmp_path


def stand_in(checkout, text):
    """Put a shell script where python3 is looked for."""
    python = checkout / "bin" / "python3"
    python.write_text(f"#!/bin/sh\n{text}\n")
    python.chmod(0o755)


def make_lab(checkout):
    """The exit code of `make lab`, and what it said."""
    made = subprocess.run(
        ["make", "lab"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return made.returncode, made.stdout + made.stderr


@needs_make
def test_an_old_python_is_named(checkout):
    stand_in(checkout, 'case "$2" in *print*) echo 3.9.2;; *) exit 1;; esac')
    code, said = make_lab(checkout)
    assert code != 0
    assert "The course needs Python 3.11 or newer; found: 3.9.2 (python3)." in said
    assert not (checkout / ".venv").exists()


@needs_make
def test_a_missing_part_of_python_is_named(checkout):
    stand_in(checkout, 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.11.2;; esac')
    code, said = make_lab(checkout)
    assert code != 0
    assert "sudo apt install python3-venv" in said


@needs_make
def test_a_set_up_that_was_stopped_is_begun_again_and_one_that_ended_well_is_not(checkout):
    """The stand-in's pip is stopped the first time and works from then on."""
    stand_in(
        checkout,
        """
        case "$*" in
        *print*) echo 3.12.1;;
        *"venv --clear"*) echo cleared >> log; mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
        *"pip "*) echo installed >> log; [ -e again ] || { : > again; exit 1; };;
        *nncheck*) echo opened >> log;;
        esac""",
    )

    def done(folder):
        (folder / "log").unlink(missing_ok=True)
        code, said = make_lab(folder)
        return code == 0, (folder / "log").read_text().split(), said

    assert done(checkout)[:2] == (False, ["cleared", "installed"])
    assert done(checkout)[:2] == (True, ["cleared", "installed", "opened"])
    assert done(checkout)[:2] == (True, ["opened"])

    os.utime(checkout / ".venv" / "ready", (0, 0))  # a new version of the course is younger
    assert done(checkout)[:2] == (True, ["installed", "opened"])

    moved = checkout.rename(checkout.parent / "a folder, moved")
    assert done(moved)[:2] == (True, ["cleared", "installed", "opened"])


# ---- workflows


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")))
def test_a_workflow_may_only_read(path):
    text = path.read_text(encoding="utf-8")
    assert "permissions:\n  contents: read\n" in text
    assert "pull_request_target" not in text
    assert "secrets." not in text


# ---- the readme


def test_the_tree_in_the_readme_names_every_folder_and_every_file_of_nnlib():
    tree = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1::2]
    named = {line.split()[0] for part in tree for line in part.splitlines() if line.split()}
    folders = {"course/", "exercises/", "checks/", "solutions/", "nnlib/", "nncheck/", "tests/"}
    modules = {path.name for path in (ROOT / "nnlib").glob("[!_]*.py")}
    missing = (folders | modules) - named
    assert not missing, f"put {sorted(missing)} into the tree in README.md, a line for each"


# ---- small enough to be read


def code_lines(path: Path) -> int:
    """Lines of code: without blank lines, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    docs = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            docs |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP):
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docs)


def test_nnlib_is_small_enough_to_be_read():
    show = sorted((ROOT / "nnlib" / "show").rglob("*.py"))
    rest = sorted(set((ROOT / "nnlib").rglob("*.py")) - set(show))
    sizes = {path: code_lines(path) for path in [*rest, *show]}
    assert max(sizes.values()) <= 600, max(sizes, key=sizes.get)
    assert sum(sizes[path] for path in rest) <= 3100
    assert sum(sizes[path] for path in show) <= 2500


# ---- docs


def test_the_page_with_the_stepper_is_what_its_recipe_writes():
    written = (ROOT / "docs" / "stepper.html").read_text(encoding="utf-8")
    assert written == runpy.run_path(str(ROOT / "docs" / "stepper.py"))["page"](), (
        "write it again: python docs/stepper.py"
    )


def test_the_glyphs_are_what_their_recipe_draws():
    recipe = runpy.run_path(str(ROOT / "docs" / "glyphs.py"))
    assert recipe["FILE"] == ROOT / "nnlib" / "sets" / "glyphs.npz"
    assert recipe["FILE"].stat().st_size < 100_000
    kept = np.load(recipe["FILE"])["pictures"]
    drawn = recipe["pictures"]()
    assert (kept.shape, kept.dtype) == (drawn.shape, drawn.dtype)
    # Another version of Pillow may round the edges of a glyph differently.
    assert np.abs(kept - drawn.astype(float)).mean() < 2, "draw them again: python docs/glyphs.py"
