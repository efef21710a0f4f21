"""The checks, by family: small functions that read what was seen and add findings to a report."""

from tinygrad_nn.doctor.checks import beginning, curves, data, layers, loop, wiring

AT_START = (loop.optimizer_holds_the_parameters, loop.something_learns, beginning.weights_differ, beginning.weights_have_scale)
AT_BACKWARD = (
    data.inputs, data.targets, wiring.loss_input, wiring.shapes, wiring.softmax_axis, wiring.doubled_sigmoid,
    wiring.squared_softmax, wiring.precision,
)  # fmt: skip
AT_END = (
    beginning.first_loss, layers.saturation, layers.dead_relus, layers.gradients, layers.silent_parameters, layers.update_ratios,
    loop.stepped, data.order, data.repeated, data.leakage, curves.diverged, curves.stuck, curves.slow, curves.underfit,
    curves.overfit,
)  # fmt: skip
