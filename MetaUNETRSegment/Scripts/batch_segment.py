"""Segments many CTs without a window; then Slicer ends with an exit code.

    Slicer --no-splash --no-main-window --python-script batch_segment.py -- \
        --input PATH... --output DIR [--organs ...]
        [--format seg.nrrd|nii.gz|dicomseg|rtstruct] [--surfaces stl|obj]
        [--statistics FILE.csv] [--resume]

Options and exit codes are those of `metaunetr batch`, which does the work: add --help.

Slicer keeps running when a script raises, so everything below happens in one `try`, which
ends in slicer.util.exit. It reads scripts in the encoding of the system: this one is ASCII.
"""

import os
import shutil
import sys
import tempfile
import time
import traceback


def main(arguments):
    """Runs the engine, prints its messages, and returns its exit code."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from MetaUNETRSegmentLib import dependencies

    missing = [str(requirement) for requirement in dependencies.missing()]
    if missing:
        quoted = " ".join(f'"{requirement}"' for requirement in missing)
        print(f"Missing: {', '.join(missing)}. Install without a window: "
              f"PythonSlicer -m pip install {quoted} (PythonSlicer lies in Slicer's folder bin; "
              "offline, add --no-index --find-links FOLDER_OF_WHEELS).", file=sys.stderr)
        return 1
    if arguments[:1] == ["--"]:  # Slicer takes the first one for itself
        arguments = arguments[1:]
    folder = tempfile.mkdtemp()
    try:
        # the engine has another working directory, so relative paths are made absolute
        return follow(["batch", "-C", os.getcwd(), *arguments, "--json-progress"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def follow(arguments, folder):
    """Prints the lines of the events until the engine has ended."""
    from pathlib import Path

    from MetaUNETRSegmentLib.engine import startEngine

    engine = startEngine(arguments, Path(folder))
    try:
        code = None
        while code is None:
            time.sleep(0.05)
            events = engine.poll()
            code = engine.exitCode
            for event in events:
                show(event)
    finally:
        if engine.exitCode is None:
            engine.stop()
    if code < 0:
        print(f"The engine was ended by signal {-code}; was there not enough memory? "
              "With --resume the finished cases are not done again.", file=sys.stderr)
        return 128 - code
    return code


def show(event):
    if event.get("line"):
        print(event["line"], flush=True)
    elif event["event"] == "warning" and "case" not in event:
        print(event["text"], flush=True)
    elif event["event"] == "log":  # errors, and the text of --help
        print(event["text"], file=sys.stderr, flush=True)


exitCode = 1
try:
    exitCode = main(sys.argv[1:])
except KeyboardInterrupt:
    exitCode = 130
except BaseException:
    traceback.print_exc()
finally:
    import slicer.util

    slicer.util.exit(exitCode)
