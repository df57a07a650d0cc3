"""A user in a target is bound to the person for whom it was found: whoever gets an address gets nothing with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.build import DANA, HOUR, MINUTE, NIA, OLU, SUE, auto, entitlement, environment, policy
from tests.support.people import acts, gets_address, new_account
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.identity import Account, Address, Adoption, TargetIds, TargetUser
from workflows.core.people import PersonId
from workflows.core.policy import BreakGlass
from workflows.core.records.grant import GrantState
from workflows.core.records.request import Origin, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.eligibility import Ask
from workflows.ports import Change, Committed
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose, Throttle
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.fulfilment.advance_request import advance_request
from workflows.usecases.identity.confirm_account import Saying, confirm_by_hand
from workflows.usecases.requests.break_glass import break_glass
from workflows.usecases.requests.request_access import ask_for_access
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.target_users import adopt_users, move_by_hand, users_called

ASK = Ask("payments-prod", "read-only", HOUR, "INC-42 errors")
DANAS, NIAS = "id-of-dana@example.com", "id-of-nia@example.com"
CENTER = AwsKind.IDENTITY_CENTER


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def iam() -> World:
    """The role is a group of IAM, whose users are proved by their tag."""
    target = AwsSpec(AwsKind.IAM_GROUP, group="readers", user="dana")
    return World(policy(environment(entitlement(target=target))))


def bound(world: World, user: str = DANAS) -> TargetUser | None:
    item = keys.target_user(f"identity-store:{user}")
    return world.ledger.read(item).get(item, TargetUser)


def users(world: World, who: PersonId = DANA) -> dict[str, str]:
    item = keys.target_ids(who)
    found = world.ledger.read(item).get(item, TargetIds)
    return dict(found.users) if found is not None else {}


def over(world: World, who: PersonId = DANA) -> None:
    """They had access once; it is over, and their user is bound."""
    id_ = world.active(who)
    assert isinstance(world.end(id_, who), Outcome)
    world.advance(120, 10)


def confirmed(world: World, who: Account, *, same: bool) -> None:
    saying = Saying(world.chat.people[who].account, same, "saw the badge")
    assert isinstance(confirm_by_hand(world.ctx, saying, "Ada", world.press_id()), Outcome)


def has_now(world: World, who: PersonId, address: str) -> None:
    """Their account has another address, and people have said that they are the same."""
    gets_address(world, who, address)
    acts(world, account(who))
    confirmed(world, account(who), same=True)


def asks(world: World, who: Account, ask: Ask = ASK) -> str:
    acts(world, who)
    answer = ask_for_access(world.ctx, ask, who, Origin(), world.press_id())
    assert isinstance(answer, Outcome), answer
    world.work()
    return answer.id


def why(world: World, id_: str) -> Code | None:
    """Why the bot closed it without giving anything."""
    request = world.request(id_)
    if request.closing is None or request.closing.code is None:
        return None
    assert request.state is RequestState.DENIED
    assert request.decision is None
    return Code(request.closing.code)


def newcomer(world: World, address: str = "dana@example.com") -> Account:
    """Somebody else has the address from now on, as people have said."""
    there = new_account(world, "UNEW", address, "Dana the Second")
    acts(world, there)
    confirmed(world, there, same=False)
    acts(world, there)
    return there


def given(world: World, user: str) -> bool:
    """Whether any access was ever given with this user."""
    target = world.target()
    return any(change.resource.ids["user"] == user for change in target._changes)


# ---------------------------------------------------------------- bound, in the commit that resolves


def test_an_ask_binds_the_holders_user_both_ways_in_the_commit_that_resolves_it(world: World):
    commits: list[Change] = []
    commit = world.ledger.commit
    world.ledger.commit = lambda change: (commits.append(change), commit(change))[1]  # type: ignore[method-assign]
    id_ = world.asked()
    (resolved,) = [one for one in commits if keys.target_user(f"identity-store:{DANAS}") in one.puts]
    assert {keys.request(id_), keys.target_ids(DANA)} <= resolved.puts.keys()
    found = bound(world)
    assert found is not None
    assert (found.person, found.name, found.by) == (DANA, "Dana", id_)
    assert list(users(world).values()) == [DANAS]


def test_on_behalf_of_somebody_it_is_the_holders(world: World):
    world.knows(OLU, NIA)
    asks(world, account(OLU), replace(ASK, holder=NIA))
    assert bound(world, NIAS).person == NIA
    assert (list(users(world, NIA).values()), users(world, OLU)) == ([NIAS], {})


def test_two_asks_of_one_person_at_once_are_both_resolved():
    world = World(policy(environment(entitlement(), entitlement("admin"))))
    first, second = world.ask(), world.ask(role="admin")
    assert isinstance(first, Outcome)
    assert isinstance(second, Outcome)
    at_the_same_time(world, lambda: advance_request(world.ctx, second.id))
    advance_request(world.ctx, first.id)
    assert all(world.request(id_).resource is not None for id_ in (first.id, second.id))


def at_the_same_time(world: World, then: Callable[[], None]) -> None:
    """Before the next commit that resolves an ask, `then` comes in between."""
    commit, done = world.ledger.commit, []

    def between(change: Change):
        if not done and any(name.startswith("target-user:") for name in change.puts):
            done.append(change)
            then()
        return commit(change)

    world.ledger.commit = between  # type: ignore[method-assign]


def test_of_two_people_for_whom_one_user_is_found_at_once_one_gets_it(world: World):
    world.knows(DANA, NIA)
    mine, theirs = world.ask(), world.ask(NIA)
    assert isinstance(mine, Outcome)
    assert isinstance(theirs, Outcome)

    def the_directory_changes() -> None:
        people = world.target().people
        people[Address("nia@example.com")] = people.pop(Address("dana@example.com"))
        advance_request(world.ctx, theirs.id)

    at_the_same_time(world, the_directory_changes)
    advance_request(world.ctx, mine.id)
    assert bound(world).person == NIA
    assert why(world, mine.id) is Code.TARGET_USER_BOUND
    assert world.request(theirs.id).resource is not None


def test_a_user_with_the_addresses_of_two_people_is_neithers(world: World):
    world.knows(DANA, NIA)
    world.target().people[Address("nia@example.com")] = DANAS
    for who in (DANA, NIA):
        assert why(world, asks(world, account(who))) is Code.TARGET_USER_CARRIES


def test_whose_the_user_is_is_read_with_what_is_read_anyway(world: World):
    over(world)
    answer = world.ask()
    assert isinstance(answer, Outcome)
    read, reads = world.ledger.read, []
    world.ledger.read = lambda *names, **rest: (reads.append(names), read(*names, **rest))[1]  # type: ignore[method-assign]
    advance_request(world.ctx, answer.id)
    about = [names for names in reads if any(name.startswith(("target-user:", "target-ids:")) for name in names)]
    assert len(about) == 2, "one before the target is asked, one to decide on"


def test_the_same_ask_resolved_twice_says_it_once(world: World):
    id_ = world.asked()
    before = world.ledger.head()
    for _ in range(2):
        advance_request(world.ctx, id_)
    assert world.ledger.head() == before


# ---------------------------------------------------------------- addresses change hands


@pytest.mark.parametrize("ahead", ["chat", "directory"])
def test_two_people_who_exchange_addresses_never_get_each_others_user(world: World, ahead: str):
    over(world, DANA)
    over(world, NIA)
    if ahead == "chat":
        has_now(world, DANA, "dana.d@example.com")
        has_now(world, NIA, "dana@example.com")
        has_now(world, DANA, "nia@example.com")
    else:
        people = world.target().people
        people[Address("dana@example.com")], people[Address("nia@example.com")] = NIAS, DANAS
    for who in (DANA, NIA):
        assert why(world, asks(world, account(who))) is Code.TARGET_USER_CARRIES
    # Both have caught up.
    people = world.target().people
    people[Address("nia@example.com" if ahead == "chat" else "dana@example.com")] = DANAS
    people[Address("dana@example.com" if ahead == "chat" else "nia@example.com")] = NIAS
    for who, user in ((DANA, DANAS), (NIA, NIAS)):
        resource = world.request(asks(world, account(who))).resource
        assert resource is not None
        assert resource.ids["user"] == user


def test_who_gets_the_address_of_somebody_who_is_closed_gets_the_user_when_nothing_is_open(world: World):
    id_ = world.active()
    there = newcomer(world)
    assert why(world, asks(world, there)) is Code.TARGET_PERSON_ELSES
    assert isinstance(world.end(id_, OLU), Outcome)
    world.advance(120, 10)
    later = asks(world, there)
    assert "target_user.moved" in world.events(later)
    found = bound(world)
    assert found is not None
    assert found.person == world.request(later).holder != DANA
    assert isinstance(world.approve(later), Outcome)
    world.work()
    assert world.has_access(later)


def test_who_gets_the_address_of_somebody_who_has_another_one_gets_no_user_of_theirs(world: World):
    """Nothing of hers is open; the directory still has her user under the address that she gave up."""
    over(world)
    has_now(world, DANA, "dana.d@example.com")
    there = new_account(world, "UNEW", "dana@example.com", "Dana the Second")
    acts(world, there)
    confirmed(world, there, same=False)
    id_ = asks(world, there)
    assert why(world, id_) is Code.TARGET_USER_BOUND
    assert world.request(id_).closing.params["name"] == "Dana"


def test_a_user_that_carries_an_address_which_is_nobodys_is_still_theirs(world: World):
    over(world)
    people = world.target().people
    people[Address("dana.married@example.com")] = people.pop(Address("dana@example.com"))
    resource = world.request(asks(world, account(DANA))).resource
    assert resource is not None
    assert resource.ids["user"] == DANAS


def test_an_address_of_whom_only_the_policy_knows_is_somebodys(world: World):
    over(world)
    people = world.target().people
    del people[Address("dana@example.com")]
    people[Address("sue@example.com")] = DANAS
    assert world.ledger.read(keys.identity(SUE)).items[keys.identity(SUE)].is_absent
    assert why(world, asks(world, account(DANA))) is Code.TARGET_USER_CARRIES


def test_an_address_that_changed_hands_between_ask_and_look_up_finds_nobody_elses_user(world: World):
    world.knows(DANA, NIA)
    answer = world.ask()
    assert isinstance(answer, Outcome)
    has_now(world, DANA, "dana.d@example.com")
    has_now(world, NIA, "dana@example.com")
    world.work()
    assert why(world, answer.id) is Code.TARGET_USER_CARRIES


# ---------------------------------------------------------------- users that are gone, merged, switched off


def test_a_user_made_anew_is_taken_and_the_change_is_on_record(world: World):
    over(world)
    world.target().people[Address("dana@example.com")] = "made-anew"
    id_ = asks(world, account(DANA))
    assert list(users(world).values()) == ["made-anew"]
    (entry,) = [one for one in world.ledger.entries_of(id_) if one.event == "target_user.changed"]
    assert (entry.facts["before"], entry.facts["after"]) == (DANAS, "made-anew")
    # The old one is hers all the same.
    assert bound(world, DANAS).person == bound(world, "made-anew").person == DANA


def test_a_user_that_was_merged_into_somebody_elses_is_somebody_elses(world: World):
    over(world, DANA)
    over(world, NIA)
    world.target().people[Address("dana@example.com")] = NIAS
    assert why(world, asks(world, account(DANA))) is Code.TARGET_USER_BOUND
    assert bound(world, NIAS).person == NIA


def test_a_user_that_is_switched_off_is_not_replaced_by_another(world: World):
    over(world)
    world.target().disabled.add(DANAS)
    world.target().people[Address("dana@example.com")] = "another"
    assert why(world, asks(world, account(DANA))) is Code.TARGET_PERSON_MISSING
    assert bound(world, "another") is None


@pytest.mark.parametrize("fault", [Lose(), Throttle()])
def test_where_the_target_does_not_answer_nothing_is_concluded(world: World, fault: Lose | Throttle):
    over(world)
    world.target().people[Address("dana@example.com")] = "made-anew"
    world.target().next("resolve", fault)
    id_ = asks(world, account(DANA))
    assert (world.request(id_).resource, world.request(id_).state) == (None, RequestState.PENDING)
    assert list(users(world).values()) == [DANAS]


# ---------------------------------------------------------------- IAM: the tag


def iams(world: World):
    return world.target(AwsKind.IAM_GROUP).people


def test_an_iam_user_made_anew_under_the_name_is_taken_and_on_record(iam: World):
    over(iam)
    iams(iam)[Address("dana@example.com")] = "AIDANEW"
    assert "target_user.changed" in iam.events(asks(iam, account(DANA)))


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("olu@example.com", Code.TARGET_USER_CARRIES),
        ("new.hire@example.com", Code.TARGET_PERSON_NOT_TAGGED),
    ],
)
def test_an_iam_user_whose_tag_was_edited_is_not_theirs_any_more(iam: World, tag: str, code: Code):
    over(iam)
    iam.knows(OLU)
    iams(iam).pop(Address("dana@example.com"))
    iams(iam)[Address(tag)] = DANAS
    assert why(iam, asks(iam, account(DANA))) is code


def test_an_iam_user_whose_tag_names_an_address_that_was_theirs_is_theirs(iam: World):
    over(iam)
    has_now(iam, DANA, "dana.d@example.com")
    resource = iam.request(asks(iam, account(DANA))).resource
    assert resource is not None
    assert (resource.ids["user"], resource.person) == (DANAS, "dana@example.com")


def test_who_takes_over_the_name_of_an_iam_user_gets_nobody_elses(iam: World):
    over(iam, DANA)
    over(iam, NIA)
    iams(iam)[Address("dana@example.com")] = NIAS
    iams(iam)[Address("nia@example.com")] = DANAS
    assert why(iam, asks(iam, account(DANA))) is Code.TARGET_USER_BOUND


# ---------------------------------------------------------------- whatever gives asks whose the user is


def taken(world: World, user: str = DANAS, by: PersonId = NIA) -> None:
    """The user is another person's from now on, whoever said so."""
    item = keys.target_user(f"identity-store:{user}")
    snapshot = world.ledger.read(item)
    record = TargetUser(f"identity-store:{user}", by, "Nia", snapshot.now, "test")
    done = world.ledger.commit(Change(world.press_id(), snapshot.now, snapshot.versions(), {item: record}))
    assert isinstance(done, Committed)


