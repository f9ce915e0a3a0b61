"""A folder in which nbgrader's own commands run, as at a site that uses it."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALLED = importlib.util.find_spec("nbgrader") is not None


def run(site: Path, *command: str) -> None:
    """Run a module's command in the site's folder, without anybody's settings."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command],
        cwd=site,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # alembic
            "PYTHONPATH": str(ROOT),
            "HOME": str(site / "home"),
            "JUPYTER_CONFIG_DIR": str(site / "home"),
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
