"""The engine of several machines: Ray Data, a model for each actor, one part for each row of the dataset."""

import logging
import os
import pickle  # nosec B403 # only of what our own workers said
import platform
import secrets
import socket
import threading
import traceback
import uuid
import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from filelock import FileLock

from batch.classify import Done, Plan, Rows, classify_chunk
from batch.local import ONE_THREAD, EngineError, cores
from batch.staging import Staging
from settings import ROOT

_INSTALL = "make ray (or: pip install -r requirements-ray.txt)"
_WAITING = 2
"""Chunks handed to each worker: one at work, one ready."""
_KILLS = 2
"""Times that a chunk's worker may be killed before all others go first."""
_PATIENCE = 3
"""Rounds without a single part."""
_TICK_SECONDS = 0.5
_JOIN_SECONDS = 10
_STORE_BYTES = 128 * 1024 * 1024
"""Ray's shared memory when it runs on this machine alone: rows do not go through it."""
# All but what workers run: neither state nor secrets leave this machine. The model goes another way.
_STAYS_HERE = [
    "/*",
    "!/.",
    "!/batch",
    "!/model",
    "!/preprocessing",
    "!/settings.py",
    "/model/bundles",
    "/model/training",
]


def run_ray(plan: Plan, chunks: Iterable[tuple[int, Rows]], workers: int | None = None) -> Iterator[Done | None]:
    """As `batch.local.run_local`, over the Ray cluster at RAY_ADDRESS, or over this machine when that is not set.

    ``workers``: all cores of the cluster unless given. Every machine must reach the parts' place and the pictures;
    model and code travel with the job (docs/distributed.md).
    """
    address = os.environ.get("RAY_ADDRESS", "")
    ray = _ray(address)
    plan = replace(plan, parts=_absolute(plan.parts), pictures=plan.pictures and _absolute(plan.pictures))
    # The whole table is laid beside the parts before the first answer: reading it takes a small share of the time that
    # classifying it does, and leaves but numbers for the dataset. So nothing piles up in memory, however large the
    # table, and there is one dataset to work off, not a row of them, each with a new pool and idle workers at its end.
    staging = Staging(plan.parts)
    try:
        left: set[int] = set()
        with closing(staging.write(chunks)) as numbers:
            for number in numbers:
                left.add(number)
                yield None
        if left:
            count = _connect(ray, address, workers)
            try:
                shipped = [_packed_model(ray, plan)] if address else []
                yield from _Run(ray, (plan, shipped), count).run(left)
            finally:
                ray.shutdown()  # ends the workers, too, whatever they are at
    finally:
        staging.remove()


def _absolute(place: str) -> str:
    return place if "://" in place else os.path.abspath(place)


def _ray(address: str) -> Any:
    """The library, with neither telemetry nor chatter; one machine's cluster is for nobody else to reach."""
    # Without the second, a call that comes late, after the end, would start another cluster.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_AUTO_CONNECT="0", RAY_BACKEND_LOG_LEVEL="fatal")
    if not address:
        os.environ.update({name: os.environ.get(name, value) for name, value in ONE_THREAD.items()})
        # Named for other systems, but what keeps all ports off the network here, too.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        # For the other users of this machine. Without one of ours, Ray keeps a token in the home folder.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise EngineError(f"the engine ray needs Ray Data ({error}): {_INSTALL}") from error
    return ray


def _connect(ray: Any, address: str, workers: int | None) -> int:
    """Joins the cluster, or starts one here; gives the number of workers to have."""
    common = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            _knock(address)
            code = {"working_dir": str(ROOT), "excludes": _STAYS_HERE, "env_vars": ONE_THREAD}
            ray.init(address=address, runtime_env=code, **common)
        else:
            ray.init(
                address="local",  # never one that happens to run here
                num_cpus=workers or cores(),
                num_gpus=0,
                object_store_memory=_STORE_BYTES,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                **common,
            )
    except Exception as error:  # Ray's share no base
        what = f"the Ray cluster at {address} cannot be joined" if address else "Ray does not start"
        raise EngineError(f"{what}: {error}") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what matters of it is raised, too
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # these are chunks whose worker was killed too often: see _Run.run
    return workers or max(1, int(ray.cluster_resources().get("CPU", 1)))


