import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Future

import pytest

from nncheck import cli, exercise, grade
from nncheck.answer import Limits, Unfenced
from nncheck.gradebook import TRIES, Gradebook
from nncheck.intake import Handed
from tests.nncheck import samples
from tests.nncheck.small_class import EXERCISE, Here, hand_in, notebook, right, run, scores, wrong

WORTH = samples.load(EXERCISE).points


@pytest.fixture(autouse=True)
def sample_exercises(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))


@pytest.fixture
def book(tmp_path):
    return tmp_path / "class.db"


@pytest.fixture
def folder(tmp_path):
    """Three learners: all right, nothing done, and one known mistake."""
    made = tmp_path / "submitted"
    hand_in(made, "ada", notebook(right()))
    hand_in(made, "bob", notebook("x = 1"))
    hand_in(made, "cyd", notebook(right(), wrong("softmax")))
    return made


def standing(book, student):
    with Gradebook(book) as opened:
        return opened.standings(student=student)[0]


def count(book, table):
    with Gradebook(book) as opened:
        return opened.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_class_is_graded_and_the_mistake_is_named(folder, book):
    tally = run(folder, book)
    assert len(tally.graded) == 3
    got = scores(book)
    assert got["ada"] == WORTH
    assert got["bob"] == 0
    assert WORTH - got["cyd"] > 0
    answers = {a.question: a for a in standing(book, "cyd").answers}
    known = [w.mistake for w in samples.load(EXERCISE).questions["softmax"].wrongs]
    assert answers["softmax"].name in known
    assert answers["softmax"].mistake
    assert answers["softmax"].message
    assert "of" in answers["softmax"].probe


def test_what_is_graded_is_not_graded_again(folder, book):
    run(folder, book)
    tally = run(folder, book)
    assert (len(tally.graded), tally.known, count(book, "result")) == (0, 3, 3)


def test_a_changed_notebook_is_a_new_attempt(folder, book):
    run(folder, book)
    hand_in(folder, "bob", notebook(right()))
    assert len(run(folder, book).graded) == 1
    assert scores(book)["bob"] == WORTH
    hand_in(folder, "bob", notebook("x = 2"))
    run(folder, book)
    assert scores(book)["bob"] == 0
    assert scores(book, "best")["bob"] == WORTH


def test_a_changed_check_file_is_said_and_graded_anew_only_if_asked(folder, book, monkeypatch):
    run(folder, book)
    monkeypatch.setattr(exercise, "_fingerprint", lambda path: "0" * 16)
    grade._load.cache_clear()
    tally = run(folder, book)
    assert (len(tally.graded), len(tally.outdated)) == (0, 3)
    assert len(run(folder, book, again=True).graded) == 3
    assert count(book, "result") == 6
    grade._load.cache_clear()


def test_the_data_are_drawn_from_a_secret_for_each_learner_and_run(folder, book):
    run(folder, book)
    with Gradebook(book) as opened:
        seeds = {row["seed"] for row in opened.db.execute("SELECT seed FROM result")}
        secret = opened.db.execute("SELECT secret FROM run").fetchone()["secret"]
    assert len(seeds) == 3
    assert str(grade.seed_for(secret, "ada", EXERCISE)) in seeds
    assert grade.seed_for(secret, "ada", EXERCISE) != grade.seed_for("other", "ada", EXERCISE)
    assert len(secret) == 32


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"{", "unreadable"),
        (b"", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[" * 2_000_000, "unreadable"),
        (notebook(right(), "while True: pass"), "graded"),
        (notebook("def softmax(x):\n    while True: pass"), "timeout"),
        (notebook("import os\ndef softmax(x):\n    os._exit(0)"), "crashed"),
        (notebook("import sys\nprint('torch warns', file=sys.stderr)", right()), "graded"),
        (notebook(right(), right()), "graded"),
        (notebook("def softmax(x:"), "graded"),
    ],
)
def test_every_learner_gets_a_score_with_a_named_outcome(tmp_path, book, content, outcome):
    hand_in(tmp_path / "submitted", "ada", content)
    run(tmp_path / "submitted", book, limits=Limits(cell=0.5, call=0.5))
    found = standing(book, "ada")
    assert found.outcome == outcome
    assert len(found.answers) == len(samples.load(EXERCISE).questions)
    assert found.points == (WORTH if b"exp" in content and outcome == "graded" else 0)
    assert bool(found.reason) is (outcome != "graded")