def test_an_approval_gives_nothing_with_a_user_that_is_anothers_by_now(world: World):
    id_ = world.asked()
    taken(world)
    answer = world.approve(id_)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.params["name"]) == (Code.TARGET_USER_BOUND, "Nia")


def test_what_was_approved_is_not_given_with_a_user_that_is_anothers_by_now(world: World):
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    taken(world)
    world.work()
    assert not given(world, DANAS)
    assert world.grant(id_).state is GrantState.ACTIVATION_FAILED
    assert world.grant(id_).end.code == Code.TARGET_USER_BOUND


def test_a_rule_and_a_break_glass_give_nothing_with_a_user_of_another(world: World):
    world = World(
        policy(
            environment(
                entitlement(auto_approve=(auto(),)),
                break_glass=BreakGlass(("developers",), ("read-only",), HOUR),
            )
        )
    )
    taken(world)
    assert why(world, asks(world, account(DANA))) is Code.TARGET_USER_BOUND
    acts(world, account(DANA))
    answer = break_glass(world.ctx, ASK, account(DANA), Origin(), world.press_id())
    assert isinstance(answer, Outcome)
    world.work()
    assert why(world, answer.id) is Code.TARGET_USER_BOUND
    assert not given(world, DANAS)


def test_a_break_glass_binds_the_user_in_the_commit_that_gives_it():
    world = World(policy(environment(break_glass=BreakGlass(("developers",), ("read-only",), HOUR))))
    acts(world, account(DANA))
    answer = break_glass(world.ctx, ASK, account(DANA), Origin(), world.press_id())
    assert isinstance(answer, Outcome)
    world.work()
    assert world.has_access(answer.id)
    assert bound(world).person == DANA


