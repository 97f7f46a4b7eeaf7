"""What every lease table must do: one holder, one result, and nobody commits who has lost the right to."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker.config import BrokerConfig
from broker.connect import Broker
from broker.errors import LeaseLost
from broker.leases import Holder, Lease, LeaseTable
from broker.messages import SourceChecked
from tests.samples import FAILED, RENDERED

JOB = "job"
TERM_S = BrokerConfig().lease_ttl_s


@pytest.fixture
def leases(broker: Broker) -> LeaseTable:
    return broker.leases


@pytest.fixture
def lease(leases) -> Lease:
    """Attempt 1 at chunk 0, claimed by w1."""
    leases.offer(JOB, 0, 1)
    return leases.claim(JOB, 0, 1, "w1")


def assert_lost(leases: LeaseTable, lease: Lease) -> None:
    """Neither renewal nor commit is possible; release is harmless."""
    held = leases.holders(JOB)
    before = leases.results(JOB)
    with pytest.raises(LeaseLost, match="attempt 1 at chunk 0 of job job"):
        leases.renew(lease, num_frames=1, stage="fuse")
    with pytest.raises(LeaseLost):
        leases.commit(lease, dataclasses.replace(RENDERED, worker="impostor"))
    leases.release(lease)
    assert (leases.holders(JOB), leases.results(JOB)) == (held, before)


def test_only_the_offered_attempt_can_be_claimed(leases):
    """An unknown chunk, an older attempt and one that is yet to come are all refused."""
    with pytest.raises(LeaseLost):
        leases.claim(JOB, 0, 1, "w1")
    leases.offer(JOB, 0, 2)
    for attempt in (1, 3):
        with pytest.raises(LeaseLost):
            leases.claim(JOB, 0, attempt, "w1")
    lease = leases.claim(JOB, 0, 2, "w1")
    assert (lease.job_id, lease.index, lease.attempt) == (JOB, 0, 2)


def test_one_of_twenty_claims_wins(leases):
    """However a message was multiplied, one worker gets the chunk."""
    leases.offer(JOB, 0, 1)

    def claim(worker: int) -> str | None:
        try:
            leases.claim(JOB, 0, 1, f"w{worker}")
        except LeaseLost:
            return None
        return f"w{worker}"

    with ThreadPoolExecutor(20) as pool:
        winners = [worker for worker in pool.map(claim, range(20)) if worker]
    assert len(winners) == 1
    assert leases.holders(JOB)[0].worker == winners[0]


def test_renewal_shows_progress(leases, lease):
    """What the holder says of its progress is what others see."""
    assert leases.holders(JOB) == {0: Holder(attempt=1, worker="w1", num_frames=0, stage="claimed")}
    leases.renew(lease, num_frames=48, stage="fuse")
    assert leases.holders(JOB) == {0: Holder(attempt=1, worker="w1", num_frames=48, stage="fuse")}


@pytest.mark.parametrize("result", [RENDERED, FAILED])
def test_a_commit_ends_the_lease_and_keeps_the_result(leases, lease, result):
    """The result comes back as it was; the attempt cannot be claimed, renewed or committed again."""
    leases.commit(lease, result)
    assert leases.results(JOB) == {0: result}
    assert leases.holders(JOB) == {}
    with pytest.raises(LeaseLost):
        leases.claim(JOB, 0, 1, "w2")
    assert_lost(leases, lease)


def test_a_commit_sent_twice_is_one_commit(leases, lease):
    """A client that lost the answer sends the same words again, and need not throw its work away."""
    leases.commit(lease, RENDERED)
    leases.commit(lease, RENDERED)
    assert leases.results(JOB) == {0: RENDERED}


def test_one_of_twenty_commits_wins(leases, lease):
    """Of different results for one lease, the first stays."""

    def commit(num_fused: int) -> int | None:
        try:
            leases.commit(lease, dataclasses.replace(RENDERED, num_fused=num_fused))
        except LeaseLost:
            return None
        return num_fused

    with ThreadPoolExecutor(20) as pool:
        winners = [num_fused for num_fused in pool.map(commit, range(20)) if num_fused is not None]
    assert leases.results(JOB) == {0: dataclasses.replace(RENDERED, num_fused=winners[0])}
    assert len(winners) == 1


def test_a_lapsed_lease_is_lost(rig):
    """A holder that fell silent can do nothing more, although nobody else has come yet."""
    rig.broker.leases.offer(JOB, 0, 1)
    lease = rig.broker.leases.claim(JOB, 0, 1, "w1")
    rig.elapse(TERM_S)
    assert rig.broker.leases.holders(JOB) == {}
    assert rig.broker.leases.offered(JOB) == {0: 1}
    assert_lost(rig.broker.leases, lease)


def test_renewal_starts_the_term_anew(rig):
    """A lease lives a whole term from its last renewal, and no longer."""
    leases = rig.broker.leases
    leases.offer(JOB, 0, 1)
    lease = leases.claim(JOB, 0, 1, "w1")
    for num_frames in range(3):
        rig.elapse(TERM_S * 0.75)
        leases.renew(lease, num_frames=num_frames, stage="fuse")
    rig.elapse(TERM_S)
    assert_lost(leases, lease)


def test_a_second_claim_fences_the_first_off(rig):
    """After a lapse the same attempt can be claimed anew; the old token is refused, the new one commits."""
    leases = rig.broker.leases
    leases.offer(JOB, 0, 1)
    old = leases.claim(JOB, 0, 1, "w1")
    rig.elapse(TERM_S)
    new = leases.claim(JOB, 0, 1, "w2")
    assert old.token != new.token
    assert_lost(leases, old)
    leases.commit(new, dataclasses.replace(RENDERED, worker="w2"))
    assert leases.results(JOB)[0].worker == "w2"


def test_a_new_offer_fences_the_old_attempt_off(leases, lease):
    """The holder of an older attempt has lost it, whether or not the new one is claimed yet."""
    leases.offer(JOB, 0, 2)
    assert leases.offered(JOB) == {0: 2}
    assert_lost(leases, lease)
    leases.claim(JOB, 0, 2, "w2")
    assert_lost(leases, lease)


def test_a_new_offer_drops_the_old_result(leases, lease):
    """What attempt 1 came to says nothing of attempt 2."""
    leases.commit(lease, FAILED)
    leases.offer(JOB, 0, 2)
    assert leases.results(JOB) == {}
    leases.commit(leases.claim(JOB, 0, 2, "w1"), dataclasses.replace(RENDERED, attempt=2))
    assert leases.results(JOB)[0].attempt == 2


def test_the_same_offer_twice_disturbs_nobody(leases, lease):
    """Offering again what is offered already takes neither the lease nor, later, the result away."""
    leases.offer(JOB, 0, 1)
    leases.renew(lease, num_frames=1, stage="fuse")
    leases.commit(lease, RENDERED)
    leases.offer(JOB, 0, 1)
    assert leases.results(JOB) == {0: RENDERED}


def test_a_withdrawn_chunk_is_lost(leases, lease):
    """Its holder notices at the next renewal, and nobody can claim it."""
    leases.withdraw(JOB, 0)
    assert_lost(leases, lease)
    with pytest.raises(LeaseLost):
        leases.claim(JOB, 0, 1, "w2")
    leases.offer(JOB, 0, 1)
    assert_lost(leases, lease)


def test_a_withdrawn_job_loses_every_chunk_and_no_other_job_does(leases, lease):
    """All offers and leases of the job go; results stay until they are forgotten."""
    leases.offer(JOB, 1, 1)
    leases.commit(leases.claim(JOB, 1, 1, "w2"), dataclasses.replace(RENDERED, index=1))
    leases.offer("job:0", 0, 1)
    other = leases.claim("job:0", 0, 1, "w3")
    leases.withdraw_job(JOB)
    assert leases.offered(JOB) == {}
    assert list(leases.results(JOB)) == [1]
    assert_lost(leases, lease)
    leases.renew(other, num_frames=1, stage="fuse")
    leases.withdraw_job("nobody")


def test_a_released_chunk_can_be_claimed_at_once(leases, lease):
    """A worker that leaves hands its chunk back; it need not lapse first."""
    leases.release(lease)
    assert leases.holders(JOB) == {}
    assert_lost(leases, lease)
    assert leases.claim(JOB, 0, 1, "w2").token != lease.token


def test_a_lost_lease_cannot_release_its_successor(rig):
    """Releasing what somebody else holds by now does nothing."""
    rig.broker.leases.offer(JOB, 0, 1)
    old = rig.broker.leases.claim(JOB, 0, 1, "w1")
    rig.elapse(TERM_S)
    new = rig.broker.leases.claim(JOB, 0, 1, "w2")
    rig.broker.leases.release(old)
    rig.broker.leases.renew(new, num_frames=1, stage="fuse")


def test_forget_leaves_nothing_of_a_chunk(leases, lease):
    """Result, offer and lease go; the next chunk's stay."""
    leases.offer(JOB, 1, 1)
    leases.commit(lease, RENDERED)
    leases.forget(JOB, 0)
    assert (leases.results(JOB), leases.offered(JOB), leases.holders(JOB)) == ({}, {1: 1}, {})
    assert_lost(leases, lease)


