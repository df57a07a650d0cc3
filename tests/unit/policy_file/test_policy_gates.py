"""What pipelines wait for, as the files say it: read, compared, judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.policy_words import rendered
from tests.unit.policy_file.policy_folder import SHOP, WORKSPACE, policy, problems, warnings
from workflows.core.gates.terms import GATE_SPEC, NO_CONNECTION, GateTerms, NothingToGive
from workflows.core.loosening import Kind, loosened
from workflows.core.policy import UnknownStarter
from workflows.core.refusal import Refused
from workflows.core.rules.eligibility import find_entitlement
from workflows.core.rules.groups import groups_needed
from workflows.policy_file import difference
from workflows.policy_file.looser_words import looser

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def gate(words: str) -> tuple[str, str, str]:
    return SHOP, "title: Shop", f"title: Shop\ngates: {{deploy: {{{words}}}}}"


def test_a_gate_says_who_must_agree_and_takes_nothing_from_the_rules_of_roles(tmp_path: Path) -> None:
    found = policy(tmp_path, gate("approve: {owners: 1}")).environments["shop-prod"].gates["deploy"]
    asked = found.entitlement
    assert (asked.approve, asked.ticket, asked.hours, asked.requesters) == ({"owners": 1}, None, None, ())
    assert (asked.expires_after, found.unknown_starter) == (timedelta(hours=1), UnknownStarter.ONE_MORE)


def test_a_gate_is_no_role_that_somebody_could_ask_for(tmp_path: Path) -> None:
    found = policy(tmp_path, gate("approve: {owners: 1}"))
    assert "gate:deploy" not in found.environments["shop-prod"].roles
    assert isinstance(find_entitlement(found, "shop-prod", "gate:deploy"), Refused)


def test_one_more_is_asked_for_as_a_rule_of_its_own(tmp_path: Path) -> None:
    found = policy(tmp_path, gate("approve: {security: 1, owners: 1}"))
    more = found.entitlement("shop-prod", "gate:deploy+2")
    assert more is not None
    assert more.approve == {"security": 1, "owners": 3}
    assert more.role == "gate:deploy+2"
    for other in (
        "gate:deploy+",
        "gate:deploy+02",
        "gate:deploy+-1",
        "gate:deploy+x",
        "gate:",
        "gate:other",
        "gate:deploy+0",
    ):
        assert found.entitlement("shop-prod", other) is None


def test_the_groups_of_a_gate_are_looked_up_with_the_others(tmp_path: Path) -> None:
    found = policy(tmp_path, gate("approve: {oncall: 1}"), (SHOP, "requesters: [devs, oncall]", "requesters: [devs]"))
    assert "oncall" in groups_needed(found, found.environments["shop-prod"])


def test_nothing_can_be_given_by_a_gate() -> None:
    with pytest.raises(NothingToGive):
        GATE_SPEC.terms(NO_CONNECTION, "shop-prod", None, None)
    with pytest.raises(NothingToGive):
        GateTerms("gate", "").user_of({})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("approve: {owners: 3}", "nobody can decide the gate deploy of shop-prod: its groups have too few people"),
        ("approve: {requesters: 1}", "nobody can decide the gate deploy of shop-prod"),
        ("approve: {nobody: 1}", "no group 'nobody'"),
        ("approve: {}", "approve: is empty"),
        ("hours: {from: '08:00', until: '17:00'}", "'approve' is missing in 'deploy'"),
        ("approve: {owners: 1}, unknown_starter: maybe", "'maybe' is not possible here"),
        ("approve: {owners: 1}, danger: x", "no key 'danger' here"),
        ("approve: {owners: 1}, break_glass: [oncall]", "break_glass"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, words: str, sentence: str) -> None:
    assert any(sentence in line for line in problems(tmp_path, gate(words)))


def test_a_group_that_anybody_may_edit_decides_no_gate_of_production(tmp_path: Path) -> None:
    found = problems(tmp_path, gate("approve: {oncall: 1}"), (WORKSPACE, ", trusted: true", ""))
    assert any("may approve in shop-prod, but is a Slack group that is not marked as trusted" in line for line in found)


def test_one_owner_of_a_gate_of_production_is_warned_of(tmp_path: Path) -> None:
    found = warnings(
        tmp_path, gate("approve: {owners: 1}"), (WORKSPACE, "[olu@example.com, pat@example.com]", "[olu@example.com]")
    )
    assert any("one person alone decides the gate deploy of shop-prod" in line for line in found)


def test_too_few_for_a_starter_who_is_not_known_is_warned_of(tmp_path: Path) -> None:
    few = "where nobody knows who started a pipeline, the gate deploy of shop-prod has too few people"
    assert any(few in line for line in warnings(tmp_path, gate("approve: {owners: 2}")))
    assert not any(few in line for line in warnings(tmp_path, gate("approve: {owners: 2}, unknown_starter: refuse")))


CHANGES = [
    ("approve: {owners: 2}", "approve: {owners: 1}", [Kind.FEWER], "shop-prod gate deploy: approve 2 of owners -> 1 of owners"),
    (
        "approve: {owners: 1}, unknown_starter: refuse",
        "approve: {owners: 1}",
        [Kind.STARTER],
        "shop-prod gate deploy: unknown_starter refuse -> one_more",
    ),
    (
        "approve: {owners: 1}, ticket: 'OPS-[0-9]+'",
        "approve: {owners: 1}",
        [Kind.TICKET],
        "shop-prod gate deploy: no ticket any more",
    ),
    (
        "approve: {owners: 1}",
        "approve: {owners: 1}, break_glass: true",
        [Kind.BREAK_GLASS],
        "shop-prod gate deploy: break-glass opens it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "kinds", "line"), CHANGES)
def test_a_gate_that_asks_less_is_looser(tmp_path: Path, before: str, after: str, kinds: list[Kind], line: str) -> None:
    old, new = policy(tmp_path / "a", gate(before)), policy(tmp_path / "b", gate(after))
    found = loosened(old, new, NOW)
    assert [one.kind for one in found] == kinds
    assert looser(found) == (line,)
    assert loosened(new, old, NOW) == ()


def test_a_gate_that_came_is_told_and_so_is_what_changed_in_it(tmp_path: Path) -> None:
    none, one = policy(tmp_path / "a"), policy(tmp_path / "b", gate("approve: {owners: 1}"))
    two = policy(tmp_path / "c", gate("approve: {owners: 2}, unknown_starter: refuse"))
    assert difference(none, one) == ("gate shop-prod deploy added",)
    assert difference(one, none) == ("gate shop-prod deploy removed",)
    assert difference(one, two) == (
        "shop-prod gate deploy: approve +2 of owners, -1 of owners",
        "shop-prod gate deploy: unknown_starter one_more -> refuse",
    )
    assert looser(loosened(none, one, NOW)) == ("shop-prod gate deploy: gate added",)
    assert "  gate deploy: a pipeline waits for the owners' word" in list(rendered(one))


def test_a_gate_is_opened_alone_only_where_it_says_so(tmp_path: Path) -> None:
    usual = policy(tmp_path / "a", gate("approve: {owners: 1}")).environments["shop-prod"].gates["deploy"]
    opened = policy(tmp_path / "b", gate("approve: {owners: 1}, break_glass: true"))
    assert not usual.break_glass
    assert opened.environments["shop-prod"].gates["deploy"].break_glass
    assert "opened alone by whoever may use break-glass" in "\n".join(rendered(opened))


def test_a_gate_that_nobody_may_open_alone_does_not_say_that_they_may(tmp_path: Path) -> None:
    none = (SHOP, "break_glass: {who: [oncall], roles: [read-only], max_duration: 30m, review_within: 24h}\n", "")
    found = problems(tmp_path, none, gate("approve: {owners: 1}, break_glass: true"))
    assert any("the gate deploy has break_glass, and shop-prod says nobody who may use" in line for line in found)


def test_what_a_gate_gives_in_an_emergency_lasts_no_longer_than_an_emergency(tmp_path: Path) -> None:
    target = "target: {kind: aws-iam-role-policy, role: shop-deploy, policy: policies/state.json}"
    found = problems(tmp_path / "a", gate(f"approve: {{owners: 1}}, break_glass: true, {target}, for: 31m"))
    assert any(
        "'for' of the gate deploy is longer than the break_glass of shop-prod allows (30 min)" in line for line in found
    )
    policy(tmp_path / "b", gate(f"approve: {{owners: 1}}, break_glass: true, {target}, for: 30m"))
