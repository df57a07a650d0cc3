"""Who Microsoft says people are, on the stand-in for Teams and Graph: what is said, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.directory.chats import ChatDirectories
from bot.directory.other_groups import OtherGroups
from bot.sandbox.teams.people import DANA, FAY, GONE, GUS, NOMAIL, OLU, OTHER_TENANT, PAT, TENANT, Person, guid
from bot.sandbox.teams.server import TeamsServer
from bot.teams.people.directory import TeamsRefresher
from bot.teams.people.graph import Graph
from tests.support import build
from tests.support.people import acts
from tests.support.world import World, account
from workflows.core import calls
from workflows.core.identity import Account, Address, Why
from workflows.core.people import Listed, Member, PersonFacts
from workflows.core.policy import Group, Policy
from workflows.core.refusal import Code, Refused
from workflows.ledger.memory import MemoryBuckets
from workflows.ports import DirectoryUnreachable
from workflows.usecases.identity.confirm_account import held_account
from workflows.usecases.identity.second_chat import Answer, answer
from workflows.usecases.shared.actor import account_of, whose
from workflows.usecases.shared.context import Context, Outcome, WorkerContext


@dataclass
class Tokens:
    """As the app has them. `taken_back`: how many were, before they were over."""

    teams: TeamsServer
    fresh: bool = True
    taken_back: int = 0

    def graph(self) -> str:
        return self.teams.login.issue("https://graph.microsoft.com") if self.fresh else "over"

    def forget(self) -> None:
        self.taken_back += 1
        self.fresh = True


@dataclass
class Rig:
    teams: TeamsServer
    world: World
    tokens: Tokens
    roster: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    # By object id: what their Teams said of where they are.
    clocks: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.buckets = MemoryBuckets(self.world.clock)
        self.directory = self._directory(8.0)

    def _directory(self, timeout_s: float) -> TeamsRefresher:
        graph = Graph(f"{self.teams.base_url}/graph/v1.0", self.tokens, self.buckets, timeout_s)
        return TeamsRefresher(
            graph,
            lambda who: self.roster.get(who.user),
            TENANT,
            self.world.directory,
            self.world.clock.now,
            lambda *_: Listed(frozenset()),
            clock_of=lambda user: self.clocks.get(user, ""),
        )

    def impatient(self) -> None:
        self.directory = self._directory(0.2)

    def acts_in_a_channel(self, person: Person, **said: Any) -> None:
        """The roster of where they act is asked about them."""
        self.roster[person.aad] = person.as_member() | said

    def asked(self, person: Person) -> PersonFacts:
        return self.directory.refresh_person(there(person), self.world.policy.policy)

    def group(self, *ids: str) -> Policy:
        own = self.world.policy.policy
        groups = {f"g{n}": Group(f"g{n}", entra_group=id_, trusted=True) for n, id_ in enumerate(ids)}
        self.world.policy.policy = replace(own, groups={**own.groups, **groups})
        return self.world.policy.policy


def there(person: Person) -> Account:
    return Account("teams", TENANT, person.aad)


@pytest.fixture(scope="module")
def server() -> Iterator[TeamsServer]:
    teams = TeamsServer()
    teams.more_routes.append(Route("/graph/v1.0/directory/deletedItems/{user}", _deleted))
    with teams:
        yield teams


async def _deleted(request: Request) -> JSONResponse:
    """The directory's own bin, in which one account lies."""
    id_ = request.path_params["user"]
    return JSONResponse({"id": id_}) if id_ == guid("thrown away") else JSONResponse({}, 404)


@pytest.fixture
def rig(server: TeamsServer) -> Iterator[Rig]:
    people, permissions = dict(server.world.people), set(server.graph.permissions)
    yield Rig(server, World(), Tokens(server))
    server.faults.clear()
    server.world.people.clear()
    server.world.people.update(people)
    server.graph.permissions = permissions


def group_of(rig: Rig, name: str) -> str:
    return next(group.id for group in rig.teams.world.groups.values() if group.name == name)


# ---------------------------------------------------------------- people


def test_questions_to_graph_are_told_of_by_kind_alone(rig: Rig):
    heard: list[calls.Call] = []
    over = calls.listen(heard.append)
    try:
        rig.acts_in_a_channel(DANA)
        rig.asked(DANA)
    finally:
        over()
    assert {(call.service, call.method, call.error) for call in heard} == {("graph", "users", "")}


