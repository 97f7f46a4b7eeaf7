"""Keeps a set of children running, and stops them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from broker.clock import Clock
from farm.errors import BadInput, FarmUnreachable
from farm.launching.child import Child, Program
from farm.launching.lifeline import Lifeline

#: Pause before the first restart of a child that died, in seconds; doubled each time.
FIRST_PAUSE_S = 0.5

#: Longest pause between restarts. Long enough not to fill a log, short enough to notice a repair.
LONGEST_PAUSE_S = 30.0

#: A child that lived this long was well: its next death counts as the first.
WELL_AFTER_S = 60.0

#: How often children are looked at while they stop. A stop of a second should not seem longer.
LOOK_S = 0.02


@dataclass(slots=True)
class _Place:
    program: Program
    child: Child | None
    started_s: float
    deaths: int = 0
    restart_s: float = 0.0


class Supervisor:
    """Children by name. Not a thread: its owner calls `tend` every now and then, from one thread."""

    def __init__(
        self, clock: Clock, lifeline: Lifeline, say: Callable[[str], None], *, most_deaths: int | None = None
    ) -> None:
        """Make one without children.

        Args:
            clock: tells when to restart.
            lifeline: told which process groups there are.
            say: told, in a line, of each death and restart.
            most_deaths: give up when a child dies this often in a row; None: never.
        """
        self._clock = clock
        self._lifeline = lifeline
        self._say = say
        self._most_deaths = most_deaths
        self._places: dict[str, _Place] = {}

    def start(self, program: Program) -> None:
        """Start a child, and keep it running from now on."""
        self._places[program.name] = _Place(program, self._child(program), self._clock.now_s())

    def pid(self, name: str) -> int | None:
        """Return the process id of a child; None while it waits to be restarted."""
        child = self._places[name].child
        return None if child is None else child.pid

    def tend(self) -> None:
        """Bury children that died, and restart them when their pause is over.

        Raises:
            BadInput: one says that its options cannot be used; no restart would change that.
            FarmUnreachable: one has died too often.
        """
        for place in self._places.values():
            if place.child is None:
                if self._clock.now_s() >= place.restart_s:
                    place.child, place.started_s = self._child(place.program), self._clock.now_s()
            elif place.child.has_ended():
                self._bury(place, place.child)

    def stop(self, names: Iterable[str]) -> None:
        """Stop these children together: ask, wait for the longest grace among them, then kill."""
        children = self._let_go(names)
        for child in children:
            child.ask_to_stop()
        end_s = self._clock.now_s() + max((child.program.grace_s for child in children), default=0.0)
        while self._clock.now_s() < end_s and not all(child.has_ended() for child in children):
            self._clock.sleep(LOOK_S)
        for child in children:
            self._finish(child)

    def kill(self, names: Iterable[str]) -> None:
        """End these children at once: what they hold is needed no more."""
        for child in self._let_go(names):
            self._finish(child)

    def names(self) -> list[str]:
        """Return the names of all children, in the order in which they were started."""
        return list(self._places)

    def _let_go(self, names: Iterable[str]) -> list[Child]:
        places = [self._places.pop(name) for name in names if name in self._places]
        return [place.child for place in places if place.child is not None]

    def _child(self, program: Program) -> Child:
        child = Child(program)
        self._lifeline.add_group(child.pid)
        return child

    def _finish(self, child: Child) -> int:
        status = child.finish()
        self._lifeline.drop_group(child.pid)
        return status

    def _bury(self, place: _Place, child: Child) -> None:
        now_s = self._clock.now_s()
        status = self._finish(child)
        _raise_refusal(child, status)
        place.deaths = 1 if now_s - place.started_s > WELL_AFTER_S else place.deaths + 1
        name = place.program.name
        if self._most_deaths is not None and place.deaths >= self._most_deaths:
            raise FarmUnreachable(
                f"{name} died {place.deaths} times in a row (status {status}): {child.log_tail()}"
            )
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (place.deaths - 1))
        place.child, place.restart_s = None, now_s + pause_s
        self._say(f"{name} died (status {status}): {child.log_tail()}; restarting it in {pause_s:g} s")


def _raise_refusal(child: Child, status: int) -> None:
    complaint = child.last_said("error") if status == child.program.refusal else ""
    if complaint:
        raise BadInput(complaint, hint=child.last_said("hint"), code="bad-usage")
