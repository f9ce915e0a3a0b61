"""Exercise 65: attention, with padding, and for a batch."""

import numpy as np

from nncheck import call, catch, question, wrong

USES = "numpy"


def softmax(S, axis):
    e = np.exp(S - S.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# --------------------------------------------------------------------------------- weights


def right_weights(Q, K):
    return softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1)


def right_weights_query_by_query(Q, K):
    rows = []
    for q in np.asarray(Q, dtype=float):
        scores = np.array([np.sum(q * k) for k in K]) / len(q) ** 0.5
        e = np.exp(scores - scores.max())
        rows.append(e / e.sum())
    return np.array(rows)


@question(
    points=2,
    right=right_weights,
    also=(right_weights_query_by_query,),
    hints=(
        "Three steps: a score for each pair, the scale, softmax. Which shape has the table of "
        "scores?",
        "Q @ K.T has a row for each query. Divide by the root of D, the length of a query.",
        "softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1)",
    ),
)
def weights(rng):
    """How much each query looks at each key: scores, scale, softmax."""
    yield call, rng.normal(size=(3, 5)) * 2, rng.normal(size=(4, 5))
    yield call, rng.normal(size=(7, 3)) * 2, rng.normal(size=(5, 3))
    yield call, rng.normal(size=(5, 4)) * 2, rng.normal(size=(5, 4))
    yield call, rng.normal(size=(4, 3)) * 1e-3, rng.normal(size=(6, 3)) * 500
    yield call, rng.normal(size=(3, 4)) * 100, rng.normal(size=(5, 4)) * 100


@wrong(weights, sneaky=True)
def over_the_queries(Q, K):
    """Your softmax goes down the columns, so the weights of each *key* sum to 1. Each query needs
    weights that sum to 1: softmax along a row, over the keys."""
    return softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=0)


@wrong(weights, like=over_the_queries)
def over_the_queries_by_hand(Q, K):
    S = np.dot(Q, K.T) / len(Q[0]) ** 0.5
    e = np.exp(S - S.max(axis=0))
    return e / e.sum(axis=0)


@wrong(weights, sneaky=True)
def not_scaled(Q, K):
    """You did not divide the scores by the root of D. The longer the vectors, the larger the
    scores, and softmax of large scores gives nearly everything to one key."""
    return softmax(Q @ K.T, axis=1)


@wrong(weights, like=not_scaled)
def not_scaled_query_by_query(Q, K):
    return np.array([softmax(K @ q, axis=0) for q in Q])


@wrong(weights, sneaky=True)
def divided_by_d(Q, K):
    """You divided by D, not by its root. The scores become too small, and every query looks at all
    keys almost alike. With D = 1 nobody can see it."""
    return softmax(Q @ K.T / Q.shape[1], axis=1)


@wrong(weights, like=divided_by_d)
def divided_by_d_as_a_mean(Q, K):
    return np.array([softmax(np.array([np.mean(q * k) for k in K]), axis=0) for q in Q])


@wrong(weights, sneaky=True)
def root_of_the_number_of_keys(Q, K):
    """You divided by the root of the number of keys. What makes a score large is how many products
    it adds up: D, the length of a query, not S. With as many keys as numbers it is the same."""
    return softmax(Q @ K.T / np.sqrt(len(K)), axis=1)


@wrong(weights, like=root_of_the_number_of_keys)
def root_of_the_row_of_scores(Q, K):
    S = Q @ K.T
    return softmax(S / S.shape[1] ** 0.5, axis=1)


@wrong(weights, sneaky=True)
def over_everything(Q, K):
    """You made one softmax of the whole table, so all weights together sum to 1. Each query has a
    mean of its own: each row must sum to 1. With one query it is the same."""
    S = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(S - S.max())
    return e / e.sum()


@wrong(weights, like=over_everything)
def over_everything_flat(Q, K):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    return softmax(S.reshape(-1), axis=0).reshape(S.shape)


@wrong(weights)
def times_the_root(Q, K):
    """You multiplied by the root of D. The scores are too large already: divide."""
    return softmax(Q @ K.T * np.sqrt(Q.shape[1]), axis=1)


@wrong(weights)
def keys_ask(Q, K):
    """Your table has a row for each key. The queries ask, so each of them has a row: (T, S)."""
    return softmax(K @ Q.T / np.sqrt(Q.shape[1]), axis=1)


