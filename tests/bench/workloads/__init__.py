"""A module a workload, in PyTorch's style and written once; they import nothing that they measure."""

from tests.bench.workload import Workload
from tests.bench.workloads import (
    adam,
    chain,
    cnn,
    data_loader,
    growth_batch,
    growth_depth,
    growth_depth_paused,
    growth_width,
    import_,
    lenet,
    memory,
    mlp,
    mnist_example,
    rnn_cell,
    transformer,
)

_ORDER = (
    mlp, adam, chain, rnn_cell, transformer, lenet, cnn, data_loader, mnist_example, import_, memory,
    growth_depth, growth_depth_paused, growth_width, growth_batch,
)  # fmt: skip
WORKLOADS = {workload.name: workload for workload in map(Workload.of, _ORDER)}
