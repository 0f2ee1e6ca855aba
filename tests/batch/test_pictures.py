import os
import pickle
import time
import unicodedata
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import fsspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batch import pictures as module
from batch.picture_names import NameIndex, fold, is_picture
from batch.pictures import PictureProblem, PictureSourceError, official_name, open_pictures
from preprocessing.image import MAX_BYTES


def body(name):
    return f"the bytes of {name}".encode()


def zipped(path, names):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, body(name))
    return str(path)


def unpacked(path, names):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(body(name))
    return str(path)


def remote_zip(path, names):
    place = f"memory://{path.name}.zip"
    with fsspec.open(place, "wb") as file:
        file.write(Path(zipped(path / "local.zip", names)).read_bytes())
    return place


def remote_folder(path, names):
    for name in names:
        with fsspec.open(f"memory://{path.name}/{name}", "wb") as file:
            file.write(body(name))
    return f"memory://{path.name}"


KINDS = {
    "zip": lambda path, names: zipped(path / "pictures.zip", names),
    "folder": unpacked,
    "zip by URL": lambda path, names: (path / zipped(path / "pictures.zip", names)).as_uri(),
    "folder by URL": lambda path, names: unpacked(path, names) and path.as_uri(),
    "remote zip": remote_zip,
    "remote folder": remote_folder,
}


@pytest.fixture(params=KINDS)
def make(request, tmp_path):
    """Opens pictures of these names, kept in one of the ways there are."""
    opened = []

    def build(names):
        opened.append(open_pictures(KINDS[request.param](tmp_path, names)))
        return opened[-1]

    yield build
    for pictures in opened:
        pictures.close()
    fsspec.filesystem("memory").store.clear()


def found(pictures, name):
    try:
        key = pictures.find(name)
    except PictureProblem as problem:
        with pytest.raises(PictureProblem) as again:
            pictures.read(name)
        assert again.value.reason == problem.reason and name in str(problem)
        return problem.reason
    assert pictures.find(key) == key and pictures.read(name) == pictures.read(key) == body(key)
    return key


def test_every_kind_finds_and_reads_the_same(make):
    official = f"images/image_train/{official_name('1263597046', '3804725264')}"
    names = [official, "Été/chaise.JPG", "Été/table.png", "lone", "x/twin.jpg", "y/twin.jpg", "notes.txt"]
    names += ["__MACOSX/Été/._chaise.JPG", ".cache/hidden.jpg", "Thumbs.db", "x/.hidden.jpg", "more.zip"]
    pictures = make(names)
    assert len(pictures) == 6
    assert found(pictures, "image_1263597046_product_3804725264.jpg") == official
    assert found(pictures, "image_1263597046_product_380472526.jpg") == "missing"
    assert found(pictures, "ete/chaise.jpg") == "Été/chaise.JPG"  # the base name is the only one: the folder may differ
    assert found(pictures, "chaise") == "Été/chaise.JPG"
    assert found(pictures, "twin.jpg") == "ambiguous"
    assert found(pictures, "x/twin") == "x/twin.jpg"
    assert found(pictures, "lone") == "lone"
    for absent in ("lone.jpg", "notes.txt", "hidden.jpg", "Thumbs.db", "more.zip", "._chaise.jpg", "", "table.jpg"):
        assert found(pictures, absent) == "missing"


