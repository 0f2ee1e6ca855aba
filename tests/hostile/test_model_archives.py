"""Models made to harm: each is refused with the reason, and nothing but the folder for it has come to be."""

import errno
import io
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model import archive
from model.archive import ArchiveError, fetch
from model.bundle import BundleError
from model.versions import ModelStore
from settings import SHIPPED_BUNDLE
from tests.hostile.zips import Member, deflated, end, huge_directory, one_header_twice, packed, quoted_bomb
from tests.model.bundles import copied, other_bundle, renamed, rewritten, zipped

A = Member(b"a.json")
FINE = packed(A)
BOMB = Member(b"a.json", bytes(8 * 2**20), method=8)


def too_many(count):
    directory = b"".join(Member(b"%d" % i, b"").central(0) for i in range(count))
    return directory + end(count, len(directory), 0)


REFUSED = {
    "nothing at all": (b"", "not_a_zip"),
    "a pickle": (b"\x80\x04cposix\nsystem\n.", "not_a_zip"),
    "cut in the list": (FINE[:-30], "damaged"),
    "cut in a file": (FINE[:50], "damaged"),
    "a version from the future": (packed(replace(A, version=99)), "damaged"),
    "a wrong checksum": (packed(replace(A, crc=1)), "damaged"),
    "claims more than it holds": (packed(replace(A, size=5)), "damaged"),
    "claims less than it holds": (packed(replace(A, size=3)), "damaged"),
    "not the compression it claims": (packed(Member(b"a.json", method=8, body=b"\xff" * 50)), "damaged"),
    "packed data cut short": (packed(Member(b"a.json", method=8, body=deflated(bytes(999))[:-3])), "damaged"),
    "another name in its own header": (packed(replace(A, local_name=b"b.json")), "damaged"),
    "a patch": (packed(replace(A, flags=0x20)), "damaged"),
    "an end inside the list of members": (huge_directory(), "damaged"),
    "more files than a model has": (too_many(archive.MAX_FILES + 1), "too_many"),
    "a hundred thousand files": (too_many(100_000), "too_many"),
    "names too long to list": (packed(*[Member(b"x" * 60_000)] * 40), "too_many"),
    "three gigabytes declared": (packed(replace(A, size=3 * 2**30)), "too_large"),
    "together too large": (packed(*[Member(b"%d" % i, size=2**30) for i in range(3)]), "too_large"),
    "decompression bomb": (packed(BOMB), "too_compressed"),
    "bomb that claims to be small": (packed(replace(BOMB, size=900)), "damaged"),
    "quoted overlap bomb": (quoted_bomb(), "overlapping"),
    "one file inside another": (packed(Member(b"b.json", A.local + A.packed), replace(A, offset=36)), "overlapping"),
    "a packed size beyond the file": (packed(replace(A, packed_size=10**9)), "overlapping"),
    "one file listed twice": (packed(A, A), "twice"),
    "one header listed twice": (one_header_twice(A), "twice"),
    "told apart by case": (packed(A, Member(b"A.JSON")), "twice"),
    "climbing out": (packed(Member(b"../up.json")), "name"),
    "climbing out of its folder": (packed(Member(b"shop/../../up.json")), "name"),
    "climbing out by the folder": (packed(Member(b"../", b"")), "name"),
    "climbing out by Windows": (packed(Member(b"..\\up.json")), "name"),
    "an absolute name": (packed(Member(b"/tmp/up.json")), "name"),
    "a name on the network": (packed(Member(b"//host/up.json")), "name"),
    "a drive": (packed(Member(b"C:up.json")), "name"),
    "a stream of a file": (packed(Member(b"a.json:up")), "name"),
    "a name that ends early": (packed(Member(b"a.json\0.txt")), "name"),
    "a name over lines": (packed(Member(b"a\n.json")), "name"),
    "no name": (packed(Member(b"")), "name"),
    "only a slash": (packed(Member(b"/", b"")), "name"),
    "a hidden file": (packed(Member(b".bashrc")), "name"),
    "the folder itself": (packed(Member(b".")), "name"),
    "folders in folders": (packed(Member(b"a/b/c.json")), "name"),
    "two folders": (packed(Member(b"a/x.json"), Member(b"b/y.json")), "name"),
    "files beside the folder": (packed(Member(b"shop/x.json"), A), "name"),
    "a letter that looks like another": (packed(Member("tаxonomy.csv".encode(), flags=0x800)), "name"),
    "what macOS adds": (packed(Member(b"shop/a.json"), Member(b"__MACOSX/shop/._a.json")), "name"),
    "a symbolic link": (packed(Member(b"a.json", b"/etc/passwd", mode=0o120777)), "special"),
    "a folder that is a link": (packed(Member(b"shop/", b"/etc", mode=0o120777)), "special"),
    "a device": (packed(Member(b"a.json", b"", mode=0o020666)), "special"),
    "a pipe": (packed(Member(b"a.json", b"", mode=0o010666)), "special"),
    "behind a password": (packed(replace(A, flags=1)), "encrypted"),
    "behind a certificate": (packed(replace(A, flags=0x41)), "encrypted"),
    "bzip2": (packed(replace(A, method=12)), "compression"),
    "LZMA": (packed(replace(A, method=14)), "compression"),
    "an unknown method": (packed(replace(A, method=250)), "compression"),
}


