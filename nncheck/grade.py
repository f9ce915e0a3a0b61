"""Grade a class: every submission of a folder, in parallel, into a gradebook.

One process, this one, reads the folder and writes the gradebook. `grade_one` does the work
anywhere: it takes a job of bytes and returns JSON, and an executor carries both. That is a pool of
processes of this machine, which end when this one does, or a Dask cluster; each of their processes
has a zygote of its own.
"""

import functools
import hashlib
import itertools
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import asdict, dataclass, field, fields, replace
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from nncheck import checkup, child, exercise, intake, submission
from nncheck.answer import Limits, Remote, Unfenced
from nncheck.diagnose import Trial, Verdict
from nncheck.exercise import Exercise
from nncheck.gradebook import TRIES, Answer, Gradebook, Result
from nncheck.intake import Handed, Refused
from nncheck.notebooks import ONE_THREAD
from nncheck.submission import Cell

LIMITS = Limits(cell=20, call=10, total=120, restarts=10)
ENDED = ("timeout", "out of memory", "too much output", "crashed", "unreadable")
ANSWER = [f.name for f in fields(Answer) if f.name != "marked"]
DOWN = "grading it ended the grader itself, several times"
ONE = threading.Lock()  # a trial puts answers into the check file's module, one after the other


class OtherChecks(RuntimeError):
    """Whoever grades has another check file than whoever asks."""


@dataclass(frozen=True)
class Job:
    """All that is needed to grade one submission, wherever that is done."""

    submission: int
    student: str
    exercise: str
    file: str
    content: bytes
    seed: int
    checks: str
    needs: tuple[str, ...] = ()
    limits: Limits = LIMITS

    @classmethod
    def of(cls, handed: Handed, number: int, secret: str, **more) -> "Job":
        """The job for what was handed in, with data that nobody can know beforehand."""
        return cls(
            submission=number,
            student=handed.student,
            exercise=handed.exercise,
            file=handed.file,
            content=handed.content,
            seed=seed_for(secret, handed.student, handed.exercise),
            checks=exercise.fingerprint(handed.exercise),
            **more,
        )


@dataclass
class Tally:
    """What a run came to: how many were graded, were so already, and were not, with reasons."""

    graded: list[tuple[str, str, Result]] = field(default_factory=list)
    known: int = 0
    outdated: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def troubled(self) -> list[tuple[str, str, Result]]:
        """Those that got a score, but could not be read or judged."""
        return [g for g in self.graded if g[2].outcome in ("unreadable", "grader error")]


# -------------------------------------------------------------------------- one submission


def grade_one(job: Job) -> str:
    """Grade one submission: its result, as JSON. Never raises because of what was handed in."""
    with ONE:
        return _grade(job)


def _grade(job):
    started = time.perf_counter()
    guarantees: dict[str, list[str]] = {}
    cells: list[Cell] | None = None
    what = _load(job.exercise, job.checks)
    try:
        cells = submission.parse(job.content, Path(job.file).name)
    except submission.Unreadable as error:
        verdicts = list(checkup.all_unreadable(what, str(error)))
    else:
        with Remote(cells, what, job.limits, needs=job.needs) as answer:
            verdicts = Trial(what, job.seed).judge_all(answer)
            guarantees = answer.guarantees
    kind, reason = outcome(verdicts)
    return json.dumps(
        {
            "outcome": kind,
            "reason": reason,
            "seconds": round(time.perf_counter() - started, 4),
            "guarantees": guarantees,
            "answers": [{n: getattr(v, n) for n in ANSWER} for v in verdicts],
            "cells": None if cells is None else [asdict(cell) for cell in cells],
        }
    )


def outcome(answers: Iterable[Answer | Verdict]) -> tuple[str, str]:
    """ "graded", or what kept the first answer that could not be judged from it, and the reason."""
    ended = (a for a in answers if a.status == "error" and a.name in ENDED)
    return next(((a.name, a.message) for a in ended), ("graded", ""))


@functools.cache
def _load(name: str, checks: str) -> Exercise:
    what = exercise.load(name)
    if what.fingerprint != checks:
        raise OtherChecks(
            f"{name}: the check file here is another one than that of whoever asks for grades. "
            "Install the same version of the course everywhere."
        )
    return what


def read_result(job: Job, text: str) -> Result:
    """A result from the JSON of `grade_one`."""
    said = json.loads(text)
    answers = tuple(Answer(**a) for a in said.pop("answers"))
    return Result(seed=job.seed, checks=job.checks, answers=answers, **said)


def no_result(job: Job, reason: str) -> Result:
    """What stands in the gradebook when the grader failed: no points, and the reason."""
    answers = (
        Answer(q.name, "error", 0, q.points, "grader error", message=reason)
        for q in _load(job.exercise, job.checks).questions.values()
    )
    return Result("grader error", reason, 0, job.seed, job.checks, {}, tuple(answers))


def seed_for(secret: str, student: str, exercise: str) -> int:
    """The seed of one learner's data: nobody can know it who does not know the run's secret."""
    text = "\0".join((secret, student, exercise))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


# ------------------------------------------------------------------------------- a class


