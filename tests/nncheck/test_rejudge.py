"""One question judged anew for a class: shown first, written when it is agreed to."""

import pytest

from nncheck import cli, exercise, grade
from nncheck.gradebook import Gradebook
from tests.nncheck import samples, small_class
from tests.nncheck.small_class import EXERCISE, OVER_THE_BATCH, Here, answers, hand_in, scores

UNSHIFTED = small_class.SOFTMAX.replace(" - logits.max(axis=1, keepdims=True)", "")
OTHER = "def right_softmax(logits):\n"
BY_COLUMN = f"{OTHER}    return over_the_batch(logits)\n"  # now those are right whom it named


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    monkeypatch.setattr(grade, "processes", lambda jobs: Here())
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def book(tmp_path):
    """Four learners: all right; over the batch; unshifted; and what cannot be read."""
    folder = tmp_path / "submitted"
    hand_in(folder, "ada", answers())
    hand_in(folder, "bob", answers(softmax=OVER_THE_BATCH))
    hand_in(folder, "cyd", answers(softmax=UNSHIFTED))
    hand_in(folder, "dan", b"{")
    small_class.run(folder, tmp_path / "class.db", secret="a test's")
    return tmp_path / "class.db"


@pytest.fixture
def mended(tmp_path, monkeypatch):
    """The check file with another right answer to softmax."""
    home = small_class.other_checks(tmp_path / "mended", OTHER, BY_COLUMN)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))


@pytest.fixture
def compare(capsys, book, monkeypatch):
    """Run the comparison; `says` is what the teacher types."""

    def compare(*more, says=None, only="01:softmax"):
        def typed(asked):
            print(asked)
            if says is None:
                raise EOFError
            return says

        monkeypatch.setattr("builtins.input", typed)
        code = cli.main(["grade", "--only", only, "--compare", "--gradebook", str(book), *more])
        out, err = capsys.readouterr()
        return code, out, err

    return compare


def result(book, student):
    with Gradebook(book) as opened:
        [standing] = opened.standings(student=student)
        return opened.result(standing.submission)


def rows(book, table="result"):
    with Gradebook(book) as opened:
        return opened.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_with_the_same_check_file_nothing_changes(compare, book):
    code, out, _ = compare()
    assert code == 0
    assert "0 change: 0 up, 0 down, 0 in words only. 3 stay as they are." in out
    assert "Not judged (unreadable): dan." in out
    assert "?" not in out
    assert rows(book) == 4


def test_old_and_new_are_shown_and_nothing_is_written_without_a_yes(compare, book, mended):
    code, out, _ = compare(says="n")
    assert code == 0
    assert out.splitlines()[:4] == [
        "01_functions: softmax, judged anew with the present check file",
        "  learner  old  new",
        "  ada      2/2  0/2  passed -> failed (value)",
        "  bob      0/2  2/2  failed (over_the_batch) -> passed",
    ]
    assert "2 change: 1 up, 1 down, 0 in words only. 1 stay as they are." in out
    assert "Add 2 results" in out
    assert "Nothing was written." in out
    assert rows(book) == 4


def test_nobody_to_ask_is_no_yes(compare, book, mended):
    code, _, err = compare()
    assert code == 2
    assert "--yes" in err
    assert rows(book) == 4


@pytest.mark.parametrize("answer", [{"says": "y"}, {"says": None, "more": "--yes"}])
def test_only_that_question_is_changed_and_the_old_results_stay(compare, book, mended, answer):
    before = {who: result(book, who) for who in ("ada", "bob", "cyd", "dan")}
    code, out, _ = compare(*filter(None, [answer.get("more")]), says=answer["says"])
    assert code == 0
    assert "Added to" in out
    assert rows(book) == 4 + 2
    assert scores(book) == {"ada": 2, "bob": 3, "cyd": 1, "dan": 0}
    for who, old in before.items():
        for was, now in zip(old.answers, result(book, who).answers, strict=True):
            assert was == now or (was.question == "softmax" and who != "dan")
        assert result(book, who).cells == old.cells
    assert rows(book, "run") == 2
    _, again, _ = compare()
    assert "0 change" in again


