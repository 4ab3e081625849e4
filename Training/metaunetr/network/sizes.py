"""The named sizes as `architecture` dictionaries, and the network built from such a dictionary.

A bundle's card holds this dictionary under "architecture"; nothing else is needed to rebuild the
network.
"""

import inspect

from metaunetr.errors import BundleError
from metaunetr.network.metaformer import ACTIVATIONS
from metaunetr.network.model import MetaUNETR

FAMILY = "MetaUNETR"

SIZES = {
    # three stages, no bottleneck block: what the paper's CKA maps show to be enough
    "efficient": {"depths": [2, 2, 2], "bottleneck": False, "activation": "gelu_tanh"},
    # for fine spacings: few channels at full resolution, and blocks at 1/8 that see the whole body
    "light": {"depths": [2, 2, 4], "bottleneck": False, "activation": "gelu_tanh",
              "full_resolution_channels": 8},
    # Lyu et al., MICCAI 2024, and the released implementation
    "published": {"depths": [2, 2, 2, 2], "bottleneck": True, "activation": "gelu"},
}


def architecture(size: str, mixer: str, classes: int, feature_size: int = 48, **changes) -> dict:
    """The `architecture` of the named size (a key of SIZES), with `changes`.

    Raises:
        BundleError: there is no such size.
    """
    if size not in SIZES:
        raise BundleError(f"The size must be one of {', '.join(SIZES)}, not '{size}'.")
    return {
        "family": FAMILY,
        "in_channels": 1,
        "classes": classes,
        "feature_size": feature_size,
        "mlp_ratio": 4,
        "mixer": mixer,
        "mixer_options": {},
        **SIZES[size],
        **changes,
    }


def build(architecture: dict) -> MetaUNETR:
    """The network that an `architecture` describes, with random weights.

    Raises:
        BundleError: an entry is unknown, missing or impossible.
    """
    settings = dict(architecture)
    family = settings.pop("family", None)
    if family != FAMILY:
        raise BundleError(f"The architecture's family must be '{FAMILY}', not {family!r}.")
    known = inspect.signature(MetaUNETR).parameters
    for key in settings:
        if key not in known:
            raise BundleError(f"The architecture may hold {', '.join(known)}, not '{key}'.")
    for key, parameter in known.items():
        if parameter.default is parameter.empty and key not in settings:
            raise BundleError(f"The architecture must give '{key}'.")
    activation = settings.get("activation", "gelu")
    if activation not in ACTIVATIONS:
        raise BundleError(
            f"The activation must be one of {', '.join(ACTIVATIONS)}, not '{activation}'."
        )
    try:
        return MetaUNETR(**settings)
    except (TypeError, ValueError, IndexError) as error:
        raise BundleError(f"The architecture describes no network: {error}.") from error
