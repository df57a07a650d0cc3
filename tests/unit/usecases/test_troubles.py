"""Where a failure becomes an outcome: told, alarmed, listed, tried again, and over when it comes off."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient

from bot import jobs
from bot.chat.actions.deferred import Deferred, defer
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.intake import Intake
from bot.chat.actions.open_form import FormOpener
from bot.chat.health import troubles
from bot.chat.interaction import COMMAND, Interaction
from bot.clock import Ticker
from bot.observability import metrics, readiness
from bot.queues import job_of
from bot.slack import failures
from bot.slack.app import Listeners
from bot.slack.surface import Slack
from tests.support import build
from tests.support.chat import RECEIPTS
from tests.support.outside import Outside, Unheard, methods_of, no_jobs_left
from tests.support.world import World
from workflows.core import keys
from workflows.core.identity import Account
from workflows.core.records.chat import Press
from workflows.ports import (
    DirectoryRefresher,
    DirectoryUnreachable,
    PolicySource,
    PolicyUnavailable,
    Target,
    TargetInDoubt,
    TargetRefused,
)
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.shared.context import Outcome
from workflows.usecases.shared.outside import SureOrigin, SurePolicy, SureRefresher, SureTargets, SureWake
from workflows.usecases.shared.troubles import Failure, forget_what_is_over, note, over, pause, standing

TEMPLATE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
FAULT = Failure("something went wrong on my side (error E-7F3K2)")
SILENCE = Failure("AWS did not answer")


@pytest.fixture
def world() -> Iterator[Outside]:
    with no_jobs_left():
        yield Outside()


def fails(*_: object, **__: object) -> Any:
    raise Unheard("at any call")


# ---------------------------------------------------------------- what is outside answers as its port says


class Broken:
    """Raises, or answers in another shape, at whatever is asked."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return self._answer() if name == "tells_ours_apart" else self._answer

    def __call__(self, *_: object) -> Any:
        return self._answer()


def asked(port: Any, method: str) -> None:
    """Ask it by this method, or for this property."""
    found = getattr(port, method)
    found(*[None] * len(inspect.signature(found).parameters))


PORTS: dict[type, tuple[Callable[[Any, Any], Any], type[Exception]]] = {
    Target: (
        lambda it, fault: SureTargets(SimpleNamespace(for_terms=lambda _: it), fault).for_terms(None),  # type: ignore[arg-type]
        TargetInDoubt,
    ),
    DirectoryRefresher: (SureRefresher, DirectoryUnreachable),
    PolicySource: (SurePolicy, PolicyUnavailable),
}


@pytest.mark.parametrize("answer", [fails, lambda *_, **__: 42])
@pytest.mark.parametrize(
    ("port", "method"), [(port, name) for port in PORTS for name in sorted(methods_of(port))], ids=str
)
def test_a_port_raises_its_own_exceptions_alone(port: type, method: str, answer: Callable[..., Any]) -> None:
    make, own = PORTS[port]
    faults: list[BaseException] = []
    sure = make(Broken(answer), lambda _what, problem, **_: faults.append(problem) or "E-7F3K2")
    with pytest.raises(own, match=r"something went wrong on my side \(error E-7F3K2\)"):
        asked(sure, method)
    assert len(faults) == 1


def test_what_a_port_names_goes_through_as_it_is() -> None:
    def refuses(*_: object) -> None:
        raise TargetRefused("no")

    sure = PORTS[Target][0](Broken(refuses), fails)
    with pytest.raises(TargetRefused):
        sure.observe(None)


def test_a_target_that_cannot_even_be_found_is_in_doubt() -> None:
    sure = SureTargets(SimpleNamespace(for_terms=fails), lambda *_, **__: "E-7F3K2")  # type: ignore[arg-type]
    with pytest.raises(TargetInDoubt):
        sure.for_terms(None).observe(None)  # type: ignore[arg-type]


