"""Rows S2 and S3 of `python -m bench seeds`: large pictures without stutter, and more models than memory."""

from __future__ import annotations

from bench.seeds import Ours, Row, Rows, against


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
    return Ours(figure, "better: no more than runs differ by" if more < 0.1 else against(more, 3.2))


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
    Row("S2.1", "the region alone, 2048 px", "2.8x faster, 63 % less memory, -0.3 dB", "roi", _region),
    Row("S2.2", "faces found, 2048 px", "fixed 82 %, adaptive 96 %", "detection", _detection),
    Row("S2.3", "16 and 8 bits", "3.2x faster, SSIM > 0.992", "engine-cpu-ways", _precision),
    Row("S2.3", "16 bits on a GPU", "3.2x faster, SSIM > 0.992", "gpu", _gpu_precision, needs_gpu=True),
    Row("S2.4", "CUDA graphs", "1.4 s off each repeated fusion", "gpu", _graphs, needs_gpu=True),
    Row("S2.5", "modes, 2048 px", "blend costs 3.2 s more", "stills", _modes),
    Row("S2.6", "one YAML file", "7 keys and a flag", "", _keys),
    Row("S2.7", "professional tier", "up to 4096 px", "gpu", _bars, needs_gpu=True),
    Row("S3.2", "more networks than memory", "12 GB do what took 24 GB", "engine-cpu-switching", _switching),
    Row("S3.2", "the same on a GPU", "12 GB do what took 24 GB", "gpu", _gpu_switching, needs_gpu=True),
    Row("S3.6", "memory flat over days", "no fragmentation", "gpu", _bars, needs_gpu=True),
)
