"""Grading on a Dask cluster: the results of a local run, though a worker is killed meanwhile."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from nncheck import child, cli, grade
from nncheck.gradebook import Gradebook
from tests.nncheck import samples
from tests.nncheck.small_class import Here, hand_in, notebook, right, wrong

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason='distributed is not installed: pip install -e ".[dask]"',
)

ROOT = Path(__file__).parents[2]
SECRET = "the same"
SLOW = "import time; time.sleep(0.2)"


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    yield
    child.end_zygotes()


@pytest.fixture
def submitted(tmp_path):
    """A class of 16: right, wrong, untouched and unreadable notebooks, some of them slow."""
    kinds = (
        notebook(SLOW, right()),
        notebook(SLOW, right(), wrong("softmax")),
        notebook(SLOW),
        b"{",
    )
    for number in range(16):
        hand_in(tmp_path / "submitted", f"learner {number:02}", kinds[number % 4])
    return tmp_path / "submitted"


class Dask:
    """A scheduler and two workers of two threads each, started as a teacher starts them."""

    def __init__(self, folder):
        self.file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.workers = [self._start("worker", "--nthreads", "2", "--no-nanny") for _ in range(2)]

    def _start(self, *command):
        where = ["--scheduler-file", str(self.file), "--no-dashboard"]
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *command, *where],
            cwd=self.file.parent,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def address(self):
        return json.loads(self.file.read_text())["address"]

    def ready(self):
        """Wait until both workers have come."""
        from distributed import Client

        with Client(scheduler_file=str(self.file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def end(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait(10)


@pytest.fixture
def dask(tmp_path):
    dask = Dask(tmp_path)
    try:
        dask.ready()
        yield dask
    finally:
        dask.end()


def graded(folder, gradebook, executor, **options):
    """Grade a folder; everything in the gradebook but times."""
    with Gradebook(gradebook, create=True) as book:
        tally = grade.Run(folder, book, executor, secret=SECRET, **options).grade()
        results = book.db.execute("SELECT count(*) FROM result").fetchone()[0]
        assert results == len(tally.graded) == len(book.standings())
        return [
            (s.student, s.outcome, s.points, replace(book.result(s.submission), seconds=0))
            for s in book.standings()
        ]


@needs_dask
def test_a_worker_that_is_killed_costs_nothing(submitted, dask, tmp_path):
    """One result per submission, each equal to that of a local run with the same secret."""
    done = itertools.count(1)

    def step():
        if next(done) == 5:  # of 16, and the next ones are under way
            dask.workers[0].kill()

    cluster = grade.Cluster(dask.address)
    assert len(cluster.workers) == 2
    there = graded(submitted, tmp_path / "there.db", lambda: cluster, at_once=8, bar=lambda _: step)
    assert dask.workers[0].wait(10) != 0
    assert dask.workers[1].poll() is None
    here = graded(submitted, tmp_path / "here.db", Here)
    assert there == here
    assert {outcome for _, outcome, *_ in here} == {"graded", "unreadable"}
    assert len({points for _, _, points, _ in here}) > 2


@needs_dask
def test_the_command_grades_on_a_cluster(submitted, dask, tmp_path, capsys):
    arguments = ["grade", str(submitted), "--gradebook", str(tmp_path / "class.db")]
    assert cli.main([*arguments, "--dask", dask.address]) == 1  # some are unreadable
    assert "01_functions: 16 graded" in capsys.readouterr().out
    again = ["grade", "--only", "01:softmax", "--compare", *arguments[2:]]
    assert cli.main([*again, "--dask", dask.address]) == 0
    assert "0 change" in capsys.readouterr().out


@needs_dask
def test_a_cluster_without_workers_is_named(dask):
    for worker in dask.workers:
        worker.kill()
        worker.wait(10)
    with pytest.raises(RuntimeError, match=r"Of 0 workers at tcp://.* dask worker tcp://"):
        grade.Cluster(dask.address)


@needs_dask
def test_when_the_cluster_goes_the_run_ends_and_the_next_goes_on(submitted, dask, tmp_path):
    with pytest.raises(RuntimeError, match="The cluster has gone"):
        graded(
            submitted,
            tmp_path / "class.db",
            lambda: grade.Cluster(dask.address),
            bar=lambda _: dask.end,
        )
    with Gradebook(tmp_path / "class.db") as book:
        begun = len(book.standings())
        assert begun > 0
        tally = grade.Run(submitted, book, Here, secret=SECRET).grade()
        assert (tally.known, len(tally.graded)) == (begun, 16 - begun)


def test_without_its_package_the_command_says_what_to_install(monkeypatch, submitted, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    arguments = ["grade", str(submitted), "--gradebook", str(submitted / "class.db")]
    assert cli.main([*arguments, "--dask", "tcp://127.0.0.1:9"]) == 2
    assert "pip install distributed" in capsys.readouterr().err


def test_two_threads_of_a_process_grade_one_after_the_other(monkeypatch):
    inside = []

    def slow(job):
        inside.append(job)
        time.sleep(0.05)
        return len(inside), inside.remove(job)

    monkeypatch.setattr(grade, "_grade", slow)
    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(grade.grade_one, range(4))) == {(1, None)}
