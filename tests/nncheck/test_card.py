import dataclasses
import json
import re
from pathlib import Path

import pytest

from nncheck import card, notebooks
from nncheck.card import Use
from tests.nncheck.small_course import code, lesson, md, notebook, write_course

PATH = "course/11_neuron.ipynb"


def parsed(**rows):
    return card.parse(lesson(**rows), PATH)


# ---- parsing


def test_a_card_is_read_as_it_is_written():
    found = parsed(uses="`scale` (00); ■ chain rule (21); ■ NumPy arrays (02);")
    assert (found.number, found.title, found.part) == ("11", "Neuron", 1)
    assert found.idea == "A weighted sum, `w @ x + b`, and one bend."
    assert found.introduces == ("`neuron`", "bias")
    assert found.uses == (
        Use("`scale`", "00", False),
        Use("chain rule", "21", True),
        Use("NumPy arrays", "02", True),
    )
    assert (found.minutes, found.exercise_minutes) == (25, 40)
    assert found.exercise == "11_neuron"


def test_a_page_without_an_exercise_says_why():
    found = parsed(time="10 min", exercise="none: a reading page", uses="nothing")
    assert found.exercise is None
    assert found.exercise_minutes is None
    assert found.why_no_exercise == "a reading page"
    assert found.uses == ()


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ({"number": "12"}, 1, "the heading says 12, the file's name 11"),
        ({"title": ""}, 1, "expected a heading like `# 11 Title`"),
        ({"introduces": ""}, 6, "**Introduces** is empty; write `nothing`"),
        ({"uses": "chain rule"}, 7, "expected `name (11)` or `■ name (35)`"),
        ({"uses": "■ NumPy arrays (2)"}, 7, "expected `name (11)`"),
        ({"time": "half an hour"}, 8, "expected `25 min, exercise 40 min`"),
        ({"time": "25 min"}, 8, "if, and only if, there is an exercise"),
        ({"exercise": "none: reading"}, 8, "if, and only if, there is an exercise"),
        ({"exercise": "none"}, 9, "or `none: why`; got 'none'"),
        ({"exercise": "[x](../exercises/11_neuron.ipynb)"}, 9, "expected `[exercises/11_neuron"),
        (
            {"exercise": "[exercises/12_a.ipynb](../exercises/12_a.ipynb)"},
            9,
            "the exercise must be 11_neuron.ipynb too; got 12_a.ipynb",
        ),
    ],
)
def test_a_mistake_on_a_card_is_named_with_file_and_line(rows, line, said):
    with pytest.raises(ValueError, match=f"^{PATH}, card, line {line}: ") as error:
        parsed(**rows)
    assert said in str(error.value)


def test_rows_must_be_there_and_in_order():
    nb = lesson()
    lines = nb.cells[0].source.splitlines()
    lines[4], lines[5] = lines[5], lines[4]
    nb.cells[0].source = "\n".join(lines)
    with pytest.raises(ValueError, match="expected the rows The idea, Introduces"):
        card.parse(nb, PATH)


def test_a_lesson_without_a_card_is_named():
    with pytest.raises(ValueError, match="the first cell must be the card"):
        card.parse(notebook(), PATH)
    with pytest.raises(ValueError, match="the first cell must be the card"):
        card.parse(notebook(code("# 11 Neuron")), PATH)
    with pytest.raises(ValueError, match="expected a heading like `# 11 Title`"):
        card.parse(notebook(md("Hello.")), PATH)


# ---- the walk


def walk(*changes):
    """Problems of cards that differ from a sound one; files are not looked at."""
    cards = []
    for stem, change in changes:
        path = Path("nowhere/course") / f"{stem}.ipynb"
        sound = parsed(introduces="nothing", uses="nothing", time="5 min", exercise="none: short")
        cards.append(dataclasses.replace(sound, path=path, number=stem[:2], **change))
    return card.problems(cards)


def uses(what, lesson, black_box=False):
    return {"uses": (Use(what, lesson, black_box),)}


NEURON = ("11_neuron", {"introduces": ("`neuron`",)})


def test_what_an_earlier_lesson_introduces_may_be_used():
    assert walk(("22_autograd", uses("`neuron`", "11")), NEURON) == []


def test_other_words_for_the_same_thing_are_named():
    (said,) = walk(NEURON, ("22_autograd", uses("neuron", "11")))
    assert "22_autograd: uses neuron (11), but 11_neuron introduces: `neuron`" in said


def test_a_black_box_is_opened_later_or_by_a_lesson_not_yet_written():
    assert walk(NEURON, ("22_autograd", uses("chain rule", "21", True))) == []
    later = ("22_autograd", {"introduces": ("autograd",)})
    assert walk(("11_neuron", uses("autograd", "22", True)), later) == []


