"""Measures many studies: in this process, in several local ones, or on a Dask cluster; always in the same order.

Each study stands for itself: one that fails, or that takes its process down with it, is reported, and the others go on.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Final, Protocol

from response.errors import InputError, MissingExtraError, ResponseError, place_of_fault
from response.findings import Finding
from response.imaging.options import MeasureOptions
from response.io.study_store import StudyResult, StudyStore

CLUSTER_SECONDS: Final = 30  # to reach a scheduler, and for its first worker to come
Progressed = Callable[[int, int], None]


class StudyTask(Protocol):
    """One study to measure; it is sent to other processes."""

    @property
    def key(self) -> str:
        """Name of its content, without the options."""

    @property
    def subject(self) -> str:
        """Whose study it is."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""

    def measure(self, options: MeasureOptions) -> StudyResult:
        """Measure it."""


def run_studies(
    tasks: Sequence[StudyTask],
    options: MeasureOptions,
    *,
    store: StudyStore | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progressed | None = None,
) -> list[StudyResult]:
    """Measure studies, and return their results in the order of the tasks.

    Parameters
    ----------
    tasks
        The studies.
    options
        How lesions are measured.
    store
        Where results are kept; a study that has one there is not measured again. A failed study is.
    jobs
        Number of local processes; as many as there are processors if not given. 1 works in this process.
    scheduler
        Address of a Dask scheduler, whose workers see the same files; instead of local processes.
    progress
        Takes how many studies are done, and of how many.

    Raises
    ------
    InputError
        If the scheduler cannot be reached, has no workers, or they have another version of this package.
    MissingExtraError
        If a scheduler is named and `distributed` is not installed.
    """
    told = progress or _unseen
    results: dict[int, StudyResult] = {}
    if store is not None:
        kept = ((place, store.load(_key(task, options))) for place, task in enumerate(tasks))
        results = {place: result for place, result in kept if result is not None}
    todo = {place: task for place, task in enumerate(tasks) if place not in results}
    told(len(results), len(tasks))
    for place, result in _measured(todo, options, jobs, scheduler):
        results[place] = result
        if store is not None and not result.failed:
            store.save(_key(tasks[place], options), result)
        told(len(results), len(tasks))
    return [results[place] for place in range(len(tasks))]


def measured(task: StudyTask, options: MeasureOptions) -> StudyResult:
    """Measure one study; whatever goes wrong becomes a finding."""
    try:
        return task.measure(options)
    except ResponseError as error:
        return failed(task, str(error))
    except MemoryError:
        return failed(task, "there is not enough memory for it")
    except Exception as error:  # the others must go on; its text may hold a patient's data
        return failed(task, f"{place_of_fault(error)}: this is a fault of the program, not of your data")


def failed(task: StudyTask, why: str) -> StudyResult:
    """Return the result of a study of which nothing could be made."""
    finding = Finding(
        id="study_failed",
        severity="error",
        subject=task.subject,
        sentence=f"A study could not be measured: {why}.",
        remedy="Mend or replace its files; the other studies were measured, and are not measured again.",
        file=task.place,
    )
    return StudyResult(findings=(finding,), failed=True)


def _unseen(done: int, of: int) -> None:
    """Take progress that nobody looks at."""


def _key(task: StudyTask, options: MeasureOptions) -> str:
    from hashlib import sha256

    from response import __version__
    from response.protocol import as_toml

    return sha256("\n".join((__version__, as_toml("measure", options), task.key)).encode()).hexdigest()[:32]


def _measured(
    todo: dict[int, StudyTask], options: MeasureOptions, jobs: int | None, scheduler: str | None
) -> Iterator[tuple[int, StudyResult]]:
    if scheduler is not None and todo:
        yield from _on_cluster(todo, options, scheduler)
        return
    processes = min(jobs or (os.cpu_count() or 1), len(todo))
    if processes <= 1:
        yield from ((place, measured(task, options)) for place, task in todo.items())
    else:
        yield from _in_processes(todo, options, processes)


# --- local processes


def _in_processes(
    todo: dict[int, StudyTask], options: MeasureOptions, processes: int
) -> Iterator[tuple[int, StudyResult]]:
    left = dict(todo)
    for place, result in _pooled(left, options, processes):
        del left[place]
        yield place, result
    # What is left was in a pool that broke: one process for each, so that the culprit fails alone.
    for place, task in left.items():
        alone = list(_pooled({place: task}, options, 1))
        yield alone[0] if alone else (place, failed(task, "its process was killed, for want of memory perhaps"))


def _pooled(todo: dict[int, StudyTask], options: MeasureOptions, processes: int) -> Iterator[tuple[int, StudyResult]]:
    """Hand out results as they come; ends early where a process dies."""
    context = multiprocessing.get_context("spawn")  # a fork would copy threads of libraries half-way
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_leave_interrupts_to_the_parent)
    try:
        places = {pool.submit(measured, task, options): place for place, task in list(todo.items())}
        for future in as_completed(places):
            try:
                yield places[future], future.result()
            except BrokenProcessPool:
                return
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# --- a Dask cluster


def _on_cluster(todo: dict[int, StudyTask], options: MeasureOptions, address: str) -> Iterator[tuple[int, StudyResult]]:
    try:
        from distributed import Client
        from distributed import as_completed as as_they_come
    except ImportError:
        raise MissingExtraError("measuring on a Dask cluster", "distributed", "cluster") from None
    try:
        client = Client(address, timeout=CLUSTER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(address, _cause(error), "the address of a Dask scheduler", "as in tcp://host:8786") from None
    with client:
        _check_workers(client, address)
        places = {client.submit(measured, task, options, pure=False, retries=0): place for place, task in todo.items()}
        for future in as_they_come(places, loop=client.loop):
            place = places[future]
            if future.status == "finished":
                yield place, future.result()
            else:
                yield place, failed(todo[place], "its worker was lost, for want of memory perhaps")
            future.release()


def _check_workers(client: "Client", address: str) -> None:  # type: ignore[name-defined] # noqa: F821
    from response import __version__

    try:
        client.wait_for_workers(1, timeout=CLUSTER_SECONDS)
        versions = set(client.run(_installed_version).values())
    except TimeoutError:
        raise InputError(address, "a scheduler without workers", "at least one worker", "start some") from None
    except Exception as error:
        found = f"workers that cannot import this package ({type(error).__name__})"
        raise InputError(address, found, f"tumor-response {__version__} on every worker", "install it there") from None
    if versions != {__version__}:
        found = f"workers with version {', '.join(sorted(versions))}"
        raise InputError(address, found, f"tumor-response {__version__} on every worker", "install it there")


def _installed_version() -> str:
    from response import __version__

    return __version__


def _cause(error: Exception) -> str:
    return "a scheduler that does not answer" if isinstance(error, OSError) else "no address of a scheduler"
