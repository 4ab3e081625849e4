"""From a training run to what others use.

    bundle        a model folder for this project: `--model`, Resources/Models, Slicer
    monai_bundle  the same for `python -m monai.bundle`
    onnx          the network alone, for one window
    target        folders that appear complete or not at all
"""
