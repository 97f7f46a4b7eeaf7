"""The wire vocabulary. Small, frozen, versioned; names of bytes, never the bytes themselves; JSON only."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from broker.errors import BadMessage
from broker.fingerprint import Fingerprint

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A value that crosses a process: `to_json` on one side, `from_json` on the other."""

    VERSION: ClassVar[int] = 1

    def to_json(self) -> Json:
        """Return a JSON object that names its kind and version."""
        return {"kind": type(self).__name__, "version": self.VERSION, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Read `to_json`'s object.

        Raises:
            BadMessage: another kind or version, or fields missing or unknown.
        """
        if not isinstance(body, dict):
            raise BadMessage(f"wanted {cls.__name__} v{cls.VERSION}, got {type(body).__name__}")
        fields = dict(body)
        kind, version = fields.pop("kind", None), fields.pop("version", None)
        if kind != cls.__name__ or version != cls.VERSION:
            raise BadMessage(f"wanted {cls.__name__} v{cls.VERSION}, got {kind} v{version}")
        try:
            return cls(**cls._revive(fields))
        except (TypeError, KeyError) as error:
            raise BadMessage(f"{cls.__name__}: {error!r}") from error

    @classmethod
    def _revive(cls, fields: Json) -> Json:
        """Turn nested JSON objects back into values; overridden where there are any."""
        return fields


#: What `EncodeSpec.codec` says of JPEGs of one channel, which FFmpeg has no encoder for.
GREY_JPEG = "grey-jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeSpec:
    """How a worker encodes its chunk; the same for every chunk of a job."""

    codec: str  # an FFmpeg encoder: "libx264", "ffv1"; or GREY_JPEG; empty: nothing is encoded
    pix_fmt: str  # an FFmpeg pixel format that the encoder takes
    options: dict[str, str] = field(default_factory=dict)  # the encoder's private options


#: What `FuseSpec.faces` says where the segment names whose faces are changed.
CAST = "cast"

#: Kinds of mask: a soft box, the face's outline, what a parser calls face, what an occluder calls seen.
BOX, HULL, REGION, OCCLUSION = "box", "hull", "region", "occlusion"

#: What `FuseSpec.mode` says where masks are drawn into the picture instead of faces.
SHOWN = "shown"

#: What `RenderChunk.work` says: a chunk is changed, or only looked through for people.
RENDER, LOOK = "render", "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class FuseSpec:
    """What is done to the frames; the same for every chunk of a job."""

    engine: str  # a name in workers.swappers
    source_face: int | None = None  # which face of the portrait, left to right; None: the largest
    faces: str = "all"  # which faces of a frame: "all", "largest", or "cast": those that the segment names
    num_sources: int = 1  # portraits that the job has; which of them a face gets, the segment says
    boost: int = 1  # swap networks: crops this many times as large, a side
    ratio: float = 1.0  # 0..1: how much of the source is fused in
    smoothing: float = 0.0  # 0..1: of the fused skin
    brightness: float = 0.0  # -1..1 of the whole range, added to the fused face
    mode: str = "normal"  # "normal": the network; "blend": gradients; "overlay": bands; SHOWN: the mask
    threshold: float = 0.8  # how sure the detector must be of a face; ONet's usual threshold
    smallest: float = 0.05  # of the shorter side: smaller faces are not sought; the farm's own detector only
    analyser: str = "mtcnn"  # what finds the faces: the farm's own, or an installed one's name
    restore: str | None = None  # an installed network that restores fused faces
    restore_weight: float = 0.8  # 0..1: how much of what it restores is taken
    restore_fidelity: float = 0.5  # 0..1: how closely it keeps to what it sees, where it has such an input
    upscale: str | None = None  # an installed network that enlarges whole frames
    mask: tuple[str, ...] = ()  # kinds, of which the least counts: BOX, HULL, REGION, OCCLUSION; none: usual
    mask_blur: float = 0.3  # 0..1 of the crop's side: the box's soft rim
    mask_padding: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, right, bottom, left, in hundredths of it

    @classmethod
    def from_fields(cls, fields: Json) -> Self:
        """Read what `dataclasses.asdict` and JSON made of it."""
        tuples: Json = {name: tuple(fields[name]) for name in ("mask", "mask_padding") if name in fields}
        return cls(**(fields | tuples))


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderChunk(Message):
    """Ask a worker to render one chunk. `attempt` counts from 1 and is the chunk's fencing token."""

    job_id: str
    index: int
    attempt: int
    start: int  # interval of frames is [start, end)
    end: int
    fuse: FuseSpec
    encode: EncodeSpec
    fingerprint: Fingerprint = field(default_factory=dict)  # what the plan rests on; empty: not known
    work: str = RENDER  # or LOOK: tell of the people in the chunk, as `broker.people` has it

    @classmethod
    def _revive(cls, fields: Json) -> Json:
        return {
            **fields,
            "fuse": FuseSpec.from_fields(fields["fuse"]),
            "encode": EncodeSpec(**fields["encode"]),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRendered(Message):
    """A chunk is done; its output segment lies in the store."""

    job_id: str
    index: int
    attempt: int
    worker: str
    num_frames: int
    num_fused: int  # frames in which at least one face was fused
    num_parts: int
    num_bytes: int
    sha256: str  # over all parts in order
    render_s: float  # from claim to commit
    first_frame_at: float = 0.0  # Unix seconds at which the first frame left the swapper
    notes: tuple[str, ...] = ()  # what an operator should know: a fallback taken, say

    @classmethod
    def _revive(cls, fields: Json) -> Json:
        return {**fields, "notes": tuple(fields.get("notes", ()))}


#: The code of an attempt that a worker gave up because it was asked to end.
HANDED_BACK = "handed-back"

#: The code of an attempt in which the process that rendered died; its parent process says so.
WORKER_DIED = "worker-died"

#: The code of an attempt that a worker refused, because it would not render what the plan's worker would.
OTHER_BUILD = "other-build"

#: The code of an attempt that ended with the worker's device: the worker leaves the farm. Once, for a chunk,
#: that is the device's fault; from the second time on it counts, since a chunk may be what devices die of.
DEVICE_LOST = "device-lost"

#: Codes that say nothing against the chunk: they are not counted among its failures.
UNCOUNTED = frozenset({HANDED_BACK, OTHER_BUILD})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFailed(Message):
    """An attempt at a chunk failed in a way that the worker, or its parent process, could report."""

    job_id: str
    index: int
    attempt: int
    worker: str
    code: str  # short and stable: "decode-mismatch", "out-of-memory"
    message: str
    is_final: bool = False  # True: no other attempt can do better (bad input, unknown engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSource(Message):
    """Ask any worker to look at a job's source portrait."""

    job_id: str
    fuse: FuseSpec
    encode: EncodeSpec | None = None  # given where the fingerprint is wanted with its encoder
    num_references: int = 0  # portraits of people to be found; they lie behind the job's sources

    @classmethod
    def _revive(cls, fields: Json) -> Json:
        encode = fields.get("encode")
        return {
            **fields,
            "fuse": FuseSpec.from_fields(fields["fuse"]),
            "encode": None if encode is None else EncodeSpec(**encode),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChecked(Message):
    """What a worker found in the source portrait. `code` is set when it cannot be used."""

    job_id: str
    radius: int = 0  # frames of context that the engine needs on both sides of a chunk
    boxes: tuple[tuple[int, int, int, int], ...] = ()  # x0, y0, x1, y1 in pixels, left to right
    chosen: int | None = None  # index into `boxes`
    fingerprint: Fingerprint = field(default_factory=dict)  # of the worker that looked
    code: str | None = None  # "no-face", "not-a-picture", "no-such-face", "unknown-engine"
    message: str = ""
    models: dict[str, str] = field(default_factory=dict)  # digests of all weights that the job uses, by name
    notes: tuple[str, ...] = ()  # what the user should know of how that worker runs the networks
    encoder_trouble: str = ""  # why the encoder does not work on that worker; then nothing else was looked at
    recogniser: str = ""  # the model that tells people apart there; empty: none is installed
    references: tuple[str, ...] = ()  # who is on each reference: an embedding, as `broker.people` packs it

    @classmethod
    def _revive(cls, fields: Json) -> Json:
        boxes = tuple(tuple(box) for box in fields.get("boxes", ()))
        texts = {name: tuple(fields.get(name, ())) for name in ("notes", "references")}
        return {**fields, "boxes": boxes, **texts}
