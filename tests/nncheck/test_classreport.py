import re
from html.parser import HTMLParser

import pytest

from nncheck import classreport, register
from nncheck.gradebook import Gradebook
from nncheck.page import STYLE
from tests.nncheck import books, samples
from tests.nncheck.books import cell, enter, failed, mistake, passed

EVIL = "<script>alert(1)</script>"
EMPTY = {"meta", "br"}


class Page(HTMLParser):
    """A page's tags, its tables as rows of cells, and whether all that opens is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.rows = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, *start):
        [found] = [row for row in self.rows if tuple(row[: len(start)]) == start]
        return found


@pytest.fixture
def book(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    with Gradebook(tmp_path / "class.db", create=True) as book:
        enter(book, "ada", passed(), passed("predict", 1), cells=[])
        enter(book, "bob", mistake(), failed(question="predict", worth=1), cells=[])
        enter(book, "cy", mistake(points=0.5), passed("predict", 1), cells=[])
        slow = failed("timeout", "This was stopped after 10 seconds.", status="error")
        enter(book, "dan", slow, passed("predict", 1), outcome="timeout", cells=[])
        yield book


@pytest.fixture
def page(book):
    return lambda: Page(classreport.html(register.read(book)))


def test_the_heat_map_shows_everybodys_points(book, page):
    stub = failed("placeholder", status="not done")
    enter(book, "eve", stub, passed("predict", 1), cells=[])
    run, _ = book.begin_run()
    book.refuse(run, register.Refused("fay", "fay/x.zip", "an archive"))
    found = page()
    assert found.row("", "ada") == ["", "ada", "bob", "cy", "dan", "eve", "fay"]
    softmax = ["softmax", "2", "0", "0.5", "!could not be judged", "·not answered yet"]
    assert found.row("softmax", "2") == [*softmax, "–no notebook"]
    assert found.row("predict", "1")[:5] == ["predict", "1", "0", "1", "1"]
    kinds = [attrs.get("class") for tag, attrs in found.tags if tag == "td"]
    for kind in ("all", "some", "none", "odd", "open"):
        assert kind in kinds


def test_mistakes_are_counted_with_their_sentence(page):
    assert page().row("01_functions: softmax", "2") == [
        "01_functions: softmax", "2", books.SENTENCE, "bob, cy"
    ]  # fmt: skip


def test_the_hardest_question_comes_first(page):
    rows = page().rows
    start = rows.index(["Question", "Points on average", "Handed in"])
    assert rows[start + 1] == ["01_functions: softmax", " 31 %", "4"]
    assert rows[start + 2] == ["01_functions: predict", " 75 %", "4"]


def test_what_could_not_be_graded_is_told_with_the_reason(book, page):
    gone = failed("grader error", "MemoryError: in the grader", status="error")
    enter(book, "eve", gone, outcome="grader error")
    run, _ = book.begin_run()
    book.refuse(run, register.Refused("fay", "fay/x.zip", "an archive is not opened"))
    found = page()
    assert found.row("dan", "01_functions: softmax")[2:] == [
        "timeout", "This was stopped after 10 seconds."
    ]  # fmt: skip
    assert found.row("eve")[1:] == [
        "01_functions: all questions", "grader error", "MemoryError: in the grader"
    ]  # fmt: skip
    assert found.row("fay", "fay/x.zip")[2:] == ["refused", "an archive is not opened"]
    text = classreport.html(register.read(book))
    assert "No notebook of 01_functions was graded for: fay." in text


def test_guarantees_that_did_not_hold_are_seen(book, page):
    unreadable = failed("unreadable", "", status="error")
    enter(book, "eve", unreadable, outcome="unreadable")
    found = page()
    assert found.row("An answer reads only its libraries, and writes no file")[1:] == [
        "4 of 4", "Landlock"
    ]  # fmt: skip
    held = "An answer starts no process, and neither signals nor inspects another one"
    assert found.row(held)[1:] == ["0 of 4", "–"]
    assert "Of 1 more nothing ran" in classreport.html(register.read(book))


def test_marks_stand_with_what_was_computed_and_the_reason(book, page):
    book.mark("bob", "01_functions", "softmax", 1.5, "Seen in `class`.")
    assert page().row("bob", "01_functions: softmax", "0") == [
        "bob", "01_functions: softmax", "0", "1.5 of 2", "Seen in class."
    ]  # fmt: skip


def test_nothing_of_a_learner_is_markup_and_nothing_is_loaded(book, page, tmp_path):
    said = f"`softmax` raised ValueError: x. Look at line 1: `{EVIL}`"
    cells = [cell(EVIL)]
    enter(book, "eve", failed("cell", said, status="error"), cells=cells, file=f"{EVIL}.ipynb")
    book.mark("ada", "01_functions", "predict", 0, f'{EVIL} "onmouseover="x')
    run, _ = book.begin_run()
    book.refuse(run, register.Refused('"><img src=x>', f"{EVIL}\u202e\x1b[31m", EVIL))
    (tmp_path / "r.csv").write_text('student_id,first_name\n"<i>x",\'"><b>\n')
    text = classreport.html(register.read(book, roster=tmp_path / "r.csv"))
    tags = {tag for tag, _ in Page(text).tags}
    assert not tags & {"script", "img", "i", "link", "iframe", "object", "form"}
    assert "\u202e" not in text
    for _, attributes in Page(text).tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", text)
    assert "Content-Security-Policy" in text


def test_every_link_leads_somewhere_and_every_table_has_headings(page):
    tags = page().tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    links = [attributes["href"][1:] for tag, attributes in tags if tag == "a"]
    assert links == ids == list(classreport.SECTIONS)
    scopes = [attributes.get("scope") for tag, attributes in tags if tag == "th"]
    assert set(scopes) == {"col", "row", "rowgroup"}
    assert [tag for tag, _ in tags].count("table") == [tag for tag, _ in tags].count("caption")


def test_a_large_class_is_drawn_in_even_parts(book, page):
    for number in range(60):
        enter(book, f"s{number:02d}", passed(), cells=[])
    heads = [row for row in page().rows if row[0] == "" and len(row) > 5]
    assert [len(row) - 1 for row in heads] == [32, 32]
    for number in range(60, 62):
        enter(book, f"s{number:02d}", passed(), cells=[])
    heads = [row for row in page().rows if row[0] == "" and len(row) > 5]
    assert [len(row) - 1 for row in heads] == [22, 22, 22]


def test_a_class_without_any_trouble_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCHECK_EXERCISES", str(samples.HOME))
    with Gradebook(tmp_path / "class.db", create=True) as book:
        enter(book, "ada", passed(), cells=[])
        text = classreport.html(register.read(book))
    assert "Everything was graded." in text
    assert "Everything that was handed in is right." in text
    assert "On average 100 % of the points." in text


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_all_words_can_be_read_on_their_background(scheme):
    pairs = dict(re.findall(r"--([\w-]+): (light-dark\([^)]*\))", STYLE))
    colours = {n: re.findall(r"#\w+", pair)[scheme] for n, pair in pairs.items()}
    for name in ("all", "most", "some", "none", "odd"):
        assert contrast(colours[name], colours[f"{name}-ink"]) >= 4.5, name
    for name in ("paper", "soft"):
        assert contrast(colours[name], colours["ink"]) >= 7
    assert contrast(colours["line"], colours["paper"]) >= 3


def contrast(one, other):
    """How far apart two colours are in brightness, by WCAG 2's formula."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * d for d in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
