"""Kinds by how they are coded: formats, containers, GOPs."""

from __future__ import annotations

from bench.inputs.kind import Kind

_X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p"
_X265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -tag:v hvc1"
_SVT = "-c:v libsvtav1 -preset 12 -pix_fmt yuv420p"
_VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p -b:v 300k"
_AAC = "-c:a aac"

FORMATS = (
    Kind(name="h264-mp4", suffix=".mp4", tone=1, encode=f"{_X264} -g 20 -bf 2 {_AAC}"),
    Kind(name="h264-mov", suffix=".mov", tone=1, encode=f"{_X264} -g 20 -bf 2 -c:a pcm_s16le"),
    Kind(name="h264-mkv", suffix=".mkv", tone=1, encode=f"{_X264} -g 20 -bf 2 {_AAC}", output=".mkv"),
    Kind(name="h264-ts", suffix=".ts", tone=1, encode=f"{_X264} -g 20 -bf 2 -c:a mp2"),
    Kind(name="h264-avi", suffix=".avi", tone=1, encode=f"{_X264} -g 20 -bf 0 -c:a mp3"),
    Kind(name="h264-b-frames-avi", suffix=".avi", tone=1, encode=f"{_X264} -g 20 -bf 2 -c:a mp3"),
    Kind(name="hevc-mp4", suffix=".mp4", tone=1, encode=f"{_X265} -g 20 {_AAC}"),
    Kind(name="hevc-mkv", suffix=".mkv", tone=1, encode=f"{_X265} -g 20 {_AAC}", output=".mkv"),
    Kind(name="hevc-ts", suffix=".ts", tone=1, encode=f"{_X265} -g 20 {_AAC}"),
    Kind(name="av1-mp4", suffix=".mp4", tone=1, encode=f"{_SVT} -g 20 {_AAC}"),
    Kind(name="av1-webm", suffix=".webm", tone=1, encode=f"{_SVT} -g 20 -c:a libopus", output=".mkv"),
    Kind(
        name="vp9-webm",
        suffix=".webm",
        tone=1,
        encode=f"{_VP9} -g 20 -auto-alt-ref 1 -lag-in-frames 8 -c:a libopus",
        output=".mkv",
    ),
    Kind(name="vp9-mp4", suffix=".mp4", tone=1, encode=f"{_VP9} -g 20 {_AAC}"),
    Kind(
        name="vp8-webm", suffix=".webm", tone=1, output=".mkv",
        encode="-c:v libvpx -deadline realtime -cpu-used 8 -g 20 -auto-alt-ref 1 -lag-in-frames 8 -c:a libvorbis",
    ),
    Kind(name="mpeg4-mp4", suffix=".mp4", tone=1, encode=f"-c:v mpeg4 -q:v 4 -g 20 {_AAC}"),
    Kind(name="mpeg4-avi", suffix=".avi", tone=1, encode="-c:v mpeg4 -q:v 4 -g 20 -c:a mp3"),
    Kind(name="mpeg4-b-frames-avi", suffix=".avi", tone=1, encode="-c:v mpeg4 -q:v 4 -g 20 -bf 2 -c:a mp3"),
    Kind(name="mpeg2-ts", suffix=".ts", tone=1, encode="-c:v mpeg2video -q:v 4 -g 15 -bf 2 -c:a ac3"),
    Kind(name="mpeg2-mpg", suffix=".mpg", tone=1, encode="-c:v mpeg2video -q:v 4 -g 15 -bf 2 -c:a mp2"),
    Kind(name="prores-mov", suffix=".mov", tone=1, encode="-c:v prores_ks -profile:v 2 -c:a pcm_s24le"),
    Kind(name="ffv1-mkv", suffix=".mkv", tone=1, encode="-c:v ffv1 -level 3 -c:a flac", output=".mkv"),
    Kind(name="ffv1-long-gop-avi", suffix=".avi", encode="-c:v ffv1 -level 3 -g 10 -context 1"),
    Kind(name="mjpeg-avi", suffix=".avi", tone=1, encode="-c:v mjpeg -q:v 3 -c:a pcm_s16le"),
    Kind(name="dnxhr-mov", suffix=".mov", size="320x192", encode="-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p"),
)  # fmt: skip

GOPS = (
    Kind(
        name="open-gop-h264", suffix=".mp4",
        encode=f"{_X264} -g 12 -bf 3 -x264-params open-gop=1:scenecut=0:b-pyramid=normal",
    ),
    Kind(
        name="open-gop-hevc", suffix=".mkv",
        encode=f"{_X265} -g 12 -bf 3 -x265-params open-gop=1:scenecut=0:log-level=none", output=".mkv",
    ),
    Kind(name="open-gop-ts-cut", suffix=".ts", then="-c copy", before=".ts", before_input="-ss 0.7",
         encode=f"{_X264} -g 12 -bf 3 -x264-params open-gop=1:scenecut=0"),
    Kind(name="b-pyramid", suffix=".mp4", encode=f"{_X264} -g 40 -bf 8 -x264-params b-pyramid=normal:b-adapt=0:ref=5"),
    Kind(name="one-keyframe", suffix=".mp4", seconds=6, encode=f"{_X264} -g 9999 -bf 2 -x264-params scenecut=0"),
    Kind(name="intra-only", suffix=".mp4", encode=f"{_X264} -g 1"),
    Kind(name="intra-refresh", suffix=".mp4", encode=f"{_X264} -g 12 -bf 0 -x264-params intra-refresh=1"),
    Kind(name="parameter-sets-in-band", suffix=".mp4",
         encode=f"{_X264} -g 10 -x264-params repeat-headers=1 -bsf:v dump_extra=freq=keyframe -tag:v avc3"),
    Kind(name="one-frame", suffix=".mp4", seconds=0.04, encode=_X264),
    Kind(name="raw-h264", suffix=".h264", encode=f"{_X264} -g 20 -bf 0"),
)  # fmt: skip
