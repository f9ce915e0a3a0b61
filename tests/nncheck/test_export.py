import ast
import csv
import os
from xml.etree import ElementTree

import pytest

from nncheck import cli, export, register
from nncheck.export import file_names
from nncheck.gradebook import Gradebook
from nncheck.intake import STUDENT
from tests.nncheck import books, samples
from tests.nncheck.books import cell, enter, failed, mistake, passed
from tests.nncheck.small_class import hand_in, notebook

NBGRADER = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"]
NBGRADER += ["raw_score", "late_submission_penalty", "score", "max_score"]
ROSTER = '''student_id,last_name,first_name,email
ada,Lovelace,Ada,ada@example.org
bob,"Tables; ""Robert""",=HYPERLINK("http://x"),bob@example.org
zoe,"Absent, always",Zoe,zoe@example.org
'''


@pytest.fixture
def book(monkeypatch, tmp_path):
    """A class of three: ada is right, bob made a mistake, cy's file cannot be read."""
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    monkeypatch.chdir(tmp_path)
    with Gradebook(tmp_path / "class.db", create=True) as book:
        enter(book, "ada", passed(), cells=[cell("def softmax(x): ...")])
        enter(book, "bob", mistake(), cells=[cell("%matplotlib inline\nx = 1")])
        unreadable = failed("unreadable", "It is no notebook.", status="error")
        enter(book, "cy", unreadable, outcome="unreadable")
        enter(book, "ada", failed(question="train", worth=4.0, points=1.5), exercise="02_objects")
        yield book


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = cli.main(["export", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_grades_have_nbgraders_columns_and_a_line_for_everybody_and_every_exercise(book, run):
    assert run("out")[0] == 0
    found = rows("out/grades.csv")
    assert list(found[0]) == NBGRADER
    scores = {(r["student_id"], r["assignment"]): (r["score"], r["max_score"]) for r in found}
    assert scores == {
        ("ada", "01_functions"): ("2", "2"),
        ("bob", "01_functions"): ("0", "2"),
        ("cy", "01_functions"): ("0", "2"),
        ("ada", "02_objects"): ("1.5", "4"),
        ("bob", "02_objects"): ("0", "4"),
        ("cy", "02_objects"): ("0", "4"),
    }
    assert {r["timestamp"] for r in found if r["student_id"] == "ada"} == {books.WHEN}
    assert all(r["raw_score"] == r["score"] for r in found)


def test_a_roster_gives_names_and_those_who_handed_in_nothing(book, run, tmp_path):
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8-sig")
    code, out, _ = run("out", "--roster", "roster.csv")
    assert code == 0
    assert "Not on the roster: cy." in out
    by = {r["student_id"]: r for r in rows("out/wide.csv")}
    assert list(by) == ["ada", "bob", "cy", "zoe"]
    assert (by["ada"]["first_name"], by["ada"]["email"]) == ("Ada", "ada@example.org")
    assert (by["zoe"]["last_name"], by["zoe"]["total"]) == ("Absent, always", "0")
    assert by["ada"]["total"] == "3.5"
    assert by["ada"]["02_objects"] == "1.5"


def test_no_cell_of_a_table_is_a_formula(book, run, tmp_path):
    bad = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1"]
    lines = [f'{i},"{word}",x,y' for i, word in enumerate(bad)]
    (tmp_path / "r.csv").write_text("student_id,last_name,first_name,email\n" + "\n".join(lines))
    run("out", "--roster", "r.csv")
    for row in rows("out/grades.csv") + rows("out/wide.csv"):
        assert not [v for v in row.values() if v.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert "'=1+1" in (tmp_path / "out" / "wide.csv").read_text()


def test_tables_are_quoted_as_rfc_4180_says(book, run, tmp_path):
    (tmp_path / "roster.csv").write_text(ROSTER)
    run("out", "--roster", "roster.csv")
    content = (tmp_path / "out" / "wide.csv").read_bytes().decode()
    assert content.count("\r\n") == content.count("\n") == 5
    assert '"Tables; ""Robert"""' in content
    assert '"\'=HYPERLINK(""http://x"")"' in content


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,name\n1,x\n", "should name the columns student_id,last_name,first_name,email"),
        ("", "it is empty"),
        ("student_id\nada\nada\n", "line 3: ada is on the roster twice"),
        ("student_id,email\n,x\n", "line 2: there is no student_id"),
        ('student_id\n"a"b\n', "is no CSV file in UTF-8"),
        (b"student_id\n\xff\n", "is no CSV file in UTF-8"),
    ],
)
def test_a_roster_that_cannot_be_read_is_told(book, run, tmp_path, text, said):
    (tmp_path / "r.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    code, _, err = run("out", "--roster", "r.csv")
    assert code == 2
    assert said in err
    assert not (tmp_path / "out").exists()


def test_the_best_attempt_counts_where_it_is_asked_for(book, run):
    enter(book, "ada", mistake(), cells=[], content=b"second")
    run("latest", "--forms", "csv")
    run("best", "--forms", "csv", "--attempt", "best")
    points = [rows(f"{which}/wide.csv")[0]["01_functions"] for which in ("latest", "best")]
    assert points == ["0", "2"]


def test_a_mark_counts(book, run):
    book.mark("bob", "01_functions", "softmax", 1.5, "Seen in the lab.")
    run("out")
    assert rows("out/wide.csv")[1]["01_functions"] == "1.5"
    assert "Marked 1.5: Seen in the lab." in books.pages(export.Path("out"), "junit.xml")


def test_one_exercise_and_some_forms_can_be_asked_for(book, run, tmp_path):
    code, out, _ = run("out", "--only", "02", "--forms", "csv,code")
    assert code == 0
    assert {r["assignment"] for r in rows("out/grades.csv")} == {"02_objects"}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["grades.csv", "wide.csv"]
    assert "grades.csv, wide.csv" in out
    assert "class.html" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["out", "--forms", "pdf"], "there is no form pdf; there are csv, junit"),
        (["out", "--forms", ","], "there is no form in it"),
        (["out", "--only", "99"], "There is no exercise called '99'"),
        (["out", "--only", "03"], "holds no result of 03_library yet"),
        (["out", "--gradebook", "none.db"], "There is no gradebook none.db"),
        (["class.db"], "class.db is a file. Name a folder"),
        (["out", "--roster", "none.csv"], "none.csv"),
    ],
)
def test_a_mistake_in_the_command_is_told_and_writes_nothing(book, run, tmp_path, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err
    assert not (tmp_path / "out").exists()


def test_everything_that_was_written_is_listed_and_nothing_half_written_stays(book, run, tmp_path):
    _, out, _ = run("out")
    assert "3 learners, 2 exercises; the latest attempt of each counts. Written into out:" in out
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "grades.csv", "wide.csv", "junit.xml", "class.html", "feedback", "code"
    }  # fmt: skip
    for name in ("grades.csv", "wide.csv", "junit.xml", "class.html", "feedback/", "code/"):
        assert name in out
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_the_command_explains_itself(capsys):
    with pytest.raises(SystemExit):
        cli.main(["export", "--help"])
    assert "csv,junit,class,feedback,code" in capsys.readouterr().out


