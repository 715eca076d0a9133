"""Settings of hypothesis for `python -m benchmarks.fuzz`, which names them on pytest's command line."""

from hypothesis import HealthCheck, settings

settings.register_profile("long", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