def test_forget_job_leaves_nothing_of_a_job(leases, lease):
    """Not even what was found in its source."""
    leases.put_source_checked(SourceChecked(job_id=JOB))
    leases.offer(JOB, 1, 1)
    leases.commit(lease, RENDERED)
    leases.forget_job(JOB)
    assert (leases.results(JOB), leases.offered(JOB), leases.source_checked(JOB)) == ({}, {}, None)


def test_what_was_found_in_a_source_is_kept(leases, lease):
    """It comes back as it was, is replaced by a later look, and is no chunk's result."""
    assert leases.source_checked(JOB) is None
    leases.put_source_checked(SourceChecked(job_id=JOB, code="no-face", message="nobody there"))
    found = SourceChecked(job_id=JOB, radius=2, boxes=((1, 2, 3, 4), (5, 6, 7, 8)), chosen=1)
    leases.put_source_checked(found)
    leases.commit(lease, RENDERED)
    assert leases.source_checked(JOB) == found
    assert leases.results(JOB) == {0: RENDERED}


def test_the_lease_of_a_dead_worker_is_found_by_its_name(leases: LeaseTable):
    """Whoever speaks for it can commit in its place; another worker's lease is not its own."""
    leases.offer(JOB, 0, 1)
    lease = leases.claim(JOB, 0, 1, "w1")
    assert leases.held_by(JOB, 0, "w1") == lease
    assert leases.held_by(JOB, 0, "w2") is None
    assert leases.held_by(JOB, 1, "w1") is None
    leases.release(lease)
    assert leases.held_by(JOB, 0, "w1") is None


def test_whom_a_job_bars_is_said_and_taken_back(leases):
    """The last word counts, for that job alone; forgetting the job forgets it."""
    leases.bar(JOB, {"w1", "w2"})
    leases.bar(JOB, {"w2", "w 3"})
    assert leases.barred(JOB) == {"w2", "w 3"}
    assert leases.barred("other") == frozenset()
    leases.bar(JOB, ())
    assert leases.barred(JOB) == frozenset()
    leases.bar(JOB, {"w1"})
    leases.forget_job(JOB)
    assert leases.barred(JOB) == frozenset()


def test_how_long_a_holder_came_no_further(rig):
    """A new frame or another stage is progress; a renewal alone is none."""
    leases = rig.broker.leases
    leases.offer(JOB, 0, 1)
    lease = leases.claim(JOB, 0, 1, "w1")
    stills = []
    for num_frames, stage in ((0, "a"), (0, "a"), (7, "a"), (7, "a"), (7, "b")):
        rig.elapse(TERM_S / 2)
        leases.renew(lease, num_frames=num_frames, stage=stage)
        stills.append(round(leases.holders(JOB)[0].still_s))
    assert stills == [0, TERM_S / 2, 0, TERM_S / 2, 0]
