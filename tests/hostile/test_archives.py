"""Archives made to harm, or harmed on the way: each ends in its error or in the right bytes, and writes nothing."""

import io
import os
import zipfile
from dataclasses import dataclass, replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from batch import archive
from batch.pictures import PictureProblem, PictureSourceError, open_pictures
from preprocessing.image import MAX_BYTES, ImageError, prepare
from tests.hostile import zips
from tests.hostile.zips import deflated, end, huge_directory, one_header_twice, packed, quoted_bomb


@cache
def encoded(format, colour="red"):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, format)
    return buffer.getvalue()


PICTURE, OTHER = encoded("JPEG"), encoded("JPEG", "blue")


@dataclass(frozen=True)
class Member(zips.Member):
    data: bytes = PICTURE


def too_many(count=archive.MAX_ENTRIES + 1):
    directory = Member(b"").central(0) * count
    return directory + end(count, len(directory), 0)


def streamed():
    """Written without going back: sizes follow the data."""

    class Pipe(io.RawIOBase):
        data = b""

        def writable(self):
            return True

        def write(self, more):
            self.data += bytes(more)
            return len(more)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.jpg", PICTURE)
    return pipe.data


def zip64():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, file.open("a.jpg", "w", force_zip64=True) as member:
        member.write(PICTURE)
    return buffer.getvalue()


A = Member(b"a.jpg")
FINE = packed(A)
ZEROS = bytes(8 * 2**20)

REFUSED = {
    "nothing at all": (b"", "not_a_zip"),
    "text named .zip": (b"designation;image\nchaise;a.jpg\n", "not_a_zip"),
    "a RAR named .zip": (b"Rar!\x1a\x07\x01\x00" + bytes(100), "not_a_zip"),
    "a picture named .zip": (PICTURE, "not_a_zip"),
    "no members": (end(0, 0, 0), "no_pictures"),
    "only folders": (packed(Member(b"a.jpg/", b""), Member(b"b/", b"")), "no_pictures"),
    "only a ZIP in a ZIP": (packed(Member(b"inner.zip", FINE)), "no_pictures"),
    "only what macOS adds": (packed(Member(b"__MACOSX/a.jpg"), Member(b".a.jpg"), Member(b"x/._a.jpg")), "no_pictures"),
    "cut in the list of members": (FINE[:-30], "damaged_zip"),
    "cut in a member": (FINE[:60], "damaged_zip"),
    "the end alone is lost": (FINE[:-22], "damaged_zip"),
    "list of members overwritten": (FINE.replace(b"PK\1\2", b"PK\1\1"), "damaged_zip"),
    "a version from the future": (packed(replace(A, version=99)), "damaged_zip"),
    "a name that is not the UTF-8 it claims": (packed(Member(b"\xff\xfe.jpg", flags=0x800)), "damaged_zip"),
    "an end inside the comment": (packed(A, comment=b"PK\5\6" + bytes(30)), "no_pictures"),
    "quoted overlap bomb": (quoted_bomb(), "overlapping"),
    "one member listed twice": (one_header_twice(Member(b"a.jpg")), "overlapping"),
    "a member inside another": (packed(Member(b"a.jpg", A.local + A.packed), replace(A, offset=35)), "overlapping"),
    "a member across the next": (packed(replace(A, offset=3), A), "overlapping"),
    "a member inside the list": (packed(replace(A, offset=10**6)), "overlapping"),
    "a packed size beyond the file": (packed(replace(A, packed_size=10**9)), "overlapping"),
    "a quarter of a terabyte declared": (packed(*[replace(A, size=2**32 - 2)] * 65), "too_large"),
    "too many members": (too_many(), "too_many_entries"),
    "a petabyte of members": (huge_directory(), "damaged_zip"),
}

