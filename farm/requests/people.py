"""Who is changed, and into whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from farm.requests.body import Body
from farm.requests.files import FileRequest
from farm.requests.whom import Like, Whom, parse_place, parse_whom

#: ArcFace's cosine of two pictures of one person, from which on they are taken to be: pairs of strangers
#: reach it about once in a million (the published networks' own figures at FAR 1e-6 lie around 0.3 to 0.4).
SIMILARITY = 0.4

#: People of one job that get a source of their own: each source is kept in every worker's memory.
MOST_ROLES = 32


class RoleRequest(Body):
    """One person, and the source that they get."""

    whom: str
    """A gallery's number, `at:X,Y@MOMENT`, `at:N@MOMENT`, or a portrait's absolute path."""
    source: str
    """The portrait whose face they get."""

    @field_validator("whom")
    @classmethod
    def _is_somebody(cls, text: str) -> str:
        parse_whom(text)
        return text


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody, and the number of the source that they get."""

    whom: Whom
    source: int
    text: str  # as the user put it


class PeopleRequest(FileRequest):
    """Who is changed, and into whom. Decided once a job, from tracks through the whole of it."""

    work: Literal["render", "faces"] = "render"
    """`faces`: nothing is changed; everybody is found, and `output` is a directory that shows them."""
    map: list[RoleRequest] | None = Field(default=None, max_length=MOST_ROLES)
    """Several people, each with a source; everybody else gets `source`, or is left alone without one."""
    reference: str | None = None
    """A portrait: only who looks like it gets `source`. Needs a recogniser among the installed models."""
    face_at: str | None = None
    """`X,Y@MOMENT` or `N@MOMENT`: only who is at that place of that frame gets `source`."""
    similarity: float = Field(default=SIMILARITY, ge=0, le=1)
    """Cosine of two embeddings from which on they are taken for one person."""
    gallery: str | None = None
    """A directory that `faces` made of this input: who is in the video is taken from there."""

    @field_validator("face_at")
    @classmethod
    def _is_place(cls, text: str | None) -> str | None:
        if text is not None:
            parse_place(text)
        return text

    @property
    def is_cast(self) -> bool:
        """Whether the job says whose faces are changed."""
        return self.map is not None or self.reference is not None or self.face_at is not None

    @property
    def needs_people(self) -> bool:
        """Whether it must be known who is in the video."""
        return self.is_cast or self.work == "faces"

    @property
    def sources(self) -> list[str]:
        """The portraits that faces are taken from, by number, each once."""
        own = [] if self.source is None else [self.source]
        return list(dict.fromkeys(own + [role.source for role in self.map or ()]))

    @property
    def roles(self) -> list[Role]:
        """Who gets which source, in the user's order."""
        numbers = {path: number for number, path in enumerate(self.sources)}
        roles = [Role(parse_whom(each.whom), numbers[each.source], each.whom) for each in self.map or ()]
        if self.reference is not None:
            roles.append(Role(Like(self.reference), 0, self.reference))
        if self.face_at is not None:
            roles.append(Role(parse_place(self.face_at), 0, self.face_at))
        return roles

    @property
    def rest(self) -> int | None:
        """The number of the source that everybody else gets; None: they are left alone."""
        is_for_all = self.map is not None and self.reference is None and self.face_at is None
        return 0 if is_for_all and self.source is not None else None

    @property
    def references(self) -> list[str]:
        """The portraits of people to be found, each once."""
        likes = (role.whom.path for role in self.roles if isinstance(role.whom, Like))
        return list(dict.fromkeys(likes))
