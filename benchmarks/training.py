"""What training costs: the whole of a catalogue as large as the challenge's, and the pass over its pictures."""

import csv
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

from batch.local import cores
from benchmarks.batch_data import write_photos
from benchmarks.batch_pictures import runtimes
from benchmarks.processes import Usage, watched
from model.bundle import read_imagenet_table
from model.classifier import Classifier
from model.exported import exported
from model.network import build_network
from model.shape import NetworkShape
from model.taxonomy import default_taxonomy
from model.training.backbone_graph import lay_in, write_backbone_graph
from model.training.corpus import read_corpus
from model.training.picture_features import GRAPH, picture_features
from model.training.start import start_from
from model.versions import SHIPPED_BUNDLE
from settings import ROOT, settings

ROWS, DESCRIBED = 84_916, 0.65
FILES, SIDE, FEW = 1_500, 500, 300
_STAGES = (
    ("duplicates and split", "split/split.json"),
    ("texts read", "texts.npz"),
    ("semantic branch", "semantic-terms.npz"),
    ("lexical branch, trial", "lexical-trial-0.npz"),
    ("lexical branch, whole", "lexical.npz"),
)


def texts(folder: Path, rows: int = ROWS) -> str:
    """The command on made-up rows in the challenge's layout, without pictures; minutes of each stage."""
    data, work = write_rows(folder / "data", rows), folder / "work"
    started = time.time()
    usage = _train(data, folder / "trained", work)
    [stages] = work.iterdir()
    lines = [
        f"### {rows:,} rows of text, {DESCRIBED:.0%} with a description of about 800 characters",
        "",
        "Listings of the open corpus, words added, descriptions glued: they are as many and as long as the challenge's,"
        " but say nothing of its scores.",
        "",
        "| stage | minutes |",
        "|---|---:|",
    ]
    before = started
    for name, file in _STAGES:
        ended = (stages / file).stat().st_mtime
        lines.append(f"| {name} | {(ended - before) / 60:.1f} |")
        before = ended
    lines += [
        f"| bundle, export, report on the test rows | {(started + usage.seconds - before) / 60:.1f} |",
        f"| **whole command** | **{usage.seconds / 60:.1f}** |",
        "",
        f"Peak memory of all its processes (PSS): {usage.memory / 1e9:.1f} GB.",
        "",
    ]
    return "\n".join(lines)


def pictures(folder: Path, files: int = FILES) -> str:
    """The pass over pictures, from the files to kept features, beside the network alone."""
    classifier = Classifier.load(SHIPPED_BUNDLE)
    rates = runtimes(classifier, exported(SHIPPED_BUNDLE, settings().home))
    photos = sorted(map(str, write_photos(folder / "photos", files, SIDE).iterdir()))
    taxonomy = default_taxonomy()
    start = start_from(SHIPPED_BUNDLE, taxonomy)
    shape = NetworkShape(len(taxonomy), 2, 1, start.shape_backbone, image_head=True)
    network = build_network(shape, read_imagenet_table(start.imagenet_csv, taxonomy))
    lay_in(network, start.backbone)
    write_backbone_graph(network, shape, folder / GRAPH)
    seconds = []
    for count in (FEW, files):  # the start of the processes falls out of the difference
        begun = time.perf_counter()
        picture_features(photos[:count], folder / GRAPH, shape.image_size, len(taxonomy), folder / f"features{count}")
        seconds.append(time.perf_counter() - begun)
    rate = (files - FEW) / (seconds[1] - seconds[0])
    plain = rates["TensorFlow tf.function"]
    lines = [
        f"### Pictures ({SIDE} x {SIDE} JPEG): read, decoded, fitted, through the backbone, kept",
        "",
        f"| path, {cores()} cores | pictures/s | times TensorFlow's network alone |",
        "|---|---:|---:|",
        *(f"| network alone, {name} | {value:.0f} | {value / plain:.2f} |" for name, value in rates.items()),
        f"| **the stage of the training, at work** | {rate:.0f} | {rate / plain:.2f} |",
        "",
    ]
    return "\n".join(lines)


def write_rows(folder: Path, rows: int, seed: int = 0) -> Path:
    """Made-up rows in the challenge's layout, without pictures."""
    folder.mkdir(parents=True)
    chance, corpus = random.Random(seed), read_corpus()
    descriptions = defaultdict(list)
    for row in corpus:
        if row.description:
            descriptions[row.code].append(row.description)
    words = sorted({word for row in corpus for word in row.designation.split()})
    with (
        (folder / "X_train_update.csv").open("w", encoding="utf-8", newline="") as x,
        (folder / "Y_train_CVw08PX.csv").open("w", encoding="utf-8", newline="") as y,
    ):
        xs, ys = csv.writer(x), csv.writer(y)
        xs.writerow(["", "designation", "description", "productid", "imageid"])
        ys.writerow(["", "prdtypecode"])
        for i in range(rows):
            row = chance.choice(corpus)
            title = row.designation.split()
            title.insert(chance.randrange(len(title) + 1), chance.choice(words))
            wanted = chance.lognormvariate(6.4, 0.8) if chance.random() < DESCRIBED else 0.0
            parts: list[str] = []
            while wanted > 0:
                parts.append(chance.choice(descriptions[row.code]))
                wanted -= len(parts[-1])
            xs.writerow([i, " ".join(title), "<br />".join(parts), i, i])
            ys.writerow([i, row.code])
    return folder


def _train(data: Path, out: Path, work: Path) -> Usage:
    command = [sys.executable, "-m", "model", "train", "--data", str(data), "--out", str(out), "--work", str(work)]
    return watched(command, ROOT)
