import contextlib
import json

import nbformat
import pytest
from hypothesis import given, settings, strategies as st
from nbformat import v4

from nncheck import notebooks
from tests.nncheck.small_course import cell, code, md, notebook, raw, solution


def saved(tmp_path, text):
    path = tmp_path / "11_neuron.ipynb"
    path.write_text(text, encoding="utf-8")
    return path


# ---- reading


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("{ not json", "is not JSON (line 1"),
        ("[1, 2]", "holds no notebook"),
        ('{"nbformat": 4, "metadata": {}}', "has no cells"),
        ('{"nbformat": 3, "worksheets": []}', "has notebook format 3"),
        ('{"nbformat": 4, "cells": [{"cell_type": "heading"}]}', "cell 1 that is neither"),
        (
            '{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}',
            "source or id is not text",
        ),
        ('{"nbformat": 4, "metadata": 1, "cells": []}', "has no cells"),
        ('{"nbformat": 4, "cells": [7]}', "cell 1 that is neither"),
        (
            '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "", "outputs": [1]}]}',
            "outputs cannot be read",
        ),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_damaged_notebook_is_named_with_what_is_wrong_and_what_to_do(tmp_path, text, said):
    path = saved(tmp_path, text)
    with pytest.raises(ValueError, match=r"11_neuron\.ipynb") as error:
        notebooks.read(path)
    assert said in str(error.value)
    assert "expected" in str(error.value)
    assert "Take it back" in str(error.value) or "Open it in JupyterLab" in str(error.value)


def test_half_a_merge_is_recognised_and_the_way_out_is_said(tmp_path):
    text = notebooks.text(notebook(md("# One")))
    torn = text.replace('  "cells"', "", 1).replace("{", "{\n<<<<<<< HEAD", 1)
    with pytest.raises(ValueError, match=r"merge marks .first on line 2.*--ours") as error:
        notebooks.read(saved(tmp_path, torn))
    assert "git add" in str(error.value)


