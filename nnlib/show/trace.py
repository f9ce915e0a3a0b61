"""What an instrument shows, as plain immutable data: a row of frames and how each is drawn.

An instrument is a `Trace`: everything that can be seen is worked out before anybody looks. The
stage only chooses which frame is on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnlib.show.picture import Picture, pictured, rasterised
from nnlib.show.text import one_line, say, under

if TYPE_CHECKING:
    from nnlib.show.stage import Stage
else:
    Stage = Any  # the real one brings anywidget with it

Track = list[tuple[int, str]]  # from this step on, this piece of SVG


@dataclass(frozen=True)
class Small:
    """An array with few numbers, written where room is short, with four decimals, and exactly."""

    text: str
    decimals: str
    exact: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return self.decimals


Shown = float | tuple[int, ...] | Small | None  # a number, a shape, a small array, or nothing yet


@dataclass(frozen=True)
class Card:
    """What one node of a graph showed when it was looked at."""

    name: str
    label: str
    op: str
    value: Shown
    grad: Shown
    inputs: tuple[int, ...]
    locals: tuple[float, ...]


@dataclass(frozen=True)
class Contribution:
    """One `+=` of a backward walk: the gradient of card `to` grows by `amount`.

    `slot` says which input of the node it came through; `local` is the derivative there.
    """

    to: int
    slot: int
    local: float | None
    amount: Shown
    before: Shown
    after: Shown


@dataclass(frozen=True)
class Event:
    """What happens in one frame of a graph: `kind` at card `at`, and how all cards stand after it.

    `kind` is "given", "forward", "seed" or "backward"; in a picture that does not move, "result".
    """

    kind: str
    at: int
    values: tuple[Shown, ...]
    grads: tuple[Shown, ...]
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One moment: where we are, one sentence that says what happens, and what is drawn.

    `at` is the key of the piece where it happens; the stage keeps that piece in view. `event` is
    whatever the instrument's own `draw` needs, and immutable.
    """

    where: str
    sentence: str
    event: Any
    at: str = ""


@dataclass(frozen=True)
class Control:
    """Something to turn: one of `values`, on a slider, or from a list if it is a `menu`.

    `texts` says how each value is written, since the stage itself writes no number.
    """

    name: str
    value: Any
    values: list[Any]
    texts: list[str]
    menu: bool = False


def slider(name: str, value: float, stops: Iterable[float]) -> Control:
    """A control for a number: one of `stops`, or `value` where it stands between two of them.

    Example:
        >>> slider("w1", -0.25, (-1, 0, 1))
        Control(name='w1', value=-0.25, values=[-1, -0.25, 0, 1], texts=['−1', '−0.25', '0', '1'], \
menu=False)
    """
    values = sorted({*stops, value})
    return Control(name, value, values, [say(number) for number in values])


def choice(name: str, value: str, options: Iterable[str]) -> Control:
    """A control for a word, one of `options`."""
    words = list(options)
    return Control(name, value, words, words, menu=True)


@dataclass(frozen=True)
class Trace:
    """An instrument: its frames, how one is drawn, and what it says where nothing can be drawn.

    Args:
        title: stands above the picture and names the instrument for a screen reader.
        frames: at least one.
        draw: a pure function from a frame to pieces of SVG by key. Each frame has the same keys in
            the same order, which is the order of painting; "" where there is nothing.
        view: the left, top, width and height of the part of the plane that is drawn, in pixels.
        jumps: steps with a name, one button each.
        clicks: for a piece that can be clicked, the steps in which something happens to it.
        sets: for a piece that can be clicked, the control values that a click sends to Python.
        plane: the key of a piece whose clicks send their place, as the value "point": [x, y] in the
            pixels of `view`. Paint it last, or what lies on it takes the clicks.
        controls: what can be turned, above the picture. A change sends its value by its name.
        opens: the step to go to; None stays at the one that is on.
        alt: what there is to see, in a sentence or two.
        text: a longer account, for plain text.
        data: the numbers behind the picture, for whoever wants to check it.
    """

    title: str
    frames: Sequence[Frame]
    draw: Callable[[Frame], Mapping[str, str]]
    view: tuple[float, float, float, float]
    alt: str
    text: str = ""
    jumps: Mapping[str, int] = field(default_factory=dict)
    clicks: Mapping[str, Sequence[int]] = field(default_factory=dict)
    sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plane: str = ""
    controls: Sequence[Control] = ()
    opens: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def tracks(self) -> dict[str, Track]:
        """For each key its pieces, each with the step from which it shows: what is sent.

        Example:
            >>> frames = [Frame(f"{i} of 3", f"It is {i}.", event=i) for i in range(3)]
            >>> def draw(frame):
            ...     return {"dial": "<circle/>", "low": "<path/>" if frame.event < 2 else ""}
            >>> Trace("Dial", frames, draw, (0, 0, 9, 9), alt="A dial.").tracks()
            {'dial': [(0, '<circle/>')], 'low': [(0, '<path/>'), (2, '')]}
        """
        drawn = [self.draw(frame) for frame in self.frames]
        for step, pieces in enumerate(drawn):
            if list(pieces) != list(drawn[0]):
                odd = sorted({*drawn[0]} ^ {*pieces}) or "their order"
                got = f"frame {step} of {self.title!r} differs in {odd}"
                raise ValueError(f"draw() must give the same keys in the same order; {got}.")
        return {
            key: [(n, d[key]) for n, d in enumerate(drawn) if n == 0 or d[key] != drawn[n - 1][key]]
            for key in drawn[0]
        }

    def picture(self) -> Picture:
        """The last frame as a still picture."""
        png = rasterised(self.draw(self.frames[-1]), self.view, self.title)
        return pictured(png, self.view[2], self.alt, self.text, self.data)

    def on_stage(self, remake: Callable[[dict[str, Any]], "Trace"] | None = None) -> Stage:
        """What a notebook shows. If the controls change what is shown, `remake` does it."""
        from nnlib.show.stage import Stage

        return Stage(self, remake)


# What draws a frame, and the part of the plane on which it does: a trace's `draw` and `view`.
Drawing = tuple[Callable[[Frame], Mapping[str, str]], tuple[float, float, float, float]]


def titled(title: str, usual: str, drawn: Drawing, alt: str, **more: Any) -> Trace:
    """A trace with the learner's title, which its words begin with, or else with the usual one."""
    (draw, view), title = drawn, one_line(title or "", limit=80)
    return Trace(title or usual, draw=draw, view=view, alt=under(title, alt), **more)
