"""What the stage sends and shows, in JupyterLab and elsewhere; the vocabulary it is drawn with."""

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from PIL import Image

from nnlib import Value, nn, show
from nnlib.show import stage as stages, svg
from nnlib.show.picture import HEAD
from nnlib.show.stage import Stage
from nnlib.show.trace import Frame, Trace, choice, slider

ROOT = Path(__file__).parents[2]
WIDGET = "application/vnd.jupyter.widget-view+json"


def makes_a_stage(path):
    """Whether a file has a function of its own name that does."""
    start, end = rf"^def {path.stem}\(", r"\) -> Stage:"
    text = path.read_text(encoding="utf-8")
    return re.search(rf"{start}(?:(?!^def ).)*?{end}", text, re.MULTILINE | re.DOTALL)


INSTRUMENTS = sorted(
    path.stem for path in (ROOT / "nnlib" / "show").glob("*.py") if makes_a_stage(path)
)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    """No front end, wherever the tests are started from."""
    for name in ("NNLIB_SHOW", "VSCODE_PID", "COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JPY_SESSION_NAME", "a notebook")


def stepper():
    a = Value(3.0, label="a")
    return show.backprop(a * a, title="The square & its slope")


def toy(frames=3, **more):
    """An instrument as small as they come."""
    return Trace(
        "Toy",
        [Frame(f"{i}", f"It is {i}.", event=i) for i in range(frames)],
        lambda frame: {"dial": svg.write(0, 0, f"{frame.event}", 12, 50)},
        (0, 0, 100, 50),
        alt="A toy.",
        **more,
    )


# ---- every instrument


def test_whatever_makes_a_stage_is_an_instrument():
    assert {"backprop", "conv", "race"} <= {*INSTRUMENTS}
    assert not {"grid", "stage", "trace"} & {*INSTRUMENTS}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_is_public_light_and_seen_by_a_test(name):
    module = import_module(f"nnlib.show.{name}")
    assert getattr(show, name) is getattr(module, name)
    assert name in show.__all__
    shown = [*(ROOT / "course").glob("*.ipynb"), ROOT / "tests" / "browser" / "instruments.ipynb"]
    used = any(f"show.{name}(" in path.read_text(encoding="utf-8") for path in shown)
    assert used, f"put show.{name} into a lesson, or into tests/browser/instruments.ipynb"
    assert (ROOT / "tests" / "nnlib" / f"test_show_{name}.py").exists()


EYE = [[1.0, 0.0], [0.0, 1.0]]
TITLED = {
    "backprop": lambda **more: show.backprop(Value(3.0) * 2, **more),
    "boundary": lambda **more: show.boundary(nn.Linear(2, 1), EYE, [0, 1], epochs=0, **more),
    "conv": lambda **more: show.conv(EYE, EYE, **more),
    "receptive_field": lambda **more: show.receptive_field([(2, 1, 1)], **more),
    "attention": lambda **more: show.attention(EYE, EYE, EYE, **more),
    "attention_weights": lambda **more: show.attention_weights(EYE, **more),
}


@pytest.mark.parametrize("make", TITLED.values(), ids=TITLED)
def test_a_title_is_the_learner_s_or_the_usual_one(make):
    usual, own = make().trace, make(title="Who looks?").trace
    assert usual.title
    assert own.title == "Who looks?"
    assert own.alt.startswith("Who looks?")
    assert "Who looks?" not in usual.title + usual.alt


def test_importing_show_brings_neither_widgets_nor_matplotlib():
    code = "import sys, nnlib.show; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"anywidget", "ipywidgets", "matplotlib"} & set(run.stdout.split())


# ---- what is shown where


