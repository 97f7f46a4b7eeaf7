"""Make a job's pictures from its rendered chunks, and put each in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from broker.framing import StreamHeader, read_chain
from farm.album.album import Album, Entry
from farm.album.files import read_again
from farm.album.finishing import check, finished
from farm.album.placed import Placed
from farm.bootstrap import Farm
from farm.collect import spool
from farm.errors import JobFailed, OutputRefused, StaleTransition
from farm.lock import JobLock
from farm.media.tags import synthetic_statement
from farm.media.target import Target
from farm.models import Job
from farm.output import partial_path, put_in_place
from farm.prepare import PROGRESS_S, load_album
from farm.requests import JobRequest
from farm.states import JobState


class PictureStitching:
    """A job whose rendered pictures lie in the spool."""

    def __init__(self, farm: Farm, job: Job, lock: JobLock) -> None:
        self._farm, self._job, self._lock = farm, job, lock
        self._album: Album = load_album(farm, job.id)
        self._statement = synthetic_statement(job.engine, of="picture")
        self._placed = Placed(farm.config.job_directory(job.id))
        self._shown_at = farm.clock.now_s()
        is_cast = JobRequest(**job.request).is_cast
        self._unchanged = f"{'nobody who is meant' if is_cast else 'no face'} was found: unchanged"
        self._num_good = 0  # pictures that could be decoded
        self._notes: dict[str, list[str]] = {}  # what befell pictures: their names

    def place(self, target: Target) -> None:
        """Make every picture beside its place, then give each its name; what has it already is left alone.

        Raises:
            StaleTransition: the job was stopped meanwhile. JobFailed: no picture could be decoded.
            StitchMismatch, OutputRefused: one cannot be made.
        """
        aside = partial_path(Path(target.path), self._job.id) / self._lock.owner
        _make(aside)
        made = [entry for entry in self._made(aside) if entry is not None]
        if not self._num_good:
            raise JobFailed(
                "no picture can be decoded", code="no-picture", hint="open them with another program"
            )
        self._check_still()
        _make(self._album.outputs)
        self._placed.note(aside / entry.output for entry in made)
        overwrite = JobRequest(**self._job.request).overwrite
        for entry in made:
            put_in_place(aside / entry.output, self._album.outputs / entry.output, overwrite=overwrite)
        self._tell()

    def _made(self, aside: Path) -> Iterator[Entry | None]:
        for header, encoded in self._rendered():
            entry = self._album.entries[header.start]
            self._beat(header.start)
            if not header.pts:
                self._note("left out, as it cannot be decoded", entry)
                yield None
                continue
            self._num_good += 1
            if header.num_faces == 0 and self._job.engine != "passthrough":
                self._note(self._unchanged, entry)
            is_done = self._placed.holds(self._album.outputs / entry.output)
            yield None if is_done else self._make_one(encoded, entry, aside)

    def _make_one(self, encoded: bytes, entry: Entry, aside: Path) -> Entry:
        original = read_again(self._album.folder / entry.picture.name, entry.picture)
        data, lost = finished(encoded, entry, original, self._statement)
        path = aside / entry.output
        path.write_bytes(data)
        check(path, entry)
        for name in lost:
            self._note(f"not carried over: {name}", entry)
        return entry

    def _rendered(self) -> Iterator[tuple[StreamHeader, bytes]]:
        """Yield each picture's header and encoded bytes, in the album's order."""
        for chunk in self._farm.store.all_chunks(self._job.id):
            for header, packets in read_chain(
                spool(self._farm, self._job.id).parts(chunk.index, chunk.attempt)
            ):
                yield header, b"".join(packet.data for packet in packets)

    def _note(self, what: str, entry: Entry) -> None:
        self._notes.setdefault(what, []).append(entry.picture.label)

    def _tell(self) -> None:
        for what, names in self._notes.items():
            self._farm.store.add_note(self._job.id, f"{what}: {', '.join(names)}")

    def _beat(self, done: int) -> None:
        now = self._farm.clock.now_s()
        if now - self._shown_at < PROGRESS_S:
            return
        self._shown_at = now
        self._check_still()
        self._farm.store.update_job(
            self._job.id, stage=f"stitching {100 * done // len(self._album.entries)} %"
        )

    def _check_still(self) -> None:
        self._lock.renew()
        if not self._farm.store.is_still(self._job.id, JobState.STITCHING):
            raise StaleTransition(f"job {self._job.id} was stopped while it was stitched")


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise OutputRefused(
            f"{directory} cannot be made: {error.strerror}",
            hint="make its parent a directory that the farm may write, and `farm retry` the job",
        ) from error
