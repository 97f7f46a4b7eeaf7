"""Frames in and out of segments."""
