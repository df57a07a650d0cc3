"""Several removals at once at Identity Center: one list tells how they stand, and what it does not say proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.sandbox.aws.operations import Plan
from bot.sandbox.aws.spec import EXAMPLE
from tests.contract.targets.target_rigs import FreeBuckets, terms
from workflows.core.records.target import Operation, OperationKind, OperationState, Presence, Resource
from workflows.ledger.memory import MemoryBuckets
from workflows.ledger.memory_ledger import MemoryClock
from workflows.ports import Buckets, TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.connections import Door
from workflows.targets.aws.errors import SPARED_S, Denied, TooManyUnderWay, translate
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.name_cache import THING_S
from workflows.targets.aws.removals import AGAIN_S, FRESH_S, KEPT_MAX, KEPT_S, LISTED_FOR_S, Removals
from workflows.targets.aws.targets import AwsTargets

ALONE, LIST = "DescribeAccountAssignmentDeletionStatus", "ListAccountAssignmentDeletionStatus"
GOES_ON, DONE, FAILED = OperationState.IN_PROGRESS, OperationState.SUCCEEDED, OperationState.FAILED
SET, ACCOUNT = "ReadOnlyAccess", "111122223333"


class Several:
    """Removals for several people, begun in a process whose time is the test's."""

    def __init__(self, aws: Any, count: int, buckets: Buckets | None = None) -> None:
        self.aws, self.now_s = aws, 0.0
        targets = AwsTargets(buckets or FreeBuckets(), monotonic=lambda: self.now_s)
        self.target = targets.for_terms(terms(AwsKind.IDENTITY_CENTER))
        aws.proxy.pages.tear(None)
        self.removals: list[tuple[Resource, Operation]] = []
        for resource in map(self.resource, range(count)):
            self.removals.append((resource, self.target.revoke(resource, lambda: None)))
        aws.proxy.log.reset()

    def resource(self, number: int) -> Resource:
        """Somebody's, who has it."""
        email = EXAMPLE.people[number].email
        found = self.target.resolve(terms(AwsKind.IDENTITY_CENTER), email, "PA-1")
        assert isinstance(found, Resource)
        self.aws.world.assign(email, SET, ACCOUNT)
        return found

    def poll(self, number: int) -> Operation:
        return self.target.poll(*self.removals[number])

    def states(self) -> list[OperationState]:
        return [self.poll(number).state for number in range(len(self.removals))]

    def calls(self, action: str) -> int:
        return int(self.aws.proxy.log.count(action))


def slow(aws: Any, seconds: float = 60.0) -> None:
    aws.proxy.operations.default = Plan(delay_s=seconds)


def test_one_list_tells_of_several_and_each_is_absent_then(aws: Any) -> None:
    several = Several(aws, 7)
    assert several.states() == [DONE] * 7
    assert (several.calls(LIST), several.calls(ALONE)) == (1, 0)
    assert {several.target.observe(resource).presence for resource, _ in several.removals} == {Presence.ABSENT}


def test_two_are_asked_after_one_by_one(aws: Any) -> None:
    several = Several(aws, 2)
    assert several.states() == [DONE] * 2
    assert (several.calls(LIST), several.calls(ALONE)) == (0, 2)


def test_what_goes_on_is_listed_once_for_all_and_again_a_moment_later(aws: Any) -> None:
    slow(aws)
    several = Several(aws, 7)
    assert several.states() == [GOES_ON] * 7
    assert (several.calls(LIST), several.calls(ALONE)) == (1, 0)
    several.now_s += FRESH_S + 0.01
    aws.proxy.operations.release()
    assert several.states() == [DONE] * 7
    assert (several.calls(LIST), several.calls(ALONE)) == (2, 0)


def test_one_that_failed_is_asked_after_by_itself_for_the_reason(aws: Any) -> None:
    aws.proxy.operations.plan(Plan(status="FAILED", reason="Received a 500 status error: internal error"))
    several = Several(aws, 4)
    failed = several.poll(0)
    assert (failed.state, failed.error) == (FAILED, "Received a 500 status error: internal error")
    assert several.states()[1:] == [DONE] * 3
    assert several.calls(LIST) == 1


def test_a_list_that_lags_for_ever_holds_nobody_up_for_longer_than_a_moment(aws: Any) -> None:
    """It says of all that they go on; asked after by itself each is over."""
    slow(aws)
    several = Several(aws, 4)
    several.states()
    aws.proxy.operations.release()
    aws.proxy.stale(LIST, seconds=30.0)
    several.now_s += 1.0
    assert several.states() == [GOES_ON] * 4
    several.now_s += LISTED_FOR_S
    assert several.states() == [DONE] * 4