def test_a_start_that_was_agreed_on_gives_nothing_with_a_user_of_another(world: World):
    id_ = world.asked(start_at=world.clock.now() + 30 * MINUTE)
    assert isinstance(world.approve(id_), Outcome)
    taken(world)
    world.advance(1900, 60)
    assert not given(world, DANAS)
    assert world.request(id_).closing.code == Code.TARGET_USER_BOUND


def test_removal_never_asks_whose_the_user_is(world: World):
    id_ = world.active()
    taken(world)
    assert isinstance(world.end(id_), Outcome)
    world.advance(5)
    assert not world.has_access(id_)
    assert world.grant(id_).state is GrantState.ENDED


def test_more_time_is_for_whose_user_it_is(world: World):
    id_ = world.active()
    more = world.more_asked(id_)
    assert isinstance(world.approve(more), Outcome)
    world.work()
    taken(world)
    later = world.extend(id_)
    assert isinstance(later, Outcome)
    world.work()
    assert world.request(later.id).closing.code == Code.TARGET_USER_BOUND


# ---------------------------------------------------------------- what was there before any user was bound


def unbind(world: World, *, adopted: bool = False) -> None:
    """As an older version left it; `adopted`: what such a one did beside this version."""
    names = [name for kind in ("target-user", "target-ids") for name in world.ledger.records(kind)]
    snapshot = world.ledger.read(*names, *(() if adopted else (keys.ADOPTED_USERS,)))
    there = frozenset(name for name, item in snapshot.items.items() if not item.is_absent)
    done = world.ledger.commit(Change(world.press_id(), snapshot.now, snapshot.versions(), deletes=there))
    assert isinstance(done, Committed)