@pytest.fixture
def place(tmp_path):
    """Writes an archive deep inside; at the end nothing is there but it and what lies in the target."""
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    path = inside / "shop.zip"

    def put(data):
        path.write_bytes(data)
        return path, inside / "target"

    yield put
    files = {file for file in tmp_path.rglob("*") if not file.is_dir() and file.parent != inside / "target"}
    assert files == {path}
    assert not os.path.exists("/tmp/up.json")


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, place):
    data, reason = REFUSED[case]
    path, target = place(data)
    with pytest.raises(ArchiveError) as caught:
        fetch(path, target)
    assert caught.value.reason == reason and "shop.zip" in str(caught.value)
    assert not any(file.is_symlink() for file in target.rglob("*"))


def test_counted_while_copying_whatever_was_announced(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 3 * 2**20)
    writer = archive._Writer("x", tmp_path / "target", announced=0)
    writer.write("a", io.BytesIO(bytes(2 * 2**20)))
    endless = io.BufferedReader(io.FileIO("/dev/zero"))
    with pytest.raises(ArchiveError) as caught:
        writer.write("b", endless)
    assert caught.value.reason == "too_large"
    assert sum(file.stat().st_size for file in (tmp_path / "target").iterdir()) == 3 * 2**20


def test_no_room(place, monkeypatch):
    path, target = place(packed(Member(b"a", bytes(5 * 2**20))))
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2 * 2**20}))
    with pytest.raises(ArchiveError, match="needs 5 MB, and there are 2 MB"):
        fetch(path, target)


def test_a_disk_that_fills_up_meanwhile(place, monkeypatch):
    path, target = place(FINE)

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises(ArchiveError, match=r"a\.json.*No space left"):
        fetch(path, target)


@pytest.mark.parametrize("top", ["", "shop/"])
def test_a_sound_one(place, top):
    path, target = place(packed(*([Member(b"shop/", b"", mode=0o040755)] if top else []), Member(top.encode() + b"a")))
    fetch(path, target)
    assert {file.name: file.read_bytes() for file in target.iterdir()} == {"a": b"data"}


# --- folders -------------------------------------------------------------------------------------------------


def special(folder: Path, kind: str) -> None:
    if kind == "link":
        (folder / "x").symlink_to("/etc/passwd")
    elif kind == "folder":
        (folder / "x").mkdir()
    else:
        os.mkfifo(folder / "x")  # whoever opened it would wait for ever


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_a_folder_of_other_things_than_files(tmp_path, kind):
    (tmp_path / "shop").mkdir()
    special(tmp_path / "shop", kind)
    with pytest.raises(ArchiveError) as caught:
        fetch(tmp_path / "shop", tmp_path / "target")
    assert caught.value.reason == "special" and not (tmp_path / "target").exists()


def test_a_folder_of_a_thousand_files(tmp_path):
    (tmp_path / "shop").mkdir()
    for i in range(1000):
        (tmp_path / "shop" / str(i)).touch()
    with pytest.raises(ArchiveError) as caught:
        fetch(tmp_path / "shop", tmp_path / "target")
    assert caught.value.reason == "too_many"