MATCHES = [  # what there is, what the table says, what that means
    (["a.jpg"], "a.jpg", "a.jpg"),
    (["a.jpg"], " a.jpg ", "a.jpg"),
    (["A.JPG"], "a.jpg", "A.JPG"),
    (["photos/a.jpg"], "a.jpg", "photos/a.jpg"),
    (["photos/a.jpg"], "photos\\a.jpg", "photos/a.jpg"),
    (["photos/a.jpg"], "C:\\Users\\moi\\photos\\a.jpg", "photos/a.jpg"),
    (["photos/a.jpg"], "./photos/a.jpg", "photos/a.jpg"),
    (["photos/a.jpg"], "../../etc/a.jpg", "photos/a.jpg"),
    (["photos/a.jpg"], "https://cdn.example.com/p/a.jpg?width=500#top", "photos/a.jpg"),
    (["photos/a.jpg"], "//cdn.example.com/p/a.jpg?width=500", "photos/a.jpg"),
    (["chaise dorée.jpg"], "https://cdn.example.com/chaise%20dor%C3%A9e.jpg", "chaise dorée.jpg"),
    (["chaise%20bleue.jpg"], "https://cdn.example.com/chaise%20bleue.jpg", "chaise%20bleue.jpg"),
    (["50% remise.jpg"], "50% remise.jpg", "50% remise.jpg"),
    ([unicodedata.normalize("NFD", "dorée.jpg")], "dorée.jpg", unicodedata.normalize("NFD", "dorée.jpg")),
    (["dorée.jpg"], unicodedata.normalize("NFD", "DORÉE.jpg"), "dorée.jpg"),
    (["doree.jpg"], "dorée.jpg", "missing"),
    (["STRASSE.jpg"], "straße.jpg", "STRASSE.jpg"),
    (["a.jpg", "A.jpg"], "A.jpg", "A.jpg"),
    (["a.jpg", "A.jpg"], "a.JPG", "ambiguous"),
    (["a.jpg", "a.png"], "a.png", "a.png"),
    (["a.jpg", "a.png"], "a", "ambiguous"),
    (["a.jpg", "a"], "a", "a"),
    (["a.jpg"], "a.png", "missing"),
    (["a.jpg"], "a.jpg.jpg", "missing"),
    (["a.tar.jpg"], "a.tar", "a.tar.jpg"),
    (["réf 12.5.jpg"], "réf 12.5", "réf 12.5.jpg"),
    (["a.jpg", "x/a.jpg"], "a.jpg", "a.jpg"),
    (["a.jpg", "x/a.jpg"], "x/a.jpg", "x/a.jpg"),
    (["a.jpg", "x/a.jpg"], "photos/x/a.jpg", "x/a.jpg"),
    (["x/a.jpg", "y/a.jpg"], "a.jpg", "ambiguous"),
    (["x/a.jpg", "y/a.jpg"], "z/a.jpg", "ambiguous"),
    (["x/a.jpg", "y/a.jpg"], "https://cdn.example.com/photos/y/a.jpg", "y/a.jpg"),
    (["p/1/a.jpg", "p/2/a.jpg"], "2/a.jpg", "p/2/a.jpg"),
    (["p/1/a.jpg", "p/2/a.jpg"], "2/a", "p/2/a.jpg"),
    (["p/1/a.jpg", "q/1/a.jpg"], "1/a.jpg", "ambiguous"),
    (["p/1/a.jpg", "q/1/a.jpg"], "q/1/a.jpg", "q/1/a.jpg"),
    (["a/b/c/d/e/f.jpg", "z/b/c/d/e/f.jpg"], "z/b/c/d/e/f.jpg", "z/b/c/d/e/f.jpg"),
    (["a.jpg"], "photos/", "missing"),
    (["a.jpg"], "jpg", "missing"),
    (["a.jpg"], "https://b.jpg", "missing"),
    (["a.jpg"], "/", "missing"),
    (["a.jpg"], "*", "missing"),
    (["a.jpg"], "\0", "missing"),
    (["a.jpg"], "https://[::1/", "missing"),
]


@pytest.mark.parametrize(("names", "asked", "expected"), MATCHES)
def test_match(names, asked, expected):
    index = NameIndex(names)
    try:
        assert names[index.position(asked)] == expected
    except PictureProblem as problem:
        assert problem.reason == expected


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        *[(name, True) for name in ("a.jpg", "x/a.JPEG", "a.heic", "a", "a.", "v1.2/a", "..\\a.jpg")],
        *[(name, False) for name in ("", "/", "a.txt", "a.jpg.zip", "a.jpg:stream", "desktop.ini")],
        *[(name, False) for name in (".a.jpg", "x/.y/a.jpg", "__MACOSX/a.jpg", "x\\.y\\a.jpg")],
    ],
)
def test_what_may_be_a_picture(name, yes):
    assert is_picture(name) == yes


