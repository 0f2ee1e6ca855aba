"""NumPy archives of strangers: arrays of numbers out of a zip file, and nothing else. Nothing in one can run code.

`numpy.load` without pickle is safe against code, not against archives made to fill the memory: here every size is
checked before memory is taken for it, and counted again while it is read.
"""

import io
import math
import re
import struct
import zlib
from collections import Counter
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipExtFile, ZipFile, ZipInfo

import numpy as np

from model.bundle_files import BundleError

MAX_ARRAYS = 4_000
MAX_TOTAL = 2**30
"""Bytes of all arrays of an archive together, unpacked."""
_MAGIC = np.lib.format.magic(1, 0)
_MAX_HEADER = 2_000
_MAX_DIMENSIONS = 8
_CHUNK = 2**20
_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*\.npy")
_ENCRYPTED = 0x1
_DIRECTORY_ENTRY = b"PK\1\2"


def read_arrays(data: bytes, where: str, *names: str) -> dict[str, np.ndarray]:
    """The named arrays of an archive, all of them when none is named: numbers or bool, floats finite.

    Raises `BundleError`, which begins with ``where``, for anything that `numpy.savez` does not write of such arrays.
    """
    try:
        # Each member has this mark once; opened, a directory of millions would fill the memory.
        if data.count(_DIRECTORY_ENTRY) > 2 * MAX_ARRAYS:
            raise BundleError(f"{where} holds more than {MAX_ARRAYS:,} arrays")
        with ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive, where)
            if missing := sorted(set(names) - set(members)):
                raise BundleError(f"{where} lacks the array {missing[0]}")
            return {name: _array(archive, members[name], f"{where}: {name}") for name in names or members}
    except (BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{where} is not a NumPy archive: {error}") from error


def _members(archive: ZipFile, where: str) -> dict[str, ZipInfo]:
    """The members by the name of their array."""
    members = archive.infolist()
    if len(members) > MAX_ARRAYS:
        raise BundleError(f"{where} holds more than {MAX_ARRAYS:,} arrays")
    for member in members:
        if reason := _misfit(member):
            raise BundleError(f"{where}: {member.orig_filename[:100]!r} {reason}")
    names = [member.filename.removesuffix(".npy") for member in members]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise BundleError(f"{where} holds {twice[0]} twice")
    if (total := sum(member.file_size for member in members)) > MAX_TOTAL:
        raise BundleError(f"{where} unpacks to {total:,} bytes; at most {MAX_TOTAL:,} are read")
    return dict(zip(names, members, strict=True))


def _misfit(member: ZipInfo) -> str | None:
    name = member.orig_filename
    if name != member.filename or not _NAME.fullmatch(name) or {".", ".."} & set(name.split("/")):
        return "is no name of an array"
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "is packed in a way that is not read"
    return "is encrypted" if member.flag_bits & _ENCRYPTED else None


def _array(archive: ZipFile, member: ZipInfo, where: str) -> np.ndarray:
    with archive.open(member) as file:
        dtype, shape, fortran, header = _header(file, where)
        size = math.prod(shape) * dtype.itemsize
        if header + size != member.file_size:
            told = f"its header tells of {header + size:,} bytes, the archive of {member.file_size:,}"
            raise BundleError(f"{where} is not what it says: {told}")
        values = _filled(file, size, where).view(dtype).reshape(shape, order="F" if fortran else "C")
    values = values.astype(dtype.newbyteorder("="), copy=False)
    if dtype.kind == "f" and not np.isfinite(values).all():
        raise BundleError(f"{where} holds numbers that are none (NaN or infinite)")
    return values


def _header(file: ZipExtFile, where: str) -> tuple[np.dtype, tuple[int, ...], bool, int]:
    """dtype, shape, order and the bytes that say so."""
    start = file.read(len(_MAGIC) + 2)
    length = int.from_bytes(start[len(_MAGIC) :], "little")
    if not start.startswith(_MAGIC) or len(start) < len(_MAGIC) + 2 or length > _MAX_HEADER:
        raise BundleError(f"{where} is no array as numpy.savez writes it, or its header is too long")
    try:
        header = io.BytesIO(start[len(_MAGIC) :] + file.read(length))
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(header, max_header_size=_MAX_HEADER)
    except Exception as error:  # whatever a parser of Python literals makes of hostile text
        raise BundleError(f"{where} has a header that is none: {str(error)[:200]}") from error
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise BundleError(f"{where} is not an array of numbers but of {str(dtype)[:100]}, which is not read")
    if len(shape) > _MAX_DIMENSIONS or any(side < 0 for side in shape):
        raise BundleError(f"{where} has a shape that is none: {str(shape)[:100]}")
    return dtype, shape, fortran, len(start) + length


def _filled(file: ZipExtFile, size: int, where: str) -> np.ndarray:
    """The next ``size`` bytes, which must be the last ones: uint8 (size,)."""
    if size > MAX_TOTAL:
        raise BundleError(f"{where} unpacks to {size:,} bytes; at most {MAX_TOTAL:,} are read")
    values, done = np.empty(size, np.uint8), 0
    while data := file.read(_CHUNK):
        if done + len(data) > size:
            raise BundleError(f"{where} holds more than its header tells of")
        values[done : done + len(data)] = np.frombuffer(data, np.uint8)
        done += len(data)
    if done != size:
        raise BundleError(f"{where} ends after {done:,} of {size:,} bytes")
    return values