def test_a_result_of_two_check_files_keeps_the_old_fingerprint(compare, book, mended):
    """`predict` rests on softmax, so it would change too: `grade --again` is still to be said."""
    old = result(book, "ada").checks
    _, out, _ = compare("--yes")
    assert "2 answers to other questions would change, too; they stay" in out
    assert "--only 01_functions --again" in out
    assert result(book, "ada").checks == result(book, "bob").checks == old
    small_class.run(book.parent / "submitted", book, again=True)
    assert scores(book) == {"ada": 1, "bob": 4, "cyd": 1, "dan": 0}


def test_a_result_that_is_all_as_new_bears_the_new_fingerprint(
    compare, book, tmp_path, monkeypatch
):
    home = small_class.other_checks(tmp_path / "new", "You normalised over", "You divided over")
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    _, out, _ = compare("--yes")
    assert "1 change: 0 up, 0 down, 1 in words only. 2 stay as they are." in out
    assert "other questions" not in out
    assert result(book, "bob").answers[0].message.startswith("You divided over the batch")
    assert result(book, "bob").checks == exercise.fingerprint(EXERCISE)


def test_a_mark_by_hand_goes_on_to_win_and_is_shown(compare, book, mended):
    with Gradebook(book) as opened:
        opened.mark("ada", EXERCISE, "softmax", 1.5, "seen on paper")
    _, out, _ = compare("--yes")
    assert "2/2  0/2  passed -> failed (value); marked by hand: 1.5" in out
    assert "Marked by hand, and so the points stay: 1." in out
    assert scores(book)["ada"] == 1.5 + 2


def test_what_could_not_be_graded_before_is_still_known(compare, book, mended):
    (book.parent / "submitted" / "lost.ipynb").write_text("{}")
    small_class.run(book.parent / "submitted", book)
    compare("--yes")
    with Gradebook(book) as opened:
        assert [r.file for r in opened.refusals()] == ["lost.ipynb"]


def test_the_best_attempt_is_judged_where_that_is_the_one_that_counts(compare, book):
    hand_in(book.parent / "submitted", "ada", answers(softmax=OVER_THE_BATCH))
    small_class.run(book.parent / "submitted", book)
    home = small_class.other_checks(book.parent / "mended", OTHER, BY_COLUMN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCHECK_EXERCISES", str(home))
        assert "ada      0/2  2/2" in compare(says="n")[1]
        assert "ada      2/2  0/2" in compare("--attempt", "best", says="n")[1]


def test_a_grader_that_fails_changes_nothing_and_is_told(compare, book, mended, monkeypatch):
    def fail(job):
        raise OSError("no more processes")

    monkeypatch.setattr(grade, "grade_one", fail)
    code, out, _ = compare("--yes")
    assert code == 1
    assert "Not judged (OSError: no more processes): ada, bob, cyd." in out
    assert rows(book) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "01", "--compare"], "write EXERCISE:QUESTION"),
        (["--only", "01:relu", "--compare"], "01_functions has no question 'relu'. There is"),
        (["--only", "77:relu", "--compare"], "no exercise called '77'"),
        (["submitted", "--only", "01:softmax"], "one question is judged anew with --compare"),
        ([], "Name the folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(capsys, book, arguments, said):
    assert cli.main(["grade", "--gradebook", str(book), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert rows(book, "run") == 1


def test_a_question_that_is_new_is_not_added_to_old_results(compare, book, tmp_path, monkeypatch):
    home = small_class.other_checks(
        tmp_path / "more",
        "def linear(x, W):",
        '@question(points=1, right=right_softmax)\ndef again(rng):\n    """Again."""\n'
        "    yield call, rng.normal(size=(3, 5))\n\n\ndef linear(x, W):",
    )
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    _, out, _ = compare(only="01:again")
    assert "Not judged (not asked then): ada, bob, cyd." in out
    assert "0 change" in out
