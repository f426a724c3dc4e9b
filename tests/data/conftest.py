"""Property tests here write files: how long one takes says nothing about it."""

from hypothesis import HealthCheck, settings

settings.register_profile("data", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("data")
