"""The attention explorer: whom each position looks at, and the mean that it takes home."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlib import functional as F
from nnlib.show import svg
from nnlib.show.grid import Grid, Names, farthest, floats, plain
from nnlib.show.text import need, one_line, say, short
from nnlib.show.trace import Drawing, Frame, Stage, titled
from nnlib.tensor import Tensor

POSITIONS, NUMBERS = 12, 8  # the most that is drawn of queries and keys, and of each one's numbers
ALONE, PAIRS = 24, 2400  # of weights without q, k and v: positions, and pairs in all heads
SAID, LOOKS = 4, 6  # keys that a sentence names, and queries that the alt text names
TOKEN, LINKS, GAP, COLUMN = 76, 96, 14, 52  # widths in pixels
EDGE, HEAD = 8, 24  # pixels around everything; above a grid, for what it is
JUMPS = 10  # more queries get no buttons; they can be clicked
CAPTIONS = {"scores": "q · k", "scaled": "× scale", "masked": "+ mask", "weights": "softmax"}


@dataclass(frozen=True)
class Head:
    """One head of attention, stage by stage; each of `stages` is (T, S)."""

    names: Names  # of queries and of keys
    q: np.ndarray  # (T, D)
    k: np.ndarray  # (S, D)
    v: np.ndarray  # (S, E)
    scale: str
    stages: dict[str, np.ndarray]
    output: np.ndarray  # (T, E)


def attention(
    q: Any,
    k: Any,
    v: Any,
    tokens: Sequence[Any] | None = None,
    causal: bool = False,
    mask: Any = None,
    scale: float | None = None,
    title: str = "",
) -> Stage:
    """Step through softmax(q kᵀ · scale + mask) v, one query and one operation at a time.

    A query is compared with each key: the scores. They are scaled, and masked if there is a mask;
    softmax makes weights of them that sum to 1; the result is the mean of the values with these
    weights. The thicker a link, the larger the weight. Click a token to go to its query.

    The stage's `data` holds `scores`, `scaled`, with a mask `masked`, `weights`, all (T, S), and
    `output` (T, E), which is that of `nnlib.functional.scaled_dot_product_attention`.

    Args:
        q, k, v: one head: (T, D), (S, D) and (S, E), with T and S up to 12, D and E up to 8.
        tokens: a name for each position. If keys are at other positions than queries, two lists.
        causal: query t sees keys 0..t only.
        mask: (T, S), bools that are True where a key is seen, or floats that are added.
        scale: 1/√D if not given.
        title: stands above the picture.

    Example:
        >>> x = [[1.0, 0.0], [0.0, 1.0]]
        >>> attention(x, x, x, tokens=["the", "cat"], causal=True)
               the    cat
        the  1.000  0.000
        cat  0.330  0.670
        Attention of 2 queries to 2 keys. Where each looks most: "the" at "the" (1.000), "cat" ...
    """
    head = _head(q, k, v, tokens, causal, mask, scale)
    steps, (queries, keys) = [*head.stages, "mix"], head.names
    said = f"Each of {len(queries)} queries is compared with {len(keys)} keys, and gets its own "
    said += "mean of their values. Whom does each look at?"
    said += " Causal: no query sees a later key." * causal
    frames = [Frame("given", said, None)]
    frames += [_frame(head, t, step) for t in range(len(queries)) for step in steps]
    at = [[*range(n, n + len(steps))] for n in range(1, len(frames), len(steps))]
    unlike = [q if queries.count(q) == 1 else f"{q} ({t})" for t, q in enumerate(queries)]
    jumps = {name: at[t][0] for t, name in enumerate(unlike) if len(queries) <= JUMPS}
    clicks, words = _clicks(at, head.names), _words(head.stages["weights"][None], head.names)
    usual, data = "Attention, step by step", {**head.stages, "output": head.output}
    return titled(
        title, usual, _drawing(head), frames=frames, jumps=jumps, clicks=clicks, data=data, **words
    ).on_stage()


def attention_weights(weights: Any, tokens: Sequence[Any] | None = None, title: str = "") -> Stage:
    """Step through weights that are there already, query by query and head by head.

    Args:
        weights: (T, S), or for each head (N, T, S), such as `MultiheadAttention` returns for one
            sequence with average_attn_weights=False.
        tokens: a name for each position. If keys are at other positions than queries, two lists.
        title: stands above the picture.

    Example:
        >>> attention_weights([[1.0, 0.0], [0.25, 0.75]], tokens=["the", "cat"])
               the    cat
        the  1.000  0.000
        cat  0.250  0.750
        Attention of 2 queries to 2 keys. Where each looks most: "the" at "the" (1.000), "cat" ...
    """
    owner = "show.attention_weights"
    (w,) = floats(owner, weights)
    wanted = "weights (T, S), or (N, T, S) for N heads, such as weights[0] of a batch"
    need(w.ndim in (2, 3), owner, wanted, w.shape)
    heads = w if w.ndim == 3 else w[None]
    N, T, S = heads.shape
    wanted = f"at most {ALONE} positions and {PAIRS} pairs in all heads: weights[:2, :16, :16]"
    need(max(T, S) <= ALONE and heads.size <= PAIRS, owner, wanted, w.shape)
    sums = heads.sum(-1)
    good = (heads >= 0).all() and np.allclose(sums, 1, atol=1e-3)
    wanted = "weights from 0 up that sum to 1 for each query, such as scores.softmax(-1)"
    got = f"{short(heads.min())} and up, with sums from {short(sums.min())} to {short(sums.max())}"
    need(good, owner, wanted, got)
    names = _names(owner, tokens, T, S)
    frames = []
    for n, t in np.ndindex(N, T):
        of, inside = (f"head {n}, ", f"In head {n} ") if N > 1 else ("", "")
        said = f'{inside}"{names[0][t]}" takes {_list(heads[n, t], names[1], "of")}.'
        frames.append(Frame(f"{of}{names[0][t]}", said, (n, t), at=f"query{t}"))
    jumps = {f"head {n}": n * T for n in range(N) if N > 1}
    clicks = _clicks([[*range(t, N * T, T)] for t in range(T)], names)
    usual, drawing = "Attention weights", _drawing_of_weights(heads, names)
    data, words = {"weights": w}, _words(heads, names)
    return titled(
        title, usual, drawing, frames=frames, jumps=jumps, clicks=clicks, data=data, **words
    ).on_stage()


def _clicks(at: Sequence[list[int]], names: Names) -> dict[str, list[int]]:
    """A token goes to its query, as does a row of the matrix."""
    pieces = ["query", "row"] + ["key"] * (names[0] is names[1])
    return {f"{piece}{t}": steps for piece in pieces for t, steps in enumerate(at)}


def _head(q, k, v, tokens, causal, mask, scale) -> Head:
    """The numbers of each stage, by the library."""
    owner = "show.attention"
    q, k, v = floats(owner, q, k, v)
    got = f"q {q.shape}, k {k.shape} and v {v.shape}"
    one = q.ndim == k.ndim == v.ndim == 2 and q.shape[1] == k.shape[1] and len(k) == len(v)
    need(one, owner, "one head, such as q[0, 0] of a batch: q (T, D), k (S, D), v (S, E)", got)
    (T, D), (S, E) = q.shape, v.shape
    small = max(T, S) <= POSITIONS and max(D, E) <= NUMBERS
    wanted = f"at most {POSITIONS} positions of {NUMBERS} numbers, such as q[:8, :4], or else "
    need(small, owner, wanted + "the weights alone in show.attention_weights(weights)", got)
    need(mask is None or not causal, owner, "at most one of causal and mask", "both")
    names = _names(owner, tokens, T, S)
    mask = np.tri(T, S, dtype=bool) if causal else mask
    query, key, value = map(Tensor, (q, k, v))
    factor = 1 / math.sqrt(D) if scale is None else float(scale)
    stages = {"scores": query @ key.T}  # (T, S)
    stages["scaled"] = last = stages["scores"] * factor
    if mask is not None:
        stages["masked"] = last = last + F.added_mask(owner, mask, (T, S), query.dtype)
    seen = (last.data > -np.inf).any(axis=1)
    wanted = "a mask in which each query sees a key (True), for its weights to sum to 1"
    need(seen.all(), owner, wanted, f'no key for "{names[0][int(seen.argmin())]}"')
    stages["weights"] = last.softmax(-1)
    output = F.scaled_dot_product_attention(query, key, value, mask, scale=factor)
    said = f"1/√{D} = {say(factor)}" if scale is None else say(factor)
    return Head(names, q, k, v, said, {n: x.data for n, x in stages.items()}, output.data)


def _names(owner: str, tokens: Any, T: int, S: int) -> Names:
    """A name for each query and for each key; the same list if they are the same positions."""
    if tokens is None:
        tokens = range(T) if T == S else ([*range(T)], [*range(S)])
    two = len(tokens) == 2 and all(isinstance(part, list | tuple) for part in tokens)
    both = [[one_line(t, limit=16) for t in part] for part in (tokens if two else [tokens])]
    wanted = f"a token for each of {T} queries and {S} keys: a list, or (queries, keys)"
    fit = len(both[0]) == T and len(both[-1]) == S
    need(fit, owner, wanted, " and ".join(str(len(part)) for part in both))
    return both[0], both[-1]


# ---- what is said


def _frame(head: Head, t: int, step: str) -> Frame:
    token, mix = f'"{head.names[0][t]}"', step == "mix"
    row = head.stages["weights" if mix else step][t]
    said = _list(row, head.names[1], "of" if mix else "for")
    hidden = int((row == -np.inf).sum())
    keys = {0: "no key", 1: "one key"}.get(hidden, f"{hidden} keys")
    home = f"It is ({', '.join(map(say, head.output[t]))})."
    sentence = {
        "scores": f"{token} looks for keys that are like its query. The score q · k is {said}.",
        "scaled": f"Each score of {token} is multiplied by {head.scale}: {said}.",
        "masked": f"The mask is added, and hides {keys} from {token}: {said}.",
        "weights": f"Softmax makes weights of the scores of {token}, which sum to 1: {said}.",
        "mix": f"{token} takes home the mean of the values: {said}. {home}",
    }[step]
    where = "softmax" if step == "weights" else step
    return Frame(f"{token}: {where}", sentence, (step, t), at="output" if mix else f"query{t}")


def _list(row: np.ndarray, keys: Sequence[str], word: str) -> str:
    """The largest numbers and their keys; weights of 0 are left out, but counted."""
    order = [s for s in np.argsort(-row, kind="stable") if word == "for" or row[s]]
    named = order[:SAID] if len(row) > SAID else sorted(order)
    said = ", ".join(f'{say(row[s])} {word} "{keys[s]}"' for s in named)
    rest, less = len(order) - len(named), "less of " * (word == "of")
    return said + f", and {less}{rest} more" * (rest > 0)


def _words(heads: np.ndarray, names: Names) -> dict[str, str]:
    """Where each query looks, for somebody who cannot see it, and the weights as they are."""
    (queries, keys), most = names, []
    for query, row in zip(queries, heads.mean(0), strict=True):
        most.append(f'"{query}" at "{keys[int(row.argmax())]}" ({row.max():.3f})')
    alt = f"Attention of {len(queries)} queries to {len(keys)} keys. Where each looks most: "
    alt += ", ".join(most[:LOOKS]) + (", ..." if len(most) > LOOKS else ".")
    many, three = len(heads) > 1, "{:.3f}".format
    texts = [f"head {n}\n" * many + plain(head, three, names) for n, head in enumerate(heads)]
    return {"alt": f"{len(heads)} heads; on average: " * many + alt, "text": "\n".join(texts)}


# ---- how it is drawn


def _drawing(head: Head) -> Drawing:
    """Each key has a row: its token, k, its number in each stage, and v. The matrix is below.

    The query stands above the keys, so that what is multiplied stands in one column, and the
    result below the values, so that what is added does.
    """
    (T, D), (S, E) = head.q.shape, head.v.shape
    tall = 30 if max(T, S) <= 7 else 24
    wide = 38 if D + E <= 8 else 30
    top = EDGE + HEAD + tall + GAP + HEAD
    queries = Grid(EDGE, top, T, 1, TOKEN, tall)
    keys = Grid(queries.right + LINKS, top, S, 1, TOKEN, tall)
    k = Grid(keys.right + GAP, top, S, D, wide, tall)
    stages, left, fixed = {}, k.right + GAP, ""
    for name in head.stages:
        stages[name] = Grid(left, top, S, 1, COLUMN, tall)
        x, left = left + COLUMN / 2, left + COLUMN
        fixed += svg.write(x, top - 12, CAPTIONS[name], 12, COLUMN - 2, "strong", anchor="middle")
    v = Grid(left + GAP, top, S, E, wide, tall)
    query = Grid(k.left, EDGE + HEAD, 1, D, wide, tall)
    output = Grid(v.left, v.bottom + GAP, 1, E, wide, tall)
    below = max(queries.bottom, output.bottom) + GAP + 2 * HEAD
    matrix = Grid(EDGE + TOKEN, below, T, S, 38, tall)
    most = {name: farthest(numbers) for name, numbers in head.stages.items()} | {"weights": 1.0}
    most_in, most_out = farthest([*head.q, *head.k]), farthest([*head.v, *head.output])
    for name, grid in (("queries", queries), ("keys", keys), ("k", k), ("v", v)):
        fixed += grid.head(name, TOKEN, 12)
    fixed += k.cells(head.k, most_in) + v.cells(head.v, most_out)
    fixed += matrix.head("weights of all queries", 300, 9 + HEAD) + matrix.names(head.names, 10.5)
    x, y = output.left - 8, output.top + tall / 2
    equals = svg.write(x, y, "Σ weight · v =", 12.5, 150, "strong", anchor="end")
    always = {"fixed": fixed} | _chips(head.names, queries, keys)
    steps, weights = [*stages, "mix"], head.stages["weights"]

    def draw(frame: Frame) -> dict[str, str]:
        step, t = frame.event or ("", 0)
        done = steps[: steps.index(step) + 1] if step else []
        weighted = "weights" in done
        pieces = always | {"links": "", "q": ""}
        if done:
            seen = weights if weighted else head.stages[step] != -np.inf
            pieces["links"] = _links(t, seen[t], queries, keys)
            pieces["q"] = query.cells(head.q[[t]], most_in)
            pieces["q"] += query.head(f"q of {head.names[0][t]}", 150, 12)
        for name, grid in stages.items():
            role, column = "value" if name == "weights" else "", head.stages[name][[t]].T
            pieces[name] = grid.cells(column, most[name], role, name in done)
        pieces["output"] = output.cells(head.output[[t]], most_out, known=step == "mix") + equals
        pieces |= _rows(matrix, weights, t + weighted)
        pieces["here"] = queries.outline([t], [0]) if done else ""
        pieces["here"] += matrix.outline([t], range(S)) if weighted else ""
        return pieces

    return draw, (0, 0, max(v.right, matrix.right) + EDGE, matrix.bottom + EDGE)


def _drawing_of_weights(heads: np.ndarray, names: Names) -> Drawing:
    """Queries, keys and the matrix side by side."""
    N, T, S = heads.shape
    tall = 30 if max(T, S) <= 12 else 24
    wide = max(24, min(38, (840 - 4 * EDGE - 3 * TOKEN - LINKS) // S))
    queries = Grid(EDGE, EDGE + 2 * HEAD, T, 1, TOKEN, tall)
    keys = Grid(queries.right + LINKS, queries.top, S, 1, TOKEN, tall)
    matrix = Grid(keys.right + 2 * GAP + TOKEN, queries.top, T, S, wide, tall)
    fixed = queries.head("queries", TOKEN, 12) + keys.head("keys", TOKEN, 12)
    always = {"fixed": fixed + matrix.names(names, 10.5)} | _chips(names, queries, keys)

    def draw(frame: Frame) -> dict[str, str]:
        n, t = frame.event
        pieces = always | {"links": _links(t, heads[n, t], queries, keys)}
        pieces["head"] = matrix.head("weights" + f" of head {n}" * (N > 1), 200, 9 + HEAD)
        here = queries.outline([t], [0]) + matrix.outline([t], range(S))
        return pieces | _rows(matrix, heads[n], known=T) | {"here": here}

    return draw, (0, 0, matrix.right + EDGE, max(keys.bottom, queries.bottom) + EDGE)


def _chips(names: Names, queries: Grid, keys: Grid) -> dict[str, str]:
    """A chip for each token, to be clicked."""
    chips = {}
    for what, tokens, grid in (("query", names[0], queries), ("key", names[1], keys)):
        for n, token in enumerate(tokens):
            (x, y), middle = grid.corner(n, 0), grid.corner(n + 0.5, 0.5)
            chip = svg.box(x, y + 2, grid.wide, grid.tall - 4, 6, "cell leaf")
            chip += svg.write(*middle, token, 12.5, grid.wide - 8, anchor="middle")
            chips[f"{what}{n}"] = chip
    return chips


def _links(t: int, row: np.ndarray, queries: Grid, keys: Grid) -> str:
    """From a query to each key that it sees; if `row` holds weights, the larger the thicker."""
    start, parts = (queries.right, queries.corner(t + 0.5, 0)[1]), []
    for s in np.flatnonzero(row):
        look: dict[str, Any] = {"class_": "link", "stroke_width": 1.2}
        if row.dtype != bool:
            w = float(row[s])
            look = {"class_": "link value", "stroke_width": round(0.6 + 8 * w, 2)}
            look |= {"stroke_opacity": round(0.3 + 0.5 * w, 2), "data_v": repr(w)}
        d = svg.curve([start, (keys.left, keys.corner(s + 0.5, 0)[1])])
        parts.append(svg.element("path", d=d, **look))
    return "".join(parts)


def _rows(matrix: Grid, weights: np.ndarray, known: int) -> dict[str, str]:
    """The rows of the matrix, each to be clicked; all but the first `known` wait."""
    rows = enumerate(weights)
    return {f"row{t}": matrix.row(t).cells([w], 1.0, "value", t < known) for t, w in rows}
