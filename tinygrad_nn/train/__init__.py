"""A training loop to like: fit, evaluate, predict, the history, metrics, callbacks and checkpoints."""

from tinygrad_nn.train.callbacks import Callback, CSVLog, EarlyStopping, LearningRate, PlotCurves, TensorBoardLog
from tinygrad_nn.train.checkpoint import Checkpoint
from tinygrad_nn.train.fit import Run, evaluate, fit, predict
from tinygrad_nn.train.history import History
from tinygrad_nn.train.metrics import Accuracy, ConfusionMatrix, MeanAbsoluteError, MeanSquaredError, Metric, TopK

__all__ = [
    "Accuracy", "CSVLog", "Callback", "Checkpoint", "ConfusionMatrix", "EarlyStopping", "History", "LearningRate",
    "MeanAbsoluteError", "MeanSquaredError", "Metric", "PlotCurves", "Run", "TensorBoardLog", "TopK", "evaluate", "fit",
    "predict",
]  # fmt: skip
