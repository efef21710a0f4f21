"""How hypothesis draws: the same examples at every run, many more with `--hypothesis-profile=soak`."""

from hypothesis import HealthCheck, settings

collect_ignore = ["bench"]  # measurements: run by `python -m`, some with packages that are not installed here

busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # what a test says must not depend on the machine
settings.register_profile("default", busy, derandomize=True, max_examples=25)
settings.register_profile("soak", busy, max_examples=2000)
settings.load_profile("default")
