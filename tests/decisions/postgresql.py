"""A PostgreSQL server of the tests' own, from the programs installed on this machine."""

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL

HERE = "127.0.0.1"
_START_SECONDS = 60
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, from linux/prctl.h
_USUAL = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin")
_OPTIONS = {
    "listen_addresses": HERE,
    "unix_socket_directories": "",
    # The tests kill clients, never the server: it need not wait for the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "deadlock_timeout": "200ms",
}


def installed() -> Path | None:
    """The folder of PostgreSQL's programs, the newest; None when there is none."""
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    found = [path for usual in _USUAL for path in Path("/").glob(usual[1:]) if (path / "initdb").exists()]
    return max(found, key=lambda path: [int(number) for number in path.parts if number.isdigit()] or [0], default=None)


class PostgresServer:
    """Answers on a free port of this machine, by password alone; what it holds is gone when it stops."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="rayon-postgresql-"))
        self._as_user = {}
        if os.getuid() == 0:  # which PostgreSQL refuses
            user = _somebody()
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen | None = None
        self._made = 0

    def start(self) -> None:
        """Until it answers."""
        password = self._folder / "password"
        password.write_text(self._password)
        password.chmod(0o644)  # within a folder that is its user's alone
        options = "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--username=rayon", "--no-sync"
        self._run("initdb", *options, f"--pwfile={password}", "-D", str(self._folder / "data"))
        for _ in range(5):  # another may take the port between finding it and listening on it
            self.port = free_port()
            if self._listens():
                return
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")

    def url(self, database: str = "postgres", **changes: object) -> str:
        """Address of a database, as RAYON_DATABASE_URL has it."""
        parts = {"username": "rayon", "password": self._password, "host": HERE, "port": self.port} | changes
        return URL.create("postgresql", database=database, **parts).render_as_string(hide_password=False)

    def database(self) -> str:
        """Makes a database; its name."""
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Ends its own process, and removes its files."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # open connections are closed
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._folder / "log.txt"

    def _listens(self) -> bool:
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                preexec_fn=_end_with_parent,
                **self._as_user,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        return False

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as_user)
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return probe.getsockname()[1]


def _end_with_parent() -> None:
    """Linux: tests that are killed leave no server behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGINT)


def _somebody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