names = st.lists(st.text("aAé\u0301b./\\ ", max_size=12), min_size=1, max_size=8)


@given(names, st.text("aAé\u0301b./\\:% ", max_size=14))
@example(["a"], "a/")
def test_what_is_found_has_that_name(names, asked):
    """Whatever is found ends as asked, extension aside, and nothing is found where the name fits two paths alike."""
    try:
        answer = names[NameIndex(names).position(asked)]
    except PictureProblem as problem:
        assert problem.reason in ("missing", "ambiguous")
        if problem.reason == "missing" and fold(asked):
            assert fold(asked) not in {fold(name) for name in names}
        return
    base, got = (fold(name).rpartition("/")[2] for name in (asked, answer))
    assert got == base or got.rpartition(".")[0] == base or got == base.rpartition(".")[0]


@given(names)
def test_its_own_path_finds_it_or_its_twins(names):
    index = NameIndex(names)
    for name in filter(fold, names):
        try:
            assert fold(names[index.position(name)]) == fold(name)
        except PictureProblem as problem:
            assert problem.reason == "ambiguous" and [fold(other) for other in names].count(fold(name)) > 1


@given(st.text())
def test_folding_is_done_once(name):
    assert fold(fold(name)) == fold(name)


def test_a_folder_per_product_costs_no_more():
    """The same name in every folder is common: neither it nor a path may be searched one by one."""
    index = NameIndex([f"photos/{i}/main.jpg" for i in range(50_000)])
    started = time.process_time()
    for i in range(5_000):
        assert index.position(f"{i}/main.jpg") == i
        with pytest.raises(PictureProblem, match="Several"):
            index.position("main.jpg")
    assert time.process_time() - started < 3


# Folders


@pytest.fixture
def folder(tmp_path):
    unpacked(tmp_path / "in", ["a.jpg", "deep/b.jpg"])
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return tmp_path / "in"


def test_links_that_lead_out_are_no_pictures(folder):
    (folder / "out.jpg").symlink_to(folder.parent / "secret.jpg")
    (folder / "relative.jpg").symlink_to("../secret.jpg")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder)
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "self.jpg").symlink_to("self.jpg")
    (folder / "inside.jpg").symlink_to("deep/b.jpg")
    with open_pictures(str(folder)) as pictures:
        assert len(pictures) == 3
        assert pictures.read("inside.jpg") == body("deep/b.jpg")
        for name in ("out.jpg", "relative.jpg", "passwd", "folder/secret.jpg", "secret.jpg", "gone.jpg", "self.jpg"):
            assert found(pictures, name) == "missing"


def test_a_neighbour_with_a_longer_name_is_outside(folder):
    unpacked(folder.parent / "inner", ["c.jpg"])
    (folder / "c.jpg").symlink_to("../inner/c.jpg")
    with open_pictures(str(folder)) as pictures:
        assert found(pictures, "c.jpg") == "missing"


def test_a_picture_that_becomes_a_link_or_goes_away(folder):
    with open_pictures(str(folder)) as pictures:
        (folder / "a.jpg").unlink()
        (folder / "a.jpg").symlink_to("../secret.jpg")
        (folder / "deep" / "b.jpg").unlink()
        for name in ("a.jpg", "b.jpg"):
            with pytest.raises(PictureProblem) as caught:
                pictures.read(name)
            assert caught.value.reason == "missing"


def test_a_folder_reached_through_a_link_is_read(folder):
    (folder.parent / "link").symlink_to(folder)
    with open_pictures(str(folder.parent / "link")) as pictures:
        assert pictures.read("b.jpg") == body("deep/b.jpg")


def test_pipes_do_not_hang(folder):
    os.mkfifo(folder / "pipe.jpg")
    with open_pictures(str(folder)) as pictures:
        assert found(pictures, "pipe.jpg") == "missing"
    with pytest.raises(PictureSourceError) as caught:
        open_pictures(str(folder / "pipe.jpg"))
    assert caught.value.reason == "not_found"


