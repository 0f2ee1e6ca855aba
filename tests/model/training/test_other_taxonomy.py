"""Another marketplace: five categories of its own, a plain table, a backbone that is tuned."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from model.classifier import Classifier
from model.product import Product
from model.taxonomy import Taxonomy
from model.training.data import read_labelled
from tests.model.made_up import write_table
from tests.model.training.runs import Trainer

TAXONOMY = """code,label_fr,label_en,train_count,scope
3,Chaussures,Shoes,0,"shoes, boots"
7,Sacs,Bags,0,bags
11,Montres,Watches,0,watches
500,Chapeaux,Hats,0,hats
9001,Gants,Gloves,0,gloves
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, trainer: Trainer) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "taxonomy.csv").write_text(TAXONOMY, encoding="utf-8")
    write_table(folder / "products.csv", rows=140, codes=Taxonomy.from_csv(TAXONOMY), pictures=0.6)
    options = (
        "--taxonomy",
        str(folder / "taxonomy.csv"),
        "--name",
        "shop",
        "--test-share",
        "0",
        "--finetune-image",
        "1",
    )
    said = trainer(folder / "products.csv", folder / "shop", folder / "work", *options)
    assert said.startswith("shop-")
    return folder / "shop"


def test_it_knows_its_own_categories(bundle: Path) -> None:
    found = Classifier.load(bundle)
    taxonomy = Taxonomy.from_csv(TAXONOMY)
    assert found.taxonomy.codes == taxonomy.codes
    rows = [row for row in read_labelled(bundle.parent / "products.csv", taxonomy).examples if row.picture][:40]
    texts = found.predict([Product(row.designation) for row in rows])
    assert np.mean([p.code == row.code for p, row in zip(texts, rows, strict=True)]) > 0.9
    pictures = [Path(row.picture).read_bytes() for row in rows]
    seen = found.predict([Product(image=data) for data in pictures])
    assert np.mean([p.code == row.code for p, row in zip(seen, rows, strict=True)]) > 0.8
    explanation = found.explain(Product(rows[0].designation, image=pictures[0]), rows[0].code)
    assert explanation.heatmap is not None
    assert explanation.logit == pytest.approx(
        found.logits(Product(rows[0].designation, image=pictures[0]))[rows[0].code], abs=1e-3
    )


def test_nothing_of_the_27_categories_is_in_it(bundle: Path) -> None:
    with (bundle / "imagenet_categories.csv").open(encoding="utf-8", newline="") as file:
        assert not any(row["categories"] for row in csv.DictReader(file))
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    chosen = manifest["training"]["chosen"]
    assert chosen["company_weight"] == 0 and chosen["image_blocks_tuned"] == 1
    assert manifest["training"]["fusion"]["image_table"] < 0.35  # it says nothing, whatever its weight
    assert "metrics.json" not in manifest["files"] and "smoke.json" in manifest["files"]


def test_the_backbone_was_tuned_in_its_last_block_alone(bundle: Path, classifier) -> None:
    tuned = {w.path: np.asarray(w) for w in Classifier.load(bundle).bundle.network.whole.weights}
    changed = {
        weight.path.split("/")[0]
        for weight in classifier.bundle.network.whole.weights
        if weight.path.startswith("image_") and weight.path in tuned and weight.path.endswith("kernel")
        and np.asarray(weight).shape == tuned[weight.path].shape
        and not np.array_equal(np.asarray(weight), tuned[weight.path])
    }  # fmt: skip
    assert changed == {
        "image_block15_expand_conv", "image_block15_depthwise_conv", "image_block15_project_conv", "image_top_conv",
    }  # fmt: skip
