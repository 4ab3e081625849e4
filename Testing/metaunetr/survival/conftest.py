"""How many examples hypothesis tries; always the same ones."""

from hypothesis import HealthCheck, settings

FEW, MANY = 25, 2000


def pytest_configure(config):
    settings.register_profile(
        "survival", max_examples=MANY if config.getoption("--long") else FEW, deadline=None,
        derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("survival")