@wrong(weights)
def scores_only(Q, K):
    """Those are the scaled scores. They may be negative and sum to anything. Softmax makes weights
    of them."""
    return Q @ K.T / np.sqrt(Q.shape[1])


@wrong(weights)
def no_shift(Q, K):
    """exp of a large score overflows, and infinity divided by infinity is nan. Take the largest
    score of each row away first, as the softmax above does."""
    e = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return e / e.sum(axis=1, keepdims=True)


# ------------------------------------------------------------------------------- attention


def right_attention(Q, K, V, length):
    return right_weights(Q, K[:length]) @ V[:length]


def right_attention_by_infinity(Q, K, V, length):
    S = np.asarray(Q @ K.T) / np.sqrt(Q.shape[1])
    S = np.where(np.arange(len(K)) < length, S, -np.inf)
    return softmax(S, axis=1) @ V


def mixed(attention, Q, K, V, length):
    """What each query takes home."""
    return attention(Q, K, V, length)


@question(
    points=2,
    right=right_attention,
    also=(right_attention_by_infinity,),
    hints=(
        "It should be as if the padding were not there at all. Which rows of K and of V are left?",
        "The first `length` rows of both. Then the weights, and the mean of the values.",
        "weights(Q, K[:length]) @ V[:length]",
    ),
)
def attention(rng):
    """The mean of the values for each query; keys from `length` on are padding."""
    yield mixed, *lines(rng, 3, 6, 5, 4), 4
    yield mixed, *lines(rng, 5, 7, 3, 4), 3
    yield mixed, *lines(rng, 4, 5, 3, 6), 5
    Q, K, V = lines(rng, 3, 5, 4, 6)
    yield mixed, Q * 1e-3, K, V, 3


def lines(rng, T, S, D, E):
    """Queries (T, D), keys (S, D) and values (S, E)."""
    return rng.normal(size=(T, D)) * 2, rng.normal(size=(S, D)), rng.normal(size=(S, E)) * 3


@wrong(attention, sneaky=True)
def padding_attended(Q, K, V, length):
    """You mixed the padding in. Its values are no part of the line, and the result depends on how
    much of it there happens to be. A test without padding does not show it."""
    return right_weights(Q, K) @ V


@wrong(attention, like=padding_attended)
def padding_attended_query_by_query(Q, K, V, length):
    rows = [softmax(K @ q / np.sqrt(len(q)), axis=0) for q in Q]
    return np.array([np.sum(row[:, None] * V, axis=0) for row in rows])


@wrong(attention, sneaky=True)
def padding_scores_zero(Q, K, V, length):
    """You set the scores of the padding to 0. That is no small score: exp(0) is 1, so the padding
    still gets weight. Use -inf, or leave it out."""
    S = Q @ K.T / np.sqrt(Q.shape[1])
    return softmax(np.where(np.arange(len(K)) < length, S, 0.0), axis=1) @ V


@wrong(attention, like=padding_scores_zero)
def padding_keys_zero(Q, K, V, length):
    K = np.array(K, dtype=float)
    K[length:] = 0
    return right_weights(Q, K) @ V


@wrong(attention, sneaky=True)
def zero_after_softmax(Q, K, V, length):
    """You took the padding's weights away after softmax. What is left sums to less than 1, so every
    result is too small. The padding has to go before softmax."""
    return right_weights(Q, K)[:, :length] @ V[:length]


@wrong(attention, like=zero_after_softmax)
def padding_values_zero(Q, K, V, length):
    V = np.array(V, dtype=float)
    V[length:] = 0
    return right_weights(Q, K) @ V


@wrong(attention)
def one_key_too_many(Q, K, V, length):
    """You let one key of the padding take part. There are `length` real ones, 0 to length - 1."""
    return right_attention(Q, K, V, length + 1)


@wrong(attention)
def only_the_best(Q, K, V, length):
    """You took the value of the best key alone. That is a hard lookup. Attention takes the mean of
    all values with the weights."""
    return V[(Q @ K[:length].T).argmax(axis=1)]


@wrong(attention)
def plain_mean(Q, K, V, length):
    """That is the plain mean of the values, the same for every query. The weights say how much of
    each value a query gets."""
    return np.tile(V[:length].mean(axis=0), (len(Q), 1))


@wrong(attention)
def keys_mixed(Q, K, V, length):
    """You mixed the keys. Keys are for comparing; what is taken home is the values."""
    return right_weights(Q, K[:length]) @ K[:length]


