"""Freed memory is kept for the next array: after a first round, large temporaries cost no more page faults."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
import tinygrad_nn
def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        [np.ones(1 << 20) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(2)
print(faults(20))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc is told")
def test_large_temporaries_are_not_fetched_anew():
    printed = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert int(printed) < 2000  # handing 32 MB back and fetching them again 20 times takes 160,000
