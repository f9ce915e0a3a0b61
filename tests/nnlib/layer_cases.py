"""One or more cases for every layer and loss: how it is made, and what it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Case:
    """A module of `nn` and of `torch.nn`, and inputs on which both must agree.

    Attributes:
        name: the class.
        args, kwargs: with which both are made.
        inputs: a shape for standard normal floats, or an array that is passed as it is.
        options: more arguments of the call; an array becomes a tensor.
        train: whether the module is in train mode (dropout would differ).
        again: whether ten steps of an optimizer make sense; no, for a loss or without parameters.
        batch: which axis of the inputs is the batch, for the empty one; None if there is none.
        call: how it is called, if not with the inputs one after the other.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ((3, 4),)
    options: dict[str, Any] = field(default_factory=dict)
    train: bool = True
    batch: int | None = 0
    call: Callable[..., Any] = lambda module, *inputs, **options: module(*inputs, **options)

    def __str__(self) -> str:
        args = [*map(str, self.args), *(f"{k}={v}" for k, v in self.kwargs.items())]
        shapes = [s if isinstance(s, tuple) else s.shape for s in self.inputs]
        return f"{self.name}({', '.join(args)}) of {' and '.join(map(str, shapes))}" + (
            f" with {', '.join(self.options)}" if self.options else ""
        )

    def arrays(self, dtype: Any = np.float64, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [
            rng.normal(size=s).astype(dtype) if isinstance(s, tuple) else s for s in self.inputs
        ]


def ints(shape: tuple[int, ...], high: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, high, shape)


def recurrent(name: str, *hx: str) -> list[Case]:
    """The cases that all kinds of recurrent layer share; hx are the states it is given."""

    def case(
        *inputs: tuple[int, ...], batch: int | None = 1, layers: int = 1, **kwargs: Any
    ) -> Case:
        args = (3, 4) if layers == 1 else (3, 4, layers)
        return Case(name, args, kwargs, inputs, batch=batch, call=call)

    def call(module: Any, x: Any, *start: Any) -> Any:
        return module(x, *([start] if len(start) > 1 else start))

    return [
        case((6, 5, 3)),
        case((6, 5, 3), layers=2),
        case((5, 6, 3), batch=0, batch_first=True),
        case((6, 3), batch=None),
        case((6, 3), batch=None, layers=2, batch_first=True),
        case((6, 5, 3), layers=2, bias=False),
        case((6, 5, 3), *[(2, 5, 4) for _ in hx], layers=2),
        case((5, 6, 3), *[(1, 5, 4) for _ in hx], batch=None, batch_first=True),
        case((6, 3), *[(2, 4) for _ in hx], batch=None, layers=2),
    ]


def mask(*shape: int) -> np.ndarray:
    """Bools, some True, but no row without a False."""
    some = np.random.default_rng(2).random(shape) < 0.4
    some[..., 0] = False
    return some


FIRST = {"batch_first": True}
ENCODER = ("TransformerEncoderLayer", (6, 3, 5, 0.0))
DECODER = ("TransformerDecoderLayer", (6, 3, 5, 0.0))
SELF = ((4, 5, 6),) * 3  # with batch_first: B 4, T 5, D 6
CROSS = ((4, 5, 6), (4, 7, 6), (4, 7, 6))
CAUSAL = np.triu(np.full((5, 5), -np.inf), 1)

ATTENTION = [
    Case("MultiheadAttention", (6, 3), FIRST, SELF),
    Case("MultiheadAttention", (6, 3), FIRST, CROSS),
    Case("MultiheadAttention", (6, 3), FIRST, CROSS, {"need_weights": False}),
    Case("MultiheadAttention", (6, 3), {}, ((5, 4, 6), (7, 4, 6), (7, 4, 6)), batch=1),
    Case("MultiheadAttention", (6, 2, 0.0, False), FIRST, CROSS, {"average_attn_weights": False}),
    Case("MultiheadAttention", (6, 3), {}, ((5, 6), (7, 6), (7, 6)), batch=None),
    Case("MultiheadAttention", (6, 3), {}, ((5, 6),) * 3, {"need_weights": False}, batch=None),
    Case("MultiheadAttention", (6, 3), FIRST, CROSS, {"attn_mask": mask(5, 7)}),
    Case("MultiheadAttention", (6, 3), FIRST, CROSS, {"attn_mask": mask(12, 5, 7)}),
    Case("MultiheadAttention", (6, 3), FIRST, CROSS, {"key_padding_mask": mask(4, 7)}),
    Case("MultiheadAttention", (6, 3), {}, ((5, 6),) * 3, {"key_padding_mask": mask(5)}),
    Case(
        "MultiheadAttention",
        (6, 3),
        inputs=((5, 4, 6), (7, 4, 6), (7, 4, 6)),
        options={
            "attn_mask": mask(12, 5, 7),
            "key_padding_mask": mask(4, 7),
            "need_weights": False,
        },
    ),
    Case(
        "MultiheadAttention",
        (6, 3),
        FIRST,
        SELF,
        {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False},
    ),
    Case(*ENCODER, FIRST, ((4, 5, 6),)),
    Case(*ENCODER, inputs=((5, 4, 6),), batch=1),
    Case(*ENCODER, {"activation": "gelu", "norm_first": True}, ((5, 6),), batch=None),
    Case(*ENCODER, {"bias": False, "layer_norm_eps": 0.1} | FIRST, ((4, 5, 6),)),
    Case(*ENCODER, FIRST, ((4, 5, 6),), train=False),
    Case(
        *ENCODER,
        {"activation": "gelu", "norm_first": True} | FIRST,
        ((4, 5, 6),),
        {"src_mask": CAUSAL, "is_causal": True},
    ),
    Case(
        *ENCODER,
        FIRST,
        ((4, 5, 6),),
        {"src_mask": mask(5, 5), "src_key_padding_mask": mask(4, 5)},
    ),
    Case(*DECODER, FIRST, ((4, 5, 6), (4, 7, 6))),
    Case(*DECODER, {"norm_first": True}, ((5, 4, 6), (7, 4, 6)), batch=1),
    Case(*DECODER, {"activation": "gelu"}, ((5, 6), (7, 6)), batch=None),
    Case(
        *DECODER,
        FIRST,
        ((4, 5, 6), (4, 7, 6)),
        {
            "tgt_mask": mask(5, 5),
            "memory_mask": mask(5, 7),
            "tgt_key_padding_mask": mask(4, 5),
            "memory_key_padding_mask": mask(4, 7),
        },
    ),
    Case(
        *DECODER,
        FIRST,
        ((4, 5, 6), (4, 7, 6)),
        {"tgt_mask": CAUSAL, "tgt_is_causal": True},
    ),
]

LAYERS = [
    Case("Linear", (4, 5)),
    Case("Linear", (4, 5), {"bias": False}),
    Case("Linear", (4, 5), inputs=((4,),), batch=None),
    Case("Linear", (4, 5), inputs=((3, 6, 4),)),
    Case("Flatten", inputs=((3, 4, 5),)),
    Case("Flatten", (0, 1), inputs=((3, 4, 5),)),
    Case("Dropout", (0.3,), train=False),
    Case("ReLU"),
    Case("LeakyReLU"),
    Case("LeakyReLU", (0.3,)),
    Case("GELU"),
    Case("GELU", ("tanh",)),
    Case("SiLU"),
    Case("Embedding", (7, 4), inputs=(ints((3, 5), 7),)),
    Case("Embedding", (7, 4), {"padding_idx": -3}, inputs=(np.array([4, 0, 4]),)),
    Case("LayerNorm", (4,)),
    Case("LayerNorm", ((5, 4), 0.1), inputs=((3, 5, 4),)),
    Case("LayerNorm", (4,), {"bias": False}, inputs=((3, 6, 4),)),
    Case("LayerNorm", (4,), {"elementwise_affine": False}, inputs=((4,),), batch=None),
    *ATTENTION,
    Case("Tanh"),
    Case("Sigmoid"),
    Case("Softmax", (1,)),
    Case("Softmax", (-1,), inputs=((3, 4, 5),)),
    Case("Conv2d", (3, 4, 3), inputs=((2, 3, 5, 6),)),
    Case("Conv2d", (3, 4, (3, 2)), {"stride": (2, 1), "bias": False}, ((2, 3, 6, 5),)),
    Case("Conv2d", (3, 4, (2, 3), 2, (1, 2), (2, 1)), inputs=((2, 3, 7, 6),)),
    Case("Conv2d", (3, 4, 3), {"padding": 1}, ((3, 5, 6),), batch=None),
    Case("MaxPool2d", (2,), inputs=((2, 3, 5, 6),)),
    Case("MaxPool2d", ((3, 2), 1, 1), {"dilation": (1, 2)}, ((2, 3, 6, 5),)),
    Case("MaxPool2d", (3,), {"stride": 2}, ((3, 6, 5),), batch=None),
    Case("AvgPool2d", (2,), inputs=((2, 3, 5, 6),)),
    Case("AvgPool2d", ((3, 2), 2, (1, 0)), inputs=((2, 3, 7, 5),)),
    Case("AvgPool2d", (3,), {"stride": (1, 2)}, ((3, 6, 5),), batch=None),
    Case("AdaptiveAvgPool2d", (1,), inputs=((2, 3, 5, 6),)),
    Case("AdaptiveAvgPool2d", ((3, 4),), inputs=((2, 3, 5, 7),)),
    Case("AdaptiveAvgPool2d", ((2, 3),), inputs=((3, 6, 5),), batch=None),
    Case("BatchNorm1d", (4,)),
    Case("BatchNorm1d", (4,), inputs=((3, 4, 5),)),
    Case("BatchNorm1d", (4, 0.1, 0.3, False), inputs=((3, 4),)),
    Case("BatchNorm1d", (4,), {"momentum": None}),
    Case("BatchNorm1d", (4,), train=False),
    Case("BatchNorm2d", (3,), inputs=((2, 3, 4, 5),)),
    Case("BatchNorm2d", (3,), inputs=((2, 3, 4, 5),), train=False),
    *recurrent("RNN", "h_0"),
    Case("RNN", (3, 4, 2, "relu"), inputs=((6, 5, 3),), batch=1),
    *recurrent("LSTM", "h_0", "c_0"),
    *recurrent("GRU", "h_0"),
]

LOSSES = [
    Case("MSELoss", inputs=((3, 4), np.linspace(-1, 1, 12).reshape(3, 4))),
    Case("L1Loss", inputs=((3, 4), np.linspace(-1, 1, 12).reshape(3, 4))),
    Case("MSELoss", (), {"reduction": "sum"}, ((3, 4), np.linspace(-1, 1, 12).reshape(3, 4))),
    Case("L1Loss", (), {"reduction": "none"}, ((3, 4), np.linspace(-1, 1, 12).reshape(3, 4))),
    Case("CrossEntropyLoss", inputs=((5, 3), ints((5,), 3))),
    Case("CrossEntropyLoss", (), {"ignore_index": 1}, ((5, 3), np.array([0, 1, 2, 1, 1]))),
    Case(
        "CrossEntropyLoss",
        (),
        {"ignore_index": 1, "reduction": "none"},
        ((5, 3), np.array([0, 1, 2, 1, 1])),
    ),
    Case("CrossEntropyLoss", (), {"reduction": "sum"}, ((5, 3), np.array([0, 1, -100, 1, 1]))),
    Case("BCEWithLogitsLoss", inputs=((5,), ints((5,), 2).astype(np.float64))),
    # BCELoss takes probabilities, not any float: test_nn.py
]

CONTAINERS = {"Module", "Sequential", "ModuleList"}
# compared with torch, or with what defines them, in tests of their own
ELSEWHERE = {"BCELoss", "LearnedPositions", "SinusoidalPositions"}
