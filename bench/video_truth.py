"""What goes in comes out whole: every kind of clip, rendered by a farm, judged by ffprobe and framemd5."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.farm_process import RunningFarm, running_farm
from bench.inputs import GROUPS
from bench.inputs.kind import Kind
from bench.results import RESULTS, write
from bench.truth.compared import WRONG, compare
from bench.truth.observed import observe
from farm.client import FarmClient
from farm.requests import JobRequest
from farm.schemas import JobView

CLAIM = (
    "Every kind of input, rendered in chunks by a farm, with `--engine passthrough --lossless` (FFV1) "
    "and as H.264 with the default target: against the input, by ffprobe and `ffmpeg -f framemd5`."
)
CHUNK_S = 0.7  # shorter than most clips' GOPs: joins lie everywhere

#: The default target where it is no H.264 in MP4: MP4 does not take every kind of sound.
DEFAULT_SUFFIX = {".mov": ".mp4", ".mkv": ".mkv"}

_POLL_S, _TIMEOUT_S = 0.2, 900


@dataclass(frozen=True)
class Case:
    """One rendering of one clip."""

    group: str
    kind: Kind
    clip: Path
    output: Path
    is_lossless: bool


def main(clip: Path | None = None, names: tuple[str, ...] = ()) -> None:  # noqa: ARG001 - as all benchmarks
    """Render every kind twice; write bench/results/video-truth.json and .md."""
    with (
        tempfile.TemporaryDirectory(prefix="truth-") as name,
        running_farm(Path(name) / "farm", "--workers", "2") as farm,
    ):
        rows = [_row(case, job) for case, job in _rendered(farm, list(_cases(Path(name), names)))]
    for row in rows:
        print(row["kind"], "|", " | ".join(str(row[key]) for key in list(row)[2:]), flush=True)
    if not names:
        write(
            "video-truth",
            f"{CLAIM} Row by row: [video-truth.md](results/video-truth.md).",
            list(_summary(rows)),
        )
        (RESULTS / "video-truth.md").write_text(_table(rows))
    bad = [row["kind"] for row in rows if _is_wrong(row)]
    if bad:
        raise SystemExit(f"{len(bad)} of {len(rows)} are not whole: {', '.join(bad)}")


def _cases(folder: Path, names: tuple[str, ...]) -> Iterator[Case]:
    for group, kinds in GROUPS.items():
        for kind in kinds:
            if names and kind.name not in names:
                continue
            clip = kind.make(folder)
            yield Case(group, kind, clip, folder / f"{kind.name}-lossless{kind.output}", is_lossless=True)
            suffix = DEFAULT_SUFFIX[kind.output]
            yield Case(group, kind, clip, folder / f"{kind.name}-default{suffix}", is_lossless=False)


def _rendered(farm: RunningFarm, cases: list[Case]) -> Iterator[tuple[Case, JobView | str]]:
    url, token = farm.address()
    with FarmClient(url, token) as client:
        jobs = [(case, _submit(client, case)) for case in cases]
        for case, job in jobs:
            yield case, job if isinstance(job, str) else _ended(client, job.job)


def _submit(client: FarmClient, case: Case) -> JobView | str:
    request = JobRequest(
        input=str(case.clip), output=str(case.output), engine="passthrough", lossless=case.is_lossless,
        encoder_preset="ultrafast", chunk_seconds=CHUNK_S,
    )  # fmt: skip
    try:
        return client.submit(request)
    except Exception as error:  # noqa: BLE001 - a refusal is a result here
        return str(error)


def _ended(client: FarmClient, job_id: str) -> JobView:
    end = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < end:
        job = client.job(job_id)
        if job.state in {"done", "failed", "canceled"}:
            return job
        time.sleep(_POLL_S)
    raise RuntimeError(f"job {job_id} did not end")


def _row(case: Case, job: JobView | str) -> dict[str, Any]:
    target = "FFV1 " if case.is_lossless else "H.264 "
    head = {
        "group": case.group,
        "kind": case.kind.name,
        "input": case.kind.suffix,
        "output": target + case.output.suffix,
    }
    if isinstance(job, str) or job.state != "done":
        why = job if isinstance(job, str) else job.error.message if job.error else job.state
        return {**head, "frames": f"{WRONG}{why}"}
    try:
        return {**head, **_verdict(case, job)}
    except Exception as error:  # noqa: BLE001 - what the judge cannot read is wrong, too
        return {**head, "frames": f"{WRONG}{error!r}"}


def _verdict(case: Case, job: JobView) -> dict[str, str]:
    before = observe(case.clip, decoder=case.kind.decoder)
    after = observe(case.output, pix_fmt=before.colour.get("pix_fmt", "") if case.is_lossless else "")
    return compare(before, after, is_lossless=case.is_lossless, notes=job.notes)


def _summary(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for group in GROUPS:
        mine = [row for row in rows if row["group"] == group]
        wrong = [row["kind"] for row in mine if _is_wrong(row)]
        yield {"group": group, "rows": len(mine), "right": len(mine) - len(wrong), "wrong": ", ".join(wrong)}


def _is_wrong(row: dict[str, Any]) -> bool:
    return any(str(value).startswith(WRONG) for value in row.values())


def _table(rows: list[dict[str, Any]]) -> str:
    columns = ["kind", "input", "output", "frames", "PTS", "audio", "other streams", "colour", "rotation"]
    good = sum(not _is_wrong(row) for row in rows)
    lines = [f"# Video truth\n\n{CLAIM}\n\n{good} of {len(rows)} rows are as they must be.\n"]
    for group in GROUPS:
        lines += [f"\n## {group}\n", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        lines += [
            "| " + " | ".join(str(row.get(column, "")).replace("|", "/") for column in columns) + " |"
            for row in rows
            if row["group"] == group
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    main(names=tuple(sys.argv[1:]))
