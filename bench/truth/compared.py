"""An output against its input: what each column of the table says, and whether that is as it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from fractions import Fraction

from bench.truth.observed import Observed, Track, payload

WRONG = "WRONG: "

#: Seconds that an output's times may be off, by its suffix: Matroska counts milliseconds.
TICKS_S = {".mkv": Fraction(1, 1000)}

#: Tags that every muxer writes for itself.
_MUXERS_OWN = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration", "timecode"}


def compare(
    before: Observed, after: Observed, *, is_lossless: bool, notes: Collection[str]
) -> dict[str, str]:
    """Return the table's columns for an output and its input. `notes` are what the user was told."""
    tick = TICKS_S.get(after.path.suffix, Fraction(0))
    return {
        "frames": _frames(before, after, is_lossless=is_lossless),
        "PTS": _times(before, after, tick),
        "audio": _audio(before, after, tick),
        "other streams": _others(before, after, notes),
        "colour": _colour(before, after, notes),
        "rotation": _rotation(before, after),
    }


def _frames(before: Observed, after: Observed, *, is_lossless: bool) -> str:
    count, wanted = len(after.frames), len(before.frames)
    if count != wanted:
        return f"{WRONG}{count} of {wanted}"
    different = sum(a != b for a, b in zip(before.frames, after.frames, strict=True))
    if is_lossless and different:
        return f"{WRONG}{different} of {wanted} differ"
    return f"{wanted}, bit for bit" if is_lossless else f"{wanted}"


def _times(before: Observed, after: Observed, tick: Fraction) -> str:
    if len(before.times_s) != len(after.times_s):
        return f"{WRONG}{len(after.times_s)} times"
    # Matroska begins no earlier than 0, and MP4 shows nothing from before 0: all streams are moved alike.
    may_shift = tick or before.times_s[0] < 0
    shift = after.times_s[0] - before.times_s[0] if may_shift else Fraction(0)
    off = max(abs(a + shift - b) for a, b in zip(before.times_s, after.times_s, strict=True))
    if off > tick:
        return f"{WRONG}up to {float(off * 1000):.3f} ms off"
    return "exact" if off == 0 else f"within {float(off * 1000):.2g} ms"


def _audio(before: Observed, after: Observed, tick: Fraction) -> str:
    wanted, found = _of_kind(before, {"audio"}), _of_kind(after, {"audio"})
    if not wanted and not found:
        return "none"
    same = [_is_same(before, a, after, b) for a, b in zip(wanted, found, strict=False)]
    if sum(same) < len(wanted) or len(found) != len(wanted):
        return f"{WRONG}{sum(same)} of {len(wanted)} tracks are as they were"
    off = max(abs(_offset(before, a) - _offset(after, b)) for a, b in zip(wanted, found, strict=True))
    if off > max(2 * tick, Fraction(1, 40_000)):
        return f"{WRONG}offset {float(off * 1000):+.2f} ms"
    if [track.skips[:1] for track in wanted] != [track.skips[:1] for track in found] and not tick:
        return f"{WRONG}priming differs"
    return f"{len(found)} bit for bit, offset within {float(off * 1000):.2g} ms"


def _is_same(before: Observed, one: Track, after: Observed, other: Track) -> bool:
    if (one.language, _family(one.codec)) != (other.language, _family(other.codec)):
        return False
    return one.digests == other.digests or payload(before.path, one.index, one.codec) == payload(
        after.path, other.index, one.codec
    )


def _family(codec: str) -> str:
    """MP4 has one number for MPEG audio of both layers, and ffprobe 5 cannot tell its kinds of PCM apart."""
    return "mpeg audio" if codec in {"mp2", "mp3"} else codec.partition("_")[0]


def _content(track: Track) -> tuple:
    return track.codec, track.language, track.digests


def _offset(file: Observed, track: Track) -> Fraction:
    return (track.start_s or Fraction(0)) - file.times_s[0]


def _of_kind(file: Observed, kinds: Collection[str]) -> list[Track]:
    return [track for track in file.tracks if track.kind in kinds]