@dataclass
class Run:
    """Grading what a folder holds. Ended at any moment, the next run goes on where it was.

    `executor()` makes what carries the work, so many jobs `at_once`; `only` names one exercise;
    `again` also grades what was graded with another check file; without the guarantees
    in `needs` no answer runs. `bar(total)` gives what is called for each result.
    """

    folder: Path
    book: Gradebook
    executor: Callable[[], Executor]
    at_once: int = 4
    only: str = ""
    again: bool = False
    needs: tuple[str, ...] = ()
    limits: Limits = LIMITS
    secret: str = ""
    bar: Callable[[int], Callable[[], object]] = lambda total: lambda: None
    tally: Tally = field(default_factory=Tally)

    def grade(self) -> Tally:
        """Grade all that is still to be graded."""
        with self.book.only_grader():
            self.number, self.secret = self.book.begin_run(self.secret)
            pending = list(self._pending())
            # What has ended a grader before waits until all else is done.
            pending.sort(key=lambda pair: pair[0])
            self.step = self.bar(len(pending))
            jobs = self._jobs(handed for _, handed in pending)
            for job, result in results(jobs, self.executor, self.at_once):
                self._finish(job, result)
        return self.tally

    def _pending(self) -> Iterator[tuple[int, Handed]]:
        """(how often it was begun, what was handed in) for what is to be graded."""
        for found in intake.read(self.folder, self.only):
            if isinstance(found, Refused):
                self._refuse(found)
                continue
            last = self.book.last(found)
            if last is None or last.sha256 != found.sha256:
                yield 0, replace(found, content=b"")  # a whole class may not fit into memory
            elif last.checks is None:
                yield last.tries, replace(found, content=b"")
            elif last.checks == exercise.fingerprint(found.exercise):
                self.tally.known += 1
            elif self.again:
                yield 0, replace(found, content=b"")
            else:
                self.tally.outdated.append((found.student, found.exercise))

    def _jobs(self, pending: Iterable[Handed]) -> Iterator[Job]:
        for handed in pending:
            try:
                content, when = intake.read_careful(self.folder, handed.parts)
            except submission.Unreadable as error:  # it was there a moment ago
                self._refuse(Refused(handed.student, handed.file, str(error)))
                continue
            handed = replace(handed, content=content, handed_in=when)
            number, tries = self.book.claim(handed)
            job = Job.of(handed, number, self.secret, needs=self.needs, limits=self.limits)
            if tries <= TRIES:
                yield job
            else:
                self._finish(job, no_result(job, DOWN))

    def _refuse(self, refused: Refused):
        self.book.refuse(self.number, refused)
        self.tally.refused.append(refused)

    def _finish(self, job: Job, result: Result):
        self.book.finish(job.submission, self.number, result)
        self.tally.graded.append((job.student, job.exercise, result))
        self.step()


def results(
    jobs: Iterator[Job], executor: Callable[[], Executor], at_once: int
) -> Iterator[tuple[Job, Result]]:
    """(job, result) for all jobs, in the order in which they end."""
    waiting: dict[Future, Job] = {}
    pool = executor()
    try:
        while True:
            for job in itertools.islice(jobs, at_once - len(waiting)):
                waiting[pool.submit(grade_one, job)] = job
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            suspects = []
            for future in done:
                job = waiting.pop(future)
                result = _result(job, future)
                if result:
                    yield job, result
                else:
                    suspects.append(job)
            if suspects:  # one of those under way has ended the pool: each alone, to see which
                suspects += waiting.values()
                waiting.clear()
                for job in suspects:
                    with executor() as alone:
                        result = _result(job, alone.submit(grade_one, job))
                    yield job, result or no_result(job, DOWN)
                pool.shutdown()
                pool = executor()
    finally:
        pool.shutdown(cancel_futures=True)


def _result(job: Job, future: Future) -> Result | None:
    """What a job came to; None if the pool ended under it."""
    try:
        return read_result(job, future.result())
    except BrokenExecutor:
        return None
    except (Unfenced, OtherChecks):
        raise
    except CancelledError:
        raise RuntimeError(
            "The cluster has gone. What was graded is in the gradebook; the same command goes on."
        ) from None
    except Exception as error:
        return no_result(job, f"{type(error).__name__}: {error}")


# -------------------------------------------------------------------------- local processes


def processes(jobs: int) -> Executor:
    """So many processes of this machine, which end with this one, however it ends."""
    os.environ |= ONE_THREAD | os.environ
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _end_with_parent)


def _end_with_parent():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch():
        wait_for([parent.sentinel])
        child.end_plain()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# -------------------------------------------------------------------------- a Dask cluster


class Cluster(Executor):
    """The workers of a Dask cluster. One that is lost costs nothing: others do its jobs again."""

    def __init__(self, address: str):
        try:
            from distributed import Client
        except ImportError:
            raise RuntimeError(
                "To grade on a Dask cluster, install its package here: pip install distributed"
            ) from None
        self.client: Any = Client(address, set_as_default=False)
        self.pool = self.client.get_executor(pure=False)
        self.workers = self.client.run(exercise.names, on_error="return")
        lacking = [str(e) for e in self.workers.values() if isinstance(e, Exception)]
        if lacking or not self.workers:
            self.shutdown()
            raise RuntimeError(
                f"Of {len(self.workers)} workers at {address} {len(lacking)} lack the course"
                f"{f' ({lacking[0]})' if lacking else ''}. Install this version of it where they "
                f"run, and start them: dask worker {address} --nthreads 1"
            )

    def submit(self, fn, /, *args, **kwargs) -> Future:
        """Have a worker call the function."""
        return self.pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Leave the cluster; what is under way is waited for, or else cancelled."""
        self.pool.shutdown(wait and not cancel_futures)
        self.client.close()
