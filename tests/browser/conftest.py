import os

import pytest

from tests.browser.instruments import CODE, open_instruments
from tests.browser.lab import browse, chromium, serve


@pytest.fixture(scope="session")
def executable():
    """The path of a Chromium; without one browser tests are skipped, but in CI they fail."""
    found = chromium()
    if not found:
        said = "no Chromium here: install Debian's chromium, or set CHROMIUM to its path"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
    return found


@pytest.fixture(scope="session")
def working_copy(tmp_path_factory):
    """Where `url` serves from."""
    return tmp_path_factory.mktemp("lab") / "my-course"


@pytest.fixture(scope="session")
def url(executable, working_copy):
    """The address at which the last line of `make lab` serves a fresh working copy."""
    command = ["-m", "nncheck", "start", working_copy.name, "--open"]
    with serve(working_copy.parent, command) as url:
        yield url


@pytest.fixture(scope="module")
def browser(executable):
    """One browser for each file of tests; while it is open no other test could use asyncio."""
    with browse(executable) as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A page with a profile of its own, 1280 px wide."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def watched(browser, url, working_copy):
    """The instruments, opened once for each file of tests."""
    page, requests, errors = open_instruments(browser, url, working_copy)
    yield page, requests, errors
    page.context.close()


@pytest.fixture(scope="module")
def made():
    """What the notebook of instruments makes, made here: to ask the engine."""
    names = {}
    for cell in CODE:
        exec(cell.source, names)
    return names
