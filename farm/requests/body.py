"""What all requests have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A JSON object whose every field is known."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
