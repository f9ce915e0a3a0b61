"""The pages that a teacher exports, opened as files."""

import pytest

from nncheck import export, register
from nncheck.gradebook import Gradebook
from tests.nncheck.books import enter, failed, mistake, passed

pytestmark = pytest.mark.browser
QUESTIONS = ("softmax", "matmul_backward", "central_difference")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A class of 32 learners and six exercises that nobody has any more."""
    folder = tmp_path_factory.mktemp("exported")
    with Gradebook(folder / "class.db", create=True) as book:
        for learner in range(32):
            for number in range(6):
                answers = [(passed, mistake, failed)[(learner + i) % 3] for i in range(3)]
                made = [a(question=q) for a, q in zip(answers, QUESTIONS, strict=True)]
                student = f"learner.number.{learner}"
                enter(book, student, *made, exercise=f"0{number}_gone", cells=[])
        export.write(folder, book, register.read(book), ("class", "feedback"))
    return folder


@pytest.mark.parametrize("width", [840, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["class.html", "feedback/learner.number.1.html"])
def test_a_page_fits_its_window_and_loads_nothing(exported, page, name, scheme, width):
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto((exported / name).as_uri())
    assert said == [(exported / name).as_uri()]
    wide = "e => [e.scrollWidth - e.clientWidth]"
    assert page.eval_on_selector("html", wide) == [0]
    for part in page.query_selector_all(".wide"):
        assert part.evaluate(wide) == [0]
    background = page.eval_on_selector("body", "e => getComputedStyle(e).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_the_heat_map_is_scrolled_with_the_keyboard_where_it_is_too_wide(exported, page):
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto((exported / "class.html").as_uri())
    region = page.get_by_role("region", name="Points")
    for _ in range(12):
        page.keyboard.press("Tab")
        if region.evaluate("e => e === document.activeElement"):
            break
    page.keyboard.press("ArrowRight")
    page.wait_for_function("e => e.scrollLeft > 0", arg=region.element_handle())
    assert page.eval_on_selector("html", "e => e.scrollWidth - e.clientWidth") == 0


def test_on_paper_a_page_is_light_and_nothing_is_cut_off(exported, page):
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print", color_scheme="dark")
    page.goto((exported / "class.html").as_uri())
    colour = "e => getComputedStyle(e).backgroundColor"
    assert page.eval_on_selector("body", colour) == "rgb(255, 255, 255)"
    assert page.eval_on_selector("html", "e => e.scrollWidth - e.clientWidth") == 0