def test_what_was_resolved_before_is_bound_before_it_is_given(world: World):
    id_ = world.asked()
    unbind(world)
    assert isinstance(world.approve(id_), Outcome)
    world.work()
    assert world.has_access(id_)
    assert bound(world).person == DANA


def test_what_is_open_from_before_keeps_its_user_for_whoever_holds_it():
    world = World(policy(environment(entitlement(), entitlement("admin"))))
    id_ = world.active()
    unbind(world)
    there = newcomer(world)
    other = asks(world, there, replace(ASK, role="admin"))
    assert why(world, other) is Code.TARGET_PERSON_ELSES
    assert world.request(other).closing.params["ids"] == id_


def test_of_two_who_share_a_user_from_before_whoever_got_it_first_has_it():
    world = World(policy(environment(entitlement(), entitlement("admin"))))
    world.active(duration=4 * HOUR)
    world.advance(60, 20)
    unbind(world, adopted=True)
    people = world.target().people
    people[Address("nia@example.com")] = people.pop(Address("dana@example.com"))
    other = world.active(NIA, role="admin")
    assert world.grant(other).resource.user_id == DANAS
    unbind(world)
    adopt_users(world.ctx)
    assert bound(world).person == DANA


def test_what_an_older_process_approved_is_bound_before_it_is_given(world: World):
    id_ = world.asked()
    assert isinstance(world.approve(id_), Outcome)
    unbind(world, adopted=True)
    world.work()
    assert world.has_access(id_)
    assert bound(world).person == DANA


