"""Layers: functions that own the numbers they learn, and modules made of modules."""

from nnlib.nn.activations import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from nnlib.nn.attention import MultiheadAttention, TransformerDecoderLayer, TransformerEncoderLayer
from nnlib.nn.conv import AdaptiveAvgPool2d, AvgPool2d, Conv2d, MaxPool2d
from nnlib.nn.embedding import Embedding, LearnedPositions, SinusoidalPositions
from nnlib.nn.layers import Dropout, Flatten, Linear
from nnlib.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss
from nnlib.nn.module import Buffer, Module, ModuleList, Parameter, Sequential
from nnlib.nn.norm import BatchNorm1d, BatchNorm2d, LayerNorm
from nnlib.nn.recurrent import GRU, LSTM, RNN
