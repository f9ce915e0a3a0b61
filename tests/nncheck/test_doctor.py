"""The doctor says what holds, and its attempts get through where there are no fences."""

import sys

import pytest

from nncheck import child, doctor
from nncheck.cli import main

linux = pytest.mark.skipif(sys.platform != "linux", reason="the fences are built on Linux")


def holds(fences):
    return {f.attempt: f.holds for f in doctor.examine(fences) if f.guarantee != "split"}


@linux
def test_every_attempt_gets_through_without_fences():
    assert not any(holds(fences=False).values())


@linux
def test_what_a_worker_says_of_its_fences_is_what_the_attempts_find():
    worker = child.start("numpy", doctor.MEMORY)
    worker.kill()
    for finding in doctor.examine():
        assert finding.holds == (
            finding.guarantee == "split" or bool(worker.guarantees[finding.guarantee])
        ), finding


def test_the_border_holds_without_fences():
    border = [f for f in doctor.examine(fences=False) if f.guarantee == "split"]
    assert len(border) == 2
    assert all(f.holds for f in border)


def test_what_is_missing_is_told_with_its_remedy_and_an_exit_code(monkeypatch, capsys):
    def refuse(uses):
        raise child.Unavailable("no zygote in this test")

    monkeypatch.setattr(child, "zygote_for", refuse)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "without fences: no zygote in this test" in said
    assert "MISSING  fs     no answer writes a file\n                needs " in said
    assert "WEAK: fs, mem, net, proc." in said


@linux
def test_where_everything_holds_the_exit_code_is_0(capsys):
    worker = child.start("numpy", doctor.MEMORY)
    worker.kill()
    if not all(worker.guarantees.values()):
        pytest.skip(f"this kernel lacks a layer: {worker.guarantees}")
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert said.count("HOLDS") == len(doctor.ATTEMPTS) + len(doctor.ENDINGS)
    assert "Every guarantee holds." in said