def test_the_mark_must_go_once_the_lesson_exists_and_is_earlier():
    (said,) = walk(NEURON, ("22_autograd", uses("`neuron`", "11", True)))
    assert "Remove the mark ■" in said


def test_an_unmarked_use_of_a_later_or_missing_lesson_is_named():
    later = ("22_autograd", {"introduces": ("autograd",)})
    (said,) = walk(("11_neuron", uses("autograd", "22")), later)
    assert "comes later. Mark it with ■" in said
    (said,) = walk(("02_arrays", {}), ("11_neuron", uses("arrays", "02")))
    assert "02_arrays introduces: nothing." in said
    (said,) = walk(("11_neuron", uses("arrays", "02")))
    assert "does not exist yet. Mark it with ■" in said
    (said,) = walk(("11_neuron", {"introduces": ("a",)} | uses("a", "11")))
    assert "comes later" in said


def test_two_lessons_with_one_number_and_one_thing_introduced_twice_are_named():
    said = walk(NEURON, ("11_other", {"introduces": ("`neuron`",)}))
    assert said == [
        "11_other: the number 11 is taken by 11_neuron.",
        "11_other: introduces `neuron`, which 11_neuron has already introduced. Move it to Uses.",
    ]


def test_an_exercise_exists_exactly_where_the_card_says_so(tmp_path):
    home = write_course(tmp_path)
    assert card.problems(card.cards(home)) == []
    (home / "solutions" / "11_neuron.ipynb").unlink()
    assert card.problems(card.cards(home)) == [
        "11_neuron: the card names an exercise, but solutions/11_neuron.ipynb is missing."
    ]
    notebooks.write_text(home / "exercises" / "checks" / "00_start_here.py", "")
    said = card.problems(card.cards(home))[0]
    assert "00_start_here: the card says `Exercise: none`" in said
    assert "but exercises/checks/00_start_here.py exists" in said


# ---- the map


def test_the_map_lists_each_lesson_and_each_part_and_is_the_same_for_everyone(
    tmp_path, monkeypatch
):
    home = write_course(tmp_path)
    text = card.course_map(home, {}).text()
    assert text == card.course_map(home, {"11_neuron": "done"}).text()
    assert "Part 9  Frontier" in text
    line = "  11  Neuron      25 + 40 min  A weighted sum, `w @ x + b`, and one bend."
    assert line in text.splitlines()
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    assert card.course_map().text() == text
    shown = card.course_map(home, {})._repr_mimebundle_()
    assert shown["text/plain"] == text


def test_the_map_shows_progress_in_words_and_links_to_each_lesson(tmp_path):
    shown = card.course_map(write_course(tmp_path), {"11_neuron": "done"}).html()
    assert "● done</span>" in shown
    assert re.findall(r"<a href='(.*?)'>", shown) == ["00_start_here.ipynb", "11_neuron.ipynb"]
    assert "<code>w @ x + b</code>" in shown
    assert "Part 9 · Frontier" in shown
    assert card.course_map(tmp_path, {}).html().count("○ to do") == 1  # 00 has nothing to do


def test_a_title_cannot_break_the_page():
    found = dataclasses.replace(parsed(), title="<script>", idea="a < b & `c`")
    shown = card.CourseMap([found], {}).html()
    assert "<script>" not in shown
    assert "a &lt; b &amp; <code>c</code>" in shown


def test_progress_comes_from_the_record_of_the_working_copy(tmp_path, monkeypatch):
    home = write_course(tmp_path / "home")
    here = tmp_path / "my-course" / "course"
    here.mkdir(parents=True)
    record = here.parent / "progress.jsonl"
    monkeypatch.chdir(here)

    def state(*events):
        lines = [json.dumps({"when": "2026-01-01T00:00:00+00:00", **event}) for event in events]
        record.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return card.course_map(home).states.get("11_neuron")

    def tried(question, status):
        return {"event": "try", "exercise": "11_neuron", "question": question, "status": status}

    assert state() is None
    assert state({"event": "predict", "key": "11/b", "guess": "more"}) == "started"
    assert state(tried("neuron", "failed")) == "started"
    assert state(tried("neuron", "passed")) == "started"
    assert state(tried("neuron", "passed"), tried("relu", "failed")) == "started"
    assert state(tried("neuron", "passed"), tried("relu", "passed")) == "done"


def test_without_a_working_copy_nothing_is_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert card.course_map(write_course(tmp_path / "home")).states == {}
