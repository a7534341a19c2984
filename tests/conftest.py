"""Settings of all tests."""

import hypothesis

# A shared machine stalls now and then, so the duration of an example says nothing about the code.
SLOW = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("shared", SLOW, max_examples=25)
# Each run tries other examples. For many at once: pytest --hypothesis-profile=thorough
hypothesis.settings.register_profile("thorough", SLOW, max_examples=1000)
hypothesis.settings.load_profile("shared")
