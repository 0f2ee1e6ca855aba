"""Sessions of local accounts, and the memory of those that were ended.

A session is a signed cookie; what has to be kept on the server is only which ones were ended before their time. That
is a file for each in a folder of the home, so that a restart and a second server know of it.
"""

import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from access.accounts import Account, Accounts
from access.errors import AccessError
from access.visitor import Visitor

COOKIE = "rayon_session"
_ID = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 32
_LONGEST_COOKIE = 2000
_SLACK = 60.0  # a file is made before it gets its time


class Sessions:
    """``folder``: of the key and of the sessions that were ended. ``hours``: how long a session lasts."""

    def __init__(self, folder: Path, hours: int, clock: Callable[[], float] = time.time) -> None:
        self.folder, self.seconds, self._clock = folder, hours * 3600, clock
        self._key: bytes | None = None

    def begin(self, account: Account) -> str:
        """The cookie of a new session."""
        now = int(self._clock())
        return self._signer("session").dumps([account.name, account.epoch, secrets.token_hex(16), now, self.seconds])

    def read(self, cookie: str | None, accounts: Accounts) -> Visitor | None:
        """Who a cookie belongs to; None for one that is forged, has run out, was ended, or whose account changed."""
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            name, epoch, session, begun, seconds = self._signer("session").loads(cookie)
        except (BadData, ValueError, TypeError):
            return None
        account = accounts.get(name)
        if account is None or not hmac.compare_digest(account.epoch, epoch):
            return None
        # Hours that were made fewer since count for sessions begun before; more do not bring one back.
        until = begun + min(seconds, self.seconds)
        if self._clock() >= until or self.ended(session):
            return None
        return Visitor(account.name, account.role, "account", session, until)

    def end(self, visitor: Visitor) -> bool:
        """Ends a session, for every window that has it; False when it had ended. OSError when that cannot be kept."""
        if not _ID.fullmatch(visitor.session):
            raise ValueError("a session's name is part of a file's")
        folder = self._ended()
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        file = folder / visitor.session
        try:
            file.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return False
        os.utime(file, (visitor.until, visitor.until))  # from then on nobody needs the file
        return True

    def ended(self, session: str) -> bool:
        """Whether a session was ended before its time."""
        return not _ID.fullmatch(session) or os.path.lexists(self._ended() / session)

    def token(self, purpose: str, about: str) -> str:
        """A text that only this server can make, and the same each time."""
        message = f"{purpose}\0{about}".encode()
        return hmac.new(self.key(), message, hashlib.sha256).hexdigest()

    def key(self) -> bytes:
        """The secret that signs; made at its first use. AccessError when it cannot be kept."""
        if self._key is None:
            try:
                self._key = self._read_key()
            except OSError as error:
                raise AccessError(f"{self.folder} cannot keep the key of sign-in: {error.strerror}") from error
        return self._key

    def _read_key(self) -> bytes:
        file = self.folder / "key"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            made = self.folder / f".key.{secrets.token_hex(4)}"
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as output:
                output.write(secrets.token_bytes(_KEY_BYTES))
            with suppress(FileExistsError):  # another process was first, and its key is the key
                os.link(made, file)
            made.unlink()
        key = file.read_bytes()
        if len(key) != _KEY_BYTES:
            raise AccessError(f"{file} is not a key: delete it, and everybody signs in again")
        return key

    def _signer(self, salt: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self.key(), salt=salt, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )

    def _ended(self) -> Path:
        return self.folder / "ended"

    def _sweep(self) -> None:
        with os.scandir(self._ended()) as files:
            for file in files:
                with suppress(OSError):
                    if file.stat().st_mtime < self._clock() - _SLACK:
                        os.unlink(file.path)
