"""GitLab holds a deployment back, on running processes: who began it is refused, owners let it on or stop it, and GitLab hears
that once, whoever is away or killed meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from tests.support import gitlab
from tests.support.gate_case import asked, taken_again
from tests.support.gitlab import GitLab, Job
from tests.support.http_stand_in import Fails
from tests.support.installation import AT_GITLAB, Case, Installation
from tests.support.two_chats import everywhere
from tests.support.waiting import eventually
from workflows.core import keys
from workflows.core.refusal import Code

pytestmark = pytest.mark.teams
LET_ON = ["gate.asked", "gate.agreed", "gate.approved", "gate.redeemed", "gate.let_on"]


@pytest.fixture
def case(both: Installation) -> Case:
    return Case(both, AT_GITLAB)


@pytest.fixture
def there(both: Installation) -> GitLab:
    return gitlab_of(both)


def gitlab_of(at: Installation) -> GitLab:
    found = getattr(at, "gitlab", None)
    assert isinstance(found, GitLab)
    return found


@pytest.fixture(scope="module")
def waiting(both: Installation) -> Mapping[str, Job]:
    """A deployment for each test, by what it is for: a worker looks once in fifteen seconds, and finds all of them."""
    there = gitlab_of(both)
    jobs = [
        there.waits(user=gitlab.OLU, title="Faster checkout at GitLab"),
        there.waits(title="Not this one"),
        there.waits(title="Killed in between"),
    ]
    return {job.title: job for job in jobs}


def told(there: GitLab, job: Job) -> list[tuple[str, str]]:
    return [(status, comment) for number, status, comment in there.reviews if number == job.id]


def sent(there: GitLab, job: Job) -> int:
    """How often GitLab was told anything of it, whether or not it took that."""
    return there.asked.count(f"POST /api/v4/projects/{gitlab.PROJECT}/deployments/{job.id}/approval")


def happened(case: Case, id_: str) -> list[str]:
    """At the gate, without the presses that were refused."""
    return [event for event in case.at.events(id_) if event.startswith("gate.")]


def looks_again(there: GitLab) -> None:
    """A worker asks once more what waits."""
    listed = f"GET /api/v4/projects/{gitlab.PROJECT}/deployments"
    before = there.asked.count(listed)
    eventually(lambda: there.asked.count(listed) > before, "GitLab is asked what waits")


def test_who_began_it_is_refused_and_two_owners_let_it_on_although_gitlab_is_away_and_throttles(
    case: Case, there: GitLab, waiting: Mapping[str, Job]
) -> None:
    at, shop = case.at, case.in_teams
    job = waiting["Faster checkout at GitLab"]
    id_ = asked(case, job.title)
    card = case.card(id_, "wants to deploy", "Needs approval")
    assert case.press("olu", card, "approve").ok
    case.whispered("olu", "You began this run yourself")
    at.teams.refused("olu", shop.card(id_, "Needs approval"), "Approve", "You began this run yourself")
    assert case.press("pat", card, "approve").ok
    case.card(id_, "Needs approval", "1 of 2")
    assert told(there, job) == [], "nobody tells who pushed, so one more must agree"
    # It throttles, then it is away; what it did the next time is lost on its way to us.
    there.fails = [
        Fails("POST .*/approval", 429, {"Retry-After": "1"}),
        Fails("POST .*/approval", 504, done=True),
    ]
    assert at.teams.press("dana", shop.card(id_, "Needs approval"), "Approve").said
    eventually(lambda: sent(there, job) == 1, "GitLab asks to be left alone")
    there.is_away = True
    asked_so_far = len(there.asked)
    eventually(lambda: len(there.asked) > asked_so_far, "it is tried in vain")
    there.is_away = False
    everywhere(case, id_, "Let on", "approved by")
    assert told(there, job) == [("approved", f"Approved ({id_}).")]
    assert sent(there, job) == 2, "the answer that was lost is not given again"
    looks_again(there)
    assert (happened(case, id_), len(told(there, job))) == (LET_ON, 1), "GitLab still calls it blocked"
    assert taken_again(case, id_).code is Code.GATE_USED


def test_one_owner_stops_a_deployment_in_teams_and_it_is_told_with_the_reason(
    case: Case, there: GitLab, waiting: Mapping[str, Job]
) -> None:
    job = waiting["Not this one"]
    id_ = asked(case, job.title)
    assert case.at.teams.press("pat", case.in_teams.card(id_), "Deny", {"reason": "not today"}).said
    eventually(lambda: told(there, job), "GitLab was told")
    everywhere(case, id_, "Denied by Pat: not today")
    assert told(there, job) == [("rejected", f"Denied by Pat ({id_}): not today")]
    assert (job.status, sent(there, job)) == ("failed", 1)
    assert taken_again(case, id_).code is Code.GATE_OVER


def test_a_worker_that_is_killed_while_it_tells_gitlab_tells_it_once(
    case: Case, there: GitLab, waiting: Mapping[str, Job]
) -> None:
    at, job = case.at, waiting["Killed in between"]
    id_ = asked(case, job.title)
    card = case.card(id_, "Needs approval")
    held = threading.Event()
    there.fails = [Fails("POST .*/approval", 201, done=True, after=held)]
    try:
        for who in ("olu", "pat"):
            assert case.press(who, card, "approve").ok
        eventually(lambda: told(there, job), "GitLab has it, and its answer is on the way")
        at.kill("worker")
    finally:
        held.set()
    at.launch("worker")
    at.wait_ready()
    everywhere(case, id_, "Let on", "approved by")
    assert (told(there, job), sent(there, job)) == ([("approved", f"Approved ({id_}).")], 1)
    assert happened(case, id_) == LET_ON
    assert id_ not in at.ledger().members(keys.of_environment(keys.PENDING, case.name))
