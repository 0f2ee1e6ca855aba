"""Archives written byte by byte, so that their headers can lie."""

import struct
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """A file of an archive, and every lie its headers can tell."""

    name: bytes
    data: bytes = b"data"
    method: int = 0
    flags: int = 0
    crc: int | None = None
    size: int | None = None  # unpacked, as declared
    packed_size: int | None = None
    mode: int = 0o100644
    version: int = 20
    local_name: bytes | None = None
    offset: int | None = None
    body: bytes | None = None  # the bytes in the file, when they are not data packed by method

    @property
    def packed(self):
        if self.body is not None:
            return self.body
        return deflated(self.data) if self.method == 8 else self.data

    @property
    def fields(self):
        """What both headers say, from the version to the length of the name."""
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.packed) if self.packed_size is None else self.packed_size
        size = len(self.data) if self.size is None else self.size
        return self.version, self.flags, self.method, 0, 33, crc, packed, size

    @property
    def local(self):
        name = self.name if self.local_name is None else self.local_name
        return struct.pack("<4s5H3I2H", b"PK\3\4", *self.fields, len(name), 0) + name

    def central(self, offset):
        at = offset if self.offset is None else self.offset
        extra = (len(self.name), 0, 0, 0, 0, self.mode << 16, at)
        return struct.pack("<4s6H3I5H2I", b"PK\1\2", 0x314, *self.fields, *extra) + self.name


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def packed(*members, comment=b""):
    body, directory = b"", b""
    for member in members:
        directory += member.central(len(body))
        body += member.local + member.packed
    return body + directory + end(len(members), len(directory), len(body), comment)


def end(count, size, offset, comment=b""):
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count % 65536, count % 65536, size, offset, len(comment)) + comment


def quoted_bomb(count=30, kernel=200_000):
    """Files that share one compressed kernel: each quotes the header of the next as uncompressed text."""
    member = Member(b"29.jpg", bytes(kernel), method=8)
    members = [member]
    for i in reversed(range(count - 1)):
        header = member.local
        quote = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header
        member = Member(b"%d.jpg" % i, header + member.data, method=8, body=quote + member.packed)
        members.insert(0, member)
    body, directory = members[0].local + members[0].packed, b""
    for member in members:
        directory += member.central(body.index(member.local))
    return body + directory + end(count, len(directory), len(body))


def one_header_twice(member):
    directory = member.central(0) * 2
    body = member.local + member.packed
    return body + directory + end(2, len(directory), len(body))


def huge_directory():
    """A ZIP64 end that claims a list of members of a petabyte."""
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 2**50, 0)
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1) + end(65535, 2**32 - 1, 2**32 - 1)
