"""The rows of `python -m bench seeds`: what was published, and where our figure is found."""

from __future__ import annotations

from functools import partial

from bench.seeds import Ours, Row, Rows

#: What was published of the UNet at each side: MB on the card, seconds.
SIZES = {512: (3210, 1.18), 1024: (5824, 2.36), 1536: (8942, 4.07), 2048: (12655, 7.23), 2560: (18321, 11.89)}
#: Of each preset: the picture's side, MB at most, seconds at most.
PRESETS = {"quick": (512, 3500, 1.2), "delivery": (1024, 6100, 2.5), "art": (2048, 12700, 7.2)}
#: Of other engines at 1024 px: MB, seconds.
OTHERS = {
    "FOMM + GFPGAN": (14267, 4.82),
    "InstantID + IP-Adapter + ControlNet": (21593, 8.95),
    "SimSwap": (4371, 0.93),
    "the UNet": (5824, 2.36),
}
_ENGINES = ("portrait", "swap network, 3.8 M weights", "swap network, 138 M weights")


def _against(ours: float, theirs: float, unit: str = "") -> str:
    """Say which is less, and by how much; within a tenth they are level."""
    share = ours / theirs
    if abs(share - 1) <= 0.1:
        return "level"
    return f"{1 / share:.1f}x better{unit}" if share < 1 else f"{share:.1f}x worse{unit}"


def _cost(mb: float, seconds: float, row: dict[str, float]) -> Ours:
    ours = f"{row['peak MB']:.0f} MB, {row['mean s']:.2f} s"
    return Ours(
        ours, f"memory {_against(row['peak MB'], mb)}, time {_against(row['mean s'], seconds)}, without a GPU"
    )


def _size(side: int, rows: Rows) -> Ours:
    return _cost(*SIZES[side], rows.of(part="sizes").one(**{"side, px": side}))


def _tiles(rows: Rows) -> Ours:
    worst = max(row["over 2048 px"] for row in rows)
    seam = max(row.get("max difference, of 255", 0.0) for row in rows)
    figure = f"4096 px takes {worst:.2f} of 2048 px beside the picture's pixels; seam {seam:.2g} of 255"
    return Ours(figure, "better: constant" if worst <= 1.2 and seam < 0.5 else "worse")


def _traffic(rows: Rows) -> Ours:
    saved = []
    for network in ("lite", "standard"):
        before, after = (rows.one(network=network, way=way)["moved MiB"] for way in ("unfolded", "folded"))
        saved.append((network, before, after, 1 - after / before))
    figure = "; ".join(
        f"{name}: {before:.4g} to {after:.4g} MiB, {share:.0%} less" for name, before, after, share in saved
    )
    least = min(share for *_, share in saved)
    return Ours(figure, "level" if least >= 0.21 else "less is saved: SiLU is a kernel of its own")


def _warm(rows: Rows) -> Ours:
    row = rows.one(part="engines", what="portrait")
    figure = (
        f"idle {row['idle MB']:.0f} MB, peak {row['peak MB']:.0f} ±{row['fluctuation, MB']:.0f} MB, first "
        f"{row['first output, s']:.2f} s from the process's start, mean {row['mean s']:.2f} s, "
        f"P95 {row['P95 s']:.2f} s"
    )
    return Ours(figure, f"memory {_against(row['peak MB'], 5824)}, mean {_against(row['mean s'], 2.36)}")


def _second(rows: Rows) -> Ours:
    row = rows.one(part="engines", what="portrait")
    saved = row["picture 1, s"] - row["mean s"]
    share = saved / row["picture 1, s"]
    return Ours(
        f"{saved:.2f} s faster, {share:.0%} of the first: the source is encoded once a job",
        "level" if share >= 0.41 / 2.36 else "a smaller share of a shorter time",
    )


def _reuse(rows: Rows) -> Ours:
    row = max(rows, key=lambda each: float(each["threshold"]))
    figure = (
        f"under {row['threshold']:.0%}: {row['reused']:.0%} of frames, {row['saved, %']:.1f} % of the time "
        f"saved, {row['context, %']:.1f} % spent on context, up to {row['max error, of 255']:.0f} of 255 off"
    )
    gains = row["saved, %"] > row["context, %"]
    return Ours(figure, "left out: see ARCHITECTURE.md" if not gains else "small: see ARCHITECTURE.md")


