"""Small gradebooks for tests, written directly or by grading."""

from pathlib import Path

from nncheck import grade
from nncheck.grade import Job
from nncheck.gradebook import Answer, Gradebook, Result
from nncheck.intake import Handed
from tests.nncheck.small_class import notebook

WHEN = "2026-01-02T03:04:05+00:00"
HELD = {"fs": ["Landlock"], "net": ["seccomp"], "proc": [], "mem": ["rlimits"]}
SENTENCE = "You normalised over the batch: each column sums to one, but each row should."


def passed(question="softmax", worth=2.0) -> Answer:
    return Answer(question, "passed", worth, worth, message="It does what ours does.")


def failed(name="value", message="the result[0] is 12.25, expected 3.5.", **more) -> Answer:
    values = {"question": "softmax", "status": "failed", "points": 0.0, "worth": 2.0, **more}
    return Answer(name=name, message=message, detail="With logits [12.25]", **values)


def mistake(**more) -> Answer:
    return failed("over_the_batch", SENTENCE, mistake=True, **more)


def handed(student, exercise="01_functions", content=b"{}", file="") -> Handed:
    return Handed(student, exercise, (student, file or f"{exercise}.ipynb"), content, WHEN)


def enter(
    book: Gradebook,
    student: str,
    *answers: Answer,
    exercise="01_functions",
    outcome="graded",
    cells: list[dict] | None = None,
    content=b"{}",
    file="",
):
    """One attempt of a learner with these answers."""
    run, _ = book.begin_run()
    number, _ = book.claim(handed(student, exercise, content, file))
    guarantees = HELD if cells is not None or outcome == "graded" else {}
    book.finish(number, run, Result(outcome, "", 0.5, 1, "c", guarantees, answers, cells))


def cell(source: str, number=0) -> dict:
    return {"id": f"cell-{number}", "source": source, "tags": []}


def grade_into(book: Gradebook, student: str, *sources: str, exercise="01_functions") -> Result:
    """Grade a notebook of these cells as `nncheck grade` does, in this process."""
    run, secret = book.begin_run()
    had = handed(student, exercise, notebook(*sources))
    number, _ = book.claim(had)
    job = Job.of(had, number, secret)
    result = grade.read_result(job, grade.grade_one(job))
    book.finish(number, run, result)
    return result


def pages(folder: Path, *names: str) -> str:
    """The text of all that was written into a folder, or of what these patterns name."""
    found = [p for name in names or ("**/*",) for p in sorted(folder.glob(name)) if p.is_file()]
    assert found, f"{folder} holds none of {names}"
    return "\n".join(p.read_text(encoding="utf-8") for p in found)
