"""The jobs of a server, below ``RAYON_HOME/jobs``: whose they are, how long they are kept, who goes on after a stop."""

import errno
import hashlib
import hmac
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from batch.files import read_json, write_json
from batch.jobs import PICTURES, TABLE, Job

_LEFT_OVER_SECONDS = 86_400


class JobStore:
    """Every job of one home. ``owner`` is a secret that only its visitor knows; its hash is what is kept."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._folder = home / "jobs"

    def draft(self, name: str, table: BinaryIO, owner: str) -> Job:
        """A new job with its table, to be planned. The file's name is shown, never used as a path."""
        job = Job(self._folder / uuid.uuid4().hex)
        unfinished = job.folder.with_name(f"{job.id}.part")
        unfinished.mkdir(parents=True)
        with (unfinished / TABLE).open("wb") as file:
            shutil.copyfileobj(table, file, 2**20)
        about = {"name": name, "owner": owner_mark(owner), "created": datetime.now(UTC).isoformat(timespec="seconds")}
        write_json(unfinished / "about.json", about)
        unfinished.rename(job.folder)
        return job

    def add_pictures(self, job: Job, archive: BinaryIO) -> None:
        """Puts a ZIP of pictures beside a draft's table; PermissionError once the work is planned."""
        if job.spec is not None:
            raise PermissionError(errno.EPERM, "the work has begun")
        unfinished = job.folder / f"{PICTURES}.part"
        with unfinished.open("wb") as file:
            shutil.copyfileobj(archive, file, 2**20)
        unfinished.replace(job.pictures)

    def get(self, identity: str, owner: str) -> Job:
        """A job of that owner; KeyError when they have no such job."""
        job = Job(self._folder / identity)
        if not _is_id(identity) or not job.folder.is_dir() or not _owns(owner, job):
            raise KeyError(identity)
        return job

    def owned_by(self, owner: str) -> list[Job]:
        """The owner's jobs, newest first."""
        return sorted((job for job in self.all() if _owns(owner, job)), key=lambda job: job.created, reverse=True)

    def all(self) -> Iterator[Job]:
        """Everybody's jobs."""
        yield from (job for job in self._folders() if "created" in (read_json(job.folder / "about.json") or {}))

    def _folders(self) -> Iterator[Job]:
        if self._folder.is_dir():
            yield from (Job(path) for path in self._folder.iterdir() if _is_id(path.name))

    def models(self) -> set[str]:
        """Versions of the models that jobs are planned with."""
        return {spec.model for job in self.all() if (spec := job.spec) is not None}

    def sweep(self, days: int) -> int:
        """Deletes jobs older than ``days`` and uploads cut off; gives how many jobs went."""
        now, swept = datetime.now(UTC), 0
        for job in list(self.all()):
            if job.expires(days) < now:
                job.delete()
                swept += 1
        known = {job.id for job in self.all()}
        left_over = [*self._folder.glob("*.part"), *(job.folder for job in self._folders() if job.id not in known)]
        for path in left_over:
            with suppress(FileNotFoundError):
                if now.timestamp() - path.stat().st_mtime > _LEFT_OVER_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)
        return swept

    def revive(self) -> list[Job]:
        """Sets to work again the jobs whose process is gone, as after a stop of the server."""
        revived = [job for job in self.all() if job.state().state == "waiting" and not job.at_work()]
        for job in revived:
            job.set_to_work()
        return revived


def _is_id(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def _owns(owner: str, job: Job) -> bool:
    return hmac.compare_digest(job.about["owner"], owner_mark(owner))


def owner_mark(owner: str) -> str:
    """What is kept of an owner: nobody can tell the secret from it."""
    return hashlib.sha256(owner.encode()).hexdigest()