@pytest.mark.parametrize("code", ["unavailable", "denied"])
def test_without_an_answer_each_is_asked_after_and_none_has_failed(aws: Any, code: str) -> None:
    slow(aws)
    several = Several(aws, 4)
    aws.proxy.error(code, LIST, times=99)
    assert several.states() == [GOES_ON] * 4
    assert (several.calls(LIST), several.calls(ALONE)) == (1, 4)
    several.now_s += AGAIN_S - 1
    aws.proxy.operations.release()
    assert several.states() == [DONE] * 4
    assert several.calls(LIST) == 1


def test_a_throttled_list_is_a_matter_of_waiting(aws: Any) -> None:
    several = Several(aws, 4)
    aws.proxy.throttle(LIST)
    with pytest.raises(TargetThrottled):
        several.poll(0)
    assert several.states() == [DONE] * 4
    assert several.calls(ALONE) == 0


# ---------------------------------------------------------------- as many as AWS allows


def test_where_as_many_are_under_way_as_aws_allows_no_other_begins_for_a_moment_and_looks_go_on(aws: Any) -> None:
    slow(aws)
    clock = MemoryClock(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
    several = Several(aws, 4, MemoryBuckets(clock))
    aws.proxy.quota.set(calls_per_second=None, outstanding_max=4)
    fifth = several.resource(4)
    for _ in range(3):
        with pytest.raises(TargetThrottled) as waits:
            several.target.revoke(fifth, lambda: None)
        assert waits.value.after_s <= SPARED_S
    assert several.calls("DeleteAccountAssignment") == 1, "AWS is asked once, not by each that waits"
    assert several.states() == [GOES_ON] * 4
    clock.advance(SPARED_S)
    aws.proxy.operations.release()
    assert several.target.revoke(fifth, lambda: None).state is GOES_ON


def test_a_time_that_aws_names_shuts_the_gate_for_as_long() -> None:
    said = {"Code": "ThrottlingException", "Message": "Too many outstanding operations"}
    for headers, after_s in (({"retry-after": "7"}, 7.0), ({}, SPARED_S)):
        answer: Any = {"Error": said, "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": headers}}
        found = translate(ClientError(answer, "CreateAccountAssignment"), "sso-admin CreateAccountAssignment")
        assert isinstance(found, TooManyUnderWay)
        assert found.after_s == after_s


def test_where_there_is_no_gate_a_change_under_way_holds_nobody_else_up() -> None:
    """IAM says so of one user or role."""
    door = Door(object, MemoryBuckets(MemoryClock(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))), "iam", 15.0, 15.0)
    said: Any = {"Error": {"Code": "ConcurrentModification", "Message": "Another change is in progress"}}

    def busy(_: object) -> None:
        raise ClientError(said, "PutUserPolicy")

    with pytest.raises(TargetThrottled):
        door.change("iam PutUserPolicy", lambda: None, busy)
    assert door.read("iam GetUser", lambda _: "read") == "read"


# ---------------------------------------------------------------- lists that are not as they should be


