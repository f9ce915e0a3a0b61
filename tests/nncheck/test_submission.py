import json

import pytest

from nncheck import submission
from nncheck.submission import Cell, Unreadable, answer_cell, opened, source_hash


def written(tmp_path, cells):
    path = tmp_path / "22_autograd.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    return path


def code(source, **more):
    return {"cell_type": "code", "source": source, **more}


def test_code_cells_are_read_in_order_with_ids_and_tags(tmp_path):
    cells = [
        code(["a = 1\n", "b = 2"], id="first"),
        {"cell_type": "markdown", "source": "# x"},
        code("c = 3", metadata={"tags": ["swap", 3]}),
    ]
    assert submission.read(written(tmp_path, cells)) == [
        Cell("first", "a = 1\nb = 2"),
        Cell("", "c = 3", ("swap",)),
    ]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"{", "line 1 is not JSON"),
        (b'{"cells": [', "is not JSON"),
        (b"[" * 10**6, "nested too deeply"),
        (b"[]", "not those of a notebook"),
        (b'{"cells": 3}', "not those of a notebook"),
        (b'{"cells": [3]}', "not those of a notebook"),
        (b'{"cells": [{"cell_type": "code"}]}', "not those of a notebook"),
        (b'{"cells": [{"cell_type": "code", "source": 3}]}', "not those of a notebook"),
        (b'{"cells": [{"cell_type": "code", "source": "", "metadata": 3}]}', "not those"),
        (b'{"cells": [{"cell_type": "code", "source": "", "metadata": {"tags": 3}}]}', "not those"),
    ],
)
def test_a_damaged_file_is_told_why_and_what_to_do(tmp_path, raw, why):
    path = tmp_path / "22_autograd.ipynb"
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match="is not a notebook") as told:
        submission.read(path)
    assert why in str(told.value)
    assert "nncheck update" in str(told.value)


def test_a_file_that_is_too_large_or_absent_is_told(tmp_path, monkeypatch):
    with pytest.raises(Unreadable, match="cannot be read"):
        submission.read(tmp_path / "none.ipynb")
    monkeypatch.setattr(submission, "MAX_BYTES", 10)
    with pytest.raises(Unreadable, match="Clear Outputs"):
        submission.read(written(tmp_path, []))


def test_an_answer_is_found_by_its_name_the_last_counts_and_else_by_its_id():
    one, two = Cell("answer-mul", "def mul(): 1"), Cell("x", "def mul(): 2")
    assert answer_cell([one, two], "mul") is two
    assert answer_cell([Cell("answer-mul", "def renamed(): 1")], "mul").id == "answer-mul"
    assert answer_cell([Cell("x", "mul(3)")], "mul") is None
    assert answer_cell([one, Cell("s", "def mul(): 3", ("swap",))], "mul") is one


@pytest.mark.parametrize(
    ("source", "there"),
    [
        ("def mul(a): ...", True),
        ("class mul: ...", True),
        ("x = 1\nasync def mul(): ...", True),
        ("mul = 3", True),
        ("mul: int = 3", True),
        ("mul == 3", False),
        ("multiply = 3", False),
        ("    def mul(): ...", False),
        ("check('mul')", False),
    ],
)
def test_a_definition_is_told_from_a_use(source, there):
    assert submission.defines(source, "mul") is there


def test_the_exercise_is_known_from_what_the_notebook_opens():
    cells = [Cell("", "x = 1"), Cell("", 'check = open_exercise("22_autograd")')]
    assert opened(cells) == "22_autograd"
    assert opened(cells[:1]) == ""


def test_comments_and_spaces_are_no_change_of_the_code():
    assert source_hash("x = 1  # one") == source_hash("x  =  1\n")
    assert source_hash("x = 1") != source_hash("x = 2")
    assert source_hash("x = (") != source_hash("x = [")
