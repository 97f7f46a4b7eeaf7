"""Plans cover every frame once, whatever the video looks like."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.media.plan import LONGEST, SHORTEST, TINY, plan_chunks, with_context
from farm.media.table import KEY, Manifest

RATE = 25


@st.composite
def manifests(draw) -> Manifest:
    """Any video: uneven times, keyframes anywhere, B-frames that run ahead, packets of any size."""
    count = draw(st.integers(1, 120))
    gaps = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    sizes = draw(st.lists(st.integers(1, 5000), min_size=count, max_size=count))
    keys = draw(st.sets(st.integers(0, count - 1))) | {0}
    swaps = draw(st.sets(st.integers(0, max(0, count // 2 - 1))))
    times = np.cumsum(gaps)
    for swap in sorted(swaps):  # decode order: the later of two frames first
        at = 2 * swap
        if at + 1 < count and not {at, at + 1} & keys:
            times[[at, at + 1]] = times[[at + 1, at]]
    return manifest_of(times.tolist(), sizes, keys)


def manifest_of(times, sizes, keys) -> Manifest:
    count = len(times)
    return Manifest(
        time_base=Fraction(1, RATE),
        packet_pts=np.array(times, np.int64),
        packet_dts=np.arange(count, dtype=np.int64),
        packet_duration=np.ones(count, np.int64),
        packet_size=np.array(sizes, np.int64),
        packet_flags=np.array([KEY if number in keys else 0 for number in range(count)], np.uint8),
    )


def even(count: int, *, gop: int, size: int = 1000) -> Manifest:
    """A video at a constant rate, with a keyframe every `gop` frames."""
    return manifest_of(list(range(count)), [size] * count, set(range(0, count, gop)))


@given(manifests(), st.fractions(Fraction(1, 50), 8), st.integers(1, 60_000), st.integers(0, 9))
def test_chunks_are_contiguous_and_cover_all_frames(manifest, chunk_s, max_bytes, radius):
    """No frame is missing, none comes twice, no chunk is empty, numbers count from 0."""
    plans = plan_chunks(manifest, chunk_s=chunk_s, max_bytes=max_bytes, radius=radius)
    assert [plan.index for plan in plans] == list(range(len(plans)))
    assert plans[0].start == 0
    assert plans[-1].end == manifest.num_frames
    assert all(plan.start < plan.end for plan in plans)
    assert all(one.end == other.start for one, other in zip(plans, plans[1:], strict=False))


@given(manifests(), st.fractions(Fraction(1, 50), 8), st.integers(0, 9))
def test_context_is_clipped_to_the_video(manifest, chunk_s, radius):
    """Context is `radius` frames on each side, as far as there are any."""
    for plan in plan_chunks(manifest, chunk_s=chunk_s, max_bytes=2**40, radius=radius):
        assert plan.context_start == max(0, plan.start - radius)
        assert plan.context_end == min(manifest.num_frames, plan.end + radius)


@given(manifests(), st.fractions(Fraction(1, 50), 8), st.integers(0, 9))
def test_packets_hold_every_frame_and_begin_at_a_keyframe(manifest, chunk_s, radius):
    """All packets of the chunk's frames are in it, from a packet at which a decoder can start."""
    for plan in plan_chunks(manifest, chunk_s=chunk_s, max_bytes=2**40, radius=radius):
        needed = manifest.order[plan.context_start : plan.context_end]
        assert plan.first_packet <= needed.min()
        assert plan.stop_packet == needed.max() + 1
        assert plan.first_packet in manifest.key_packets
        assert plan.num_bytes == manifest.packet_size[plan.first_packet : plan.stop_packet].sum()


@given(manifests(), st.fractions(Fraction(1, 5), 4))
def test_lengths_stay_near_the_one_asked_for(manifest, chunk_s):
    """Chunks last half to one and a half of it (to a frame's length); the last one up to TINY more."""
    longest_frame_s = int(manifest.durations.max()) * manifest.time_base
    plans = plan_chunks(manifest, chunk_s=chunk_s, max_bytes=2**40)
    for plan in plans:
        end = manifest.end if plan.end == manifest.num_frames else int(manifest.pts[plan.end])
        seconds = (end - int(manifest.pts[plan.start])) * manifest.time_base
        assert seconds <= chunk_s * (LONGEST + TINY) + longest_frame_s
        if plan is not plans[-1]:
            assert seconds >= chunk_s * SHORTEST
        elif len(plans) > 1:
            assert seconds >= chunk_s * TINY


