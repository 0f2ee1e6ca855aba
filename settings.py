"""One typed settings object, read once from the environment."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parent
SHIPPED_BUNDLE = ROOT / "model" / "bundles" / "open"
"""Folder of the model that ships."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``home``: where state is kept, installed models included (``RAYON_HOME``).

    ``named_bundle``: folder of the model to use, whichever is activated (``RAYON_BUNDLE``); None leaves the choice to
    `model.versions.active_bundle`.

    ``image_folders``: folders of pictures on this server that analysts may use (``RAYON_IMAGE_FOLDERS``, separated as
    in ``PATH``). ``job_days``: days after which a batch job is deleted (``RAYON_JOB_DAYS``).

    ``database_url``: where decisions are kept (``RAYON_DATABASE_URL``); a SQLite file in ``home`` unless given. Its
    password may be in a file (``RAYON_DATABASE_PASSWORD_FILE``), as secrets of containers are.
    ``picture_store``: folder or fsspec URL for the pictures of products in the queue (``RAYON_PICTURES``).
    ``lease_seconds``: how long a product is one moderator's own (``RAYON_LEASE_SECONDS``). ``second_look``: share of
    decisions that another person is to look at (``RAYON_SECOND_LOOK``, in percent).

    ``api_rate``: requests per minute that a client of the REST interface may make (``RAYON_API_RATE``); 0: no limit.

    ``windows``: of browsers that may be open at once (``RAYON_WINDOWS``). ``upload_mb``: of all files together that may
    be on their way in at once (``RAYON_UPLOAD_MB``); one alone may always.

    ``open_to_all``: serve without sign-in beyond this machine (``RAYON_OPEN=1``). ``accounts``: file of the local
    accounts (``RAYON_ACCOUNTS``). ``session_hours``: how long a sign-in lasts (``RAYON_SESSION_HOURS``).
    ``role_claim``: claim of the provider that names roles (``RAYON_ROLE_CLAIM``). ``roles_by_email``: pairs
    (``RAYON_ROLES``, as ``a@b=administrator,c@d=analyst``). ``default_role``: of whoever the provider lets in and
    neither names (``RAYON_DEFAULT_ROLE``); none unless given.

    ``log``: how the log is written (``RAYON_LOG``): "plain", or "json", a line for each record.
    """

    home: Path
    named_bundle: Path | None = None
    image_folders: tuple[Path, ...] = ()
    job_days: int = 7
    database_url: str = ""
    picture_store: str = ""
    lease_seconds: int = 300
    second_look: float = 0.05
    api_rate: int = 600
    windows: int = 200
    upload_mb: int = 8000
    open_to_all: bool = False
    accounts: Path | None = None
    session_hours: int = 12
    role_claim: str = "roles"
    roles_by_email: tuple[tuple[str, str], ...] = ()
    default_role: str = ""
    log: str = "plain"

    def __post_init__(self) -> None:
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.home / 'rayon.db'}")
        if not self.picture_store:
            object.__setattr__(self, "picture_store", str(self.home / "pictures"))
        if self.accounts is None:
            object.__setattr__(self, "accounts", self.home / "accounts.json")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; ValueError says which variable of the environment is off."""
    folders = filter(None, os.environ.get("RAYON_IMAGE_FOLDERS", "").split(os.pathsep))
    named = os.environ.get("RAYON_BUNDLE")
    return Settings(
        named_bundle=Path(named).absolute() if named else None,
        home=Path(os.environ.get("RAYON_HOME") or ROOT / "var").absolute(),
        image_folders=tuple(Path(folder).absolute() for folder in folders),
        job_days=_whole("RAYON_JOB_DAYS", 7, 1, 3650, "days"),
        database_url=_database_url(),
        picture_store=os.environ.get("RAYON_PICTURES", ""),
        lease_seconds=_whole("RAYON_LEASE_SECONDS", 300, 10, 86_400, "seconds"),
        second_look=_whole("RAYON_SECOND_LOOK", 5, 0, 100, "percent") / 100,
        api_rate=_whole("RAYON_API_RATE", 600, 0, 1_000_000, "requests per minute"),
        windows=_whole("RAYON_WINDOWS", 200, 1, 100_000, "windows"),
        upload_mb=_whole("RAYON_UPLOAD_MB", 8000, 1, 1_000_000, "megabytes"),
        open_to_all=_switch("RAYON_OPEN"),
        accounts=Path(accounts).absolute() if (accounts := os.environ.get("RAYON_ACCOUNTS")) else None,
        session_hours=_whole("RAYON_SESSION_HOURS", 12, 1, 720, "hours"),
        role_claim=os.environ.get("RAYON_ROLE_CLAIM") or "roles",
        roles_by_email=_pairs("RAYON_ROLES"),
        default_role=os.environ.get("RAYON_DEFAULT_ROLE", ""),
        log=_one_of("RAYON_LOG", "plain", "json"),
    )


def _one_of(name: str, *choices: str) -> str:
    """One of a few words from the environment, the first unless given."""
    given = os.environ.get(name) or choices[0]
    if given not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {given!r}")
    return given


def _database_url() -> str:
    """The address of the database, with the password from its file where there is one."""
    url, file = os.environ.get("RAYON_DATABASE_URL", ""), os.environ.get("RAYON_DATABASE_PASSWORD_FILE")
    if not file:
        return url
    scheme, slashes, rest = url.partition("://")
    user, at, server = rest.partition("@")
    if not (slashes and at and user) or ":" in user:
        raise ValueError(
            "RAYON_DATABASE_PASSWORD_FILE goes with a RAYON_DATABASE_URL that names a user and no password, as "
            "postgresql://user@host/name"
        )
    try:
        password = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, ValueError) as error:
        raise ValueError(f"RAYON_DATABASE_PASSWORD_FILE cannot be read: {error}") from error
    if not password:
        raise ValueError("RAYON_DATABASE_PASSWORD_FILE names an empty file")
    return f"{scheme}://{user}:{quote(password, safe='')}@{server}"


def _switch(name: str) -> bool:
    """Whether something is switched on in the environment."""
    given = os.environ.get(name, "")
    if given not in ("", "0", "1"):
        raise ValueError(f"{name} must be 1 or 0, not {given!r}")
    return given == "1"


def _pairs(name: str) -> tuple[tuple[str, str], ...]:
    """Pairs from the environment, as ``a=b,c=d``."""
    given = [pair.strip() for pair in os.environ.get(name, "").split(",") if pair.strip()]
    pairs = [tuple(part.strip() for part in pair.rpartition("=")[::2]) for pair in given]
    for pair, (left, right) in zip(given, pairs, strict=True):
        if not left or not right:
            raise ValueError(f"{name} must be pairs as a=b,c=d; {pair!r} is none")
    return tuple(pairs)


def _whole(name: str, usual: int, least: int, most: int, unit: str) -> int:
    """A whole number from the environment."""
    given = os.environ.get(name) or str(usual)
    if not given.isascii() or not given.isdigit() or len(given) > 9 or not least <= int(given) <= most:
        raise ValueError(f"{name} must be a whole number of {unit} from {least} to {most}, not {given!r}")
    return int(given)
