"""Ways to spoil a small bundle, each with what its refusal says."""

import json
import os
import pickle
import warnings
import zipfile
from pathlib import Path

import numpy as np

from tests.hostile.small_bundle import (
    TAXONOMY,
    WEIGHT,
    change_manifest,
    members,
    npy,
    npy_with_header,
    put,
    replace_text,
    with_member,
    zipped,
)
from tests.hostile.zips import Member, packed

HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }\n"
MEMBER = f"{WEIGHT}.npy"
LAMBDA = {"class_name": "Lambda", "config": {"function": ["4wEAAAAAAAAAAAAAAAEAAABTAAAA", None, None]}}


class Touching:
    """Unpickled, makes a file named ran."""

    def __init__(self, folder):
        self.path = folder.parent / "ran"

    def __reduce__(self):
        return Path.touch, (self.path,)


def image(member, data):
    return lambda folder: with_member(folder, "image.npz", member, data)


def image_npz(make):
    return lambda folder: put(folder, "image.npz", make() if callable(make) else make)


def listed(name, data=b"harm"):
    return lambda folder: put(folder, name, data)


def manifest(**values):
    return lambda folder: change_manifest(folder, lambda found: found.update(values))


def shape(**values):
    return lambda folder: change_manifest(folder, lambda found: found["shape"].update(values))


def entry(name, value):
    return lambda folder: change_manifest(folder, lambda found: found["files"].update({name: value}))


def taxonomy(before, after):
    return lambda folder: replace_text(folder, "taxonomy.csv", before, after)


def linked(name, target=None):
    def spoil(folder):
        (folder / name).rename(folder.parent / "elsewhere")
        (folder / name).symlink_to(target or folder.parent / "elsewhere")

    return spoil


def pipe(folder):
    (folder / "image.npz").unlink()
    os.mkfifo(folder / "image.npz")


def pickled(folder):
    with_member(folder, "image.npz", MEMBER, npy(np.array([Touching(folder)], object)))


def pickle_alone(folder):
    put(folder, "image.npz", npy(np.array([Touching(folder)], object)))


def pickle_named_as_array(folder):
    with_member(folder, "image.npz", MEMBER, pickle.dumps(Touching(folder)))


