"""What a class has handed in: a folder of notebooks, `submitted/STUDENT/EXERCISE.ipynb`.

`submitted/STUDENT/ASSIGNMENT/EXERCISE.ipynb`, nbgrader's way, is read too. The files are somebody
else's: no link is followed, nothing but a regular file is opened, and what cannot be graded is said
in words.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nncheck import exercise
from nncheck.submission import MAX_BYTES, Unreadable, too_large
from nncheck.wire import clean

STUDENT = re.compile(r"\w[\w .,@+()'-]{0,99}")
OPENED = re.compile(rb"open_exercise\(\s*\\?[\"'](\w+)\\?[\"']")  # as it is spelled in JSON
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


@dataclass(frozen=True)
class Handed:
    """A notebook that somebody has handed in for an exercise."""

    student: str
    exercise: str
    parts: tuple[str, ...]  # of the path within the folder
    content: bytes
    handed_in: str

    @property
    def file(self) -> str:
        return clean("/".join(self.parts))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Refused:
    """What lies in the folder and cannot be graded, and why."""

    student: str
    file: str
    reason: str


def read(folder: Path, only: str = "") -> Iterator[Handed | Refused]:
    """Everything in the folder, learner by learner; of one exercise, if `only` names it."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder}. It should hold a folder for each learner, with their "
            "notebooks in it: submitted/STUDENT/EXERCISE.ipynb"
        )
    for entry in _entries(folder):
        name = clean(entry.name)
        if entry.is_symlink():
            yield Refused(name, name, "it is a link; put the folder itself here")
        elif not entry.is_dir():
            if reason := _misplaced(entry.name):
                yield Refused("", name, reason)
        elif not STUDENT.fullmatch(entry.name):
            yield Refused(
                name,
                name,
                "a learner's folder is named with letters, digits and . , @ + - _ ( ) only",
            )
        else:
            yield from _of_student(folder, entry.name, only)


def _misplaced(name):
    if name.endswith(".ipynb"):
        return "it lies in no learner's folder; move it into submitted/STUDENT/"
    if name.lower().endswith(ARCHIVES):
        return "an archive is not opened; unpack it into submitted/STUDENT/"
    return ""


def _of_student(folder, student, only):
    found: dict[str, list[Handed]] = {}
    for parts, regular in _files(folder, (student,)):
        file = clean("/".join(parts))
        if not regular:
            yield Refused(student, file, "it is a link or a device, not a file")
            continue
        if not parts[-1].endswith(".ipynb"):
            if parts[-1].lower().endswith(ARCHIVES):
                yield Refused(student, file, "an archive is not opened; unpack it here")
            continue
        try:
            handed = _handed(folder, parts, student)
        except Unreadable as error:
            yield Refused(student, file, str(error))
            continue
        if only in ("", handed.exercise):
            found.setdefault(handed.exercise, []).append(handed)
    for name, several in found.items():
        several.sort(key=lambda h: (Path(h.parts[-1]).stem == name, h.handed_in, h.file))
        yield several[-1]
        for other in several[:-1]:
            reason = f"{several[-1].file} is graded for {name}; of two files one can count"
            yield Refused(student, other.file, reason)


def _files(folder, parts):
    """(parts of the path, is it a regular file) of all that lies up to two folders deep."""
    for entry in _entries(folder.joinpath(*parts)):
        below = (*parts, entry.name)
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if len(below) < 3:
                yield from _files(folder, below)
        else:
            yield below, entry.is_file(follow_symlinks=False)


def _entries(folder):
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _handed(folder, parts, student) -> Handed:
    content, when = read_careful(folder, parts)
    stem, known = Path(parts[-1]).stem, exercise.names()
    if stem not in known:
        opened = OPENED.search(content)
        stem = opened[1].decode() if opened else ""
    if stem not in known:
        raise Unreadable(
            "it belongs to no exercise: neither its name nor an open_exercise(...) in it is one of "
            f"{', '.join(known)}"
        )
    return Handed(student, stem, parts, content, when)


def read_careful(folder: Path, parts: tuple[str, ...]) -> tuple[bytes, str]:
    """A file's bytes and when it was changed; no link is followed on the way from `folder` to it.

    Unreadable if it is no regular file, or too large.
    """
    try:
        with os.fdopen(_open(folder, parts), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable("it is not a file")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise too_large(clean(parts[-1]))
    when = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
    return content, when


def _open(folder, parts):
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    if os.open not in os.supports_dir_fd:  # Windows
        places = [folder.joinpath(*parts[: i + 1]) for i in range(len(parts))]
        if any(place.is_symlink() for place in places):
            raise OSError(0, "it is a link")
        return os.open(places[-1], flags)
    number = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    for part in parts:
        above = number
        try:
            number = os.open(part, flags, dir_fd=above)
        finally:
            os.close(above)
    return number
