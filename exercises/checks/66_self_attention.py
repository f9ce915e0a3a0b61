"""Exercise 66: the causal mask, heads, and self-attention made of them."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"

equivalent = {
    "causal_weights: np.tri(S.shape[-1], dtype=bool) -> np.tri(S.shape[-1])": (
        "np.where takes 1 as True"
    ),
    "causal_weights: -1 -> -2": "the scores are square: queries and keys are at the same places",
}


def softmax(S, axis):
    e = np.exp(S - S.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ----------------------------------------------------------------------------- causal mask


def right_causal_weights(S):
    seen = np.tri(S.shape[-1], dtype=bool)
    return softmax(np.where(seen, S, -np.inf), axis=-1)


def right_causal_weights_row_by_row(S):
    S = np.asarray(S, dtype=float)
    W = np.zeros(S.shape)
    for t in range(S.shape[-1]):
        W[..., t, : t + 1] = softmax(S[..., t, : t + 1], axis=-1)
    return W


@question(
    points=2,
    right=right_causal_weights,
    also=(right_causal_weights_row_by_row,),
    hints=(
        "Row t is a query at place t. Which columns may it see? Draw the table for T = 3, with a "
        "cross for each pair that is allowed.",
        "np.tri(T, dtype=bool) is True on and below the diagonal. The other scores must be -inf, "
        "and softmax comes after that.",
        "softmax(np.where(np.tri(S.shape[-1], dtype=bool), S, -np.inf), axis=-1)",
    ),
)
def causal_weights(rng):
    """The weights of queries that see no later key."""
    yield call, rng.normal(size=(5, 5)) * 2
    yield call, rng.normal(size=(3, 4, 4)) * 2
    yield call, rng.normal(size=(4, 3, 6, 6)) * 2
    yield call, rng.normal(size=(4, 4)) * 1e-3
    yield call, rng.normal(size=(3, 3)) * 5 - 900


@wrong(causal_weights, sneaky=True)
def no_mask(S):
    """You let every query see every key. The place that has to say what comes next then sees what
    comes next."""
    return softmax(S, axis=-1)


@wrong(causal_weights, like=no_mask)
def no_mask_by_zeros(S):
    return softmax(S + 0.0 * np.tri(S.shape[-1]), axis=-1)


@wrong(causal_weights, sneaky=True)
def mask_after_softmax(S):
    """You masked after softmax. The later keys have no weight, but they have taken their share of
    the sum: each row but the last sums to less than 1. And the missing share still tells something
    about them. Mask first, then softmax."""
    return softmax(S, axis=-1) * np.tri(S.shape[-1])


@wrong(causal_weights, like=mask_after_softmax)
def mask_after_softmax_by_tril(S):
    return np.tril(softmax(np.asarray(S), axis=-1))


@wrong(causal_weights, sneaky=True)
def zero_for_infinity(S):
    """You set the later scores to 0. exp(0) is 1, so these keys still get weight. The score that
    gives no weight is -inf."""
    return softmax(np.tril(S), axis=-1)


@wrong(causal_weights, like=zero_for_infinity)
def zero_for_infinity_by_where(S):
    return softmax(np.where(np.tri(S.shape[-1]) > 0, S, 0.0), axis=-1)


@wrong(causal_weights, sneaky=True)
def one_too_far(S):
    """Your mask lets each query see one key too many: the next one. That is exactly the answer
    which the place has to find, and the loss will look wonderful."""
    seen = np.tri(S.shape[-1], k=1, dtype=bool)
    return softmax(np.where(seen, S, -np.inf), axis=-1)


@wrong(causal_weights, like=one_too_far)
def one_too_far_by_numbers(S):
    t = np.arange(S.shape[-1])
    return softmax(np.where(t[None, :] > t[:, None] + 1, -np.inf, S), axis=-1)


@wrong(causal_weights)
def not_itself(S):
    """You hide each query from itself as well. The first one then sees nothing at all, and softmax
    of nothing is nan. A place may see itself: its own character is known."""
    seen = np.tri(S.shape[-1], k=-1, dtype=bool)
    return softmax(np.where(seen, S, -np.inf), axis=-1)


@wrong(causal_weights)
def upside_down(S):
    """Your mask is upside down: each query sees itself and what comes *later*. Rows are queries,
    columns are keys: keep what is on and below the diagonal."""
    return softmax(np.where(np.tri(S.shape[-1]).T > 0, S, -np.inf), axis=-1)


@wrong(causal_weights)
def over_the_queries(S):
    """The mask is right, but softmax goes over the queries. The weights of each query must sum to
    1: softmax over the last axis."""
    return softmax(np.where(np.tri(S.shape[-1]) > 0, S, -np.inf), axis=-2)


# ----------------------------------------------------------------------------------- heads


def right_split_heads(x, N):
    B, T, D = x.shape
    return x.reshape(B, T, N, D // N).transpose(0, 2, 1, 3)


def right_split_heads_by_slices(x, N):
    E = x.shape[2] // N
    return np.stack([x[:, :, n * E : (n + 1) * E] for n in range(N)], axis=1)


@question(
    points=2,
    right=right_split_heads,
    also=(right_split_heads_by_slices,),
    hints=(
        "Each head gets D / N numbers of *every* place. First cut the last axis in two, then put "
        "the axes in order.",
        "x.reshape(B, T, N, D // N) cuts it. Which axis has to move in front of T?",
        "x.reshape(B, T, N, D // N).transpose(0, 2, 1, 3)",
    ),
)
def split_heads(rng):
    """Each head gets its own numbers of every place."""
    yield call, rng.normal(size=(5, 7, 12)), 3
    yield call, rng.normal(size=(3, 4, 20)), 4
    yield call, rng.normal(size=(4, 6, 15)), 5
    yield call, rng.normal(size=(3, 5, 8)) * 1e-3, 4


@wrong(split_heads, sneaky=True)
def not_transposed(x, N):
    """You reshaped to the right shape, but the numbers are in the wrong places. reshape keeps the
    order in memory, so your first head got all numbers of the first few places. Cut the last axis
    first, then transpose. With one place, or one head, it is the same."""
    B, T, D = x.shape
    return x.reshape(B, N, T, D // N)


@wrong(split_heads, like=not_transposed)
def not_transposed_line_by_line(x, N):
    T, D = x.shape[1:]
    return np.stack([np.concatenate(list(line)).reshape(N, T, D // N) for line in x])


@wrong(split_heads, sneaky=True)
def dealt_out(x, N):
    """You dealt the numbers out in turn: the first head got numbers 0, N, 2N and so on. It would
    work for a network of your own, but torch gives the first D / N numbers to the first head, and
    weights could not be carried over."""
    B, T, D = x.shape
    return x.reshape(B, T, D // N, N).transpose(0, 3, 1, 2)


@wrong(split_heads, like=dealt_out)
def dealt_out_by_steps(x, N):
    return np.stack([x[:, :, n::N] for n in range(N)], axis=1)


@wrong(split_heads)
def left_where_they_were(x, N):
    """The numbers are cut in the right way, but the axes are still (B, T, N, D/N). Each head needs
    a whole table of places: move the axis of heads in front of T."""
    B, T, D = x.shape
    return x.reshape(B, T, N, D // N)


@wrong(split_heads)
def heads_in_front(x, N):
    """Your heads are the first axis. The batch stays in front: (B, N, T, D/N)."""
    B, T, D = x.shape
    return x.reshape(B, T, N, D // N).transpose(2, 0, 1, 3)


# -------------------------------------------------------------------------- and back again


def right_join_heads(y):
    B, N, T, E = y.shape
    return y.transpose(0, 2, 1, 3).reshape(B, T, N * E)


def right_join_heads_by_concatenate(y):
    return np.concatenate([y[:, n] for n in range(y.shape[1])], axis=2)


@question(
    points=1,
    right=right_join_heads,
    also=(right_join_heads_by_concatenate,),
    hints=(
        "The two steps of split_heads, in the other order.",
        "First put T in front of the heads again. Only then are the numbers of one place side by "
        "side, and reshape can join them.",
        "y.transpose(0, 2, 1, 3).reshape(B, T, N * E)",
    ),
)
def join_heads(rng):
    """What the heads found, side by side again at each place."""
    yield call, rng.normal(size=(5, 3, 7, 4))
    yield call, rng.normal(size=(3, 4, 4, 5))
    yield call, rng.normal(size=(4, 5, 6, 3)) * 1e-3


@wrong(join_heads, sneaky=True)
def joined_without_transpose(y):
    """You reshaped without transposing first. Places and heads get mixed up: the first place would
    get what the first head found at several places. With one place it is the same."""
    B, N, T, E = y.shape
    return y.reshape(B, T, N * E)


@wrong(join_heads, like=joined_without_transpose)
def joined_flat(y):
    B, N, T, E = y.shape
    return np.stack([line.ravel().reshape(T, N * E) for line in y])


@wrong(join_heads, sneaky=True)
def joined_in_turn(y):
    """You took the numbers of the heads in turn. What the first head found should stand first, as
    one piece, then that of the second."""
    B, N, T, E = y.shape
    return y.transpose(0, 2, 3, 1).reshape(B, T, E * N)


@wrong(join_heads, like=joined_in_turn)
def joined_in_turn_by_stack(y):
    B, N, T, E = y.shape
    return np.stack([y[:, n] for n in range(N)], axis=-1).reshape(B, T, N * E)


# -------------------------------------------------------------------------- self-attention


def steps(x, W_in, b_in, N, *, split=right_split_heads, scale=None, weights=right_causal_weights):
    """Self-attention up to the last layer, with parts that can be wrong."""
    q, k, v = (split(part, N) for part in np.split(x @ W_in.T + b_in, 3, axis=-1))
    S = q @ k.transpose(0, 1, 3, 2) / np.sqrt(scale or q.shape[-1])
    return right_join_heads(weights(S) @ v)


def right_self_attention(x, W_in, b_in, W_out, b_out, N):
    q, k, v = np.split(x @ W_in.T + b_in, 3, axis=2)
    q, k, v = right_split_heads(q, N), right_split_heads(k, N), right_split_heads(v, N)
    S = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[3])
    return right_join_heads(right_causal_weights(S) @ v) @ W_out.T + b_out


def right_self_attention_head_by_head(x, W_in, b_in, W_out, b_out, N):
    D = x.shape[2]
    E = D // N
    found = []
    for n in range(N):
        rows = np.arange(n * E, (n + 1) * E)
        q, k, v = (x @ W_in[i * D + rows].T + b_in[i * D + rows] for i in range(3))
        S = np.einsum("bte,bse->bts", q, k) / E**0.5
        found.append(right_causal_weights_row_by_row(S) @ v)
    return np.concatenate(found, axis=2) @ W_out.T + b_out


def looked(self_attention, causal_weights, split_heads, join_heads, x, W_in, b_in, W_out, b_out, N):
    """What each place takes home."""
    return self_attention(x, W_in, b_in, W_out, b_out, N)


def network(rng, B, T, D):
    """Lines (B, T, D) and the weights of self-attention."""
    return (
        rng.normal(size=(B, T, D)),
        rng.normal(size=(3 * D, D)) / D**0.3,
        rng.normal(size=3 * D),
        rng.normal(size=(D, D)) / D**0.5,
        rng.normal(size=D),
    )


@question(
    points=3,
    right=right_self_attention,
    also=(right_self_attention_head_by_head,),
    hints=(
        "Five steps: one big layer, cut into q, k and v; heads; scores and scale; your "
        "causal_weights and the mean; heads joined, and the last layer.",
        "np.split(x @ W_in.T + b_in, 3, axis=2) gives q, k, v. After split_heads the scores are "
        "q @ k.transpose(0, 1, 3, 2), (B, N, T, T). A head has D / N numbers: which root?",
        "The last line: join_heads(causal_weights(S) @ v) @ W_out.T + b_out",
    ),
)
def self_attention(rng):
    """Causal self-attention with N heads, from torch's weights."""
    yield looked, *network(rng, 4, 5, 6), 3
    yield looked, *network(rng, 3, 7, 12), 4
    yield looked, *network(rng, 5, 4, 9), 3
    x, *weights = network(rng, 3, 6, 8)
    yield looked, x * 1e-3, *weights, 4


