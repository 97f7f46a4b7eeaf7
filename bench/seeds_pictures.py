"""Rows S1 of `python -m bench seeds`: single pictures, one after another, on an RTX 4090."""

from __future__ import annotations

from functools import partial

from bench.seeds import Ours, Row, Rows, against

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


def _cost(mb: float, seconds: float, row: dict[str, float]) -> Ours:
    ours = f"{row['peak MB']:.0f} MB, {row['mean s']:.2f} s"
    return Ours(
        ours, f"memory {against(row['peak MB'], mb)}, time {against(row['mean s'], seconds)}, without a GPU"
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
        of = {row["way"]: row["moved MiB"] for row in rows.of(network=network)}
        ways = [way for way in ("folded", "one kernel") if way in of]
        shares = [1 - of[way] / of["unfolded"] for way in ways]
        less = ", ".join(f"{way} {share:.0%} less" for way, share in zip(ways, shares, strict=True))
        saved.append((shares[-1], f"{network}: {of['unfolded']:.4g} MiB, {less}"))
    figure = "; ".join(text for _, text in saved)
    return Ours(figure, "better" if min(saved)[0] > 0.23 else "worse")


def _warm(rows: Rows) -> Ours:
    row = rows.one(part="engines", what="portrait")
    figure = (
        f"idle {row['idle MB']:.0f} MB, peak {row['peak MB']:.0f} ±{row['fluctuation, MB']:.0f} MB, first "
        f"{row['first output, s']:.2f} s from the process's start, mean {row['mean s']:.2f} s, "
        f"P95 {row['P95 s']:.2f} s"
    )
    pairs = {"memory": ("peak MB", 5824), "mean": ("mean s", 2.36), "first": ("first output, s", 1.91)}
    verdicts = (f"{name} {against(row[key], theirs)}" for name, (key, theirs) in pairs.items())
    return Ours(figure, ", ".join(verdicts))


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
    return Ours(figure, "small: built in, and off by default" if gains else "off by default: costs more")


def _smoothing(rows: Rows) -> Ours:
    off, on = (rows.one(part="smoothing", what=share) for share in ("0.0", "0.4"))
    seconds, mb = on["mean s"] - off["mean s"], on["peak MB"] - off["peak MB"]
    return Ours(f"off saves {mb:.0f} MB and {seconds:.2f} s", f"costs {against(max(seconds, 0.001), 0.3)}")


def _batch(rows: Rows) -> Ours:
    figure = "; ".join(f"{row['batch']}: {row['over single crops']:.2f}x" for row in rows)
    best = rows.one(batch=4)["over single crops"]
    return Ours(figure, f"{against(2.8, best)}: theirs is a GPU's" if best < 2.8 else "level")


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
)