def test_jupyterlab_gets_the_widget_a_picture_and_words():
    stage = stepper()
    bundle, about = stage._repr_mimebundle_()
    assert set(bundle) == {WIDGET, "image/png", "text/plain"}
    assert bundle[WIDGET]["model_id"] == stage.model_id
    assert bundle["text/plain"] == repr(stage)
    assert repr(stage).splitlines() == [
        "node  op   value    grad  inputs",
        "a         3.0000  6.0000",
        "#2    *   9.0000  1.0000  a, a",
        "The square & its slope. Graph of 2 nodes from a through * to #2 = 9.0000, grad 1.0000.",
    ]
    assert about["image/png"]["alt"] == repr(stage).splitlines()[-1]


@pytest.mark.parametrize(
    ("environment", "widget"),
    [
        ({}, True),
        ({"NNLIB_SHOW": "html"}, False),
        ({"COLAB_RELEASE_TAG": "1"}, False),
        ({"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, False),
        ({"KAGGLE_KERNEL_RUN_TYPE": "Interactive", "NNLIB_SHOW": "widget"}, True),
        ({"VSCODE_PID": "1", "JPY_SESSION_NAME": ""}, False),
        ({"VSCODE_PID": "1"}, True),  # a JupyterLab that was started from VS Code's terminal
    ],
)
def test_elsewhere_the_page_comes_in_a_frame(monkeypatch, environment, widget):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bundle, _ = stepper()._repr_mimebundle_()
    assert (WIDGET in bundle, "text/html" in bundle) == (widget, not widget)
    assert {"image/png", "text/plain"} <= set(bundle)


def test_vs_code_is_known_by_the_name_it_leaves_in_the_notebook(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", "a.ipynb", raising=False)
    assert not stages.has_widgets()


def test_the_page_holds_all_it_needs_and_escapes_what_is_in_it():
    page = stepper().to_html()
    assert "<title>The square &amp; its slope</title>" in page
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)|@import|url\(", page)
    assert page == stepper().to_html()


def test_a_stage_starts_at_the_step_it_was_given():
    stage = stepper()
    stage.step = 2
    assert 'content").textContent), 2)' in stage.to_html()


# ---- the trace


def test_a_drawing_with_other_keys_is_refused():
    def draw(frame):
        return {"a": "", "b": ""} if frame.event == 0 else {"a": ""}

    frames = [Frame("", "", event=i) for i in range(2)]
    trace = Trace("Toy", frames, draw, (0, 0, 9, 9), alt="A toy.")
    with pytest.raises(ValueError, match=r"same keys.*frame 1 of 'Toy' differs in \['b'\]"):
        trace.tracks()


def test_new_control_values_make_a_new_trace():
    stage = Stage(toy(2), remake=lambda values: toy(values["frames"]))
    stage.values = {"frames": 5}
    assert len(stage.content["frames"]) == len(stage.trace.frames) == 5


def test_controls_are_sent_with_the_text_of_each_position():
    """The script writes no number, and chooses none."""
    controls = (slider("w", -0.25, (-1, 0, 1)), choice("f", "relu", ("tanh", "relu")))
    stage = Stage(toy(controls=controls), remake=lambda values: toy(controls=controls))
    assert stage.values == {"w": -0.25, "f": "relu"}
    assert stage.content["controls"] == [
        {
            "name": "w",
            "value": -0.25,
            "menu": False,
            "values": [-1, -0.25, 0, 1],
            "texts": ["−1", "−0.25", "0", "1"],
            "at": 1,
        },
        {
            "name": "f",
            "value": "relu",
            "menu": True,
            "values": ["tanh", "relu"],
            "texts": ["tanh", "relu"],
            "at": 1,
        },
    ]


def test_a_click_in_the_plane_is_answered_once():
    asked = []

    def remake(values):
        asked.append(values)
        return toy(controls=(slider("w", values["w"] + 1, (1, 2, 3)),), plane="dial")

    stage = Stage(toy(controls=(slider("w", 1, (1, 2, 3)),), plane="dial"), remake)
    stage.values = {"w": 1, "point": [5.0, 6.5]}
    assert asked == [{"w": 1, "point": [5.0, 6.5]}]
    assert stage.values == {"w": 2}
    assert stage.content["plane"] == "dial"
    assert stage.content["controls"][0]["at"] == 1


def test_the_still_picture_is_the_last_frame_with_its_title_and_words():
    trace = toy(text="a table", data={"n": 3})
    picture = Stage(trace).picture()
    assert (picture.alt, picture.text, picture.data) == ("A toy.", "a table\nA toy.", {"n": 3})
    last = replace(trace, frames=trace.frames[-1:]).picture()
    first = replace(trace, frames=trace.frames[:1]).picture()
    untitled = replace(trace, title="").picture()
    assert picture.png == last.png
    assert len({picture.png, first.png, untitled.png}) == 3
    assert sizes(picture) == (100, 50 + HEAD)
    assert sizes(untitled) == (100, 50)


def sizes(picture):
    image = Image.open(io.BytesIO(picture.png))
    return image.width / 2, image.height / 2


@pytest.mark.parametrize(
    "role", ["text value", "text grad", "rect cell plus", "path trail runner2"]
)
def test_a_still_picture_has_the_colours_of_the_light_theme(role):
    """The rasteriser knows no var() and no light-dark(): what it cannot read would be black."""
    tag, role = role.split(" ", 1)
    css = (ROOT / "nnlib" / "show" / "stage.css").read_text(encoding="utf-8")
    names = dict(re.findall(r"--nn-(\w+): light-dark\((#\w+)", css))
    runners = dict(re.findall(r"\.(runner\d) {\s*color: light-dark\((#\w+)", css))
    colour = (names | runners)[role.split()[-1]]
    drawn = {
        "text": svg.write(0, 25, "MMM", 40, 100, role),
        "rect": svg.box(10, 10, 80, 30, 0, role),
        "path": svg.element("path", class_=role, d="M0 25H100"),
    }[tag]
    picture = replace(toy(), draw=lambda frame: {"dial": drawn}, title="").picture()
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    assert (np.abs(pixels - wanted).sum(axis=-1) <= 6).sum() > 100


def test_nothing_in_a_still_picture_asks_to_be_clicked():
    offer = svg.box(10, 10, 80, 30, 0, "cell plus offer")
    drawn = replace(toy(), draw=lambda frame: {"dial": offer}).picture()
    assert drawn.png == replace(toy(), draw=lambda frame: {"dial": ""}).picture().png


# ---- the vocabulary


def contrast(one, other):
    """WCAG's ratio of the luminances of two colours."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("role", ["value", "grad", "quiet", "ink"])
def test_text_stands_out_from_what_is_behind_it(role, theme):
    css = (ROOT / "nnlib" / "show" / "stage.css").read_text(encoding="utf-8")
    colours = re.findall(r"--nn-(\w+): .*light-dark\((#\w+), (#\w+)\)", css)
    by_role = {name: both[theme] for name, *both in colours}
    jupyterlab = ("#fff", "#111")[theme]
    for paper in (by_role["paper"], by_role["leaf"], jupyterlab):
        assert contrast(by_role[role], paper) >= 4.5


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_a_text_is_measured_wide_enough_for_the_widest_usual_font(text):
    for weight in ("normal", "bold"):
        font = FontProperties(family="DejaVu Sans", weight=weight, size=10)
        real = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
        assert svg.width(text, 10, bold=weight == "bold") >= 0.99 * real


@given(st.text(max_size=60), st.integers(30, 120), st.booleans())
def test_a_fitted_text_is_no_wider_than_its_room(text, room, bold):
    short, size = svg.fitted(text, 14, room, bold)
    assert svg.width(short, size, bold) <= room
    assert size >= svg.SMALLEST


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30))
def test_whatever_is_written_is_text(text):
    written = ET.fromstring(svg.write(0, 0, text, 12, 10_000, "strong", exact=text))
    assert written.text == text
    assert written.get("data-v") == text
