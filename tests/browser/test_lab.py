"""What `make lab` opens, seen in a real browser."""

import sys
from pathlib import Path

import pytest

from tests.browser import lab

SCREENS = Path(__file__).parents[2] / "build" / "screens"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform == "win32", reason="stops JupyterLab by its process group"),
]


def test_lab_opens_on_the_first_page_and_every_cell_runs(page, url):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    errors = lab.errors_of(page)

    page.goto(url)
    page.wait_for_function(lab.IDLE, timeout=60_000)
    assert page.evaluate(f"() => {lab.PANEL}.context.path") == "course/00_start_here.ipynb"

    lab.run_all(page)
    prompts = page.evaluate(lab.PROMPTS)
    assert prompts == [f"[{number}]:" for number in range(1, len(prompts) + 1)]
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator(".Toastify__toast").all_inner_texts() == []
    assert errors == []
    assert lab.outside(requests) == []


def test_a_lesson_reads_well_in_both_themes_and_widths(page, url):
    """Saves pictures for a person to look at; that nothing is cut off is what can be asserted."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    lab.open_notebook(page, url, "course/22_autograd.ipynb")
    lab.run_all(page)
    for theme in ("Light", "Dark"):
        lab.change_theme(page, f"JupyterLab {theme}")
        for width in (840, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=SCREENS / f"22_autograd_{width}_{theme.lower()}.png")
            assert page.evaluate(lab.CUT_OFF) == []
