"""What every test can rely on."""

import locale

import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true",
                     help="the long form of the tests of reliability; see Testing/README.md")


@pytest.fixture(scope="session")
def long(request) -> bool:
    """Whether a test that tries many cases is to try as many as the documentation says."""
    return request.config.getoption("--long")


LOCALE = locale.setlocale(locale.LC_ALL)


@pytest.fixture(autouse=True)
def same_locale():
    """GDCM, writing DICOM files, leaves the process in the "C" locale: text files become ASCII."""
    locale.setlocale(locale.LC_ALL, LOCALE)
