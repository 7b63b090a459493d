"""One run: a job in, a result out, started by :mod:`benchmark.entry.start`.

Every engine starts this same command, and files hold all truth. A worker that is asked to end by a signal, or whose
runner is gone, saves its state and exits 75; started again, it goes on. Whatever ends a run otherwise is recorded as
its failure, with exit status 1.
"""

import contextlib
import datetime
import functools
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.data.packed import ImageSet
from benchmark.data.source import load as load_images
from benchmark.errors import (
    DeviceError,
    InterruptedRun,
    RecordingError,
    TimedOutError,
    UnusableError,
    UserError,
    failure_status,
    is_of_the_disk,
    is_out_of_memory,
)
from benchmark.execution.epochs import EpochFile
from benchmark.execution.run_folder import (
    EXIT_BUSY,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NO_DEVICE,
    EXIT_NO_JOB,
    EXIT_NO_ROOM,
    EXIT_UNUSABLE,
    Job,
    Progress,
    RunFolder,
)
from benchmark.execution.watch import Watch
from benchmark.results import provenance
from benchmark.results.code import agree, require_same, this_code
from benchmark.results.store import SCHEMA_VERSION, Failure, Result, Status, Store
from benchmark.runs.axes import Dataset
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.system.files import remove_leftovers
from benchmark.system.hardware import device_name, process_peak_mib
from benchmark.system.locks import HeldError, Lock
from benchmark.system.packages import importing
from benchmark.system.processes import keep_freed_memory
from benchmark.system.terminal import guard_streams

if TYPE_CHECKING:
    from benchmark.training.device import GpuSession
    from benchmark.training.loop import Training


def main(arguments: list[str]) -> int:
    """Run the job in a folder; the exit status is 0, or one of :mod:`benchmark.execution.run_folder`."""
    if len(arguments) != 1:
        print("usage: python -P benchmark/entry/start.py RUN_FOLDER", file=sys.stderr)
        return EXIT_NO_JOB
    guard_streams()  # its log may lie on a disk that is full
    folder = RunFolder(Path(arguments[0]))
    with Watch(folder) as watch:  # first of all: a signal that nobody notes ends the process without a word
        return _attempt(folder, watch)


def _attempt(folder: RunFolder, watch: Watch) -> int:
    try:
        job = folder.job()
        agree(job.code)
    except UnusableError as error:
        print(error, file=sys.stderr)
        return EXIT_UNUSABLE
    except UserError as error:
        print(error, file=sys.stderr)
        return EXIT_NO_JOB
    about = {"run": job.run_id, "device": job.device}
    try:
        # The first lock keeps the scratch folder to one worker, the second the result: another runner may have a
        # scratch folder of its own.
        with Lock(folder.lock, **about), Lock(Store(Path(job.results_folder)).lock(job.run_id), **about):
            return _Worker(folder, job, watch).run()
    except HeldError as error:
        print(error, flush=True)
        return EXIT_BUSY
    except OSError as error:
        print(f"{job.run_id} can't go on: {error}", file=sys.stderr)
        return EXIT_NO_ROOM if is_of_the_disk(error) else EXIT_FAILED


