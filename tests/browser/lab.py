"""A real JupyterLab in a real browser, for tests and for looking at notebooks.

Used as `with serve(folder) as url, browse(chromium()) as browser: ...`. Nothing of the user's own
Jupyter settings is read or written: each server gets its own folders, which go when it stops.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Asked of the page. All are plain synchronous expressions, so that polling never overlaps.
PANEL = "window.jupyterapp.shell.currentWidget"
IDLE = f"""() => {{
    const session = window.jupyterapp && {PANEL} && {PANEL}.sessionContext;
    return !!session && session.isReady && session.session?.kernel?.status === 'idle';
}}"""
# A cell that Lab has not drawn yet has no prompt: it counts as running, and we go on waiting.
PROMPTS = f"""() => {PANEL}.content.widgets
    .filter(cell => cell.model.type === 'code' && cell.model.sharedModel.source.trim())
    .map(cell => cell.promptNode ? cell.promptNode.textContent : '[*]:')"""

# Prose, outputs and buttons that are wider than the room for them.
CUT_OFF = """() => [...document.querySelectorAll(
        '.jp-RenderedMarkdown, .jp-OutputArea-output, .jupyter-button')]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => box.innerText.slice(0, 80))"""


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome on this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    return found or (mac if Path(mac).exists() else None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serve(folder: Path, command: Sequence[str] = ("-m", "jupyterlab")) -> Iterator[str]:
    """Serve `folder` in JupyterLab and yield the server's address, token included in `?token=`.

    `command` is what Python is asked to run; whatever it starts reads its port, its token and its
    permission to run as root from a settings folder of this server alone.
    """
    port, token = free_port(), secrets.token_hex(16)
    settings = {
        "ServerApp": {
            "ip": "127.0.0.1",
            "port": port,
            "port_retries": 0,
            "open_browser": False,
            "allow_root": True,
        },
        "IdentityProvider": {"token": token},
        "LabApp": {"expose_app_in_browser": True},
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        home = Path(scratch)
        for kind in ("config", "data", "runtime", "ipython"):
            (home / kind).mkdir()
        (home / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
        env = os.environ | {
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "IPYTHONDIR": str(home / "ipython"),
            "BROWSER": "true",
        }
        log = (home / "log.txt").open("w+")
        server = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for_port(port, server, Path(log.name))
            yield f"http://127.0.0.1:{port}/?token={token}"
        finally:
            stop(server)
            log.close()


def wait_for_port(port: int, server: subprocess.Popen, log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab stopped before it served a page:\n{log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"JupyterLab served no page within {seconds} s:\n{log.read_text()}")


def stop(server: subprocess.Popen) -> None:
    """End the server and every kernel it started: they share its process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
    server.wait(10)


@contextmanager
def browse(executable: str) -> Iterator[Browser]:
    """Start a headless Chromium with an empty profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_notebook(page: Page, url: str, notebook: str, view: str = "doc") -> None:
    """Open a notebook and wait until its kernel is ready. `view` is "doc" (it alone) or "lab"."""
    server, token = url.split("/?token=")
    page.goto(f"{server}/{view}/tree/{notebook}?token={token}&reset")
    page.wait_for_function(IDLE, timeout=60_000)


def run_all(page: Page, seconds: float = 120) -> None:
    """Run every cell, and wait until the kernel is idle again."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_timeout(300)
    # A cell that raises ends the run: what stands below it keeps an empty prompt, not a star.
    settled = f"() => ({IDLE})() && !({PROMPTS})().some(prompt => prompt.includes('*'))"
    page.wait_for_function(settled, timeout=seconds * 1000, polling=250)


def save(page: Page, seconds: float = 60) -> None:
    """Save the notebook. A question that nobody answers would keep it for ever: then say so."""
    page.evaluate(
        """seconds => Promise.race([
            window.jupyterapp.commands.execute('docmanager:save'),
            new Promise((_, fail) => setTimeout(() => fail(new Error(
                'not saved: ' + document.querySelector('.jp-Dialog')?.innerText)), 1000 * seconds)),
        ])""",
        seconds,
    )


def change_theme(page: Page, name: str) -> None:
    """Switch to "JupyterLab Light" or "JupyterLab Dark", and wait until it shows."""
    page.evaluate(
        "name => { window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}) }",
        name,
    )
    page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")
    page.wait_for_timeout(500)


def errors_of(page: Page) -> list[str]:
    """Collect, from now on, what the page writes to its console as an error."""
    seen: list[str] = []
    page.on("console", lambda line: seen.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    return seen


def outside(requests: list[str]) -> list[str]:
    """The addresses that are not on this machine, nor made by the page itself."""
    ours = ("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")
    return [url for url in requests if not url.startswith(ours)]
