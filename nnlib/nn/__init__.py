"""Layers: functions that own the numbers they learn, and modules made of modules."""

from nnlib.nn.attention import (
    LearnedPositions,
    MultiheadAttention,
    SinusoidalPositions,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from nnlib.nn.conv import AdaptiveAvgPool2d, AvgPool2d, Conv2d, MaxPool2d
from nnlib.nn.layers import (
    GELU,
    Dropout,
    Embedding,
    Flatten,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from nnlib.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from nnlib.nn.module import Buffer, Module, ModuleList, Parameter, Sequential
from nnlib.nn.norm import BatchNorm1d, BatchNorm2d, LayerNorm
from nnlib.nn.recurrent import GRU, LSTM, RNN
