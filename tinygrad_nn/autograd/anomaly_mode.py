"""Anomaly detection, by the module that PyTorch has it in."""

from tinygrad_nn.autograd.modes import detect_anomaly, set_detect_anomaly

__all__ = ["detect_anomaly", "set_detect_anomaly"]
