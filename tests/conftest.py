"""How hypothesis draws: the same examples at every run, many more with `--hypothesis-profile=soak`."""

from hypothesis import settings

import tinygrad_nn  # noqa: F401  fills the registry before tests are collected

collect_ignore = ["bench"]  # measurements: run by `python -m`, some with packages that are not installed here

settings.register_profile("default", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile("default")
