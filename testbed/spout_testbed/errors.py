"""What the test bed raises when it cannot do what was asked."""


class TestbedError(Exception):
    """The test bed could not do something; the message says what and what to do about it."""

    __test__ = False  # the name starts with Test, and pytest would collect it
