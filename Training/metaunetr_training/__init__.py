"""The training pipeline of MetaUNETR: from raw data sets to a bundle, and the paper's experiments.

    recipe         one YAML file with all settings of a run
    data/          raw data sets → checked, resampled, memory-mapped cases with folds
    augmentation/  random changes of patches, on the device
    training/      losses, schedule, training loop, checkpoints
    evaluation/    whole CTs against references: tables, plots, comparison, calibration
    export/        bundles for this project and for MONAI, ONNX
    experiments/   mixers, architectures and CKA, as in the paper
    cli/           one file per command
"""
