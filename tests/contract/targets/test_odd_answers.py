"""Whatever AWS or what stands in its place answers, a target says nothing that is not so and raises what it may, and no more."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.targets.target_rigs import UNTIL, FreeBuckets, terms
from tests.support.canned_aws import (
    GROUP,
    INSTANCE,
    JSON,
    OPERATION,
    SET,
    STORE,
    USER,
    XML,
    Answer,
    CannedAws,
    xml_answer,
)
from tests.support.canned_aws import PERSON as DANA
from workflows.core.people import person_id
from workflows.core.records.target import Observation, Operation, OperationKind, OperationState, Presence, Resource
from workflows.core.refusal import Code, Refused
from workflows.ports import TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.odd import SPOKEN
from workflows.targets.aws.removals import AGAIN_S
from workflows.targets.aws.targets import AwsTargets
from workflows.targets.aws.terms import AwsConnection

PERSON, MAIN = person_id("dana@example.com"), AwsConnection("main", "aws", "eu-central-1")
LIST, ALONE = "ListAccountAssignmentDeletionStatus", "DescribeAccountAssignmentDeletionStatus"
SECRET = "AKIAIOSFODNN7EXAMPLE/s3cr3t"  # in an answer, to be found nowhere else
KINDS = {
    AwsKind.IDENTITY_CENTER: {"instance": INSTANCE, "account": "111122223333", "permission_set": SET, "user": USER},
    AwsKind.IDENTITY_CENTER_GROUP: {"store": STORE, "group": GROUP, "user": USER},
    AwsKind.IAM_POLICY: {"account": "111122223333", "user": "dana", "user_id": "AIDA1", "policy": "prodaccess-PA-1"},
    AwsKind.IAM_GROUP: {
        "account": "111122223333",
        "user": "dana",
        "user_id": "AIDA1",
        "group": "deployers",
        "group_id": "AGPA1",
    },
    AwsKind.IAM_ROLE_POLICY: {
        "account": "111122223333",
        "role": "orders-deploy",
        "user_id": "AROA2",
        "policy": "prodaccess-PA-1",
    },
}
UNDER_WAY = [Operation(kind, OperationState.IN_PROGRESS, OPERATION["RequestId"]) for kind in OperationKind]

Act = Callable[[Any, Resource], Any]
ACTS: dict[str, Act] = {
    "resolve": lambda target, resource: target.resolve(resource.target, PERSON, "PA-1"),
    "observe": lambda target, resource: target.observe(resource),
    "grant": lambda target, resource: target.grant(resource, UNTIL, lambda: None),
    "revoke": lambda target, resource: target.revoke(resource, lambda: None),
    "poll a grant": lambda target, resource: target.poll(resource, UNDER_WAY[0]),
    "poll a removal": lambda target, resource: target.poll(resource, UNDER_WAY[1]),
    "list_managed": lambda target, resource: list(target.list_managed(resource.target)),
}

PAGE = f"<!doctype html><html><title>Sign in</title><p>{SECRET}".encode()
XHTML = f"<html><head><title>Sign in</title></head><body><p>{SECRET}</p></body></html>".encode()
ODD = {
    "an empty object": Answer(b"{}"),
    "an empty list": Answer(b"[]"),
    "nothing": Answer(b""),
    "null": Answer(b"null"),
    "a word": Answer(f'"{SECRET}"'.encode()),
    "a number": Answer(b"7"),
    "half an answer": Answer(b'{"Instances": [{"InstanceArn": "arn'),
    "no text at all": Answer(b"\xff\xfe\x00\x80"),
    "a proxy's page": Answer(PAGE, kind="text/html", request_id=None),
    "a tidy proxy's page": Answer(XHTML, kind="text/html", request_id=None),
    "a proxy's refusal": Answer(PAGE, 403, "text/html", None),
    "a tidy proxy's refusal": Answer(XHTML, 403, "text/html", None),
    "a proxy's not found": Answer(PAGE, 404, "text/html", None),
    "a proxy's way to sign in": Answer(b"", 302, "text/html", None),
    "an error without a name": Answer(b"{}", 400),
    "an error that is a list": Answer(b"[1]", 400),
    "an error of numbers": Answer(b'{"__type": 5, "message": 7, "Reason": 3, "RetryAfterSeconds": {}}', 400),
    "no time to wait": Answer(b'{"__type": "ThrottlingException", "RetryAfterSeconds": "nan"}', 400),
}


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> CannedAws:
    return CannedAws(monkeypatch)


# Building clients is what takes time, and they hold nothing of an answer; what is remembered of names is forgotten.
@pytest.fixture(scope="module")
def shared() -> AwsTargets:
    return AwsTargets(FreeBuckets(), monotonic=lambda: 0.0)


def fresh(shared: AwsTargets, kind: AwsKind) -> tuple[Any, Resource]:
    wanted = terms(kind, **({"group": "deployers"} if kind is AwsKind.IAM_GROUP else {}))
    target = shared.for_terms(wanted)
    target.link(wanted).names._known.clear()
    return target, Resource(kind, wanted, KINDS[kind], "it", person=PERSON if "user_id" in KINDS[kind] else None)


def outcome(act: str, target: Any, resource: Resource) -> Any:
    try:
        found = ACTS[act](target, resource)
    except SPOKEN as said:
        found = said
    assert "s3cr3t" not in f"{found!r} {found}"
    if isinstance(found, TargetThrottled):
        assert 0 < found.after_s <= 60
    return found


def calls_of(canned: CannedAws, shared: AwsTargets, kind: AwsKind, act: str) -> list[str]:
    canned.calls.clear()
    target, resource = fresh(shared, kind)
    found = outcome(act, target, resource)
    assert not isinstance(found, Exception), found
    return list(dict.fromkeys(canned.calls))


def looked(found: Any) -> list[Observation]:
    return found if isinstance(found, list) else [found]


def sensible(found: Any) -> None:
    """What a target says can be kept on record, and it is nothing that the truth (it is there) contradicts."""
    if isinstance(found, Resource):
        assert all(isinstance(value, str) and value for value in found.ids.values())
        assert found.session_s is None or 0 <= found.session_s <= 12 * 3600
    if isinstance(found, Operation):
        assert found.id is None or isinstance(found.id, str)
        assert found.error is None or isinstance(found.error, str)
        assert found.state is not OperationState.IN_PROGRESS or found.id
    if isinstance(found, Observation):
        assert found.presence is not Presence.ABSENT
    if isinstance(found, Refused):
        assert found.code not in (Code.TARGET_PERSON_MISSING, Code.TARGET_THING_MISSING)


CASES = [(kind, act) for kind in KINDS for act in ACTS]


@pytest.mark.parametrize(("kind", "act"), CASES, ids=lambda each: str(each))
def test_the_true_answers_are_understood(canned: CannedAws, shared: AwsTargets, kind: AwsKind, act: str) -> None:
    target, resource = fresh(shared, kind)
    found = outcome(act, target, resource)
    assert not isinstance(found, Exception | Refused), found
    if act == "observe":
        assert found.presence is Presence.PRESENT
    if act == "resolve":
        assert found.ids == resource.ids
    if act.startswith("poll") and kind is AwsKind.IDENTITY_CENTER:
        assert found.state is OperationState.SUCCEEDED


@pytest.mark.parametrize(("kind", "act"), CASES, ids=lambda each: str(each))
def test_an_odd_answer_to_any_call_is_in_doubt(canned: CannedAws, shared: AwsTargets, kind: AwsKind, act: str) -> None:
    for action in calls_of(canned, shared, kind, act):
        for name, answer in ODD.items():
            canned.answers = {action: answer}
            target, resource = fresh(shared, kind)
            found = outcome(act, target, resource)
            # AWS answers these with an empty object, and gives the request a number.
            if action == "DeleteGroupMembership" and answer.request_id and answer.status == 200:
                continue
            allowed = isinstance(found, SPOKEN) and not isinstance(found, TargetRefused)
            assert allowed or all(seen.presence is Presence.UNKNOWN for seen in looked(found)), (action, name, found)


def test_an_odd_list_of_removals_holds_none_of_them_up(canned: CannedAws) -> None:
    """Each is asked after by itself, in the same look, and the list is left alone for a while."""
    now_s = 0.0
    targets = AwsTargets(FreeBuckets(), monotonic=lambda: now_s)
    target, resource = fresh(targets, AwsKind.IDENTITY_CENTER)
    removals = target.link(resource.target).removals
    for name in [each for each in ODD if each != "no time to wait"]:
        now_s += AGAIN_S
        for number in range(3):
            removals.began(f"{name} {number}")
        canned.answers, canned.calls = {LIST: ODD[name]}, []
        for _ in range(2):
            assert outcome("poll a removal", target, resource).state is OperationState.SUCCEEDED, name
        assert canned.calls == [LIST, ALONE, ALONE], name


def test_a_changing_call_that_is_answered_oddly_may_have_had_its_effect(canned: CannedAws, shared: AwsTargets) -> None:
    changing = re.compile("(Create|Delete|Put|Add|Remove).*")
    for kind in KINDS:
        for act in ("grant", "revoke"):
            (action,) = filter(changing.fullmatch, calls_of(canned, shared, kind, act))
            canned.answers = {action: ODD["a proxy's page"]}
            assert isinstance(outcome(act, *fresh(shared, kind)), TargetInDoubt)
            canned.answers = {}


# ---------------------------------------------------------------- one part of an answer is odd


def changes(value: Any) -> Iterator[Any]:
    """The answer with one part of it gone, or of another kind. A list with fewer entries is an honest answer."""
    for path in paths(value):
        for odd in (7, None, {}, [], "7", True, [None], REMOVED):
            changed = copy.deepcopy(value)
            *way, last = path
            inner = changed
            for step in way:
                inner = inner[step]
            if odd is REMOVED and isinstance(last, str):
                del inner[last]
            elif odd is REMOVED or (type(odd) is type(inner[last]) and odd in ([], "7", True)):
                continue
            else:
                inner[last] = odd
            yield path, changed


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (key,)
        yield from ((key, *rest) for rest in paths(inner))


REMOVED = object()
# Without these nothing is known of somebody, and that is honest: no e-mail, or not the primary one.
HONEST = ("Emails", "UserName", "Value", "Primary")


@pytest.mark.parametrize(
    ("kind", "act"), [case for case in CASES if "IAM" not in case[0].name], ids=lambda each: str(each)
)
def test_an_answer_with_one_odd_part_proves_nothing_wrong(
    canned: CannedAws, shared: AwsTargets, kind: AwsKind, act: str
) -> None:
    for action in calls_of(canned, shared, kind, act):
        for path, changed in changes(JSON[action]):
            canned.answers = {action: Answer(json.dumps(changed).encode())}
            found = outcome(act, *fresh(shared, kind))
            if not isinstance(found, SPOKEN) and not any(step in HONEST for step in path):
                sensible(found)


@pytest.mark.parametrize(("kind", "act"), [case for case in CASES if "IAM" in case[0].name], ids=lambda each: str(each))
def test_an_answer_of_iam_without_one_part_proves_nothing_wrong(
    canned: CannedAws, shared: AwsTargets, kind: AwsKind, act: str
) -> None:
    for action in calls_of(canned, shared, kind, act):
        for tag in dict.fromkeys(re.findall(r"<(\w+)>", XML[action])):
            without = re.sub(rf"<{tag}>.*</{tag}>", "", XML[action], flags=re.DOTALL)
            canned.answers = {action: xml_answer(action, without)}
            found = outcome(act, *fresh(shared, kind))
            # A list without entries, and a user without the tag, are honest.
            if not isinstance(found, SPOKEN) and tag not in ("member", "Tags", "Key", "Value"):
                sensible(found)


@pytest.mark.parametrize("word", ["SUCCESS", "", "in_progress", None, 3, "IN_PROGRESS "])
@pytest.mark.parametrize("act", ["grant", "revoke", "poll a grant", "poll a removal"])
def test_a_state_that_aws_has_not_is_in_doubt(canned: CannedAws, shared: AwsTargets, act: str, word: object) -> None:
    for action in calls_of(canned, shared, AwsKind.IDENTITY_CENTER, act):
        true = JSON[action]
        status = {key: {**inner, "Status": word} for key, inner in true.items()}
        canned.answers = {action: Answer(json.dumps(status).encode())}
        assert isinstance(outcome(act, *fresh(shared, AwsKind.IDENTITY_CENTER)), TargetInDoubt)


def test_an_operation_that_cannot_be_asked_about_is_in_doubt(canned: CannedAws, shared: AwsTargets) -> None:
    for act, action in (("grant", "CreateAccountAssignment"), ("revoke", "DeleteAccountAssignment")):
        (key,) = JSON[action]
        canned.answers = {action: Answer(json.dumps({key: {"Status": "IN_PROGRESS"}}).encode())}
        assert isinstance(outcome(act, *fresh(shared, AwsKind.IDENTITY_CENTER)), TargetInDoubt)


def test_aws_leaving_out_the_group_that_was_asked_about_is_in_doubt(canned: CannedAws, shared: AwsTargets) -> None:
    canned.answers = {"IsMemberInGroups": Answer(b'{"Results": []}')}
    assert isinstance(outcome("observe", *fresh(shared, AwsKind.IDENTITY_CENTER_GROUP)), TargetInDoubt)


def test_what_was_odd_is_named(canned: CannedAws, shared: AwsTargets) -> None:
    held = {"AccountAssignments": [{**JSON["ListAccountAssignments"]["AccountAssignments"][0], "PrincipalId": 5}]}
    canned.answers = {"ListAccountAssignmentsForPrincipal": Answer(json.dumps(held).encode())}
    said = outcome("observe", *fresh(shared, AwsKind.IDENTITY_CENTER))
    assert "ListAccountAssignmentsForPrincipal" in str(said)
    assert "PrincipalId is a number and not a text" in str(said)
    canned.answers = {"ListInstances": Answer(b"{}")}
    assert "it lacks Instances" in str(outcome("resolve", *fresh(shared, AwsKind.IDENTITY_CENTER)))


@pytest.mark.parametrize(
    ("said", "seconds"), [(None, 3600), (3600, 3600), ("PT90M", 5400), ("soon", 43200), (-1, 43200)]
)
def test_a_session_of_any_spelling_is_told_and_never_too_short(
    canned: CannedAws, shared: AwsTargets, said: object, seconds: int
) -> None:
    described = {"Name": "ReadOnlyAccess", "PermissionSetArn": SET} | (
        {} if said is None else {"SessionDuration": said}
    )
    canned.answers = {"DescribePermissionSet": Answer(json.dumps({"PermissionSet": described}).encode())}
    found = outcome("resolve", *fresh(shared, AwsKind.IDENTITY_CENTER))
    assert found.session_s == seconds


def test_a_policy_of_another_shape_is_there_and_changed(canned: CannedAws, shared: AwsTargets) -> None:
    for text in ("%5B1%5D", "%7B%7D", "7", "%22x%22"):
        inside = re.sub(
            "<PolicyDocument>.*</PolicyDocument>", f"<PolicyDocument>{text}</PolicyDocument>", XML["GetUserPolicy"]
        )
        canned.answers = {"GetUserPolicy": xml_answer("GetUserPolicy", inside)}
        found = outcome("observe", *fresh(shared, AwsKind.IAM_POLICY))
        assert isinstance(found, TargetInDoubt) or (found.presence, found.until) == (Presence.PRESENT, None)


def test_members_of_a_policys_group_are_known_or_in_doubt(canned: CannedAws, shared: AwsTargets) -> None:
    for action in ("ListInstances", "GetGroupId", "ListGroupMemberships", "DescribeUser"):
        for name, answer in ODD.items():
            canned.answers = {action: answer}
            shared.for_terms(terms(AwsKind.IDENTITY_CENTER)).link(terms(AwsKind.IDENTITY_CENTER)).names._known.clear()
            with pytest.raises(SPOKEN) as caught:
                shared.groups.members(MAIN, "g")
            assert not isinstance(caught.value, TargetRefused), (action, name)


ODD_ROWS = [
    {**DANA, "UserId": "u-odd", "Emails": 7},
    {**DANA, "UserId": "u-odd", "Emails": [7]},
    {"UserName": "somebody"},
    {"UserId": 7},
    [],
    "u-odd",
]


@pytest.mark.parametrize("row", ODD_ROWS, ids=str)
def test_one_odd_user_is_dropped_from_a_list_and_the_others_stand(
    canned: CannedAws, shared: AwsTargets, row: Any
) -> None:
    canned.answers = {"ListUsers": Answer(json.dumps({"Users": [row, DANA]}).encode())}
    found = outcome("resolve", *fresh(shared, AwsKind.IDENTITY_CENTER))
    assert found.ids["user"] == USER


@pytest.mark.parametrize("row", ODD_ROWS, ids=str)
def test_nobody_is_missing_from_a_list_with_a_user_who_cannot_be_read(
    canned: CannedAws, shared: AwsTargets, row: Any
) -> None:
    """They may be that one."""
    unknown = Answer(json.dumps({"__type": "ResourceNotFoundException"}).encode(), status=400)
    canned.answers = {"ListUsers": Answer(json.dumps({"Users": [row]}).encode()), "GetUserId": unknown}
    found = outcome("resolve", *fresh(shared, AwsKind.IDENTITY_CENTER))
    assert isinstance(found, TargetInDoubt)
    assert "cannot be read" in str(found)
    canned.answers["ListUsers"] = Answer(json.dumps({"Users": []}).encode())
    assert isinstance(outcome("resolve", *fresh(shared, AwsKind.IDENTITY_CENTER)), Refused)


def test_a_member_who_cannot_be_read_in_the_list_is_asked_for_and_else_the_group_is_not_known(
    canned: CannedAws, shared: AwsTargets
) -> None:
    many = [{"MembershipId": f"m-{n}", "GroupId": "g-1", "MemberId": {"UserId": f"u-{n}"}} for n in range(12)]
    users = [{"UserId": f"u-{n}", "UserName": f"u{n}", "Emails": [{"Value": f"u{n}@example.com"}]} for n in range(12)]
    listed = {"ListGroupMemberships": Answer(json.dumps({"GroupMemberships": many}).encode())}
    odd = {**users[0], "Emails": 7}
    listed |= {"ListUsers": Answer(json.dumps({"Users": [odd, *users[1:]]}).encode())}
    for described, known in ((users[0], 12), (odd, None)):
        canned.answers = {**listed, "DescribeUser": Answer(json.dumps(described).encode())}
        forget(shared)
        if known is None:
            with pytest.raises(TargetInDoubt):
                shared.groups.members(MAIN, "g")
        else:
            assert len(shared.groups.members(MAIN, "g").addresses) == known


def forget(shared: AwsTargets) -> None:
    target = shared.for_terms(terms(AwsKind.IDENTITY_CENTER))
    target.link(terms(AwsKind.IDENTITY_CENTER)).names._known.clear()  # type: ignore[attr-defined]


def test_a_bucket_that_cannot_be_asked_is_a_matter_of_waiting(canned: CannedAws) -> None:
    class Broken(FreeBuckets):
        def take(self, name: str, **_: Any) -> float:
            raise RuntimeError(name)

    targets = AwsTargets(Broken())
    for kind in KINDS:
        for act in ("resolve", "observe", "grant", "revoke", "list_managed"):
            found = outcome(act, *fresh(targets, kind))
            assert type(found).__name__ == "TargetThrottled"
    assert canned.calls == []
