"""Convolution, receptive field and attention in a real JupyterLab: each step shows the numbers."""

import numpy as np
import pytest

from nnlib import Tensor, functional as F
from tests.browser import lab
from tests.browser.instruments import STAGES
from tests.browser.test_stage import (
    SCREENS,
    SEEN,
    stage,
    step_of,
)
from tests.nnlib.test_show_attention import stages
from tests.nnlib.test_show_conv import by_hand

PLACES = {n: STAGES[n] for n in ("convolution", "colours", "field", "looks", "weights")}

# Numbers wider than their cell, texts that overlap, and what leaves the picture.
AMISS = """root => {
    const drawing = root.querySelector('svg[role=img]'), frame = drawing.viewBox.baseVal;
    const texts = [...drawing.querySelectorAll('text')].map(text => {
        const {x, y, width, height} = text.getBBox();
        const cell = text.previousElementSibling, centred = text.getAttribute('text-anchor');
        const room = centred === 'middle' && cell?.matches('.cell') ? cell.getBBox() : null;
        return {said: text.textContent, left: x, right: x + width, top: y + 1.5,
                bottom: y + height - 1.5, room};
    });
    const wide = texts.filter(({left, right, room}) =>
        room && (left < room.x || right > room.x + room.width));
    const out = texts.filter(({left, right, top, bottom}) => left < frame.x || top < frame.y
        || right > frame.x + frame.width || bottom > frame.y + frame.height);
    const over = texts.filter((a, i) => texts.slice(i + 1).some(b =>
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
    return [...wide, ...out, ...over].map(({said}) => said);
}"""


@pytest.fixture
def opened(watched):
    page = watched[0]
    for number in PLACES.values():
        stage(page, number).get_by_role("button", name="First step").click()
    return page


def convolution(image, kernel, bias=0.0, **options):
    """What must be seen at each step, asked of the library: {key: [numbers]}."""
    image, kernel = (np.array(x, float).reshape(-1, *np.shape(x)[-2:]) for x in (image, kernel))
    x, w = Tensor(image), Tensor(kernel[None])
    sums = F.conv2d(x, w, None, **options).data[0]
    output = F.conv2d(x, w, Tensor(np.array([bias])), **options).data[0]
    pairs = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    pairs |= {name: (n, n) for name, n in options.items()}
    seen = {}
    yield {}
    for row, column in np.ndindex(output.shape):
        number = output[row, column]
        seen[f"out{row}_{column}"] = [number]
        yield seen | {
            "products": by_hand(image, kernel, pairs, row, column).ravel().tolist(),
            "sum": [sums[row, column], *([bias, number] if bias else [])],
        }


def attention(q, k, v, **options):
    made = stages(q, k, v, **options)
    mask = np.tri(len(q), len(k), dtype=bool)
    output = F.scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), mask).data
    weights, seen = made["weights"], {}
    yield {}
    for t in range(len(q)):
        now = {"q": q[t].tolist()}
        for name, numbers in made.items():
            now[name] = numbers[t].tolist()
            if name == "weights":
                seen[f"row{t}"] = weights[t].tolist()
                now["links"] = [w for w in weights[t] if w]
            yield seen | now
        yield seen | now | {"output": output[t].tolist()}


def heads(weights):
    for head in weights:
        rows = {f"row{t}": row.tolist() for t, row in enumerate(head)}
        for row in head:
            yield rows | {"links": [w for w in row.tolist() if w]}


def field(maps):
    known = {}
    for k, paths in reversed(list(enumerate(maps))):
        known[f"map{k}"] = paths[paths > 0].tolist()
        yield dict(known)


def way(name, made):
    """Each step of an instrument, by the library."""
    if name == "convolution":
        return list(convolution(made["image"], made["sobel"], bias=-0.5, padding=1))
    if name == "colours":
        return list(convolution(made["photo"], made["kernel"], stride=2, dilation=2, padding=1))
    if name == "field":
        return list(field(made["field"].data["paths"]))
    if name == "looks":
        return list(attention(made["q"], made["k"], made["v"], causal=True))
    return list(heads(made["both"].data))


