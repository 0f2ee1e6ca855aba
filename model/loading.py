"""A bundle with its weights laid into the network that this code builds."""

from dataclasses import dataclass
from pathlib import Path

from model.bundle import Bundle, read_bundle_and_weights, refusing
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
        for weight in network.whole.weights:
            weight.assign(weights[weight.path])
    return LoadedBundle(**vars(bundle), network=network)
