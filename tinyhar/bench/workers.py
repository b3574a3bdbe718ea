"""Who does the cells: this process one after another, or Ray's workers side by side.

Both take a job, do it by `perform`, and tell how it ended. A job that raises ended badly; a worker
that dies (killed, out of memory, its machine gone) is told as lost, and the job can be given again.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tinyhar.errors import DataError, TinyharError, ToolError
from tinyhar.terminal import native_output_held_back

Work = Callable[[], dict[str, Any]]
"""A job: takes nothing, gives a record; can be sent to another process."""

CELLS_A_PROCESS = 16
"""Ray's workers are replaced after so many jobs: TensorFlow's converter leaks memory."""

ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@dataclass(frozen=True)
class Ending:
    """How a job ended: with a record, or with one line saying why not."""

    job: str
    record: dict[str, Any] | None = None
    error: str = ""
    trace: str = ""
    lost: bool = False
    """The worker died; the job itself may be all right."""


class Workers(Protocol):
    """Somebody who does jobs."""

    slots: int
    """How many at a time."""

    def __enter__(self) -> Workers:
        """Start."""

    def __exit__(self, *error: object) -> None:
        """Stop, whatever is under way."""

    def submit(self, job: str, work: Work) -> None:
        """Take a job; at most `slots` before the next `wait`."""

    def wait(self) -> Ending:
        """The next job that ends."""


def perform(job: str, work: Work) -> Ending:
    """Do a job here and now; whatever it raises becomes one line."""
    try:
        return Ending(job, record=work())
    except TinyharError as error:
        return Ending(job, error=str(error), trace=traceback.format_exc())
    except Exception as error:  # one bad cell must not end the bench; the trace is kept
        first = next((line for line in str(error).splitlines() if line.strip()), "no message")
        text = f"{type(error).__name__}: {first.strip()}"
        return Ending(job, error=text, trace=traceback.format_exc())


class Alone:
    """No helpers: each job is done when it is waited for."""

    slots = 1

    def __init__(self) -> None:
        self._given: list[tuple[str, Work]] = []

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *error: object) -> None:
        self._given.clear()

    def submit(self, job: str, work: Work) -> None:
        """Remember the job."""
        self._given.append((job, work))

    def wait(self) -> Ending:
        """Do it."""
        return perform(*self._given.pop(0))


def has_ray() -> bool:
    """Whether Ray is installed."""
    return importlib.util.find_spec("ray") is not None


class OnRay:
    """Ray's worker processes: of this machine, or of a cluster.

    Args:
        slots: how many jobs at a time; None: one for each core of the machine or cluster.
        address: "host:port" of a running cluster, or "auto"; None starts Ray on this machine.
        out: the bench's folder; on a cluster every machine must see it under the same path.

    Raises:
        ToolError: Ray is not installed, or nothing answers at the address.
        DataError: a machine of the cluster does not see `out`.
    """

    def __init__(self, slots: int | None, address: str | None, out: Path) -> None:
        if not has_ray():
            raise ToolError("Ray is not installed: `pip install ray`, or use --workers 0")
        self.slots = slots or _cores()
        self._wanted, self._address, self._out = slots, address, out
        self._running: dict[Any, str] = {}

    def __enter__(self) -> OnRay:
        ray = _start(self._address, self.slots)
        try:
            if self._address is not None:
                _check_shared(ray, self._out)
                self.slots = self._wanted or max(1, int(ray.cluster_resources().get("CPU", 1)))
        except BaseException:
            ray.shutdown()
            raise
        # Not retried by Ray: a worker's death is the schedule's business.
        self._remote = ray.remote(num_cpus=1, max_retries=0, max_calls=CELLS_A_PROCESS)(_perform)
        return self

    def __exit__(self, *error: object) -> None:
        import ray

        ray.shutdown()

    def submit(self, job: str, work: Work) -> None:
        """Send the job to a worker."""
        self._running[self._remote.remote(job, work)] = job

    def wait(self) -> Ending:
        """The next job that ends, or whose worker died."""
        import ray

        (reference, *_), _ = ray.wait(list(self._running), num_returns=1)
        job = self._running.pop(reference)
        try:
            ending: Ending = ray.get(reference)
        except ray.exceptions.RayTaskError as error:  # not the work's own: `perform` tells those
            return Ending(
                job, error=f"its worker could not begin: {error.cause!r}", trace=str(error)
            )
        except ray.exceptions.RayError as error:
            return Ending(job, error=_death(error), trace=str(error), lost=True)
        return ending


def _perform(job: str, work: Work) -> Ending:
    """`perform` in a worker process, with one thread: as many workers as cores are at work."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"), TF_CPP_MIN_LOG_LEVEL="2")
    return perform(job, work)


def _start(address: str | None, slots: int) -> Any:
    """Ray, started or reached, and silent."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address is not None:
        _check_reachable(address)
    import ray
    from ray._private import worker

    # Ray tells the terminal of every dead worker and has no switch for it; we tell it ourselves.
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_args, **_named: None
    wanted: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        wanted |= {"num_cpus": slots, "include_dashboard": False}
    failed = None
    with native_output_held_back():
        try:
            # "local": one of our own, even where a cluster is running already.
            ray.init(address=address or "local", **wanted)
        except Exception as error:  # whatever Ray raises, it could not be started
            failed = error
    if failed is not None:
        raise ToolError(_why_not(address, failed)) from failed
    return ray


def _check_reachable(address: str) -> None:
    """ToolError when nothing listens there: Ray itself would try for minutes."""
    if address == "auto":
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 65536):
        raise ToolError(f"--address {address}: expected host:port, as `ray start --head` prints it")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ToolError(
            f"--address {address}: no cluster answers ({reason}); "
            "start one with `ray start --head`, or leave --address out"
        ) from error


def _why_not(address: str | None, error: Exception) -> str:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if address is None:
        return f"Ray cannot be started on this machine: {first}; --workers 0 goes without it"
    return (
        f"--address {address}: {first}; is it a cluster of the same Ray, started with "
        "`ray start --head`? One that asks for a token needs RAY_AUTH_MODE=token"
    )


def _check_shared(ray: Any, out: Path) -> None:
    """DataError naming a machine of the cluster that does not see the bench's folder."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    sees = ray.remote(num_cpus=0)(lambda: (out / "bench.json").is_file())
    for node in ray.nodes():
        if node["Alive"]:
            place = On(node["NodeID"], soft=False)
            if not ray.get(sees.options(scheduling_strategy=place).remote(), timeout=60):
                raise DataError(
                    f"{out}: {node['NodeManagerHostname']} of the cluster does not see this "
                    "folder; name one that all machines share with --out"
                )


def _death(error: Exception) -> str:
    kind = type(error).__name__
    if kind == "OutOfMemoryError":
        return "its worker was killed: the machine ran out of memory; use fewer --workers"
    if kind == "WorkerCrashedError":
        return "its worker died (killed, or crashed in native code)"
    return f"its worker was lost ({kind})"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
