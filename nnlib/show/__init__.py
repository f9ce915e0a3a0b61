"""What a learner sees: pictures of graphs, plots, and tables, each with its words.

matplotlib is imported when something is drawn, not before.
"""

from nnlib.show import plots
from nnlib.show.attention import attention, attention_weights
from nnlib.show.backprop import backprop
from nnlib.show.boundary import boundary
from nnlib.show.cards import as_table, in_words, read
from nnlib.show.conv import conv
from nnlib.show.layout import layered
from nnlib.show.neuron import neuron
from nnlib.show.picture import Picture, figure, style
from nnlib.show.race import race
from nnlib.show.receptive_field import receptive_field
from nnlib.show.text import num, one_line, table

__all__ = [
    "Picture",
    "attention",
    "attention_weights",
    "backprop",
    "boundary",
    "conv",
    "figure",
    "graph",
    "neuron",
    "num",
    "plots",
    "race",
    "receptive_field",
    "style",
    "table",
]


def graph(root, title: str = "") -> Picture:
    """Show how `root` was computed: every node with its value and gradient, and what feeds what.

    Between numbers, the pill on a wire is the local derivative: how far the node moves when that
    input moves by 1. Of tensors the shapes are shown. Nothing is changed by looking. The
    picture's `data` holds `value` and `grad`, each by the node's name.

    Args:
        root: a Value or a Tensor, the result of a computation with at most 120 nodes.
        title: stands above the picture.

    Example:
        >>> from nnlib.scalar import Value
        >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
        >>> y = a * b
        >>> y.backward()
        >>> graph(y)
        node  op    value     grad  inputs
        a          2.0000  -3.0000
        b         -3.0000   2.0000
        #3    *   -6.0000   1.0000  a, b
        Graph of 3 nodes from a, b through * to #3 = -6.0000, grad 1.0000.
    """
    from nnlib.show.png import draw

    cards = read(root)
    title = one_line(title or "", limit=80)
    drawing = draw(cards, layered([card.inputs for card in cards]), title)
    words = f"{title}. {in_words(cards)}" if title else in_words(cards)
    data = {what: {c.name: getattr(c, what) for c in cards} for what in ("value", "grad")}
    return figure(drawing, alt=words, data=data, text=as_table(cards))
