"""What comes to `/github/events`: nothing unsigned is read, and of what is signed no word is taken for an address."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.forge.door import BODY_BYTES_MAX, EventsDoor
from bot.forge.message import Odd, is_signed, wait_of
from bot.gate import strict_json
from bot.settings import Settings
from bot.settings.secret import Secret
from bot.wiring.web import _unheard
from tests.support import github
from tests.support.forge import Held, holding, ruled
from workflows.ports import LedgerUnreachable

API = "https://api.github.com"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Held]:
    with holding(tmp_path) as found:
        yield found


def message(world: Held, **changed: Any) -> dict[str, Any]:
    return world.github.message(world.github.waits(), **changed)


def test_what_is_signed_is_recorded_once(world: Held) -> None:
    found = message(world)
    assert [world.hears(found).status_code for _ in range(2)] == [202, 204]
    assert len(world.held) == 1


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        "SHA256=" + "0" * 64,
        "sha256=" + "é" * 64,
        github.signed(b"another body"),
    ],
)
def test_what_is_not_signed_is_never_parsed(world: Held, monkeypatch: pytest.MonkeyPatch, signature: str) -> None:
    def parses(_: object) -> object:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(strict_json, "object_of", parses)
    monkeypatch.setattr("bot.forge.message.object_of", parses)
    answer = world.hears(message(world), **{"X-Hub-Signature-256": signature.encode()})
    assert answer.status_code == 401
    assert world.held == []


def test_another_secret_does_not_prove(world: Held) -> None:
    body = github.written(message(world))
    answer = world.hears(body, **{"X-Hub-Signature-256": github.signed(body, "x" * 40)})
    assert answer.status_code == 401


def test_one_byte_more_does_not_prove(world: Held) -> None:
    body = github.written(message(world))
    assert world.hears(body + b" ", **{"X-Hub-Signature-256": github.signed(body)}).status_code == 401


def test_while_the_secret_is_rotated_both_prove_and_the_old_one_no_more_after_it() -> None:
    secret, body = Secret("GITHUB_WEBHOOK_SECRET", ("n" * 32, "o" * 32)), b"{}"
    assert is_signed(secret.values, body, github.signed(body, "n" * 32))
    assert is_signed(secret.values, body, github.signed(body, "o" * 32))
    secret.change(("n" * 32,))
    assert not is_signed(secret.values, body, github.signed(body, "o" * 32))


def test_all_secrets_are_held_against_it_in_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[object] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append(one)
        return bool(one == other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    body = b"{}"
    assert is_signed(("n" * 32, "o" * 32), body, github.signed(body, "n" * 32))
    assert len(compared) == 2


def test_an_empty_list_of_secrets_proves_nothing() -> None:
    empty = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
    assert not is_signed((), b"{}", f"sha256={empty}")


def test_a_ping_and_other_events_say_nothing(world: Held) -> None:
    for event in ("ping", "push", "installation"):
        assert world.hears(message(world), **{"X-GitHub-Event": event}).status_code == 204
    assert world.hears(message(world, action="created")).status_code == 204
    assert world.held == []


def test_too_much_is_not_read(world: Held) -> None:
    assert world.hears(b" " * (BODY_BYTES_MAX + 1)).status_code == 413


def test_without_the_record_github_is_told_to_deliver_again(world: Held) -> None:
    def away(*_: object) -> bool:
        raise LedgerUnreachable("gone")

    found = message(world)
    settings = Settings(github_webhook_secret=github.SECRET, github_api_url=world.github.url)
    door, world.door = world.door, EventsDoor(settings, away)
    assert world.hears(found).status_code == 503
    world.door = door
    assert world.hears(found).status_code == 202


def test_without_a_delivery_s_name_it_is_refused(world: Held) -> None:
    assert world.hears(message(world), **{"X-GitHub-Delivery": "a b"}).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.com/repos/acme/orders/actions/runs/{run}/deployment_protection_rule",
        "{api}/repos/acme/other/actions/runs/{run}/deployment_protection_rule",
        "{api}/repos/acme/orders/actions/runs/{run}/deployment_protection_rule?x=1",
        "{api}/repos/acme/orders/actions/runs/{run}/deployment_protection_rule#x",
        "{api}/repos/acme/orders/actions/runs/{run}/deployment_protection_rule/",
        "{api}/repos/acme/orders/actions/runs/{run}/deployment_protection_rule\n",
        "{api}/repos/acme/orders/../other/actions/runs/{run}/deployment_protection_rule",
        "{api}/repos/acme/orders/actions/runs/../runs/{run}/deployment_protection_rule",
        "{api}/repos/acme/orders/actions/runs/{run}/../../deployment_protection_rule",
        "{api}/repos/acme/orders/actions/runs/٣/deployment_protection_rule",
        "{api}/repos/acme/orders/actions/runs/-1/deployment_protection_rule",
        "{api}/repos/acme/orders/actions/runs/0/deployment_protection_rule",
        "{api}/repos/ACME/orders/actions/runs/{run}/deployment_protection_rule",
        "{api}@evil.example.com/repos/acme/orders/actions/runs/{run}/deployment_protection_rule",
        "{api}.evil.example.com/repos/acme/orders/actions/runs/{run}/deployment_protection_rule",
        "",
        None,
        7,
    ],
)
def test_an_address_that_is_not_the_one_of_the_rest_is_refused(world: Held, address: Any) -> None:
    found = message(world)
    run = found["deployment_callback_url"].split("/")[-2]
    filled = address.format(api=world.github.url, run=run) if isinstance(address, str) else address
    answer = world.hears(found | {"deployment_callback_url": filled})
    assert (answer.status_code, "GITHUB_API_URL" in answer.text) == (422, True)
    assert world.held == []


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("repository", "id"), True),
        (("repository", "id"), "1296269"),
        (("repository", "id"), 2**70),
        (("repository", "owner", "id"), None),
        (("repository", "full_name"), "acme/.."),
        (("repository", "full_name"), "acme/orders/x"),
        (("repository", "full_name"), "acme/ord\u0435rs"),
        (("installation", "id"), -1),
        (("installation",), []),
        (("deployment", "sha"), "HEAD"),
        (("deployment", "id"), 0),
        (("deployment", "environment"), "staging"),
        (("environment",), "pro\nduction"),
        (("environment",), ""),
    ],
)
def test_what_is_not_of_its_form_is_refused_without_repeating_it(
    world: Held, where: tuple[str, ...], value: Any
) -> None:
    found = message(world)
    place: Any = found
    for name in where[:-1]:
        place = place[name]
    place[where[-1]] = value
    answer = world.hears(found)
    assert answer.status_code == 422
    assert str(value) not in answer.text or str(value) in ("", "None", "0", "[]", "-1", "HEAD", "True")
    assert world.held == []


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"action": "requested", "action": "requested"}', b"[" * 5000, b"\xff"])
def test_a_body_that_two_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(Odd):
        wait_of(body, API)


def test_a_rule_without_the_secret_is_told_in_readyz(world: Held) -> None:
    assert "GITHUB_WEBHOOK_SECRET is not set" in _unheard(Settings(), world.ctx)[0]
    assert _unheard(Settings(github_webhook_secret=github.SECRET), world.ctx) == []
    world.policy.policy = ruled(pipelines=())
    assert _unheard(Settings(), world.ctx) == []


def test_nothing_that_the_message_calls_a_person_can_break_it(world: Held) -> None:
    odd: Any
    for odd in (None, {}, [], {"id": "x"}, {"id": True}, {"id": 2**70}):
        run = world.github.waits()
        assert world.hears(world.github.message(run) | {"sender": odd}).status_code == 202
    assert all(one.people == () for one in world.held)
