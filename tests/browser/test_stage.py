"""The stage and the instruments on it, in a real JupyterLab and as a page of its own."""

import math
import sys

import nbformat
import pytest

from nncheck import notebooks
from nnlib.graph import rehearse, topological
from tests.browser import lab
from tests.browser.instruments import HERE, STAGES, open_instruments

SCREENS = HERE.parents[1] / "build" / "screens"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform == "win32", reason="stops JupyterLab by its process group"),
]

# What stands in the picture for whoever checks it, and nothing else: {key: [numbers]}.
SEEN = """root => Object.fromEntries([...root.querySelectorAll('[data-key]')]
    .map(piece => [piece.dataset.key, [...piece.querySelectorAll('[data-v], [data-amount]')]
        .map(mark => mark.dataset.v ?? mark.dataset.amount)])
    .filter(([key, marks]) => marks.length))"""

# Text that sticks out of its card, or out of its frame.
OUTSIDE = """root => [...root.querySelectorAll('[data-key^=face] text, [data-key^=value] text, '
        + '[data-key^=grad] text')].filter(text => {
    const card = text.parentNode.dataset.key.replace(/^[a-z]+/, 'card');
    const box = root.querySelector(`[data-key=${card}] rect`).getBBox(), own = text.getBBox();
    return own.x < box.x || own.x + own.width > box.x + box.width;
}).map(text => text.textContent)"""
BUTTONS = ["First step", "Step back", "Play", "Step forward", "Last step"]


@pytest.fixture
def opened(watched):
    """The notebook with every stage at its first step."""
    page = watched[0]
    for root in page.locator(".nn-stage").all():
        root.get_by_role("button", name="First step").click()
    return page


def stage(page, number=0):
    found = page.locator(".nn-stage").nth(number)
    found.scroll_into_view_if_needed()
    return found


def step_of(root):
    return int(root.get_attribute("data-step"))


def engine(root):
    """What must be seen at each step, asked of the engine node by node: {key: [numbers]}."""
    nodes = topological(root)
    place = {node: i for i, node in enumerate(nodes)}
    slots = {}
    seen = {f"value{i}": [node.data] for i, node in enumerate(nodes) if not node.inputs}
    seen |= {
        f"grad{i}": [node.grad]
        for i, node in enumerate(nodes)
        if not node.inputs and node.grad is not None
    }
    yield dict(seen)
    for i, node in enumerate(nodes):
        if node.inputs:
            seen[f"value{i}"] = [node.data]
            slots[node] = list(node.locals)
            yield seen | pills(slots)
    seen |= pills(slots)
    steps = rehearse(root)
    seen[f"grad{len(nodes) - 1}"] = [1.0]
    yield dict(seen)
    for step in steps:
        arrived = {}
        for c in step.contributions:
            seen[f"grad{place[c.to]}"] = [c.after]
            arrived.setdefault(f"chip{place[c.to]}", []).append(c.amount)
        yield dict(seen) | arrived | {"flow": [c.amount for c in step.contributions]}


def pills(slots):
    """Where the local derivatives are: keys do not matter here, the numbers and their number do."""
    return {"pills": sorted(number for numbers in slots.values() for number in numbers)}


def look(root):
    """The numbers in the picture, in the form of `engine`."""
    seen = {key: list(map(float, marks)) for key, marks in root.evaluate(SEEN).items()}
    found = sorted(n for key in [*seen] if key.startswith("pill") for n in seen.pop(key))
    return seen | ({"pills": found} if found else {})


@pytest.mark.parametrize(("number", "name"), [(0, "y"), (1, "loss")])
def test_every_number_is_the_engine_s_by_click_key_and_scrub(opened, made, number, name):
    root = stage(opened, number)
    way = list(engine(made[name]))
    last = len(way) - 1

    def same(step):
        assert step_of(root) == step
        assert look(root) == way[step]

    same(0)
    for step in range(1, last + 1):
        root.get_by_role("button", name="Step forward").click()
        same(step)
    for step in reversed(range(last)):
        root.get_by_role("button", name="Step back").click()
        same(step)
    root.focus()
    for step in range(1, last + 1):
        opened.keyboard.press("ArrowRight")
        same(step)
    for key, step in (("Home", 0), ("End", last), ("ArrowLeft", last - 1), ("Home", 0)):
        opened.keyboard.press(key)
        same(step)
    for step in (*range(0, last + 1, 2), 1, last):
        root.get_by_role("slider").fill(str(step))
        same(step)
    root.get_by_role("button", name="First step").click()
    same(0)
    root.get_by_role("button", name="seed").click()
    same(len([node for node in topological(made[name]) if node.inputs]) + 1)