def test_odd_characters_are_stored_cleaned(tmp_path, book):
    source = "def softmax(x):\n    raise ValueError('\\ud800 \\x1b[2J red')"
    hand_in(tmp_path / "submitted", "ada", notebook(source, 'y = "\ud800"'))
    run(tmp_path / "submitted", book)
    [told] = [a for a in standing(book, "ada").answers if a.question == "softmax"]
    assert "red" in told.message
    assert "\x1b" not in told.message


def test_a_notebook_that_takes_its_time_is_stopped_in_all(tmp_path, book):
    slow = [f"import time\ntime.sleep(0.4)  # {i}" for i in range(20)]
    hand_in(tmp_path / "submitted", "ada", notebook(*slow, right()))
    run(tmp_path / "submitted", book, limits=Limits(total=1.0))
    found = standing(book, "ada")
    assert found.points == 0
    assert found.outcome == "timeout"
    with Gradebook(book) as opened:
        assert opened.result(found.submission).seconds < 3


def test_no_answer_runs_where_a_required_guarantee_is_missing(folder, book, monkeypatch, tmp_path):
    witness = tmp_path / "ran"
    hand_in(folder, "ada", notebook(f"open({str(witness)!r}, 'w').close()"))
    monkeypatch.setattr(grade.child, "start", lambda *_: grade.child.Plain())
    with pytest.raises(Unfenced, match="does not hold: fs"):
        run(folder, book, needs=("fs",))
    assert not witness.exists()
    assert count(book, "result") == 0
    run(folder, book)
    assert witness.exists(), "a blind test"


def test_a_grader_with_another_check_file_grades_nothing(folder, book):
    handed = Handed("ada", EXERCISE, ("ada", "x"), notebook(), "")
    job = grade.Job.of(handed, 1, "secret")
    with pytest.raises(grade.OtherChecks, match="same version"):
        grade.grade_one(grade.replace(job, checks="another"))