# Each holds "ok.jpg" too, which must stay readable beside what is wrong. Then: name → bytes, or why not.
HARMED = {
    "decompression bomb": ([Member(b"a.jpg", ZEROS, method=8)], {"a.jpg": "too_compressed"}),
    "bomb that claims to be small": ([Member(b"a.jpg", ZEROS, method=8, size=900)], {"a.jpg": "damaged"}),
    "small that claims to be a bomb": ([replace(A, size=2**31)], {"a.jpg": "too_compressed"}),
    "more bytes than a picture may have": ([Member(b"a.jpg", bytes(MAX_BYTES + 1))], {"a.jpg": "too_large"}),
    "as many bytes as it may have": ([Member(b"a.jpg", bytes(MAX_BYTES))], {"a.jpg": bytes(MAX_BYTES)}),
    "claims more than it holds": ([replace(A, size=len(PICTURE) + 1)], {"a.jpg": "damaged"}),
    "claims less than it holds": ([replace(A, size=len(PICTURE) - 1)], {"a.jpg": "damaged"}),
    "wrong checksum": ([replace(A, crc=1)], {"a.jpg": "damaged"}),
    "not the compression it claims": ([Member(b"a.jpg", method=8, body=b"\xff" * 50)], {"a.jpg": "damaged"}),
    "packed data cut short": ([Member(b"a.jpg", method=8, body=deflated(PICTURE)[:-20])], {"a.jpg": "damaged"}),
    "another name in its own header": ([replace(A, local_name=b"b.jpg")], {"a.jpg": "damaged", "b.jpg": "missing"}),
    "behind a password": ([replace(A, flags=1)], {"a.jpg": "encrypted"}),
    "behind a certificate": ([replace(A, flags=0x41)], {"a.jpg": "encrypted"}),
    "bzip2": ([replace(A, method=12)], {"a.jpg": "compression"}),
    "LZMA": ([replace(A, method=14)], {"a.jpg": "compression"}),
    "an unknown method": ([replace(A, method=250)], {"a.jpg": "compression"}),
    "a patch": ([replace(A, flags=0x20)], {"a.jpg": "damaged"}),
    "a symbolic link": ([Member(b"a.jpg", b"/etc/passwd", mode=0o120777)], {"a.jpg": "missing"}),
    "a device": ([Member(b"a.jpg", b"", mode=0o020666)], {"a.jpg": "missing"}),
    "a name twice": ([A, Member(b"a.jpg", OTHER)], {"a.jpg": "ambiguous"}),
    "a name that ends early": ([A, Member(b"a.jpg\0.png", OTHER)], {"a.jpg": "ambiguous"}),
    "names told apart by case": (
        [A, Member(b"A.JPG", OTHER)],
        {"a.jpg": PICTURE, "A.JPG": OTHER, "A.jpg": "ambiguous"},
    ),
    "climbing out": ([Member(b"../../../../tmp/up.jpg")], {"up.jpg": PICTURE, "../../tmp/up.jpg": PICTURE}),
    "climbing out by Windows": ([Member(b"..\\..\\up.jpg")], {"up.jpg": PICTURE, "..\\..\\up.jpg": PICTURE}),
    "an absolute name": ([Member(b"/etc/up.jpg")], {"/etc/up.jpg": PICTURE, "up.jpg": PICTURE}),
    "a drive": ([Member(b"C:\\Users\\up.jpg")], {"C:\\Users\\up.jpg": PICTURE, "up.jpg": PICTURE}),
    "a name without end": ([Member(b"x/" * 30_000 + b"a.jpg")], {"a.jpg": PICTURE}),
    "no name": ([Member(b"")], {"": "missing", ".": "missing", "/": "missing"}),
    "a folder called as a picture": ([Member(b"a.jpg/", b"")], {"a.jpg": "missing", "a.jpg/": "missing"}),
    "a name in cp437 (French Windows)": ([Member("dorée.jpg".encode("cp437"))], {"dorée.jpg": PICTURE}),
    "a name in cp850": ([Member("À côté.jpg".encode("cp850"))], {"à côté.jpg": PICTURE}),
    "a name in cp1252": ([Member("cœur.jpg".encode("cp1252"))], {"cœur.jpg": PICTURE}),
    "undeclared UTF-8 (macOS)": ([Member("dore\u0301e.jpg".encode())], {"dorée.jpg": PICTURE, "dor├⌐e.jpg": "missing"}),
    "declared UTF-8": ([Member("椅子.jpg".encode(), flags=0x800)], {"椅子.jpg": PICTURE, "椅子": PICTURE}),
    "folders in cp850": ([Member("Été/a.jpg".encode("cp850"))], {"été/a.jpg": PICTURE, "a.jpg": PICTURE}),
    "a folder by Windows": ([Member(b"b\\", b"")], {"b": "missing", "b\\": "missing"}),
    "a ZIP in the ZIP": ([Member(b"a.zip", FINE)], {"a.jpg": "missing", "a.zip": "missing"}),
    "an empty picture": ([Member(b"a.jpg", b"")], {"a.jpg": b""}),
    "text named .jpg": ([Member(b"a.jpg", b"not a picture")], {"a.jpg": b"not a picture"}),
}

SOUND = {
    "written as a stream": streamed(),
    "ZIP64": zip64(),
    "behind a program": b"MZ" + bytes(1000) + FINE,
    "with a comment": packed(A, comment=b"of the summer sale"),
    "a PNG named .jpg": packed(Member(b"a.jpg", encoded("PNG"))),
    "packed well, and small": packed(Member(b"a.jpg", method=8)),
}