def test_a_wake_up_never_raises_and_nothing_is_proved_of_a_channel_that_fails() -> None:
    faults: list[BaseException] = []
    fault = lambda _what, problem, **_: faults.append(problem) or "E-7F3K2"  # noqa: E731 - a Fault
    SureWake(fails, fault)("chat:PA-1")  # type: ignore[arg-type]
    origin = SimpleNamespace()
    assert SureOrigin(fails, fault)(None, origin) is origin  # type: ignore[arg-type, comparison-overlap]
    assert len(faults) == 2


def test_a_context_makes_sure_of_all_that_is_outside() -> None:
    ctx = World().ctx
    made = {name: type(getattr(ctx, name)) for name in ("targets", "refresher", "policy", "wake", "prove_origin")}
    assert set(made.values()) == {SureTargets, SureRefresher, SurePolicy, SureWake, SureOrigin}
    assert replace(ctx).targets is not ctx.targets


# ---------------------------------------------------------------- counted, told, alarmed


def test_the_person_is_told_the_second_time_and_those_who_run_it_the_third(world: Outside) -> None:
    id_ = world.ask().id
    item = keys.request(id_)
    heard = []
    for _ in range(3):
        note(world.ctx, item, FAULT)
        world.show()
        heard.append((len(world.slack.told("UDANA")), len(world.slack.told(RECEIPTS)), len(world.slack.told("USUE"))))
    assert heard == [(0, 0, 0), (1, 0, 0), (1, 1, 1)]
    (told,) = world.slack.told("UDANA")
    assert "PA-1" in told
    assert "error E-7F3K2" in told
    assert "Nobody has been asked to approve it yet" in told
    (alarm,) = world.slack.told(RECEIPTS)
    assert "the next step of PA-1" in alarm
    assert "error E-7F3K2" in alarm


def failing(world: Outside, item: str, failure: Failure = FAULT, times: int = 3) -> None:
    for _ in range(times):
        note(world.ctx, item, failure)
    world.show()


TOLD = ("UDANA", "UNIA", "UOLU", "UPAT", "USUE", "UGUS", RECEIPTS)


def told_whom(world: Outside, words: str = "") -> set[str]:
    return {place for place in TOLD if any(words in text for text in world.slack.told(place))}


def given(world: Outside, **changes: Any) -> str:
    """Asked, looked up and approved; nobody has given it yet."""
    id_ = world.ask(**changes).id
    world.run(keys.request(id_))
    assert isinstance(world.approve(id_), Outcome)
    return id_


def test_owners_hear_of_what_fails_in_what_they_own_and_the_holder_of_theirs(world: Outside) -> None:
    id_ = given(world)
    failing(world, f"holding:{world.grant(id_).holding}")
    assert told_whom(world, "error E-7F3K2") == {"UDANA", "UOLU", "UPAT", "USUE", RECEIPTS}
    (to_owner,) = [text for text in world.slack.told("UOLU") if "error E-7F3K2" in text]
    assert "in what you own or decide" in to_owner
    assert f"{id_} (read-only in `payments-prod`)" in to_owner
    assert "It is not open yet" in to_owner
    assert "`/prodaccess show ID`" in to_owner
    assert "logs of" not in to_owner, "what only who runs this can do"


def test_who_would_have_to_approve_hears_of_an_ask_of_which_nobody_can_be_told(world: Outside) -> None:
    id_ = world.ask().id
    failing(world, keys.chat(id_))
    assert told_whom(world, "essages about") == {"UDANA", "UOLU", "UPAT", "USUE", RECEIPTS}


def test_an_owner_who_waits_for_it_themselves_is_told_once(world: Outside) -> None:
    id_ = world.ask(build.OLU).id
    failing(world, keys.request(id_))
    assert len(world.slack.told("UOLU")) == 1
    assert "Nobody has been asked" in world.slack.told("UOLU")[0]
    assert told_whom(world) == {"UOLU", "UPAT", "USUE", RECEIPTS}


