"""The places of places.py, for the tests of this folder."""

from places import device, place, pytest_generate_tests

__all__ = ["device", "place", "pytest_generate_tests"]
