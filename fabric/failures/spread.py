"""Failure sweeps over processes and machines: ``chunks_of`` for ``run_failures``, with a checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict

from fabric.failures.chunks import Sweep, Tally
from fabric.failures.shipped import shipped, tally_of
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario
from fabric.spread.checkpoint import Checkpoint
from fabric.spread.job import Job
from fabric.spread.run import Spread, SpreadOptions, StoppedError
from fabric.spread.shipment import Shipment
from topologies.errors import FabricError


class SpreadChunks:
    """All chunks of every sweep of a command in their order, wherever they are computed.

    Its progress is that of the sweep, which knows how many cases a chunk has; ``said`` is what people must know.
    """

    def __init__(self, loaded: LoadedScenario, options: SpreadOptions, progress: Reporter = silent) -> None:
        self.options = options
        self.said: list[str] = []
        self.stopped: FabricError | None = None
        self._shipment = Shipment.of(loaded)
        self._progress = progress
        self._kept: Checkpoint | None = None

    def __call__(self, sweep: Sweep) -> Generator[tuple[int, int, Tally], None, None]:
        """First and last unit of every chunk, and what it comes to.

        Raises
        ------
        StoppedError
            Where the rest cannot be had: a full disk, a lost scheduler.
        FabricError
            As the work does.
        """
        job = failure_job(sweep, self._shipment)
        if self._kept is None:
            self._kept = self.options.open_checkpoint(job)
            self.said += [] if self._kept is None else self._kept.said
        spread = Spread(job, self.options, self._progress, self._kept)
        links = [len(phase.topology.links) for phase in sweep.ground.phases]
        try:
            with closing(spread.parts()) as parts:
                for part in parts:
                    yield part.first, part.last, tally_of(part.value, links)
        except KeyboardInterrupt:
            self.said.append(spread.how_to_go_on)
            raise
        finally:
            self.said += [text for text in spread.said if text not in self.said]
        if spread.stopped is not None:
            self.stopped = spread.stopped
            self.said.append(str(spread.stopped))
            raise StoppedError(spread.stopped)

    def close(self) -> None:
        """Close the checkpoint."""
        if self._kept is not None:
            self._kept.close()


def failure_job(sweep: Sweep, shipment: Shipment) -> Job:
    """A sweep as work for any number of processes."""
    asked = shipped(sweep)
    plain = {**asdict(asked.request), "limits": asked.limits}
    for name in ("top",):  # how much of the answer is listed
        plain.pop(name, None)
    return Job(
        name="failures",
        unit="first failures of pairs" if sweep.are_pairs else "cases",
        units=sweep.units,
        prepare="fabric.failures.shipped:prepare",
        work="fabric.failures.shipped:work",
        scenario=shipment,
        arguments=asked,
        asked=plain,
        state=sweep,
        prove="fabric.failures.spread:fingerprint",
        fingerprint=fingerprint(sweep),
    )


def fingerprint(sweep: Sweep) -> str:
    """Hash of the intact state: links and what they carry."""
    digest = hashlib.sha256()
    for phase in sweep.ground.phases:
        links = phase.topology.links
        digest.update(f"{phase.fabric}\0{phase.phase}\0{phase.router}\0{phase.options.seed}\0".encode())
        for column in (links.src, links.dst, phase.topology.capacity_gbps, phase.intact.utilisation.round(9)):
            digest.update(column.tobytes())
    return digest.hexdigest()
