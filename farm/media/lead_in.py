"""Videos with few keyframes: every chunk is decoded from the keyframe before it, however far that is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from farm.errors import UnsupportedMedia
from farm.media.plan import ChunkPlan, plan_chunks
from farm.media.table import Manifest

#: Chunks are made longer until the video is decoded no more than about so often altogether. With a single
#: keyframe at the start, n chunks decode it n / 2 times: so there are eight of them, and eight workers are
#: kept busy by what is then a tenth of the work at most (decoding is far cheaper than fusing).
MOST_DECODED = 4

#: Of the window, what one segment may fill: what workers put out needs room beside it.
LARGEST_SHARE = Fraction(3, 4)


def plan_economically(
    manifest: Manifest, *, chunk_s: Fraction, max_bytes: int, frames: tuple[int, int] | None
) -> list[ChunkPlan]:
    """Return chunks of about `chunk_s` seconds, or longer ones where those would decode too much twice."""
    plans = plan_chunks(manifest, chunk_s=chunk_s, max_bytes=max_bytes, frames=frames)
    while times_decoded(plans) > MOST_DECODED:
        chunk_s *= 2
        fewer = plan_chunks(manifest, chunk_s=chunk_s, max_bytes=max_bytes, frames=frames)
        if len(fewer) >= len(plans):  # it is their bytes that keep them short
            break
        plans = fewer
    return plans


def times_decoded(plans: Sequence[ChunkPlan]) -> float:
    """Return how often a video's packets are decoded, all chunks together: 1 where borders are keyframes."""
    span = plans[-1].stop_packet - plans[0].first_packet
    return sum(plan.stop_packet - plan.first_packet for plan in plans) / max(1, span)


def lead_in_note(plans: Sequence[ChunkPlan], manifest: Manifest) -> str | None:
    """Return what the user should know of the cost; None where there is little."""
    times = times_decoded(plans)
    if times <= MOST_DECODED / 2:
        return None
    longest = float(manifest.duration_s / max(1, len(manifest.key_packets)))
    return (
        f"keyframes are {longest:.0f} s apart, and chunks are decoded from there: this video is decoded "
        f"{times:.1f} times over, in {len(plans)} chunks"
    )


def check_window(plans: Sequence[ChunkPlan], window_bytes: int) -> None:
    """Refuse what could never be handed out.

    Raises:
        UnsupportedMedia: a chunk, with what must be decoded before it, does not fit into the window.
    """
    largest = max(plans, key=lambda plan: plan.num_bytes)
    if largest.num_bytes <= window_bytes * LARGEST_SHARE:
        return
    needed = int(largest.num_bytes / LARGEST_SHARE) + 1
    raise UnsupportedMedia(
        f"frames {largest.start}-{largest.end - 1} need the {largest.num_bytes >> 20} MiB of video since the "
        f"last keyframe, and the window takes {window_bytes >> 20} MiB",
        hint=f"start the farm with --window-bytes {needed}, or give the video keyframes: "
        "ffmpeg -i IN -c:v libx264 -qp 0 -g 60 -c:a copy OUT.mkv",
    )