def _knock(address: str) -> None:
    """OSError when nobody answers there: Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if "://" in address:
        raise OSError("run this on one of its machines, with the address that `ray start` gives there")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _JOIN_SECONDS).close()


class _Run:
    """The dataset of chunks, worked off."""

    def __init__(self, ray: Any, arguments: tuple[Plan, list[Any]], workers: int) -> None:
        """``arguments``: of `_Classify`."""
        self._ray, self._arguments, self._workers = ray, arguments, workers

    def run(self, left: set[int]) -> Iterator[Done | None]:
        """Round by round until nothing is left: a chunk that kills its workers holds up no other."""
        barren = 0
        while left:
            before = len(left)
            for event in self._events(sorted(left)):
                if isinstance(event, Done):
                    left.remove(event.number)
                yield event
            barren = barren + 1 if len(left) == before else 0
            if barren == _PATIENCE:
                raise EngineError(
                    f"the processes at work were killed {_PATIENCE * _KILLS} times without finishing anything: "
                    "is memory short?"
                )

    def _dataset(self, numbers: list[int]) -> Any:
        data = self._ray.data
        size = min(self._workers, len(numbers))
        with warnings.catch_warnings(action="ignore"):  # Ray 2.64 is to name the last two otherwise
            return data.from_items([{"number": n} for n in numbers], override_num_blocks=len(numbers)).map(
                _Classify,
                fn_constructor_args=self._arguments,
                compute=data.ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=_WAITING),
                num_cpus=1,
                max_restarts=-1,
                max_task_retries=_KILLS - 1,
            )

    def _events(self, numbers: list[int]) -> Iterator[Done | None]:
        found: SimpleQueue[dict[str, Any] | Exception | None] = SimpleQueue()
        # Waits in a thread of its own: whoever wants to cancel need not wait for the next part.
        threading.Thread(target=_read, args=(self._dataset(numbers), found), daemon=True, name="ray").start()
        while True:
            try:
                row = found.get(timeout=_TICK_SECONDS)
            except Empty:
                yield None
                continue
            if row is None:
                return
            if isinstance(row, Exception):
                last = (str(row).strip().splitlines() or [""])[-1]  # of a traceback of many machines
                raise EngineError(f"Ray cannot go on: {last or type(row).__name__}") from row
            outcome = pickle.loads(row["outcome"])  # nosec B301 # of our own workers
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome


def _read(rows: Any, found: "SimpleQueue[dict[str, Any] | Exception | None]") -> None:
    try:
        for row in rows.iter_rows():
            found.put(row)
        found.put(None)
    except Exception as error:
        found.put(error)


class _Classify:
    """What an actor does. Errors are part of its answer: Ray takes those that are raised for lost workers."""

    def __init__(self, plan: Plan, shipped: list[Any]) -> None:
        self._plan, self._shipped = plan, shipped

    def __call__(self, row: dict[str, Any]) -> dict[str, bytes]:
        try:
            return {"outcome": pickle.dumps(self._classify(int(row["number"])))}
        except Exception as error:
            error.add_note("".join(traceback.format_exception(error)))
            return {"outcome": _pickled(error)}

    def _classify(self, number: int) -> Done:
        if self._shipped:
            self._plan, self._shipped = _with_model_here(self._plan, self._shipped[0]), []
        try:
            rows = Staging(self._plan.parts).read(number)
        except FileNotFoundError as error:
            raise EngineError(
                f"{platform.node()} does not see what is kept at {self._plan.parts}: give a place that all "
                "machines reach"
            ) from error
        return classify_chunk(self._plan, number, rows)


def _pickled(error: Exception) -> bytes:
    try:
        data = pickle.dumps(error)
        pickle.loads(data)  # nosec B301 # just written
        return data
    except Exception:  # whatever a library's error holds
        return pickle.dumps(EngineError(f"{type(error).__name__}: {error}"))


# --- the model's way to other machines -------------------------------------------------------------------------


def _packed_model(ray: Any, plan: Plan) -> Any:
    """A reference to the files of bundle and export in Ray's object store, which brings them once to each machine."""
    folders = {"bundle": Path(plan.bundle), "export": Path(plan.export)}
    files = ((part, file) for part, folder in folders.items() for file in folder.iterdir())
    return ray.put({f"{part}/{file.name}": np.asarray(np.memmap(file, np.uint8, "r")) for part, file in files})


def _with_model_here(plan: Plan, shipped: Any) -> Plan:
    """The plan with the model's files on this machine, unpacked by the first worker of the Ray session."""
    import ray

    context = ray.get_runtime_context()
    models = Path(context.get_temp_dir()) / context.get_session_name() / "rayon"
    models.mkdir(exist_ok=True)
    folder = models / Path(plan.export).name
    with FileLock(models / f"{folder.name}.lock"):
        if not folder.exists():
            unfinished = models / uuid.uuid4().hex
            for name, data in ray.get(shipped).items():
                (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
                data.tofile(unfinished / name)
            unfinished.rename(folder)
    return replace(plan, bundle=str(folder / "bundle"), export=str(folder / "export"))