@pytest.mark.parametrize(("gop", "borders"), [(25, [0, 100, 200, 300]), (60, [0, 120, 240, 300])])
def test_borders_lie_on_near_keyframes(gop, borders):
    """The keyframe nearest to the wanted length is where the next chunk begins."""
    plans = plan_chunks(even(300, gop=gop), chunk_s=Fraction(4), max_bytes=2**40)
    assert [plan.start for plan in plans] + [plans[-1].end] == borders


def test_without_near_keyframes_chunks_are_cut_at_the_wanted_length():
    """The segment then carries the packets from the keyframe on."""
    plans = plan_chunks(even(1000, gop=1000), chunk_s=Fraction(4), max_bytes=2**40)
    assert [plan.start for plan in plans] == list(range(0, 1000, 100))
    assert {plan.first_packet for plan in plans} == {0}


def test_a_tiny_rest_joins_the_last_chunk():
    """29 % of a chunk is no chunk; 31 % is one."""
    ends = {
        count: len(plan_chunks(even(count, gop=1), chunk_s=Fraction(4), max_bytes=2**40))
        for count in (229, 231)
    }
    assert ends == {229: 2, 231: 3}


def test_large_chunks_are_made_shorter():
    """No segment exceeds the limit where keyframes allow it, and borders still prefer keyframes."""
    manifest = even(400, gop=10)
    plans = plan_chunks(manifest, chunk_s=Fraction(8), max_bytes=50_000)
    assert all(plan.num_bytes <= 50_000 for plan in plans)
    assert all(plan.start % 10 == 0 for plan in plans)
    assert len(plans) == 8


def test_one_frame_larger_than_the_limit_is_a_chunk_of_its_own():
    """There is nothing smaller than a frame; planning ends all the same."""
    plans = plan_chunks(even(5, gop=1), chunk_s=Fraction(4), max_bytes=10)
    assert [(plan.start, plan.end) for plan in plans] == [(number, number + 1) for number in range(5)]


def test_a_lead_in_beyond_the_limit_does_not_shrink_chunks_to_nothing():
    """With a single keyframe the lead-in grows without end; chunks keep a fair share of their own."""
    plans = plan_chunks(even(2000, gop=2000), chunk_s=Fraction(4), max_bytes=100_000)
    assert min(plan.end - plan.start for plan in plans) >= 12  # half of a quarter of the limit


def test_open_gops_are_entered_from_the_gop_before():
    """Frames shown before a keyframe but sent after it need the GOP before; those after it do not."""
    #  decode order: K0 3 1 2 | K6 4 5 | 9 7 8
    manifest = manifest_of([0, 3, 1, 2, 6, 4, 5, 9, 7, 8], [10] * 10, {0, 4})
    assert manifest.keyframes.tolist() == [0, 6]
    assert with_context(manifest, 0, 4, 6, radius=0).first_packet == 0
    assert with_context(manifest, 0, 4, 6, radius=0).stop_packet == 7
    assert with_context(manifest, 0, 6, 10, radius=0).first_packet == 4
    assert with_context(manifest, 0, 6, 10, radius=1).first_packet == 0


@pytest.mark.parametrize(("chunk_s", "max_bytes"), [(Fraction(0), 1), (Fraction(-1), 1), (Fraction(1), 0)])
def test_senseless_limits_are_refused(chunk_s, max_bytes):
    """They would never end, or never begin."""
    with pytest.raises(ValueError, match="positive"):
        plan_chunks(even(5, gop=1), chunk_s=chunk_s, max_bytes=max_bytes)


def test_planning_a_long_intra_only_video_is_quick():
    """Ten hours of keyframes are planned in a few seconds (quadratic work would take minutes)."""
    plans = plan_chunks(even(900_000, gop=1), chunk_s=Fraction(10), max_bytes=2**40)
    assert len(plans) == 3600
