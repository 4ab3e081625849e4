import pytest


@pytest.fixture(autouse=True)
def no_guard(monkeypatch):
    """Stand-in images are no CT; the guard has tests of its own."""
    monkeypatch.setattr("metaunetr.engine.segmenter.inspect_ct", lambda image: [])
    monkeypatch.setattr("metaunetr.engine.segmenter.as_air", lambda image: image)
