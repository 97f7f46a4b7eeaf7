"""Crops of several frames and faces, gathered into passes of a network, and given back in the frames' order.

A stream, without threads: a few frames are looked ahead at, until a pass is full or no more may wait. Which
crops come together depends on where a chunk begins: that this shows in none is up to whoever runs a pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeAlias, TypeVar

Crop = TypeVar("Crop")
Changed = TypeVar("Changed")
Done = TypeVar("Done")

#: A frame's work: it yields crops, is sent them changed, as often as it likes, and returns what became of it.
Work: TypeAlias = Generator[Sequence[Crop], list[Changed], Done]

#: Takes crops of one kind, no more than fit into a pass; returns as many, each as if it had come alone.
Run: TypeAlias = Callable[[list[Crop]], list[Changed]]


class Passes(Generic[Crop, Changed]):
    """How crops go through a network: `size` at once, of one kind.

    `kind_of` says which may come together, such as crops of one side.
    """

    def __init__(self, run: Run[Crop, Changed], *, size: int, kind_of: Callable[[Crop], Hashable]) -> None:
        self._run = run
        self._size = size
        self._kind_of = kind_of

    def through(self, works: Iterable[Work[Crop, Changed, Done]]) -> Iterator[Done]:
        """Yield what each work returns, in order.

        At most `size` works are under way at once, which bounds memory and how long the first of them waits:
        whatever shows in every frame fills its passes all the same. With a size of 1 nothing waits.
        """
        under_way: deque[_Task[Crop, Changed, Done]] = deque()
        for work in works:
            under_way.append(_Task(work))
            while (kind := self._full(under_way)) is not None:
                self._pass(under_way, kind)
            while under_way and (under_way[0].is_done or len(under_way) >= self._size):
                yield self._first(under_way)
        while under_way:
            yield self._first(under_way)

    def _full(self, under_way: Iterable[_Task[Crop, Changed, Done]]) -> Hashable | None:
        """Return a kind of which crops for a whole pass wait."""
        kinds = [self._kind_of(order.crop) for task in under_way for order in task.waiting]
        return next((kind for kind in kinds if kinds.count(kind) >= self._size), None)

    def _first(self, under_way: deque[_Task[Crop, Changed, Done]]) -> Done:
        """Finish the first work, with passes that are not full if need be, and return its result."""
        while not under_way[0].is_done:
            self._pass(under_way, self._kind_of(under_way[0].waiting[0].crop))
        return under_way.popleft().result

    def _pass(self, under_way: Iterable[_Task[Crop, Changed, Done]], kind: Hashable) -> None:
        """Change the crops of one kind that wait longest, as many as fit."""
        tasks = list(under_way)
        of_kind = (order for task in tasks for order in task.waiting if self._kind_of(order.crop) == kind)
        orders = list(islice(of_kind, self._size))
        for order, changed in zip(orders, self._run([order.crop for order in orders]), strict=True):
            order.changed = changed
        for task in tasks:
            task.go_on()


class _Order(Generic[Crop, Changed]):
    """One crop, and what it is changed to."""

    def __init__(self, crop: Crop) -> None:
        self.crop = crop
        self.changed: Changed | None = None


class _Task(Generic[Crop, Changed, Done]):
    """A work, and the crops that it waits for."""

    def __init__(self, work: Work[Crop, Changed, Done]) -> None:
        self._work = work
        self._orders: list[_Order[Crop, Changed]] | None = None
        self.is_done = False
        self.go_on()

    @property
    def waiting(self) -> list[_Order[Crop, Changed]]:
        return [order for order in self._orders or () if order.changed is None]

    def go_on(self) -> None:
        """Take the work to its next crops, or to its end, where it waits for none any more."""
        while not self.is_done and not self.waiting:
            try:
                asked = next(self._work) if self._orders is None else self._work.send(self._changed())
            except StopIteration as end:
                self.result: Done = end.value
                self.is_done = True
            else:
                self._orders = [_Order(crop) for crop in asked]

    def _changed(self) -> list[Changed]:
        return [order.changed for order in self._orders or () if order.changed is not None]
