"""A bundle is loaded whole or refused with the reason."""

import json
import pickle
import shutil
from pathlib import Path

import pytest

from model.bundle import FILES, BundleError, add_report
from model.loading import load_bundle
from settings import settings


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings().bundle, tmp_path / "bundle"))


def change(copy: Path, **values) -> None:
    path = copy / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_refuses_a_folder_without_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a bundle"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": 3}', '{"format_version": 1}'])
def test_refuses_a_broken_manifest(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text)
    with pytest.raises(BundleError):
        load_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_refuses_a_changed_file(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name}.*sha256"):
        load_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_refuses_a_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_bundle(copy)


def test_refuses_a_stranger(copy: Path) -> None:
    (copy / "extra.py").write_text("print('hello')")
    with pytest.raises(BundleError, match=r"extra\.py"):
        load_bundle(copy)


def test_refuses_another_format(copy: Path) -> None:
    change(copy, format_version=99)
    with pytest.raises(BundleError, match="format 99"):
        load_bundle(copy)


def test_refuses_a_path_out_of_the_folder(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    change(copy, files=manifest["files"] | {"../secret": {"sha256": "0"}})
    with pytest.raises(BundleError, match="secret"):
        load_bundle(copy)


def test_refuses_a_pickle_with_the_right_checksum(copy: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path.touch, (copy / "ran",))

    data = pickle.dumps(Evil())
    (copy / "image.npz").write_bytes(data)
    import hashlib

    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["image.npz"]["sha256"] = hashlib.sha256(data).hexdigest()
    change(copy, files=manifest["files"])
    with pytest.raises(BundleError):
        load_bundle(copy)
    assert not (copy / "ran").exists()


def test_refuses_weights_of_another_shape(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    change(copy, shape=manifest["shape"] | {"lexical_rows": 10})
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(copy)


def test_a_report_can_be_put_beside_the_model(copy: Path) -> None:
    add_report(copy, "faithfulness", {"pointing_game": 0.5})
    assert load_bundle(copy).reports["faithfulness"] == {"pointing_game": 0.5}