def test_an_owner_hears_of_theirs_alone_and_that_it_is_over_while_something_else_goes_on(world: Outside) -> None:
    item = keys.request(world.ask().id)
    failing(world, "process:refresh")
    assert told_whom(world) == {"UPAT", "USUE", RECEIPTS}
    failing(world, item)
    (to_owner,) = world.slack.told("UOLU")
    assert "groups" not in to_owner
    assert "2 things fail" in world.slack.told("USUE")[0]
    over(world.ctx, item)
    world.show()
    assert world.slack.told("UOLU") == ["✔︎ What I called you for is over, or others see to it now."]
    assert "Something fails" in world.slack.told("USUE")[0]


def test_a_policy_that_cannot_be_read_does_not_say_that_an_alarm_is_over(world: Outside) -> None:
    failing(world, keys.request(world.ask().id))
    before = world.slack.told(RECEIPTS)
    readable, world.policy.current = world.policy.current, fails  # type: ignore[method-assign]
    world.sender.show("troubles")
    world.policy.current = readable  # type: ignore[method-assign]
    assert world.slack.told(RECEIPTS) == before


@pytest.mark.parametrize(
    ("kind", "said", "never"),
    [
        ("warn", "ends as agreed all the same", "delayed: something went wrong on my side (error E-7F3K2). What"),
        ("end", "The access may still be open", "ends on time"),
        ("review", "access that is open ends on time", "may still"),
        ("chat", "`/prodaccess show PA-1` tells how it stands", "ends on time"),
    ],
)
def test_whoever_has_access_hears_what_a_trouble_of_theirs_means(
    world: Outside, kind: str, said: str, never: str
) -> None:
    failing(world, f"{kind}:{given(world)}", times=2)
    (told,) = [text for text in world.slack.told("UDANA") if "error E-7F3K2" in text]
    assert said in told
    assert never not in told


def test_a_later_end_that_does_not_come_is_not_called_access_that_is_not_open(world: Outside) -> None:
    target = AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=TEMPLATE)
    world.policy.policy = build.policy(build.environment(build.entitlement(target=target)))
    world.activate()
    id_ = given(world)
    world.lives(8)
    more = world.extend(id_).id  # type: ignore[union-attr]  # it was taken
    world.run(keys.request(more))
    assert isinstance(world.approve(more), Outcome)
    failing(world, f"holding:{world.grant(id_).holding}", times=2)
    (told,) = [text for text in world.slack.told("UDANA") if "error E-7F3K2" in text]
    assert f"More time for {more}" in told
    assert "The later end does not hold yet" in told


def test_silence_of_the_other_side_has_to_last_before_anybody_is_called(world: Outside) -> None:
    item = keys.request(world.ask().id)
    for _ in range(4):
        note(world.ctx, item, SILENCE)
        world.tick(2)
        world.show()
    assert (world.slack.told("UDANA"), world.slack.told(RECEIPTS)) == ([], [])
    world.tick(4)
    note(world.ctx, item, SILENCE)
    world.show()
    assert (len(world.slack.told("UDANA")), world.slack.told(RECEIPTS)) == (1, [])
    for _ in range(6):
        world.tick(10)
        note(world.ctx, item, SILENCE)
        world.show()
    assert len(world.slack.told(RECEIPTS)) == 1


def test_what_was_told_is_edited_when_it_is_over_and_the_next_alarm_is_a_new_one(world: Outside) -> None:
    item = keys.request(world.ask().id)
    for _ in range(3):
        note(world.ctx, item, FAULT)
    world.show()
    over(world.ctx, item)
    world.show()
    assert world.slack.told("UDANA") == ["✔︎ What delayed this is over."]
    assert world.slack.told(RECEIPTS) == ["✔︎ What failed is over."]
    world.tick(60)
    for _ in range(3):
        note(world.ctx, item, FAULT)
    world.show()
    assert len(world.slack.told(RECEIPTS)) == 2
    assert "again and again" in world.slack.told(RECEIPTS)[-1]


