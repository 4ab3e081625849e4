"""Parity with the published implementation (github.com/lyupengju/MetaUNETR, MIT).

`python Testing/metaunetr/network/parity.py FILE.json` builds the network of every case in the file,
translates the published names of its weights, fills them by a formula, and compares sampled logits.
The exit code is 1 when a case differs.

A case holds `config` (constructor values of the released class `tokenmixers`), `size` (voxels of
the cubic input), `state_dict` (name, shape and dtype of every entry, in order), `sample_positions`
(class, d, h, w) and `sample_values`.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[3] / "Training"))

from metaunetr.errors import MetaUNETRError
from metaunetr.network import MetaUNETR, architecture, build

TOLERANCE = 1e-4

# Released encoder → the mixer here, and the settings that it takes under another name.
MIXERS = {
    "large_kernel_Conv": ("published_convolution", {}),
    "swintransformer": ("published_self_attention", {"num_heads": "heads"}),
    "Vip": ("published_mlp", {"segment_dim": "segments"}),
    "fft_mixer": ("published_global_filter", {}),
    "Sequencer": ("published_recurrence", {"hidden_sizes": "hidden"}),
}

# Constructor values of the released class that a case may leave out.
DEFAULTS = {
    "in_channels": 1,
    "out_channels": 14,
    "feature_size": 24,
    "depths": [2, 2, 2, 2],
    "mlp_ratio": 3,
    "num_heads": [3, 6, 12, 24],
    "hidden_sizes": [32, 64, 128, 256],
    "segment_dim": [48, 24, 12, 6],
    "downsample": "downsample_conv",
}

# (published, here), applied in order to the whole name. The released code calls the axes of its
# tokens (H, W, D) or (vertical, horizontal, depth); here they are (D, H, W).
NAMES = [
    (r"^encoder_backbone\.patch_embed\.(proj\.)?", "embed."),
    (r"^encoder_backbone\.layers(\d)\.0\.", lambda m: f"stages.{int(m[1]) - 1}."),
    (r"\.layer\.(\d+)\.", r".blocks.\1."),
    (r"\.downsample\.reduction\.", ".down.conv."),
    (r"\.downsample\.norm\.", ".down.norm."),
    (r"\.(mlp|mlp_channels)\.(linear|fc)1\.", ".mlp.expand."),
    (r"\.(mlp|mlp_channels)\.(linear|fc)2\.", ".mlp.project."),
    # the five mixers
    (r"\.dwconv\.", ".mixer."),
    (r"\.attn\.relative_position_bias_table$", ".mixer.bias"),
    (r"\.attn\.qkv\.", ".mixer.qkv."),
    (r"\.attn\.proj\.", ".mixer.project."),
    (r"\.vip\.mlp_h\.", ".mixer.along.d."),
    (r"\.vip\.mlp_w\.", ".mixer.along.h."),
    (r"\.vip\.mlp_d\.", ".mixer.along.w."),
    (r"\.vip\.mlp_c\.", ".mixer.channels."),
    (r"\.vip\.reweight\.fc1\.", ".mixer.reweight.expand."),
    (r"\.vip\.reweight\.fc2\.", ".mixer.reweight.project."),
    (r"\.vip\.proj\.", ".mixer.project."),
    (r"\.fft\.complex_weight$", ".mixer.weight"),
    (r"\.rnn_tokens\.fc\.", ".mixer.fuse."),
    (r"\.rnn_tokens\.rnn_v\.", ".mixer.along.d.lstm."),
    (r"\.rnn_tokens\.rnn_h\.", ".mixer.along.h.lstm."),
    (r"\.rnn_tokens\.rnn_d\.", ".mixer.along.w.lstm."),
    # the decoder
    (r"^encoder10\.layer\.", "bottleneck."),
    (r"^encoder(\d)\.layer\.", lambda m: f"skips.{int(m[1]) - 1}."),
    (r"^decoder(\d)\.transp_conv\.", lambda m: f"ups.{5 - int(m[1])}.up."),
    (r"^decoder(\d)\.conv_block\.", lambda m: f"ups.{5 - int(m[1])}.fuse."),
    (r"\.conv3\.", ".shortcut."),
    (r"^out\.conv\.", "head."),
    (r"\.conv\.weight$", lambda m: ".conv.weight" if ".down." in m.string else ".weight"),
    (r"^head\.conv\.bias$", "head.bias"),
]

# A constant of the released code, not a weight; here it is computed from the window size.
CONSTANTS = re.compile(r"\.attn\.relative_position_index$")


def translated(name: str) -> str:
    """The name here of an entry of the published state_dict."""
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def network(config: dict, size: int) -> MetaUNETR:
    """The network that the released class builds from `config`, for cubes of `size` voxels."""
    if unknown := set(config) - set(DEFAULTS) - {"encoder"}:
        raise ValueError(f"A config may hold {', '.join(DEFAULTS)}, not {', '.join(unknown)}.")
    config = {**DEFAULTS, **config}
    if config["downsample"] != "downsample_conv":
        raise ValueError(f"Down-sampling must be downsample_conv, not {config['downsample']}.")
    if config["encoder"] not in MIXERS:
        known = ", ".join(MIXERS)
        raise ValueError(f"The encoder must be one of {known}, not {config['encoder']}.")
    mixer, options = MIXERS[config["encoder"]]
    return build(
        architecture(
            "published",
            mixer,
            classes=config["out_channels"],
            feature_size=config["feature_size"],
            in_channels=config["in_channels"],
            depths=config["depths"],
            mlp_ratio=config["mlp_ratio"],
            mixer_options={name: config[published] for published, name in options.items()},
            patch=[size, size, size],
        )
    )


def deterministic_weights(state_dict: list) -> dict[str, Tensor]:
    """Entry k (counted over floating-point entries): sin(0.7 i + k + 1) / sqrt(n) at flat index i,
    n = product of all but the first dimension, 100 for one dimension; 1-D weights get 1 added.

    state_dict: (published name, shape, dtype), in order. Gives published names.
    """
    weights: dict[str, Tensor] = {}
    for name, shape, dtype in state_dict:
        if not dtype.startswith("float"):
            continue
        values = np.sin(0.7 * np.arange(np.prod(shape)) + len(weights) + 1)
        values /= np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 100)
        if len(shape) == 1 and name.endswith("weight"):
            values += 1
        weights[name] = torch.from_numpy(values.astype(np.float32).reshape(shape))
    return weights


def deterministic_input(*shape: int) -> Tensor:
    """0.5 + 0.5 sin(0.013 i + 0.5 sin(0.0031 i)) at flat index i, float32."""
    i = np.arange(np.prod(shape), dtype=np.float64)
    values = 0.5 + 0.5 * np.sin(0.013 * i + 0.5 * np.sin(0.0031 * i))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def filled_network(case: dict) -> MetaUNETR:
    """The network of a case with its deterministic weights, in evaluation mode.

    Raises:
        ValueError: names or shapes of the weights differ.
    """
    net = network(case["config"], case["size"]).eval()
    published = deterministic_weights(
        [entry for entry in case["state_dict"] if not CONSTANTS.search(entry[0])]
    )
    try:
        net.load_state_dict({translated(name): weight for name, weight in published.items()})
    except RuntimeError as error:
        raise ValueError(f"Names and shapes must be the published ones: {error}") from error
    return net


@torch.inference_mode()
def error_of(case: dict) -> float:
    """Largest absolute difference of the logits to the sampled ones of the case, fp32."""
    size = case["size"]
    logits = filled_network(case)(deterministic_input(1, 1, size, size, size))[0]
    if list(logits.shape) != list(case["output_shape"]):
        raise ValueError(f"The logits are {list(logits.shape)}, not {case['output_shape']}.")
    sampled = logits[tuple(torch.tensor(case["sample_positions"]).T)]
    return (sampled - torch.tensor(case["sample_values"])).abs().max().item()


def check(path: Path) -> bool:
    """Prints one line for each case; returns whether all are within the tolerance."""
    all_good = True
    for case in json.loads(path.read_text()):
        try:
            error = error_of(case)
            good = error <= TOLERANCE
            line = f"largest difference {error:.1e}, allowed {TOLERANCE:.0e}"
        except (KeyError, ValueError, MetaUNETRError) as problem:
            good, line = False, f"{type(problem).__name__}: {problem}"
        name, size = case.get("name", "a case without name"), case.get("size")
        print(f"{'ok  ' if good else 'MISS'} {name} ({size}³): {line}", flush=True)
        all_good &= good
    return all_good


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, help="cases, as JSON")
    return 0 if check(parser.parse_args(arguments).file) else 1


if __name__ == "__main__":
    sys.exit(main())