def test_it_plays_to_the_end_and_each_frame_says_what_happens(opened, made):
    root = stage(opened)
    root.evaluate(
        """root => { root.said = []; new MutationObserver(() => root.said.push(
            [root.dataset.step, root.querySelector('.nn-sentence').textContent]))
            .observe(root, {attributes: true, attributeFilter: ['data-step']}) }"""
    )
    root.focus()
    opened.keyboard.press("Space")
    root.get_by_role("button", name="Pause").wait_for()
    root.get_by_role("button", name="Play").wait_for(timeout=30_000)
    frames = made["stepper"].trace.frames
    said = [[str(step), frame.sentence] for step, frame in enumerate(frames)]
    assert root.evaluate("root => root.said") == said[1:]
    assert look(root) == list(engine(made["y"]))[-1]
    assert root.locator("svg[role=img]").get_attribute("aria-label") == frames[-1].sentence
    assert root.locator("[aria-live=polite]").inner_text() == frames[-1].sentence


def test_a_click_on_a_card_goes_to_what_happens_to_it_next(opened, made):
    root = stage(opened)
    nodes = topological(made["y"])
    a, w = nodes.index(made["a"]), nodes.index(made["w"])
    went = []
    for i in (a, a, a, w, w, w):
        root.locator(f"[data-key=card{i}]").click()
        went.append(step_of(root))
    assert went == [6, 7, 6, 2, 5, 6]
    opened.keyboard.press("ArrowRight")
    assert step_of(root) == 7


def test_keys_inside_the_stage_change_no_cell(opened):
    """Else `d d` deletes the learner's cell, and from a button as well as from the stage itself."""
    cells = f"() => {lab.PANEL}.content.widgets.map(cell => cell.model.sharedModel.source)"
    before = opened.evaluate(cells)
    root = stage(opened)
    for focus in (root, root.get_by_role("button", name="Play"), root.get_by_role("slider")):
        focus.focus()
        for key in "ddax":
            opened.keyboard.press(key)
    root.locator("[data-key=card0]").click()
    for key in "ddaxdd":
        opened.keyboard.press(key)
    opened.wait_for_timeout(300)
    assert opened.evaluate(cells) == before


def test_tab_reaches_every_control_and_each_has_a_name(opened):
    root = stage(opened)
    root.focus()
    reached = []
    for _ in range(9):
        opened.keyboard.press("Tab")
        reached.append(
            opened.evaluate(
                "() => document.activeElement.ariaLabel || document.activeElement.textContent"
            )
        )
    assert reached == [*BUTTONS, "Step", "forward pass", "seed", "backward pass"]
    tree = root.aria_snapshot()
    for name in reached:
        assert f'"{name}"' in tree
    assert 'img "Given: a = 3."' in tree


def test_odd_names_are_text_and_stay_inside_their_card(opened, made):
    root = stage(opened, 3)
    root.get_by_role("button", name="Last step").click()
    assert root.evaluate(OUTSIDE) == []
    assert root.locator("b, script").count() == 0
    texts = root.locator("[data-key^=value] text").all_text_contents()
    numbers = [node.data for node in topological(made["worse"])]
    plain = {"nan" if math.isnan(n) else "inf" for n in numbers if not math.isfinite(n)}
    assert plain | {"0"} <= set(texts)
    assert not {"-0", "−0", "NaN", "Infinity"} & set(texts)


