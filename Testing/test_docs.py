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
from tiny_dataset import write_dataset

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
    """The lines of code blocks without a language: no comments, joined at backslashes."""
    blocks = "".join(text for language, text in FENCE.findall(page.read_text(encoding="utf-8"))
                     if not language)
    lines = blocks.replace("\\\n", " ").splitlines()
    return [re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines]


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


# Command lines that the tests below do not run: parts of them, and why. Each is parsed, where
# it is one of metaunetr or metaunetr-training.
LEFT_OUT = {
    "git clone ": "the workflow checks out", "cd MetaUNETR": "the workflow checks out",
    "run.py ": "the workflow runs it", "pip install ": "the workflow installs",
    "pipx install ": "the workflow installs", "uv tool install ": "the workflow installs",
    "python3 -m venv ": "the workflow installs",
    "METAUNETR_SLICER_": "variables, for the sources of 3D Slicer",
    "Slicer ": "test_batch_segment.py and test_tutorial.py run the scripts without windows",
    "--device cuda": "needs a GPU", "tcp://": "needs machines; see batch/test_cluster.py",
    "--dask-local": "takes minutes; see batch/test_cluster.py",
    "--measure": "takes minutes; see cli/test_commands.py",
    "phantom -o": "takes half a minute; see cli/test_commands.py",
    "metaunetr-training evaluate abdomen13-2mm": "needs AMOS22",
    "metaunetr-training adapt": "needs corrections; see adapt/test_run.py",
    "--model mine": "needs the adapted model",
    "metaunetr-training phantoms": "takes minutes; see cli/test_phantoms.py",
    "abdomen13-2mm --": "needs BTCV and other data sets",
    **{f"export runs/{run}": f"needs run {run}" for run in "ABCDE"},
    "pseudo-label fine": "needs run D",
    "--recipe experiment": "needs BTCV and other data sets",
    "experiment mixers": "takes hours; see cli/test_experiment.py",
    "experiment figures": "needs these experiments; see cli/test_experiment.py",
    "experiment cka": "needs these experiments; see cli/test_experiment.py",
    "experiment adapt": "takes hours; see experiments/test_adaptation.py",
}
RUN = [page for page in PAGES if name(page) not in ("Training/README.md", "CHANGELOG.md")]


def run_here(page: Path) -> list[str]:
    """The command lines of a page that a test runs."""
    return [line for line in block_lines(page)
            if line and not any(part in line for part in LEFT_OUT)]


def test_every_command_line_is_run_or_left_out_for_a_reason():
    """Blocks without a language hold commands."""
    lines = [line for page in PAGES for line in block_lines(page) if line]
    assert not [line for page in PAGES for line in run_here(page) if not program(line)]
    assert not [part for part in LEFT_OUT if not any(part in line for line in lines)]


def test_the_workflow_runs_the_lines_that_install():
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    parts = [part for part, reason in LEFT_OUT.items()
             if reason in ("the workflow runs it", "the workflow installs")]
    lines = [line for line in block_lines(ROOT / "README.md")
             if line in run_here(ROOT / "README.md") or any(part in line for part in parts)]
    assert len(lines) == 6
    assert not [line for line in lines if f"{line}\n" not in workflow]


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


@pytest.mark.parametrize("page", [
    pytest.param(page, id=name(page), marks=() if name(page) == "README.md" else pytest.mark.slow)
    for page in RUN if run_here(page)])
def test_commands_and_examples_run(page, made, tmp_path, monkeypatch, capsys):
    """With a small model: the tests of `survival` and `phantom` run the default one."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path / "models"))
    for line in run_here(page):
        assert cli.main(shlex.split(line)[1:]) == 0, f"{line}: {capsys.readouterr().err}"
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "python" and "from metaunetr import" in text:
            capsys.readouterr()
            exec(text, {})
            assert "liver" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_commands_of_training_run(made, tmp_path, monkeypatch, capsys):
    """For seconds instead of minutes, on coarse cases in place of the phantoms."""
    training = pytest.importorskip("metaunetr_training.cli").parser
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAUNETR_MODELS", str(tmp_path / "models"))
    lines = run_here(ROOT / "Training/README.md")
    assert len(lines) == 6
    write_dataset(tmp_path / "data/phantoms")
    for line in lines:
        line = re.sub(r"--max-minutes \d+", "--max-minutes 0.1", line)
        parser = None if program(line) == "metaunetr" else training
        assert cli.main(shlex.split(line)[1:], parser) == 0, f"{line}: {capsys.readouterr().err}"
