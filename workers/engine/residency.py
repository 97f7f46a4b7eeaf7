"""More networks than memory: the least recently used leaves, and comes back before it is used.

One rule for whatever a worker holds: torch networks, sessions of ONNX Runtime, the fusion engine.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, count

from workers.engine.moves import MOVES
from workers.engine.plan import limit_for, mib, reserve_of
from workers.engine.tenants import Standing, Tenant
from workers.errors import BudgetTooSmall


@dataclass(slots=True)
class _Place:
    tenant: Tenant
    users: int = 0  # passes under way: they end by themselves
    holders: int = 0  # chunks that need it all along
    was_here: bool = False

    @property
    def is_taken(self) -> bool:
        return self.users + self.holders > 0

    @property
    def size_bytes(self) -> int:
        return self.tenant.size_bytes or 0


class Residency:
    """Keeps tenants within `limit_bytes` of a device's memory; None: whatever there is, and nobody leaves.

    A reserve of the limit is left free (`reserve_of`). Threads may share it: a pass waits for others' passes
    where they leave no room, and is refused where waiting would not help.
    """

    def __init__(self, limit_bytes: int | None, *, has_reserve: bool = True) -> None:
        self.limit_bytes = limit_bytes
        #: What tenants may take together.
        self.room_bytes = (
            limit_bytes if limit_bytes is None or not has_reserve else limit_bytes - reserve_of(limit_bytes)
        )
        self._has_reserve = has_reserve
        self._known: dict[str, _Place] = {}
        self._here: OrderedDict[str, _Place] = OrderedDict()  # least recently used first
        self._changed = threading.Condition(threading.RLock())
        self._mine = threading.local()
        self.num_arrivals = 0
        self.arrived_bytes = 0
        self.arrival_s = 0.0

    def add(self, name: str, tenant: Tenant) -> str:
        """Take charge of a tenant that is not there yet; return its name, numbered where it is taken.

        Raises:
            BudgetTooSmall: it alone exceeds the budget.
        """
        with self._changed:
            place = _Place(tenant)
            if self.room_bytes is not None and place.size_bytes > self.room_bytes:
                raise self._refusal(place.size_bytes)
            names = chain([name], (f"{name} ({number})" for number in count(2)))
            own = next(each for each in names if each not in self._known)
            self._known[own] = place
            return own

    def keep(self, name: str, size_bytes: int) -> None:
        """Count what is small and never leaves."""
        with self._changed:
            own = self.add(name, Standing(size_bytes))
            self._known[own].holders = 1
            self._here[own] = self._known[own]

    def make_way(self) -> None:
        """Have all leave that nobody uses, for something large that comes from elsewhere."""
        with self._changed:
            if self.room_bytes is not None:
                for name in [name for name, one in self._here.items() if not one.is_taken]:
                    self._leave(name)

    def forget(self, name: str) -> None:
        """Give up a tenant, which leaves if it is there."""
        with self._changed:
            if name in self._here:
                self._leave(name)
            del self._known[name]

    @contextmanager
    def use(self, name: str) -> Iterator[Tenant]:
        """Yield a tenant, there; inside, it stays there.

        Raises:
            BudgetTooSmall: it does not fit beside those that are in use.
        """
        with self._changed:
            place = self._brought(name)
            place.users += 1
            self._count(1)
        try:
            place.tenant.settle()
            yield place.tenant
        finally:
            with self._changed:
                place.users -= 1
                self._count(-1)
                self._changed.notify_all()

    @contextmanager
    def hold(self, *names: str) -> Iterator[None]:
        """Have all of these there, together, inside: what a chunk needs does not come and go frame by frame.

        Raises:
            BudgetTooSmall: they do not fit together; it says what would do.
        """
        with ExitStack() as held:
            for name in dict.fromkeys(names):
                held.enter_context(self._held(name))
            yield

    def prefetch(self, name: str, beside: Collection[str] = ()) -> None:
        """Bring what is used soon, where there is room for it beside what is in use and those named.

        What never was there is left to its first user: measuring it may need all the room there is. Nothing
        is promised: others may have it leave again, and whoever uses it hears of what is wrong with it.
        """
        with self._changed:
            place = self._known.get(name)
            if place is None or (self.room_bytes is not None and place.tenant.size_bytes is None):
                return
            if name in self._here or self._makes_room(place, beside):
                self._brought(name)

    @property
    def resident(self) -> tuple[str, ...]:
        """Return those that are there, least recently used first."""
        with self._changed:
            return tuple(self._here)

    @property
    def resident_bytes(self) -> int:
        """Return what they take there."""
        with self._changed:
            return sum(one.size_bytes for one in self._here.values())

    def __str__(self) -> str:
        """Say in one line who is there, who is not, and what moving them has cost."""
        with self._changed:
            of = "" if self.limit_bytes is None else f" of {mib(self.limit_bytes)}"
            known = ", ".join(
                f"{name} {mib(place.size_bytes)}{'' if name in self._here else ' (away)'}"
                for name, place in self._known.items()
            )
            moved = f"; {self.num_arrivals} arrivals in {self.arrival_s:.1f} s" if self.num_arrivals else ""
            return f"{mib(self.resident_bytes)}{of}: {known or 'nothing'}{moved}"

    @contextmanager
    def _held(self, name: str) -> Iterator[None]:
        with self._changed:
            place = self._brought(name)
            place.holders += 1
        try:
            yield
        finally:
            with self._changed:
                place.holders -= 1
                self._changed.notify_all()

    def _brought(self, name: str) -> _Place:
        place = self._known[name]
        if name not in self._here:
            while not self._makes_room(place):
                if not self._may_wait_for(place):
                    raise self._refusal(self._taken_bytes() + place.size_bytes)
                self._changed.wait()
            self._arrive(name, place)
        self._here.move_to_end(name)
        return place

    def _arrive(self, name: str, place: _Place) -> None:
        began_s = time.monotonic()
        place.tenant.arrive()
        self._here[name] = place
        self.num_arrivals += 1
        self.arrived_bytes += place.size_bytes
        self.arrival_s += time.monotonic() - began_s
        if place.was_here:
            MOVES.note(place.size_bytes)
        place.was_here = True
        if self.room_bytes is not None and self.resident_bytes > self.room_bytes:
            self._leave(name)  # its size was not known: everything that could leave has left already
            raise self._refusal(self._taken_bytes() + place.size_bytes)

    def _makes_room(self, place: _Place, beside: Collection[str] = ()) -> bool:
        """Have others leave until there is room; say whether there is. Whose size is unknown needs it all.

        Those `beside` it stay, as those in use do.
        """
        if self.room_bytes is None:
            return True
        needed = self.room_bytes if place.tenant.size_bytes is None else place.size_bytes
        if place.tenant.size_bytes is not None and self._taken_bytes(beside) + needed > self.room_bytes:
            return False
        free = [name for name, other in self._here.items() if not (other.is_taken or name in beside)]
        for name in free:
            if self.resident_bytes + needed <= self.room_bytes:
                break
            self._leave(name)
        return True

    def _leave(self, name: str) -> None:
        self._here.pop(name).tenant.leave()

    def _taken_bytes(self, beside: Collection[str] = ()) -> int:
        return sum(one.size_bytes for name, one in self._here.items() if one.is_taken or name in beside)

    def _may_wait_for(self, place: _Place) -> bool:
        """Say whether to wait: passes end, chunks may not, and who waits inside a pass may wait for ever."""
        assert self.room_bytes is not None
        held_bytes = sum(one.size_bytes for one in self._here.values() if one.holders)
        is_passing = getattr(self._mine, "passes", 0) > 0
        return not is_passing and held_bytes + place.size_bytes <= self.room_bytes

    def _count(self, step: int) -> None:
        self._mine.passes = getattr(self._mine, "passes", 0) + step

    def _refusal(self, needed_bytes: int) -> BudgetTooSmall:
        assert self.limit_bytes is not None
        return BudgetTooSmall(
            self.limit_bytes, limit_for(needed_bytes) if self._has_reserve else needed_bytes
        )
