"""The controls of a stage, and the instruments that have them, in a real JupyterLab."""

import sys

import pytest

from nnlib import Value, show
from nnlib.show.neuron import FUNCTIONS
from nnlib.show.race import SURFACES
from tests.browser import lab
from tests.browser.test_stage import (
    BUTTONS,
    SCREENS,
    SEEN,
    stage,
    step_of,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform == "win32", reason="stops JupyterLab by its process group"),
]

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))

# Texts of the picture that lie on each other or stick out of it.
CLASHES = """root => {
    const view = root.querySelector('.nn-view > svg').viewBox.baseVal;
    const seen = [...root.querySelectorAll('.nn-view text')].map(text => [text, text.getBBox()]);
    const out = seen.filter(([, box]) => box.x < view.x || box.x + box.width > view.x + view.width
        || box.y < view.y || box.y + box.height > view.y + view.height);
    const apart = (a, b) => a.x + a.width <= b.x || b.x + b.width <= a.x
        || a.y + 0.8 * a.height <= b.y || b.y + 0.8 * b.height <= a.y;
    const on = seen.flatMap((one, i) => seen.slice(i + 1)
        .filter(other => !apart(one[1], other[1])).map(other => [one, other]).flat());
    return [...out, ...on].map(([text]) => text.textContent);
}"""


def find(page, title):
    """A stage by how its title begins, at its first step."""
    numbers = [
        n
        for n, text in enumerate(page.locator(".nn-stage .nn-title").all_text_contents())
        if text.startswith(title)
    ]
    root = stage(page, numbers[0])
    root.get_by_role("button", name="First step").click()
    return root


@pytest.fixture
def dial(watched):
    return find(watched[0], "A neuron")


@pytest.fixture
def race(watched):
    return find(watched[0], "Optimizer race: ")


def look(root, *prefixes):
    """The numbers in the picture, of the pieces that begin so."""
    seen = root.evaluate(SEEN)
    return {k: list(map(float, v)) for k, v in seen.items() if k.startswith(prefixes)}


