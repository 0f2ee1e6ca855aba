"""A bundle is loaded whole or refused with the reason."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from model.bundle import (
    FILES,
    BundleError,
    QuantizedRows,
    add_report,
    read_bundle,
    read_bundle_and_weights,
    read_embedding_rows,
    read_seen,
)
from model.loading import lay_in, load_bundle
from model.shape import LEXICAL_TABLE
from tests.hostile.small_bundle import change_manifest, put, small_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return small_bundle(tmp_path / "bundle")


def test_refuses_a_folder_without_manifest(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BundleError, match="not a bundle"):
            load_bundle(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": 3}', '{"format_version": 1}'])
def test_refuses_a_broken_manifest(bundle: Path, text: str) -> None:
    (bundle / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", [*FILES, "metrics.json", "seen.npz"])
def test_refuses_a_changed_file(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name}.*sha256"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", [*FILES, "metrics.json", "seen.npz"])
def test_refuses_a_missing_file(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is listed but cannot be read"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", FILES)
def test_refuses_a_manifest_that_does_not_list_a_file(bundle: Path, name: str) -> None:
    change_manifest(bundle, lambda found: found["files"].pop(name))
    with pytest.raises(BundleError, match=f"lists no {name}"):
        load_bundle(bundle)


def test_refuses_a_file_that_is_not_listed(bundle: Path) -> None:
    (bundle / "readme.txt").write_text("hello")
    with pytest.raises(BundleError, match=r"readme\.txt"):
        load_bundle(bundle)


def test_refuses_another_format(bundle: Path) -> None:
    change_manifest(bundle, lambda found: found.update(format_version=99))
    with pytest.raises(BundleError, match="format 99"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", FILES)
def test_the_version_tells_of_every_file_of_the_model(bundle: Path, name: str) -> None:
    version = read_bundle(bundle).version
    data = (bundle / name).read_bytes()
    # A byte after the end of a table or an archive changes nothing else.
    put(bundle, name, data + (b"\n" if name.endswith(".csv") else b"\x00"))
    changed = json.loads((bundle / "manifest.json").read_bytes())["version"]
    assert changed != version and changed.startswith("small-")
    change_manifest(bundle, lambda found: found.update(version=version))
    with pytest.raises(BundleError, match=f"version {version} is not that of its files, which is {changed}"):
        read_bundle(bundle)


def test_a_report_does_not_change_the_version(bundle: Path) -> None:
    version = read_bundle(bundle).version
    add_report(bundle, "faithfulness", {"pointing_game": 0.5})
    add_report(bundle, "metrics", {"schema": 3})
    read = read_bundle(bundle)
    assert read.version == version
    assert read.reports == {"faithfulness": {"pointing_game": 0.5}, "metrics": {"schema": 3}}
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


def test_a_report_never_changes_a_linked_copy(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "copy", copy_function=os.link)
    add_report(bundle, "metrics", {"schema": 3})
    assert read_bundle(tmp_path / "copy").reports == {"metrics": {"schema": 2}}


@pytest.mark.parametrize("name", ["other", "../up", "manifest"])
def test_only_known_reports_are_added(bundle: Path, name: str) -> None:
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    with pytest.raises(ValueError, match="holds no report"):
        add_report(bundle, name, {})
    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before


def test_a_report_that_could_not_be_read_is_not_written(bundle: Path) -> None:
    with pytest.raises(ValueError):
        add_report(bundle, "metrics", {"f1": float("nan")})
    assert read_bundle(bundle).reports == {"metrics": {"schema": 2}}


def test_what_is_saved_is_what_is_read(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    big, small = random.normal(size=(200, 60)).astype("f4"), random.normal(size=7).astype("f4")
    folder = small_bundle(tmp_path / "plain")
    rows = read_embedding_rows(folder)
    plain, weights = read_bundle_and_weights(folder)
    rows = QuantizedRows(random.integers(0, 256, rows.codes.shape, np.uint8), rows.scale / 3, rows.low - 0.5)
    again = small_bundle(
        tmp_path / "more",
        rows=rows,
        weights=weights
        | {"image_big/kernel": np.asfortranarray(big), "image_small/bias": small, "scalar": np.float32(2)},
        seen=None,
        reports={},
    )
    read, found = read_bundle_and_weights(again)
    assert read.shape == plain.shape and read.reports == {} and read_seen(again) is None
    assert np.array_equal(found["image_small/bias"], small) and found["scalar"] == 2
    assert np.array_equal(found["image_big/kernel"], big.astype("f2").astype("f4"))
    assert np.array_equal(found[LEXICAL_TABLE], weights[LEXICAL_TABLE].astype("f2"))
    assert np.array_equal(found["semantic_embedding/embeddings"][1:], rows.values())
    assert not found["semantic_embedding/embeddings"][0].any()
    assert {value.dtype for value in found.values()} == {np.dtype("f4")}


def test_the_network_gets_all_its_weights_and_no_others(classifier) -> None:
    network = classifier.bundle.network
    given = {weight.path: np.zeros(weight.shape, np.float32) for weight in network.whole.weights}
    path = "semantic_logits/kernel"
    spoilt = [
        ({name: value for name, value in given.items() if name != path}, f"the weight {path} is missing"),
        (given | {"lambda/code": np.zeros(3, np.float32)}, "the network has no weight 'lambda/code'"),
        (given | {path: np.zeros((27, 512), np.float32)}, rf"weight {path} has the shape \(27, 512\), not \(512, 27\)"),
        (given | {"bias/bias": np.zeros((), np.float32)}, r"weight bias/bias has the shape \(\), not \(27,\)"),
    ]
    for weights, reason in spoilt:
        with pytest.raises(BundleError, match=f"made: .*{reason}"):
            lay_in(network, weights, "made")
    assert np.asarray(network.bias.bias).any(), "nothing was laid in"


def test_a_network_without_its_weights_is_not_loaded(bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"bundle: the weight .* is missing"):
        load_bundle(bundle)


def test_the_network_is_not_built_larger_than_the_file(tmp_path: Path) -> None:
    folder = small_bundle(tmp_path / "bundle")
    change_manifest(folder, lambda found: found["shape"].update(lexical_rows=10))
    with pytest.raises(BundleError, match=r"do not fit.*lexical_logits/table has the shape"):
        load_bundle(folder)