@wrong(attention)
def scale_forgotten(Q, K, V, length):
    """The padding is gone, but the scores are not divided by the root of D. Use your `weights`."""
    return softmax(Q @ K[:length].T, axis=1) @ V[:length]


# ----------------------------------------------------------------------------- for a batch


def right_batch_attention(Q, K, V, lengths):
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2])
    real = np.arange(K.shape[1]) < lengths[:, None]
    return softmax(np.where(real[:, None, :], S, -np.inf), axis=2) @ V


def right_batch_attention_line_by_line(Q, K, V, lengths):
    return np.stack([right_attention(*line) for line in zip(Q, K, V, lengths, strict=True)])


def mixed_batch(batch_attention, Q, K, V, lengths):
    """What each query of each line takes home."""
    return batch_attention(Q, K, V, lengths)


def scores(Q, K):
    return Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2])


def hidden(S, lengths, fill=-np.inf):
    return np.where(np.arange(S.shape[2]) < np.reshape(lengths, (-1, 1, 1)), S, fill)


@question(
    points=3,
    right=right_batch_attention,
    also=(right_batch_attention_line_by_line,),
    hints=(
        "The same three steps, with one axis more in front. The scores are (B, T, S). How do you "
        "turn K round without touching the batch?",
        "K.transpose(0, 2, 1) is (B, D, S). np.arange(S) < lengths[:, None] is (B, S): True where "
        "a key is real. Scores of padding become -inf.",
        "S = np.where(real[:, None, :], S, -np.inf), then softmax over axis 2, then @ V.",
    ),
)
def batch_attention(rng):
    """Attention for a batch of lines of different lengths."""
    yield mixed_batch, *batch(rng, 4, 3, 7, 5, 6), np.array([3, 7, 5, 4])
    yield mixed_batch, *batch(rng, 3, 6, 5, 4, 7), np.array([5, 3, 4])
    yield mixed_batch, *batch(rng, 3, 5, 5, 5, 4), np.array([4, 5, 3])
    Q, K, V = batch(rng, 3, 4, 6, 5, 7)
    yield mixed_batch, Q * 1e-3, K, V, np.array([6, 4, 3])


def batch(rng, B, T, S, D, E):
    """Queries (B, T, D), keys (B, S, D) and values (B, S, E)."""
    Q, K = rng.normal(size=(B, T, D)) * 2, rng.normal(size=(B, S, D))
    return Q, K, rng.normal(size=(B, S, E)) * 3


@wrong(batch_attention, sneaky=True)
def all_padding_attended(Q, K, V, lengths):
    """You mixed the padding in: `lengths` has no effect. A line's result then depends on how long
    the longest line of its batch is. Lines of equal length do not show it."""
    return softmax(scores(Q, K), axis=2) @ V


@wrong(batch_attention, like=all_padding_attended)
def all_padding_attended_by_einsum(Q, K, V, lengths):
    S = np.einsum("btd,bsd->bts", Q, K) / Q.shape[-1] ** 0.5
    return np.einsum("bts,bse->bte", softmax(S, axis=-1), V)


@wrong(batch_attention, sneaky=True)
def first_length_for_all(Q, K, V, lengths):
    """You used the length of the first line for all lines. Each line has its own."""
    return softmax(hidden(scores(Q, K), np.full(len(Q), lengths[0])), axis=2) @ V


@wrong(batch_attention, like=first_length_for_all)
def first_length_for_all_by_slices(Q, K, V, lengths):
    n = lengths[0]
    return softmax(scores(Q, K[:, :n]), axis=2) @ V[:, :n]


@wrong(batch_attention, sneaky=True)
def zeros_for_infinity(Q, K, V, lengths):
    """You set the scores of the padding to 0. exp(0) is 1, so the padding still gets weight. A
    score that gives no weight is -inf."""
    return softmax(hidden(scores(Q, K), lengths, 0.0), axis=2) @ V


@wrong(batch_attention, like=zeros_for_infinity)
def zeros_for_infinity_by_product(Q, K, V, lengths):
    real = np.arange(K.shape[1]) < np.asarray(lengths)[:, None]
    return softmax(scores(Q, K) * real[:, None, :], axis=2) @ V


@wrong(batch_attention, sneaky=True)
def zeros_after_softmax(Q, K, V, lengths):
    """You took the padding's weights away after softmax. The rest sums to less than 1. Hide the
    padding before softmax, with -inf."""
    return hidden(softmax(scores(Q, K), axis=2), lengths, 0.0) @ V