class _Worker:
    def __init__(self, folder: RunFolder, job: Job, watch: Watch) -> None:
        self.folder, self.job, self.watch = folder, job, watch
        self.store = Store(Path(job.results_folder))
        self.started = datetime.datetime.now(datetime.UTC)
        self.earlier: list[provenance.Session] = []  # sessions before this one, of a run that is taken up again
        self.said = self.saved = time.monotonic()
        self.training: Training | None = None
        self.gpu: GpuSession | None = None

    def run(self) -> int:
        for path in (self.folder.checkpoint, self.folder.epochs, self.store.path(self.job.run_id)):
            remove_leftovers(path)
        self.folder.note_attempt("start")
        print(f"{self.started:%Y-%m-%d %H:%M:%S} UTC start {self.job.run_id} (process {os.getpid()})", flush=True)
        try:
            self._completed()
        except InterruptedRun as error:
            return self._interrupted(error)
        except UserError as error:  # device, packages, code, images: no run is to blame, so none is recorded as failed
            print(error, flush=True)
            self.folder.note_attempt("unusable")
            return EXIT_NO_DEVICE if isinstance(error, DeviceError) else EXIT_UNUSABLE
        except RecordingError as error:  # nothing is saved: the device's state may be broken
            traceback.print_exc()
            self.folder.refuse_graphs(str(error))
            return self._interrupted("its steps can't be recorded; the next attempt takes them call by call")
        except Exception as error:  # whatever it was: record it, and let the other runs go on
            if is_of_the_disk(error):
                return self._unwritable(error)
            traceback.print_exc()  # after a signal: it may have met a helper of this one as well
            return self._interrupted("an end was asked for") if self.watch.is_asked else self._failed(error)
        self.folder.note_attempt("completed")
        self.folder.clear()
        return 0

    def _completed(self) -> None:
        self.watch.check()  # the runner may be gone since before this process could look
        if self.job.spec.numerics.compiled:  # for other runs of this network too; it takes minutes
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(Path(self.job.cache_dir).parent / "compiled"))
        if self.job.run_id in self.store.completed():
            print("another worker has completed it", flush=True)
            return
        if self.job.device == "cuda":
            with importing():
                from benchmark.training.device import GpuSession
            self.gpu = GpuSession()
        if isinstance(self.job.spec, TrainSpec):
            self._train(self.job.spec)
        else:
            self._measure(self.job.spec)

    def _gpu(self, *, ends: bool = True) -> dict[str, Any] | None:
        return self.gpu.until_now(self.folder.beside(), ends=ends) if self.gpu else None

    def _measure(self, spec: CostSpec) -> None:
        if (used := device_name(self.job.device)) != spec.device:
            raise DeviceError(f"this cost run is to measure {spec.device!r}, but would measure {used!r}")
        with importing():
            import torch

            from benchmark.training.cost import measure
            from benchmark.training.loop import apply_numerics
        apply_numerics(spec.numerics)
        images = self._images(spec.dataset)
        check = functools.partial(self.watch.check, self.job.timeout_min)
        metrics, cost = measure(spec, images, torch.device(self.job.device), check)
        require_same(this_code())  # its helpers load their own
        self.store.put(self._result("completed", metrics, [], cost, images))

    def _images(self, dataset: Dataset) -> ImageSet:
        data_dir = Path(self.job.data_dir) if self.job.data_dir else None
        return load_images(dataset, data_dir, Path(self.job.cache_dir))

    def _train(self, spec: TrainSpec) -> None:
        keep_freed_memory()
        images = self._images(spec.dataset)
        with importing():
            import torch  # takes seconds: a worker without work or images never pays for it

            from benchmark.training import checkpoint  # noqa: F401
            from benchmark.training.device import own_stream, peak_memory
            from benchmark.training.loop import Training, apply_numerics
            from benchmark.training.recorders import recorder
            from benchmark.training.weights import save_weights
        require_same(this_code())  # all of it is loaded by now
        apply_numerics(spec.numerics)
        device, graphs = torch.device(self.job.device), self.job.graphs and self.folder.graphs_refused() is None
        with own_stream(device):
            record = self.folder.recording()(recorder(device)) if graphs else None
            training = self.training = self._resumed(functools.partial(Training, spec, images, device, record=record))
            epochs = EpochFile(self.folder.epochs)
            epochs.hold(training.history)
            training.run(self._after_step, lambda training: epochs.hold(training.history))
            cost = {**peak_memory(device), **training.cost()}
            if self.job.weights_dir:  # before the result: whoever has that has them too
                save_weights(Path(self.job.weights_dir), spec, images, training.model)
            result = self._result("completed", training.metrics(), training.history, cost, images)
            self.store.put(result.model_copy(update={"activation_maps": training.activation_maps()}))

    def _resumed(self, begin: Callable[[], "Training"]) -> "Training":
        """A training as its checkpoint left it, or from the beginning where none fits."""
        from benchmark.training import checkpoint

        training = begin()
        if (state := checkpoint.load(self.folder.checkpoint, self.job.run_id)) is None:
            return training
        try:
            self.earlier = provenance.sessions_before(state, training.data.digest)
            training.resume(state)
        except Exception as error:  # of another version, or made by hand: any of torch's errors
            if is_out_of_memory(error):
                raise
            print(f"the checkpoint does not fit ({error}); starting from the beginning", flush=True)
            self.earlier = []
            return begin()
        print(f"resumed at epoch {training.epoch + 1}, step {training.step}", flush=True)
        return training

    def _after_step(self, training: "Training") -> None:
        now = time.monotonic()
        try:
            self.watch.check(self.job.timeout_min, training.seconds)
        except (InterruptedRun, TimedOutError):
            self._save(training, ends=True)  # the next attempt goes on from here; after a time-out one with more time
            raise
        if now - self.saved > 60 * self.job.checkpoint_minutes:
            self._save(training, ends=False)
        if now - self.said > 0.5:
            self.said = now
            text = f"epoch {training.epoch + 1}/{training.spec.schedule.epochs}"
            word = Progress(done=training.done, text=text, seconds=training.seconds, graphs=training.replaying)
            with contextlib.suppress(OSError):
                self.folder.report(word)

    def _save(self, training: "Training", *, ends: bool) -> None:
        from benchmark.training import checkpoint

        self.saved = time.monotonic()
        digest = training.data.digest
        this = provenance.session(self.job.device, digest, self.started, self._graphs(), self._gpu(ends=ends))
        sessions = [session.model_dump() for session in (*self.earlier, this)]
        made_by = {"run_id": self.job.run_id, "data_digest": digest, "sessions": sessions}
        try:
            checkpoint.save(self.folder.checkpoint, {**made_by, **training.checkpoint()})
        except OSError as error:  # a full disk ends no run; the checkpoint before this one still stands
            print(f"no checkpoint was written: {error}", flush=True)

    def _graphs(self) -> str:
        """What became of recorded steps in this session."""
        if self.job.graphs and (reason := self.folder.graphs_refused()) is not None:
            return f"failed: {reason}"
        return "on" if self.training is not None and self.training.replaying else "off"

    def _interrupted(self, why: object) -> int:
        print(f"interrupted: {why}", flush=True)
        self.folder.note_attempt("interrupted")
        return EXIT_INTERRUPTED

    def _unwritable(self, error: Exception) -> int:
        """A full disk ends a run that has not failed. What is trained to the end may find room beside its log."""
        if self.training is not None and self.training.done == 1:  # else it may be in the middle of a step
            self._save(self.training, ends=True)
        print(f"{self.job.run_id} can't go on: {error}", flush=True)
        with contextlib.suppress(OSError):
            self.folder.note_attempt("unwritable")
        return EXIT_NO_ROOM

    def _failed(self, error: Exception) -> int:
        reason = f"{type(error).__name__}: {error}"
        failure = Failure(reason=reason, log_tail=self.folder.log_tail(), log_file=str(self.folder.log))
        try:
            cost = {"process_peak_mib": process_peak_mib()}
            self.store.put(self._result(failure_status(error), {}, [], cost, None, failure))
            self.folder.note_attempt("failed")
        except OSError as unwritable:  # a full disk, say: nothing more can be said on it
            print(f"{reason} (which can't be recorded: {unwritable.strerror or unwritable})", flush=True)
        return EXIT_FAILED

    def _result(
        self,
        status: Status,
        metrics: dict[str, Any],
        history: list[dict[str, Any]],
        cost: dict[str, Any],
        images: ImageSet | None,
        failure: Failure | None = None,
    ) -> Result:
        digest, counts = (images.digest, images.counts) if images else (None, None)
        return Result(
            schema_version=SCHEMA_VERSION,
            run_id=self.job.run_id,
            spec=self.job.spec,
            status=status,
            metrics=metrics,
            history=history,
            cost=cost,
            provenance=provenance.of_run(
                self.job.spec, self.job.device, digest, self.started, self.earlier, counts, self._graphs(), self._gpu()
            ),
            failure=failure,
        )
