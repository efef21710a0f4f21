"""The checks, by family: small functions that read what was seen and add findings to a report."""

from tinygrad_nn.doctor.checks import beginning, curves, data, layers, loop, settings, wiring

AT_START = (
    loop.optimizer_holds_the_parameters, loop.something_learns, beginning.weights_differ, beginning.weights_have_scale,
    settings.dropout,
)  # fmt: skip
AT_BACKWARD = (
    data.inputs, data.targets, wiring.loss_input, wiring.shapes, wiring.softmax_axis, wiring.doubled_sigmoid,
    wiring.squared_softmax, wiring.precision, settings.sign, settings.chained,
)  # fmt: skip
AT_END = (
    layers.saturation, layers.dead_relus, layers.gradients, layers.silent_parameters, loop.stepped, data.leakage,
)  # fmt: skip
OF_ONE_LOSS = (  # at the end too, where all backwards are of the loss that is to fall
    settings.schedule, settings.decay, settings.clipping, beginning.first_loss, data.order, data.balance, data.repeated,
    curves.diverged, curves.stuck, curves.slow, curves.underfit, curves.overfit, settings.no_activation, layers.update_ratios,
)  # fmt: skip
