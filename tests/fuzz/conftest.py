"""Registered here, because `--hypothesis-profile` is read before any test module is imported.

`make test` tries a handful of each, always the same. `make fuzz` tries other ones, for ten minutes; see `tests.support.fuzz`.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fuzz",
    max_examples=400,
    derandomize=False,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
