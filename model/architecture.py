"""What a network is made of, read off the network itself: its branches, their layers in order, what joins them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import keras

ANSWER = "logits"
"""The output that the others add up to; each other output ends a branch and gives it its name."""

Shape = tuple[int | None, ...]
"""Sizes without the batch; None where the size is that of the input."""


@dataclass(frozen=True, slots=True)
class Step:
    """Layers in a row that work at one size: by kind how many, names, shape of what goes out, parameters."""

    kinds: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    shape: Shape
    parameters: int


@dataclass(frozen=True, slots=True)
class Branch:
    """From its inputs to one term of the sum. ``layers`` counts those without parameters too."""

    name: str
    inputs: tuple[tuple[str, Shape], ...]
    steps: tuple[Step, ...]
    layers: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """A whole network; ``joint`` is what comes after the branches, layer by layer."""

    branches: tuple[Branch, ...]
    joint: tuple[Step, ...]
    layers: int
    parameters: int


def describe(whole: keras.Model) -> Architecture:
    """Describes a model whose outputs are ``logits`` and, by name, the terms that it is the sum of."""
    branches, seen = [], set()
    for name, term in whole.output.items():
        if name == ANSWER:
            continue
        # A layer that two branches share is told of once.
        own = [layer for layer in _working(keras.Model(whole.inputs, term).layers) if layer.name not in seen]
        seen.update(layer.name for layer in own)
        inputs = tuple((one.name, _shape(one)) for one in whole.inputs if _needs(whole.inputs, term, one))
        parameters = sum(layer.count_params() for layer in own)
        branches.append(Branch(name, inputs, tuple(_steps(own)), len(own), parameters))
    last = _working(keras.Model(whole.inputs, whole.output[ANSWER]).layers)
    joint = tuple(_step([layer]) for layer in last if layer.name not in seen)
    return Architecture(tuple(branches), joint, len(_working(whole.layers)), whole.count_params())


def _working(layers: Iterable[keras.Layer]) -> list[keras.Layer]:
    return [layer for layer in layers if not isinstance(layer, keras.layers.InputLayer)]


def _needs(inputs: Sequence[keras.KerasTensor], term: keras.KerasTensor, one: keras.KerasTensor) -> bool:
    try:
        keras.Model([other for other in inputs if other is not one], term)
    except ValueError:  # the graph is cut without it
        return True
    return False


def _steps(layers: Iterable[keras.Layer]) -> Iterable[Step]:
    """Layers with parameters, those of one size taken together; one that changes the number of axes stands alone."""
    group: list[keras.Layer] = []
    for layer in layers:
        if not layer.count_params():
            continue
        if group and (_alone(layer) or _alone(group[-1]) or _size(layer) != _size(group[-1])):
            yield _step(group)
            group = []
        group.append(layer)
    if group:
        yield _step(group)


def _step(layers: Sequence[keras.Layer]) -> Step:
    return Step(
        kinds=tuple(Counter(type(layer).__name__ for layer in layers).items()),
        names=tuple(layer.name for layer in layers),
        shape=_shape(_first(layers[-1].output)),
        parameters=sum(layer.count_params() for layer in layers),
    )


def _size(layer: keras.Layer) -> Shape:
    """Height and width, or the length; the width of a plain vector."""
    shape = _shape(_first(layer.output))
    return shape[:-1] or shape


def _alone(layer: keras.Layer) -> bool:
    return len(_first(layer.input).shape) != len(_first(layer.output).shape)


def _first(tensors: keras.KerasTensor | Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    return keras.tree.flatten(tensors)[0]


def _shape(tensor: keras.KerasTensor) -> Shape:
    return tuple(tensor.shape[1:])
