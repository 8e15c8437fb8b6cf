"""Hypothesis settings for these tests."""

from hypothesis import settings

# The machine that runs the tests may be busy; how long an example takes says nothing.
settings.register_profile("bench", deadline=None)
settings.load_profile("bench")
