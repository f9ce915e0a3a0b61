"""How soon a step of the backprop stepper is painted, beside a widget that asks the kernel."""

import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import nbformat

from tests.bench.results import Measured
from tests.bench.table import markdown, short

TITLE = "A step of the stepper"
GOAL = 0.5
ROUNDS = 30
NODES = 40
ABOUT = f"""\
From the click to the paint, in a real JupyterLab: the stepper on a graph of {NODES} nodes and one,
and an `ipywidgets.HTML` that gets the same pictures from the kernel. They take turns in one
browser; the median of {ROUNDS} clicks each."""

CELLS = (
    f"""\
from nnlib import Value, show

x = y = Value(0.5, label="x")
for _ in range({NODES} // 2):
    y = y.tanh() * x  # two nodes
stage = show.backprop(y)
stage""",
    """\
from IPython.display import display
from ipywidgets import HTML, Button

drawn = [stage.trace.draw(frame) for frame in stage.trace.frames]
view = " ".join(map(str, stage.trace.view))
pictures = [
    f'<svg viewBox="{view}">' + "".join(f"<g>{piece}</g>" for piece in pieces.values()) + "</svg>"
    for pieces in drawn
]
shown = HTML(pictures[0])
button = Button(description="next")
step = 0


def forward(_):
    global step
    step += 1
    shown.value = pictures[step]


button.on_click(forward)
display(button, shown)""",
)
CLICKED_TO_PAINTED = """([button, picture]) => new Promise(done => {
    const start = performance.now();
    const watch = new MutationObserver(() => {
        watch.disconnect();
        requestAnimationFrame(() => {
            const after = new MessageChannel();
            after.port1.onmessage = () => done(performance.now() - start);
            after.port2.postMessage(0);
        });
    });
    const changes = {childList: true, subtree: true, attributes: true, characterData: true};
    watch.observe(document.querySelector(picture), changes);
    document.querySelector(button).click();
})"""
STEPPER = ['.nn-stage [aria-label="Step forward"]', ".nn-stage svg[role=img]"]
WIDGET = [".jupyter-button", ".widget-html-content"]


def names() -> list[str]:
    return ["stepper"]


def measure(chosen: list[str]) -> Measured:
    if not find_spec("playwright"):
        return skipped("playwright is not installed")
    from tests.browser import lab

    executable = lab.chromium()
    if not executable:
        return skipped("no Chromium here")
    with tempfile.TemporaryDirectory() as scratch:
        cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        page = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
        nbformat.write(page, Path(scratch) / "page.ipynb")
        with lab.serve(Path(scratch)) as url, lab.browse(executable) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 1600})
            lab.open_notebook(page, url, "page.ipynb")
            lab.run_all(page)
            for selector in (*STEPPER, *WIDGET):
                page.wait_for_selector(selector, state="attached")
            turns = [
                [page.evaluate(CLICKED_TO_PAINTED, which) for which in (STEPPER, WIDGET)]
                for _ in range(ROUNDS)
            ]
    stepper, widget = (median(column) for column in zip(*turns, strict=True))
    ratio = stepper / widget
    verdict = "met" if ratio <= GOAL else "**missed**"
    print(f"stepper: {short(ratio)} of ipywidgets.HTML's time, goal {GOAL}: {verdict}")
    row = {
        "": "stepper / ipywidgets.HTML",
        "stepper, ms": stepper,
        "HTML, ms": widget,
        "goal": GOAL,
        "measured": ratio,
        " ": verdict,
    }
    return Measured([ABOUT, "", *markdown([row])], {row[""]: ratio})


def skipped(why: str) -> Measured:
    print(f"stepper: {why}")
    return Measured([ABOUT, "", f"Not measured: {why}."])
