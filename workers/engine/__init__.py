"""Runs fusion networks on a device: within a memory budget, in buckets, in tiles, in a chosen precision.

Needs torch, NumPy and safetensors, nothing else: `python -m bench.gpu` runs it on a bare machine.
"""
