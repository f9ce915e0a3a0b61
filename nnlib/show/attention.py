"""The attention explorer: whom each position looks at, and the mean that it takes home."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import functional as F
from nnlib.show import svg
from nnlib.show.grid import Grid, farthest, floats, plain
from nnlib.show.text import minus, one_line, short, under
from nnlib.show.trace import Frame, Trace
from nnlib.tensor import Tensor

if TYPE_CHECKING:
    from nnlib.show.stage import Stage

POSITIONS, NUMBERS = 12, 8  # the most that is drawn of queries and keys, and of each one's numbers
ALONE, PAIRS = 24, 2400  # of weights without q, k and v: positions, and pairs in all heads
SAID, LOOKS = 4, 6  # keys that a sentence names, and queries that the alt text names
TOKEN, LINKS, GAP, COLUMN = 76, 96, 14, 52  # widths in pixels
EDGE, HEAD = 8, 24  # pixels around everything; above a grid, for what it is
JUMPS = 10  # more queries get no buttons; they can be clicked


@dataclass(frozen=True)
class Head:
    """One head of attention, stage by stage; each of `stages` is (T, S)."""

    queries: list[str]
    keys: list[str]
    q: np.ndarray  # (T, D)
    k: np.ndarray  # (S, D)
    v: np.ndarray  # (S, E)
    seen: np.ndarray  # (T, S), false where the mask hides a key
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
) -> "Stage":
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
    from nnlib.show.stage import Stage

    return Stage(trace(q, k, v, tokens, causal, mask, scale, title))


def attention_weights(
    weights: Any, tokens: Sequence[Any] | None = None, title: str = ""
) -> "Stage":
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
    from nnlib.show.stage import Stage

    return Stage(_trace_of_weights(weights, tokens, title))


def trace(
    q: Any,
    k: Any,
    v: Any,
    tokens: Sequence[Any] | None = None,
    causal: bool = False,
    mask: Any = None,
    scale: float | None = None,
    title: str = "",
) -> Trace:
    """A frame for what is given, then the stages of each query."""
    head = _head(q, k, v, tokens, causal, mask, scale)
    steps = [*head.stages, "mix"]
    events = [(t, step) for t in range(len(head.queries)) for step in steps]
    frames = [Frame("given", _given(head, causal), None), *(_frame(head, *e) for e in events)]
    at = {t: [n for n, e in enumerate(events, 1) if e[0] == t] for t in range(len(head.queries))}
    draw, view = _drawing(head)
    weights = head.stages["weights"]
    jumps = {}
    for t, token in enumerate(head.queries if len(head.queries) <= JUMPS else []):
        jumps[token if head.queries.count(token) == 1 else f"{token} ({t})"] = at[t][0]
    title = one_line(title or "", limit=80)
    return Trace(
        title=title or "Attention, step by step",
        frames=frames,
        draw=draw,
        view=view,
        jumps=jumps,
        clicks=_clicks(at, head.queries is head.keys),
        alt=under(title, _alt(weights, head.queries, head.keys)),
        text=plain(weights, "{:.3f}".format, head.queries, head.keys),
        data={**head.stages, "output": head.output},
    )


def _clicks(at: dict[int, list[int]], of_itself: bool) -> dict[str, list[int]]:
    """A token goes to its query, as does a row of the matrix."""
    names = ("query", "row", "key") if of_itself else ("query", "row")
    return {f"{name}{t}": steps for name in names for t, steps in at.items()}


def _head(q, k, v, tokens, causal, mask, scale) -> Head:
    """The numbers of each stage, by the library."""
    owner = "show.attention"
    given = floats(owner, q, k, v)
    shapes = [array.shape for array in given]
    if any(len(shape) != 2 for shape in shapes) or (
        shapes[0][1] != shapes[1][1] or len(given[1]) != len(given[2])
    ):
        raise ValueError(
            f"{owner} needs one head: q (T, D), k (S, D) and v (S, E); got {shapes[0]}, "
            f"{shapes[1]} and {shapes[2]}. Of a batch with heads take one: q[0, 0]."
        )
    (T, D), (S, E) = shapes[0], shapes[2]
    if max(T, S) > POSITIONS or max(D, E) > NUMBERS:
        raise ValueError(
            f"{owner} draws up to {POSITIONS} positions of {NUMBERS} numbers; got q {shapes[0]}, k "
            f"{shapes[1]} and v {shapes[2]}. Show a part, such as q[:8, :4], or the weights alone: "
            "show.attention_weights(weights)."
        )
    if causal and mask is not None:
        raise ValueError(f"{owner} takes causal or mask, not both. Leave one out.")
    queries, keys = _names(owner, tokens, T, S)
    given_mask = np.tri(T, S, dtype=bool) if causal else mask
    query, key, value = map(Tensor, given)
    factor = 1 / math.sqrt(D) if scale is None else float(scale)
    stages = {"scores": query @ key.T}  # (T, S)
    stages["scaled"] = last = stages["scores"] * factor
    if given_mask is not None:
        added = F.added_mask(owner, given_mask, (T, S), query.dtype)
        stages["masked"] = last = last + added
    seen = last.data > -np.inf
    if not seen.any(axis=1).all():
        token = queries[int(seen.any(axis=1).argmin())]
        raise ValueError(
            f'{owner}: the mask hides all keys from "{token}", so no weights can sum to 1. '
            "Let each query see one key; True means that it is seen."
        )
    stages["weights"] = last.softmax(-1)
    output = F.scaled_dot_product_attention(query, key, value, given_mask, scale=factor)
    return Head(
        queries, keys, *given, seen=seen,
        scale=f"1/√{D} = {short(factor)}" if scale is None else minus(short(factor)),
        stages={name: tensor.data for name, tensor in stages.items()}, output=output.data,
    )  # fmt: skip


def _names(owner: str, tokens: Any, T: int, S: int) -> tuple[list[str], list[str]]:
    """A name for each query and for each key; the same list if they are the same positions."""
    if tokens is None:
        queries = [str(t) for t in range(T)]
        return queries, queries if T == S else [str(s) for s in range(S)]
    two = len(tokens) == 2 and all(isinstance(part, list | tuple) for part in tokens)
    both = [[one_line(t, limit=16) for t in part] for part in (tokens if two else [tokens])]
    queries, keys = both[0], both[-1]
    if len(queries) != T or len(keys) != S:
        raise ValueError(
            f"{owner} needs a token for each position: {T} for queries and {S} for keys; got "
            f"{' and '.join(str(len(part)) for part in both)}. Give a list, or (queries, keys)."
        )
    return queries, keys


# ---- what is said


def _given(head: Head, causal: bool) -> str:
    said = f"Each of {len(head.queries)} queries is compared with {len(head.keys)} keys, and gets "
    said += "its own mean of their values. Whom does each look at?"
    return said + " Causal: no query sees a later key." * causal


def _frame(head: Head, t: int, step: str) -> Frame:
    token = f'"{head.queries[t]}"'
    if step == "mix":
        said = f"{token} takes home the mean of the values: "
        said += f"{_list(head.stages['weights'][t], head.keys, 'of')}. It is "
        said += f"({', '.join(minus(short(x)) for x in head.output[t])})."
        return Frame(f"{token}: mix", said, (t, step), at="output")
    said = _list(head.stages[step][t], head.keys, "for")
    if step == "scores":
        said = f"{token} looks for keys that are like its query. The score q · k is {said}."
    elif step == "scaled":
        said = f"Each score of {token} is multiplied by {head.scale}: {said}."
    elif step == "masked":
        hidden = int((~head.seen[t]).sum())
        keys = "one key" if hidden == 1 else f"{hidden} keys" if hidden else "no key"
        said = f"The mask is added, and hides {keys} from {token}: {said}."
    else:
        said = f"Softmax makes weights of the scores of {token}, which sum to 1: {said}."
    where = "softmax" if step == "weights" else step
    return Frame(f"{token}: {where}", said, (t, step), at=f"query{t}")


def _list(row: np.ndarray, keys: Sequence[str], word: str) -> str:
    """The largest numbers and their keys; weights of 0 are left out, but counted."""
    order = [s for s in np.argsort(-row, kind="stable")[:SAID] if word == "for" or row[s]]
    order = sorted(order) if len(row) <= SAID else order
    said = ", ".join(f'{minus(short(row[s]))} {word} "{keys[s]}"' for s in order)
    rest = (len(row) if word == "for" else np.count_nonzero(row)) - len(order)
    less = f"{rest} more" if word == "for" else f"less of {rest} more"
    return said + (f", and {less}" if rest else "")


def _alt(weights: np.ndarray, queries: Sequence[str], keys: Sequence[str]) -> str:
    most = [
        f'"{query}" at "{keys[int(row.argmax())]}" ({row.max():.3f})'
        for query, row in zip(queries, weights, strict=True)
    ]
    said = f"Attention of {len(queries)} queries to {len(keys)} keys. Where each looks most: "
    return said + ", ".join(most[:LOOKS]) + (", ..." if len(most) > LOOKS else ".")


# ---- how it is drawn


@dataclass(frozen=True)
class Plan:
    """Where things are: the tokens of queries and of keys, and the matrix of weights."""

    queries: Grid
    keys: Grid
    matrix: Grid

    def tokens(self, queries: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
        """A chip for each token, to be clicked."""
        pieces = {f"query{t}": _chip(self.queries, t, token) for t, token in enumerate(queries)}
        return pieces | {f"key{s}": _chip(self.keys, s, token) for s, token in enumerate(keys)}

    def names(self, queries: Sequence[str], keys: Sequence[str]) -> str:
        """The tokens beside the matrix and above it."""
        m, parts = self.matrix, []
        for s, token in enumerate(keys):
            x = m.corner(0, s + 0.5)[0]
            parts.append(svg.write(x, m.top - 9, token, 10.5, m.wide - 2, "quiet", anchor="middle"))
        for t, token in enumerate(queries):
            y = m.corner(t + 0.5, 0)[1]
            parts.append(svg.write(m.left - 6, y, token, 10.5, TOKEN - 6, "quiet", anchor="end"))
        return "".join(parts)

    def links(self, t: int, seen: np.ndarray, weights: np.ndarray | None = None) -> str:
        """From a query to each key that it sees, as thick as its weight is large."""
        x, y = self.queries.right, self.queries.corner(t + 0.5, 0)[1]
        parts = []
        for s in np.flatnonzero(seen if weights is None else weights):
            look: dict[str, Any] = {"class_": "link", "stroke_width": 1.2}
            if weights is not None:
                w = float(weights[s])
                look = {"class_": "link value", "stroke_width": round(0.6 + 8 * w, 2)}
                look |= {"stroke_opacity": round(0.3 + 0.5 * w, 2), "data_v": repr(w)}
            d = svg.curve([(x, y), (self.keys.left, self.keys.corner(s + 0.5, 0)[1])])
            parts.append(svg.element("path", d=d, **look))
        return "".join(parts)

    def rows(self, weights: np.ndarray, known: int) -> dict[str, str]:
        """The rows of the matrix, each to be clicked; all but the first `known` wait."""
        return {
            f"row{t}": "".join(
                self.matrix.cell(t, s, w, 1.0, "value") if t < known else self.matrix.cell(t, s)
                for s, w in enumerate(row)
            )
            for t, row in enumerate(weights)
        }

    def here(self, t: int, matrix: bool) -> str:
        """A frame around the query, and around its row of the matrix."""
        row = self.matrix.outline((t, t), (0, self.matrix.columns - 1)) if matrix else ""
        return self.queries.outline((t, t), (0, 0)) + row


def _chip(grid: Grid, n: int, token: str) -> str:
    (x, y), middle = grid.corner(n, 0), grid.corner(n + 0.5, 0.5)
    return svg.box(x, y + 2, grid.wide, grid.tall - 4, 6, "cell leaf") + svg.write(
        *middle, token, 12.5, grid.wide - 8, anchor="middle"
    )


def _drawing(
    head: Head,
) -> tuple[Callable[[Frame], dict[str, str]], tuple[float, float, float, float]]:
    """Each key has a row: its token, k, its number in each stage, and v. The matrix is below.

    The query stands above the keys, so that what is multiplied stands in one column, and the
    result below the values, so that what is added does.
    """
    T, S, D, E = len(head.queries), len(head.keys), head.q.shape[1], head.v.shape[1]
    tall = 30 if max(T, S) <= 7 else 24
    wide = 38 if D + E <= 8 else 30
    top = EDGE + HEAD + tall + GAP + HEAD
    queries = Grid(EDGE, top, T, 1, TOKEN, tall)
    keys = Grid(queries.right + LINKS, top, S, 1, TOKEN, tall)
    k = Grid(keys.right + GAP, top, S, D, wide, tall)
    columns = Grid(k.right + GAP, top, S, len(head.stages), COLUMN, tall)
    v = Grid(columns.right + GAP, top, S, E, wide, tall)
    query = Grid(k.left, EDGE + HEAD, 1, D, wide, tall)
    output = Grid(v.left, v.bottom + GAP, 1, E, wide, tall)
    below = max(queries.bottom, output.bottom) + GAP + 2 * HEAD
    matrix = Grid(EDGE + TOKEN, below, T, S, 38, tall)
    plan = Plan(queries, keys, matrix)
    view = (0, 0, max(v.right, matrix.right) + EDGE, matrix.bottom + EDGE)
    captions = {"scores": "q · k", "scaled": "× scale", "masked": "+ mask", "weights": "softmax"}
    most = {name: farthest(numbers) for name, numbers in head.stages.items()} | {"weights": 1.0}
    numbers = farthest(np.concatenate([head.q, head.k]))
    values = farthest(np.concatenate([head.v, head.output]))
    fixed = "".join(
        [
            *(grid.head(text, TOKEN, 12) for grid, text in (
                (queries, "queries"), (keys, "keys"), (k, "k"), (v, "v"))),
            *(svg.write(columns.corner(0, n + 0.5)[0], top - 12, captions[name], 12, COLUMN - 2,
                        "strong", anchor="middle") for n, name in enumerate(head.stages)),
            k.cells(head.k, numbers), v.cells(head.v, values),
            matrix.head("weights of all queries", 300, 9 + HEAD),
            plan.names(head.queries, head.keys),
        ]
    )  # fmt: skip
    tokens = plan.tokens(head.queries, head.keys)

    def draw(frame: Frame) -> dict[str, str]:
        t, step = frame.event or (-1, "")
        names = list(head.stages)
        done = names.index(step) + 1 if step in names else len(names) * (step == "mix")
        weighted = done == len(names)
        shown = names[:done]
        pieces = {"fixed": fixed} | tokens | {"links": "", "q": ""}
        if done:
            seen = head.seen[t] if "masked" in shown else np.ones(S, bool)
            pieces["links"] = plan.links(t, seen, head.stages["weights"][t] if weighted else None)
            pieces["q"] = query.cells(head.q[t : t + 1], numbers)
            pieces["q"] += query.head(f"q of {head.queries[t]}", 150, 12)
        for n, name in enumerate(names):
            row = head.stages[name][t] if name in shown else [None] * S
            role = "value" if name == "weights" and weighted else ""
            cells = (columns.cell(s, n, x, most[name], role) for s, x in enumerate(row))
            pieces[name] = "".join(cells)
        mixed = head.output[t : t + 1] if step == "mix" else [[None] * E]
        pieces["output"] = "".join(output.cell(0, n, x, values) for n, x in enumerate(mixed[0]))
        pieces["output"] += svg.write(
            output.left - 8, output.corner(0.5, 0)[1], "Σ weight · v =", 12.5, 150, "strong",
            anchor="end",
        )  # fmt: skip
        pieces |= plan.rows(head.stages["weights"], t + weighted)
        pieces["here"] = plan.here(t, weighted) if done else ""
        return pieces

    return draw, view


# ---- weights alone


def _trace_of_weights(weights: Any, tokens: Any, title: str) -> Trace:
    """A frame for each query in each head."""
    owner = "show.attention_weights"
    (w,) = floats(owner, weights)
    if w.ndim not in (2, 3):
        raise ValueError(
            f"{owner} needs weights (T, S), or (N, T, S) for N heads; got {w.shape}. Of a batch "
            "take one sequence: weights[0]."
        )
    heads = w if w.ndim == 3 else w[None]
    (N, T, S) = heads.shape
    if max(T, S) > ALONE or heads.size > PAIRS:
        raise ValueError(
            f"{owner} draws {ALONE} positions and, in all heads, {PAIRS} pairs; got {w.shape}. "
            "Show fewer heads or positions, such as weights[:2, :16, :16]."
        )
    if (heads < 0).any() or not np.allclose(heads.sum(-1), 1, atol=1e-3):
        raise ValueError(
            f"{owner} needs weights from 0 up that sum to 1 for each query; these sum to "
            f"{short(heads.sum(-1).min())} to {short(heads.sum(-1).max())}. Take the softmax of "
            "scores first: scores.softmax(-1)."
        )
    queries, keys = _names(owner, tokens, T, S)
    tall = 30 if max(T, S) <= 12 else 24
    wide = max(24, min(38, (840 - 4 * EDGE - 3 * TOKEN - LINKS) // S))
    grid = Grid(EDGE, EDGE + 2 * HEAD, T, 1, TOKEN, tall)
    key_grid = Grid(grid.right + LINKS, grid.top, S, 1, TOKEN, tall)
    plan = Plan(grid, key_grid, Grid(key_grid.right + 2 * GAP + TOKEN, grid.top, T, S, wide, tall))
    events = [(n, t) for n in range(N) for t in range(T)]

    def frame(n: int, t: int) -> Frame:
        said = f'"{queries[t]}" takes {_list(heads[n, t], keys, "of")}.'
        of = f"head {n}, " if N > 1 else ""
        return Frame(f"{of}{queries[t]}", (of and f"In head {n} ") + said, (n, t), at=f"query{t}")

    fixed = grid.head("queries", TOKEN, 12) + key_grid.head("keys", TOKEN, 12)
    fixed += plan.names(queries, keys)
    chips = plan.tokens(queries, keys)

    def draw(frame: Frame) -> dict[str, str]:
        n, t = frame.event
        pieces = {"fixed": fixed} | chips
        pieces["links"] = plan.links(t, heads[n, t] > 0, heads[n, t])
        heading = f"weights of head {n}" if N > 1 else "weights"
        pieces["head"] = plan.matrix.head(heading, 200, 9 + HEAD)
        pieces |= plan.rows(heads[n], known=T)
        pieces["here"] = plan.here(t, matrix=True)
        return pieces

    at = {t: [n for n, e in enumerate(events) if e[1] == t] for t in range(T)}
    texts = [plain(head, "{:.3f}".format, queries, keys) for head in heads]
    if N > 1:
        texts = [f"head {n}\n{text}" for n, text in enumerate(texts)]
    alt = _alt(heads.mean(0), queries, keys)
    view = (0, 0, plan.matrix.right + EDGE, max(key_grid.bottom, grid.bottom) + EDGE)
    frames = [frame(*event) for event in events]
    title = one_line(title or "", limit=80)
    return Trace(
        title=title or "Attention weights",
        frames=frames,
        draw=draw,
        view=view,
        jumps={f"head {n}": n * T for n in range(N)} if N > 1 else {},
        clicks=_clicks(at, queries is keys),
        alt=under(title, f"{N} heads; on average: {alt}" if N > 1 else alt),
        text="\n".join(texts),
        data={"weights": w},
    )