def work(w1, w2, b, activation, step):
    """The lines of the dial at a step, asked of Values."""
    x1, x2 = CORNERS[step // 4]
    first, second = Value(w1) * x1, Value(w2) * x2
    z = first + second + b
    out = FUNCTIONS[activation](z)
    lines = (
        [first.data, first.data],
        [second.data, (first + second).data],
        [b, z.data],
        [out.data],
    )
    return {f"term{n}": line for n, line in enumerate(lines) if n <= step % 4}


def run(makers, surface, start, step, rates=None):
    """Where the runners are after some steps, asked of the optimizers."""
    for n, (name, make) in enumerate(makers.items()):
        x, y = map(Value, start)
        optimizer = make([x, y])
        optimizer.lr = (rates or {}).get(name, optimizer.lr)
        for _ in range(step):
            optimizer.zero_grad()
            SURFACES[surface][0](x, y).backward()
            optimizer.step()
        yield f"number{n}", [x.data, y.data, SURFACES[surface][0](x, y).data]


def wait_until(page, root, wanted, *prefixes):
    """Until the picture shows these numbers, exactly."""
    for _ in range(100):
        if look(root, *prefixes) == wanted:
            return
        page.wait_for_timeout(100)
    assert look(root, *prefixes) == wanted


def test_the_dial_adds_term_by_term(watched, dial):
    page = watched[0]
    for step in range(16):
        assert step_of(dial) == step
        assert look(dial, "term") == work(1.0, 1.0, -0.5, "sigmoid", step)
        page.keyboard.press("ArrowRight")
    outs = [work(1.0, 1.0, -0.5, "sigmoid", 4 * i + 3)["term3"] for i in range(4)]
    assert look(dial, "point") == {f"point{i}": out for i, out in enumerate(outs)}
    dial.locator("[data-key=point2]").click()
    assert step_of(dial) == 8
    dial.get_by_role("button", name="(0, 1)").click()
    assert step_of(dial) == 4


def test_the_race_shows_the_real_optimizers_at_each_step(made, race):
    for step in range(12):
        assert step_of(race) == step
        wanted = dict(run(made["runners"], "ravine", (-1.8, 1.0), step))
        assert look(race, "number") == wanted
        race.get_by_role("button", name="Step forward").click()
    race.get_by_role("button", name="Last step").click()
    assert look(race, "number") == dict(run(made["runners"], "ravine", (-1.8, 1.0), 60))


def test_a_slider_is_turned_by_keys_and_by_mouse_and_the_step_stays(watched, dial):
    page = watched[0]
    dial.get_by_role("button", name="(1, 0)").click()
    dial.get_by_role("button", name="Step forward").click()
    w1 = dial.get_by_role("slider", name="w1")
    w1.focus()
    for key, value in (("ArrowRight", 1.1), ("ArrowRight", 1.2), ("End", 3.0), ("ArrowLeft", 2.9)):
        page.keyboard.press(key)
        wait_until(page, dial, work(value, 1.0, -0.5, "sigmoid", 9), "term")
        assert step_of(dial) == 9
        assert w1.get_attribute("aria-valuetext") == f"{value:g}"
        assert dial.locator("output").first.inner_text() == f"{value:g}"
    assert w1.evaluate("input => input === document.activeElement")

    box = w1.bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    for part in range(90, 10, -2):  # faster than Python answers
        page.mouse.move(box["x"] + part / 100 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.up()
    value = float(w1.get_attribute("aria-valuetext").replace("−", "-"))
    assert -3 < value < -1
    wait_until(page, dial, work(value, 1.0, -0.5, "sigmoid", 9), "term")
    page.wait_for_timeout(500)
    assert float(w1.get_attribute("aria-valuetext").replace("−", "-")) == value
    w1.fill(str(40))
    wait_until(page, dial, work(1.0, 1.0, -0.5, "sigmoid", 9), "term")


def test_a_list_is_turned_by_keys_and_by_mouse(watched, dial):
    page = watched[0]
    dial.get_by_role("button", name="Step forward").click(click_count=3)
    activation = dial.get_by_role("combobox", name="activation")
    activation.focus()
    page.keyboard.press("ArrowUp")
    wait_until(page, dial, work(1.0, 1.0, -0.5, "relu", 3), "term")
    activation.select_option("tanh")
    wait_until(page, dial, work(1.0, 1.0, -0.5, "tanh", 3), "term")
    assert step_of(dial) == 3
    assert dial.locator(".nn-title").inner_text().startswith("A neuron: out = tanh(")
    activation.select_option("sigmoid")
    wait_until(page, dial, work(1.0, 1.0, -0.5, "sigmoid", 3), "term")


def test_a_click_in_the_plane_sets_the_start_for_all(watched, made, race):
    page = watched[0]
    race.get_by_role("slider", name="Step", exact=True).fill("7")
    place = race.locator("[data-key=touch]")
    box = place.bounding_box()
    for right, down, start in ((0.25, 0.75, (-1.0, -1.0)), (0.75, 0.375, (1.0, 0.5))):
        place.click(position={"x": right * box["width"], "y": down * box["height"]})
        wait_until(page, race, dict(run(made["runners"], "ravine", start, 7)), "number")
        assert step_of(race) == 7
        for axis, number in zip("xy", start, strict=True):
            slider = race.get_by_role("slider", name=f"start {axis}")
            assert slider.get_attribute("aria-valuetext").replace("−", "-") == f"{number:g}"
    rate = race.get_by_role("slider", name="lr of SignDescent")
    rate.focus()
    page.keyboard.press("ArrowRight")
    wanted = dict(run(made["runners"], "ravine", (1.0, 0.5), 7, {"SignDescent": 0.07}))
    wait_until(page, race, wanted, "number")
    race.get_by_role("combobox", name="surface").select_option("saddle")
    wanted = dict(run(made["runners"], "saddle", (1.0, 0.5), 7, {"SignDescent": 0.07}))
    wait_until(page, race, wanted, "number")


def test_tab_reaches_the_controls_first_and_each_has_a_name(watched, dial):
    page = watched[0]
    dial.focus()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.ariaLabel"))
    assert reached == ["w1", "w2", "b", "activation", *BUTTONS[:2]]
    tree = dial.aria_snapshot()
    for name in ("w1", "w2", "b"):
        assert f'slider "{name}"' in tree
    assert 'combobox "activation"' in tree


def test_keys_inside_a_control_change_no_cell_and_take_no_step(watched, dial):
    page = watched[0]
    cells = f"() => {lab.PANEL}.content.widgets.map(cell => cell.model.sharedModel.source)"
    before = page.evaluate(cells)
    dial.get_by_role("button", name="(0, 1)").click()
    for control in (dial.get_by_role("slider", name="b"), dial.get_by_role("combobox")):
        control.focus()
        for key in ("d", "d", "a", "x", "ArrowRight", "ArrowLeft", "End", "Home"):
            page.keyboard.press(key)
            assert step_of(dial) == 4
    page.wait_for_timeout(500)
    assert page.evaluate(cells) == before
    dial.get_by_role("slider", name="b").fill("25")
    dial.get_by_role("combobox").select_option("sigmoid")
    wait_until(page, dial, work(1.0, 1.0, -0.5, "sigmoid", 4), "term")


def test_they_read_well_in_both_themes_and_widths(watched):
    """Saves pictures for a person to look at; that no texts clash is what can be asserted."""
    page = watched[0]
    SCREENS.mkdir(parents=True, exist_ok=True)
    titles = page.locator(".nn-stage .nn-title").all_text_contents()
    numbers = [n for n, title in enumerate(titles) if title.startswith(("A neuron", "Optimizer"))]
    names = ("neuron_corners", "neuron_crowd", "race_four", "race_lost")
    for theme in ("Light", "Dark"):
        lab.change_theme(page, f"JupyterLab {theme}")
        for width in (840, 1280):
            page.set_viewport_size({"width": width, "height": 1000})
            for number, name in zip(numbers, names, strict=True):
                root = stage(page, number)
                root.get_by_role("button", name="First step").click()
                step = min(15 if "neuron" in name else 40, int(scrub_max(root)))
                root.get_by_role("slider", name="Step", exact=True).fill(str(step))
                page.wait_for_timeout(300)
                page.locator(".jp-OutputArea-output:has(.nn-stage)").nth(number).screenshot(
                    path=SCREENS / f"{name}_{width}_{theme.lower()}.png"
                )
                assert root.evaluate(CLASHES) == []
                for bar in (".nn-bar", ".nn-controls"):
                    assert root.locator(bar).evaluate("e => e.scrollWidth <= e.clientWidth")
    lab.change_theme(page, "JupyterLab Light")


def scrub_max(root):
    return root.get_by_role("slider", name="Step", exact=True).get_attribute("max")


def test_no_error_is_logged_and_no_request_leaves_this_machine(watched):
    """Of all the tests before this one."""
    _, requests, errors = watched
    assert errors == []
    assert lab.outside(requests) == []


def test_an_exported_page_steps_and_shows_its_controls_but_does_not_turn_them(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(show.neuron((1, 1), -1.5).to_html(), encoding="utf-8")
    errors = lab.errors_of(page)
    page.goto(path.as_uri())
    root = stage(page)
    for name in ("w1", "w2", "b"):
        assert root.get_by_role("slider", name=name).is_disabled()
    assert root.get_by_role("combobox").is_disabled()
    root.get_by_text("The controls work in a notebook").wait_for()
    assert root.locator("output").all_inner_texts() == ["1", "1", "−1.5"]
    root.get_by_role("button", name="Last step").click()
    assert look(root, "term") == work(1.0, 1.0, -1.5, "sigmoid", 15)
    root.locator("[data-key=point1]").click()
    assert step_of(root) == 4
    assert errors == []
