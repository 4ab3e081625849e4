"""Makes the pictures of README.md: the report page of the demo, and the colours of the organs.

    .venv/bin/python Testing/pictures.py
    .venv/bin/python Testing/pictures.py FOLDER

Run it after a change of the bundled model, the report page or the palette. It needs Chromium or
Chrome, and Pillow, which comes with the extra `test`. With a folder, it takes the pictures of
docs/slicer.md from there, where application/screenshots.py has put them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "Training")]
from metaunetr.bundle import find  # noqa: E402
from metaunetr.report.palette import shown_colour  # noqa: E402

PICTURES = ROOT / "Resources/Screenshots"
WIDTH, HEIGHT, SCALE = 1000, 2400, 1.25  # CSS pixels, and pixels for each
# The title becomes the top of the line about flags and the bottom of the viewer.
MEASURE = """<script>setTimeout(() => {
  const edge = (name, side) => document.querySelector(name).getBoundingClientRect()[side];
  document.title = `${edge(".summary", "top")} ${edge("#viewer", "bottom")}`;
}, 20000);</script></body>"""


def report_picture(path: Path) -> None:
    """The flags and the viewer on the report page of `run.py demo`, as WebP."""
    from run import segment_phantom

    with tempfile.TemporaryDirectory() as name:
        page = segment_phantom(Path(name))
        html = page.read_text(encoding="utf-8")
        page.write_text(html.replace("</body>", MEASURE), encoding="utf-8")
        title = chromium(page, "--dump-dom").partition("<title>")[2].partition("</title>")[0]
        top, bottom = map(float, title.split())
        screen = page.with_suffix(".png")
        chromium(page, f"--force-device-scale-factor={SCALE}", f"--screenshot={screen}")
        box = [round(SCALE * side) for side in (16, top - 8, WIDTH - 16, bottom + 8)]
        save(Image.open(screen).crop(box), path)


def save(picture: Image.Image, path: Path) -> None:
    picture.convert("RGB").save(path, quality=75, method=6)


def chromium(page: Path, *options: str) -> str:
    """What a browser without a window writes to its standard output about a page."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        sys.exit("Install Chromium or Chrome first.")
    return subprocess.run(
        [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=100000",
         f"--window-size={WIDTH},{HEIGHT}", *options, page.as_uri()],
        check=True, capture_output=True, text=True).stdout


def legend() -> str:
    """The organs of the bundled model in two columns, as SVG."""
    organs = sorted(find().classes, key=lambda organ: organ.number)
    rows = (len(organs) + 1) // 2
    names = ", ".join(organ.name for organ in organs)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="460" height="{34 * rows}" '
        f'viewBox="0 0 460 {34 * rows}" role="img" font-family="sans-serif" font-size="16">',
        f"<title>Colours of the organs: {names}</title>",
        f'<rect width="460" height="{34 * rows}" rx="6" fill="#ffffff"/>',
    ]
    for n, organ in enumerate(organs):
        x, y = 10 + 230 * (n // rows), 7 + 34 * (n % rows)
        colour = ", ".join(map(str, shown_colour(organ)))
        lines.append(
            f'<rect x="{x}" y="{y}" width="20" height="20" rx="3" fill="rgb({colour})"/>'
            f'<text x="{x + 28}" y="{y + 16}" fill="#222222">{organ.name}</text>')
    return "\n".join([*lines, "</svg>\n"])


if __name__ == "__main__":
    if sys.argv[1:]:
        for path in sorted(Path(sys.argv[1]).glob("*.png")):
            save(Image.open(path), PICTURES / path.with_suffix(".webp").name)
    else:
        (PICTURES / "organs.svg").write_text(legend(), encoding="utf-8")
        report_picture(PICTURES / "demo.webp")
