"""Learning-rate schedules in PyTorch's spelling."""

from tinygrad_nn.optim.lr_scheduler.base import LRScheduler
from tinygrad_nn.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from tinygrad_nn.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from tinygrad_nn.optim.lr_scheduler.cyclic import CyclicLR, OneCycleLR
from tinygrad_nn.optim.lr_scheduler.factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)  # fmt: skip
from tinygrad_nn.optim.lr_scheduler.plateau import ReduceLROnPlateau


class _LRScheduler(LRScheduler):
    """The name that older schedules of one's own are derived from; the schedules above are not."""


__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau",
    "SequentialLR", "StepLR",
]  # fmt: skip