def test_a_folder_that_is_larger_than_it_was(tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a").write_bytes(bytes(100))
    monkeypatch.setattr(archive, "MAX_BYTES", 99)
    with pytest.raises(ArchiveError) as caught:
        fetch(tmp_path / "shop", tmp_path / "target")
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("source", ["nowhere", "a\0b", "\ud800"])
def test_a_source_that_is_not_there(tmp_path, source):
    with pytest.raises(ArchiveError) as caught:
        fetch(tmp_path / source, tmp_path / "target")
    assert caught.value.reason == "not_found" and str(caught.value)


# --- whole models --------------------------------------------------------------------------------------------


def stranger(folder: Path) -> None:
    (folder / "__init__.py").write_text("raise SystemExit")


def listed_stranger(folder: Path) -> None:
    (folder / "run.py").touch()
    rewritten(folder, "run.py", lambda _: b"raise SystemExit")


def pickled(folder: Path) -> None:
    rewritten(folder, "image.npz", lambda _: b"\x80\x04cposix\nsystem\n(S'touch ran'\ntR.")


def checksum(folder: Path) -> None:
    (folder / "taxonomy.csv").write_bytes((folder / "taxonomy.csv").read_bytes() + b" ")


def no_taxonomy(folder: Path) -> None:
    rewritten(folder, "taxonomy.csv", lambda data: data.replace(b"2060", b"lamp"))


def other_format(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 2'))


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


HARMED = {
    stranger: "__init__.py",
    listed_stranger: "run.py",
    pickled: "image",
    checksum: "sha256",
    no_taxonomy: "taxonomy",
    other_format: "format",
    no_manifest: "manifest",
}


@pytest.mark.parametrize("harm", HARMED)
def test_a_harmed_model_is_not_installed(harm, tmp_path):
    """What is left to the check in a process of its own is tested with `model.apart.check_apart`."""
    bundle = copied(tmp_path / "shop")
    harm(bundle)
    if (bundle / "manifest.json").exists():
        renamed(bundle, "shop")  # as whoever harms it would see to it
    store = ModelStore(tmp_path / "home", check=whole)
    with pytest.raises(BundleError, match=HARMED[harm]) as caught:
        store.install(zipped(bundle, tmp_path / "shop.zip"))
    assert "\n" not in str(caught.value)
    assert [path.name for path in store.folder.iterdir()] == [".lock"]


def whole(folder: Path) -> None:
    from model.bundle import read_bundle_and_weights

    read_bundle_and_weights(folder)


members = st.builds(
    Member,
    name=st.binary(max_size=12) | st.sampled_from([b"a", b"../b", b"c/d", b"c/", b"C/e", b"c/f"]),
    data=st.binary(max_size=300),
    method=st.sampled_from([0, 8, 8, 12, 99]),
    flags=st.sampled_from([0, 0, 1, 8, 0x40, 0x800]),
    size=st.none() | st.integers(0, 2**32 - 1),
    crc=st.none() | st.integers(0, 2**32 - 1),
    packed_size=st.none() | st.integers(0, 2**32 - 1),
    mode=st.sampled_from([0, 0o100644, 0o120777, 0o040755]),
    offset=st.none() | st.integers(0, 2000),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(members, max_size=4), st.data())
def test_any_archive_and_any_damage(made, draw):
    data = bytearray(packed(*made))
    for _ in range(draw.draw(st.integers(0, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as name:
        path, target = Path(name) / "inside" / "x.zip", Path(name) / "inside" / "target"
        path.parent.mkdir()
        path.write_bytes(data)
        try:
            fetch(path, target)
        except ArchiveError as error:
            assert str(path) in str(error)
        assert {file.parent for file in Path(name).rglob("*") if file.is_file()} <= {path.parent, target}


def test_the_shipped_model_comes_through_a_zip_unchanged(tmp_path):
    fetch(zipped(SHIPPED_BUNDLE, tmp_path / "x.zip", "open/"), tmp_path / "copy")
    ours, theirs = ({p.name: p.read_bytes() for p in f.iterdir()} for f in (tmp_path / "copy", SHIPPED_BUNDLE))
    assert ours == theirs


def test_the_other_bundle_of_the_tests_is_sound(tmp_path):
    whole(other_bundle(tmp_path / "other"))
