"""Small answers go out at once: without this each one of a `streamlit run` waits some 40 ms for the client's last word.

asyncio switches Nagle's algorithm (RFC 896) off, but only for sockets that were made with TCP named as their protocol,
which Streamlit's are not; with delayed acknowledgements (RFC 1122) on the other side, both wait for each other.
"""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

_OPEN = Path("/proc/self/fd")


def answer_at_once() -> None:
    """Called once the server listens: its sockets get the option, and connections from then on inherit it (Linux)."""
    if not _OPEN.is_dir():
        return
    for number in map(int, os.listdir(_OPEN)):
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as found:
                    _do_not_wait(found)


def _do_not_wait(found: socket.socket) -> None:
    listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listens and found.family in (socket.AF_INET, socket.AF_INET6):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
