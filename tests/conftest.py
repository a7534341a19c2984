"""Settings of all tests."""

import hypothesis

# A shared machine stalls now and then, so the duration of an example says nothing about the code.
hypothesis.settings.register_profile(
    "shared", deadline=None, max_examples=50, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")