class Told:
    """Removals of which a list says `rows`, and AWS of each by itself that it goes on."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self.rows, self.now_s = dict(rows), 0.0
        self.lists, self.alone = 0, 0
        self.removals = Removals(lambda: self.now_s)
        for id_ in ("a", "b", "c"):
            self.removals.began(id_)

    def ask(self, id_: str = "a") -> OperationState:
        return self.removals.ask(id_, self._list, lambda: self._one(id_)).state

    def _list(self) -> Mapping[str, str]:
        self.lists += 1
        return self.rows

    def _one(self, id_: str) -> Operation:
        self.alone += 1
        return Operation(OperationKind.REVOKE, GOES_ON, id_)


@pytest.mark.parametrize("rows", [{}, {"of another time": "SUCCEEDED"}])
def test_a_list_without_it_proves_nothing_and_is_left_alone_for_a_while(rows: dict[str, str]) -> None:
    told = Told(rows)
    assert [told.ask(id_) for id_ in "abc"] == [GOES_ON] * 3
    assert (told.lists, told.alone) == (1, 3)
    told.now_s += AGAIN_S - 1
    told.removals.began("d")
    told.ask("d")
    assert told.lists == 1
    told.now_s += 1
    told.ask("d")
    assert told.lists == 2


@pytest.mark.parametrize("word", ["", "SUCCESS", "succeeded", "FAILED"])
def test_a_word_that_says_neither_is_no_answer(word: str) -> None:
    told = Told({"a": word, "b": "SUCCEEDED", "c": "IN_PROGRESS"})
    assert (told.ask(), told.alone) == (GOES_ON, 1)
    assert (told.ask("b"), told.ask("c"), told.lists, told.alone) == (DONE, GOES_ON, 1, 1)


def test_what_has_succeeded_has_so_for_good_whatever_later_lists_say() -> None:
    told = Told({"a": "IN_PROGRESS", "b": "SUCCEEDED", "c": "IN_PROGRESS"})
    told.removals.began("d")
    assert told.ask() is GOES_ON
    told.now_s, told.rows = 1.0, {"a": "IN_PROGRESS", "c": "IN_PROGRESS"}
    assert told.ask() is GOES_ON
    assert told.ask("b") is DONE
    assert (told.lists, told.alone) == (2, 0)


def test_one_that_failed_leaves_the_list_to_the_others() -> None:
    told = Told({"a": "FAILED", "b": "IN_PROGRESS", "c": "IN_PROGRESS"})
    assert [told.ask(id_) for id_ in "abc"] == [GOES_ON] * 3
    told.now_s += FRESH_S + 0.01
    assert (told.ask("b"), told.lists, told.alone) == (GOES_ON, 2, 1)


def test_a_list_that_others_read_does_not_keep_one_that_takes_long_from_being_asked_after() -> None:
    told = Told({id_: "IN_PROGRESS" for id_ in "abcd"})
    told.ask()
    told.now_s += LISTED_FOR_S
    assert (told.ask("d"), told.lists, told.alone) == (GOES_ON, 2, 0)
    assert (told.ask("a"), told.lists, told.alone) == (GOES_ON, 2, 1)


def test_a_list_is_of_the_moment_when_it_was_asked_for() -> None:
    told = Told({id_: "IN_PROGRESS" for id_ in "abc"})
    really = told._list

    def slowly() -> Mapping[str, str]:
        told.now_s += FRESH_S + 0.01
        return really()

    told.removals.ask("a", slowly, lambda: told._one("a"))
    told.ask("b")
    assert told.lists == 2


@pytest.mark.parametrize(("error", "pause_s"), [(Denied("no right"), THING_S), (TargetRefused("no"), AGAIN_S)])
def test_a_list_that_the_role_may_not_read_is_left_alone_for_an_hour(error: Exception, pause_s: float) -> None:
    told = Told({})
    lists = []

    def refused() -> Mapping[str, str]:
        lists.append(told.now_s)
        raise error

    for now_s in (0.0, pause_s - 1, pause_s):
        told.now_s = now_s
        for number in range(3):
            told.removals.began(f"{now_s} {number}")
        told.removals.ask(f"{now_s} 0", refused, lambda: told._one("a"))
    assert lists == [0.0, pause_s]


def test_what_is_over_counts_among_those_under_way_no_more() -> None:
    told = Told({id_: "SUCCEEDED" for id_ in "abc"})
    assert [told.ask(id_) for id_ in "abc"] == [DONE] * 3
    told.rows = {id_: "IN_PROGRESS" for id_ in "defg"}
    assert [told.ask("d"), told.ask("e")] == [GOES_ON] * 2
    assert (told.lists, told.alone) == (1, 2)
    assert (told.ask("f"), told.lists, told.alone) == (GOES_ON, 2, 2)


def test_a_list_in_doubt_does_not_put_the_removal_in_doubt() -> None:
    told = Told({})

    def torn() -> Mapping[str, str]:
        raise TargetInDoubt("half a page")

    assert told.removals.ask("a", torn, lambda: told._one("a")).state is GOES_ON


def test_no_more_is_kept_than_a_process_needs() -> None:
    told = Told({})
    for number in range(2 * KEPT_MAX):
        told.removals.began(str(number))
    assert len(told.removals._since_s) == KEPT_MAX
    told.rows = {str(number): "SUCCEEDED" for number in range(2 * KEPT_MAX)}
    assert told.ask(str(2 * KEPT_MAX - 1)) is DONE
    assert told.removals._over == told.removals._since_s.keys()
    told.now_s += KEPT_S
    told.removals.began("later")
    assert (set(told.removals._since_s), told.removals._over) == ({"later"}, set())
