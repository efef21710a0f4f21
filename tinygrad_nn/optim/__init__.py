"""Optimisers and learning-rate schedules in PyTorch's spelling."""

from tinygrad_nn.optim import lr_scheduler, swa_utils
from tinygrad_nn.optim.adadelta import Adadelta
from tinygrad_nn.optim.adafactor import Adafactor
from tinygrad_nn.optim.adagrad import Adagrad
from tinygrad_nn.optim.adam import Adam
from tinygrad_nn.optim.adamax import Adamax
from tinygrad_nn.optim.adamw import AdamW
from tinygrad_nn.optim.asgd import ASGD
from tinygrad_nn.optim.lbfgs import LBFGS
from tinygrad_nn.optim.muon import Muon
from tinygrad_nn.optim.nadam import NAdam
from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.radam import RAdam
from tinygrad_nn.optim.rmsprop import RMSprop
from tinygrad_nn.optim.rprop import Rprop
from tinygrad_nn.optim.sgd import SGD
from tinygrad_nn.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam", "Optimizer", "RAdam",
    "RMSprop", "Rprop", "SparseAdam", "lr_scheduler", "swa_utils",
]  # fmt: skip
