"""Kinds by when their frames are shown."""

from __future__ import annotations

from bench.inputs.fields_apart import write_fields_apart
from bench.inputs.kind import Kind
from bench.inputs.repeat import repeat_a_time

_X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 20 -bf 2"
_EXACT = "-fps_mode passthrough -enc_time_base 1:90000 -video_track_timescale 90000"

RATES = tuple(
    Kind(name=f"fps-{name}", suffix=".mp4", rate=rate, seconds=seconds, tone=1, encode=f"{_X264} -c:a aac")
    for name, rate, seconds in (
        ("23.976", "24000/1001", 2), ("25", "25", 2), ("29.97", "30000/1001", 2), ("50", "50", 2),
        ("59.94", "60000/1001", 2), ("120", "120", 1),
    )
)  # fmt: skip

#: Time stamps as phones write them (33 ms, now and then 34 or 50), and as screen recorders do (a frame when
#: something moves): both by an expression over the frame's number N, in seconds.
_PHONE = "(N*0.0333+0.0004*mod(N*7\\,5)+0.0167*floor(N/13))/TB"
_SCREEN = "(0.02*N+0.6*floor(N/9)+0.35*floor(N/17))/TB"
_GAP = "(N*0.04+if(gte(N\\,25)\\,3\\,0))/TB"

TIMES = (
    Kind(name="vfr-phone", suffix=".mp4", tone=1, encode=f"-vf settb=1/90000,setpts={_PHONE} {_EXACT} {_X264} -c:a aac"),
    Kind(name="vfr-screen", suffix=".mkv", encode=f"-vf settb=1/1000,setpts={_SCREEN} -fps_mode passthrough -enc_time_base 1:1000 {_X264}", output=".mkv"),
    Kind(name="vfr-webm", suffix=".webm", output=".mkv",
         encode=f"-vf settb=1/1000,setpts={_SCREEN} -fps_mode passthrough -enc_time_base 1:1000 -c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
    Kind(name="gap", suffix=".mp4", tone=1, encode=f"-vf settb=1/90000,setpts={_GAP} {_EXACT} {_X264} -c:a aac"),
    Kind(name="start-late", suffix=".mp4", tone=1, encode=f"-output_ts_offset 5.5 {_X264} -c:a aac"),
    Kind(name="video-starts-after-audio", suffix=".mp4", tone=1,
         encode=f"-vf settb=1/90000,setpts=PTS+0.3/TB {_EXACT} {_X264} -c:a aac"),
    Kind(name="ts-clock", suffix=".ts", tone=1, encode=f"-output_ts_offset 90000 {_X264} -c:a mp2"),
    Kind(name="ts-clock-wraps", suffix=".ts", tone=1, seconds=4, encode=f"-output_ts_offset 95442 {_X264} -c:a mp2"),
    Kind(name="edit-list", suffix=".mp4", tone=1, before=".mp4", before_input="-ss 0.55",
         encode=f"{_X264} -c:a aac", then="-c copy"),
    Kind(name="negative-dts", suffix=".mp4", tone=1, encode=f"{_X264} -movflags negative_cts_offsets -c:a aac"),
    Kind(name="negative-dts-mkv", suffix=".mkv", tone=1, before=".mp4", then="-c copy -avoid_negative_ts disabled",
         encode=f"{_X264} -c:a aac", output=".mkv"),
    Kind(name="duplicate-pts", suffix=".mkv", encode="-c:v mpeg4 -q:v 4 -g 99", output=".mkv", rewrite=repeat_a_time),
    Kind(name="duplicate-pts-to-mov", suffix=".mkv", encode="-c:v mpeg4 -q:v 4 -g 99", rewrite=repeat_a_time),
    Kind(name="fragmented-mp4", suffix=".mp4", tone=1, encode=f"{_X264} -movflags frag_keyframe+empty_moov -c:a aac"),
    Kind(name="fields-apart-raw", suffix=".h264", make_whole=lambda path: write_fields_apart(path, num_frames=50)),
    Kind(name="fields-apart-ts", suffix=".ts", before=".h264", make_whole=lambda path: write_fields_apart(path, num_frames=50),
         before_input="-r 50", then="-c copy"),
    Kind(name="no-pts-avi", suffix=".avi", encode="-c:v mpeg4 -q:v 4 -g 20 -bf 0"),
)  # fmt: skip