def test_many_that_fail_are_one_alarm(world: Outside) -> None:
    for number in range(40):
        for _ in range(3):
            note(world.ctx, f"request:PA-{number + 1}", FAULT)
    world.show()
    (alarm,) = world.slack.told(RECEIPTS)
    assert "40 things fail" in alarm
    assert "and 30 more" in alarm


def test_that_a_trouble_cannot_be_told_is_not_told(world: Outside) -> None:
    for _ in range(5):
        note(world.ctx, keys.chat("troubles"), FAULT)
        note(world.ctx, keys.chat("trouble-request:PA-1"), FAULT)
    assert not [item for item in world.ledger.due if "trouble-chat" in item]


def test_what_does_not_fail_again_leaves_the_list_by_itself(world: Outside) -> None:
    note(world.ctx, "request:PA-1", FAULT)
    forget_what_is_over(world.ctx)
    assert [trouble.item for trouble in standing(world.ctx)] == ["request:PA-1"]
    world.tick(40)
    forget_what_is_over(world.ctx)
    assert (standing(world.ctx), world.ledger.members(keys.TROUBLES)) == ((), [])
    note(world.ctx, "request:PA-1", FAULT)
    assert standing(world.ctx)[0].failures == 1


@pytest.mark.parametrize(
    ("item", "pauses"),
    [
        ("holding:H-1", [3, 6, 12, 24, 30, 30]),
        ("warn:PA-1", [3, 6, 12, 24, 48, 96]),
        ("chat:PA-1", [3, 6, 12, 24, 48, 60]),
    ],
)
def test_pauses_grow_to_half_a_minute_for_holdings_and_to_minutes_for_others(item: str, pauses: list[int]) -> None:
    assert [pause(item, failures).total_seconds() for failures in range(1, 7)] == pauses
    assert pause("warn:PA-1", 1000) == timedelta(minutes=5)


def test_a_job_that_fails_is_no_exception_of_the_queue_and_comes_again_with_pauses(
    world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "warn", fails)
    for after_s in (3, 6, 12):
        jobs.warn_holder("PA-1")
        assert world.ledger.due["warn:PA-1"] - world.clock.now().timestamp() == after_s
    assert standing(world.ctx)[0].failures == 3