# --------------------------------------------------------------------------------- JUnit


def test_junit_has_a_suite_for_each_notebook_and_names_mistake_and_hint(book, run, tmp_path):
    enter(book, "dan", failed("timeout", "It was stopped.", status="error"), outcome="timeout")
    enter(book, "eve", failed("placeholder", "", status="not done"))
    run("out", "--forms", "junit")
    suites = {s.get("name"): s for s in ElementTree.parse("out/junit.xml").getroot()}
    assert set(suites) >= {"01_functions: ada", "01_functions: bob", "02_objects: ada"}
    counted = {
        who: [suites[f"01_functions: {who}"].get(k) for k in ("failures", "errors", "skipped")]
        for who in ("ada", "bob", "cy", "dan", "eve")
    }
    assert counted == {
        "ada": ["0", "0", "0"],
        "bob": ["1", "0", "0"],
        "cy": ["0", "1", "0"],
        "dan": ["0", "1", "0"],
        "eve": ["0", "0", "1"],
    }
    [[told]] = suites["01_functions: bob"]
    assert told.get("type") == "over_the_batch"
    assert told.get("message") == f"{books.SENTENCE} Hint: Which axis do the classes lie on?"


def test_no_character_of_a_learner_breaks_the_xml(book, run):
    said = failed("unreadable", "\x1b[31m\uffff\x00<&>", status="error")
    enter(book, "eve", said, file="\ufffe\ud800<.ipynb")
    run("out", "--forms", "junit")
    suites = ElementTree.parse("out/junit.xml").getroot()
    assert "01_functions: eve" in [s.get("name") for s in suites]


# ------------------------------------------------------------------------- files per learner