def test_a_file_of_another_encoding_is_named(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_bytes(b'{"cells": "\xff"}')
    with pytest.raises(ValueError, match="is not UTF-8"):
        notebooks.read(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no notebook"):
        notebooks.read(tmp_path / "none.ipynb")
    with pytest.raises(ValueError, match="is a folder"):
        notebooks.read(tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    nb = notebook(md("# One\n\ntext"))
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + notebooks.text(nb).replace("\n", "\r\n").encode())
    assert notebooks.text(notebooks.read(path)) == notebooks.text(nb)


def test_what_is_left_out_of_an_old_notebook_is_filled_in():
    nb = notebooks.parse('{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a", "b"]}]}')
    assert nb.metadata == {}
    nbformat.validate(notebooks.canonical(nb))
    assert nb.cells[0].source == "ab"


JUNK = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2)
JUNK = JUNK | st.dictionaries(st.sampled_from(["text/plain", "image/png", "tags"]), JUNK)


def mostly(**good):
    """A dict with these values, of which some are junk and some are missing."""
    one_of = {
        key: st.just(value) if not hasattr(value, "map") else value for key, value in good.items()
    }
    return st.fixed_dictionaries({}, optional={key: v | v | v | JUNK for key, v in one_of.items()})


OUTPUT = mostly(
    output_type=st.sampled_from(["stream", "error", "display_data", "execute_result"]),
    text=["a\n", "b"],
    name="stdout",
    ename="E",
    evalue="e",
    data={"text/plain": ["1"]},
    metadata={},
)
CELL = mostly(
    cell_type=st.sampled_from(["code", "markdown"]),
    source="def f(x):\n    # BEGIN SOLUTION",
    id="run",
    metadata={},
    outputs=st.lists(OUTPUT, max_size=2),
    attachments={},
)


@given(st.lists(CELL, max_size=3))
@settings(max_examples=300)
def test_whatever_stands_in_it_a_notebook_is_usable_or_refused_with_a_plain_error(cells):
    data = {"nbformat": 4, "cells": cells}
    with contextlib.suppress(ValueError):
        notebooks.text(notebooks.canonical(notebooks.parse(json.dumps(data))))


# ---- ids


def ids(*cells):
    return [cell.id for cell in notebook(*cells).cells]


def test_cells_are_named_after_their_heading_and_counted_on():
    assert ids(md("# 11 Neuron"), code("1"), md("## Run"), code("2"), md("text"), code("3")) == [
        "11-neuron",
        "11-neuron-2",
        "run",
        "run-2",
        "run-3",
        "run-4",
    ]


@pytest.mark.parametrize("drawn", ["4fef7ba0", "cfcbbccb", "12345678"])
def test_a_readable_id_is_kept_and_a_random_one_is_replaced(drawn):
    kept, random = code("1", id="predict-slope"), code("2", id=drawn)
    uuid = code("3", id="0c3c4a6e-21a3-4bd2-9d3c-0a2b6f3f8d11")
    assert ids(md("## Run", id="run"), kept, random, uuid) == [
        "run",
        "predict-slope",
        "run-2",
        "run-3",
    ]


def test_an_id_that_is_too_long_or_has_other_signs_is_replaced():
    cells = [code("1", id="x" * 64), raw_id("x" * 65), raw_id("Run me")]
    assert ids(md("## Run"), *cells) == ["run", "x" * 64, "run-2", "run-3"]


def raw_id(name):
    cell = code("1")
    cell.id = name
    return cell


def test_a_heading_in_another_script_still_gives_an_id():
    assert ids(md("## ∂ ∇"), code("1")) == ["cell", "cell-2"]


def test_of_two_equal_ids_the_first_stays():
    assert ids(code("1", id="run"), code("2", id="run"), code("3", id="run-2")) == [
        "run",
        "run-3",
        "run-2",
    ]


def test_checks_and_answers_are_named_after_their_question():
    assert ids(*solution().cells)[3:8] == [
        "answer-neuron",
        "check-neuron",
        "a-bend",
        "answer-relu",
        "check-relu",
    ]


def test_what_holds_regions_is_named_once_each():
    region = "    # BEGIN SOLUTION\n    # END SOLUTION\n"
    cell = code(
        f"# BEGIN SOLUTION\ndef f():\n{region}{region}def g():\n    pass\n\ndef h():\n{region}"
    )
    assert notebooks.answer_names(cell) == ["f", "h"]
    assert notebooks.answer_names(md(cell.source)) == []
    assert notebooks.answer_names(code("def f():\n    # END SOLUTION")) == []
    assert notebooks.checked_name(md('check("f")')) == ""


def test_naming_twice_changes_nothing():
    nb = notebook(*[make(text) for _ in range(3) for make, text in ((md, "## Run"), (code, "1"))])
    assert notebooks.canonical(nb) == nb
    assert len({cell.id for cell in nb.cells}) == 6


def test_a_comment_in_a_code_block_is_no_heading():
    assert ids(md("## Run"), md("```\n# not a heading\n```"))[1] == "run-2"


# ---- metadata and outputs


def test_metadata_that_a_machine_adds_is_dropped_and_ours_is_kept():
    nb = raw(code("1", "swap"))
    nb.metadata.update(widgets={}, language_info={"name": "python", "version": "3.11.7"})
    extra = {"execution": {"a": 1}, "trusted": True, "collapsed": True, "nnlib": {"a": 1}}
    nb.cells[0].metadata.update(extra)
    clean = notebooks.canonical(nb)
    assert clean.metadata == notebooks.METADATA
    assert "version" not in clean.metadata.language_info
    assert notebooks.canonical(raw(md("a", metadata={"tags": []}))).cells[0].metadata == {}
    assert clean.cells[0].metadata == {"tags": ["swap"], "nnlib": {"a": 1}}


def test_a_recall_question_is_folded_because_its_text_holds_the_answer():
    clean = notebooks.canonical(raw(code("recall('11/shape', answer='a line')"), code("1")))
    assert clean.cells[0].metadata == {"jupyter": {"source_hidden": True}}
    assert clean.cells[1].metadata == {}
    assert notebooks.canonical(clean) == clean


def test_neighbouring_prints_are_one_and_a_widget_leaves_its_text():
    def output(text):
        return v4.new_output("stream", name="stdout", text=text)

    widget = v4.new_output(
        "display_data",
        data={notebooks.WIDGET: {"model_id": "1"}, "text/plain": "IntSlider()"},
        metadata={"isolated": True},
    )
    only_widget = v4.new_output("display_data", data={notebooks.WIDGET: {"model_id": "1"}})
    picture = v4.new_output(
        "display_data",
        data={"image/png": "aa", "text/plain": "x"},
        metadata={"image/png": {"alt": "a line", "needs_background": "light"}},
    )
    outputs = [output("a\n"), output("b\n"), widget, only_widget, picture, output("c\n")]
    clean = notebooks.canonical(raw(code("1", outputs=outputs)))
    shown = clean.cells[0].outputs
    assert [out.output_type for out in shown] == [
        "stream",
        "display_data",
        "display_data",
        "stream",
    ]
    assert shown[0].text == "a\nb\n"
    assert shown[1].data == {"text/plain": "IntSlider()"}
    assert shown[1].metadata == {}
    assert shown[2].metadata == {"image/png": {"alt": "a line"}}


def test_before_saving_a_widget_gives_way_to_its_still_picture_and_to_nothing_else():
    view = {notebooks.WIDGET: {"model_id": "1"}}
    data = [view | {"image/png": "aa", "text/plain": "x"}, view | {"text/plain": "IntSlider()"}]
    outputs = [v4.new_output("display_data", data=dict(shown)) for shown in data]
    outputs.append(v4.new_output("stream", name="stdout", text="x"))
    nb = raw(code("1", outputs=outputs), md("a"))
    notebooks.before_saving({"type": "notebook", "content": nb}, path="a.ipynb")
    assert set(nb.cells[0].outputs[0].data) == {"image/png", "text/plain"}
    assert nb.cells[0].outputs[1].data == data[1]
    notebooks.before_saving({"type": "file", "content": "text"}, path="a.txt")


def test_what_was_said_to_two_streams_stays_apart():
    outputs = [v4.new_output("stream", name=name, text="x") for name in ("stdout", "stderr")]
    assert len(notebooks.canonical(raw(code("1", outputs=outputs))).cells[0].outputs) == 2


def test_a_result_has_the_number_of_its_cell_and_no_metadata_of_what_is_not_there():
    shown = v4.new_output(
        "execute_result",
        data={"image/png": "aa", "text/plain": "x"},
        metadata={"image/png": {"unknown": 1}, "image/jpeg": {"alt": "x"}, "text/plain": 1},
        execution_count=9,
    )
    picture = v4.new_output("display_data", data={"text/plain": "x"})
    cells = [code("1", outputs=[shown, picture], execution_count=2)]
    result, display = notebooks.canonical(raw(*cells)).cells[0].outputs
    assert (result.execution_count, result.metadata) == (2, {})
    assert "execution_count" not in display


def test_an_exception_keeps_its_message_and_loses_the_paths_of_this_machine():
    error = v4.new_output(
        "error", ename="ValueError", evalue="needs 3", traceback=["\x1b[31m/home/a/b.py in f"]
    )
    clean = notebooks.canonical(raw(code("1", outputs=[error])))
    assert clean.cells[0].outputs[0].traceback == ["ValueError: needs 3"]


def test_the_text_is_the_same_each_time_and_readable_as_utf8(tmp_path):
    nb = notebook(md("# Größe ∂y/∂x"))
    path = tmp_path / "new" / "a.ipynb"
    assert notebooks.write(notebook(md("# Before")), path)
    assert notebooks.write(nb, path)
    assert not notebooks.write(notebooks.read(path), path)
    data = path.read_bytes()
    assert "Größe ∂y/∂x".encode() in data
    assert data.endswith(b"}\n")
    assert b"\r" not in data
    assert [p.name for p in path.parent.iterdir()] == ["a.ipynb"]


# ---- nbgrader's metadata


def test_answers_and_checks_are_marked_as_nbgrader_does():
    nb = notebooks.marked(solution(), {"neuron": 2, "relu": 1})
    check, answer = cell(nb, "check-neuron").metadata, cell(nb, "answer-neuron").metadata
    assert check.nbgrader.points == 2
    assert (check.nbgrader.grade, check.nbgrader.locked, check.nbgrader.solution) == (1, 1, 0)
    assert check.deletable is False
    assert (answer.nbgrader.grade, answer.nbgrader.locked, answer.nbgrader.solution) == (0, 0, 1)
    assert "points" not in answer.nbgrader
    assert "nbgrader" not in cell(nb, "a-bend").metadata
    nbformat.validate(nb)


def test_marks_of_a_question_that_is_gone_are_removed():
    nb = notebooks.marked(solution(), {"neuron": 2, "relu": 1})
    nb = notebooks.marked(nb, {"neuron": 3})
    assert cell(nb, "check-neuron").metadata.nbgrader.points == 3
    assert cell(nb, "check-relu").metadata == {}


# ---- running


def test_a_run_counts_from_one_in_the_given_folder_and_leaves_nothing_of_the_machine(tmp_path):
    nb = notebook(
        md("# One"),
        code("from pathlib import Path\nPath('made.txt').write_text('x')"),
        code("import os\nprint(os.environ['TQDM_DISABLE'], os.environ['OMP_NUM_THREADS'])"),
        code(""),
        code("raise ValueError('as told')", "raises-exception"),
        code("import ipywidgets\nipywidgets.IntSlider()"),
    )
    ran = notebooks.canonical(notebooks.execute(nb, tmp_path))
    assert (tmp_path / "made.txt").exists()
    assert [c.execution_count for c in ran.cells if c.cell_type == "code"] == [1, 2, None, 3, 4]
    assert ran.cells[2].outputs[0].text == "1 1\n"
    assert ran.metadata == notebooks.METADATA
    assert all("execution" not in c.metadata for c in ran.cells)
    assert nb.cells[1].execution_count is None
    nbformat.validate(ran)


def test_what_stops_a_run_is_named_with_its_cell(tmp_path):
    failing = notebook(md("## Run"), code("1 / 0"))
    with pytest.raises(RuntimeError, match="cell 'run-2' raised") as error:
        notebooks.execute(failing, tmp_path)
    assert "ZeroDivisionError" in str(error.value)
    assert "\x1b" not in str(error.value)
    slow = notebook(md("## Run"), code("import time\ntime.sleep(30)"))
    with pytest.raises(RuntimeError, match="cell 'run-2' took more than 1 s"):
        notebooks.execute(slow, tmp_path, timeout=1)
    dead = notebook(md("## Run"), code("import os\nos._exit(1)"))
    with pytest.raises(RuntimeError, match="cell 'run-2' ended the kernel"):
        notebooks.execute(dead, tmp_path)


def test_warnings_that_a_learner_can_do_nothing_about_are_off(tmp_path):
    warn = "import warnings\nwarnings.warn('soon otherwise', FutureWarning)"
    ran = notebooks.execute(notebook(md("# One"), code(warn)), tmp_path)
    assert ran.cells[1].outputs == []


def test_a_widget_runs_and_leaves_no_state_behind(tmp_path):
    """Without a place for their state, the first Output widget or `interact` ends the run."""
    moving = code("from ipywidgets import interact\n_ = interact(lambda x: print(x), x=(0, 9))")
    ran = notebooks.canonical(notebooks.execute(notebook(md("# One"), moving), tmp_path))
    assert "widgets" not in ran.metadata


def test_a_stage_leaves_its_still_picture_and_its_table(tmp_path, monkeypatch):
    """Whatever editor the command is started in; the widget itself differs from run to run."""
    monkeypatch.setenv("VSCODE_PID", "1")
    monkeypatch.setenv("NNLIB_SHOW", "html")
    steps = code("from nnlib import Value, show\nshow.backprop(Value(3.0, label='a') * 2)")
    one, two = (
        notebooks.canonical(notebooks.execute(notebook(md("# One"), steps), tmp_path))
        for _ in range(2)
    )
    (shown,) = one.cells[1].outputs
    assert set(shown.data) == {"image/png", "text/plain"}
    assert set(shown.metadata) == {"image/png"}
    assert shown.data["text/plain"].splitlines()[1] == "a         3.0000  2.0000"
    assert shown.data["text/plain"].endswith(shown.metadata["image/png"]["alt"])
    assert "widgets" not in one.metadata
    assert notebooks.text(one) == notebooks.text(two)
