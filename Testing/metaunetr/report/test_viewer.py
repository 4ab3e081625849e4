"""The viewer holds the CT and the labels that it was made of, and works in a browser."""

import json
import re
import shutil
import subprocess
import zlib
from base64 import b64decode

import numpy as np
import pytest

from metaunetr.image import Grid, Image
from metaunetr.organs import find
from metaunetr.report import viewer, write_report
from metaunetr.report.overlay import Scene
from metaunetr.report.viewer import HU, LEVELS, VOXELS, display_positions, render_viewer
from metaunetr.result import OrganResult, Result

LIVER, SPLEEN = find("liver"), find("spleen")
SHAPE = (12, 40, 50)  # (D, H, W)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def case(shape=SHAPE):
    """A body in air, with a liver on the right and a small spleen on the left."""
    hu = np.full(shape, -1000, np.int16)
    hu[:, 4:-4, 4:-4] = np.random.default_rng(0).integers(-150, 250, (shape[0], *(
        n - 8 for n in shape[1:])))
    labels = np.zeros(shape, np.uint8)
    labels[2:9, 10:30, 8:20] = LIVER.number
    labels[7, 20:24, 38:46] = SPLEEN.number  # a bow, whose middle lies outside
    labels[7, 22:24, 40:44] = 0
    grid = Grid(shape, (2.0, 2.0, 5.0), (-50.0, -40.0, 100.0))
    return Image(hu, grid), Image(labels, grid)


def held(html, name):
    return re.search(rf'<script type="[^"]*" id="viewer-{name}">(.*?)</script>', html)[1]


def unpacked(html, name):
    shape = json.loads(held(html, "about"))["shape"]
    values = np.frombuffer(zlib.decompress(b64decode(held(html, name))), np.uint8)
    return np.cumsum(values, dtype=np.uint8).reshape(shape)


def test_the_page_holds_the_ct_and_its_labels():
    image, labels = case()
    html = render_viewer(Scene.of(image, labels))
    np.testing.assert_array_equal(unpacked(html, "labels"), labels.array)
    hu = np.interp(unpacked(html, "ct"), LEVELS, HU)
    assert np.abs(hu - image.array)[image.array > -200].max() <= 2  # half of 4 HU a level
    assert np.abs(hu - image.array).max() <= 11


def test_it_knows_where_organs_and_slices_lie():
    image, labels = case()
    about = json.loads(held(render_viewer(Scene.of(image, labels)), "about"))
    found = {organ["name"]: organ["at"] for organ in about["organs"]}
    assert found.keys() == {"liver", "spleen"}
    for organ in (LIVER, SPLEEN):
        assert labels.array[tuple(found[organ.name])] == organ.number
    assert about["places"][0][7] == "slice 8 of 12, S 135 mm"  # 100 + 7 × 5
    assert about["places"][1][3] == "slice 4 of 40, A 34 mm"  # -40 + 3 × 2
    assert about["places"][2][0] == "slice 1 of 50, R 50 mm"


@pytest.mark.parametrize(("shape", "spacing"), [
    ((150, 512, 512), (0.8, 0.8, 3.0)), ((900, 512, 512), (0.7, 0.7, 0.6)),
    ((40, 64, 64), (6.0, 6.0, 5.0)), ((1, 64, 64), (1.0, 1.0, 1.0)),
])
def test_the_volume_shown_covers_the_image_and_is_limited(shape, spacing):
    zeros = np.zeros(1, np.int16)
    scene = Scene(np.broadcast_to(zeros, shape), np.broadcast_to(zeros, shape), spacing[::-1],
                  Grid(shape, spacing, (0, 0, 0)), {})
    positions = display_positions(scene)
    counts = np.array([len(along) for along in positions])
    assert counts.prod() <= VOXELS
    steps = np.array(shape) / counts  # voxels of the image
    assert (steps >= 1).all() and (counts.prod() > 0.9 * VOXELS or (steps == 1).all())
    for along, step, size in zip(positions, steps, shape, strict=True):
        assert along[0] == pytest.approx((step - 1) / 2)
        assert along[-1] == pytest.approx(size - 1 - (step - 1) / 2)


