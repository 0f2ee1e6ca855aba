"""Weights moved by what was learned: the network's answers move by just that."""

from functools import cache

import numpy as np
import pytest

from model.adaptation.assemble import moved
from model.adaptation.spaces import PictureWeights, TextWeights
from model.loading import lay_in
from model.network import Network, build_network
from model.shape import NetworkShape


@cache
def built(head: bool, number: int) -> Network:
    """Built once for all tests here: ``number`` tells networks of one shape apart."""
    return build_network(NetworkShape(3, 6, 5, image_head=head))


@pytest.mark.parametrize(("head", "silent"), [(False, False), (True, False), (True, True)])
def test_answers_move_by_what_is_added(head: bool, silent: bool) -> None:
    random, shape = np.random.default_rng(0), NetworkShape(3, 6, 5, image_head=head)
    network = built(head, 0)
    weights = {w.path: random.normal(0, 0.1, w.shape).astype(np.float32) for w in network.whole.weights}
    weights |= {w.path: np.abs(weights[w.path]) + 0.5 for w in network.whole.weights if "variance" in w.path}
    weights["image_categories/prior"] = np.full(3, 1 / 3, np.float32)
    weights["image_categories/table"] = np.zeros((1000, 3), np.float32)
    factors = {"lexical/factor": 2.5, "semantic/factor": 0.5, "image_head_scaled/factor": 1.5}
    weights |= {path: np.float32(0 if silent else value) for path, value in factors.items() if path in weights}
    lay_in(network, weights, "before")
    text = TextWeights(random.normal(size=(6, 3)), random.normal(size=(512, 3)), random.normal(size=3))
    picture = PictureWeights(random.normal(size=(1280, 3)), random.normal(size=3))
    after_weights, after_shape = moved(weights, shape, text, picture)
    assert after_shape.image_head
    after = built(after_shape.image_head, int(head))
    lay_in(after, after_weights, "after")
    ids, features = np.array([[2, 4]], np.int32), np.array([[0.3, 0.7]], np.float32)
    image = random.uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    given = [ids, features, np.array([[1, 3]], np.int32), image, np.ones((1, 1), np.float32)]
    answers = [{name: np.asarray(value) for name, value in one.whole(given).items()} for one in (network, after)]
    vector = np.asarray(_inside(network, "semantic_unit", given))
    pooled = np.asarray(_inside(network, "image_pool", given))
    lexical = features @ text.words[ids[0]]
    semantic = vector @ text.sentence + text.intercept
    said = pooled @ picture.kernel + picture.bias
    for name, added in (("lexical", lexical), ("semantic", semantic), ("image", said)):
        np.testing.assert_allclose(answers[1][name], answers[0][name] + added, atol=2e-3)
    np.testing.assert_allclose(answers[1]["logits"], answers[0]["logits"] + lexical + semantic + said, atol=3e-3)


def test_texts_alone_leave_the_shape() -> None:
    shape = NetworkShape(3, 6, 5)
    weights = {"lexical_logits/table": np.ones((6, 3)), "semantic_logits/kernel": np.ones((512, 3))}
    weights |= {"semantic_logits/bias": np.ones(3), "lexical/factor": np.float32(1), "semantic/factor": np.float32(1)}
    found, same = moved(weights, shape, TextWeights(np.zeros((6, 3)), np.zeros((512, 3)), np.zeros(3)), None)
    assert same == shape and set(found) == set(weights)


def _inside(network, layer: str, given: list):
    import keras

    return keras.Model(network.whole.inputs, network.whole.get_layer(layer).output)(given)