def _smoothing(rows: Rows) -> Ours:
    off, on = (rows.one(part="smoothing", what=share) for share in ("0.0", "0.4"))
    seconds, mb = on["mean s"] - off["mean s"], on["peak MB"] - off["peak MB"]
    return Ours(f"off saves {mb:.0f} MB and {seconds:.2f} s", f"costs {_against(max(seconds, 0.001), 0.3)}")


def _batch(rows: Rows) -> Ours:
    figure = "; ".join(f"{row['batch']}: {row['over single crops']:.2f}x" for row in rows)
    best = rows.one(batch=4)["over single crops"]
    return Ours(figure, f"{_against(2.8, best)}: theirs is a GPU's" if best < 2.8 else "level")


def _passes(rows: Rows) -> Ours:
    figure = "; ".join(
        f"{row['faces']} faces of {row['of, px']} px: {row['over single crops']:.2f}x"
        for row in rows.of(crops_a_pass=4)
    )
    return Ours(figure, "the network is a small part of a frame here")


def _preset(name: str, rows: Rows) -> Ours:
    return _cost(*PRESETS[name][1:], rows.one(part="presets", what=name))


def _engine(name: str, rows: Rows) -> Ours:
    row = rows.one(part="engines", what=name)
    figure = (
        f"idle {row['idle MB']:.0f}, peak {row['peak MB']:.0f} ±{row['fluctuation, MB']:.0f} MB, mean "
        f"{row['mean s']:.2f}, P95 {row['P95 s']:.2f}, first output {row['first output, s']:.2f} s, "
        f"{row['runs']} runs"
    )
    quicker = [other for other, (_, seconds) in OTHERS.items() if row["mean s"] < seconds]
    leaner = [other for other, (mb, _) in OTHERS.items() if row["peak MB"] < mb]
    return Ours(figure, f"on a CPU quicker than {len(quicker)}, leaner than {len(leaner)} of the four")


def _region(rows: Rows) -> Ours:
    row = rows.one(**{"side, px": 2048, "way": "ratio: region by frame"})
    faster, less, gain = 1 / row["ms"], 1 - row["MB"], row["PSNR in the region"]
    figure = f"{faster:.1f}x faster, {less:.0%} less memory, PSNR {gain:+.1f} dB"
    return Ours(figure, "better" if faster > 2.8 and less > 0.63 and gain > -0.3 else "worse")


def _detection(rows: Rows) -> Ours:
    row = rows.one(**{"side, px": 2048})
    ours, small, fixed = (row[f"{way}: recall"] for way in ("farm", "farm, small", "fixed"))
    figure = f"fixed {fixed:.0%}, searched at 1280 px {ours:.0%}, with --smallest-face 0.02 {small:.0%}"
    return Ours(figure, "level" if max(ours, small) >= 0.96 else "worse")


def _precision(rows: Rows) -> Ours:
    parts = []
    for network, way in (
        ("lite", "folded, bf16, channels last"),
        ("lite", "int8"),
        ("standard", "folded, bf16, channels last"),
    ):
        row = rows.one(network=network, way=way)
        parts.append(f"{network}, {way}: {1 / row['ratio']:.1f}x, SSIM {1 - row['1 - SSIM']:.5f}")
    worst = 1 - max(row["1 - SSIM"] for row in rows)
    return Ours("; ".join(parts), "likeness better" if worst > 0.992 else "likeness worse")


def _gpu_precision(rows: Rows) -> Ours:
    exact, half = (rows.of(part="precisions", network="standard").one(precision=p) for p in ("fp32", "fp16"))
    figure = f"{exact['ms'] / half['ms']:.1f}x, SSIM {half['SSIM']:.5f}"
    return Ours(figure, "better" if exact["ms"] / half["ms"] > 18.7 / 5.9 else "worse")


def _graphs(rows: Rows) -> Ours:
    found = rows.of(part="graphs")
    figure = "; ".join(
        f"{row['network']} {row['side']} px: {row['eager ms']:.1f} to {row['graph ms']:.1f} ms"
        for row in found
    )
    return Ours(figure, "same bits" if all(row["same bits"] for row in found) else "bits differ")