def test_a_member_of_our_tenant_with_an_address_of_ours(rig: Rig):
    rig.acts_in_a_channel(DANA)
    facts = rig.asked(DANA)
    assert (facts.name, facts.address, facts.standing_problem) == ("Dana Dev", "dana@example.com", None)
    assert facts.account == f"teams:{TENANT}:{DANA.aad}"
    assert facts.time_zone == rig.world.policy.policy.timezone
    assert rig.world.directory.person(there(DANA)).address == "dana@example.com"


@pytest.mark.parametrize(
    ("said", "meant"), [("Asia/Tokyo", "Asia/Tokyo"), ("Nowhere/At_all", "Europe/Berlin"), ("", "Europe/Berlin")]
)
def test_times_are_meant_on_the_clock_that_their_teams_shows(rig: Rig, said: str, meant: str):
    rig.clocks[DANA.aad] = said
    assert rig.asked(DANA).time_zone == meant


@pytest.mark.parametrize(
    ("person", "problem"),
    [
        (GUS, Code.PERSON_GUEST),
        (replace(GUS, mail="olu@example.com"), Code.PERSON_GUEST),
        (GONE, Code.PERSON_DEACTIVATED),
        (NOMAIL, None),
        (replace(NOMAIL, upn="nomi@other.example"), Code.PERSON_NO_ADDRESS),
        (replace(DANA, mail="dana@partner.example"), Code.PERSON_NO_ADDRESS),
        # A member whose home is another tenant, with an address of ours in the profile.
        (replace(DANA, upn="dana_partner.example#EXT#@example.onmicrosoft.com"), Code.PERSON_FOREIGN),
        (replace(DANA, user_type="Robot"), Code.PERSON_ODD),
    ],
)
def test_what_graph_says_decides_what_an_account_may_do(rig: Rig, person: Person, problem: Code | None):
    rig.teams.world.add_person(person)
    facts = rig.asked(person)
    assert facts.standing_problem == (problem.value if problem else None)
    assert (facts.address is None) == (problem in (Code.PERSON_FOREIGN, Code.PERSON_GUEST))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"tenantId": OTHER_TENANT}, Code.PERSON_FOREIGN),
        ({"userRole": "anonymous", "objectId": None, "tenantId": None}, Code.PERSON_FOREIGN),
        ({"userRole": "guest"}, Code.PERSON_GUEST),
        ({"userRole": "something"}, Code.PERSON_ODD),
    ],
)
def test_so_does_the_roster_of_where_they_act(rig: Rig, said: dict[str, Any], problem: Code):
    rig.acts_in_a_channel(DANA, **said)
    facts = rig.asked(DANA)
    assert facts.standing_problem == problem.value
    assert (facts.address is None) == (problem in (Code.PERSON_FOREIGN, Code.PERSON_GUEST))


def test_a_guest_by_our_own_tenants_word_is_one_whatever_the_roster_says(rig: Rig):
    rig.acts_in_a_channel(GUS)
    assert rig.asked(GUS).standing_problem == Code.PERSON_GUEST.value


def test_the_address_in_a_guests_profile_takes_nobodys_away(rig: Rig):
    rig.teams.world.add_person(replace(GUS, mail="olu@example.com"))
    rig.asked(GUS)
    policy = rig.group(group_of(rig, "platform"))
    assert rig.directory.refresh_groups(policy, ("g0",)).member(build.OLU, ("g0",)) is Member.YES


@pytest.mark.parametrize("said", [{"userRole": None}, {"tenantId": None}, {"objectId": guid("olu")}])
def test_what_the_roster_does_not_say_is_not_known(rig: Rig, said: dict[str, Any]):
    rig.acts_in_a_channel(DANA, **said)
    with pytest.raises(DirectoryUnreachable):
        rig.asked(DANA)


def test_an_account_of_another_tenant_is_not_even_asked_about(rig: Rig):
    before = rig.teams.faults.counts("user")
    facts = rig.directory.refresh_person(Account("teams", OTHER_TENANT, DANA.aad), rig.world.policy.policy)
    assert (facts.standing_problem, facts.address) == (Code.PERSON_FOREIGN.value, None)
    assert rig.teams.faults.counts("user") == before