@pytest.fixture
def place(tmp_path):
    """Writes an archive, and checks at the end that nothing but it has come to be."""
    (tmp_path / "deep" / "inside").mkdir(parents=True)
    path = tmp_path / "deep" / "inside" / "pictures.zip"

    def put(data):
        path.write_bytes(data)
        return str(path)

    yield put
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]
    assert not os.path.exists("/tmp/up.jpg")


def outcome(pictures, name):
    try:
        return pictures.read(name)
    except PictureProblem as problem:
        assert str(problem)
        return problem.reason


def test_there_are_enough():
    assert len(REFUSED) + len(HARMED) >= 20


@pytest.mark.parametrize("case", REFUSED)
def test_refused_as_a_whole(case, place):
    data, reason = REFUSED[case]
    with pytest.raises(PictureSourceError) as caught:
        open_pictures(place(data))
    assert caught.value.reason == reason and "pictures.zip" in str(caught.value)


@pytest.mark.parametrize("case", HARMED)
def test_harm_stays_where_it_is(case, place):
    members, expected = HARMED[case]
    with open_pictures(place(packed(*members, Member(b"ok.jpg", OTHER)))) as pictures:
        assert {name: outcome(pictures, name) for name in expected} == expected
        assert outcome(pictures, "ok.jpg") == OTHER


@pytest.mark.parametrize("case", SOUND)
def test_unusual_but_sound(case, place):
    with open_pictures(place(SOUND[case])) as pictures:
        assert len(pictures) == 1 and prepare(pictures.read("a.jpg")).geometry.picture_size == (8, 8)


def test_what_is_no_picture_is_found_out_by_its_bytes(place):
    with (
        open_pictures(place(packed(Member(b"a.jpg", b"not a picture")))) as pictures,
        pytest.raises(ImageError) as caught,
    ):
        prepare(pictures.read("a.jpg"))
    assert caught.value.reason == "not_an_image"


def test_a_picture_that_packs_well_but_stays_small_is_read(place):
    """A plain white BMP below the size from which the ratio counts."""
    data = bytes(archive.RATIO_FROM)
    with open_pictures(place(packed(Member(b"a.bmp", data, method=8)))) as pictures:
        assert pictures.read("a.bmp") == data


def test_the_file_is_closed_after_a_refusal(place, monkeypatch):
    opened = []
    monkeypatch.setattr("builtins.open", lambda *a, real=open, **k: opened.append(real(*a, **k)) or opened[-1])
    with pytest.raises(PictureSourceError):
        open_pictures(place(quoted_bomb()))
    assert opened and opened[-1].closed


def test_bounds_hold_while_reading_whatever_is_declared(place, monkeypatch):
    """A bomb of the largest kind that the headers can hide: no more than the limit is ever unpacked."""
    seen = []
    read = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: seen.append(data := read(self, n)) or data)
    bomb = Member(b"a.jpg", bytes(60 * 2**20), method=8, size=MAX_BYTES, packed_size=None)
    padded = replace(bomb, body=bomb.packed + bytes(200_000))  # so that the ratio looks harmless
    with open_pictures(place(packed(padded))) as pictures:
        assert outcome(pictures, "a.jpg") in ("damaged", "too_compressed", "too_large")
    assert sum(map(len, seen)) <= MAX_BYTES + 1


members = st.builds(
    Member,
    name=st.binary(max_size=12) | st.sampled_from([b"a.jpg", b"../b.png", b"c/d.gif", b"e", b".f.jpg"]),
    data=st.binary(max_size=300),
    method=st.sampled_from([0, 8, 8, 12, 99]),
    flags=st.sampled_from([0, 0, 1, 8, 0x40, 0x800]),
    size=st.none() | st.integers(0, 2**32 - 1),
    crc=st.none() | st.integers(0, 2**32 - 1),
    packed_size=st.none() | st.integers(0, 2**32 - 1),
    mode=st.sampled_from([0, 0o100644, 0o120777, 0o040755]),
    offset=st.none() | st.integers(0, 2000),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(members, max_size=5), st.data())
def test_any_archive_and_any_damage(tmp_path, made, draw):
    data = bytearray(packed(*made))
    for _ in range(draw.draw(st.integers(0, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    del data[draw.draw(st.sampled_from([len(data)] * 4 + [len(data) // 2, len(data) - 3])) :]
    path = tmp_path / "pictures.zip"
    path.write_bytes(data)
    try:
        pictures = open_pictures(str(path))
    except PictureSourceError as error:
        assert str(path) in str(error)
        return
    with pictures:
        assert len(pictures) <= len(made)
        for name in {member.name.decode("cp437") for member in made}:
            got = outcome(pictures, name)
            assert isinstance(got, str) or len(got) <= MAX_BYTES