@wrong(batch_attention, like=zeros_after_softmax)
def zeros_in_the_values(Q, K, V, lengths):
    real = np.arange(V.shape[1]) < np.asarray(lengths)[:, None]
    return softmax(scores(Q, K), axis=2) @ (V * real[:, :, None])


@wrong(batch_attention, sneaky=True)
def over_axis_one(Q, K, V, lengths):
    """Your softmax goes over the queries, axis 1. The weights of each query must sum to 1: the keys
    are axis 2."""
    return hidden(softmax(scores(Q, K), axis=1), lengths, 0.0) @ V


@wrong(batch_attention, like=over_axis_one)
def over_axis_one_by_hand(Q, K, V, lengths):
    e = np.exp(scores(Q, K))
    W = e / e.sum(axis=1, keepdims=True)
    return np.where(np.arange(K.shape[1]) < np.reshape(lengths, (-1, 1, 1)), W, 0) @ V


@wrong(batch_attention, like=over_axis_one)
def over_axis_one_of_what_is_hidden(Q, K, V, lengths):
    return softmax(hidden(scores(Q, K), lengths), axis=1) @ V


@wrong(batch_attention, sneaky=True)
def reshaped(Q, K, V, lengths):
    """You turned K round with reshape. The shape is right, but reshape only cuts the same numbers
    into other rows. transpose(0, 2, 1) turns each line's table."""
    B, S, D = K.shape
    return softmax(hidden(Q @ K.reshape(B, D, S) / np.sqrt(D), lengths), axis=2) @ V


@wrong(batch_attention, like=reshaped)
def reshaped_line_by_line(Q, K, V, lengths):
    S = np.stack([q @ k.reshape(k.shape[::-1]) for q, k in zip(Q, K, strict=True)])
    return softmax(hidden(S / Q.shape[2] ** 0.5, lengths), axis=2) @ V


@wrong(batch_attention)
def one_too_many_in_each(Q, K, V, lengths):
    """You let one key of the padding take part in each line. The real ones are 0 to length - 1:
    write < and not <=."""
    return softmax(hidden(scores(Q, K), np.asarray(lengths) + 1), axis=2) @ V


# --------------------------------------------------------------------------------- catch it


def mix(Q, K, V):
    return right_weights(*floats(Q, K)) @ floats(V)[0]


def mix_over_the_queries(Q, K, V):
    return over_the_queries(*floats(Q, K)) @ floats(V)[0]


def floats(*arrays):
    return [np.asarray(array, dtype=float) for array in arrays]


def must_fit(Q, K, V):
    shapes = [np.shape(array) for array in (Q, K, V)]
    if any(len(shape) != 2 or 0 in shape for shape in shapes) or (
        shapes[0][1] != shapes[1][1] or shapes[1][0] != shapes[2][0]
    ):
        return (
            "Q is (T, D), K is (S, D) and V is (S, E); yours are "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}."
        )
    return None


def all_scores_equal(Q, K, V):
    S = np.matmul(*[a if i == 0 else a.T for i, a in enumerate(floats(Q, K))])
    return len(Q) == len(K) and bool(np.ptp(S) == 0)


@catch(
    points=1,
    right=mix,
    wrong=mix_over_the_queries,
    allow=must_fit,
    size=60,
    largest=10.0,
    hints=(
        "In the broken one the weights of each key sum to 1, over all queries. When does each "
        "query get weights that sum to 1 all the same?",
        "If there are as many queries as keys and all scores are equal, both give the same. So let "
        "the scores differ, or ask with fewer queries than there are keys.",
        "One query, three keys: Q = [[1, 0]], K = [[1, 0], [0, 1], [1, 1]], V = [[1], [2], [3]].",
    ),
)
def caught():
    """Q, K and V on which softmax over the queries shows."""
    return [[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]], [[1.0], [2.0], [4.0]]


@wrong(caught, when=lambda Q, K, V: not np.any(V))
def nothing_to_mix():
    """Every value is 0 here. Whatever the weights are, the mean is 0."""
    return [[1.0, 2.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.0], [0.0]]


@wrong(caught, when=all_scores_equal)
def equal_scores():
    """Here all scores are equal, and there are as many queries as keys. Then it does not matter
    over which axis softmax goes: every weight is the same. All ones are of this kind."""
    return np.ones((3, 4)), np.ones((3, 4)), [[1.0], [2.0], [3.0]]