@pytest.mark.parametrize("kind", ["folder", "remote folder"])
def test_too_large_in_a_folder(kind, tmp_path):
    place = KINDS[kind](tmp_path, ["a.jpg"])
    with fsspec.open(f"{place}/b.jpg", "wb") as file:
        file.write(bytes(MAX_BYTES + 1))
    with open_pictures(place) as pictures, pytest.raises(PictureProblem) as caught:
        pictures.read("b.jpg")
    assert caught.value.reason == "too_large" and "20 MB" in str(caught.value)
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("kind", ["folder", "remote folder"])
def test_too_many_in_a_folder(kind, tmp_path, monkeypatch):
    place = KINDS[kind](tmp_path, [f"{i}.txt" for i in range(4)] + ["a.jpg"])
    monkeypatch.setattr(module, "MAX_ENTRIES", 5)
    open_pictures(place).close()
    monkeypatch.setattr(module, "MAX_ENTRIES", 4)
    with pytest.raises(PictureSourceError) as caught:
        open_pictures(place)
    assert caught.value.reason == "too_many_entries"
    fsspec.filesystem("memory").store.clear()


# Places that cannot be opened


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("", "not_found"),
        ("{tmp}/nowhere", "not_found"),
        ("{tmp}/a\0b", "not_found"),
        ("{tmp}", "no_pictures"),
        ("memory://nowhere.zip", "not_found"),
        ("{uri}/nowhere.zip", "not_found"),
        ("nothing-speaks-this://a", "address"),
        ("://", "not_found"),
        ("zip://*.jpg::{uri}/pictures.zip", "address"),
        ("simplecache::memory://pictures.zip", "address"),
    ],
)
def test_places_refused(place, reason, tmp_path):
    place = place.format(tmp=tmp_path, uri=tmp_path.as_uri())
    with pytest.raises(PictureSourceError) as caught:
        open_pictures(place)
    assert caught.value.reason == reason and repr(place) in str(caught.value)


def test_a_driver_that_fails_is_reported_once_and_for_one(tmp_path, monkeypatch):
    fs = fsspec.filesystem("memory")
    place = remote_folder(tmp_path, ["a.jpg", "deep/b.jpg"])
    pictures = open_pictures(place)

    def broken(*_, **__):
        raise RuntimeError("no answer")

    monkeypatch.setattr(type(fs), "cat_file", broken)
    with pytest.raises(PictureProblem, match="no answer") as problem:
        pictures.read("a.jpg")
    assert problem.value.reason == "unreadable"
    ls = type(fs).ls
    monkeypatch.setattr(type(fs), "ls", lambda self, path, **k: broken() if "deep" in path else ls(self, path, **k))
    with pytest.raises(PictureSourceError, match="no answer") as error:
        open_pictures(place)
    assert error.value.reason == "unreadable"
    fs.store.clear()


@pytest.mark.parametrize(
    "error", [PictureProblem("missing", {"name": "a"}), PictureSourceError("not_a_zip", {"place": "a"})]
)
def test_errors_cross_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.reason, again.details, str(again)) == (
        type(error),
        error.reason,
        error.details,
        str(error),
    )


# Several at once


@pytest.mark.parametrize("kind", ["zip", "folder", "remote zip"])
def test_threads_share_it(kind, tmp_path):
    names = [f"{i}.jpg" for i in range(200)]
    with open_pictures(KINDS[kind](tmp_path, names)) as pictures, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pictures.read, names * 5)) == [body(name) for name in names] * 5
    fsspec.filesystem("memory").store.clear()


def read_all(place, names):
    with open_pictures(place) as pictures:
        return [pictures.read(name) for name in names]


def test_each_process_opens_its_own(tmp_path):
    names = [f"{i}.jpg" for i in range(50)]
    place = zipped(tmp_path / "pictures.zip", names)
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        for answer in pool.map(read_all, [place] * 2, [names] * 2):
            assert answer == [body(name) for name in names]
