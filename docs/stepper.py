"""Write stepper.html, a page that steps through backpropagation in a browser, without Python.

Run `python docs/stepper.py` from the top folder, after a change to the stage or the stepper.
"""

from pathlib import Path

from nnlib import Value, show

PAGE = Path(__file__).with_suffix(".html")


def page() -> str:
    """One neuron with two inputs, and the loss that tells it where to go."""
    x1, x2 = Value(1.0, label="x1"), Value(-2.0, label="x2")
    w1, w2, b = Value(0.5, label="w1"), Value(-1.0, label="w2"), Value(-2.0, label="b")
    z = w1 * x1 + w2 * x2 + b
    out = z.tanh()
    loss = (out - 1.0) ** 2
    z.label, out.label, loss.label = "z", "out", "loss"
    title = "One neuron: its loss, and how far each number moves it"
    return show.backprop(loss, title=title).to_html()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
