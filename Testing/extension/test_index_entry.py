"""The index entry, in its current and its former format, agrees with CMakeLists.txt.

The rules are those of the index's schema 1.0.2 and of the checks that it runs on new entries.
"""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
NAME = "MetaUNETR"
SCHEMA = ("https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/"
          "slicer-extension-catalog-entry-schema-v1.0.2.json#")
KINDS = {"$schema": str, "category": str, "scm_url": str, "scm_revision": str, "scm_type": str,
         "build_dependencies": list, "dicom_support_rule": str, "build_subdirectory": str,
         "enabled": bool, "tier": int}
MODULE = ROOT / "MetaUNETRSegment"


def text(name: str) -> str:
    return (ROOT / name).read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def entry() -> dict:
    return json.loads(text(f"{NAME}.json"))


@pytest.fixture(scope="module")
def former() -> dict[str, str]:
    lines = (line for line in text(f"{NAME}.s4ext").splitlines() if line and line[0] != "#")
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}


@pytest.fixture(scope="module")
def cmake() -> dict[str, str]:
    """What CMakeLists.txt says, read as the index's checks read it."""
    return dict(re.findall(r'set\s*\(EXTENSION_(\w+)\s*"([^"]+)"', text("CMakeLists.txt")))


def test_the_entry_has_the_form_of_the_schema(entry):
    assert entry["$schema"] == SCHEMA
    assert {"category", "scm_url"} <= entry.keys() <= KINDS.keys()
    assert {key: type(value) for key, value in entry.items()} == {key: KINDS[key] for key in entry}
    assert all(isinstance(name, str) for name in entry["build_dependencies"])
    assert 1 <= entry["tier"] <= 5
    assert urlsplit(entry["scm_url"]).scheme == "https"


def test_lines_end_as_the_index_wants():
    assert "\r" not in text(f"{NAME}.json")


def test_the_extension_is_called_as_its_entry():
    assert re.search(r"project\s*\(\s*([^\s)]+)", text("CMakeLists.txt")).group(1) == NAME


def test_entry_and_build_agree(entry, cmake):
    assert " ".join(entry["build_dependencies"]) == cmake["DEPENDS"]
    assert entry["category"] == cmake["CATEGORY"]
    assert entry["scm_url"] == cmake["HOMEPAGE"] + ".git"


def test_former_and_current_entry_agree(entry, former):
    assert former["scm"] == entry.get("scm_type", "git")
    assert former["scmurl"] == entry["scm_url"]
    assert former["scmrevision"] == entry["scm_revision"]
    assert former["depends"].split() == entry["build_dependencies"]
    assert former["category"] == entry["category"]
    assert former["build_subdirectory"] == entry["build_subdirectory"]
    assert former["tier"] == str(entry["tier"])
    assert former["enabled"] == str(int(entry.get("enabled", True)))


@pytest.mark.parametrize("key", ["homepage", "contributors", "category", "iconurl", "description",
                                 "screenshoturls", "depends"])
def test_former_entry_and_build_agree(former, cmake, key):
    assert former[key] == cmake[key.upper()]


def test_pictures_are_in_the_repository(cmake, entry):
    base = entry["scm_url"].removesuffix(".git").replace("github.com", "raw.githubusercontent.com")
    base += f"/{entry['scm_revision']}/"
    for url in [cmake["ICONURL"], *cmake["SCREENSHOTURLS"].split()]:
        assert url.startswith(base)
        assert (ROOT / url.removeprefix(base)).is_file(), url


def test_the_icon_is_128_pixels_wide_and_transparent():
    data = (MODULE / "Resources" / "Icons" / "MetaUNETRSegment.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, _depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (width, height) == (128, 128)
    assert colour in (4, 6), "no alpha channel"


def test_a_checkout_stays_under_100_MB():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    files = (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    # the index weighs the clone with its history; half is left to that
    assert sum(path.stat().st_size for path in files if path.is_file()) < 50e6
