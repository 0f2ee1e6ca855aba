"""A bundle with its weights laid into the network that this code builds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.bundle import Bundle, BundleError, read_bundle_and_weights, refusing
from model.network import Network, build_network


@dataclass(frozen=True)
class LoadedBundle(Bundle):
    """A bundle ready to answer."""

    network: Network


def load_bundle(folder: Path) -> LoadedBundle:
    """Reads a bundle whole, or raises `model.bundle.BundleError` with the reason."""
    bundle, weights = read_bundle_and_weights(folder)
    with refusing(folder):
        network = build_network(bundle.shape)
        lay_in(network, weights, folder.name)
    return LoadedBundle(**vars(bundle), network=network)


def lay_in(network: Network, weights: dict[str, np.ndarray], name: str) -> None:
    """Gives the network its weights, float32 by path; `BundleError` unless they are those it has, no more or fewer."""
    wanted = {weight.path: weight for weight in network.whole.weights}
    if missing := sorted(wanted.keys() - weights.keys()):
        raise BundleError(f"{name}: the weight {missing[0]} is missing")
    if others := sorted(weights.keys() - wanted.keys()):
        raise BundleError(f"{name}: the network has no weight {others[0][:100]!r}")
    for path, weight in wanted.items():
        if weights[path].shape != tuple(weight.shape):
            raise BundleError(
                f"{name}: the weight {path} has the shape {weights[path].shape}, not {tuple(weight.shape)}"
            )
    for path, weight in wanted.items():
        weight.assign(weights[path])
