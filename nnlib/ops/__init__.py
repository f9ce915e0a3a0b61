"""Every array operation: what it computes and, beside it, its derivative.

An operation gets plain arrays and gives plain arrays. `grad` is the gradient of the result: how
much the loss moves when each number of the result moves. `backward` turns it into the gradient of
each input, by the chain rule. Where NumPy broadcast an input, the walk sums its gradient back to
its shape (see `Tensor._fit`), so no operation has to.
"""

from nnlib.ops.attention import *
from nnlib.ops.elementwise import *
from nnlib.ops.norm import *
from nnlib.ops.probability import *
from nnlib.ops.product import *
from nnlib.ops.reduction import *
from nnlib.ops.sequence import *
from nnlib.ops.shape import *
from nnlib.ops.window import *