@pytest.mark.parametrize("field_", [{"enabled": None}, {"user_type": None}, {"enabled": None, "user_type": None}])
def test_null_is_neither_yes_nor_no(rig: Rig, field_: dict[str, None]):
    facts = rig.asked(DANA)
    rig.teams.world.change_person(DANA, **field_)
    with pytest.raises(DirectoryUnreachable, match="lack User"):
        rig.asked(DANA)
    assert rig.world.directory.person(there(DANA)).as_of == facts.as_of, "what was known stays, and ages"


def test_who_is_not_shown_is_not_gone(rig: Rig):
    with pytest.raises(DirectoryUnreachable, match="does not show"):
        rig.asked(FAY)
    assert rig.world.directory.person(there(FAY)) is None


def test_somebody_of_another_tenant_in_a_shared_channel_is_foreign(rig: Rig):
    rig.acts_in_a_channel(FAY)
    facts = rig.asked(FAY)
    assert (facts.standing_problem, facts.address) == (Code.PERSON_FOREIGN.value, None)


def test_who_was_deleted_by_the_directorys_own_word_has_left(rig: Rig):
    person = Person("Theo Thrown", guid("thrown away"), "theo@example.com")
    rig.teams.world.add_person(person)
    rig.asked(person)
    del rig.teams.world.people[person.aad]
    facts = rig.asked(person)
    assert (facts.standing_problem, facts.name, facts.address) == (
        Code.PERSON_DEACTIVATED.value,
        "Theo Thrown",
        "theo@example.com",
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 403, "code": "Authorization_RequestDenied"},
        {"status": 400},
        {"drop": "before"},
        {"body": "<html>"},
        {"body": []},
        {"body": {"id": guid("olu")}},
        {"body": {}},
    ],
)
def test_whatever_else_is_answered_is_not_known(rig: Rig, fault: dict[str, Any]):
    rig.teams.faults.add("user", **fault)
    with pytest.raises(DirectoryUnreachable):
        rig.asked(DANA)


def test_nobody_waits_for_graph_for_ever(rig: Rig):
    rig.impatient()
    rig.teams.faults.add("user", delay_s=0.6)
    with pytest.raises(DirectoryUnreachable, match="in time"):
        rig.asked(DANA)


def test_what_graph_asks_to_wait_all_processes_wait(rig: Rig):
    rig.teams.faults.add("user", status=429, retry_after_s=17)
    with pytest.raises(DirectoryUnreachable) as first:
        rig.asked(DANA)
    assert first.value.after_s == 17
    before = rig.teams.faults.counts("user")
    with pytest.raises(DirectoryUnreachable) as second:
        rig.asked(OLU)
    assert 0 < second.value.after_s <= 17
    assert rig.teams.faults.counts("user") == before, "it is not asked meanwhile"


def test_a_token_that_was_taken_back_is_asked_for_anew_once(rig: Rig):
    rig.tokens.fresh = False
    assert rig.asked(DANA).standing_problem is None
    assert rig.tokens.taken_back == 1
    rig.teams.faults.add("user", times=2, status=401)
    with pytest.raises(DirectoryUnreachable):
        rig.asked(DANA)


# ---------------------------------------------------------------- from an address to an account


def test_an_address_leads_to_its_account_and_is_asked_once(rig: Rig):
    before = rig.teams.faults.counts("users")
    for _ in range(3):
        found = rig.directory.find(Address("dana@example.com"), rig.world.policy.policy)
        assert found.slack == there(DANA)
        assert rig.directory.find(Address("nobody@example.com"), rig.world.policy.policy) is None
    assert rig.teams.faults.counts("users") == before + 2


def test_by_the_name_they_sign_in_with_only_who_has_no_mailbox(rig: Rig):
    assert rig.directory.find(Address("nomi@example.com"), rig.world.policy.policy).slack == there(NOMAIL)
    rig.teams.world.change_person(PAT, mail="patrick@example.com", upn="pat@example.com")
    assert rig.directory.find(Address("pat@example.com"), rig.world.policy.policy) is None


def test_of_two_accounts_with_one_address_neither_is_taken(rig: Rig):
    rig.teams.world.add_person(Person("Dana Two", guid("dana two"), "dana@example.com", upn="dana2@example.com"))
    with pytest.raises(DirectoryUnreachable, match="several"):
        rig.directory.find(Address("dana@example.com"), rig.world.policy.policy)
    rig.teams.world.change_person(rig.teams.world.people[guid("dana two")], enabled=False)
    assert rig.directory.find(Address("dana@example.com"), rig.world.policy.policy).slack == there(DANA)


