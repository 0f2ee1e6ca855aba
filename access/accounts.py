"""Local accounts: one JSON file that only its owner reads, replaced as a whole at each change."""

import json
import os
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from access.errors import AccessError, LastAdministrator
from access.passwords import hashed
from access.roles import Role, role_named

LONGEST_NAME = 80
"""Characters, as many as a moderator's name has."""
_FORMAT = 1
_TAKEN = ("client ", "command ", "(")
_LOCK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Account:
    """``epoch`` changes with the password and the role: sessions of an earlier one have ended.

    ``made_at`` never does, so that an account is known from a later one of its name; empty where that was not kept yet.
    """

    name: str
    role: Role
    hash: str
    epoch: str
    changed_at: str
    made_at: str = ""


class Accounts:
    """The accounts of a file. What is wrong with the file is an AccessError, never an empty list."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, ...], Mapping[str, Account]] | None = None

    def exist(self) -> bool:
        """Whether there is a file, be it without accounts."""
        return os.path.lexists(self.path)

    def all(self) -> Mapping[str, Account]:
        """Every account by its key (`key_of`); none where there is no file."""
        try:
            now = os.stat(self.path)
        except FileNotFoundError:
            if self.exist():
                raise AccessError(f"{self.path} is a link to nothing") from None
            return {}
        except OSError as error:
            raise AccessError(f"{self.path} cannot be read: {error.strerror}") from error
        stamp = (now.st_ino, now.st_mtime_ns, now.st_size)
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, _read(self.path))
        return self._read[1]

    def get(self, name: str) -> Account | None:
        """The account of that name, in any case."""
        return self.all().get(key_of(name))

    def add(self, name: str, password: str, role: Role) -> Account:
        """Makes an account; AccessError when there is one of that name."""
        name, hash = checked_name(name), hashed(password)
        with self._changing() as accounts:
            if key_of(name) in accounts:
                raise AccessError(f"there is an account {accounts[key_of(name)].name!r} already")
            made = accounts[key_of(name)] = Account(name, role, hash, _epoch(), _now(), _now("microseconds"))
        return made

    def remove(self, name: str, may_be_last: bool = True) -> Account:
        """Deletes an account, and gives it; its sessions end. `LastAdministrator` for that one, unless
        ``may_be_last``."""
        with self._changing() as accounts:
            key = _existing(accounts, name)
            if not may_be_last:
                _check_not_last(accounts, key)
            return accounts.pop(key)

    def set_role(self, name: str, role: Role, may_be_last: bool = True) -> Account:
        """Gives another role; the sessions of the account end. The one that it has changes nothing.

        Gives the account as it was. `LastAdministrator` as in `remove`.
        """
        with self._changing() as accounts:
            key = _existing(accounts, name)
            if not may_be_last and role is not Role.ADMINISTRATOR:
                _check_not_last(accounts, key)
            before = accounts[key]
            if before.role is not role:
                accounts[key] = replace(before, role=role, epoch=_epoch(), changed_at=_now())
            return before

    def set_password(self, name: str, password: str) -> Account:
        """Gives another password; the sessions of the account end. Gives the account as it was."""
        hash = hashed(password)
        with self._changing() as accounts:
            key = _existing(accounts, name)
            before = accounts[key]
            accounts[key] = replace(before, hash=hash, epoch=_epoch(), changed_at=_now())
            return before

    def renew_hash(self, account: Account, password: str) -> None:
        """Keeps the same password under the parameters of today; sessions go on."""
        hash = hashed(password)
        with self._changing() as accounts:
            key = key_of(account.name)
            if accounts.get(key) == account:
                accounts[key] = replace(account, hash=hash)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS):
            accounts = dict(self.all())
            yield accounts
            _write(self.path, accounts)


def checked_name(name: str) -> str:
    """A name as it is kept: accents composed, blanks in a row made one; AccessError for what cannot be one."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise AccessError(f"a name has 1 to {LONGEST_NAME} characters")
    if name.casefold().startswith(_TAKEN):
        raise AccessError(
            f"a name does not begin with {' or '.join(map(repr, _TAKEN))}: the audit log writes others so"
        )
    if not name.isprintable():
        raise AccessError("a name has only characters that can be seen")
    return name


def key_of(name: str) -> str:
    """What two ways to write one name have in common."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def _check_not_last(accounts: Mapping[str, Account], key: str) -> None:
    if [name for name, one in accounts.items() if one.role is Role.ADMINISTRATOR] == [key]:
        raise LastAdministrator(f"{accounts[key].name!r} is the last administrator: make another one first")


def _existing(accounts: Mapping[str, Account], name: str) -> str:
    key = key_of(name)
    if key not in accounts:
        raise AccessError(f"there is no account {name!r}")
    return key


def _read(path: Path) -> Mapping[str, Account]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["format"] != _FORMAT:
            raise ValueError(f"of another version of Rayon: format {kept['format']!r}")
        made = [Account(**one | {"role": role_named(one["role"])}) for one in kept["accounts"]]
        if not all(isinstance(text, str) for one in made for text in (one.name, one.hash, one.epoch, one.made_at)):
            raise TypeError("not a text")
    except OSError as error:
        raise AccessError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AccessError(f"{path} is not a file of accounts ({error}): put a copy back, or delete it") from error
    return {key_of(one.name): one for one in made}


def _write(path: Path, accounts: Mapping[str, Account]) -> None:
    rows = [asdict(one) | {"role": one.role.name.lower()} for one in accounts.values()]
    text = json.dumps({"format": _FORMAT, "accounts": rows}, ensure_ascii=False, indent=1)
    target = Path(os.path.realpath(path))
    made = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, target)
    finally:
        made.unlink(missing_ok=True)


def _epoch() -> str:
    return secrets.token_hex(8)


def _now(precision: str = "seconds") -> str:
    return datetime.now(UTC).isoformat(timespec=precision)