def test_an_error_of_ours_gives_no_points_is_named_and_is_tried_again(folder, book, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("ours")

    with monkeypatch.context() as patched:
        patched.setattr(grade.Trial, "judge_all", broken)
        tally = run(folder, book)
    assert len(tally.troubled) == 3
    assert standing(book, "ada").outcome == "grader error"
    assert "ZeroDivisionError: ours" in standing(book, "ada").reason
    assert len(run(folder, book).graded) == 3
    assert scores(book)["ada"] == WORTH


class Fragile(Here):
    """A pool that is ended by one learner's notebook, with all that is under way in it."""

    waiting: list  # what has been given to this pool and has not ended

    def __init__(self):
        self.waiting, self.broken = [], False

    def submit(self, fn, /, *args, **kwargs):
        if args[0].student == "bob":
            self.broken = True
            for future in self.waiting:
                future.set_exception(BrokenExecutor())
        if self.broken:
            future: Future = Future()
            future.set_exception(BrokenExecutor())
            return future
        return super().submit(fn, *args, **kwargs)


def test_a_notebook_that_ends_the_grader_costs_no_other_learner_a_result(folder, book):
    with Gradebook(book, create=True) as opened:
        grade.Run(folder, opened, Fragile).grade()
    assert standing(book, "bob").outcome == "grader error"
    assert scores(book) == {"ada": WORTH, "bob": 0, "cyd": scores(book)["cyd"]}
    assert standing(book, "cyd").outcome == "graded"


def test_a_notebook_that_took_the_whole_machine_down_is_given_up_in_the_end(folder, book):
    with Gradebook(book, create=True) as opened:
        content = (folder / "bob" / f"{EXERCISE}.ipynb").read_bytes()
        for _ in range(TRIES):
            opened.claim(Handed("bob", EXERCISE, ("bob", f"{EXERCISE}.ipynb"), content, ""))
    order = []
    run(folder, book, bar=lambda total: lambda: order.append(total))
    assert standing(book, "bob").outcome == "grader error"
    assert scores(book)["ada"] == WORTH
    assert order == [3, 3, 3]


# ------------------------------------------------------------------------ the command


def command(folder, book, *more):
    return [sys.executable, "-m", "nncheck", "grade", str(folder), "--gradebook", str(book), *more]


def test_the_command_says_what_came_out_and_how_it_went(folder, book, capsys):
    hand_in(folder, "dan", b"{")
    assert cli.main(["grade", str(folder), "--gradebook", str(book), "--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert f"{EXERCISE}: 4 graded, 1.2 of 4 points on average (1 unreadable)" in said
    assert "unreadable: dan" in said
    (folder / "dan" / f"{EXERCISE}.ipynb").unlink()
    assert cli.main(["grade", str(folder), "--gradebook", str(book)]) == 0
    assert "Graded before and unchanged: 3." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--jobs", "0"], "one process is the least"),
        (["--require", "fs,luck"], "no guarantee luck"),
        (["--only", "99"], "no exercise called"),
        (["--yes"], "--yes is a part of --compare"),
        (["--attempt", "best"], "--attempt is a part of --compare"),
    ],
)
def test_a_mistake_in_the_command_is_told(folder, book, capsys, more, why):
    assert cli.main(["grade", str(folder), "--gradebook", str(book), *more]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the fences are built on what Linux has")
def test_where_every_guarantee_holds_a_class_is_graded_that_requires_them(folder, book):
    asked = command(folder, book, "--require", "fs,net,proc,mem")
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with Gradebook(book) as opened:
        for row in opened.db.execute("SELECT guarantees FROM result"):
            assert all(json.loads(row["guarantees"]).values())


# -------------------------------------------------------------------------- ended by force


def processes_of(group):
    """The processes of a session that are still there, by number."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                state, parent, _, session = file.read().rsplit(")", 1)[1].split()[:4]
        except (OSError, IndexError, ValueError):
            continue
        if state != "Z" and (int(session) == group or int(parent) in found):
            found.append(int(entry))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc")
def test_ended_at_any_moment_it_goes_on_and_every_submission_has_one_result(tmp_path, book):
    folder = tmp_path / "submitted"
    learners = [f"s{i:02d}" for i in range(24)]
    for i, learner in enumerate(learners):
        hand_in(folder, learner, notebook(right() if i % 2 else wrong("softmax"), f"n = {i}"))
    asked, kills = command(folder, book, "--jobs", "2"), 0
    for delay in (0.05, 0.3, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0):
        grader = subprocess.Popen(asked, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            grader.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(grader.pid, signal.SIGKILL)
            kills += 1
        grader.wait()
        until = time.monotonic() + 10
        while processes_of(grader.pid) and time.monotonic() < until:
            time.sleep(0.05)
        assert processes_of(grader.pid) == [], "it leaves processes behind"
    assert kills >= 3
    assert subprocess.run(asked, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert count(book, "result") == count(book, "submission") == len(learners)
    got = scores(book)
    assert [got[learner] == WORTH for learner in learners] == [bool(i % 2) for i in range(24)]


def test_stopped_by_hand_it_says_what_is_kept(folder, book, capsys, monkeypatch):
    finish = Gradebook.finish

    def and_stop(self, *args):
        finish(self, *args)
        raise KeyboardInterrupt

    monkeypatch.setattr(Gradebook, "finish", and_stop)
    monkeypatch.setattr(grade, "processes", lambda jobs: Here())
    assert cli.main(["grade", str(folder), "--gradebook", str(book)]) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert count(book, "result") == 1


def test_a_process_that_grades_ends_with_the_one_that_asked():
    ask = (
        "from nncheck import grade\nimport os\n"
        "pool = grade.processes(1)\nprint(pool.submit(os.getpid).result(), flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    pid, until = int(done.stdout), time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("it is still there")


def test_threads_of_one_process_do_not_disturb_each_other(folder, book):
    run(folder, book)
    content = (folder / "cyd" / f"{EXERCISE}.ipynb").read_bytes()
    job = grade.Job.of(Handed("cyd", EXERCISE, ("cyd", "x.ipynb"), content, ""), 1, "secret")
    said: list[dict] = []

    def work():
        for _ in range(5):
            told = json.loads(grade.grade_one(job))
            said.append({k: v for k, v in told.items() if k != "seconds"})

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(said) == 15
    assert all(one == said[0] for one in said)
