"""Few keyframes make long lead-ins: decoded seldom, told to the user, and refused if impossible."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from farm.errors import UnsupportedMedia
from farm.media.lead_in import MOST_DECODED, check_window, lead_in_note, plan_economically, times_decoded
from farm.media.plan import plan_chunks
from farm.media.table import KEY, Manifest

TWO_HOURS = 2 * 3600 * 25


def video(num_frames: int, gop: int, packet_bytes: int = 100) -> Manifest:
    """Return a video of 25 frames a second with a keyframe every `gop` frames."""
    times = np.arange(num_frames, dtype=np.int64)
    return Manifest(
        time_base=Fraction(1, 25),
        packet_pts=times,
        packet_dts=times.copy(),
        packet_duration=np.ones(num_frames, np.int64),
        packet_size=np.full(num_frames, packet_bytes, np.int64),
        packet_flags=np.where(times % gop == 0, KEY, 0).astype(np.uint8),
    )


def test_a_single_keyframe_makes_few_chunks():
    """Two hours in chunks of ten seconds would be decoded 360 times over."""
    manifest = video(TWO_HOURS, gop=TWO_HOURS)
    asked = plan_chunks(manifest, chunk_s=Fraction(10), max_bytes=2**40)
    assert times_decoded(asked) > 300
    plans = plan_economically(manifest, chunk_s=Fraction(10), max_bytes=2**40, frames=None)
    assert times_decoded(plans) <= MOST_DECODED
    assert 4 <= len(plans) <= 8
    assert (plans[0].start, plans[-1].end) == (0, TWO_HOURS)
    note = lead_in_note(plans, manifest)
    assert "keyframes are 7200 s apart" in note


def test_usual_videos_are_cut_as_asked():
    manifest = video(TWO_HOURS, gop=50)
    asked = plan_chunks(manifest, chunk_s=Fraction(10), max_bytes=2**40)
    assert plan_economically(manifest, chunk_s=Fraction(10), max_bytes=2**40, frames=None) == asked
    assert times_decoded(asked) == 1
    assert lead_in_note(asked, manifest) is None


def test_bytes_may_keep_chunks_short():
    """Then no length helps, and the search ends."""
    manifest = video(3000, gop=3000, packet_bytes=10_000)
    plans = plan_economically(manifest, chunk_s=Fraction(1), max_bytes=1_000_000, frames=None)
    assert times_decoded(plans) > MOST_DECODED


def test_what_can_never_be_handed_out_is_refused_with_the_remedy():
    """Such a job would wait for room for ever."""
    manifest = video(3000, gop=3000, packet_bytes=10_000)
    plans = plan_chunks(manifest, chunk_s=Fraction(10), max_bytes=2**20)
    with pytest.raises(UnsupportedMedia, match="since the last keyframe") as caught:
        check_window(plans, 20 << 20)
    needed = int(caught.value.hint.split("--window-bytes ")[1].split(",")[0])
    check_window(plans, needed)
