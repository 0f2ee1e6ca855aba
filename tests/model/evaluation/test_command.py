"""`python -m model evaluate`, and which rows it measures on."""

import csv
import hashlib
import json
import shutil

import numpy as np
import pytest

from model.bundle import BundleError, read_bundle
from model.evaluation.terminal import EvaluationError
from model.evaluation.unseen import read_unseen
from model.taxonomy import DEFAULT_PATH, default_taxonomy
from model.training.data import read_labelled, text_keys
from tests.model.evaluation.commands import run
from tests.model.evaluation.conftest import OPEN
from tests.model.made_up import write_official, write_rows


def as_bundle(folder, seen=None, taxonomy=None):
    """As much of a bundle as is read before any row is answered."""
    folder.mkdir()
    data = (DEFAULT_PATH.read_text(encoding="utf-8") if taxonomy is None else taxonomy).encode()
    (folder / "taxonomy.csv").write_bytes(data)
    files = {"taxonomy.csv": {"sha256": hashlib.sha256(data).hexdigest()}}
    (folder / "manifest.json").write_text(json.dumps({"version": "made-1", "files": files}), encoding="utf-8")
    if seen is not None:
        np.savez(folder / "seen.npz", keys=seen)
    return folder


@pytest.fixture
def examples(official):
    return read_labelled(official, default_taxonomy()).examples


def test_evaluate(at_home, official, tmp_path, capsys):
    before = {path.name: path.read_bytes() for path in OPEN.iterdir()}
    out = tmp_path / "out"
    assert run("evaluate", "--data", official, "--out", out) == 0
    said = capsys.readouterr()
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {path.name for path in out.iterdir()} == {"report.json", "report.html"}
    assert found["schema"] == 2 and found["model"] == read_bundle(OPEN).version
    assert found["data"]["name"] == "official" and found["data"]["rows"] == found["overall"]["rows"] == 80
    assert found["data"]["left_out"] == {"trained_on": 0} and len(found["data"]["fingerprint"]) == 64
    assert found["data"]["notices"] == {"unreadable_pictures": 1} and "without: 1\n- row " in said.err
    assert "does not say which rows" in found["caution"]["en"] and found["language_by"].startswith("py3langid")
    assert found["overall"]["weighted_f1"] > 0.5 and found["by_language"]["fr"]["rows"] > 40
    assert sum(group["rows"] for group in found["by_inputs"].values() if group) == 80
    assert {group["rows"] for group in found["same_rows"].values()} == {found["by_inputs"]["both"]["rows"]}
    assert str(tmp_path) not in json.dumps(found)
    assert "weighted F1" in said.out and str(out / "report.html") in said.out
    assert found["model"] in (out / "report.html").read_text(encoding="utf-8")
    assert {path.name: path.read_bytes() for path in OPEN.iterdir()} == before


def test_json_on_the_terminal_and_the_report_in_the_bundle(at_home, tmp_path, monkeypatch, capsys):
    write_official(tmp_path / "few", rows=27, pictures=0, test_rows=0)
    bundle = tmp_path / "bundle"
    shutil.copytree(OPEN, bundle)
    monkeypatch.chdir(tmp_path)
    assert run("evaluate", "--data", "few", "--bundle", bundle, "--json", "--into-bundle") == 0
    found = json.loads(capsys.readouterr().out)
    assert read_bundle(bundle).reports["metrics"] == found
    assert (tmp_path / f"evaluation-{found['model']}" / "report.html").exists()
    assert found["by_inputs"]["both"] is None and found["same_rows"] is None


def test_rows_it_was_trained_on_are_left_out(official, examples, tmp_path):
    keys = text_keys(examples)
    bundle = as_bundle(tmp_path / "bundle", keys[:30])
    data = read_unseen(official, bundle)
    known = np.isin(keys, keys[:30])
    assert data.left_out == {"trained_on": int(known.sum())} and data.caution is None
    assert [row.id for row in data.examples] == [row.id for row, out in zip(examples, known, strict=True) if not out]
    everything = read_unseen(official, bundle, everything=True)
    assert everything.examples == examples and everything.left_out == {"trained_on": 0}
    assert f"among these ({known.sum()})" in everything.caution["en"]
    assert everything.fingerprint != data.fingerprint


def test_a_row_without_words_is_never_taken_for_known(tmp_path):
    write_official(tmp_path / "data", rows=27, pictures=1, test_rows=0)
    table = tmp_path / "data" / "X_train_update.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][1:3] = "", ""
    write_rows(table, rows)
    data = read_unseen(tmp_path / "data", as_bundle(tmp_path / "bundle", np.array([0], np.uint64)))
    assert data.left_out == {"trained_on": 0} and len(data.examples) == 27
    assert "Rows without words (1) cannot be told" in data.caution["en"]


def test_nothing_is_left(at_home, official, examples, tmp_path, capsys):
    bundle = as_bundle(tmp_path / "bundle", text_keys(examples))
    with pytest.raises(EvaluationError) as error:
        read_unseen(official, bundle)
    assert error.value.reason == "all_trained_on"
    assert run("evaluate", "--data", official, "--bundle", bundle, "--out", tmp_path / "out") == 1
    assert "All 80 rows of official are among those that bundle was trained on" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_labels_of_another_taxonomy(at_home, official, tmp_path, capsys):
    header, *lines = DEFAULT_PATH.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("10,", "40,"))]
    bundle = as_bundle(tmp_path / "bundle", taxonomy="".join([header, *kept]))
    assert run("evaluate", "--data", official, "--bundle", bundle, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "labels outside the taxonomy" in said and "“10”" in said
    data = read_unseen(official, bundle, leave_out_bad_rows=True)
    assert data.left_out["bad_rows"] == 80 - len(data.examples) > 0
    assert not {row.code for row in data.examples} & {10, 40}


@pytest.mark.parametrize("keys", [np.arange(3), np.zeros((2, 2), np.uint64), None])
def test_a_list_of_seen_rows_that_is_none(official, tmp_path, keys):
    bundle = as_bundle(tmp_path / "bundle", keys)
    if keys is None:
        (bundle / "seen.npz").write_bytes(b"PK no archive")
    with pytest.raises(BundleError):
        read_unseen(official, bundle)


def test_a_table_is_measured_too(at_home, tmp_path, capsys):
    table = tmp_path / "products.csv"
    write_rows(table, [["designation", "prdtypecode"], ["Canapé d'angle convertible 5 places", 1560]])
    assert run("evaluate", "--data", table, "--out", tmp_path / "out", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["overall"]["accuracy"] == 1 and found["overall"]["auroc_of_confidence"] is None
    assert found["command"] == "python -m model evaluate --data products.csv"


def test_places_that_cannot_be_used(at_home, official, tmp_path, capsys):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert run("evaluate", "--data", official, "--out", tmp_path / "file") == 1
    assert "cannot be written" in capsys.readouterr().err
    assert run("evaluate", "--data", official, "--out", OPEN / "evaluation") == 1
    assert "lies in the model's folder" in capsys.readouterr().err and not (OPEN / "evaluation").exists()
    assert run("evaluate", "--data", tmp_path / "nowhere", "--out", tmp_path / "out") == 1
    assert "nowhere" in capsys.readouterr().err
    assert run("evaluate", "--data", official, "--bundle", tmp_path, "--out", tmp_path / "out") == 1
    assert "not a bundle" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
