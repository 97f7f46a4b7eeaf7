"""Children that die are restarted, with growing pauses; children that must stop do."""

from __future__ import annotations

import dataclasses

import pytest

from broker.clock import SystemClock
from farm.errors import BadInput, FarmUnreachable
from farm.launching.lifeline import Lifeline
from farm.launching.supervisor import Supervisor
from tests.farm.launcher.processes import is_alive, numbers_in, python_program, wait_until

DIES = "import os; print(os.getpid(), flush=True); os._exit(7)"
STAYS = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STAYS


@pytest.fixture
def lifeline():
    lifeline = Lifeline()
    yield lifeline
    lifeline.close()


def tend_until_said(supervisor, said, count):
    def is_said():
        supervisor.tend()
        return len(said) >= count

    wait_until(is_said)


def test_a_child_that_dies_is_restarted_after_growing_pauses(tmp_path, clock, lifeline):
    said = []
    supervisor = Supervisor(clock, lifeline, said.append)
    supervisor.start(python_program(tmp_path, DIES, "dies"))
    for count, pause_s in ((1, 0.5), (2, 1), (3, 2)):
        tend_until_said(supervisor, said, count)
        assert said[-1].endswith(f"restarting it in {pause_s:g} s")
        assert "status 7" in said[-1]
        clock.sleep(pause_s - 0.1)
        supervisor.tend()
        assert supervisor.pid("dies") is None
        clock.sleep(0.2)
        supervisor.tend()
        assert supervisor.pid("dies") is not None
    supervisor.stop(["dies"])


def test_a_child_that_was_well_for_long_is_restarted_soon(tmp_path, clock, lifeline):
    said = []
    supervisor = Supervisor(clock, lifeline, said.append)
    supervisor.start(python_program(tmp_path, DIES, "dies"))
    for count in (1, 2):
        clock.sleep(100)
        tend_until_said(supervisor, said, count)
        assert said[-1].endswith("restarting it in 0.5 s")
        clock.sleep(1)
        supervisor.tend()
    supervisor.stop(["dies"])


def test_a_farm_that_somebody_waits_for_is_given_up_with_its_last_words(tmp_path, clock, lifeline):
    supervisor = Supervisor(clock, lifeline, lambda _: clock.sleep(60), most_deaths=3)
    supervisor.start(python_program(tmp_path, "print('no such thing'); raise SystemExit(1)", "dies"))
    with pytest.raises(FarmUnreachable, match=r"died 3 times in a row.*no such thing"):
        tend_until_said(supervisor, [], 1)


def test_a_child_that_refuses_its_options_is_not_restarted(tmp_path, clock, lifeline):
    said = []
    code = "print('error: no GPU 7 here\\nhint: take another'); raise SystemExit(2)"
    supervisor = Supervisor(clock, lifeline, said.append)
    supervisor.start(dataclasses.replace(python_program(tmp_path, code, "worker-1"), refusal=2))
    with pytest.raises(BadInput, match=r"^no GPU 7 here$") as caught:
        tend_until_said(supervisor, said, 1)
    assert (caught.value.hint, said) == ("take another", [])


def test_a_child_that_only_ends_with_the_same_status_is_restarted(tmp_path, clock, lifeline):
    said = []
    supervisor = Supervisor(clock, lifeline, said.append)
    supervisor.start(dataclasses.replace(python_program(tmp_path, "raise SystemExit(2)"), refusal=2))
    supervisor.start(python_program(tmp_path, "print('error: x'); raise SystemExit(2)", "other"))
    tend_until_said(supervisor, said, 2)
    assert all("restarting it" in line for line in said)
    supervisor.stop(["child", "other"])


def test_children_stop_in_the_order_that_is_asked_for_even_those_that_will_not(tmp_path, lifeline):
    supervisor = Supervisor(SystemClock(), lifeline, print)
    supervisor.start(python_program(tmp_path, STUBBORN, "stubborn", grace_s=0.2))
    supervisor.start(python_program(tmp_path, STAYS, "polite"))
    (stubborn,) = numbers_in(tmp_path / "stubborn.log", 1)
    (polite,) = numbers_in(tmp_path / "polite.log", 1)
    supervisor.stop(["stubborn"])
    assert (is_alive(stubborn), is_alive(polite)) == (False, True)
    supervisor.stop(["polite", "stubborn", "never-there"])
    assert not is_alive(polite)
    assert supervisor.names() == []
