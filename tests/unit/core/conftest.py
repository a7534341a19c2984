"""How property tests run here: however busy the machine is, an example is never too slow."""

import hypothesis

hypothesis.settings.register_profile("core", deadline=None, max_examples=40)
hypothesis.settings.load_profile("core")
