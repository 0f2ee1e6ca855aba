"""The option is where it counts: on the connections of whatever socket the process listens at."""

import os
import socket
import sys

import pytest

from ui.promptness import answer_at_once

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems' connections do not inherit it")


def test_connections_do_not_wait_to_fill_their_packets():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        before = len(os.listdir("/proc/self/fd"))
        answer_at_once()
        assert len(os.listdir("/proc/self/fd")) == before
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
