"""A run of a few steps, a small bundle, and a CT for them."""

from __future__ import annotations

import pytest
import torch

from metaunetr import bundle, io
from tiny_bundle import small_ct, write_bundle
from tiny_run import make_run


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return bundle.load(write_bundle(tmp_path_factory.mktemp("bundle") / "tiny"))


@pytest.fixture(scope="session")
def ct(tmp_path_factory):
    path = tmp_path_factory.mktemp("ct") / "ct.nii.gz"
    io.write_image(path, small_ct())
    return path
