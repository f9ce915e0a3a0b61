import json
import subprocess
import sys
import threading

import pytest

from nncheck import lock, progress
from nncheck.diagnose import Verdict


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.touch()
    return path


def test_events_come_back_in_the_order_they_were_added(record):
    progress.append(record, "predict", key="22/a", guess="2")
    progress.append(record, "reveal", key="22/a", outcome="∂")
    events, note = progress.read(record)
    assert [e["event"] for e in events] == ["predict", "reveal"]
    assert events[1]["outcome"] == "∂"
    assert note == ""


def test_a_line_that_was_cut_off_is_left_out_with_a_note_and_harms_no_other(record):
    progress.append(record, "skip", exercise="a", question="b")
    with open(record, "ab") as file:
        file.write(b'{"event": "try", "exer')
    events, note = progress.read(record)
    assert len(events) == 1
    assert "line 2 could not be read" in note
    progress.append(record, "skip", exercise="a", question="c")
    events, note = progress.read(record)
    assert [e["question"] for e in events] == ["b", "c"]
    assert note


@pytest.mark.parametrize("line", ["3", "[]", '{"a": 1}', '{"event": 3}', "\x00", "[" * 10000])
def test_a_line_of_another_form_is_left_out(record, line):
    record.write_text(line + "\n", encoding="utf-8")
    assert progress.read(record)[0] == []


def test_two_writers_at_once_lose_no_line_and_mix_none(record):
    code = (
        "import sys; from pathlib import Path; from nncheck import progress\n"
        "for i in range(40): progress.append(Path(sys.argv[1]), 'skip', who=sys.argv[2], i=i)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(record), who]) for who in ("a", "b", "c")
    ]
    assert [w.wait(60) for w in writers] == [0, 0, 0]
    events, note = progress.read(record)
    assert note == ""
    assert sorted((e["who"], e["i"]) for e in events) == [
        (who, i) for who in "abc" for i in range(40)
    ]


def test_a_writer_waits_while_another_holds_the_record(record):
    writer = threading.Thread(target=progress.append, args=(record, "skip"))
    with open(record, "r+b") as file, lock.locked(file):
        writer.start()
        writer.join(0.3)
        assert writer.is_alive()
        assert record.stat().st_size == 0
    writer.join(30)
    assert [e["event"] for e in progress.read(record)[0]] == ["skip"]


def test_the_record_is_found_by_walking_up_and_is_none_outside_a_working_copy(record, tmp_path):
    (tmp_path / "exercises" / "deep").mkdir(parents=True)
    assert progress.find(tmp_path / "exercises" / "deep") == record
    record.unlink()
    assert progress.find(tmp_path / "exercises") is None


def verdict(status="failed", name="own_data", mistake=True):
    points = 1 if status == "passed" else 0
    return Verdict("22_autograd", "mul", status, points, 1, name, mistake=mistake)


def summary(journal):
    return progress.questions(journal.events())["22_autograd", "mul"]


@pytest.fixture(params=["in a file", "in memory"])
def journal(request, record):
    return progress.Journal(record if request.param == "in a file" else None)


def test_a_try_counts_only_if_the_source_changed(journal):
    for source in ("one", "one", "two", "two", "one"):
        journal.add_try(verdict(), source, "check")
    assert summary(journal).tries == 3


def test_what_did_not_run_is_no_try(journal):
    for status in ("not done", "stale", "skipped", "error", "missing", "not run"):
        journal.add_try(verdict(status), status, "check")
    assert journal.events() == []


def test_mistakes_passing_and_help_are_remembered(journal):
    journal.add_try(verdict(), "one", "check")
    journal.add_try(verdict(name="value", mistake=False), "two", "check")
    assert not summary(journal).passed
    journal.add("solution", exercise="22_autograd", question="mul")
    journal.add_try(verdict("passed", ""), "three", "abc")
    assert summary(journal).mistakes == ["own_data"]
    assert summary(journal).passed
    assert summary(journal).with_help
    assert summary(journal).check == "abc"


def test_a_solution_opened_after_passing_is_no_help(journal):
    journal.add_try(verdict("passed", ""), "three", "abc")
    journal.add("solution", exercise="22_autograd", question="mul")
    assert not summary(journal).with_help


def test_the_first_guess_counts_and_the_last_outcome(journal):
    journal.add("predict", key="22/a", guess="1", confidence="sure")
    journal.add("predict", key="22/a", guess="2", confidence="guess")
    journal.add("reveal", key="22/a", outcome="2")
    mine = progress.predictions(journal.events())["22/a"]
    assert (mine.guess, mine.confidence, mine.outcome, mine.right) == ("1", "sure", "2", False)


def test_right_predictions_are_counted_by_how_sure_and_not_once_the_outcome_was_known(journal):
    for key, guess, confidence in (("a", "1", "sure"), ("b", "2", "sure"), ("c", "1", "guess")):
        journal.add("predict", key=key, guess=guess, confidence=confidence)
        journal.add("reveal", key=key, outcome="1")
    journal.add("reveal", key="late", outcome="1")
    journal.add("predict", key="late", guess="1", confidence="sure")
    journal.add("predict", key="open", guess="1", confidence="sure")
    journal.add("recall", key="old", guess="1", outcome="1")  # an old record: how sure, unknown
    assert progress.calibration(journal.events()) == {"sure": (1, 2), "guess": (1, 1)}


def test_a_record_that_cannot_be_written_costs_a_note_and_nothing_else(record):
    journal = progress.Journal(record)
    record.unlink()
    journal.add_try(verdict(), "one", "check")
    assert "not recorded in progress.jsonl" in journal.note
    assert summary(journal).tries == 1


def test_each_event_is_one_line_of_plain_ascii(record):
    progress.append(record, "predict", key="22/a", guess="∂\nline\ud800")
    [line] = record.read_bytes().decode("ascii").splitlines()
    assert json.loads(line)["guess"].startswith("∂\nline")
