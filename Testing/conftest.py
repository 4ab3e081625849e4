"""What every test can rely on."""

import locale

import pytest


@pytest.fixture(autouse=True)
def same_locale():
    """GDCM, writing DICOM files, leaves the process in the "C" locale: text files become ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)
