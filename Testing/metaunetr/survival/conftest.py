"""How many examples hypothesis tries, always the same ones; a process that reads bad files."""

import sys

import pytest
from hypothesis import HealthCheck, settings

from reader import Reader

FEW, MANY = 25, 2000


def pytest_configure(config):
    settings.register_profile(
        "survival", max_examples=MANY if config.getoption("--long") else FEW, deadline=None,
        derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("survival")


@pytest.fixture(scope="session")
def reader():
    """Has 1 GiB more memory than its libraries take."""
    if sys.platform != "linux":
        pytest.skip("limits memory as Linux does")
    with Reader() as reader:
        yield reader