def test_taking_over_is_done_once_and_what_cannot_be_read_stops_nobody(world: World):
    world.active()
    unbind(world)
    adopt_users(world.ctx)
    item = keys.ADOPTED_USERS
    assert world.ledger.read(item).get(item, Adoption).accounts == 1
    version = world.ledger.read(item).items[item].version
    adopt_users(world.ctx)
    assert world.ledger.read(item).items[item].version == version


# ---------------------------------------------------------------- whoever runs it says whose a user is


def moved(world: World, to: PersonId = NIA, user: str = DANAS) -> Outcome | Refused:
    (found,) = users_called(world.ctx, user)
    return move_by_hand(world.ctx, found.id, to, "Ada", "asked both of them", world.press_id())


def test_an_operator_gives_a_user_to_another_person_on_record(world: World):
    over(world)
    world.knows(NIA)
    answer = moved(world)
    assert isinstance(answer, Outcome)
    (entry,) = world.ledger.entries_of(answer.id)
    assert entry.event == "target_user.moved"
    assert (entry.private["actor_name"], entry.private["reason"]) == ("Ada", "asked both of them")
    assert (entry.private["before"], entry.private["person"]) == (DANA, NIA)
    assert (users(world, DANA), list(users(world, NIA).values())) == ({}, [DANAS])
    assert keys.chat(answer.id) in world.ledger.due
    # Nobody finds it by the old address now.
    assert why(world, asks(world, account(DANA))) is Code.TARGET_USER_BOUND


def test_a_user_with_access_that_is_open_is_given_to_nobody(world: World):
    id_ = world.active()
    world.knows(NIA)
    answer = moved(world)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.params["ids"]) == (Code.TARGET_USER_IN_USE, id_)


def test_a_grant_that_is_decided_meanwhile_wins_over_the_operator(world: World):
    id_ = world.asked()
    world.knows(NIA)
    commit, seen = world.ledger.commit, []

    def between(change: Change):
        if not seen and change.commit_id == "move":
            seen.append(change)
            assert isinstance(world.approve(id_), Outcome)
        return commit(change)

    world.ledger.commit = between  # type: ignore[method-assign]
    answer = move_by_hand(world.ctx, f"identity-store:{DANAS}", NIA, "Ada", "asked both", "move")
    assert seen
    assert isinstance(answer, Refused)
    assert answer.code is Code.TARGET_USER_IN_USE


def test_an_operator_names_a_reason_a_user_that_is_known_and_a_person_who_is(world: World):
    over(world)
    world.knows(NIA, SUE)
    said = (
        move_by_hand(world.ctx, f"identity-store:{DANAS}", NIA, "Ada", " ", "1"),
        move_by_hand(world.ctx, "identity-store:nobody", NIA, "Ada", "asked", "2"),
        move_by_hand(world.ctx, f"identity-store:{DANAS}", PersonId("no@example.com"), "Ada", "asked", "3"),
    )
    codes = [answer.code for answer in said if isinstance(answer, Refused)]
    assert codes == [Code.REASON_MISSING, Code.TARGET_USER_UNKNOWN, Code.PERSON_UNKNOWN]
    assert bound(world).person == DANA
