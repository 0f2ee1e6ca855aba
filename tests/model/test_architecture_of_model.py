import keras
import pytest
from keras import layers

from model.architecture import Architecture, describe


def network(width: int = 8, deep: int = 1) -> keras.Model:
    """Two branches: a table and dense layers over words, a convolution over a picture."""
    words = keras.Input((None,), dtype="int32", name="words")
    picture = keras.Input((12, 12, 3), name="picture")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(50, width, name="table")(words))
    for i in range(deep):
        x = layers.Dense(width, name=f"deep{i}")(x)
    text = layers.Dense(4, name="text_logits")(x)
    y = layers.Conv2D(6, 3, 2, padding="same", name="see")(picture)
    y = layers.Conv2D(6, 3, padding="same", name="see_more")(y)
    seen = layers.Dense(4, name="image_logits")(layers.Flatten()(y))
    total = layers.Add(name="sum")([text, seen])
    return keras.Model([words, picture], {"logits": total, "text": text, "image": seen})


def adds_up(drawn: Architecture) -> bool:
    inside = all(branch.parameters == sum(step.parameters for step in branch.steps) for branch in drawn.branches)
    steps = [*(step for branch in drawn.branches for step in branch.steps), *drawn.joint]
    return inside and sum(step.parameters for step in steps) == drawn.parameters


def test_the_branches_are_those_of_the_network():
    drawn = describe(network())
    text, image = drawn.branches
    assert (text.name, text.inputs) == ("text", (("words", (None,)),))
    assert (image.name, image.inputs) == ("image", (("picture", (12, 12, 3)),))
    assert [(step.kinds, step.names, step.shape, step.parameters) for step in text.steps] == [
        ((("Embedding", 1),), ("table",), (None, 8), 400),
        ((("Dense", 1),), ("deep0",), (8,), 72),
        ((("Dense", 1),), ("text_logits",), (4,), 36),
    ]
    assert [(step.kinds, step.shape) for step in image.steps] == [
        ((("Conv2D", 2),), (6, 6, 6)),
        ((("Dense", 1),), (4,)),
    ]
    assert [step.names for step in drawn.joint] == [("sum",)]
    assert (text.layers, image.layers, drawn.layers) == (4, 4, 9)
    assert adds_up(drawn)


@pytest.mark.parametrize("other", [{"width": 16}, {"deep": 3}])
def test_another_network_is_described_otherwise(other):
    before, after = describe(network()), describe(network(**other))
    assert before != after
    assert before.branches[1] == after.branches[1], "the branch that is the same"
    assert after.parameters == network(**other).count_params() and adds_up(after)


def test_layers_of_one_size_are_taken_together_and_those_of_another_are_not():
    steps = describe(network(width=8, deep=3)).branches[0].steps
    assert [step.names for step in steps] == [("table",), ("deep0", "deep1", "deep2"), ("text_logits",)]


def test_a_layer_that_two_branches_share_is_told_of_once():
    x = keras.Input((3,), name="x")
    shared = layers.Dense(5, name="shared")(x)
    first, second = layers.Dense(2, name="first")(shared), layers.Dense(2, name="second")(shared)
    whole = keras.Model(x, {"logits": layers.Add()([first, second]), "a": first, "b": second})
    drawn = describe(whole)
    names = [name for branch in drawn.branches for step in branch.steps for name in step.names]
    assert sorted(names) == ["first", "second", "shared"] and adds_up(drawn)
    assert [branch.inputs for branch in drawn.branches] == [(("x", (3,)),)] * 2


def test_the_network_that_ships_is_read_whole(classifier):
    whole = classifier.bundle.network.whole
    drawn = describe(whole)
    assert [branch.name for branch in drawn.branches] == ["lexical", "semantic", "image"]
    assert adds_up(drawn) and drawn.parameters == whole.count_params()
    assert {branch.steps[-1].shape for branch in drawn.branches} == {(len(classifier.taxonomy),)}
    read = {name for branch in drawn.branches for name, _shape in branch.inputs}
    assert read == {tensor.name for tensor in whole.inputs}
    assert sum(branch.layers for branch in drawn.branches) + len(drawn.joint) == drawn.layers
    assert ("sum",) in [step.names for step in drawn.joint]
