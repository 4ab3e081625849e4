"""What every test can rely on."""

import locale
import signal

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


@pytest.fixture(autouse=True, scope="session")
def signals_as_in_a_terminal():
    """What is run under nohup or in the background inherits signals that are ignored."""
    wanted = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
    numbers = {getattr(signal, name): handler for name, handler in wanted.items()
               if hasattr(signal, name)}
    previous = {number: signal.signal(number, handler) for number, handler in numbers.items()}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)
