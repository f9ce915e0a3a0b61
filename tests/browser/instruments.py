"""The notebook with every instrument: what it makes, and how it is opened."""

import shutil
from pathlib import Path

from nncheck import notebooks
from tests.browser import lab

HERE = Path(__file__).parent


CODE = [c for c in notebooks.read(HERE / "instruments.ipynb").cells if c.cell_type == "code"]
# Each cell of code but the first shows one stage; how many stand above it.
STAGES = {cell.id: above for above, cell in enumerate(CODE[1:])}


def open_instruments(browser, url, working_copy, name="instruments.ipynb"):
    """A page with every cell of the notebook run, and what it asked for and complained about.

    Each page has a file of its own, by this name: JupyterLab saves by itself every two minutes, and
    where another page has saved it asks what to do.
    """
    shutil.copy(HERE / "instruments.ipynb", working_copy / name)
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    requests, errors = [], lab.errors_of(page)
    page.on("request", lambda request: requests.append(request.url))
    lab.open_notebook(page, url, name)
    lab.run_all(page)
    shown = "() => document.querySelectorAll('.nn-stage').length"
    page.wait_for_function(f"{shown} === {len(STAGES)}")
    return page, requests, errors
