"""`cases.py`: what it says of a case, and its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MAKE = """
from pathlib import Path
for unit, size in (("mm", 1), ("cm", CM), ("m", 0.001)):
    header = ["NRRD0005", "type: int16", "dimension: 3", "space: LPS", "sizes: 5 5 6",
              "encoding: raw", f'space units: "{unit}" "{unit}" "{unit}"',
              f"space directions: ({70 * size},0,0) (0,{70 * size},0) (0,0,{30 * size})"]
    Path(f"{unit}.nrrd").write_text("\\n".join([*header, "", "HU" * 150]))
"""


def cases(folder: Path, **makes: str) -> tuple[int, list[str]]:
    """The exit code, and the first two words of each line."""
    for name, text in makes.items():
        (folder / name).mkdir()
        (folder / name / "make.py").write_text(text)
    done = subprocess.run([sys.executable, Path(__file__).with_name("cases.py"), folder],
                          capture_output=True, text=True, timeout=300)
    return done.returncode, [" ".join(line.split()[:2]) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="sh")
@pytest.mark.parametrize(("makes", "code", "lines"), [
    ({"nrrd_units": MAKE.replace("CM", "0.1")}, 0, ["ok nrrd_units", "1 cases:"]),
    ({"nrrd_units": MAKE.replace("CM", "1")}, 1, ["FAIL nrrd_units", "1 cases:"]),
    ({"nrrd_units": "raise SystemExit(1)", "nobody_checks": ""}, 1,
     ["FAIL nobody_checks", "FAIL nrrd_units", "2 cases:"]),
    ({}, 2, []),
])
def test_a_line_a_case(tmp_path, makes, code, lines):
    assert cases(tmp_path, **makes) == (code, lines)