def test_it_reads_well_in_both_themes_and_widths(opened):
    """Saves pictures for a person to look at; that nothing is cut off is what can be asserted."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for theme in ("Light", "Dark"):
        lab.change_theme(opened, f"JupyterLab {theme}")
        for width in (840, 1280):
            opened.set_viewport_size({"width": width, "height": 900})
            for number, name in enumerate(("values", "network", "arrays", "odd")):
                root = stage(opened, number)
                root.get_by_role("button", name="backward pass").click()
                opened.wait_for_timeout(400)
                path = SCREENS / f"backprop_{name}_{width}_{theme.lower()}.png"
                opened.locator(".jp-OutputArea-output:has(.nn-stage)").nth(number).screenshot(
                    path=path
                )
                assert root.evaluate(OUTSIDE) == []
                bar = root.locator(".nn-bar")
                assert bar.evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    lab.change_theme(opened, "JupyterLab Light")


def test_no_error_is_logged_and_no_request_leaves_this_machine(watched):
    """Of all the tests before this one."""
    _, requests, errors = watched
    assert errors == []
    assert requests
    assert lab.outside(requests) == []


def test_it_steps_while_the_kernel_is_busy_and_when_it_is_gone(browser, url, working_copy):
    opened, _, errors = open_instruments(browser, url, working_copy, "gone.ipynb")
    root = stage(opened)
    session = f"{lab.PANEL}.sessionContext.session"
    code = "import time; time.sleep(4)"
    opened.evaluate(f"() => {{ {session}.kernel.requestExecute({{code: {code!r}}}) }}")
    opened.wait_for_function(f"() => {session}.kernel.status === 'busy'")
    for step in (1, 2, 3):
        root.get_by_role("button", name="Step forward").click()
        assert step_of(root) == step
    assert opened.evaluate(f"() => {session}.kernel.status") == "busy"
    opened.wait_for_function(lab.IDLE, timeout=20_000)

    opened.evaluate(f"() => {lab.PANEL}.sessionContext.shutdown()")
    opened.wait_for_function(f"() => !{session}")
    for step in (4, 5, 6, 7):
        root.get_by_role("button", name="Step forward").click()
        assert step_of(root) == step
    root.focus()
    opened.keyboard.press("Home")
    assert step_of(root) == 0
    assert errors == []
    opened.context.close()


def test_a_notebook_that_is_saved_and_opened_again_shows_the_still_pictures(
    browser, url, working_copy
):
    """The widget has gone with its kernel: nothing may say `model not found`."""
    opened, _, errors = open_instruments(browser, url, working_copy, "saved.ipynb")
    lab.save(opened)
    assert opened.locator(".nn-stage").count() == len(STAGES)
    saved = notebooks.load(working_copy / "saved.ipynb")
    shown = [set(out["data"]) for cell in saved["cells"] for out in cell.get("outputs", [])]
    assert shown == [{"image/png", "text/plain"}] * len(STAGES)

    opened.evaluate(f"() => {lab.PANEL}.sessionContext.shutdown()")
    lab.open_notebook(opened, url, "saved.ipynb")
    opened.wait_for_function(
        f"() => document.querySelectorAll('.jp-OutputArea-output img').length === {len(STAGES)}"
    )
    assert opened.get_by_text("model not found").count() == 0
    assert errors == []
    opened.context.close()


def test_what_a_click_sets_reaches_python_and_comes_back_as_a_new_trace(page, url, working_copy):
    """The way for controls: a piece that `sets` values, and a `remake` that answers."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DIAL)])
    nb.metadata = notebooks.node(notebooks.METADATA)
    nbformat.write(nb, working_copy / "dial.ipynb")
    lab.open_notebook(page, url, "dial.ipynb")
    lab.run_all(page)
    root = stage(page)
    root.get_by_text("turn is 0").wait_for()
    root.locator("[data-key=knob]").click()
    root.get_by_text("turn is 7").wait_for()
    code = "made.step = len(made.trace.frames) - 1"
    page.evaluate(
        "code => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code}) }",
        code,
    )
    page.locator(".nn-stage[data-step='1']").wait_for()


DIAL = """
from nnlib.show.stage import Stage
from nnlib.show.plots import lines
from nnlib.show.svg import box
from nnlib.show.trace import Frame, Trace, slider


def dial(values):
    frames = [Frame(f"{i}", f"turn is {values['turn']}", event=i) for i in range(2)]
    draw = lambda frame: {"knob": box(0, 0, 90, 40, 5, "card")}
    return Trace("Dial", frames, draw, (0, 0, 100, 50), alt="A dial.",
                 controls=[slider("turn", values["turn"], (0, 7))], sets={"knob": {"turn": 7}})


made = Stage(dial({"turn": 0}), remake=dial)
made
"""


@pytest.mark.parametrize("name", ["stepper", "odd"])
def test_the_exported_page_is_the_same_stage(page, made, tmp_path, name):
    path = tmp_path / "page.html"
    path.write_text(made[name].to_html(), encoding="utf-8")
    errors = lab.errors_of(page)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    root = stage(page)
    for step, frame in enumerate(made[name].trace.frames):
        assert step_of(root) == step
        assert root.locator(".nn-sentence").inner_text() == frame.sentence
        root.focus()
        page.keyboard.press("ArrowRight")
    assert errors == []
    assert requests == [path.as_uri()]


def test_where_there_is_no_jupyterlab_the_page_comes_in_a_frame(page, made, tmp_path, monkeypatch):
    monkeypatch.setenv("NNLIB_SHOW", "html")
    bundle, _ = made["stepper"]._repr_mimebundle_()
    page.set_content(bundle["text/html"])
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Step forward").click()
    assert inside.locator(".nn-stage").get_attribute("data-step") == "1"
    inside.get_by_text("u = a × a = 3 × 3 = 9.").wait_for()
