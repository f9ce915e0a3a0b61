"""The course's charts."""

import inspect
import io

import matplotlib
import matplotlib.axes
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nnlib import show
from nnlib.scalar import Value
from nnlib.show import plots
from nnlib.tensor import Tensor
from nnlib.train import History, TrainStep

X = np.linspace(-3, 3, 61)
RNG = np.random.default_rng(0)
POINTS = np.r_[RNG.normal(0, 1, (20, 2)), RNG.normal(3, 1, (30, 2))]
CLASSES = np.r_[np.zeros(20, int), np.ones(30, int)]
STACK = RNG.random((5, 8, 6))
STEPS = [
    TrainStep(1, 1, 0.9, 0.1, 1.0),
    TrainStep(2, 1, 0.4, 0.1, 0.5),
    TrainStep(3, 1, 0.2, 0.1, 0.6),
]


EXAMPLES = {
    "lines": lambda **more: plots.lines(X, {"tanh": np.tanh(X), "relu": np.maximum(X, 0)}, **more),
    "history": lambda **more: plots.history(History(STEPS), **more),
    "scatter": lambda **more: plots.scatter(
        POINTS, CLASSES, boundaries={"w": ((1.0, 2.0), -4.0)}, **more
    ),
    "images": lambda **more: plots.images(STACK, list("abcde"), **more),
    "bars": lambda **more: plots.bars({"one": 0.5, "two": -0.25}, **more),
}
every_plot = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