def look(root):
    """The numbers in the picture that change from step to step."""
    seen = {key: list(map(float, marks)) for key, marks in root.evaluate(SEEN).items()}
    return {key: marks for key, marks in seen.items() if key != "fixed" and key[0] != "x"}


@pytest.mark.parametrize("name", PLACES)
def test_every_number_is_the_library_s_by_click_key_and_scrub(opened, made, name):
    root = stage(opened, PLACES[name])
    expected = way(name, made)
    last = len(expected) - 1
    assert last == len(made[name].trace.frames) - 1

    def same(step):
        assert step_of(root) == step
        assert look(root) == expected[step]

    same(0)
    for step in range(1, last + 1):
        root.get_by_role("button", name="Step forward").click()
        same(step)
    root.focus()
    for step in reversed(range(last)):
        opened.keyboard.press("ArrowLeft")
        same(step)
    for step in (*range(0, last + 1, 3), 1, last):
        root.get_by_role("slider").fill(str(step))
        same(step)
    frames = made[name].trace.frames
    assert root.locator(".nn-sentence").inner_text() == frames[last].sentence
    assert root.locator("svg[role=img]").get_attribute("aria-label") == frames[last].sentence


def clicked(root, key):
    root.locator(f"[data-key={key}]").click()
    return step_of(root)


def test_a_click_on_an_output_goes_to_it_and_on_a_pixel_to_what_sees_it(opened):
    root = stage(opened, PLACES["convolution"])
    assert clicked(root, "out3_1") == 17
    assert clicked(root, "out0_4") == 5
    assert [clicked(root, "x0_0_0") for _ in range(4)] == [6, 7, 1, 2]
    root.get_by_role("button", name="row 2").click()
    assert step_of(root) == 11


def test_a_click_on_a_map_goes_to_it(opened):
    root = stage(opened, PLACES["field"])
    assert [clicked(root, f"map{k}") for k in (0, 2, 3, 1)] == [3, 1, 0, 2]


def test_a_click_on_a_token_goes_to_its_query(opened):
    root = stage(opened, PLACES["looks"])
    assert [clicked(root, "query3") for _ in range(6)] == [16, 17, 18, 19, 20, 16]
    assert clicked(root, "key1") == 6
    assert clicked(root, "row5") == 26
    root.get_by_role("button", name="the (4)", exact=True).click()
    assert step_of(root) == 21
    two = stage(opened, PLACES["weights"])
    assert [clicked(two, "query2") for _ in range(3)] == [2, 8, 2]


def test_they_read_well_in_both_themes_and_widths(opened, made):
    """Saves pictures for a person to look at; that nothing overlaps or is cut can be asserted."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for theme in ("Light", "Dark"):
        lab.change_theme(opened, f"JupyterLab {theme}")
        for width in (840, 1280):
            opened.set_viewport_size({"width": width, "height": 900})
            for name, number in PLACES.items():
                root = stage(opened, number)
                last = len(made[name].trace.frames) - 1
                root.get_by_role("slider").fill(str(max(1, 2 * last // 3)))
                opened.wait_for_timeout(300)
                output = opened.locator(".jp-OutputArea-output:has(.nn-stage)").nth(number)
                output.screenshot(path=SCREENS / f"{name}_{width}_{theme.lower()}.png")
                assert root.evaluate(AMISS) == []
                bar = root.locator(".nn-bar")
                assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    lab.change_theme(opened, "JupyterLab Light")


def test_no_error_is_logged_and_no_request_leaves_this_machine(watched):
    """Of all the tests before this one."""
    _, requests, errors = watched
    assert errors == []
    assert lab.outside(requests) == []


@pytest.mark.parametrize("name", PLACES)
def test_the_exported_page_is_the_same_stage(page, made, tmp_path, name):
    path = tmp_path / "page.html"
    made[name].step = 0
    path.write_text(made[name].to_html(), encoding="utf-8")
    errors = lab.errors_of(page)
    page.goto(path.as_uri())
    root = stage(page)
    for step, frame in enumerate(made[name].trace.frames):
        assert step_of(root) == step
        assert root.locator(".nn-sentence").inner_text() == frame.sentence
        assert root.evaluate(AMISS) == []
        root.focus()
        page.keyboard.press("ArrowRight")
    assert errors == []
