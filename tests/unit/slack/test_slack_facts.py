"""Whose account Slack speaks of, and what it may do: pure, and nothing that Slack answers makes it raise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.facts import Home, facts_of, home_of
from tests.support.build import NOW, policy
from workflows.core.identity import Account
from workflows.core.people import NEVER, PersonFacts, learnt, which_stands, with_news
from workflows.core.refusal import Code
from workflows.ledger.codec import dump

HOME, ORGANISATION = Home("T1"), Home("T1", "E1")
OLU = Account("slack", "T1", "UOLU")
USER: dict[str, Any] = {
    "id": "UOLU",
    "team_id": "T1",
    "name": "olu",
    "deleted": False,
    "is_bot": False,
    "tz": "Africa/Lagos",
    "updated": 1_000,
    "profile": {"display_name": "Olu", "email": "olu@example.com"},
}


def said(who: Account = OLU, home: Home = HOME, workspaces: tuple[str, ...] = (), **changes: Any) -> PersonFacts:
    profile = {**USER["profile"], **changes.pop("profile", {})}
    return facts_of({**USER, "profile": profile, **changes}, who, home, policy(home_workspaces=workspaces), NOW)


def in_organisation(enterprise: str = "E1", teams: tuple[str, ...] = ("T1", "T2"), **more: Any) -> dict[str, Any]:
    return {"enterprise_id": enterprise, "id": "UOLU", "teams": list(teams), **more}


def test_a_full_member_of_the_workspace_has_no_problem():
    found = said()
    assert (found.standing_problem, found.address, found.tenant, found.time_zone) == (
        None,
        "olu@example.com",
        "",
        "Africa/Lagos",
    )


class TestWhoseAccountItIs:
    def test_the_id_of_an_owner_in_another_workspace_is_somebody_else(self):
        found = said(Account("slack", "T2", "UOLU"))
        assert found.standing_problem == Code.PERSON_FOREIGN.value
        assert found.slack == Account("slack", "T2", "UOLU")
        # Nothing of what Slack said of the owner is said of them.
        assert (found.address, found.name) == (None, "UOLU")

    @pytest.mark.parametrize("home", [HOME, ORGANISATION])
    def test_so_it_is_while_we_stand_in_an_organisation_of_which_slack_does_not_name_that_workspace(self, home):
        organisation = in_organisation() if home.enterprise else None
        assert (
            said(Account("slack", "T9", "UOLU"), home, enterprise_user=organisation).standing_problem
            == "person_foreign"
        )

    def test_a_colleague_of_another_workspace_of_the_organisation_is_at_home_there(self):
        found = said(
            Account("slack", "T2", "UOLU"),
            ORGANISATION,
            team_id="T2",
            is_stranger=True,
            enterprise_user=in_organisation(),
        )
        assert (found.standing_problem, found.tenant) == (None, "E1")

    def test_an_account_has_one_id_in_all_workspaces_of_the_organisation(self):
        one, other = (
            said(Account("slack", team, "UOLU"), ORGANISATION, enterprise_user=in_organisation())
            for team in ("T1", "T2")
        )
        assert one.account == other.account == "slack:E1:UOLU"
        assert "slack:T1:UOLU" in other.accounts

    def test_slack_names_the_id_in_the_organisation_too(self):
        named = in_organisation(id="WOLU")
        assert Account("slack", "T1", "WOLU") in said(home=ORGANISATION, enterprise_user=named).also
        found = said(Account("slack", "T1", "WOLU"), ORGANISATION, enterprise_user=named)
        assert found.standing_problem is None
        assert Account("slack", "T1", "UOLU") not in found.also or found.slack.user == "WOLU"

    def test_another_organisation_is_foreign_whatever_it_says(self):
        other = in_organisation("E2")
        assert said(home=ORGANISATION, enterprise_user=other).standing_problem == "person_foreign"
        assert (
            said(Account("slack", "T2", "UOLU"), team_id="T2", enterprise_user=other).standing_problem
            == "person_foreign"
        )

    def test_workspaces_that_the_policy_names_are_home_for_their_own_people(self):
        there = Account("slack", "T2", "UOLU")
        assert said(there, team_id="T2", is_stranger=True, workspaces=("T2",)).standing_problem is None
        # Slack speaks of the account of this workspace: of the other one with the same id it says nothing.
        assert said(there, workspaces=("T2",)).standing_problem == "person_foreign"

    def test_a_stranger_is_foreign_and_brings_no_address_of_ours(self):
        found = said(Account("slack", "T2", "UOLU"), team_id="T2", is_stranger=True)
        assert (found.standing_problem, found.address) == ("person_foreign", None)
        assert said(is_stranger=True).standing_problem == "person_foreign"

    def test_an_answer_about_another_id_is_about_somebody_else(self):
        assert said(id="UPAT").standing_problem == "person_foreign"

    def test_where_we_are(self):
        assert home_of({"team_id": "T1"}) == HOME
        assert home_of({"team_id": "T1", "enterprise_id": "E1"}) == ORGANISATION
        assert home_of({"team_id": 7}) is None


class TestWhatItMayDo:
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"deleted": True}, Code.PERSON_DEACTIVATED),
            ({"is_bot": True}, Code.PERSON_BOT),
            ({"is_restricted": True}, Code.PERSON_GUEST),
            ({"is_ultra_restricted": True}, Code.PERSON_GUEST),
            ({"profile": {"is_restricted": True}}, Code.PERSON_GUEST),
            ({"profile": {"email": None}}, Code.PERSON_NO_ADDRESS),
            ({"profile": {"email": "olu@elsewhere.example"}}, Code.PERSON_NO_ADDRESS),
            ({"deleted": "perhaps"}, Code.PERSON_ODD),
            ({"is_restricted": [1]}, Code.PERSON_ODD),
        ],
    )
    def test_what_is_not_plainly_a_full_member_may_do_nothing(self, changes, problem):
        assert said(**changes).standing_problem == problem.value

    def test_a_guest_in_any_workspace_of_the_organisation_is_a_guest(self):
        guest = in_organisation(is_restricted=True)
        assert said(home=ORGANISATION, enterprise_user=guest).standing_problem == "person_guest"


class TestOddProfiles:
    @pytest.mark.parametrize("ends", [1e300, 10**30, -5, "soon", [1], True, float("nan"), float("inf"), "1800000000"])
    def test_an_odd_end_of_a_status_makes_nobody_away_and_raises_nothing(self, ends):
        assert said(profile={"status_text": "OOO", "status_expiration": ends}).away_until is None

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "", None, 7, "Europe", "../../etc/passwd", "a\0b", "x" * 5000])
    def test_an_unknown_time_zone_is_the_policys(self, zone):
        assert said(tz=zone).time_zone == "Europe/Berlin"

    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=4,
    )
    fields = st.sampled_from([*USER, "enterprise_user", "is_stranger", "is_restricted", "real_name"])
    in_profile = st.sampled_from(
        ["email", "display_name", "real_name", "status_text", "status_emoji", "status_expiration"]
    )

    @settings(max_examples=60)
    @given(st.dictionaries(fields, junk, max_size=4), st.dictionaries(in_profile, junk, max_size=4))
    def test_nothing_that_slack_answers_raises(self, changes, profile):
        user = {**USER, "profile": {**USER["profile"], **profile}, **changes}
        for home in (HOME, ORGANISATION):
            found = facts_of(user, OLU, home, policy(), NOW)
            assert found.slack == OLU
            assert dump(PersonFacts, found)

    def test_half_a_character_in_a_name_can_be_stored(self):
        assert dump(PersonFacts, said(profile={"display_name": "Olu \ud83d"}))


class TestOlderNews:
    def test_an_answer_that_was_asked_for_before_overwrites_nothing(self):
        left = replace(said(deleted=True), as_of=NOW)
        before = replace(said(), as_of=NOW - timedelta(seconds=3))
        assert which_stands(left, before) == left
        assert which_stands(before, left) == left

    def test_a_sign_of_change_makes_stale_and_outlives_what_was_asked_for_before(self):
        known = said()
        stale = with_news(known, NOW + timedelta(seconds=2))
        assert stale.as_of == NEVER
        assert which_stands(stale, replace(known, as_of=NOW + timedelta(seconds=1))).as_of == NEVER
        fresh = which_stands(stale, replace(known, as_of=NOW + timedelta(seconds=3)))
        assert fresh.as_of == NOW + timedelta(seconds=3)

    def test_a_copy_of_slacks_that_lags_behind_is_not_believed(self):
        changed = int(NOW.timestamp())
        known = replace(said(deleted=True), updated=changed)
        lagging = replace(said(), updated=changed - 60, as_of=NOW + timedelta(seconds=5))
        assert which_stands(known, lagging) == known
        # That is over some day; then it is Slack's word as any other.
        late = replace(lagging, as_of=NOW + timedelta(hours=1))
        assert which_stands(known, late).standing_problem is None

    def test_facts_from_the_future_do_not_stand_against_new_ones(self):
        ahead = replace(said(), as_of=NOW + timedelta(hours=1))
        assert which_stands(ahead, said()).as_of == NOW

    def test_older_processes_facts_are_overwritten(self):
        old = learnt(OLU, "Olu", NOW - timedelta(seconds=1), None)
        assert which_stands(old, said()) == said()
