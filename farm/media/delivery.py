"""All outputs of one render, and as what the rendered chunks travel to the stitcher."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.messages import EncodeSpec
from farm.errors import BadInput
from farm.media.encoders import ENCODERS
from farm.media.formats import bit_depth, has_alpha, is_rgb
from farm.media.info import MediaInfo
from farm.media.pictures import choose_picture
from farm.media.presets import Kind
from farm.media.shapes import AS_INPUT, Shape
from farm.media.target import Target, choose_target
from farm.media.wishes import NO_WISH, EncodingWish

Json = dict[str, Any]

#: Chunks that are encoded again travel nearly without loss: at this quality the second encoder sees what the
#: first one saw, to the eye and to its own rate control, in a fraction of a lossless chunk's bytes.
_MEZZANINE = EncodingWish(encoder="libx264", crf=6, speed="veryfast", gop=25)
_LOSSLESS_MEZZANINE = EncodingWish(encoder="ffv1", lossless=True)
_MOST_BITS_OF_X264 = 10

#: Chunks at this much worse than what looks like the input are not what a smaller output is made from.
_WORSE_CRF = 2

#: ProRes has no place in the stream that chunks reach the second encoder in.
_NOT_FOR_A_SECOND_ENCODER = {"prores"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputWish:
    """One output that is asked for."""

    path: Path
    kind: Kind = "video"
    encoding: EncodingWish = NO_WISH
    shape: Shape = AS_INPUT
    is_fragmented: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFormat:
    """How workers encode chunks."""

    codec: str  # FFmpeg's name of what the encoder writes
    reorder: int
    encode: EncodeSpec

    @classmethod
    def of(cls, target: Target) -> ChunkFormat:
        """Return the format of chunks that only need to be joined."""
        return cls(codec=target.codec, reorder=target.reorder, encode=target.encode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a job writes, decided once, when it is submitted."""

    chunks: ChunkFormat
    outputs: tuple[Target, ...]  # none, where nothing is encoded

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know; of several outputs, each note names its own."""
        if len(self.outputs) == 1:
            return self.outputs[0].notes
        return tuple(f"{Path(each.path).name}: {note}" for each in self.outputs for note in each.notes)

    def is_direct(self, target: Target) -> bool:
        """Say whether an output is the chunks, joined."""
        return target.kind == "video" and not target.is_continuous and ChunkFormat.of(target) == self.chunks

    def to_json(self) -> Json:
        """Return a JSON object, for the job's row."""
        return {
            "chunks": dataclasses.asdict(self.chunks),
            "outputs": [target.to_json() for target in self.outputs],
        }

    @classmethod
    def from_json(cls, body: Json, output_path: str = "") -> Delivery:
        """Read `to_json`'s object, or that of a farm that knew one output only: `output_path`."""
        if "outputs" not in body:
            target = Target.from_json({**body, "path": output_path})
            return cls(chunks=ChunkFormat.of(target), outputs=(target,))
        chunks = body["chunks"]
        return cls(
            chunks=ChunkFormat(**{**chunks, "encode": EncodeSpec(**chunks["encode"])}),
            outputs=tuple(Target.from_json(each) for each in body["outputs"]),
        )


#: Of jobs that encode nothing: what comes back of their chunks is no video.
NO_VIDEO = Delivery(
    chunks=ChunkFormat(codec="", reorder=0, encode=EncodeSpec(codec="", pix_fmt="")), outputs=()
)


def choose_delivery(wishes: Sequence[OutputWish], info: MediaInfo) -> Delivery:
    """Decide how every output is written.

    One output at constant quality and full size is encoded by the workers, chunk by chunk, and others that
    are smaller or still are made from it. Otherwise chunks travel nearly without loss, or quite, and every
    output is encoded from them, once, as a whole.

    Raises:
        BadInput, OutputRefused: as `choose_target`; or two outputs have one name.
    """
    targets = tuple(_target(wish, info, is_one_of_many=len(wishes) > 1) for wish in wishes)
    _refuse_doubles(targets)
    whole = [target for target in targets if target.kind == "video" and target.size is None]
    shared = {ChunkFormat.of(target).encode.codec: target for target in whole}
    if len(shared) == 1 and not any(target.is_continuous for target in whole):
        master = whole[0]
        alike = all(ChunkFormat.of(target) == ChunkFormat.of(master) for target in whole)
        if alike and (len(whole) == len(targets) or _is_fit_to_encode_from(master)):
            return Delivery(chunks=ChunkFormat.of(master), outputs=targets)
    return Delivery(chunks=ChunkFormat.of(_mezzanine(targets, info)), outputs=targets)


def _target(wish: OutputWish, info: MediaInfo, *, is_one_of_many: bool) -> Target:
    if wish.kind != "video":
        return choose_picture(wish.path, wish.kind, wish.shape)
    target = choose_target(wish.path, info, wish.encoding, wish.shape)
    software = ENCODERS[target.encode.codec].fallback
    if software is not None and (is_one_of_many or target.is_continuous):
        # Workers have GPUs; the farm, which encodes as a whole, need not.
        note = f"{target.encode.codec} is for outputs that workers encode; {software} is taken here"
        encoding = dataclasses.replace(wish.encoding, encoder=software)
        target = choose_target(wish.path, info, encoding, wish.shape)
        target = dataclasses.replace(target, notes=(*target.notes, note))
    if wish.is_fragmented and target.container not in {"mp4", "mov"}:
        raise BadInput(
            f"{wish.path.suffix} has no fragments", hint="leave --fragmented out, or name the output .mp4"
        )
    return dataclasses.replace(target, is_fragmented=wish.is_fragmented)


def _refuse_doubles(targets: Sequence[Target]) -> None:
    paths = [target.path for target in targets]
    for path in paths:
        if paths.count(path) > 1:
            raise BadInput(f"two outputs are named {path}", hint="give each a name of its own")


def _is_fit_to_encode_from(master: Target) -> bool:
    kind, crf = ENCODERS[master.encode.codec], master.encode.options.get("crf")
    if master.codec in _NOT_FOR_A_SECOND_ENCODER:
        return False
    return crf is None or kind.crf is None or int(crf) <= kind.crf + _WORSE_CRF


def _mezzanine(targets: Sequence[Target], info: MediaInfo) -> Target:
    """Return what chunks travel as: an encoder's formats hold the input's pixels, or it must be lossless."""
    video = info.video
    silent = dataclasses.replace(info, others=())
    needs_all = (
        any(target.is_lossless for target in targets)
        or bit_depth(video.pix_fmt) > _MOST_BITS_OF_X264
        or has_alpha(video.pix_fmt)
        or is_rgb(video.pix_fmt)
    )
    wish = _LOSSLESS_MEZZANINE if needs_all else _MEZZANINE
    return choose_target(Path("chunks.mkv"), silent, wish)
