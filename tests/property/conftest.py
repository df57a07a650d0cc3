"""Registered here, because `--hypothesis-profile` is read before any test module is imported."""

from hypothesis import HealthCheck, settings

# For a deeper look on one's own machine: random, and it keeps what it finds in .hypothesis.
settings.register_profile(
    "deep",
    max_examples=5000,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
