"""What a learner sees: pictures of graphs, plots, and tables, each with its words.

matplotlib is imported when something is drawn, not before.
"""

from nnlib.show import plots
from nnlib.show.attention import attention, attention_weights
from nnlib.show.backprop import backprop
from nnlib.show.boundary import boundary
from nnlib.show.conv import conv
from nnlib.show.graph import graph
from nnlib.show.neuron import neuron
from nnlib.show.picture import Picture, figure, style
from nnlib.show.race import race
from nnlib.show.receptive_field import receptive_field
from nnlib.show.text import num, table

__all__ = ["Picture", "attention", "attention_weights", "backprop", "boundary", "conv", "figure"]
__all__ += ["graph", "neuron", "num", "plots", "race", "receptive_field", "style", "table"]