@wrong(self_attention, sneaky=True)
def later_places_seen(x, W_in, b_in, W_out, b_out, N):
    """Your places see later ones. The scores have to go through causal_weights, not through a plain
    softmax."""
    return steps(x, W_in, b_in, N, weights=no_mask) @ W_out.T + b_out


@wrong(self_attention, like=later_places_seen)
def later_places_seen_by_einsum(x, W_in, b_in, W_out, b_out, N):
    q, k, v = (right_split_heads(p, N) for p in np.split(x @ W_in.T + b_in, 3, axis=2))
    W = softmax(np.einsum("bnte,bnse->bnts", q, k) / q.shape[3] ** 0.5, axis=3)
    return right_join_heads(np.einsum("bnts,bnse->bnte", W, v)) @ W_out.T + b_out


@wrong(self_attention, sneaky=True)
def root_of_all_numbers(x, W_in, b_in, W_out, b_out, N):
    """You divided by the root of D. A score of one head adds up D / N products only, so divide by
    the root of D / N. With one head it is the same."""
    return steps(x, W_in, b_in, N, scale=x.shape[2]) @ W_out.T + b_out


@wrong(self_attention, like=root_of_all_numbers)
def root_of_all_numbers_in_the_query(x, W_in, b_in, W_out, b_out, N):
    q, k, v = np.split(x @ W_in.T + b_in, 3, axis=2)
    q, k, v = (right_split_heads(p, N) for p in (q / np.sqrt(len(W_out)), k, v))
    W = right_causal_weights_row_by_row(q @ np.swapaxes(k, 2, 3))
    return right_join_heads(W @ v) @ W_out.T + b_out