def test_every_job_goes_through_the_one_place(world: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(jobs, "attempt", lambda _ctx, item, _do: seen.append(item))
    for kind in jobs_by_kind():
        world.job(f"{kind}:PA-1")
    assert seen == [f"{kind}:PA-1" for kind in jobs_by_kind()]


def jobs_by_kind() -> list[str]:
    from bot.queues import JOBS

    return list(JOBS)


def test_a_job_without_a_ledger_is_a_line_in_the_log(world: Outside) -> None:
    world.ledger.unreachable = "Redis hangs"
    jobs.warn_holder("PA-1")
    assert world.faults == []


# ---------------------------------------------------------------- for those who run it


def test_readyz_lists_what_has_failed_three_times_and_one_broken_look_hides_no_other(world: Outside) -> None:
    for times, id_ in ((2, "PA-1"), (3, "PA-2")):
        for _ in range(times):
            note(world.ctx, f"request:{id_}", FAULT)

    def broken() -> list[str]:
        raise AttributeError("policy")

    found = readiness.reasons(lambda: troubles(world.ctx), broken, lambda: ["Slack is away"])
    assert f"the next step of PA-2: {FAULT.words}; tried 3 times" in found
    assert not [sentence for sentence in found if "PA-1" in sentence]
    assert [sentence for sentence in found if sentence.startswith("a look at what is missing failed (error E-")]
    assert found[-1] == "Slack is away"


def test_metrics_count_what_should_not_have_happened_and_what_fails_now(world: Outside) -> None:
    note(world.ctx, "request:PA-1", FAULT)
    redis: Any = SimpleNamespace(llen=lambda _: 0)
    faults: Any = SimpleNamespace(counts=lambda: {"a target failed": 7})
    collected = {one.name: one for one in metrics.LedgerMetrics(world.ctx, redis, faults).collect()}
    assert [(it.labels, it.value) for it in collected["prodaccess_failures"].samples] == [
        ({"what": "a target failed"}, 7.0)
    ]
    assert [(it.labels, it.value) for it in collected["prodaccess_troubles"].samples] == [({"kind": "request"}, 1.0)]


# ---------------------------------------------------------------- the clock


class Due:
    def __init__(self, items: list[str]) -> None:
        self.items, self.broken = items, False

    def lead(self, _token: str) -> bool:
        return True

    def claim(self, _token: str) -> list[str]:
        return fails() if self.broken else self.items


def ticker(world: Outside, items: list[str]) -> tuple[Ticker, Any, list[str]]:
    sent: list[str] = []

    def send(item: str) -> None:
        return fails() if item.startswith("strange") else sent.append(item)

    parts: Any = SimpleNamespace(
        context=world.ctx,
        due=Due(items),
        token="t",
        monotonic_s=world.clock.monotonic,
        settings=SimpleNamespace(redis_durability="verify"),
        wake=SimpleNamespace(send=send, waiting=lambda: 0),
        policy=SimpleNamespace(current=fails),
    )
    return Ticker(parts), parts, sent


def test_an_item_that_cannot_be_sent_stops_no_other_one_and_a_broken_policy_none(world: Outside) -> None:
    clock, _, sent = ticker(world, ["strange:X", "end:PA-1", "strange:Y", "end:PA-2"])
    clock.tick()
    assert sent == ["end:PA-1", "end:PA-2"]
    assert clock.healthy()
    world.tick(3)
    clock.tick()
    broken = {"process:clock policy", "process:clock retention"}
    assert {trouble.item for trouble in standing(world.ctx)} == {*broken, "process:clock wake-ups"}


def test_the_clock_looks_again_soon_after_it_has_found_something_and_rests_where_nothing_is_due(world: Outside) -> None:
    busy, _, _ = ticker(world, ["end:PA-1"])
    idle, _, _ = ticker(world, [])
    assert busy.tick() < idle.tick() == 0.2


@pytest.mark.parametrize("strange", ["later:PA-1", "trouble:PA-1", "x", "", "END:PA-1", "é" * 500])
def test_an_item_that_only_another_version_knows_is_named_and_no_failure_of_wake_ups(
    world: Outside, strange: str
) -> None:
    clock, parts, _ = ticker(world, [strange, "end:PA-1"])
    sent: list[tuple[str, str]] = []
    parts.wake.send = lambda item: sent.append(job_of(item))
    for _ in range(4):
        clock.tick()
        world.tick(5)
    assert {name for _, name in sent} == {"bot.jobs.end_grant"}
    assert "process:clock wake-ups" not in {trouble.item for trouble in standing(world.ctx)}
    ((what, why),) = world.ctx.unreadable.take().items()
    assert what.startswith("item:")
    assert strange[:20] in why


def test_the_clock_asks_for_a_look_at_the_holders_once_a_minute_while_there_are_any(world: Outside) -> None:
    clock, _, _ = ticker(world, [])
    world.tick(61)
    clock.tick()
    assert keys.LEAVERS not in world.ledger.due
    world.active()
    clock.tick()
    assert keys.LEAVERS not in world.ledger.due, "not yet a minute"
    world.tick(61)
    clock.tick()
    assert keys.LEAVERS in world.ledger.due


def test_a_clock_that_finds_nothing_any_more_lives_on_and_says_that_it_is_not_well(world: Outside) -> None:
    clock, parts, sent = ticker(world, ["end:PA-1"])
    parts.due.broken = True
    for _ in range(5):
        clock.tick()
        world.tick(1)
    assert not clock.healthy()
    world.show()
    assert "finding what is due" in world.slack.told(RECEIPTS)[0]
    parts.due.broken = False
    clock.tick()
    assert clock.healthy()
    assert sent == ["end:PA-1"]


# ---------------------------------------------------------------- acts of people


def test_a_deferred_act_that_fails_is_told_at_once_and_not_done_again(world: Outside) -> None:
    act = Interaction("command:1", COMMAND, Account("slack", "T1", "UDANA"), text="mine")
    desk: Any = SimpleNamespace(carry_out=fails)
    refresher: Any = SimpleNamespace(refresh_person=lambda *_: None, find=lambda *_: None)
    deferred = Deferred(world.ctx, desk, refresher, Slack(world.slack), "/prodaccess")
    defer(world.ctx, act)
    (item,) = [name for name in world.ledger.due if name.startswith("press:")]
    deferred.decide(item.removeprefix("press:"))
    (told,) = world.slack.told("UDANA")
    assert "error E-" in told
    assert world.ledger.read(item).get(item, Press) is None


FORM_BLOCKS = [{"type": "section", "block_id": "s"}, {"type": "input", "block_id": "reason"}]
BODIES: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "a command": ({"command": "/prodaccess", "user_id": "UDANA", "team_id": "T1"}, {"response_type": "ephemeral"}),
    "a form": (
        {"type": "view_submission", "user": {"id": "UDANA"}, "view": {"blocks": FORM_BLOCKS}},
        {"response_action": "errors"},
    ),
    "a menu": ({"type": "block_suggestion", "user": {"id": "UDANA"}}, {"options": []}),
    "a press": ({"type": "block_actions", "user": {"id": "UDANA"}}, None),
    "an event": ({"event": {"type": "user_change", "user": {"id": "UDANA"}}}, None),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_listener_that_fails_answers_slack_and_the_person(world: Outside, what: str) -> None:
    body, expected = BODIES[what]
    answer = failures.acknowledged(body, "E-7F3K2")
    assert answer.status == 200
    said = json.loads(answer.body) if answer.body else None
    assert (said is None) == (expected is None)
    if expected is not None and said is not None:
        assert expected.items() <= said.items()
    told = failures.to_be_told(body)
    in_the_answer = bool(answer.body) and "E-7F3K2" in answer.body
    # In the answer, or by a message; of a menu's suggestions and of events nobody waits to hear.
    assert in_the_answer or (told is not None and told.who.user == "UDANA") == (what == "a press")


def test_each_listener_that_raises_is_caught_by_the_one_handler(
    world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("command", "press", "form_sent", "shortcut", "home_opened", "options"):
        monkeypatch.setattr(Listeners, name, lambda _self, body: fails(body))
    desk = Dispatcher(world.ctx, "/prodaccess")
    slack = Slack(world.slack)
    intake = Intake(world.ctx, desk, slack)
    listeners = Listeners(desk, intake, FormOpener(desk, slack, world.refresher), world.refresher)
    monkeypatch.setattr(intake._afterwards, "submit", lambda run: run())
    app = App(
        client=WebClient("xoxb-" + "test"),
        signing_secret="s",
        request_verification_enabled=False,
        token_verification_enabled=False,
        authorize=lambda: None,
        process_before_response=True,
    )
    app._middleware_list = []
    listeners.register(app)
    payload = {"command": "/prodaccess", "user_id": "UDANA", "team_id": "T1", "trigger_id": "1.2"}
    answer = app.dispatch(BoltRequest(body=payload, mode="socket_mode"))
    assert answer.status == 200
    assert "error E-" in answer.body
    assert [trouble.item for trouble in standing(world.ctx)] == ["act:command"]
