"""The stage on which every instrument plays: the one widget of the course."""

import json
import os
import sys
from collections.abc import Callable
from html import escape
from math import ceil
from pathlib import Path
from string import Template
from typing import Any

import anywidget
import traitlets

from nnlib.show import svg
from nnlib.show.picture import Picture
from nnlib.show.trace import Trace

HERE = Path(__file__).parent
SMALLEST_SCALE = 0.8  # a drawing shrinks this far to fit its cell; then it scrolls


class Stage(anywidget.AnyWidget):
    """Shows a `Trace` and steps through it, in the browser and without asking Python.

    Buttons and a slider choose the step, as do the keys Left, Right, Home, End and Space. Set
    `step` to show one from Python.

    Args:
        trace: what to show.
        remake: for an instrument whose controls change what is shown: from the control values,
            a new trace. It is called whenever `values` changes. "point" is among them only when
            the plane has just been clicked.
    """

    _esm = HERE / "stage.js"
    _css = HERE / "stage.css"
    content = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(self, trace: Trace, remake: Callable[[dict[str, Any]], Trace] | None = None):
        self.trace, self._remake, self._shown = trace, remake, _values(trace)
        super().__init__(content=_content(trace), values=self._shown)

    @traitlets.observe("values")
    def _on_values(self, change: Any) -> None:
        if self._remake and change["new"] != self._shown:
            self.trace = self._remake(dict(change["new"]))
            self._shown = change["new"] | _values(self.trace)
            self._shown.pop("point", None)  # a click is over when it has been answered
            self.content = _content(self.trace)
            self.values = self._shown

    @property
    def data(self) -> dict[str, Any]:
        """The numbers behind the picture, by name."""
        return dict(self.trace.data)

    def to_html(self) -> str:
        """A page that needs nothing else: the same stage, without Python.

        Example:
            >>> from nnlib import Value, show
            >>> a = Value(3.0, label="a")
            >>> page = show.backprop(a * a).to_html()
            >>> page.startswith("<!DOCTYPE html>"), "https://" in page
            (True, False)
        """
        page = Template((HERE / "stage.html").read_text(encoding="utf-8"))
        content = json.dumps(self.content, ensure_ascii=False).replace("</", "<\\/")
        parts = {"css": self._css, "js": self._esm, "step": self.step, "content": content}
        return page.substitute(parts, title=escape(self.trace.title))

    def picture(self) -> Picture:
        """The last frame as a still picture, which stands in where the stage cannot run."""
        return self.trace.picture()

    def __repr__(self) -> str:
        return f"{self.trace.text}\n{self.trace.alt}".strip("\n")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle, about = self.picture()._repr_mimebundle_()
        if has_widgets():
            view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            bundle |= {"application/vnd.jupyter.widget-view+json": view}
        else:
            height = round(min(self.trace.view[3], 600)) + 160 + 30 * len(self.trace.controls)
            bundle["text/html"] = (
                f'<iframe srcdoc="{escape(self.to_html())}" title="{escape(self.trace.title)}" '
                f'style="width:100%;height:{height}px;border:0"></iframe>'
            )
        return bundle, about


def has_widgets() -> bool:
    """Whether the front end is JupyterLab, which brings the widget's own front end with it.

    Others fetch it from the internet, so that a learner without it would see an error.
    NNLIB_SHOW=html or NNLIB_SHOW=widget in the environment decides it.
    """
    wish = os.environ.get("NNLIB_SHOW")
    if wish:
        return wish != "html"
    if "VSCODE_PID" in os.environ and not os.environ.get("JPY_SESSION_NAME"):
        return False
    names = vars(sys.modules.get("__main__"))
    hosted = ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE")
    return "__vsc_ipynb_file__" not in names and not any(name in os.environ for name in hosted)


def _values(trace: Trace) -> dict[str, Any]:
    return {control.name: control.value for control in trace.controls}


def _content(trace: Trace) -> dict[str, Any]:
    """A trace as the browser gets it."""
    width = trace.view[2]
    longest = max(svg.width(frame.sentence, 14) for frame in trace.frames)
    return {
        "title": trace.title,
        "viewBox": " ".join(f"{number:g}" for number in trace.view),
        "style": f"width:100%;min-width:{SMALLEST_SCALE * width:.0f}px;max-width:{width:.0f}px",
        "room": f"min-height:{1.45 * min(4, ceil(longest / 800)):.2f}em",
        "frames": [{"where": f.where, "sentence": f.sentence, "at": f.at} for f in trace.frames],
        "tracks": trace.tracks(),
        "jumps": dict(trace.jumps),
        "clicks": {key: list(steps) for key, steps in trace.clicks.items()},
        "sets": dict(trace.sets),
        "plane": trace.plane,
        "opens": trace.opens,
        "controls": [vars(c) | {"at": c.values.index(c.value)} for c in trace.controls],
    }