@wrong(self_attention, sneaky=True)
def keys_ask(x, W_in, b_in, W_out, b_out, N):
    """Your keys ask and your queries answer. In W_in the rows for queries come first, then those
    for keys, then those for values; and the scores are q @ k turned round."""
    D = x.shape[2]
    order = np.r_[D : 2 * D, 0:D, 2 * D : 3 * D]
    return steps(x, W_in[order], b_in[order], N) @ W_out.T + b_out


@wrong(self_attention, like=keys_ask)
def keys_ask_in_the_scores(x, W_in, b_in, W_out, b_out, N):
    q, k, v = (right_split_heads(p, N) for p in np.split(x @ W_in.T + b_in, 3, axis=2))
    S = np.einsum("bnte,bnse->bnts", k, q) / q.shape[3] ** 0.5
    return right_join_heads(right_causal_weights(S) @ v) @ W_out.T + b_out


@wrong(self_attention, sneaky=True)
def heads_by_reshape_alone(x, W_in, b_in, W_out, b_out, N):
    """You made the heads with reshape alone. Each head then holds several places as if they were
    one. Use split_heads. With one place it is the same."""
    return steps(x, W_in, b_in, N, split=not_transposed) @ W_out.T + b_out


@wrong(self_attention, like=heads_by_reshape_alone)
def heads_by_reshape_of_each(x, W_in, b_in, W_out, b_out, N):
    B, T, D = x.shape
    q, k, v = (p.reshape(B, N, T, D // N) for p in np.split(x @ W_in.T + b_in, 3, axis=2))
    S = np.einsum("bnte,bnse->bnts", q, k) / (D / N) ** 0.5
    return right_join_heads(right_causal_weights(S) @ v) @ W_out.T + b_out


@wrong(self_attention, sneaky=True)
def one_head(x, W_in, b_in, W_out, b_out, N):
    """You used one head of D numbers. N heads have D / N numbers each, and weights of their own."""
    return steps(x, W_in, b_in, 1) @ W_out.T + b_out


@wrong(self_attention, like=one_head)
def one_head_without_axes(x, W_in, b_in, W_out, b_out, N):
    q, k, v = np.split(x @ W_in.T + b_in, 3, axis=2)
    S = np.einsum("bte,bse->bts", q, k) / x.shape[2] ** 0.5
    return right_causal_weights_row_by_row(S) @ v @ W_out.T + b_out


@wrong(self_attention, sneaky=True)
def last_layer_turned_round(x, W_in, b_in, W_out, b_out, N):
    """Your last layer multiplies by W_out, not by W_out.T. W_out is square, so nothing complains. A
    row of it belongs to one output, as in every layer of torch."""
    return steps(x, W_in, b_in, N) @ W_out + b_out


@wrong(self_attention, like=last_layer_turned_round)
def last_layer_turned_round_by_einsum(x, W_in, b_in, W_out, b_out, N):
    return np.einsum("btd,de->bte", steps(x, W_in, b_in, N), W_out) + b_out


@wrong(self_attention)
def last_layer_left_out(x, W_in, b_in, W_out, b_out, N):
    """You left the last layer out. It lets the heads' results mix: @ W_out.T + b_out."""
    return steps(x, W_in, b_in, N)


@wrong(self_attention)
def biases_left_out(x, W_in, b_in, W_out, b_out, N):
    """You left both biases out: b_in belongs to the first layer, b_out to the last."""
    return steps(x, W_in, 0 * b_in, N) @ W_out.T


# --------------------------------------------------------------------------------- catch it


def heads(x, N):
    x = np.asarray(x, dtype=float)
    return right_split_heads(x[None], int(N))[0]


def heads_without_transpose(x, N):
    x = np.asarray(x, dtype=float)
    return not_transposed(x[None], int(N))[0]


def must_share(x, N):
    if np.ndim(x) != 2 or np.size(x) == 0:
        return f"x is one line, a table (T, D) with numbers in it; yours has shape {np.shape(x)}."
    if N != int(N) or N < 1 or np.shape(x)[1] % int(N):
        return f"N heads share D numbers: N must be a divisor of D = {np.shape(x)[1]}; it is {N}."
    return None


@catch(
    points=1,
    right=heads,
    wrong=heads_without_transpose,
    allow=must_share,
    size=40,
    largest=10.0,
    hints=(
        "The broken one only reshapes: it cuts the numbers in the order in which they stand. For "
        "which T is this the right order? For which N?",
        "With one place, or with one head, there is nothing to put in order. Take two of each, and "
        "numbers that are all different.",
        "x = [[1, 2], [3, 4]] and N = 2: the first head should get 1 and 3.",
    ),
)
def caught():
    """A line x (T, D) and a number of heads for which reshape alone is wrong."""
    return [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], 2


@wrong(caught, when=lambda x, N: len(x) == 1)
def one_place():
    """Your line has one place. Then there is only one order, and every version is right."""
    return [[1.0, 2.0, 3.0, 4.0]], 2


@wrong(caught, when=lambda x, N: N == 1)
def a_single_head():
    """One head gets everything, so there is nothing to share and nothing to put in order."""
    return [[1.0, 2.0], [3.0, 4.0]], 1


@wrong(caught, when=lambda x, N: np.ptp(np.asarray(x, dtype=float)) == 0)
def all_alike():
    """All numbers are alike. Wherever they go, nobody can see it."""
    return np.ones((3, 4)), 2
