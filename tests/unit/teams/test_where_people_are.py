"""Where people and channels can be written to, as activities tell it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.teams.client.conversations import Conversations
from bot.teams.guard import Activity, read
from tests.support import teams as t
from workflows.ports import LedgerUnreachable

AMER = "https://smba.trafficmanager.net/amer/"


def activity(said: dict[str, Any]) -> Activity:
    found = read(json.dumps(said).encode(), t.EXPECTED)
    assert isinstance(found, Activity)
    return found


@pytest.fixture
def shelf() -> t.MemoryShelf:
    return t.MemoryShelf()


@pytest.fixture
def known(shelf: t.MemoryShelf) -> Conversations:
    return Conversations(shelf, t.SERVICE)


def test_every_activity_says_where_somebody_is(known: Conversations) -> None:
    known.seen(activity(t.message()))
    found = known.personal(t.DANA)
    assert found is not None
    assert (found.id, found.service_url, found.kind, found.person) == (t.PERSONAL, t.SERVICE, "personal", t.DANA)
    assert known.by_id(t.PERSONAL) == found
    assert known.person_at("29:1dana") == t.DANA
    known.seen(activity(t.message(serviceUrl=AMER)))
    moved = known.personal(t.DANA)
    assert moved is not None
    assert moved.service_url == known.service_url(t.PERSONAL) == AMER


def test_a_channel_is_nobodys_own_and_known_without_its_threads(known: Conversations) -> None:
    known.seen(activity(t.in_channel("hello", thread="1700")))
    found = known.by_id(t.CHANNEL)
    assert found is not None
    assert (found.person, found.kind, found.name, found.team) == ("", "channel", "ops", "19:team@thread.tacv2")
    assert known.personal(t.DANA) is None


def test_where_somebody_acted_last_is_known_of_whatever_kind_it_is(known: Conversations) -> None:
    known.seen(activity(t.message()))
    assert known.seen_in(t.DANA) == known.personal(t.DANA)
    known.seen(activity(t.in_channel("hello", thread="1700")))
    found = known.seen_in(t.DANA)
    assert found is not None
    assert found.id == t.CHANNEL
    assert known.personal(t.DANA) is not None


def test_what_nobody_has_written_in_is_reached_as_what_was_heard_of_last(known: Conversations) -> None:
    assert known.service_url("19:other@thread.tacv2") == t.SERVICE
    known.seen(activity(t.message(serviceUrl=AMER)))
    assert known.service_url("19:other@thread.tacv2") == AMER


@pytest.mark.parametrize(
    ("more", "stays"),
    [
        ({"type": "installationUpdate", "action": "remove"}, False),
        ({"type": "installationUpdate", "action": "remove-upgrade"}, True),
        ({"type": "installationUpdate", "action": "add"}, True),
        ({"type": "conversationUpdate", "membersRemoved": [{"id": f"28:{t.APP}"}]}, False),
        ({"type": "conversationUpdate", "membersRemoved": [{"id": "29:1olu"}]}, True),
        ({"type": "messageReaction"}, True),
    ],
)
def test_it_is_forgotten_with_the_app(known: Conversations, more: dict[str, Any], stays: bool) -> None:
    known.seen(activity(t.message()))
    known.seen(activity(t.message(**more)))
    assert (known.personal(t.DANA) is not None) == stays
    assert (known.by_id(t.PERSONAL) is not None) == stays


def test_the_same_news_is_written_once(
    known: Conversations, shelf: t.MemoryShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.seen(activity(t.message()))
    monkeypatch.setattr(shelf, "put", lambda *_: pytest.fail("it is known"))
    known.seen(activity(t.message(text="again")))


def test_without_records_people_are_served_all_the_same(known: Conversations, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_name: str) -> bytes:
        raise LedgerUnreachable("Redis cannot be reached")

    monkeypatch.setattr(t.MemoryShelf, "get", lambda _self, name: away(name))
    known.seen(activity(t.message()))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"{}", b'{"id": "a"}', b'{"id":"a","service_url":"x","new":1}']
)
def test_what_another_version_wrote_is_written_anew(known: Conversations, shelf: t.MemoryShelf, body: bytes) -> None:
    shelf.held[f"conversation:person:{t.DANA}"] = body
    assert known.personal(t.DANA) is None
    known.seen(activity(t.message()))
    assert known.personal(t.DANA) is not None