def test_an_address_of_a_former_domain_is_found_by_its_present_name(rig: Rig):
    policy = replace(rig.world.policy.policy, former_domains={"old.example": "example.com"})
    rig.teams.world.change_person(DANA, mail="dana@old.example")
    assert rig.directory.find(Address("dana@example.com"), policy).address == "dana@example.com"


def test_a_listed_owner_who_never_acted_is_bound_where_a_worker_first_writes_to_them(rig: Rig):
    """Teams alone: nothing is known of anybody, and the card has to reach them."""
    ctx = replace(rig.world.ctx, refresher=rig.directory)
    found = account_of(ctx, rig.world.policy.policy, build.OLU)
    assert (found.slack, found.id) == (there(OLU), build.OLU)


# ---------------------------------------------------------------- groups


def test_a_group_has_everybody_who_is_in_a_group_of_it_and_can_act(rig: Rig):
    policy = rig.group(group_of(rig, "everybody"))
    before = rig.teams.faults.counts("transitive")
    groups = rig.directory.refresh_groups(policy, ("g0",))
    people = {"dana@example.com", "olu@example.com", "pat@example.com", "sid@example.com", "nomi@example.com"}
    assert groups.members(("g0",)) == people, "no guest, nobody of another tenant, nobody who is disabled"
    assert groups.member(build.DANA, ("g0",)) is Member.YES
    assert groups.whole(("g0",))
    assert rig.teams.faults.counts("transitive") - before > 2, "page by page"


def test_somebody_of_slack_is_in_it_before_they_ever_wrote_in_teams(rig: Rig):
    rig.world.knows(build.OLU)
    policy = rig.group(group_of(rig, "platform"))
    groups = rig.directory.refresh_groups(policy, ("g0",))
    assert groups.member(build.OLU, ("g0",)) is Member.YES
    assert rig.world.directory.of_person(build.OLU).slack == account(build.OLU)
    assert groups.members(("g0",)) == {build.OLU, build.PAT}


def test_of_a_group_that_is_not_there_nobody_is_a_member_for_certain(rig: Rig):
    policy = rig.group(guid("no such group"))
    groups = rig.directory.refresh_groups(policy, ("g0",))
    assert groups.member(build.DANA, ("g0",)) is Member.NO
    assert groups.problems(("g0",)) == (("g0", "Entra has no such group"),)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "where": {}},
        {"status": 403},
        {"status": 429, "retry_after_s": 9},
        {"drop": "before"},
        {"body": {"value": 7}},
        {"body": {"value": [7]}},
        {"body": {"value": [], "@odata.nextLink": "http://127.0.0.1:1/graph/v1.0/groups"}},
        {"body": {"value": [], "@odata.nextLink": "https://graph.example/v1.0/groups"}},
        {"body": {"value": [], "@odata.nextLink": 7}},
        {"body": {"value": [{"id": "x", "mail": None, "userPrincipalName": None, "accountEnabled": None}]}},
    ],
)
@pytest.mark.parametrize("page", [0, 1])
def test_a_page_that_fails_fails_the_whole_group(rig: Rig, fault: dict[str, Any], page: int):
    """What the first pages said is not the group."""
    policy = rig.group(group_of(rig, "everybody"))
    take, seen = rig.teams.faults.take, []

    def nth(call: str, facts: Mapping[str, Any]) -> Any:
        if call != "transitive":
            return None
        seen.append(facts)
        return take(call, facts) if len(seen) == page + 1 else None

    rig.teams.faults.add("transitive", **fault)
    rig.teams.faults.take = nth
    try:
        groups = rig.directory.refresh_groups(policy, ("g0",))
    finally:
        rig.teams.faults.take = take
    assert groups.member(build.DANA, ("g0",)) is Member.UNKNOWN
    assert groups.unknown(("g0",)) == ("g0",)


