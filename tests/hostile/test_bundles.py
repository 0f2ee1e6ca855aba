"""Bundles made to harm, or harmed on the way: each is refused with the reason, soon, and runs nothing."""

import os
import shutil
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import arrays, bundle_files
from model.bundle import BundleError, read_bundle, read_bundle_and_weights, read_manifest, read_seen, read_taxonomy
from model.bundle_files import read_file
from tests.hostile.small_bundle import (
    WEIGHT,
    change_manifest,
    npy,
    npy_with_header,
    piece_model,
    put,
    small_bundle,
    zipped,
)
from tests.hostile.spoilt_bundles import HEADER, REFUSED, Touching, linked
from tests.hostile.zips import Member, packed


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("made") / "small")


@pytest.fixture
def bundle(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def test_the_bundle_that_is_spoilt_below_is_read(bundle):
    read, weights = read_bundle_and_weights(bundle)
    assert read.version.startswith("small-") and read.taxonomy.codes == (10, 20)
    assert weights[WEIGHT].shape == (3, 3, 3, 32) and read_seen(bundle).tolist() == [1, 2, 3]
    assert read_bundle(bundle).reports == {"metrics": {"schema": 2}}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, bundle):
    spoil, reason = REFUSED[case]
    spoil(bundle)
    before = sorted(bundle.parent.rglob("*"))
    start = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(BundleError, match=reason) as refused:
            read_bundle_and_weights(bundle)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 3 and peak < 100_000_000
    assert len(str(refused.value)) < 700
    assert sorted(bundle.parent.rglob("*")) == before, "nothing ran, nothing was written"


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json", "taxonomy.csv", "sentencepiece.model", "image.npz"])
def test_a_file_larger_than_is_read(bundle, name):
    """Sparse: it takes no room, and it is refused unread."""
    limit = bundle_files.MAX_BYTES[Path(name).suffix]
    os.truncate(bundle / name, limit + 1)
    start = time.perf_counter()
    with pytest.raises(BundleError, match=rf"{name} has {limit + 1:,} bytes; at most"):
        read_bundle(bundle)
    assert time.perf_counter() - start < 1


def test_a_file_that_grows_while_it_is_read(bundle, monkeypatch):
    lstat = Path.lstat

    def before_it_grew(path):
        found = list(lstat(path))
        found[6] -= 100
        return os.stat_result(found)

    monkeypatch.setattr(Path, "lstat", before_it_grew)
    with pytest.raises(BundleError, match="changes while it is read"):
        read_file(bundle, "image.npz")


def test_a_member_that_holds_more_than_it_claims_is_not_unpacked_further(monkeypatch):
    """Whatever zipfile makes of sizes: no byte more than the header tells of is kept."""
    data = packed(Member(b"a.npy", npy_with_header(HEADER % 4, bytes(10_000_000)), method=8))
    monkeypatch.setattr(arrays, "_header", lambda file, where: (np.dtype("f4"), (4,), False, 10_000_064 - 16))
    with pytest.raises(BundleError, match=r"tells of|holds more than"):
        arrays.read_arrays(data, "a")


@pytest.mark.parametrize("name", ["keys", "other"])
def test_partial_readings_are_as_strict(bundle, name):
    (bundle / "seen.npz").write_bytes(zipped((f"{name}.npy", npy(np.array([Touching(bundle)], object)))))
    with pytest.raises(BundleError, match="sha256 differs"):
        read_seen(bundle)
    linked("taxonomy.csv")(bundle)
    with pytest.raises(BundleError, match="is a link"):
        read_taxonomy(bundle)
    change_manifest(bundle, lambda found: found.update(version="../up-0123456789"))
    with pytest.raises(BundleError, match="no version"):
        read_manifest(bundle)
    assert not (bundle.parent / "ran").exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["lexical.npz", "semantic.npz", "image.npz", "seen.npz", "taxonomy.csv", "metrics.json"]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    end=st.floats(0, 1),
)
def test_whatever_the_bytes_a_bundle_is_read_or_refused(made, tmp_path, name, places, end):
    folder = tmp_path / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    data = bytearray((folder / name).read_bytes())
    for place, value in places:
        data[int(place * len(data))] = value
    put(folder, name, bytes(data[: int(end * len(data)) + 1] if end < 0.5 else data))
    try:
        _, weights = read_bundle_and_weights(folder)
    except BundleError:
        pass
    else:
        assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in weights.values())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=6),
    end=st.floats(0, 2),
)
def test_a_spoilt_sentencepiece_model_never_ends_the_process(made, tmp_path, places, end):
    """In this very process: were it to crash, so would the test."""
    folder = tmp_path / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    data = bytearray(piece_model())
    for place, value in places:
        at = int(place * len(data))
        data[at : at + len(value)] = value
    put(folder, "sentencepiece.model", bytes(data[: int(end * len(data))]))
    try:
        pieces = read_bundle(folder).pieces
    except BundleError:
        return
    for text in ("old book of maps", "jeu de société " * 30, "日本 ﬁ ① \u0301\x00"):
        assert (pieces.encode(text) <= len(pieces.kept)).all()


def test_a_damaged_table_of_characters_is_refused_by_the_library(made):
    """The part of a SentencePiece model that C++ follows by offsets: unchecked, it would read anywhere."""
    from sentencepiece import SentencePieceProcessor
    from sentencepiece.sentencepiece_model_pb2 import ModelProto

    model = ModelProto.FromString(piece_model())
    table = bytearray(model.normalizer_spec.precompiled_charsmap)
    size = struct.unpack("<I", table[:4])[0]
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        spoilt = bytearray(table)
        for place in random.integers(0, size // 4, 40):
            spoilt[4 + 4 * place : 8 + 4 * place] = random.bytes(4)
        model.normalizer_spec.precompiled_charsmap = bytes(spoilt)
        try:
            processor = SentencePieceProcessor(model_proto=model.SerializeToString())
        except RuntimeError:
            refused += 1
            continue
        assert all(0 <= piece < processor.vocab_size() for piece in processor.encode("ﬁ ① é 日本 abc" * 9))
    assert refused > 30
