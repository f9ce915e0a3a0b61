"""Attention, and the Transformer that is built of it (Vaswani et al., 2017)."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nnlib import functional as F, init
from nnlib.nn.layers import Dropout, Linear
from nnlib.nn.module import Module, Parameter
from nnlib.nn.norm import LayerNorm
from nnlib.tensor import Tensor, expect, same_dtype, zeros


class MultiheadAttention(Module):
    """Let each position look at others, in several ways (heads) at once.

    Queries, keys and values are linear in the inputs; each head gets its D/N numbers of them and
    takes softmax(q kᵀ / √(D/N) + mask) v; what the heads found is joined and goes through a last
    linear layer, `out_proj`.

    A True in a mask of bools means *left out*. In `functional.scaled_dot_product_attention` it
    means *takes part*. torch has it both ways, so we do. A mask of floats is added in both. If all
    keys are left out for a query, its weights are nan, or 0 with need_weights=False, as in torch.

    Args:
        embed_dim: D, how many numbers each position has.
        num_heads: N, a divisor of D.
        dropout: the probability of leaving out a pair of positions, in train mode.
        bias: whether the linear layers have one.
        batch_first: whether inputs are (B, T, D) and not (T, B, D).

    Shape:
        query (T, B, D), key and value (S, B, D), output (T, B, D), weights (B, T, S); with
        batch_first (B, T, D) and so on; or all without B. in_proj_weight (3·D, D), rows for
        queries, keys and values; in_proj_bias (3·D,).

    in_proj_weight starts Xavier-uniform, the biases at 0.

    Example:
        >>> attention = MultiheadAttention(8, 2, batch_first=True)
        >>> x = Tensor(np.ones((3, 5, 8), np.float32))
        >>> y, weights = attention(x, x, x)
        >>> y.shape, weights.shape
        ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        batch_first: bool = False,
    ):
        super().__init__()
        self._sizes(embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            shares = f"MultiheadAttention shares {embed_dim=} numbers among {num_heads=}"
            raise ValueError(f"{shares}. Make one a divisor of the other.")
        self.dropout, self.batch_first = dropout, batch_first
        self.in_proj_weight = init.xavier_uniform_(Parameter(zeros(3 * embed_dim, embed_dim)))
        self.in_proj_bias = Parameter(zeros(3 * embed_dim)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The output and, unless need_weights=False, the weights.

        Args:
            query, key, value: the sequences; three times the same one for self-attention.
            key_padding_mask: (B, S), which keys to leave out, because they are padding.
            need_weights: also return the weights, which takes longer.
            attn_mask: (T, S), or (B·N, T, S), which pairs to leave out.
            average_attn_weights: return the mean over heads, or else weights (B, N, T, S).
            is_causal: says that attn_mask is causal. It needs the mask all the same, as in torch;
                unlike there it changes nothing.
        """
        _check("MultiheadAttention", self, query=query, key=key, value=value)
        # Where (B, N, T, D/N) finds its axes in a sequence whose last axis is split into N and D/N.
        order = (1, 0, 2) if query.ndim == 2 else (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3)
        q, k, v = [self._heads(x, i, order) for i, x in enumerate((query, key, value))]
        mask = self._mask(attn_mask, key_padding_mask, (*q.shape[:-1], k.shape[-2]), q.dtype)
        if is_causal and attn_mask is None:
            fix = f"Pass attn_mask=causal_mask({q.shape[-2]}), from nnlib.functional."
            raise ValueError(f"MultiheadAttention needs attn_mask with is_causal=True. {fix}")
        p, weights = self.dropout if self.training else 0.0, None
        if need_weights:
            scores = q / math.sqrt(q.shape[-1]) @ k.transpose(-2, -1)  # (B, N, T, S)
            weights = F.dropout((scores if mask is None else scores + mask).softmax(-1), p)
            y = weights @ v
            weights = weights.mean(-3) if average_attn_weights else weights
        else:
            y = F.scaled_dot_product_attention(q, k, v, mask, p)
        y = y.permute(np.argsort(order)).reshape(query.shape)
        return self.out_proj(y), weights

    def _heads(self, x: Tensor, i: int, order: tuple[int, ...]) -> Tensor:
        """The queries (i = 0), keys (1) or values (2) of each head, (B, N, T, D/N)."""
        D, N = self.embed_dim, self.num_heads
        rows = slice(i * D, (i + 1) * D)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        y = F.linear(x, self.in_proj_weight[rows], bias)
        return y.reshape(*x.shape[:-1], N, D // N).permute(order)

    def _mask(self, pairs: Any, keys: Any, shape: tuple[int, ...], dtype: Any) -> Tensor | None:
        """Both masks as one that is added to scores of the shape (B, N, T, S)."""
        *B, N, T, S = shape
        total = None
        for name, mask, forms in (  # each form that a mask may have, and what to make of it
            ("attn_mask", pairs, {(T, S): (T, S), (math.prod(B) * N, T, S): shape}),
            ("key_padding_mask", keys, {(*B, S): (*B, 1, 1, S)}),
        ):
            if mask is None:
                continue
            if mask.shape not in forms:
                wanted = f"{' or '.join(map(str, forms))} for {T} queries and {S} keys"
                got = f"it has shape {mask.shape}. Make it from the lengths of these sequences."
                raise ValueError(f"MultiheadAttention needs {name} {wanted}; {got}")
            mask = mask.reshape(forms[mask.shape])
            mask = F.added_mask(f"MultiheadAttention's {name}", mask, shape, dtype, seen=False)
            total = mask if total is None else total + mask
        return total


def _check(owner: str, attention: MultiheadAttention, **sequences: Tensor) -> None:
    """Raise unless the attention takes these sequences: the first T long, all others S."""
    D, forms = attention.embed_dim, ["B T D" if attention.batch_first else "T B D", "T D"]
    fix = f"Each position has {D} numbers; batch_first says which axis is B."
    lengths = {"D": D}
    for name, x in sequences.items():
        asker = f"{owner}'s {name}"
        expect(asker, x, *forms, fix=fix, called="x", **lengths)
        same_dtype(asker, x, attention.in_proj_weight)
        form = forms[0 if x.ndim == 3 else -1]
        lengths |= zip(form.split(), x.shape, strict=True)
        forms = [form.replace("T", "S")]  # the others have a batch, too, or none
        fix = f"The {name} has shape {x.shape}. {fix}"


class _Block(Module):
    """Parts that add to what runs through: x + part(norm(x)), or as first published norm(x + ...).

    The first parts are attentions, the last is a network of two layers at each position.
    """

    attentions = ("self_attn",)

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ):
        super().__init__()
        parts = range(1, len(self.attentions) + 2)
        for name in self.attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout))
        known: dict[Any, Any] = {"relu": F.relu, "gelu": F.gelu}
        self.activation = known.get(activation, activation)
        if not callable(self.activation):
            needs = f'{type(self).__name__} needs activation="relu", "gelu" or a function'
            raise ValueError(f"{needs} such as nnlib.functional.silu; got {activation!r}.")

    def _run(self, x: Tensor, **looks: tuple[Tensor | None, Any, Any, bool]) -> Tensor:
        """Let each attention, and at the end the two layers, add to x.

        Args:
            x: the sequence.
            looks: what each attention is given: another sequence or None, and its two masks.
        """
        parts = [partial(_found, getattr(self, name), *look) for name, look in looks.items()]
        for i, part in enumerate((*parts, self._feed_forward), 1):
            norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
            x = x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))
        return x

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


def _found(attention: Module, memory: Any, mask: Any, padding: Any, causal: bool, x: Tensor) -> Any:
    """What the positions x find in the memory, or if there is none in x itself."""
    keys = x if memory is None else memory
    return attention(x, keys, keys, padding, False, mask, is_causal=causal)[0]


class TransformerEncoderLayer(_Block):
    """One layer of a Transformer: positions look at each other, then each is worked on alone.

    x = norm1(x + attention(x)), then y = norm2(x + linear2(activation(linear1(x)))). With
    norm_first the norm comes before the part: x + attention(norm1(x)), and so on, which trains
    deep stacks more easily (Xiong et al., 2020) and is what GPT does. With a causal mask this is
    the layer of a GPT.

    Args:
        d_model: D, how many numbers each position has.
        nhead: N, how many heads the attention has.
        dim_feedforward: how many numbers linear1 makes of them.
        dropout: in train mode, the probability of setting a number to 0: of the weights, after
            each part and after the activation.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: keeps the division of the norms finite.
        batch_first: whether src is (B, T, D) and not (T, B, D).
        norm_first: see above.
        bias: whether linear layers and norms have one.

    Shape:
        src (T, B, D), or (B, T, D) with batch_first, or (T, D); the result has that of src.

    Example:
        >>> layer = TransformerEncoderLayer(8, nhead=2, batch_first=True, norm_first=True)
        >>> layer(Tensor(np.ones((3, 5, 8), np.float32)), F.causal_mask(5)).shape
        (3, 5, 8)
    """

    self_attn: MultiheadAttention

    def forward(
        self,
        src: Tensor,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The masks are those of `MultiheadAttention`: a True is left out."""
        _check("TransformerEncoderLayer", self.self_attn, src=src)
        return self._run(src, self_attn=(None, src_mask, src_key_padding_mask, is_causal))


class TransformerDecoderLayer(_Block):
    """One layer of a Transformer that also looks at another sequence, the memory.

    As `TransformerEncoderLayer`, with a second attention between the two parts: its queries come
    from x, its keys and values from the memory, often what an encoder made of a sentence to be
    translated.

    Args: those of `TransformerEncoderLayer`.

    Shape:
        tgt (T, B, D), memory (S, B, D), with batch_first (B, T, D) and (B, S, D), or both without
        B; the result has the shape of tgt.

    Example:
        >>> layer = TransformerDecoderLayer(8, nhead=2, batch_first=True)
        >>> tgt, memory = Tensor(np.ones((3, 5, 8))).float(), Tensor(np.ones((3, 7, 8))).float()
        >>> layer(tgt, memory, tgt_mask=F.causal_mask(5)).shape
        (3, 5, 8)
    """

    attentions = ("self_attn", "multihead_attn")
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The masks are those of `MultiheadAttention`: a True is left out."""
        _check("TransformerDecoderLayer", self.self_attn, tgt=tgt, memory=memory)
        own = (None, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        return self._run(tgt, self_attn=own, multihead_attn=other)
