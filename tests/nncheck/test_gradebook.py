import sqlite3
import subprocess
import sys

import pytest

from nncheck.gradebook import OURS, SCHEMA, VERSION, Answer, Gradebook, Result
from nncheck.intake import Handed


def handed(student="ada", content=b"1", exercise="11_neuron"):
    return Handed(student, exercise, (student, f"{exercise}.ipynb"), content, "2026-10-01T12:00:00")


def result(*points, outcome="graded"):
    answers = tuple(
        Answer(f"q{i}", "passed" if p else "failed", p, 2, message="said")
        for i, p in enumerate(points)
    )
    return Result(outcome, "", 0.1, 2**55 + 1, "c1", {"fs": ["Landlock"]}, answers, [{"id": "a"}])


def graded(book, handed, result):
    run, _ = book.begin_run()
    number, _ = book.claim(handed)
    book.finish(number, run, result)
    return number


@pytest.fixture
def book(tmp_path):
    with Gradebook(tmp_path / "class.db", create=True) as made:
        yield made


def test_a_result_comes_back_as_it_was_written(book):
    number = graded(book, handed(), result(2, 0))
    assert book.result(number) == result(2, 0)


def test_the_questions_stay_in_the_order_of_the_exercise(book):
    answers = tuple(Answer(name, "passed", 1, 1) for name in ("zeta", "alpha", "mid"))
    graded(book, handed(), Result("graded", "", 0, 1, "c", {}, answers))
    assert [a.question for a in book.standings()[0].answers] == ["zeta", "alpha", "mid"]


def test_every_attempt_is_kept_and_the_latest_or_the_best_counts(book):
    graded(book, handed(content=b"1"), result(2, 2))
    graded(book, handed(content=b"2"), result(2, 0))
    assert [s.points for s in book.standings("latest")] == [2]
    assert [s.points for s in book.standings("best")] == [4]
    assert book.db.execute("SELECT count(*) FROM result").fetchone()[0] == 2


def test_going_back_to_an_older_file_is_an_attempt_of_its_own(book):
    for content in (b"1", b"2", b"1"):
        graded(book, handed(content=content), result(0, content == b"1"))
    assert book.db.execute("SELECT count(*) FROM submission").fetchone()[0] == 3
    assert [s.points for s in book.standings()] == [1]


def test_a_second_result_of_an_attempt_counts_and_the_first_stays(book):
    number = graded(book, handed(), result(0, 0))
    assert graded(book, handed(), result(2, 1)) == number
    assert [s.points for s in book.standings()] == [3]
    assert book.db.execute("SELECT count(*) FROM result").fetchone()[0] == 2


def test_the_last_mark_wins_over_what_was_computed_now_and_later(book):
    graded(book, handed(), result(0, 2))
    book.mark("ada", "11_neuron", "q0", 1, "nearly")
    book.mark("ada", "11_neuron", "q0", 1.5, "it was our mistake")
    [standing] = book.standings()
    assert standing.points == 3.5
    assert (standing.answers[0].points, standing.answers[0].marked) == (1.5, "it was our mistake")
    assert standing.answers[1].marked == ""
    graded(book, handed(), result(0, 0))
    assert book.standings()[0].points == 1.5
    graded(book, handed("bob"), result(0, 0))
    assert book.standings(student="bob")[0].points == 0


def test_a_claim_counts_and_an_end_starts_the_count_anew(book):
    assert [book.claim(handed())[1] for _ in range(3)] == [1, 2, 3]
    assert book.last(handed()).checks is None
    graded(book, handed(), result(0))
    assert (book.last(handed()).tries, book.last(handed()).checks) == (0, "c1")


def test_what_the_grader_failed_at_is_still_to_be_graded(book):
    graded(book, handed(), result(0, outcome="grader error"))
    assert book.last(handed()).checks is None
    assert book.last(handed("bob")) is None


def test_half_a_result_is_no_result(book):
    run, _ = book.begin_run()
    number, _ = book.claim(handed())
    twice = Answer("q", "passed", 1, 1, message=object())  # what SQLite cannot store
    with pytest.raises((sqlite3.Error, TypeError)):
        book.finish(number, run, Result("graded", "", 0, 1, "c", {}, (twice,)))
    assert book.standings() == []
    assert book.db.execute("SELECT count(*) FROM result").fetchone()[0] == 0


