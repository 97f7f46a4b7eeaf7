"""Geometry and colour of faces: pure functions, no model, no device."""