def test_code_is_one_plain_python_file_for_each_notebook(book, run, tmp_path):
    sources = ("import os", 'check("softmax")', "%time x = 1\ny = 2", "def f(")
    cells = [cell(source) for source in sources]
    enter(book, "ada", passed(), cells=cells, content=b"2")
    run("out", "--forms", "code")
    assert sorted(str(p.relative_to("out")) for p in export.Path("out").rglob("*.py")) == [
        "code/ada/01_functions.py",
        "code/bob/01_functions.py",
    ]
    assert (tmp_path / "out/code/ada/01_functions.py").read_text() == (
        "import os\n\n\npass\ny = 2\n\n\ndef f(\n"
    )
    ast.parse((tmp_path / "out/code/bob/01_functions.py").read_text())


@pytest.mark.parametrize(
    "source",
    ["(" * 100_000, "-" * 300_000 + "1", "1+" * 100_000 + "1", "a." * 10**6, "\0", "\ud800"],
)
def test_no_source_stops_the_export(book, run, source):
    enter(book, "ada", passed(), cells=[cell(source), cell("x = 1")], content=b"2")
    assert run("out")[0] == 0
    assert export.Path("out/code/ada/01_functions.py").read_text().endswith("x = 1\n")


def test_a_cell_of_monstrous_length_is_not_read_as_python(book, run):
    source = "%time x = 1\n" + "1," * 100_000
    enter(book, "ada", passed(), cells=[cell(source)], content=b"2")
    run("out", "--forms", "code")
    assert export.Path("out/code/ada/01_functions.py").read_text() == source + "\n"


def test_every_name_that_is_taken_in_gets_a_file_of_its_own_that_can_be_written(tmp_path):
    students = ["ada", "Bob", "bob", "con", "NUL.txt", "x.", "x ", "x", "ü" * 100, "é"]
    students += ["y" * 99 + "1", "y" * 99 + "2", "𝒳" * 60, "COM1 .a", "ſ", "s"]
    students += ["Straße", "strasse", "connie", "a'b (c), d@e+f-g"]
    assert all(STUDENT.fullmatch(s) for s in students)
    names = file_names(students)
    assert len({n.casefold() for n in names.values()}) == len(students)
    for student in ("ada", "connie", "a'b (c), d@e+f-g"):
        assert names[student] == student
    for name in names.values():
        assert name[-1] not in " ."
        assert not export.RESERVED.fullmatch(name)
        export.write_text(tmp_path / f"{name}.html", "x")
    assert len(os.listdir(tmp_path)) == len(students)


def test_a_name_from_a_roster_leaves_the_folder_nowhere(book, run, tmp_path):
    lines = ["../../evil", "/etc/evil", "a/b", "..", ".", "a\\b", "x~y", "<b>"]
    (tmp_path / "r.csv").write_text("student_id\n" + "\n".join(lines) + "\n")
    before = {p.name for p in tmp_path.iterdir()} | {"out"}
    assert run("out", "--roster", "r.csv")[0] == 0
    assert {p.name for p in tmp_path.iterdir()} == before
    pages = list((tmp_path / "out" / "feedback").rglob("*.html"))
    assert len(pages) == len(lines) + 3
    assert {p.parent for p in pages} == {tmp_path / "out" / "feedback"}


# ---------------------------------------------------------------------------- from grading


def test_a_class_that_was_graded_is_exported(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    monkeypatch.chdir(tmp_path)
    right = "import numpy as np\ndef predict(x):\n    return np.argmax(softmax(x), axis=1)"
    wrong = (
        "import numpy as np\ndef softmax(x):\n    e = np.exp(x - x.max(0))\n    return e / e.sum(0)"
    )
    notebooks = {"ada": [wrong, right, samples.CAUGHT], "eve": ["raise OSError('x')"]}
    for who, sources in notebooks.items():
        hand_in(tmp_path / "submitted", who, notebook(*sources))
    hand_in(tmp_path / "submitted", "cy", b"{}", "<b>.ipynb")
    cli.main(["grade", "submitted", "--jobs", "1"])
    assert cli.main(["export", "out"]) == 0
    capsys.readouterr()
    points = {r["student_id"]: r["total"] for r in rows("out/wide.csv")}
    assert points == {"ada": "1", "cy": "0", "eve": "0"}
    assert "You normalised over the batch" in books.pages(export.Path("out"), "feedback/ada.md")
    assert "&lt;b&gt;.ipynb" in books.pages(export.Path("out"), "feedback/cy.html")
    assert "&lt;b&gt;.ipynb" in books.pages(export.Path("out"), "class.html")


def test_the_bar_is_told_how_much_there_is(book, tmp_path):
    steps = []

    def bar(total):
        steps.append(total)
        return lambda: steps.append("step")

    found = register.read(book, bar=bar)
    export.write(tmp_path / "out", book, found, ("code",), bar)
    assert steps == [4, *["step"] * 4, 3, *["step"] * 3]
