"""Bad files give a clear error, or with --salvage a result that names what it had to leave out."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from bench.inputs import GROUPS, KINDS
from farm.errors import BadInput, DamagedVideo, FarmError, TruncatedVideo, UnsupportedMedia
from farm.media.manifest import index
from farm.media.probe import probe
from farm.media.salvage import skipped_note
from farm.media.table import DOUBTFUL
from tests.farm.media.judge import frame_md5s
from tests.farm.media.worked import work
from workers.errors import DecodeMismatch

pytestmark = pytest.mark.needs_ffmpeg

CORRUPT = ["h264-mp4", "h264-mkv", "h264-ts"]


@pytest.mark.parametrize("name", [kind.name for kind in GROUPS["formats and containers"]])
def test_good_files_give_no_cause_for_complaint(tmp_path, name):
    """Else a good file would be refused as a damaged one."""
    clip = KINDS[name].make(tmp_path)
    assert index(clip, probe(clip)).num_frames == 50


@pytest.mark.parametrize("name", CORRUPT)
def test_damage_is_refused_with_the_remedy(tmp_path, name):
    """No frame gets lost or spoiled in silence."""
    clip = spoil(KINDS[name].make(tmp_path))
    with pytest.raises(DamagedVideo) as caught:
        index(clip, probe(clip))
    assert "--salvage" in caught.value.hint


@pytest.mark.parametrize("name", CORRUPT)
def test_what_is_left_can_be_salvaged(tmp_path, name):
    """All that comes out is what FFmpeg decodes, too; what is left out is named by its time."""
    clip = KINDS[name].make(tmp_path)
    good = frame_md5s(clip)
    spoil(clip)
    output = tmp_path / "out.mkv"
    report = work(clip, output, salvage=True, lossless=True)
    left = frame_md5s(output)
    assert report.num_frames == len(left) < 50
    assert len(set(left) & set(good)) >= 20
    told = []
    manifest = index(clip, probe(clip, salvage=True), on_damage=told.append)
    note = skipped_note(manifest)
    assert told or note
    num_skipped = int((manifest.packet_flags & 16 > 0).sum())
    assert (note is None) == (num_skipped == 0)
    if note is not None:
        assert f"{num_skipped} damaged frames were skipped, at " in note


def test_recordings_that_were_joined_are_whole(tmp_path):
    """One transport stream behind another: FFmpeg flags the joint, and nothing is missing."""
    one = KINDS["h264-ts"].make(tmp_path).read_bytes()
    later = replace(
        KINDS["h264-ts"], name="later", encode=f"-output_ts_offset 2.08 {KINDS['h264-ts'].encode}"
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one + later.make(tmp_path).read_bytes())
    manifest = index(joined, probe(joined))
    assert manifest.num_frames == 100
    assert (manifest.packet_flags & DOUBTFUL).any()
    output = tmp_path / "out.mov"
    work(joined, output, lossless=True, chunks=7)
    assert frame_md5s(output) == frame_md5s(joined)


def test_recordings_may_begin_in_mid_gop(tmp_path):
    """As all that are switched on somewhere: what a decoder shows before the first keyframe is kept."""
    clip = replace(KINDS["h264-ts"], encode="-c:v libx264 -g 20 -bf 2 -pix_fmt yuv420p", tone=0).make(
        tmp_path
    )
    clip.write_bytes(clip.read_bytes()[188 * 40 :])
    output = tmp_path / "out.mov"
    report = work(clip, output, lossless=True, chunks=5)
    assert 25 < report.num_frames < 50
    assert len(frame_md5s(output)) == report.num_frames


def test_a_frame_that_a_recording_lost_is_missed(tmp_path):
    """Transport packets that never arrived leave a gap in a count to 16: two of them are noticed."""
    whole = KINDS["h264-ts"].make(tmp_path).read_bytes()
    packets = [whole[at : at + 188] for at in range(0, len(whole), 188)]
    video = [number for number, packet in enumerate(packets) if packet[1] & 0x1F == 1 and packet[2] == 0]
    starts = [number for number in video if packets[number][1] & 0x40]
    lost = {number for number in video if starts[30] <= number < starts[31]}
    clip = tmp_path / "lost.ts"
    clip.write_bytes(b"".join(packet for number, packet in enumerate(packets) if number not in lost))
    with pytest.raises(DamagedVideo):
        index(clip, probe(clip))


def test_a_recording_that_was_cut_in_a_packet_is_noticed(tmp_path):
    """A transport stream consists of packets of one size."""
    clip = KINDS["h264-ts"].make(tmp_path)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2 // 188 * 188 + 100])
    with pytest.raises(TruncatedVideo) as caught:
        probe(clip)
    assert "--salvage" in caught.value.hint


def test_a_recording_that_was_cut_between_packets_is_noticed_when_it_is_decoded(tmp_path):
    """Its last frame is damaged, and nothing in the container says so."""
    clip = KINDS["h264-ts"].make(tmp_path)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) * 2 // 3 // 188 * 188])
    with pytest.raises(DecodeMismatch, match="--salvage"):
        work(clip, tmp_path / "out.mkv", lossless=True)
    work(clip, tmp_path / "out.mkv", lossless=True, salvage=True)
    assert 25 < len(frame_md5s(tmp_path / "out.mkv")) < 40


def test_a_video_that_changes_its_size_is_refused(tmp_path):
    """Encoders take one size; the message says where it changes."""
    small = replace(KINDS["h264-ts"], name="small", encode="-c:v libx264 -pix_fmt yuv420p -bf 0", tone=0)
    large = replace(small, name="large", size="320x192", encode=f"-output_ts_offset 2 {small.encode}")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(kind.make(tmp_path).read_bytes() for kind in (small, large)))
    for chunks in (1, 5):
        with pytest.raises(DecodeMismatch, match="from 160x96 to 320x192"):
            work(joined, tmp_path / "out.mov", lossless=True, chunks=chunks)


def test_recordings_whose_clocks_start_anew_are_refused(tmp_path):
    """Their frames would be shown in between one another."""
    one = KINDS["h264-ts"].make(tmp_path).read_bytes() * 2
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one + one)
    with pytest.raises(UnsupportedMedia, match="start anew"):
        index(joined, probe(joined))


@pytest.mark.parametrize("suffix", ["m3u8", "mp4", "mkv"])
@pytest.mark.parametrize("form", ["hls", "concat", "sdp"])
def test_files_that_name_others_open_none(tmp_path, suffix, form):
    """Neither on the network nor on the disk, whatever the file is called."""
    secret = KINDS["h264-ts"].make(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        port = server.getsockname()[1]
        clip = tmp_path / f"clip.{suffix}"
        clip.write_text(playlist(form, secret, port))
        with pytest.raises(UnsupportedMedia, match="playlist") as caught:
            probe(clip)
        assert caught.value.hint
        with pytest.raises(TimeoutError):
            server.accept()


def playlist(form: str, secret: Path, port: int) -> str:
    """Return a text that makes FFmpeg read another file, where it may."""
    if form == "hls":
        parts = f"#EXTINF:1,\n{secret}\n#EXTINF:1,\nhttp://127.0.0.1:{port}/x.ts\n"
        return f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{parts}#EXT-X-ENDLIST\n"
    if form == "concat":
        return f"ffconcat version 1.0\nfile {secret}\nfile http://127.0.0.1:{port}/x.ts\n"
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"


def test_headers_that_lie_are_found_out(tmp_path):
    """Of a length ten times the real one, and of a picture that is no video."""
    clip = KINDS["ffv1-mkv"].make(tmp_path)
    content = clip.read_bytes()
    at = content.index(bytes([0x44, 0x89, 0x88]))  # Duration, eight bytes
    import struct

    clip.write_bytes(content[: at + 3] + struct.pack(">d", 20_000.0) + content[at + 11 :])
    with pytest.raises(TruncatedVideo, match=r"of 20\.0 seconds"):
        index(clip, probe(clip))
    assert index(clip, probe(clip, salvage=True)).num_frames == 50
    picture = tmp_path / "picture.mp4"
    picture.write_bytes(Path("farm/assets/grace_hopper.jpg").read_bytes())
    with pytest.raises(BadInput, match="not a video"):
        probe(picture)


def test_nothing_can_be_salvaged_from_nothing(tmp_path):
    """An MP4 without its index."""
    clip = KINDS["h264-mp4"].make(tmp_path)
    content = clip.read_bytes()
    clip.write_bytes(content[: content.index(b"moov") - 4])
    with pytest.raises(FarmError, match="index"):
        probe(clip, salvage=True)


def spoil(clip: Path) -> Path:
    """Change some bytes in the middle of a file."""
    content = bytearray(clip.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 2500):
        content[at] ^= 0x5A
    clip.write_bytes(content)
    return clip