def test_with_one_permission_alone_members_come_without_what_they_are(rig: Rig):
    rig.teams.graph.permissions = {"GroupMember.Read.All"}
    policy = rig.group(group_of(rig, "platform"))
    groups = rig.directory.refresh_groups(policy, ("g0",))
    assert groups.member(build.OLU, ("g0",)) is Member.UNKNOWN
    ((_, why),) = groups.problems(("g0",))
    assert "User.Read.All" in why


def test_what_was_known_a_moment_ago_stays_when_the_next_look_fails(rig: Rig):
    policy = rig.group(group_of(rig, "platform"))
    rig.directory.refresh_groups(policy, ("g0",))
    rig.teams.faults.add("transitive", status=503)
    assert rig.directory.refresh_groups(policy, ("g0",)).member(build.OLU, ("g0",)) is Member.YES
    rig.world.clock.advance(61)
    rig.teams.faults.add("transitive", status=503)
    assert rig.directory.refresh_groups(policy, ("g0",)).member(build.OLU, ("g0",)) is Member.UNKNOWN


# ---------------------------------------------------------------- one person in two chats


def test_whoever_is_in_slack_is_asked_there_and_a_changed_mailbox_is_no_way_round(rig: Rig):
    rig.world.knows(build.OLU)
    facts = rig.asked(OLU)
    mine = whose(rig.world.ctx, rig.world.policy.policy, facts)
    assert (mine.suspended.why, mine.suspended.asked_in) == (Why.NEW_ACCOUNT, ("slack",))
    rig.teams.world.change_person(DANA, mail="olu@example.com")
    other = whose(rig.world.ctx, rig.world.policy.policy, rig.asked(DANA))
    assert other.suspended.claims == build.OLU
    assert acts(rig.world, account(build.OLU)).suspended is None


def asked_in_slack(rig: Rig) -> tuple[WorkerContext, Answer]:
    """Olu acted in Teams a while ago, and presses Yes in Slack: a worker that asks both chats, and what the button says."""
    rig.world.knows(build.OLU)
    whose(rig.world.ctx, rig.world.policy.policy, rig.asked(OLU))
    held = held_account(rig.world.ctx, there(OLU).id)
    assert held is not None
    rig.world.clock.advance(120)
    rig.world.knows(build.OLU)
    others = OtherGroups(rig.world.directory, rig.world.clock.now, lambda *_: Listed(frozenset()))
    both = ChatDirectories({"slack": rig.world.chat, "teams": rig.directory}, rig.world.directory, others)  # type: ignore[dict-item]  # as much of a chat as is asked
    return replace(rig.world.ctx, refresher=both), Answer(there(OLU).id, mine=True, hash=held.hash)


def test_before_a_yes_counts_microsoft_is_asked_about_the_account(rig: Rig):
    worker, said = asked_in_slack(rig)
    web = Context(worker.ledger, worker.directory, worker.policy, worker.wake, worker.chance, fault=worker.fault)
    stale = answer(web, said, account(build.OLU), "web")
    assert isinstance(stale, Refused)
    assert stale.code is Code.FACTS_STALE, "the web process hands it to a worker"
    done = answer(worker, said, account(build.OLU), "worker")
    assert isinstance(done, Outcome)
    assert whose(worker, rig.world.policy.policy, rig.asked(OLU)).id == build.OLU


def test_a_yes_is_no_yes_to_an_account_that_was_disabled_or_is_anothers_by_now(rig: Rig):
    worker, said = asked_in_slack(rig)
    rig.teams.world.change_person(OLU, enabled=False)
    refused = answer(worker, said, account(build.OLU), "disabled")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.params["why"]) == (Code.HELD_UNFIT, "person_deactivated")
    rig.world.knows(build.PAT)
    rig.teams.world.change_person(OLU, enabled=True, mail="pat@example.com")
    rig.world.clock.advance(61)
    rig.world.knows(build.OLU)
    refused = answer(worker, said, account(build.OLU), "another's")
    assert isinstance(refused, Refused)
    assert refused.code is Code.NOT_ASKED


def test_while_microsoft_does_not_answer_a_yes_waits(rig: Rig):
    worker, said = asked_in_slack(rig)
    rig.teams.faults.add("user", status=503)
    with pytest.raises(DirectoryUnreachable):
        answer(worker, said, account(build.OLU), "waits")
    no = replace(said, mine=False)
    rig.teams.faults.add("user", status=503)
    assert isinstance(answer(worker, no, account(build.OLU), "no"), Outcome), "a No does not"