def _others(before: Observed, after: Observed, notes: Collection[str]) -> str:
    wanted = [track for track in before.tracks if track.kind != "audio" and not _is_elsewhere(track, before)]
    have = Counter(_content(track) for track in after.tracks)
    kept, told, missing = [], [], []
    for track in wanted:
        if have[_content(track)] > 0:
            have[_content(track)] -= 1
            kept.append(track.kind)
        elif any(f"{track.kind} stream {track.index}" in note for note in notes):
            told.append(track.kind)
        else:
            missing.append(f"{track.kind} {track.codec}")
    missing += _lost_texts(before, after, notes)
    if missing:
        return f"{WRONG}{', '.join(missing)} lost in silence"
    words = [
        *(["kept: " + ", ".join(kept)] if kept else []),
        *(["named: " + ", ".join(told)] if told else []),
    ]
    words += [f"{len(before.chapters)} chapters"] if before.chapters else []
    words += ["time code"] if before.timecode else []
    return "; ".join(words) or "none"


def _is_elsewhere(track: Track, file: Observed) -> bool:
    """MP4 has tracks for time codes and chapters, others have headers: compared by what they say."""
    return track.kind == "data" and (file.timecode is not None or bool(file.chapters))


def _lost_texts(before: Observed, after: Observed, notes: Collection[str]) -> list[str]:
    lost = []
    if before.chapters != after.chapters:
        lost.append("chapters")
    if before.timecode != after.timecode:
        lost.append("time code")
    for name, text in before.tags.items():
        if name not in _MUXERS_OWN and text not in after.tags.get(name, "") and not _told(name, notes):
            lost.append(f"tag {name}")
    return lost


def _told(name: str, notes: Collection[str]) -> bool:
    return any(name in note for note in notes)


def _colour(before: Observed, after: Observed, notes: Collection[str]) -> str:
    wrong = [
        f"{name} {before.colour[name]} → {after.colour[name]}"
        for name in before.colour
        if not _is_same_word(name, before, after) and not _told(before.colour[name], notes)
    ]
    wrong += [name for name in before.hdr if not _same_light(before.hdr[name], after.hdr.get(name))]
    shape = before.stream.get("sample_aspect_ratio", "1:1"), after.stream.get("sample_aspect_ratio", "1:1")
    if _turned(shape[0], before) != shape[1] and set(shape) != {"N/A", "1:1"}:
        wrong.append(f"pixel shape {shape[0]} → {shape[1]}")
    fields = [each.stream.get("field_order", "progressive") for each in (before, after)]
    # The first letter says whether the top or the bottom field comes first; the second is about storage.
    if {*fields} - {"progressive", "unknown"} and fields[0][0] != fields[1][0]:
        wrong.append(f"field order {fields[0]} → {fields[1]}")
    return WRONG + ", ".join(wrong) if wrong else "kept" + (", HDR data" if before.hdr else "")


#: Different words for one thing: unmarked YUV is limited range to every player; formats that say "full range"
#: in their name are the others, marked; and H.264 without colour is decoded with empty colour planes.
_SAME = {"tv": "unknown", "yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p"}


def _is_same_word(name: str, before: Observed, after: Observed) -> bool:
    one, other = (_SAME.get(word, word) for word in (before.colour[name], after.colour[name]))
    if name == "pix_fmt" and other == "unknown":  # this ffprobe is older than the format
        return before.frames == after.frames
    return one == other or (one == "gray" and after.stream["codec_name"] == "h264")


def _same_light(one: dict, other: dict | None) -> bool:
    if other is None:
        return False
    return all(abs(_number(one[key]) - _number(other[key])) <= _number(one[key]) / 100 for key in one)


def _number(text: object) -> float:
    return (
        float(Fraction(str(text)))
        if "/" not in str(text)
        else float(Fraction(*map(int, str(text).split("/"))))
    )


def _turned(shape: str, file: Observed) -> str:
    is_turned = file.rotation is not None and abs(int(file.rotation["rotation"])) % 180 == 90
    return ":".join(reversed(shape.split(":"))) if is_turned else shape


def _rotation(before: Observed, after: Observed) -> str:
    if after.rotation is not None:
        return f"{WRONG}the output is turned by players again"
    if after.shown_size != before.shown_size:
        return f"{WRONG}{before.shown_size} → {after.shown_size}"
    return "none" if before.rotation is None else "applied once"
