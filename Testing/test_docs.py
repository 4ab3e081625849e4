"""The Markdown files: links, commands, quoted messages and figures are those of the project."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from metaunetr import cli
from metaunetr.bundle import DEFAULT_MODEL, find
from metaunetr.io import read_image
from metaunetr.organs import ORGANS
from metaunetr.report.palette import shown_colour
from tiny_bundle import card, write_bundle

ROOT = Path(__file__).resolve().parents[1]
OURS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs", "Training", "Testing",
        "Resources", "MetaUNETRSegment", ".github")
PAGES = sorted(page for name in OURS for page in (
    [ROOT / name] if name.endswith(".md") else (ROOT / name).rglob("*.md")))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SLICER_BATCH = "batch_segment.py --"  # what follows are the arguments of `metaunetr batch`


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in HEADING.findall(prose(page))}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_to_files_and_headings(page):
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_in_the_table_of_contents():
    contents = ROOT / "docs" / "README.md"
    listed = {(contents.parent / link.partition("#")[0]).resolve()
              for link in LINK.findall(prose(contents))}
    assert {page for page in (ROOT / "docs").glob("*.md") if page != contents} <= listed


def block_lines(page: Path) -> list[str]:
    """The lines of code blocks, without comments, joined where they end in a backslash."""
    blocks = "".join(text for _, text in FENCE.findall(page.read_text(encoding="utf-8")))
    lines = blocks.replace("\\\n", " ").splitlines()
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


def commands(page: Path) -> tuple[list[str], list[str]]:
    """The command lines of a page: complete ones of code blocks, and those within sentences."""
    complete = [f"metaunetr batch {line.partition(SLICER_BATCH)[2]}"
                if SLICER_BATCH in line else line for line in block_lines(page)]
    within = [code for code in CODE.findall(prose(page)) if "/" not in code.split()[0]]
    return ([line for line in complete if program(line) and "…" not in line],
            [line for line in within if program(line)])


def program(line: str) -> str:
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    return first if first in ("metaunetr", "metaunetr-training") else ""


def parser_of(line: str) -> argparse.ArgumentParser:
    if program(line) == "metaunetr":
        return cli.parser()
    pytest.importorskip("yaml", reason="metaunetr-training needs the extra `training`")
    from metaunetr_training.cli import parser

    return parser()


def unknown(line: str) -> list[str]:
    """The commands and options in a line that its parser does not have."""
    parser, *words = parser_of(line), *shlex.split(line)[1:]
    for word in words:
        choices = next((action.choices for action in parser._actions
                        if isinstance(action, argparse._SubParsersAction)), {})
        if word in choices:
            parser = choices[word]
        elif choices and re.fullmatch(r"[a-z]+", word):
            return [word]
    options = {option for action in parser._actions for option in action.option_strings}
    return [word for word in words if re.fullmatch(r"--?[a-z-]+", word) and word not in options]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_parse(page, capsys):
    complete, within = commands(page)
    wrong = [(line, words) for line in (*complete, *within) if (words := unknown(line))]
    assert not wrong
    for line in complete:
        try:
            parser_of(line).parse_args(shlex.split(line)[1:])
        except SystemExit as stop:  # of --version and --help, it is 0
            assert not stop.code, f"{line}: {capsys.readouterr().err}"


def source() -> str:
    """The text of the core and the module, with literals joined and values as "…"."""
    files = [path for folder in ("Training/metaunetr", "MetaUNETRSegment")
             for path in (ROOT / folder).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    return re.sub(r"\{[^{}\n]*\}", "…", text)


@pytest.mark.parametrize("page", ["troubleshooting.md", "results.md"])
def test_quoted_messages_are_those_of_the_code(page):
    text = source()
    quoted = [code for code in CODE.findall(prose(ROOT / "docs" / page))
              if " " in code and not re.match(r"python|metaunetr|pip|uv |\.|~|--|\"", code)]
    parts = [part.strip(" .:;,()") for message in quoted for part in message.split("…")]
    missing = [part for part in parts if len(part) > 8 and part not in text]
    assert len(quoted) > 10
    assert not missing


def rows(page: Path) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in prose(page).splitlines() if line.startswith("|")]


def test_organs_and_colours_are_those_of_the_bundled_model():
    table = {row[0]: row[1] for row in rows(ROOT / "README.md")}
    legend = (ROOT / "Resources/Screenshots/organs.svg").read_text(encoding="utf-8")
    for organ in find().classes:
        colour = ", ".join(map(str, shown_colour(organ)))
        assert table[organ.name] == str(organ.number)
        assert re.search(rf'fill="rgb\({colour}\)"/><text [^>]*>{organ.name}<', legend)
    assert len(find().classes) == sum(organ.name in table for organ in ORGANS)


def test_figures_of_accuracy_are_the_measured_ones():
    model = find()
    measured = list(json.loads((ROOT / "Testing/metaunetr/accuracy.json").read_text())
                    [model.name].values())
    validated = model.card["accuracy"]["BTCV validation (n=3)"]
    organs = [organ.name for organ in sorted(model.classes, key=lambda organ: organ.number)]
    table = {row[0]: row[2:] for row in rows(ROOT / "README.md")}
    for organ in organs:
        values = sorted({f"{case[organ]:.2f}" for case in measured if organ in case})
        assert table[organ] == [f"{validated[organ]:.2f}",
                                " to ".join([values[0], *values[1:][-1:]])]
    printed = rows(ROOT / "docs" / "models.md")
    for case in measured:
        row = [f"{case[organ]:.2f}" if organ in case else "" for organ in organs]
        assert row in [row[1:] for row in printed]
    assert [f"{validated[organ]:.2f}" for organ in (*organs, "mean")] in [
        row[2:] for row in printed]


# What lines of the pages need that no test has, so that they are only parsed.
NEEDS = {"--device cuda": "a GPU", "tcp://": "a Dask scheduler", "--dask-local": "minutes",
         "--measure": "minutes", "metaunetr-training": "data sets",
         "phantom": "half a minute, and makes the CT that the other lines read"}
RUN = ("README.md", "docs/command-line.md", "docs/dicom.md", "docs/batch.md", "docs/models.md",
       "docs/performance.md")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with the files that the pages name, and a small model in place of the default."""
    dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
    folder = tmp_path_factory.mktemp("made")
    labels = ["background", *(organ.name for organ in find().classes)]
    architecture = card()["architecture"] | {"classes": len(labels)}
    write_bundle(folder / "models" / DEFAULT_MODEL, architecture=architecture,
                 labels={str(number): name for number, name in enumerate(labels)})
    ct, truth = folder / "ct.nii.gz", folder / "labels.nii.gz"
    assert cli.main(shlex.split(f"phantom -o '{ct}' --labels '{truth}' --size 80 64 48 "
                                "--spacing 3 3 4")) == 0
    copies = {ct: ["studies/ct.nii.gz", "more/ct.nii.gz"],
              truth: ["manual.nii.gz", "predictions/a.nii.gz", "references/a.nii.gz"]}
    for original, places in copies.items():
        for place in places:
            (folder / place).parent.mkdir(exist_ok=True)
            shutil.copy(original, folder / place)
    for series in ("series", "study"):
        slices = dicom_series.write_series(folder / series, read_image(ct))
    slices[3].rename(folder / "study/00003.dcm")
    shutil.make_archive(str(folder / "study"), "zip", folder / "study")
    return folder


@pytest.mark.parametrize("page", RUN)
def test_commands_and_examples_run(page, made, tmp_path, monkeypatch, capsys):
    """With a small model: the tests of `survival` and `phantom` run the default one."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path / "models"))
    complete, _ = commands(ROOT / page)
    lines = [line for line in complete if not any(need in line for need in NEEDS)]
    assert lines
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0, f"{line}: {capsys.readouterr().err}"
    for language, text in FENCE.findall((ROOT / page).read_text(encoding="utf-8")):
        if language == "python" and "from metaunetr import" in text:
            capsys.readouterr()
            exec(text, {})
            assert "liver" in capsys.readouterr().out
