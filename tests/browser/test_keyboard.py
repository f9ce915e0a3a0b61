"""A lesson without a mouse: found, opened, run, and stepped through."""

import sys

import pytest

from tests.browser import lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(sys.platform == "win32", reason="stops JupyterLab by its process group"),
]
LISTED = "() => document.activeElement.className.includes('jp-DirListing-itemText')"
LESSONS = "() => document.body.innerText.includes('22_autograd')"
STAGE = "() => !!document.querySelector('.nn-stage')"
ON_STAGE = "() => !!document.activeElement.closest('.nn-stage')"
STEP = "() => document.querySelector('.nn-stage').dataset.step"


def press_until(page, key, what, most):
    for _ in range(most):
        if page.evaluate(what):
            return
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    pytest.fail(f"{most} times {key}, and not yet: {what}")


def test_a_lesson_is_opened_run_and_stepped_through_by_keys_alone(page, url):
    server, token = url.split("/?token=")
    page.goto(f"{server}/lab?token={token}&reset")
    page.wait_for_selector(".jp-DirListing-item", timeout=60_000)
    page.wait_for_timeout(1000)
    press_until(page, "Tab", LISTED, most=60)
    for key in ("ArrowDown", "ArrowUp", "Enter"):  # course/, the first folder
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    page.wait_for_function(LESSONS)
    page.wait_for_timeout(500)
    press_until(page, "Tab", LISTED, most=60)
    here = "() => document.activeElement.textContent.includes('22_autograd')"
    press_until(page, "ArrowDown", here, most=90)
    page.keyboard.press("Enter")
    page.wait_for_function(lab.IDLE, timeout=60_000)
    page.wait_for_timeout(1000)
    for _ in range(60):
        if page.evaluate(STAGE):
            break
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(400)
    page.wait_for_selector(".nn-stage", timeout=30_000)
    press_until(page, "Tab", ON_STAGE, most=150)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(STEP) == "2"
    page.keyboard.press("End")
    assert int(page.evaluate(STEP)) > 5
