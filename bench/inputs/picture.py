"""Kinds by what a picture is: its size, shape, direction, samples and colours."""

from __future__ import annotations

from bench.inputs.kind import Kind
from bench.inputs.matrix import turn

_X264 = "-c:v libx264 -preset veryfast -g 20 -bf 2"
_X265 = "-c:v libx265 -preset ultrafast -g 20 -tag:v hvc1"
_FFV1 = "-c:v ffv1 -level 3"


def _turned(name: str, *signs: int) -> Kind:
    return Kind(
        name=name, suffix=".mp4", encode=f"{_X264} -pix_fmt yuv420p", rewrite=lambda path: turn(path, signs)
    )


def _sized(size: str, seconds: float) -> Kind:
    encode = f"{_X264} -pix_fmt yuv420p -preset ultrafast"
    return Kind(name=f"size-{size}", suffix=".mp4", size=size, seconds=seconds, encode=encode)


def _format(pix_fmt: str, encode: str, suffix: str = ".mkv") -> Kind:
    return Kind(name=f"format-{pix_fmt}", suffix=suffix, encode=f"{encode} -pix_fmt {pix_fmt}", output=".mkv")


def _coloured(name: str, encode: str, marks: str, pix_fmt: str = "yuv420p", **more: str) -> Kind:
    return Kind(name=f"colour-{name}", suffix=".mp4", encode=f"{encode} -pix_fmt {pix_fmt} {marks}", **more)


def _marks(primaries: str, transfer: str, matrix: str, range_: str = "tv") -> str:
    return (
        f"-color_primaries {primaries} -color_trc {transfer} -colorspace {matrix} -color_range {range_}"
        f" -vf setparams=color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}:range={range_}"
    )


_HDR10 = (
    "hdr-opt=1:repeat-headers=1:log-level=none:master-display="
    "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
)

SHAPES = (
    _turned("rotation-90", 0, 1, -1, 0),
    _turned("rotation-180", -1, 0, 0, -1),
    _turned("rotation-270", 0, -1, 1, 0),
    _turned("flip-horizontal", -1, 0, 0, 1),
    _turned("flip-vertical", 1, 0, 0, -1),
    Kind(name="pixels-not-square", suffix=".mp4", encode=f"{_X264} -pix_fmt yuv420p -vf setsar=64/45"),
    Kind(name="pixels-not-square-rotated", suffix=".mp4", encode=f"{_X264} -pix_fmt yuv420p -vf setsar=64/45",
         rewrite=lambda path: turn(path, (0, 1, -1, 0))),
    Kind(name="interlaced-h264", suffix=".ts", rate="50",
         encode=f"{_X264} -pix_fmt yuv420p -vf interlace=scan=tff -flags +ilme+ildct -x264opts tff=1"),
    Kind(name="interlaced-mpeg2", suffix=".ts", rate="50",
         encode="-c:v mpeg2video -q:v 3 -g 12 -bf 2 -vf interlace=scan=bff -flags +ilme+ildct -top 0"),
    Kind(name="interlaced-prores", suffix=".mov", rate="50",
         encode="-c:v prores_ks -profile:v 2 -vf interlace=scan=tff -flags +ildct"),
    Kind(name="odd-size", suffix=".mkv", size="161x97", encode=f"{_FFV1} -pix_fmt yuv420p", output=".mkv"),
    Kind(name="odd-size-vp9", suffix=".webm", size="161x97", output=".mkv",
         encode="-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p"),
    _sized("16x16", 1),
    _sized("1920x1080", 0.4),
    _sized("8192x4320", 0.08),
)  # fmt: skip

FORMATS = (
    _format("yuv422p", _X264),
    _format("yuv444p", _X264),
    _format("yuv420p10le", _X264),
    _format("yuv422p10le", _X264),
    _format("yuv444p10le", _X264),
    _format("yuv420p12le", f"{_X265} -x265-params log-level=none"),
    _format("yuv444p12le", f"{_X265} -x265-params log-level=none"),
    _format("gbrp", "-c:v libx264rgb -preset veryfast -g 20".replace("libx264rgb", "libx265") + " -x265-params log-level=none"),
    _format("gray", _FFV1),
    _format("bgr0", _FFV1),
    _format("gbrp16le", _FFV1),
    Kind(name="alpha-prores-4444", suffix=".mov", encode="-vf format=yuva444p10le,geq=lum=lum(X\\,Y):cb=cb(X\\,Y):cr=cr(X\\,Y):a=4*X -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le -alpha_bits 16"),
    Kind(name="alpha-vp9", suffix=".webm", decoder="libvpx-vp9", output=".mkv",
         encode="-vf format=yuva420p,geq=lum=lum(X\\,Y):cb=cb(X\\,Y):cr=cr(X\\,Y):a=X -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -auto-alt-ref 0 -pix_fmt yuva420p -g 20"),
    Kind(name="alpha-ffv1", suffix=".mkv", output=".mkv",
         encode=f"-vf format=yuva420p,geq=lum=lum(X\\,Y):cb=cb(X\\,Y):cr=cr(X\\,Y):a=X {_FFV1} -pix_fmt yuva420p"),
)  # fmt: skip

COLOURS = (
    _coloured("bt601", _X264, _marks("smpte170m", "smpte170m", "smpte170m")),
    _coloured("bt709", _X264, _marks("bt709", "bt709", "bt709")),
    _coloured("bt709-full-range", _X264, _marks("bt709", "bt709", "bt709", "pc")),
    _coloured("bt2020", _X264, _marks("bt2020", "bt2020-10", "bt2020nc"), "yuv420p10le"),
    _coloured("hlg", f"{_X265} -x265-params log-level=none", _marks("bt2020", "arib-std-b67", "bt2020nc"), "yuv420p10le"),
    _coloured("hdr10", f"{_X265} -x265-params {_HDR10}", _marks("bt2020", "smpte2084", "bt2020nc"), "yuv420p10le"),
    _coloured("hdr10-av1", "-c:v libsvtav1 -preset 12 -svtav1-params mastering-display=G(0.265,0.69)B(0.15,0.06)R(0.68,0.32)WP(0.3127,0.329)L(1000.0,0.005):content-light=1000,400",
              _marks("bt2020", "smpte2084", "bt2020nc"), "yuv420p10le"),
    Kind(name="full-range-mjpeg", suffix=".avi", encode="-c:v mjpeg -q:v 3 -pix_fmt yuvj422p"),
)  # fmt: skip
