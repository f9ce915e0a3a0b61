"""Exercise 67: positions, and the block of a Transformer."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


# ------------------------------------------------------------------------------- positions


def right_sinusoid(T, D):
    t = np.arange(T)[:, None]
    pair = np.arange(0, D, 2)  # 0, 2, 4, ...: this is 2i
    angle = t * 10000.0 ** (-pair / D)
    table = np.zeros((T, D))
    table[:, 0::2] = np.sin(angle)
    table[:, 1::2] = np.cos(angle)
    return table


def right_sinusoid_number_by_number(T, D):
    table = []
    for t in range(T):
        row = []
        for k in range(D):
            wave = np.sin if k % 2 == 0 else np.cos
            row.append(wave(t / 10000 ** (2 * (k // 2) / D)))
        table.append(row)
    return np.array(table)


@question(
    points=2,
    right=right_sinusoid,
    also=(right_sinusoid_number_by_number,),
    hints=(
        "Make the angles first: a table (T, D/2), one row for each position t, one column for each "
        "pair i. np.arange(T)[:, None] is a column, so it stretches along a row of frequencies.",
        "np.arange(0, D, 2) is 0, 2, 4, ...: these are the 2i. The frequencies are "
        "10000.0 ** (-np.arange(0, D, 2) / D).",
        "table[:, 0::2] is every second column, from the first one on, and table[:, 1::2] from the "
        "second one on. The first get np.sin(angle), the others np.cos(angle).",
    ),
)
def sinusoid(rng):
    """The table of positions: sines and cosines of D/2 frequencies, in turn."""
    D = int(rng.choice([6, 8, 10]))
    yield call, D + int(rng.integers(3, 9)), D
    yield call, int(rng.integers(3, 6)), 16
    yield call, int(rng.integers(200, 300)), 6


@wrong(sinusoid, sneaky=True)
def half_the_exponent(T, D):
    """The exponent is i/D where 2i/D belongs. The frequencies then end near 1/100 and not near
    1/10000: the slow waves, which tell far positions apart, are missing. The first pair is right,
    so a test with D = 2 sees nothing."""
    angle = np.arange(T)[:, None] / 10000 ** (np.arange(D // 2) / D)
    table = np.zeros((T, D))
    table[:, 0::2], table[:, 1::2] = np.sin(angle), np.cos(angle)
    return table


@wrong(sinusoid, like=half_the_exponent)
def half_the_exponent_in_a_loop(T, D):
    table = np.zeros((T, D))
    for t in range(T):
        for i in range(D // 2):
            table[t, 2 * i] = np.sin(t * 10000.0 ** (-i / D))
            table[t, 2 * i + 1] = np.cos(t * 10000.0 ** (-i / D))
    return table


@wrong(sinusoid, sneaky=True)
def in_halves(T, D):
    """The numbers are right, but all sines stand in front and all cosines behind. The sine and the
    cosine of one frequency are neighbours: 2i and 2i + 1. A network would learn with your table
    too. It would only not understand weights that were learned with the other one."""
    angle = np.arange(T)[:, None] * 10000.0 ** (-np.arange(0, D, 2) / D)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


@wrong(sinusoid, like=in_halves)
def in_halves_by_slices(T, D):
    table, half = np.zeros((T, D)), D // 2
    for i in range(half):
        angle = np.arange(T) / 10000 ** (2 * i / D)
        table[:, i], table[:, half + i] = np.sin(angle), np.cos(angle)
    return table


@wrong(sinusoid, sneaky=True)
def counted_from_one(T, D):
    """Your first position is 1. Positions count from 0, so the first row is 0, 1, 0, 1, ...: each
    sine is 0 there and each cosine 1. Every row of yours is that of the next position."""
    return right_sinusoid(T + 1, D)[1:]


@wrong(sinusoid, like=counted_from_one)
def counted_from_one_by_range(T, D):
    angle = np.outer(range(1, T + 1), 10000.0 ** (-np.arange(0, D, 2) / D))
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(T, D)


@wrong(sinusoid, sneaky=True)
def each_its_own_frequency(T, D):
    """Each of the D numbers has a frequency of its own: the exponent is k/D with the number's own
    place k. A sine and its neighbour share one frequency, so for both of them it is that of the
    even place: 2i/D."""
    k = np.arange(D)
    angle = np.arange(T)[:, None] * 10000.0 ** (-k / D)
    return np.where(k % 2 == 0, np.sin(angle), np.cos(angle))


@wrong(sinusoid, like=each_its_own_frequency)
def each_its_own_frequency_by_slices(T, D):
    table = np.outer(np.arange(T), 1 / 10000 ** (np.arange(D) / D))
    table[:, 0::2] = np.sin(table[:, 0::2])
    table[:, 1::2] = np.cos(table[:, 1::2])
    return table


@wrong(sinusoid)
def cosine_first(T, D):
    """Sine and cosine have changed places. Even places hold the sine, odd ones the cosine."""
    angle = np.arange(T)[:, None] * 10000.0 ** (-np.arange(0, D, 2) / D)
    table = np.zeros((T, D))
    table[:, 0::2], table[:, 1::2] = np.cos(angle), np.sin(angle)
    return table


@wrong(sinusoid)
def ever_faster(T, D):
    """The exponent has lost its minus: your frequencies grow from 1 towards 10000. Each wave
    should be slower than the one before. So the position is divided by the power."""
    angle = np.arange(T)[:, None] * 10000.0 ** (np.arange(0, D, 2) / D)
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(T, D)


@wrong(sinusoid)
def sines_alone(T, D):
    """You took the sine in every place. The odd places hold the cosine. With the sine alone two
    positions of one wave can look alike: it passes each height twice, going up and going down."""
    return np.repeat(right_sinusoid(T, D)[:, 0::2], 2, axis=1)


@wrong(sinusoid)
def one_column_for_each_position(T, D):
    """Your table is turned round: (D, T). Each position has a row, (T, D)."""
    return right_sinusoid(T, D).T


# -------------------------------------------------------------------------------- residual


def right_residual(x, part, norm, norm_first):
    if norm_first:
        return x + part(norm(x))
    return norm(x + part(x))


def right_residual_in_steps(x, part, norm, norm_first):
    seen = norm(x) if norm_first else x
    together = x + part(seen)
    return together if norm_first else norm(together)


def around_a_part(residual, x, W, norm_first):
    """A part that mixes numbers and bends them, and a layer norm."""
    x, W = np.asarray(x), np.asarray(W)

    def part(h):
        return np.tanh(h @ W) * 3

    def norm(h):
        centred = h - h.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)

    return residual(x, part, norm, norm_first)


@question(
    points=2,
    right=right_residual,
    also=(right_residual_in_steps,),
    hints=(
        "There are two orders, and norm_first says which. In both of them x itself is one of the "
        "two numbers that are added.",
        "With norm_first the norm stands before the part, and only the part sees it: what is added "
        "to is the plain x.",
        "x + part(norm(x)) with norm_first, otherwise norm(x + part(x)).",
    ),
)
def residual(rng):
    """A part that adds to x, with its norm before it or after the sum."""
    for shape in ((3, 5, 4), (4, 3, 6)):
        for norm_first in (True, False):
            W = rng.normal(size=(shape[-1], shape[-1]))
            yield around_a_part, rng.normal(1, 3, size=shape), W, norm_first


@wrong(residual, sneaky=True)
def residual_forgotten(x, part, norm, norm_first):
    """x is not added. What comes out is then all that the part says, and what it does not repeat is
    lost. One block learns all the same; a stack of them does not."""
    return part(norm(x)) if norm_first else norm(part(x))


@wrong(residual, like=residual_forgotten)
def residual_forgotten_in_steps(x, part, norm, norm_first):
    if norm_first:
        x = norm(x)
    x = part(x)
    return x if norm_first else norm(x)


@wrong(residual, sneaky=True)
def always_after(x, part, norm, norm_first):
    """You take the norm after the sum in both cases. With norm_first it comes before the part, and
    the sum is left as it is. Both orders train, so the accuracy does not tell you."""
    return norm(x + part(x))


@wrong(residual, like=always_after)
def always_after_in_steps(x, part, norm, norm_first):
    added = part(x)
    total = added + x
    return norm(total)


@wrong(residual, sneaky=True)
def always_before(x, part, norm, norm_first):
    """You take the norm before the part in both cases. Without norm_first the part sees x as it is,
    and the norm comes last, after the sum."""
    return x + part(norm(x))


@wrong(residual, like=always_before)
def always_before_in_steps(x, part, norm, norm_first):
    normed = norm(x)
    return part(normed) + x


@wrong(residual, sneaky=True)
def normed_input_added(x, part, norm, norm_first):
    """With norm_first you add the normed x: norm(x) + part(norm(x)). Then the size of x is lost in
    every block, and no number runs through the stack unchanged. Only the part sees the norm; the
    plain x is added."""
    if norm_first:
        x = norm(x)
        return x + part(x)
    return norm(x + part(x))


@wrong(residual, like=normed_input_added)
def normed_input_added_by_name(x, part, norm, norm_first):
    normed = norm(x)
    return normed + part(normed) if norm_first else norm(x + part(x))


@wrong(residual)
def exchanged(x, part, norm, norm_first):
    """The two orders have changed places. norm_first means: first the norm, then the part."""
    return norm(x + part(x)) if norm_first else x + part(norm(x))


@wrong(residual)
def norm_of_the_part(x, part, norm, norm_first):
    """With norm_first you take the norm of what the part says: x + norm(part(x)). It belongs in
    front of the part: the part is to see numbers of a known size."""
    return x + norm(part(x)) if norm_first else norm(x + part(x))


@wrong(residual)
def norm_twice(x, part, norm, norm_first):
    """With norm_first you take the norm twice, before the part and after the sum. The second one
    does not belong there: it changes the x that should run through unchanged."""
    return norm(x + part(norm(x))) if norm_first else norm(x + part(x))


@wrong(residual)
def norm_after_leaves_x_out(x, part, norm, norm_first):
    """Without norm_first your norm does not see x: x + norm(part(x)). The norm comes last, after
    the sum: norm(x + part(x))."""
    return x + part(norm(x)) if norm_first else x + norm(part(x))


# ---------------------------------------------------------------------------- feed_forward


def right_feed_forward(x, W1, b1, W2, b2):
    hidden = np.maximum(x @ W1.T + b1, 0)
    return hidden @ W2.T + b2


def right_feed_forward_by_einsum(x, W1, b1, W2, b2):
    hidden = np.einsum("btd,hd->bth", x, W1) + b1
    hidden[hidden < 0] = 0
    return np.einsum("bth,dh->btd", hidden, W2) + b2


@question(
    points=1,
    right=right_feed_forward,
    also=(right_feed_forward_by_einsum,),
    hints=(
        "It is the network of lesson 14 with one hidden layer. NumPy's @ works on the last two "
        "axes, so the axes B and T need no loop.",
        "A layer is x @ W.T + b. relu is np.maximum(..., 0), and it stands between the two layers.",
        "np.maximum(x @ W1.T + b1, 0) @ W2.T + b2",
    ),
)
def feed_forward(rng):
    """Two layers with relu between them, at each position alone."""
    for B, T, D, H, size in ((3, 5, 4, 7, 1), (4, 3, 5, 6, 1e-3)):
        x = rng.normal(size=(B, T, D)) * size
        yield (
            call,
            x,
            rng.normal(size=(H, D)),
            rng.normal(size=H) * size,
            rng.normal(size=(D, H)),
            rng.normal(size=D) * size,
        )


@wrong(feed_forward, sneaky=True)
def no_activation(x, W1, b1, W2, b2):
    """There is no relu between the two layers. Two layers in a row without an activation are one
    layer (lesson 14). The attention next to it still lets the network learn, so the accuracy does
    not tell you."""
    return (x @ W1.T + b1) @ W2.T + b2


@wrong(feed_forward, like=no_activation)
def no_activation_as_one_layer(x, W1, b1, W2, b2):
    W, b = W2 @ W1, W2 @ b1 + b2
    return x @ W.T + b


@wrong(feed_forward, sneaky=True)
def activation_at_the_end_too(x, W1, b1, W2, b2):
    """A second relu stands at the end. What the block adds to x would never be negative, so numbers
    could only grow."""
    return np.maximum(np.maximum(x @ W1.T + b1, 0) @ W2.T + b2, 0)


@wrong(feed_forward, like=activation_at_the_end_too)
def activation_at_the_end_too_in_a_loop(x, W1, b1, W2, b2):
    for W, b in ((W1, b1), (W2, b2)):
        x = np.maximum(x @ W.T + b, 0)
    return x


@wrong(feed_forward)
def activation_at_the_end(x, W1, b1, W2, b2):
    """Your relu stands at the end. It belongs between the two layers: there it keeps them from
    being one."""
    return np.maximum((x @ W1.T + b1) @ W2.T + b2, 0)


@wrong(feed_forward)
def first_bias_forgotten(x, W1, b1, W2, b2):
    """The first bias is missing. It decides from where on each hidden neuron fires."""
    return np.maximum(x @ W1.T, 0) @ W2.T + b2


@wrong(feed_forward)
def last_bias_forgotten(x, W1, b1, W2, b2):
    """The last bias is missing."""
    return np.maximum(x @ W1.T + b1, 0) @ W2.T


@wrong(feed_forward)
def bias_after_the_activation(x, W1, b1, W2, b2):
    """You add the first bias after relu. It belongs inside: relu(x @ W1.T + b1)."""
    return (np.maximum(x @ W1.T, 0) + b1) @ W2.T + b2


@wrong(feed_forward)
def input_added(x, W1, b1, W2, b2):
    """You add x here already. This is only the part; adding to x is what residual does. Now x would
    be added twice."""
    return x + np.maximum(x @ W1.T + b1, 0) @ W2.T + b2


# ----------------------------------------------------------------------------------- block


def right_block(x, attend, work, norm1, norm2, norm_first):
    x = right_residual(x, attend, norm1, norm_first)
    return right_residual(x, work, norm2, norm_first)


def right_block_written_out(x, attend, work, norm1, norm2, norm_first):
    if norm_first:
        looked = x + attend(norm1(x))
        return looked + work(norm2(looked))
    looked = norm1(x + attend(x))
    return norm2(looked + work(looked))


def with_parts(block, residual, x, A, W, scales, norm_first):
    """A block of parts that all differ: A mixes positions, W numbers, and two norms scale."""
    x, A, W, scales = (np.asarray(array) for array in (x, A, W, scales))

    def attend(h):
        return np.tanh(A @ h) * 3

    def work(h):
        return np.maximum(h @ W, 0)

    def norm(h, scale):
        centred = h - h.mean(axis=-1, keepdims=True)
        return scale * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)

    def norm1(h):
        return norm(h, scales[0])

    def norm2(h):
        return norm(h, scales[1])

    return block(x, attend, work, norm1, norm2, norm_first)


@question(
    points=2,
    right=right_block,
    also=(right_block_written_out,),
    hints=(
        "A block is your residual, twice: once around attend, once around work. What goes into the "
        "second one?",
        "The first one makes a new x, and the second one starts from it. Each has a norm of its "
        "own.",
        "x = residual(x, attend, norm1, norm_first), and then the same with work and norm2.",
    ),
)
def block(rng):
    """The block of a Transformer: attention, then the small network, each around its residual."""
    for B, T, D in ((3, 5, 4), (4, 3, 6)):
        for norm_first in (True, False):
            x, scales = rng.normal(1, 2, size=(B, T, D)), rng.uniform(0.5, 3, size=(2, D))
            A, W = rng.normal(size=(T, T)), rng.normal(size=(D, D))
            yield with_parts, x, A, W, scales, norm_first


@wrong(block, sneaky=True)
def one_norm_for_both(x, attend, work, norm1, norm2, norm_first):
    """You use norm1 twice, and norm2 never. Each part has a norm of its own, whose weights are
    learned. At the start of training both do the same, so a test on new weights sees nothing."""
    x = right_residual(x, attend, norm1, norm_first)
    return right_residual(x, work, norm1, norm_first)


@wrong(block, like=one_norm_for_both)
def one_norm_for_both_in_a_loop(x, attend, work, norm1, norm2, norm_first):
    for part in (attend, work):
        x = x + part(norm1(x)) if norm_first else norm1(x + part(x))
    return x


@wrong(block, sneaky=True)
def residuals_forgotten(x, attend, work, norm1, norm2, norm_first):
    """x is added nowhere: each part hands on only what it says itself. One block learns all the
    same. A stack of them does not."""
    if norm_first:
        return work(norm2(attend(norm1(x))))
    return norm2(work(norm1(attend(x))))


@wrong(block, like=residuals_forgotten)
def residuals_forgotten_in_steps(x, attend, work, norm1, norm2, norm_first):
    for part, norm in ((attend, norm1), (work, norm2)):
        x = part(norm(x)) if norm_first else norm(part(x))
    return x


@wrong(block, sneaky=True)
def second_residual_forgotten(x, attend, work, norm1, norm2, norm_first):
    """The attention adds to x, but the small network replaces it. Both parts add."""
    x = right_residual(x, attend, norm1, norm_first)
    return work(norm2(x)) if norm_first else norm2(work(x))


@wrong(block, like=second_residual_forgotten)
def second_residual_forgotten_written_out(x, attend, work, norm1, norm2, norm_first):
    if norm_first:
        looked = attend(norm1(x)) + x
        return work(norm2(looked))
    looked = norm1(attend(x) + x)
    return norm2(work(looked))


@wrong(block, sneaky=True)
def norm_always_after(x, attend, work, norm1, norm2, norm_first):
    """The norms stand after the sums in both cases. With norm_first each stands before its part.
    Both kinds of block train, so the accuracy does not tell you."""
    x = norm1(x + attend(x))
    return norm2(x + work(x))


@wrong(block, like=norm_always_after)
def norm_always_after_in_a_loop(x, attend, work, norm1, norm2, norm_first):
    for part, norm in [(attend, norm1), (work, norm2)]:
        x = norm(part(x) + x)
    return x


@wrong(block, sneaky=True)
def normed_inputs_added(x, attend, work, norm1, norm2, norm_first):
    """With norm_first you add the normed x to what the part says. Only the part sees the norm; the
    plain x is added, so that it runs through the stack unchanged."""
    if not norm_first:
        return right_block(x, attend, work, norm1, norm2, norm_first)
    x = norm1(x)
    x = x + attend(x)
    x = norm2(x)
    return x + work(x)


@wrong(block, like=normed_inputs_added)
def normed_inputs_added_by_name(x, attend, work, norm1, norm2, norm_first):
    if norm_first:
        first = norm1(x)
        second = norm2(first + attend(first))
        return second + work(second)
    looked = norm1(x + attend(x))
    return norm2(looked + work(looked))


@wrong(block, sneaky=True)
def side_by_side(x, attend, work, norm1, norm2, norm_first):
    """Both parts look at the x that came in, and both add to it. The small network should work on
    what the attention found: it starts from the x that is there after the first sum. (Blocks like
    yours exist too, and they train. They are other blocks.)"""
    if norm_first:
        return x + attend(norm1(x)) + work(norm2(x))
    return norm2(norm1(x + attend(x)) + work(x))


@wrong(block, like=side_by_side)
def side_by_side_in_steps(x, attend, work, norm1, norm2, norm_first):
    found = attend(norm1(x)) if norm_first else attend(x)
    worked = work(norm2(x)) if norm_first else work(x)
    return (x + found) + worked if norm_first else norm2(norm1(x + found) + worked)


@wrong(block, sneaky=True)
def first_x_added_again(x, attend, work, norm1, norm2, norm_first):
    """The second sum adds to the x that came in. What the attention found is then only seen by the
    small network, and does not run on. Add to the new x."""
    looked = right_residual(x, attend, norm1, norm_first)
    return x + work(norm2(looked)) if norm_first else norm2(x + work(looked))


@wrong(block, like=first_x_added_again)
def first_x_added_again_written_out(x, attend, work, norm1, norm2, norm_first):
    start = x
    if norm_first:
        x = x + attend(norm1(x))
        return start + work(norm2(x))
    x = norm1(x + attend(x))
    return norm2(start + work(x))


@wrong(block)
def work_first(x, attend, work, norm1, norm2, norm_first):
    """The small network comes first and the attention second. First the positions look at each
    other, then each works on what it found."""
    x = right_residual(x, work, norm2, norm_first)
    return right_residual(x, attend, norm1, norm_first)


@wrong(block)
def norms_exchanged(x, attend, work, norm1, norm2, norm_first):
    """The two norms have changed places: norm1 belongs to attend, norm2 to work."""
    x = right_residual(x, attend, norm2, norm_first)
    return right_residual(x, work, norm1, norm_first)


@wrong(block)
def attention_alone(x, attend, work, norm1, norm2, norm_first):
    """This is the first half: work and norm2 are missing. Attention only takes means of what is
    there; the small network makes something new of them."""
    return right_residual(x, attend, norm1, norm_first)


# -------------------------------------------------------------------------------- catch it


def table_of_positions(T, D):
    return right_sinusoid(T, D)


def table_with_half_the_exponent(T, D):
    return half_the_exponent(T, D)


def small_and_even(T, D):
    if not all(isinstance(n, (int, np.integer)) for n in (T, D)):
        return "Give two whole numbers, T and D."
    if T < 1 or D < 2 or D % 2:
        return f"T = {T} and D = {D}: T is at least 1, and D is even and at least 2."
    return None


@catch(
    points=1,
    right=table_of_positions,
    wrong=table_with_half_the_exponent,
    size=2,
    largest=50,
    allow=small_and_even,
    hints=(
        "The exponent is i/D where 2i/D belongs. For which i does that make no difference?",
        "For i = 0 both are 0. D = 2 has only that one pair. And what is the angle of position 0, "
        "whatever the frequency is?",
        "Two positions and two pairs are enough: T = 2, D = 4.",
    ),
)
def caught():
    """T and D for which the table with the wrong exponent differs."""
    return 3, 6


@wrong(caught, when=lambda T, D: T == 1)
def one_position():
    """There is only position 0. Its angles are 0 times a frequency, so they are 0 whatever the
    frequency is. Take more positions."""
    return 1, 8


@wrong(caught, when=lambda T, D: D == 2)
def one_pair():
    """With D = 2 there is only the pair i = 0, and there i/D and 2i/D are both 0. Take more
    numbers."""
    return 9, 2