def test_two_graders_cannot_write_at_the_same_time(book, tmp_path):
    ask = (
        "import sys; from nncheck.gradebook import Gradebook\n"
        "with Gradebook(sys.argv[1]) as book:\n"
        "    with book.only_grader(): print('in')"
    )
    command = [sys.executable, "-c", ask, str(tmp_path / "class.db")]
    with book.only_grader():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert "Another `nncheck grade` is writing" in done.stderr
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == [b"in"]


def test_a_file_that_is_no_gradebook_is_told_and_left_alone(tmp_path):
    other = tmp_path / "notes.db"
    other.write_text("not a database, but what somebody wrote" * 40)
    with pytest.raises(ValueError, match="no gradebook that can be read"):
        Gradebook(other)
    assert other.read_text().startswith("not a database")
    db = sqlite3.connect(tmp_path / "theirs.db")
    db.execute("CREATE TABLE photos (name)")
    db.commit()
    db.close()
    with pytest.raises(ValueError, match="something else"):
        Gradebook(tmp_path / "theirs.db")
    with pytest.raises(FileNotFoundError, match="nncheck grade"):
        Gradebook(tmp_path / "none.db")


def test_marks_are_taken_back_and_what_was_computed_counts_again(book):
    graded(book, handed(), result(0, 2))
    book.mark("ada", "11_neuron", "q0", 1, "nearly")
    book.mark("ada", "11_neuron", "q0", None, "it was Bob's")
    [standing] = book.standings()
    assert standing.points == 2
    assert (standing.answers[0].points, standing.answers[0].marked) == (0, "")
    graded(book, handed(content=b"2"), result(1, 2))
    assert book.standings()[0].points == 3
    book.mark("ada", "11_neuron", "q0", 0.5, "after all")
    assert book.standings()[0].points == 2.5
    assert book.db.execute("SELECT count(*) FROM mark").fetchone()[0] == 3


def test_a_gradebook_of_the_version_before_is_brought_up_to_date_and_loses_nothing(tmp_path):
    path = tmp_path / "class.db"
    old = SCHEMA.replace("points REAL, because", "points REAL NOT NULL, because")
    old = old.replace("iif(m.points IS NULL, '', m.because)", "coalesce(m.because, '')")
    assert old.count("NOT NULL, because") == 1
    db = sqlite3.connect(path)
    db.executescript(f"{old}; PRAGMA application_id = {OURS}; PRAGMA user_version = 1;")
    db.execute("INSERT INTO mark VALUES (7, '2026-01-01', 'ada', '11_neuron', 'q0', 1.5, 'kind')")
    db.commit()
    db.close()
    for _ in range(2):
        with Gradebook(path) as book:
            assert [*book.db.execute("SELECT * FROM mark").fetchone()][-2:] == [1.5, "kind"]
            assert book.db.execute("PRAGMA user_version").fetchone()[0] == VERSION
    with Gradebook(path) as book, Gradebook(tmp_path / "new.db", create=True) as new:
        schema = "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name"
        assert [*map(tuple, book.db.execute(schema))] == [*map(tuple, new.db.execute(schema))]
        graded(book, handed(), result(0, 2))
        assert book.standings()[0].points == 3.5
        book.mark("ada", "11_neuron", "q0", None, "taken back")
        assert book.standings()[0].points == 2


def test_looking_into_a_gradebook_writes_nothing(tmp_path):
    path = tmp_path / "class.db"
    with Gradebook(path, create=True) as book:
        graded(book, handed(), result(1))
    before = path.read_bytes()
    with Gradebook(path) as book:
        assert book.standings()
    assert path.read_bytes() == before


def test_a_gradebook_of_another_version_is_told(tmp_path):
    Gradebook(tmp_path / "class.db", create=True).close()
    db = sqlite3.connect(tmp_path / "class.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ValueError, match="another version"):
        Gradebook(tmp_path / "class.db")