def test_every_third_voxel_is_shown(monkeypatch):
    """The positions are whole numbers, as if all voxels were shown."""
    monkeypatch.setattr(viewer, "VOXELS", 4 * 4 * 4)
    hu = np.full((12, 12, 12), 40, np.int16)
    hu[:, :, 4] = 200
    grid = Grid(hu.shape, (1, 1, 1), (0, 0, 0))
    scene = Scene.of(Image(hu, grid), Image(np.zeros(hu.shape, np.uint8), grid))
    positions = display_positions(scene)
    assert [along.tolist() for along in positions] == [[1, 4, 7, 10]] * 3
    levels = viewer._resampled(scene, positions)
    assert levels.shape == (4, 4, 4) and (levels.argmax(axis=2) == 1).all()


def test_a_large_noisy_ct_fits_fifteen_megabytes():
    """From a tenth of the largest volume shown, because the bytes per voxel are the same."""
    shape = (10, VOXELS // 10 // 10 // 400, 400)
    hu = np.random.default_rng(0).normal(40, 20, shape).astype(np.int16)
    grid = Grid(shape, (0.8, 0.8, 3.0), (0, 0, 0))
    scene = Scene.of(Image(hu, grid), Image(np.zeros(shape, np.uint8), grid))
    assert len(render_viewer(scene)) < 1.5e6


ACTIONS = """
const seen = [], $ = selector => document.querySelector(selector);
const note = () => seen.push($("#here").textContent + " | " + [...document.querySelectorAll(
  "#viewer .place")].map(place => place.textContent).join(" | "));
const colour = () => { // how many pixels of the axial picture are coloured
  const canvas = $("#viewer canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let n = 0; n < data.length; n += 4) count += Math.abs(data[n] - data[n + 2]) > 60;
  return count;
};
const press = key => $("#viewer canvas").dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const act = () => {
  if ($("#viewer").hidden) { // the browser's clock runs ahead of its threads
    for (let n = 0; n < 3e6; n++);
    return setTimeout(act, 10);
  }
  seen.push($("#viewer").hidden, getComputedStyle($("#stills")).display);
  $("td [data-organ='1']").click(); note();
  press("ArrowUp"); note();
  $("#organs button").click(); note();
  const box = $("#viewer canvas").getBoundingClientRect();
  $("#viewer canvas").dispatchEvent(new MouseEvent("click", {
    clientX: box.left + box.width * 0.99, clientY: box.top + 1, bubbles: true })); note();
  $("#opacity").value = 100; $("#opacity").dispatchEvent(new Event("input"));
  seen.push(colour() > 1000); press("o"); seen.push(colour() > 1000);
  press("3"); seen.push($("#window").selectedIndex);
  document.title = JSON.stringify(seen);
};
act();
"""


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
def test_it_works_in_a_browser(tmp_path):
    image, labels = case()
    organs = tuple(OrganResult(organ, 10, 1.0, 50.0, 9.0, 0.9) for organ in (SPLEEN, LIVER))
    page = tmp_path / "page.html"
    write_report(page, image, Result(labels, organs, {}))
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("</main>", f"</main><script>{ACTIONS}</script>"), "utf-8")
    browser = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1000,900",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=100000", "--dump-dom",
         page.as_uri()], capture_output=True, text=True, timeout=250)
    title = re.search("<title>(.*?)</title>", browser.stdout)[1]
    hidden, stills, spleen, up, first, corner, shown, off, window = json.loads(title)
    assert (hidden, stills) == (False, "none")
    assert spleen.endswith("slice 8 of 12, S 135 mm | slice 22 of 40, P 2 mm | "
                           "slice 42 of 50, L 32 mm") and "HU, spleen" in spleen
    assert "slice 9 of 12, S 140 mm" in up and "spleen" not in up
    assert "HU, spleen" in first
    assert corner.startswith("At the cross: about -1003 HU |")  # the nearest level
    assert "slice 1 of 40" in corner and "slice 50 of 50" in corner
    assert (shown, off, window) == (True, False, 2)