def test_every_plot_has_an_example_here():
    public = [
        name
        for name, function in inspect.getmembers(plots, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == plots.__name__
    ]
    assert sorted(public) == sorted(EXAMPLES)


@every_plot
def test_the_last_line_of_the_words_is_the_alt_text(example):
    plain, told = example(title="Title"), example(alt="What to see:\n the line bends.")
    assert plain.alt.startswith("Title. ")
    assert plain.text == plain.alt
    assert told.alt == "What to see: the line bends."
    assert told.text.splitlines()[-1] == told.alt
    assert len(told.text.splitlines()) == 2
    assert told._repr_mimebundle_()[1]["image/png"]["alt"] == told.alt


@every_plot
def test_a_picture_is_small_white_and_the_same_each_time(example):
    picture = example(title="Title")
    image = Image.open(io.BytesIO(picture.png))
    assert len(picture.png) < 100_000
    assert picture.width <= 840
    assert (np.asarray(image.convert("RGB"))[[0, -1]] == 255).all()
    assert example(title="Title").png == picture.png


@every_plot
def test_a_reader_s_own_settings_neither_change_the_picture_nor_are_changed(example):
    before = example().png
    settings = dict(matplotlib.rcParams)
    with plt.style.context("dark_background"), matplotlib.rc_context({"savefig.bbox": "tight"}):
        assert example().png == before
    assert dict(matplotlib.rcParams) == settings
    assert plt.get_fignums() == []


def test_lines_give_back_what_they_drew():
    data = EXAMPLES["lines"]().data
    assert list(data) == ["x", "tanh", "relu"]
    np.testing.assert_array_equal(data["x"], X)
    np.testing.assert_array_equal(data["tanh"], np.tanh(X))
    np.testing.assert_array_equal(data["relu"], np.maximum(X, 0))


def test_history_gives_back_the_losses_by_epoch():
    data = EXAMPLES["history"]().data
    np.testing.assert_array_equal(data["x"], [1, 2, 3])
    np.testing.assert_array_equal(data["loss"], [0.9, 0.4, 0.2])
    np.testing.assert_array_equal(data["val_loss"], [1.0, 0.5, 0.6])
    unvalidated = History([TrainStep(1, 1, 0.9, 0.1)])
    assert list(plots.history(unvalidated, logy=True).data) == ["x", "loss"]


def test_scatter_gives_back_points_and_line():
    data = EXAMPLES["scatter"]().data
    np.testing.assert_array_equal(data["0"], POINTS[:20])
    np.testing.assert_array_equal(data["1"], POINTS[20:])
    np.testing.assert_allclose(data["w"] @ [1.0, 2.0] - 4.0, 0, atol=1e-12)


@pytest.mark.parametrize("w", [(1.0, 0.0), (0.0, 1.0), (-3.0, 0.01), (0.02, 5.0)])
def test_the_line_of_a_neuron_crosses_the_view_at_any_slope(w):
    b = -float(POINTS.mean(axis=0) @ w)
    ends = plots.scatter(POINTS, CLASSES, boundaries={"line": (w, b)}).data["line"]
    np.testing.assert_allclose(ends @ np.array(w) + b, 0, atol=1e-12)
    assert np.abs(ends[0] - ends[1]).max() > np.ptp(POINTS, axis=0).min()
    assert np.abs(ends - POINTS.mean(axis=0)).max() < np.ptp(POINTS, axis=0).max()


def test_images_give_back_pixels_and_captions():
    data = EXAMPLES["images"]().data
    np.testing.assert_array_equal(data["images"], STACK)
    assert data["captions"] == list("abcde")


def test_bars_give_back_their_lengths():
    assert EXAMPLES["bars"]().data == {"one": 0.5, "two": -0.25}


@pytest.mark.parametrize(
    ("plot", "artist", "key"),
    [
        ("lines", "plot", "tanh"),
        ("history", "plot", "loss"),
        ("scatter", "scatter", "1"),
        ("scatter", "plot", "w"),
        ("images", "imshow", "images"),
        ("bars", "barh", "one"),
    ],
)
def test_a_wrong_drawing_has_wrong_data(plot, artist, key, monkeypatch):
    right = EXAMPLES[plot]().data[key]
    draw = getattr(matplotlib.axes.Axes, artist)
    place = 2 if artist in ("plot", "scatter", "barh") else 1  # (self, x, y) or (self, y)

    def wrong(*args, **more):
        return draw(*args[:place], np.asarray(args[place]) * 0.5, *args[place + 1 :], **more)

    monkeypatch.setattr(matplotlib.axes.Axes, artist, wrong)
    assert not np.array_equal(EXAMPLES[plot]().data[key], right)


def figure_of(monkeypatch, plot, *args, **more):
    """The matplotlib figure behind a picture."""
    kept = []
    wrap = plots.figure
    monkeypatch.setattr(plots, "figure", lambda fig, **rest: kept.append(fig) or wrap(fig, **rest))
    plot(*args, **more)
    return kept[0]


def test_curves_differ_by_dash_and_marker_and_classes_by_marker(monkeypatch):
    fig = figure_of(monkeypatch, plots.lines, X, {name: X for name in "abcd"})
    lines = fig.axes[0].lines
    assert len({line.get_marker() for line in lines}) == 4
    assert len({(line.get_color(), str(line._dash_pattern)) for line in lines}) == 4
    assert len({str(line._dash_pattern) for line in lines}) == 4
    fig = figure_of(monkeypatch, EXAMPLES["scatter"])
    shapes = [tuple(map(tuple, c.get_paths()[0].vertices)) for c in fig.axes[0].collections[:2]]
    assert shapes[0] != shapes[1]


def test_a_logarithmic_axis_writes_plain_numbers(monkeypatch):
    fig = figure_of(monkeypatch, plots.lines, [1, 2, 3], {"y": [1e-3, 1.0, 1e3]}, logy=True)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    assert ax.get_yscale() == "log"
    assert {"0.001", "1", "1000"} <= {label.get_text() for label in ax.get_yticklabels()}


def test_values_tensors_and_lists_are_drawn_alike():
    numbers = [1.0, 4.0, 9.0]
    pictures = [
        plots.lines([1, 2, 3], {"y": y}).png
        for y in (numbers, Tensor(numbers), [Value(n) for n in numbers], np.array(numbers))
    ]
    assert len(set(pictures)) == 1


def test_a_curve_with_gaps_says_so():
    picture = plots.lines([0, 1, 2, 3], {"loss": [1.0, 5.0, np.nan, np.inf]})
    assert picture.alt == "loss over x from 0 to 3: from 1 to inf, at most 5, 2 not finite."


def test_names_may_hold_any_sign():
    names = ("<b>&\"'", "$a^$")
    picture = plots.lines(X, dict.fromkeys(names, X), title="$x^$", xlabel="\\alpha", ylabel="$")
    assert list(picture.data) == ["x", *names]
    assert set(plots.bars(dict.fromkeys(names, 1.0)).data) == set(names)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.lines([], {"y": []}), r"lines needs x to be a list of numbers; got \(0,\)"),
        (
            lambda: plots.lines(X, {"y": X[:3]}),
            r"lines: y needs one number per x, \(61,\); got \(3,\)",
        ),
        (lambda: plots.lines(X, {"x": X}), r'names other than "x"'),
        (lambda: plots.lines(X, {}), r"lines needs 1 to 4 names; got 0"),
        (lambda: plots.lines(X, dict.fromkeys("abcde", X)), r"lines needs 1 to 4 names; got 5"),
        (lambda: plots.scatter(np.ones((3, 4)), [0, 1, 0]), r"points \(n, 2\); got \(3, 4\)"),
        (lambda: plots.scatter(np.ones((0, 2)), []), r"points \(n, 2\); got \(0, 2\)"),
        (lambda: plots.scatter([(0, np.nan)], [1]), "finite numbers; got nan or inf"),
        (lambda: plots.scatter(POINTS, CLASSES, names="abc"), "two names; got 3"),
        (lambda: plots.scatter(POINTS, CLASSES[:3]), r"one class per point; got \(3,\)"),
        (lambda: plots.scatter(POINTS, CLASSES + 1), r"classes 0 and 1; got"),
        (lambda: plots.scatter(POINTS, CLASSES, names=("a", "a")), "names that differ"),
        (lambda: plots.scatter(POINTS, CLASSES, boundaries={"w": ((0, 0), 1)}), "there is no line"),
        (lambda: plots.images(np.ones((4, 64))), r"X\.reshape\(-1, 8, 8\); got \(4, 64\)"),
        (lambda: plots.images(STACK, ["a"]), "one caption per image; got 1"),
        (lambda: plots.bars({}), "bars needs 1 to 40 names; got 0"),
        (lambda: show.figure(Figure(), alt=" "), "needs alt: a sentence"),
    ],
)
def test_bad_input_says_what_was_expected_and_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_lesson_s_own_figure_is_wrapped_and_closed():
    with show.style():
        fig, ax = plt.subplots(figsize=(4, 3))
        ax.plot([1, 2], [3, 4])
    picture = show.figure(fig, alt="A line.", data={"y": ax.lines[0].get_ydata()}, text="y = x + 2")
    assert plt.get_fignums() == []
    assert (picture.text, picture.width) == ("y = x + 2\nA line.", 400)
    np.testing.assert_array_equal(picture.data["y"], [3, 4])
