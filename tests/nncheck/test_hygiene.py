import base64

import pytest
from nbformat import v4

from nncheck import hygiene, notebooks
from tests.nncheck.small_course import cell, code, edit, lesson, md, notebook, raw, write_course

# ---- each rule, broken once


def clean_lesson(*outputs, source="print(2)", tags=()):
    """A lesson with one executed cell `run-2` that has these outputs."""
    nb = lesson(md("## Run"), code(source, *tags))
    cell(nb, "run-2").execution_count = 1
    cell(nb, "run-2").outputs = list(outputs)
    return nb


def said(nb, folder="course"):
    return hygiene.problems(nb, f"{folder}/11_neuron.ipynb")


def only(found):
    assert len(found) == 1, found
    return found[0]


def printed(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def figure(alt="a line", size=10):
    picture = base64.b64encode(b"x" * size).decode()
    metadata = {"image/png": {"alt": alt}} if alt else {}
    return v4.new_output("display_data", data={"image/png": picture}, metadata=metadata)


def test_a_clean_lesson_has_no_problems():
    assert said(clean_lesson(printed("2\n"), figure())) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<Layer object at 0x7f3a2b1c4d50>", "an address: '0x7f3a2b1c4d50'"),
        ("saved /home/ada/model.npz", "an absolute path: '/home/ada/model.npz'"),
        (r"saved C:\Users\ada\model.npz", "an absolute path: 'C:"),
        ("File '/tmp/x.py', line 1", "an absolute path: '/tmp/x.py'"),
        ("Wall time: 3 s", "a timing: 'Wall time:'"),
        ("100%|##| 3/3 [00:00<00:00, 12.3it/s]", "a timing: '3it/s'"),
    ],
)
def test_what_holds_on_one_machine_only_is_found_in_outputs_and_in_source(text, what):
    assert what in only(said(clean_lesson(printed(text))))
    html = v4.new_output("display_data", data={"text/html": f"<b>{text}</b>"})
    assert what in only(said(clean_lesson(html)))
    assert "its source holds " + what in only(said(clean_lesson(source=f"# {text}")))


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/home/page",
        "0xff and 0x10",
        "w/x",
        "a/usr/b",
        "../course/x.ipynb",
        "N:\n",
    ],
)
def test_what_only_looks_like_a_path_or_an_address_is_let_through(text):
    assert said(clean_lesson(printed(text))) == []


def test_a_cell_that_was_never_run_is_found():
    nb = clean_lesson(printed("2\n"))
    cell(nb, "run-2").execution_count = None
    assert "'run-2' has execution count None, expected 1" in only(said(nb))


def test_cells_run_out_of_order_are_found():
    nb = clean_lesson(printed("2\n"))
    cell(nb, "run-2").execution_count = 7
    assert "expected 1" in only(said(nb))


def test_an_exception_is_allowed_where_it_is_tagged_and_only_there():
    error = v4.new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])
    assert "raised ValueError: no" in only(said(clean_lesson(error)))
    assert said(clean_lesson(error, tags=["raises-exception"])) == []
    assert "nothing raised" in only(said(clean_lesson(tags=["raises-exception"])))


def test_a_warning_on_stderr_is_found():
    assert "wrote to stderr: 'beware'" in only(said(clean_lesson(printed("beware\n", "stderr"))))


def test_a_figure_without_alt_text_and_a_heavy_one_are_found():
    assert "figure without alt text" in only(said(clean_lesson(figure(alt=""))))
    assert "picture of 100,001 bytes" in only(said(clean_lesson(figure(size=100_001))))
    assert said(clean_lesson(figure(size=100_000))) == []


def test_a_picture_in_prose_needs_alt_text():
    def prose(text):
        return lesson(md(f"## Run\n\n{text}"))

    assert "without alt text" in only(said(prose("![](a.png)")))
    assert "without alt text" in only(said(prose("<img src='a.png'>")))
    assert said(prose("![a neuron](a.png) <img src='a.png' alt='b'>")) == []


def test_a_long_print_is_found():
    assert "10,001 characters" in only(said(clean_lesson(printed("x" * 10_001))))


def test_a_notebook_of_more_than_a_megabyte_is_found():
    assert "larger than 1,000,000 bytes" in only(said(lesson(md("## Run\n\n" + "word " * 200_000))))


@pytest.mark.parametrize(
    ("break_it", "what"),
    [
        (lambda nb: nb.cells[1].pop("id"), "cell id None should be 'run'"),
        (lambda nb: nb.cells[1].update(id="4fef7ba0"), "cell id '4fef7ba0' should be 'run'"),
        (lambda nb: nb.cells[2].update(id="run"), "cell id 'run' should be 'run-2'"),
        (lambda nb: nb.metadata.update(widgets={}), "['widgets']"),
        (lambda nb: nb.metadata.language_info.update(version="3"), "kernel or version"),
        (lambda nb: nb.cells[2].metadata.update(execution={}), "['execution']"),
        (lambda nb: nb.cells[2].update(source="recall('a')"), "{'source_hidden': True}"),
        (lambda nb: nb.update(nbformat_minor=4), "format 4.4 instead of 4.5"),
        (lambda nb: nb.cells[2].outputs[0].update(extra=1), "not a valid notebook"),
        (lambda nb: nb.cells[2].outputs.append(printed("more\n")), "not in canonical form"),
        (
            lambda nb: nb.cells[2].outputs.append(
                v4.new_output("display_data", data={notebooks.WIDGET: {}, "text/plain": "x"})
            ),
            "a widget's state",
        ),
    ],
)
def test_each_departure_from_the_canonical_form_is_named(break_it, what):
    nb = clean_lesson(printed("2\n"))
    break_it(nb)
    message = only(said(nb))
    assert what in message
    assert "nncheck notebooks" in message


