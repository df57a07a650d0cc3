"""A change that loosens production waits for the people whom the policy in force names, and for nobody else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.runtime.policy_written import kept_policy, written
from tests.support.build import DANA, NIA, OLU, PAT, SUE
from tests.support.people import acts, gets_address, joins_teams
from tests.support.world import World, account
from tests.unit.policy_file.policy_folder import FILES, WORKSPACE
from workflows.core import keys
from workflows.core.audit import AuditEntry, Event
from workflows.core.identity import PersonId
from workflows.core.people import Membership
from workflows.core.policy import Policy
from workflows.core.records.policy_in_force import ActivePolicy, PolicyFiles, WaitingPolicy, WaitingState
from workflows.core.refusal import Code, Refused
from workflows.policy_file import difference, summary
from workflows.policy_file.cron import next_slot
from workflows.policy_file.folder import Snapshot, hash_of
from workflows.policy_file.load import understand
from workflows.ports import Change
from workflows.usecases.oversight.policy_activation import activate
from workflows.usecases.oversight.policy_vote import agree, refuse
from workflows.usecases.oversight.policy_waiting import named
from workflows.usecases.shared.context import Outcome

Files = Mapping[str, str]


def with_(files: Files, *changes: tuple[str, str]) -> Files:
    text = files[WORKSPACE]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return {**files, WORKSPACE: text}


def waits_for(asks: str) -> tuple[str, str]:
    return "panic_group: security", f"panic_group: security\npolicy_changes: {{approve: {asks}}}"


LESS = ("any: {approve: {owners: 1, security: 1}", "any: {approve: {owners: 1}")
# Of whom each has an account here.
BASE = with_(FILES, ("[sid@example.com, sue@example.com]", "[pat@example.com, sue@example.com]"))
GATED = with_(BASE, waits_for("{security: 1}"))
LOOSER = with_(GATED, LESS)
LOOSER_STILL = with_(LOOSER, ("max_duration: 2h}", "max_duration: 3h}"))
NARROWER = with_(GATED, ("max_duration: 2h}", "max_duration: 1h}"))


def policy_of(files: Files) -> Policy:
    reading = understand(Snapshot(hash_of(files), files))
    assert reading.policy is not None, reading.problems
    return reading.policy


def sees(world: World, files: Files) -> str:
    """The clock sees this folder, for the first time now."""
    world.clock.advance(10)
    done = activate(
        world.ctx,
        policy_of(files),
        summary=summary,
        difference=difference,
        next_slot=next_slot,
        seen_at=world.clock.now(),
        written=written(files),
    )
    assert isinstance(done, Outcome)
    return done.outcome


def begun(files: Files = GATED) -> World:
    world = World()
    assert sees(world, files) == "activated"
    decides_by(world, files)
    return world


def decides_by(world: World, files: Files) -> None:
    world.policy.policy = policy_of(files)


def active(world: World) -> str:
    found = world.ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    assert found is not None
    return found.hash


def waiting(world: World) -> WaitingPolicy:
    found = world.ledger.read(keys.POLICY_WAITING).get(keys.POLICY_WAITING, WaitingPolicy)
    assert found is not None
    return found


def says(world: World, who: PersonId, change: str | None = None, *, yes: bool = True) -> str:
    world.knows(who)
    name, press = change or named(waiting(world)), world.press_id()
    by = account(who)
    answer = agree(world.ctx, name, by, press, kept_policy) if yes else refuse(world.ctx, name, by, press)
    return answer.code.value if isinstance(answer, Refused) else answer.outcome


def put(world: World, item: str, record: PolicyFiles) -> None:
    snapshot = world.ledger.read(item)
    world.ledger.commit(Change(world.press_id(), snapshot.now, snapshot.versions(), puts={item: record}))


def told(world: World, kind: Event) -> list[AuditEntry]:
    return [entry for entry in world.all_entries() if entry.event is kind]


def test_a_looser_folder_waits_and_the_policy_in_force_stays() -> None:
    world = begun()
    assert sees(world, LOOSER) == "waiting"
    assert sees(world, LOOSER) == "waiting"
    assert active(world) == hash_of(GATED)
    assert waiting(world).asks == {"security": 1}
    (entry,) = told(world, Event.POLICY_WAITS)
    assert entry.private["looser"] == "shop-prod state-write: approve 1 of owners, 1 of security -> 1 of owners"
    assert entry.facts["asks"] == "1 of security"


def test_enough_people_put_it_in_force_in_one_commit() -> None:
    world = begun()
    sees(world, LOOSER)
    before = world.ledger.head()
    assert says(world, SUE) == "activated"
    assert active(world) == hash_of(LOOSER)
    assert [entry.event for entry in world.all_entries()][before:][-2:] == [Event.POLICY_AGREED, Event.POLICY_ACTIVATED]
    assert told(world, Event.POLICY_ACTIVATED)[-1].private["looser"].startswith("shop-prod state-write: approve")
    assert waiting(world).state is WaitingState.OVER
    kept = world.ledger.read(keys.POLICY_FILES).get(keys.POLICY_FILES, PolicyFiles)
    assert kept == PolicyFiles(hash_of(LOOSER), LOOSER)
    assert sees(world, LOOSER) == "in_force"
    assert told(world, Event.POLICY_REPLACED) == []


@pytest.mark.parametrize("who", [OLU, DANA, NIA])
def test_nobody_else_can_say_anything(who: PersonId) -> None:
    world = begun()
    sees(world, LOOSER)
    assert says(world, who) == says(world, who, yes=False) == Code.NOT_SECURITY.value
    assert active(world) == hash_of(GATED)


def test_one_person_counts_once() -> None:
    files = with_(BASE, waits_for("{security: 2}"))
    world = begun(files)
    sees(world, with_(files, LESS))
    assert says(world, SUE) == "agreed"
    assert says(world, SUE) == Code.POLICY_CHANGE_SAID.value
    assert active(world) == hash_of(files)
    assert says(world, PAT) == "activated"


def test_whoever_is_in_two_groups_takes_one_place() -> None:
    files = with_(BASE, waits_for("{security: 1, platform: 1}"))
    world = begun(files)
    sees(world, with_(files, LESS))
    # Pat is in both.
    assert says(world, PAT) == "agreed"
    assert told(world, Event.POLICY_AGREED)[-1].facts["missing"] in ("1 of security", "1 of platform")
    assert says(world, SUE) == "activated"


def test_a_vote_of_an_account_that_is_on_hold_by_now_counts_for_nothing() -> None:
    files = with_(BASE, waits_for("{security: 2}"))
    world = begun(files)
    sees(world, with_(files, LESS))
    assert says(world, SUE) == "agreed"
    gets_address(world, SUE, "nia@example.com")
    acts(world, account(SUE))
    assert says(world, PAT) == "agreed"
    assert active(world) == hash_of(files)


def test_an_account_on_hold_agrees_to_nothing() -> None:
    world = begun()
    sees(world, LOOSER)
    world.knows(SUE)
    gets_address(world, SUE, "nia@example.com")
    acts(world, account(SUE))
    answer = agree(world.ctx, named(waiting(world)), account(SUE), "press", kept_policy)
    assert isinstance(answer, Refused)
    assert answer.code is Code.PERSON_SUSPENDED


def test_whoever_left_the_group_since_counts_no_more() -> None:
    files = with_(BASE, waits_for("{oncall: 2}"))
    world = begun(files)
    world.directory.put_members("slack:S0ONCALL", Membership(frozenset({SUE, PAT}), world.clock.now()))
    sees(world, with_(files, LESS))
    assert says(world, SUE) == "agreed"
    world.directory.put_members("slack:S0ONCALL", Membership(frozenset({NIA, PAT}), world.clock.now()))
    assert says(world, PAT) == "agreed"
    assert active(world) == hash_of(files)


def test_a_no_keeps_the_policy_in_force_until_the_folder_changes_again() -> None:
    world = begun()
    sees(world, LOOSER)
    assert says(world, SUE, yes=False) == "denied"
    assert sees(world, LOOSER) == "denied"
    assert says(world, PAT) == Code.POLICY_CHANGE_OVER.value
    assert active(world) == hash_of(GATED)
    assert sees(world, LOOSER_STILL) == "waiting"
    assert sees(world, LOOSER) == "waiting"
    assert says(world, PAT) == "activated"


def test_the_folder_that_goes_back_ends_the_wait() -> None:
    world = begun()
    sees(world, LOOSER)
    change = named(waiting(world))
    assert sees(world, GATED) == "in_force"
    assert says(world, SUE, change) == Code.POLICY_CHANGE_OVER.value
    assert told(world, Event.POLICY_REPLACED)[-1].facts["by"] == hash_of(GATED)
    assert sees(world, LOOSER) == "waiting"


def test_another_folder_takes_the_place_of_the_one_that_waits() -> None:
    world = begun()
    sees(world, LOOSER)
    change = named(waiting(world))
    assert sees(world, LOOSER_STILL) == "waiting"
    assert says(world, SUE, change) == Code.POLICY_CHANGE_OVER.value
    assert told(world, Event.POLICY_REPLACED)[-1].facts == {"policy": hash_of(LOOSER), "by": hash_of(LOOSER_STILL)}
    assert says(world, SUE) == "activated"
    assert active(world) == hash_of(LOOSER_STILL)


def test_a_clock_that_saw_its_folder_before_brings_nothing_back() -> None:
    world = begun()
    old = world.clock.now()
    sees(world, LOOSER)
    for files in (GATED, LOOSER_STILL):
        done = activate(
            world.ctx,
            policy_of(files),
            summary=summary,
            difference=difference,
            next_slot=next_slot,
            seen_at=old,
            written=written(files),
        )
        assert isinstance(done, Outcome)
        assert done.outcome in ("in_force", "older")
    assert waiting(world).hash == hash_of(LOOSER)
    assert waiting(world).state is WaitingState.WAITING


def test_what_is_narrower_waits_for_nobody_and_ends_the_wait() -> None:
    world = begun()
    sees(world, LOOSER)
    assert sees(world, NARROWER) == "activated"
    assert waiting(world).state is WaitingState.OVER
    assert told(world, Event.POLICY_REPLACED)[-1].facts["by"] == hash_of(NARROWER)


def test_without_the_key_nothing_waits_and_the_key_itself_comes_at_once() -> None:
    world = begun(BASE)
    assert sees(world, with_(BASE, LESS)) == "activated"
    assert sees(world, with_(BASE, LESS, waits_for("{security: 1}"))) == "activated"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("{security: 2}", "{security: 1}", "everywhere: policy_changes 2 of security -> 1 of security"),
        ("{security: 1}", "{platform: 1}", "everywhere: policy_changes 1 of security -> 1 of platform"),
        ("{security: 1}", "", "everywhere: policy_changes 1 of security -> nobody"),
    ],
)
def test_the_setting_is_loosened_only_under_its_old_value(before: str, after: str, line: str) -> None:
    world = begun(with_(BASE, waits_for(before)))
    changed = with_(BASE, waits_for(after)) if after else BASE
    assert sees(world, changed) == "waiting"
    assert told(world, Event.POLICY_WAITS)[-1].private["looser"] == line


def test_taking_production_away_is_no_way_around_it() -> None:
    world = begun()
    bare = {
        **BASE,
        "environments/shop-prod.yaml": FILES["environments/shop-prod.yaml"].replace(
            "tier: production", "tier: staging"
        ),
    }
    assert sees(world, bare) == "waiting"
    assert "policy_changes 1 of security -> nobody" in told(world, Event.POLICY_WAITS)[-1].private["looser"]


def test_somebody_more_in_the_group_that_is_asked_is_looser() -> None:
    world = begun()
    more = with_(GATED, ("security: {members: [pat@", "security: {members: [eve@example.com, pat@"))
    assert sees(world, more) == "waiting"
    assert "everywhere: policy_changes +eve@example.com" in told(world, Event.POLICY_WAITS)[-1].private["looser"]


def test_a_policy_whose_files_are_gone_is_loosened_by_nobody() -> None:
    world = begun()
    put(world, keys.POLICY_FILES, PolicyFiles(hash_of(GATED)))
    assert sees(world, LOOSER) == "not_known"
    assert active(world) == hash_of(GATED)


def test_files_that_are_not_what_they_were_come_into_force_by_nobody() -> None:
    world = begun()
    sees(world, LOOSER)
    put(world, keys.POLICY_WAITING_FILES, PolicyFiles(hash_of(LOOSER), LOOSER_STILL))
    assert says(world, SUE) == Code.POLICY_NOT_IN_FORCE.value
    assert active(world) == hash_of(GATED)


def test_the_operator_goes_through_the_same_gate() -> None:
    world = begun()
    done = activate(
        world.ctx,
        policy_of(LOOSER),
        summary=summary,
        difference=difference,
        next_slot=next_slot,
        written=written(LOOSER),
    )
    assert isinstance(done, Outcome)
    assert done.outcome == "waiting"


def test_a_process_that_decides_by_another_policy_takes_no_press() -> None:
    world = begun()
    sees(world, LOOSER)
    decides_by(world, LOOSER)
    assert says(world, SUE) == Code.POLICY_NOT_IN_FORCE.value


def test_where_nobody_knows_who_is_in_the_group_a_worker_looks_first() -> None:
    files = with_(BASE, waits_for("{oncall: 1}"))
    world = begun(files)
    sees(world, with_(files, LESS))
    assert says(world, SUE) == Code.FACTS_STALE.value
    world.directory.put_members("slack:S0ONCALL", Membership(problem="Slack is silent", failed_at=world.clock.now()))
    assert says(world, SUE) == Code.NOT_KNOWN_YET.value
    assert active(world) == hash_of(files)


def test_a_vote_by_an_account_on_hold_does_not_count_by_another_one_of_theirs() -> None:
    files = with_(BASE, waits_for("{security: 2}"))
    world = begun(files)
    world.knows(SUE)
    joins_teams(world, SUE)
    sees(world, with_(files, LESS))
    assert says(world, SUE) == "agreed"
    gets_address(world, SUE, "nia@example.com")
    acts(world, account(SUE))
    assert says(world, PAT) == "agreed"
    assert active(world) == hash_of(files)
