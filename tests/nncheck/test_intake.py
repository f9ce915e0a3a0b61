import os
import socket
import sys

import pytest

from nncheck import intake
from nncheck.intake import Handed, Refused
from tests.nncheck import samples
from tests.nncheck.small_class import EXERCISE, hand_in, notebook

FINE = notebook("x = 1")
posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of a POSIX system")


@pytest.fixture(autouse=True)
def sample_exercises(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))


def read(folder, only=""):
    return list(intake.read(folder, only))


def only_reason(folder):
    [found] = read(folder)
    assert isinstance(found, Refused), found
    return found.reason


def test_a_notebook_is_found_in_the_learners_folder_and_in_one_for_the_assignment(tmp_path):
    hand_in(tmp_path, "ada", FINE)
    hand_in(tmp_path, "bob", FINE, f"{EXERCISE}/{EXERCISE}.ipynb")
    hand_in(tmp_path, "bob", FINE, f"{EXERCISE}/timestamp.txt")
    hand_in(tmp_path, "bob", FINE, f".ipynb_checkpoints/{EXERCISE}.ipynb")
    found = read(tmp_path)
    assert [(h.student, h.exercise, h.file) for h in found] == [
        ("ada", EXERCISE, f"ada/{EXERCISE}.ipynb"),
        ("bob", EXERCISE, f"bob/{EXERCISE}/{EXERCISE}.ipynb"),
    ]
    assert found[0].content == FINE


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_renamed_notebook_is_known_by_what_it_opens(tmp_path, quote):
    content = notebook(f"check = open_exercise({quote}{EXERCISE}{quote})")
    hand_in(tmp_path, "ada", content, "homework final.ipynb")
    [found] = read(tmp_path)
    assert found.exercise == EXERCISE


def test_of_two_files_the_one_with_the_right_name_counts_and_the_other_is_named(tmp_path):
    opens = notebook(f'check = open_exercise("{EXERCISE}")')
    hand_in(tmp_path, "ada", opens, f"{EXERCISE} (1).ipynb")
    hand_in(tmp_path, "ada", FINE)
    found = read(tmp_path)
    assert [type(f) for f in found] == [Handed, Refused]
    assert found[0].content == FINE
    assert "of two files one can count" in found[1].reason


def test_only_one_exercise_can_be_asked_for(tmp_path):
    hand_in(tmp_path, "ada", FINE)
    hand_in(tmp_path, "ada", FINE, "02_objects.ipynb")
    assert [h.exercise for h in read(tmp_path, "02_objects")] == ["02_objects"]


def test_a_notebook_of_no_exercise_is_refused_with_the_names_that_there_are(tmp_path):
    hand_in(tmp_path, "ada", FINE, "notes.ipynb")
    assert EXERCISE in only_reason(tmp_path)


def test_an_archive_or_a_notebook_without_a_learner_is_told_where_it_belongs(tmp_path):
    (tmp_path / "ada.zip").write_bytes(b"PK")
    (tmp_path / f"{EXERCISE}.ipynb").write_bytes(FINE)
    hand_in(tmp_path, "bob", b"PK", "all.TAR.GZ")
    (tmp_path / "readme.txt").write_text("not ours")
    assert [r.reason.split(";")[0] for r in read(tmp_path)] == [
        "it lies in no learner's folder",
        "an archive is not opened",
        "an archive is not opened",
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="submitted/STUDENT"):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    "name", ["-rf", ".hidden", "a\nb", "a\x1b[2Jb", "a;b", "$(reboot)", "<script>", "x" * 101]
)
@posix
def test_a_learners_name_that_could_be_taken_for_something_else_is_refused(tmp_path, name):
    hand_in(tmp_path, name, FINE)
    [found] = read(tmp_path)
    assert isinstance(found, Refused)
    assert "\x1b" not in found.student


@posix
def test_a_name_in_bytes_that_are_no_text_can_be_shown_and_stored(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(folder)
    [found] = read(tmp_path)
    assert isinstance(found, Refused)
    found.file.encode("utf-8")


@pytest.mark.parametrize("name", ["Müller, Anna_1234_assignsubmission_file_", "s01@uni.example"])
def test_names_as_learning_platforms_write_them_are_taken(tmp_path, name):
    hand_in(tmp_path, name, FINE)
    [found] = read(tmp_path)
    assert found.student == name


@posix
def test_no_link_is_followed_wherever_it_stands(tmp_path):
    secret = tmp_path / "elsewhere" / f"{EXERCISE}.ipynb"
    secret.parent.mkdir()
    secret.write_bytes(FINE)
    folder = tmp_path / "submitted"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / f"{EXERCISE}.ipynb").symlink_to(secret)
    assert "link" in only_reason(folder)
    (folder / "ada" / f"{EXERCISE}.ipynb").unlink()
    (folder / "ada" / EXERCISE).symlink_to(secret.parent)
    assert "link" in only_reason(folder)
    (folder / "bob").symlink_to(secret.parent)
    assert [r.reason for r in read(folder) if r.student == "bob"] == [
        "it is a link; put the folder itself here"
    ]
    for parts in (("ada", EXERCISE, secret.name), ("bob", secret.name)):
        with pytest.raises(intake.Unreadable):
            intake.read_careful(folder, parts)


@posix
def test_a_file_that_becomes_a_link_after_it_was_listed_is_not_read(tmp_path):
    path = hand_in(tmp_path, "ada", FINE)
    assert intake.read_careful(tmp_path, ("ada", path.name))[0] == FINE
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(intake.Unreadable):
        intake.read_careful(tmp_path, ("ada", path.name))


@posix
@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path, kind, monkeypatch):
    (tmp_path / "ada").mkdir()
    path = tmp_path / "ada" / f"{EXERCISE}.ipynb"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        monkeypatch.chdir(path.parent)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(path.name)
    assert [type(found) for found in read(tmp_path)] == [Refused] * (kind != "folder")
    with pytest.raises(intake.Unreadable):
        intake.read_careful(tmp_path, ("ada", path.name))


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path):
    path = hand_in(tmp_path, "ada", b"")
    with open(path, "r+b") as file:
        file.truncate(10 << 30)  # without using the disk
    assert "Clear Outputs" in only_reason(tmp_path)