def twice(folder):
    found = members(folder, "image.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        put(folder, "image.npz", zipped(*found.items(), (MEMBER, npy(np.ones(3, "f4")))))


def in_two_files(folder):
    with_member(folder, "semantic.npz", MEMBER, npy(np.ones(3, "f4")))


def cut(name, share):
    return lambda folder: put(folder, name, (folder / name).read_bytes()[: int((folder / name).stat().st_size * share)])


def bomb(size=3 * 2**30):
    """A member that tells of gigabytes, in an archive of a kilobyte."""
    header = npy_with_header(HEADER % (size // 4))
    return packed(Member(MEMBER.encode(), header + bytes(2**16), method=8, size=len(header) + size))


def bombs():
    return packed(*[Member(b"m%d.npy" % i, b"x", size=2**28) for i in range(5)])


def bomb_that_claims_little():
    header = npy_with_header(HEADER % 16)
    return packed(Member(MEMBER.encode(), header + bytes(8_000_000), method=8, size=len(header) + 64))


def directory(count):
    return packed(*[Member(b"a.npy", b"")] * count)


def whole(name, value):
    return lambda folder: with_member(folder, "semantic.npz", f"{name}.npy", npy(value))


def lexical(name, value):
    return lambda folder: with_member(folder, "lexical.npz", f"{name}.npy", npy(value))


def seen(value):
    return lambda folder: put(folder, "seen.npz", zipped(("keys.npy", npy(value))))


def deep(text="[", count=100_000):
    return b'{"a": ' + text.encode() * count


def foreign(name, **changes):
    def spoil(folder):
        (folder / name).write_bytes(json.dumps(changes).encode())

    return spoil


CODE = ["model.keras", "old.h5", "w.hdf5", "a.pkl", "b.PICKLE", "c.joblib", "d.pt", "e.pth", "f.py", "g.so", "s.pb"]

REFUSED = {
    # files
    "a stranger": (foreign("config.json", **LAMBDA), r"does not list: config\.json"),
    "a Lambda that is listed": (listed("config.json", json.dumps(LAMBDA).encode()), r"unknown files.*config\.json"),
    "a Lambda in the shape": (shape(**LAMBDA), "class_name.*does not know"),
    **{
        f"listed, with the right checksum: {name}": (listed(name), f"{name} could run code, and is not read")
        for name in CODE
    },
    "code that is not listed": (foreign("hook.py"), r"hook\.py could run code"),
    "a folder": (lambda folder: (folder / "variables").mkdir(), "only plain files.*variables"),
    "a link to another file": (linked("image.npz"), r"only plain files.*image\.npz"),
    "a link to a device": (linked("taxonomy.csv", "/dev/zero"), r"only plain files.*taxonomy\.csv"),
    "a link that leads nowhere": (linked("metrics.json", "/nowhere"), r"only plain files.*metrics\.json"),
    "a link for a manifest": (linked("manifest.json"), r"manifest\.json is a link"),
    "a pipe": (pipe, r"only plain files.*image\.npz"),
    "a name that climbs out": (entry("../../secret.npz", {"sha256": "0"}), r"unknown files.*\.\./\.\./secret"),
    "an absolute name": (entry("/etc/passwd", {"sha256": "0"}), "unknown files.*/etc/passwd"),
    "a name of control characters": (entry("\x1b[2J\n", {"sha256": "0"}), r"unknown files.*'\\x1b"),
    "an entry that is none": (entry("image.npz", "a"), r"no sha256 for image\.npz"),
    "a checksum that is none": (entry("image.npz", {"sha256": 3}), r"no sha256 for image\.npz"),
    "a wrong checksum": (entry("image.npz", {"sha256": "0" * 64}), r"image\.npz.*sha256 differs"),
    "a wrong size": (
        lambda folder: change_manifest(folder, lambda found: found["files"]["image.npz"].update(bytes=1)),
        r"image\.npz.*size differs",
    ),
    # manifest
    "another version": (manifest(version="small-0123456789"), "not that of its files, which is small-"),
    "another name": (manifest(name="large"), "not that of its files, which is large-"),
    "no name": (manifest(name=None), "not that of its files"),
    "a version that climbs out": (manifest(name="../../up", version="../../up-0123456789"), "no version"),
    "a format that is nearly one": (manifest(format_version=True), "format True"),
    "a format as text": (manifest(format_version="1"), "format '1'"),
    "files that are none": (manifest(files=[]), "files and version are needed"),
    "a manifest that is nested deeply": (
        lambda folder: (folder / "manifest.json").write_bytes(deep()), r"manifest\.json is nested too deeply"
    ),
    "a manifest that is a list": (
        lambda folder: (folder / "manifest.json").write_bytes(b"[1]"), r"manifest\.json must hold a JSON object"
    ),
    "no shape": (manifest(shape=None), "no shape"),
    "a network of terabytes": (shape(lexical_rows=10**12), "lexical_rows is 1000000000000"),
    "a network larger than its table": (shape(lexical_rows=4_000_000), r"lexical_logits/table.*shape"),
    "a table without rows": (shape(semantic_rows=0), "semantic_rows is 0"),
    "rows that are a truth": (shape(semantic_rows=True), "semantic_rows that is none: 'True'"),
    "rows as text": (shape(semantic_rows="9"), "semantic_rows that is none"),
    "an unknown backbone": (shape(backbone="os.system"), r"backbone 'os\.system' is not one of"),
    "categories in the shape": (shape(categories=10**9), "categories.*does not know"),
    "no settings": (manifest(settings={}), "setting threshold is None"),
    "a setting beyond 1": (
        manifest(settings={"threshold": 0.5, "coverage": 0.9, "conformal_quantile": 5}), "conformal_quantile is 5"
    ),
    # taxonomy and tables
    "a code twice": (taxonomy("20,", "10,"), "each code once"),
    "one category": (taxonomy("20,Jeux,Games,7,all\n", ""), "at least two categories"),
    "an empty label": (taxonomy("Jeux", "  "), "category 20 needs two labels"),
    "a category cut short": (taxonomy("20,Jeux,Games,7,all", "20,Jeux"), "not a taxonomy"),
    "a code that no table can hold": (taxonomy("20,", f"{2**63},"), "code 9223372036854775808"),
    "a field of megabytes": (taxonomy("Jeux", "x" * 200_000), "field larger than|category 20 needs two labels"),
    "more categories than are read": (
        listed("taxonomy.csv", (TAXONOMY + "".join(f"{i},a,b,1,c\n" for i in range(30, 10_030))).encode()),
        "10,002 categories",
    ),
    "a taxonomy that is not text": (listed("taxonomy.csv", b"\xff\xfe\x00"), "utf-8"),
    "a class for a category there is not": (
        lambda folder: replace_text(folder, "imagenet_categories.csv", "20:0.5", "99:0.5"), "class 1, category 99"
    ),
    "a class without number": (
        lambda folder: replace_text(folder, "imagenet_categories.csv", "20:0.5", "20:nan"), "class 1.*weight nan"
    ),
    "a class outside the table": (
        lambda folder: replace_text(folder, "imagenet_categories.csv", "1,board", "-1,board"), "class -1"
    ),
    # JSON
    "a report that is nested deeply": (listed("metrics.json", deep()), r"metrics\.json is nested too deeply"),
    "a report that is a list": (listed("smoke.json", b"[]"), r"smoke\.json must hold a JSON object"),
    "a report cut short": (listed("faithfulness.json", b'{"a": '), r"faithfulness\.json is not JSON"),
    "a report with a number that is none": (listed("metrics.json", b'{"a": NaN}'), "NaN is no number"),
    "a report with an endless number": (listed("metrics.json", b'{"a": ' + b"9" * 10**6 + b"}"), "not JSON"),
    # archives
    "a pickle inside": (pickled, f"{WEIGHT} is not an array of numbers but of object"),
    "a pickle for an archive": (pickle_alone, r"image\.npz is not a NumPy archive"),
    "a pickle named as an array": (pickle_named_as_array, f"{WEIGHT} is no array as numpy.savez writes it"),
    "a file that is no array": (image("run.py", b"print()"), r"'run\.py' is no name of an array"),
    "an array of texts": (image(MEMBER, npy(np.array(["a"]))), "not an array of numbers but of <U1"),
    "an array of records": (image(MEMBER, npy(np.zeros(2, [("a", "f4")]))), "not an array of numbers"),
    "an array of dates": (image(MEMBER, npy(np.zeros(2, "M8[s]"))), "not an array of numbers"),
    "an array of bytes without type": (image(MEMBER, npy(np.zeros(2, "V8"))), "not an array of numbers"),
    "complex numbers": (image(MEMBER, npy(np.zeros(2, "c8"))), "not an array of numbers"),
    "not a number": (image(MEMBER, npy(np.array([1, np.nan], "f4"))), f"{WEIGHT} holds numbers that are none"),
    "infinite, as half": (image(MEMBER, npy(np.array([np.inf], "f2"))), "holds numbers that are none"),
    "infinite once it is single": (image(MEMBER, npy(np.array([1e300]))), f"{WEIGHT} is too large"),
    "a weight twice": (twice, f"holds {WEIGHT} twice"),
    "a weight in two files": (in_two_files, f"{WEIGHT} stands in two files"),
    **{
        f"a member named {name!r}": (image(name, npy(np.ones(3, "f4"))), "is no name of an array")
        for name in ["../up.npy", "a/../../up.npy", "/etc/up.npy", "C:\\up.npy", "a\\b.npy", "a//b.npy", "./a.npy",
                     "é.npy", "a\nb.npy", "folder/", ".npy/.npy/..npy/.."]
    },
    "a bomb": (image_npz(bomb), "unpacks to 3,221,2"),
    "bombs that are small each": (image_npz(bombs), "unpacks to 1,342,177,280"),
    "a bomb that claims to be small": (image_npz(bomb_that_claims_little), "not a NumPy archive.*CRC"),
    "a directory of thousands": (image_npz(lambda: directory(9_000)), "more than 4,000 arrays"),
    "a header that is too long": (image(MEMBER, npy_with_header("(" * 60_000)), "header is too long"),
    "a header of another version": (
        image(MEMBER, npy_with_header(HEADER % 4, bytes(16), version=2)), "no array as numpy.savez writes it"
    ),
    "a header nested deeply": (image(MEMBER, npy_with_header("(" * 1_900)), "header that is none"),
    "a header that calls": (
        image(MEMBER, npy_with_header("{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': ()}")),
        "header that is none",
    ),
    "a header of minus signs": (image(MEMBER, npy_with_header("-" * 1_900 + "1")), "header that is none"),
    "a header that is not text": (image(MEMBER, npy_with_header("\xff" * 50)), "header that is none"),
    "a shape of petabytes": (
        image(MEMBER, npy_with_header(HEADER % 2**50, bytes(64))), "its header tells of .* bytes, the archive of"
    ),
    "a shape beyond all counting": (image(MEMBER, npy_with_header(HEADER % (f"{2**62}, " * 5 + "1"))), "tells of"),
    "a shape below nothing": (image(MEMBER, npy_with_header(HEADER % "-4, -4", bytes(64))), "shape that is none"),
    "a shape of many dimensions": (
        image(MEMBER, npy_with_header(HEADER % ("1," * 40 + "1"), bytes(4))), "shape that is none"
    ),
    "a shape smaller than the data": (image(MEMBER, npy_with_header(HEADER % 3, bytes(64))), "tells of"),
    "an array cut short": (image(MEMBER, npy(np.ones(9, "f4"))[:-4]), "tells of"),
    "an empty member": (image(MEMBER, b""), "no array as numpy.savez writes it"),
    "packed by bzip2": (
        image_npz(lambda: zipped((MEMBER, npy(np.ones(3, "f4"))), method=zipfile.ZIP_BZIP2)), "packed in a way"
    ),
    "packed by lzma": (
        image_npz(lambda: zipped((MEMBER, npy(np.ones(3, "f4"))), method=zipfile.ZIP_LZMA)), "packed in a way"
    ),
    "encrypted": (image_npz(lambda: packed(Member(MEMBER.encode(), flags=1))), "is encrypted"),
    "another name in its own header": (
        image_npz(lambda: packed(Member(MEMBER.encode(), local_name=b"b.npy"))), "not a NumPy archive"
    ),
    "an archive cut short": (cut("lexical.npz", 0.7), r"lexical\.npz is not a NumPy archive"),
    "an archive of noise": (image_npz(bytes(range(256)) * 40), r"image\.npz is not a NumPy archive"),
    "nothing at all": (image_npz(b""), r"image\.npz is not a NumPy archive"),
    # what is in them
    "an array more in the vocabulary": (lexical("more", np.ones(3)), "holds 'more', which"),
    "n-grams without number": (lexical("idf", np.ones(3, "f4")), "one idf per n-gram|lines of bytes"),
    "a thousand empty n-grams": (
        lexical("words", np.full(1_000_000, 10, np.uint8)), "n-grams must be at most .* lines of bytes"
    ),
    "n-grams as numbers": (lexical("words", np.ones(3, "f4")), "n-grams must be"),
    "n-grams that are not text": (lexical("words", np.full(9, 255, np.uint8)), "utf-8"),
    "pieces out of order": (whole("kept", np.array([3, 2, 1], "i4")), "piece ids, ascending"),
    "no pieces": (whole("kept", np.zeros(0, "i4")), "piece ids, ascending"),
    "pieces without control": (
        lambda folder: with_member(
            folder, "semantic.npz", "kept.npy", npy(np.arange(5, 5 + len(_kept(folder)), dtype="i4"))
        ),
        "kept lacks the control piece 0",
    ),
    "no kept pieces": (
        lambda folder: put(
            folder, "semantic.npz", zipped(*[m for m in members(folder, "semantic.npz").items() if m[0] != "kept.npy"])
        ),
        "kept must be",
    ),
    "an embedding of another width": (whole("codes", np.ones((3, 5), np.uint8)), "codes has the shape"),
    "a scale for all": (whole("scale", np.ones((1, 1), "f4")), "scale has the shape"),
    "a scale that goes beyond": (
        lambda folder: with_member(
            folder, "semantic.npz", "scale.npy", npy(np.full((len(_kept(folder)), 1), 3e38, "f4"))
        ),
        r"semantic_embedding/embeddings is too large",
    ),
    "no embedding": (
        lambda folder: put(
            folder, "semantic.npz", zipped(*[m for m in members(folder, "semantic.npz").items() if m[0] != "codes.npy"])
        ),
        r"semantic\.npz lacks the array codes",
    ),
    "seen rows of another type": (seen(np.arange(3)), r"keys must be uint64 \(n,\)"),
    "seen rows in two dimensions": (seen(np.zeros((2, 2), np.uint64)), r"keys must be uint64 \(n,\)"),
    "seen rows under another name": (
        lambda folder: put(folder, "seen.npz", zipped(("rows.npy", npy(np.ones(2))))), "lacks the array keys"
    ),
    "no SentencePiece model": (listed("sentencepiece.model", b"\x80\x04K\x01."), "no SentencePiece model"),
    "an empty SentencePiece model": (listed("sentencepiece.model", b""), r"sentencepiece\.model is empty"),
    "a SentencePiece model cut short": (cut("sentencepiece.model", 0.5), "no SentencePiece model|control piece"),
    "a SentencePiece model that promises gigabytes": (
        listed("sentencepiece.model", b"\x0a\xff\xff\xff\xff\x07" + b"a" * 50), "no SentencePiece model"
    ),
}  # fmt: skip


def _kept(folder):
    with np.load(folder / "semantic.npz") as found:
        return found["kept"]
