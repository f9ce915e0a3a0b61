"""Every exercise passes every gate, and shows what was approved."""

from functools import cache

import pytest

from nncheck import exercise
from nncheck.prove import gates
from nncheck.prove.candidate import Candidate
from tests.course.printed import same_text
from tests.course.transcript import kept_in, transcript

HOME = exercise.home()
STEMS = exercise.names()


@cache
def candidate(stem: str) -> Candidate:
    return Candidate(HOME, stem)


def questions():
    """Every question of every exercise; an exercise that cannot be read has one, called None."""
    found = []
    for stem in STEMS:
        try:
            names = list(exercise.load(stem).questions)
        except Exception:
            names = [None]
        found += [pytest.param(stem, name, id=f"{stem}-{name}") for name in names]
    return found


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("gate", gates.OF_EXERCISES, ids=lambda gate: gate.__name__)
def test_exercise_passes_the_gate(gate, stem):
    problems = list(gate(candidate(stem)))
    assert not problems, f"{stem}\n" + "\n".join(problems)


@pytest.mark.parametrize(("stem", "name"), questions())
@pytest.mark.parametrize("gate", gates.OF_QUESTIONS, ids=lambda gate: gate.__name__)
def test_question_passes_the_gate(gate, stem, name):
    question = candidate(stem).exercise.questions[name]
    problems = list(gate(candidate(stem), question))
    assert not problems, f"{stem}\n" + "\n".join(problems)


@pytest.mark.parametrize("stem", STEMS)
def test_wrong_answers_are_shown_the_text_that_was_read_and_approved(stem, request):
    shown, file = transcript(candidate(stem)), kept_in(stem)
    if request.config.getoption("--rewrite-transcripts"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert file.exists(), "read what it shows, then: pytest tests/course --rewrite-transcripts"
    kept = file.read_text(encoding="utf-8")
    if not same_text(kept, shown):
        assert kept == shown  # pytest shows the difference