def _modes(rows: Rows) -> Ours:
    seconds = {mode: rows.one(part="modes", what=mode)["mean s"] for mode in ("normal", "blend", "overlay")}
    more = seconds["blend"] - seconds["normal"]
    figure = ", ".join(f"{mode} {each:.2f} s" for mode, each in seconds.items()) + f": blend {more:+.2f} s"
    return Ours(figure, _against(max(more, 0.001), 3.2))


def _keys(_rows: Rows) -> Ours:
    from workers.engine.settings import KEYS

    return Ours(f"{len(KEYS)} keys, each checked and explained", "all of theirs, and more")


def _bars(rows: Rows) -> Ours:
    found = rows.of(part="bars")
    return Ours("; ".join(f"{row['bar']}: {row['found']}" for row in found), "see the bars")


def _switching(rows: Rows) -> Ours:
    (row,) = rows
    figure = (
        f"{row['all MiB']:.0f} MiB of networks in {row['budget MiB']:.0f} MiB; a switch costs "
        f"{row['cost of a switch ms']:.1f} ms"
    )
    return Ours(figure, "level" if row["all MiB"] >= 2 * row["budget MiB"] else "worse")


def _gpu_switching(rows: Rows) -> Ours:
    return _switching(Rows(row for row in rows if row["part"] == "residency"))


ROWS = (
    *(
        Row("S1.1", f"{side} px, whole picture", f"{mb:,} MB, {seconds} s", "stills", partial(_size, side))
        for side, (mb, seconds) in SIZES.items()
    ),
    Row("S1.1", "tiles", "memory grows with the pixels", "engine-cpu-tiles", _tiles),
    Row("S1.2", "memory traffic after folding", "23 % less", "engine-cpu-ways", _traffic),
    Row(
        "S1.3",
        "warm start, 1024 px",
        "idle 1,153 MB, peak 5,824 ±187 MB, first 1.91 s, mean 2.36 s, P95 2.68 s",
        "stills",
        _warm,
    ),
    Row("S1.4", "second picture", "0.41 s faster", "stills", _second),
    Row("S1.4", "features reused while a region changes little", "under 15 %: reused", "reuse", _reuse),
    Row("S1.5", "skin smoothing", "off saves 680 MB and 0.3 s", "stills", _smoothing),
    Row("S1.6", "batches, the network alone", "4: 2.8x", "engine-cpu-batches", _batch),
    Row("S1.6", "batches, a whole render", "4: 2.8x", "passes", _passes),
    *(
        Row(
            "S1.7",
            f"preset {name}, {side} px",
            f"at most {mb:,} MB, {seconds} s",
            "stills",
            partial(_preset, name),
        )
        for name, (side, mb, seconds) in PRESETS.items()
    ),
    *(
        Row(
            "S1.8",
            f"1024 px: {name}",
            "; ".join(f"{other} {mb:,} MB {seconds} s" for other, (mb, seconds) in OTHERS.items()),
            "stills",
            partial(_engine, name),
        )
        for name in _ENGINES
    ),
    Row("S2.1", "the region alone, 2048 px", "2.8x faster, 63 % less memory, -0.3 dB", "roi", _region),
    Row("S2.2", "faces found, 2048 px", "fixed 82 %, adaptive 96 %", "detection", _detection),
    Row("S2.3", "16 and 8 bits", "3.2x faster, SSIM > 0.992", "engine-cpu-ways", _precision),
    Row("S2.3", "16 bits on a GPU", "3.2x faster, SSIM > 0.992", "gpu", _gpu_precision, needs_gpu=True),
    Row("S2.4", "CUDA graphs", "1.4 s off each repeated fusion", "gpu", _graphs, needs_gpu=True),
    Row("S2.5", "modes, 2048 px", "blend costs 3.2 s more", "stills", _modes),
    Row("S2.6", "one YAML file", "7 keys and a flag", "engine-cpu-ways", _keys),
    Row("S2.7", "professional tier", "up to 4096 px", "gpu", _bars, needs_gpu=True),
    Row("S3.2", "more networks than memory", "12 GB do what took 24 GB", "engine-cpu-switching", _switching),
    Row("S3.2", "the same on a GPU", "12 GB do what took 24 GB", "gpu", _gpu_switching, needs_gpu=True),
    Row("S3.6", "memory flat over days", "no fragmentation", "gpu", _bars, needs_gpu=True),
)