def test_an_empty_cell_is_found():
    assert "'run-2' is empty" in only(said(clean_lesson(source="")))


def test_headings_start_once_at_level_one_and_skip_nothing():
    assert "skips from level 2 to 4" in only(said(lesson(md("## Run\n\n#### Deep"))))
    assert "second heading of level 1" in only(said(lesson(md("# Again"))))
    assert said(lesson(md("```\n# a comment\n```"))) == []
    assert "no heading." in said(notebook(md("text")), "solutions")


def test_a_lesson_may_have_sections_of_its_own():
    assert said(lesson(md("## Run"), md("## One model three ways"), md("## Limits"))) == []


def test_a_lesson_needs_a_card_its_sections_in_order_and_its_end():
    nb = lesson(md("## Predict"), md("## Warm-up"))
    assert "sections out of order or twice" in only(said(nb))
    nb = lesson()
    nb.cells[0].source = nb.cells[0].source.replace("**Time**", "**Minutes**")
    assert "card, line 9: expected the rows" in only(said(nb))
    nb = lesson()
    del nb.cells[1]
    assert "no section `## You can now`" in only(said(nb))
    nb = lesson()
    nb.cells.append(md("after", id="after"))
    assert "must start with `## Next`" in only(said(nb))


def test_an_exercise_has_no_outputs_and_opens_itself():
    nb = notebook(md("# Exercise"), code('check = open_exercise("11_neuron")'))
    assert said(nb, "exercises") == []
    nb.cells[1].execution_count = 1
    assert "an exercise has none" in only(said(nb, "exercises"))
    nb.cells[1].update(execution_count=None, outputs=[printed("left over")])
    assert "an exercise has none" in only(said(nb, "exercises"))
    nb = notebook(md("# Exercise"), code('check = open_exercise("12_perceptron")'))
    assert 'open_exercise("11_neuron")' in only(said(nb, "exercises"))


# ---- the command


def test_a_refresh_runs_and_writes_and_a_second_one_finds_nothing_to_do(
    tmp_path, monkeypatch, capsys
):
    home = write_course(tmp_path)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    path = home / "course" / "11_neuron.ipynb"
    before = path.read_bytes()

    assert hygiene.refresh([path], check=True) == 1
    assert "cell '11-neuron-2' differs in its execution_count, outputs" in capsys.readouterr().out
    assert path.read_bytes() == before

    assert hygiene.refresh([path]) == 0
    assert "written" in capsys.readouterr().out
    assert cell(notebooks.read(path), "11-neuron-2").outputs[0].text == "2\n"

    written = path.stat().st_mtime_ns
    assert hygiene.refresh([path], check=True) == 0
    assert capsys.readouterr().out == "1 notebooks, each as a new run gives it.\n"
    assert hygiene.refresh() == 0
    assert capsys.readouterr().out.count("written") == 2
    assert path.stat().st_mtime_ns == written


def test_a_refresh_marks_the_questions_of_a_solution(tmp_path, monkeypatch):
    home = write_course(tmp_path)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    path = home / "solutions" / "11_neuron.ipynb"
    assert hygiene.refresh([path]) == 0
    nb = notebooks.read(path)
    assert cell(nb, "check-neuron").metadata.nbgrader.points == 2
    assert cell(nb, "check-neuron").outputs[0].data["text/plain"] == "2"


def test_one_failing_notebook_is_named_left_alone_and_does_not_stop_the_others(
    tmp_path, monkeypatch, capsys
):
    home = write_course(tmp_path)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    bad = home / "course" / "00_start_here.ipynb"
    edit(bad, "00-start-here-2", "1 / 0")
    before = bad.read_bytes()
    assert hygiene.refresh([home / "course"]) == 1
    out = capsys.readouterr().out
    assert "00_start_here.ipynb: cell '00-start-here-2' raised" in out
    assert "11_neuron.ipynb: written" in out
    assert bad.read_bytes() == before


def test_exercises_are_not_refreshed_but_built(tmp_path, monkeypatch):
    home = write_course(tmp_path)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    with pytest.raises(ValueError, match="is written by `nncheck build`"):
        hygiene.refresh([home / "exercises"])


def test_a_run_that_leaves_a_problem_is_written_and_named(tmp_path, monkeypatch, capsys):
    home = write_course(tmp_path)
    monkeypatch.setenv("NNCHECK_EXERCISES", str(home))
    path = home / "course" / "11_neuron.ipynb"
    edit(path, "11-neuron-2", "print(object())")
    assert hygiene.refresh([path]) == 1
    assert "its output holds an address" in capsys.readouterr().out


def test_problems_of_an_unnamed_notebook_do_not_raise():
    assert said(raw(md("text"), code("1")))
