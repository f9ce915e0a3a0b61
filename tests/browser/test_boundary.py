"""The boundary painter in a real JupyterLab: stepping, hidden units, painting, training on."""

import re
import sys

import numpy as np
import pytest

from nnlib.show.boundary import BOX
from tests.browser import lab
from tests.browser.test_controls import CLASHES, find
from tests.browser.test_stage import SCREENS, SEEN, step_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform == "win32", reason="stops JupyterLab by its process group"),
]

MOONS, SPIRALS = "Decision boundary", "Four <arms>"
PATHS = "root => [...root.querySelectorAll('[data-key=tint] path')].map(path => path.outerHTML)"
# The pixel of the drawing at a place of the window, as the stage works it out.
PIXEL = """(root, [x, y]) => {
    const drawing = root.querySelector('.nn-view > svg');
    const at = new DOMPoint(x, y).matrixTransform(drawing.getScreenCTM().inverse());
    return [at.x, at.y];
}"""


def numbers(root):
    """Loss and accuracy, as the picture has them."""
    return [float(mark) for mark in root.evaluate(SEEN)["now"]]


def d(pieces):
    return [re.search(' d="([^"]+)"', piece).group(1) for piece in pieces]


def tints(made, step):
    piece = made.trace.draw(made.trace.frames[step])["tint"]
    return d(re.findall("<path[^>]+>", piece))


@pytest.mark.parametrize(("title", "name"), [(MOONS, "moons"), (SPIRALS, "spirals")])
def test_every_frame_is_the_model_by_click_key_and_scrub(watched, made, title, name):
    page, root = watched[0], find(watched[0], title)
    looks = [frame.event for frame in made[name].trace.frames]
    last = len(looks) - 1

    def same(step):
        assert step_of(root) == step
        assert numbers(root) == [looks[step].loss, looks[step].accuracy]
        assert d(root.evaluate(PATHS)) == tints(made[name], step)
        wrong = (looks[step].guesses != looks[step].classes).sum()
        rims = root.evaluate("root => root.querySelector('[data-key=wrong]').innerHTML")
        assert rims.count("h0") == wrong

    same(0)
    for step in range(1, last + 1):
        root.get_by_role("button", name="Step forward").click()
        same(step)
    root.focus()
    for key, step in (("ArrowLeft", last - 1), ("Home", 0), ("ArrowRight", 1), ("End", last)):
        page.keyboard.press(key)
        same(step)
    for step in (0, 7, last - 3, 11):
        root.get_by_role("slider", name="Step").fill(str(step))
        same(step)
    assert root.get_by_text(f"epoch {looks[11].epoch} of").is_visible()


def test_a_click_on_a_hidden_unit_shows_it_large_at_the_same_epoch(watched, made):
    root = find(watched[0], MOONS)
    root.get_by_role("slider", name="Step").fill("9")
    made["moons"].values = {**made["moons"].values, "show": 10}
    root.locator("[data-key=unit10]").click()
    root.get_by_text("layer 2, unit 2", exact=True).and_(root.locator("text")).wait_for()
    assert step_of(root) == 9
    assert d(root.evaluate(PATHS)) == tints(made["moons"], 9)
    root.get_by_role("button", name="Step forward").click()
    assert d(root.evaluate(PATHS)) == tints(made["moons"], 10)

    made["moons"].values = {**made["moons"].values, "show": 0}
    root.get_by_role("combobox", name="show").select_option("the output")
    root.get_by_text("probability of class 1").wait_for()
    assert d(root.evaluate(PATHS)) == tints(made["moons"], 10)


def test_it_is_painted_on_and_trained_further(watched, made):
    page, root, here = watched[0], find(watched[0], MOONS), made["moons"]
    last = len(here.trace.frames) - 1
    root.get_by_role("slider", name="Step").fill("3")
    root.get_by_role("combobox", name="paint").select_option("class 1")
    box = root.locator("[data-key=touch]").bounding_box()
    spots = [(0.25, 0.2), (0.3, 0.25), (0.2, 0.25)]
    for n, (right, down) in enumerate(spots, start=1):
        at = [round(box["x"] + right * box["width"]), round(box["y"] + down * box["height"])]
        pixel = root.evaluate(PIXEL, at)
        page.mouse.click(*at)
        page.locator(f".nn-stage[data-step='{last + n}']").wait_for()
        here.values = {**here.values, "paint": 1, "point": pixel}
        assert root.locator("[data-key=painted] .positive").count() == n
        assert numbers(root) == [here.data["loss"][-1], here.data["accuracy"][-1]]
        said = root.locator(".nn-sentence").inner_text()
        assert said == here.trace.frames[-1].sentence
        assert said.startswith("You painted a point of class 1 at (−")
    assert abs(pixel[0] - BOX[0] - spots[-1][0] * BOX[2]) < 1.5
    assert np.array_equal(here.data["classes"][-3:], [1, 1, 1])

    for key, goal in (("more10", 70), ("more10", 80), ("more100", 180)):
        root.locator(f"[data-key={key}]").click()
        root.get_by_text(f"epoch {goal} of {goal}, 103 points").wait_for()
        here.values = {**here.values, "train": goal}
        assert numbers(root) == [here.data["loss"][-1], here.data["accuracy"][-1]]
        assert step_of(root) == len(here.trace.frames) - 1
    root.get_by_role("combobox", name="train").select_option("until epoch 190")
    root.get_by_text("epoch 190 of 190").wait_for()
    here.values = {**here.values, "train": 190}
    assert d(root.evaluate(PATHS)) == tints(here, len(here.trace.frames) - 1)
    root.get_by_role("button", name="First step").click()
    assert root.locator("[data-key=painted] path").count() == 0


def test_it_reads_well_in_both_themes_and_widths(watched):
    """Saves pictures for a person to look at; that no text lies on another can be asserted."""
    page = watched[0]
    SCREENS.mkdir(parents=True, exist_ok=True)
    for theme in ("Light", "Dark"):
        lab.change_theme(page, f"JupyterLab {theme}")
        for width in (840, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for title, name in ((MOONS, "moons"), (SPIRALS, "spirals")):
                root = find(page, title)
                for show in ("the output", "layer 1, unit 3"):
                    root.get_by_role("combobox", name="show").select_option(show)
                    page.wait_for_timeout(600)
                    root.get_by_role("slider", name="Step").fill("12")
                    page.wait_for_timeout(200)
                    kind = f"{name}_{'unit' if 'unit' in show else 'output'}"
                    path = SCREENS / f"boundary_{kind}_{width}_{theme.lower()}.png"
                    root.screenshot(path=path)
                    assert root.evaluate(CLASHES) == []
                    bar = root.locator(".nn-bar")
                    assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    lab.change_theme(page, "JupyterLab Light")


def test_no_error_is_logged_and_no_request_leaves_this_machine(watched):
    """Of all the tests before this one."""
    _, requests, errors = watched
    assert errors == []
    assert lab.outside(requests) == []


def test_the_exported_page_steps_and_offers_nothing_that_needs_python(page, made, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(made["spirals"].to_html(), encoding="utf-8")
    errors = lab.errors_of(page)
    page.goto(path.as_uri())
    root = find(page, SPIRALS)
    for look in [frame.event for frame in made["spirals"].trace.frames]:
        assert numbers(root) == [look.loss, look.accuracy]
        root.focus()
        page.keyboard.press("ArrowRight")
    assert not root.get_by_text("train 10 epochs more").is_visible()
    assert not root.get_by_text("click one to see it large").is_visible()
    assert root.get_by_text("layer 1: 8 of 16 units").is_visible()
    assert errors == []
