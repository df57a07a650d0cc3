"""What every chat has to do for what is said and done in it: the same bodies for Slack and Teams over HTTP, and in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from slack_sdk import WebClient

from bot.chat.form import Field, Form, Typed
from bot.chat.interaction import PRESS, Interaction
from bot.chat.message import Button, Line, Message, buttons, message
from bot.chat.plain_text import text_of
from bot.chat.rich import ours
from bot.chat.surface import Abilities, Means, NotDone, Posted, Shown, Surface
from bot.sandbox.slack import SlackServer
from bot.sandbox.teams.cards import words
from bot.sandbox.teams.people import DANA, TENANT, Conversation, channel_id
from bot.sandbox.teams.server import TeamsServer
from bot.slack.surface import Slack
from bot.teams.cards.pressed_cards import trigger_for, window_of
from tests.support.memory_chat import MEANS, MemoryChat, channel, person, traits
from tests.support.teams_rig import button_data, teams_surface
from workflows.core.destination import Destination, Kind, read_destination
from workflows.core.identity import SLACK, TEAMS, Account

NONCE = "ab" * 12
BARE = Abilities(threads=True, whispers=False, home=False, search=False)


class Rig(Protocol):
    """A chat with one channel and two people, and what its people see of it."""

    surface: Surface
    channel: Destination
    person: Destination
    account: Account

    def now(self) -> datetime: ...
    def stands(self, to: Destination, under: Posted | None = None) -> list[str]: ...
    def told(self) -> list[str]:
        """All that the person alone has been told, in whichever way."""
        ...

    def act(self, *, waits: bool = True) -> Interaction:
        """Something that the person did. `waits`: the chat left a way open for an answer."""
        ...

    def trigger(self) -> str: ...
    def open_forms(self) -> list[tuple[Shown, str]]:
        """What stands in front of the person, with each title."""
        ...

    def home(self) -> str: ...
    def delete(self, posted: Posted) -> None: ...
    def close(self, to: Destination) -> None: ...
    def answers(self, what: Means, after_s: int = 0) -> None:
        """To the next post or check, in place of what it would answer."""
        ...

    def loses_the_next_answer(self) -> None: ...


@dataclass
class InMemory:
    abilities: Abilities = field(default_factory=lambda: traits().abilities)
    account = Account("memory", "T", "dana")
    channel = channel("ops")
    person = person("dana")

    def __post_init__(self) -> None:
        self.chat = MemoryChat(self.now, self.abilities)
        self.surface: Surface = self.chat

    def now(self) -> datetime:
        return datetime.now(UTC)

    def stands(self, to: Destination, under: Posted | None = None) -> list[str]:
        return self.chat.stands(to, under.id if under else None)

    def told(self) -> list[str]:
        whispered = [said for to, _, said in self.chat.whispers if to == self.person]
        answered = [said for who, said in self.chat.answered if who == self.account]
        return [text_of(said.summary) for said in (*whispered, *answered)]

    def act(self, *, waits: bool = True) -> Interaction:
        return Interaction("press:1", PRESS, self.account, channel=str(self.channel))

    def trigger(self) -> str:
        self.chat.triggers.add("t")
        return "t"

    def open_forms(self) -> list[tuple[Shown, str]]:
        return [(shown, form.title) for shown, form in self.chat.forms]

    def home(self) -> str:
        return str(self.chat.homes[self.account])

    def delete(self, posted: Posted) -> None:
        next(post for post in self.chat.posts if post.id == posted.id).gone = True

    def close(self, to: Destination) -> None:
        self.chat.closed[to] = "place_gone"

    def answers(self, what: Means, after_s: int = 0) -> None:
        word = next((word for word, means in MEANS.items() if means is what), "never_heard")
        self.chat.answers.append(self.chat.no(word, after_s))

    def loses_the_next_answer(self) -> None:
        self.chat.loses = 1


SEED = {
    "users": [{"id": "UDANA", "name": "dana"}, {"id": "UOLU", "name": "olu"}],
    "channels": [{"id": "C0OPS", "name": "ops", "members": ["UDANA", "UOLU"]}],
}
_WORDS = {
    Means.FORM: "invalid_blocks",
    Means.PLACE: "is_archived",
    Means.ALL: "token_revoked",
    Means.UNKNOWN: "never_heard",
}


class OverHttp:
    account = Account(SLACK, "T0SANDBOX", "UDANA")
    channel = Destination(SLACK, Kind.CHANNEL, "C0OPS")
    person = Destination(SLACK, Kind.PERSON, "UDANA")

    def __init__(self, slack: SlackServer) -> None:
        self.slack = slack
        client = WebClient(slack.app.bot_token, base_url=slack.api_url, timeout=10, retry_handlers=[])
        self.surface: Surface = Slack(client)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.slack.workspace.now(), UTC)

    def stands(self, to: Destination, under: Posted | None = None) -> list[str]:
        # In a channel as somebody else sees it.
        reader = self.slack.person("UDANA" if to.kind is Kind.PERSON else "UOLU")
        at = reader.dm() if to.kind is Kind.PERSON else to.id
        found = reader.thread(at, under.id) if under else reader.messages(at)
        found = [one for one in found if one.is_reply == (under is not None)]
        return [one.text for one in found if not one.deleted]

    def told(self) -> list[str]:
        dana = self.slack.person("UDANA")
        return [one.text for one in (*dana.ephemerals(), *dana.dms())]

    def act(self, *, waits: bool = True) -> Interaction:
        ws = self.slack.workspace
        url = f"{ws.base_url}/response/{ws.response_urls.issue('UDANA', 'C0OPS')}" if waits else ""
        return Interaction("press:1", PRESS, self.account, channel="C0OPS", response_url=url)

    def trigger(self) -> str:
        return self.slack.workspace.triggers.issue("UDANA")

    def open_forms(self) -> list[tuple[Shown, str]]:
        stack = self.slack.workspace.views.stack("UDANA")
        return [(Shown(view.id, view.hash), view.body["title"]["text"]) for view in stack]

    def home(self) -> str:
        return str(self.slack.workspace.views.homes["UDANA"].body)

    def delete(self, posted: Posted) -> None:
        self.slack.workspace.message(posted.to.id, posted.id).deleted = True

    def close(self, to: Destination) -> None:
        what = {"error": "messages_tab_disabled" if to.kind is Kind.PERSON else "is_archived", "times": None}
        self.slack.faults.add("chat.postMessage", where={"channel": to.id}, **what)

    def answers(self, what: Means, after_s: int = 0) -> None:
        if what is Means.LATER:
            self.slack.faults.add("*", status=429, retry_after_s=after_s)
        else:
            self.slack.faults.add("*", error=_WORDS[what])

    def loses_the_next_answer(self) -> None:
        self.slack.faults.add("chat.postMessage", drop="after")


_TEAMS_SAYS: dict[Means, tuple[str, dict[str, Any]]] = {
    Means.FORM: ("post", {"status": 413, "code": "MessageSizeTooBig"}),
    Means.PLACE: ("post", {"status": 403, "code": "BotNotInConversationRoster"}),
    Means.ALL: ("token", {"status": 401, "body": {"error": "invalid_client", "error_description": "AADSTS7000215"}}),
    Means.UNKNOWN: ("post", {"status": 418, "code": "NeverHeard"}),
}


class TeamsOverHttp:
    account = Account(TEAMS, TENANT, DANA.aad)
    channel = Destination(TEAMS, Kind.CHANNEL, channel_id("Orders ops"))
    person = Destination(TEAMS, Kind.PERSON, DANA.aad)

    def __init__(self, teams: TeamsServer) -> None:
        self.teams = teams
        self.surface: Surface = teams_surface(teams)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.teams.clock(), UTC)

    def _talk(self, to: Destination) -> Conversation:
        world = self.teams.world
        return world.personal(DANA) if to.kind is not Kind.CHANNEL else world.conversation(to.id)

    def stands(self, to: Destination, under: Posted | None = None) -> list[str]:
        found = self.teams.world.messages(self._talk(to), root=under.id if under else None)
        return [words(one.card) for one in found if one.card]

    def told(self) -> list[str]:
        return self.stands(self.person)

    def act(self, *, waits: bool = True) -> Interaction:
        return Interaction("press:1", PRESS, self.account, channel=str(self.channel))

    def trigger(self) -> str:
        return trigger_for(DANA.aad, secrets.token_hex(4), "UTC")

    def open_forms(self) -> list[tuple[Shown, str]]:
        cards = [one.card for one in self.teams.world.messages(self._talk(self.person)) if one.card]
        return [(Shown(*window_of(button_data(card)["name"])), words(card).splitlines()[0]) for card in cards]

    def home(self) -> str:
        raise NotImplementedError

    def delete(self, posted: Posted) -> None:
        self.teams.connector.delete(posted.to.id, posted.id)

    def close(self, to: Destination) -> None:
        self._talk(to).bot = False

    def answers(self, what: Means, after_s: int = 0) -> None:
        call, said = _TEAMS_SAYS.get(what, ("post", {"status": 429, "code": "Throttled", "retry_after_s": after_s}))
        self.teams.faults.add(call, **said)

    def loses_the_next_answer(self) -> None:
        self.teams.faults.add("post", drop="after")


def _teams_over_http() -> Iterator[Rig]:
    with TeamsServer() as teams:
        yield TeamsOverHttp(teams)


def _over_http() -> Iterator[Rig]:
    with SlackServer(SEED) as slack:
        yield OverHttp(slack)


RIGS: dict[str, Callable[[], Iterator[Rig]]] = {
    "slack over http": _over_http,
    "teams over http": _teams_over_http,
    "memory": lambda: iter([InMemory()]),
    "memory with little": lambda: iter([InMemory(BARE)]),
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from RIGS[request.param]()


def said(text: str, *, pressed: bool = False) -> Message:
    return message(ours(text), Line(ours(text)), buttons(Button("Go", "go", "1")) if pressed else None)


def form(title: str) -> Form:
    return Form("a_form", title, "Send", [Field("why", "Why", Typed(100))])


def refused(call: Callable[[], object]) -> NotDone:
    with pytest.raises(NotDone) as caught:
        call()
    return caught.value


# ---------------------------------------------------------------- messages


def test_a_post_says_where_it_stands_and_is_edited_there(rig: Rig) -> None:
    before = rig.now()
    posted = rig.surface.post(rig.channel, said("one", pressed=True), nonce=NONCE)
    assert rig.stands(rig.channel) == ["one"]
    assert posted.to == rig.channel
    assert posted.at is not None
    assert abs(posted.at - before) < timedelta(minutes=1)
    rig.surface.edit(posted, said("two"))
    assert rig.stands(rig.channel) == ["two"]


def test_where_it_stands_reads_back_from_the_ledger(rig: Rig) -> None:
    for to in (rig.channel, rig.person):
        posted = rig.surface.post(to, said("one"), nonce=NONCE)
        assert read_destination(str(posted.to)) == posted.to
        assert posted.to.surface == rig.surface.traits.surface == to.surface
        rig.surface.edit(Posted(read_destination(str(posted.to)), posted.id), said("two"))
    assert rig.stands(rig.person) == ["two"]


def replied(rig: Rig, root: Posted) -> Posted | NotDone:
    try:
        return rig.surface.post(root.to, said("reply"), nonce="cd" * 12, under=root)
    except NotDone as problem:
        return problem


def test_a_reply_stands_under_its_root(rig: Rig) -> None:
    for to in (rig.channel, rig.person):
        root = rig.surface.post(to, said("root"), nonce=NONCE)
        reply = replied(rig, root)
        if isinstance(reply, NotDone):
            # Some chats have threads in channels alone.
            assert to != rig.channel
            assert reply.means is Means.THREAD
            assert reply.word in rig.surface.traits.never_threads
            continue
        assert rig.stands(to) == ["root"]
        assert rig.stands(to, root) == ["reply"]
        rig.surface.edit(Posted(read_destination(str(reply.to)), reply.id), said("changed"))
        assert rig.stands(to, root) == ["changed"]


def test_a_post_whose_answer_was_lost_is_found_by_its_nonce_or_nobody_can_look(rig: Rig) -> None:
    since = rig.now()
    for to in (rig.channel, rig.person):
        assert rig.surface.find_by_nonce(to, NONCE, since) is None
        rig.loses_the_next_answer()
        problem = refused(lambda to=to: rig.surface.post(to, said("lost"), nonce=NONCE))  # type: ignore[misc]  # a default
        assert problem.perhaps_done
        assert problem.means is Means.LATER
        assert rig.stands(to) == ["lost"]
        found = rig.surface.find_by_nonce(to, NONCE, since)
        assert (found is not None) == rig.surface.traits.abilities.search
        assert rig.surface.find_by_nonce(to, "cd" * 12, since) is None
        if found is not None:
            rig.surface.edit(found, said("found"))
            assert rig.stands(to) == ["found"]


def test_a_reply_is_looked_for_in_its_thread(rig: Rig) -> None:
    since = rig.now()
    root = rig.surface.post(rig.channel, said("root"), nonce=NONCE)
    reply = rig.surface.post(root.to, said("reply"), nonce="cd" * 12, under=root)
    found = rig.surface.find_by_nonce(root.to, "cd" * 12, since, under=root)
    assert (found.id if found else None) == (reply.id if rig.surface.traits.abilities.search else None)


def test_no_text_is_too_long(rig: Rig) -> None:
    long = "x" * (2 * rig.surface.traits.limits.text_length_max)
    posted = rig.surface.post(rig.channel, Message(ours(long)), nonce=NONCE)
    rig.surface.edit(posted, Message(ours(f"y{long}")))
    (text,) = rig.stands(rig.channel)
    assert text.startswith("yx")
    assert len(text) <= rig.surface.traits.limits.text_length_max


# ---------------------------------------------------------------- what its words mean


@pytest.mark.parametrize("what", [Means.FORM, Means.PLACE, Means.ALL, Means.UNKNOWN])
def test_an_answer_says_what_goes_on_in_spite_of_it(rig: Rig, what: Means) -> None:
    rig.answers(what)
    problem = refused(lambda: rig.surface.post(rig.channel, said("one"), nonce=NONCE))
    assert problem.means is what
    assert rig.surface.traits.meaning(problem.word) is what
    assert problem.word
    assert rig.stands(rig.channel) == []


def test_it_says_for_how_long_it_wants_to_be_left_alone(rig: Rig) -> None:
    rig.answers(Means.LATER, after_s=7)
    problem = refused(lambda: rig.surface.post(rig.channel, said("one"), nonce=NONCE))
    assert (problem.means, problem.after_s) == (Means.LATER, 7.0)


def test_we_are_let_in_or_not(rig: Rig) -> None:
    rig.surface.check()
    rig.answers(Means.ALL)
    assert refused(rig.surface.check).means is Means.ALL


def test_of_a_place_a_thread_and_a_message_that_are_gone_it_says_which(rig: Rig) -> None:
    root = rig.surface.post(rig.channel, said("root"), nonce=NONCE)
    rig.delete(root)
    assert refused(lambda: rig.surface.edit(root, said("two"))).means is Means.MESSAGE
    assert refused(lambda: rig.surface.post(root.to, said("reply"), under=root)).means is Means.THREAD
    for to in (rig.channel, rig.person):
        rig.close(to)
        assert refused(lambda to=to: rig.surface.post(to, said("one"))).means is Means.PLACE


# ---------------------------------------------------------------- one person


def test_a_whisper_is_heard_by_one_person_alone(rig: Rig) -> None:
    if rig.surface.traits.abilities.whispers:
        rig.surface.whisper(rig.person, rig.channel, said("psst"))
        assert rig.told() == ["psst"]
        assert rig.stands(rig.channel) == []


@pytest.mark.parametrize("waits", [True, False])
def test_whoever_acted_is_answered_alone(rig: Rig, waits: bool) -> None:
    assert rig.surface.answer(rig.act(waits=waits), said("done"))
    assert rig.told() == ["done"]
    assert rig.stands(rig.channel) == []


def test_an_answer_that_nobody_can_be_given_is_no_exception(rig: Rig) -> None:
    rig.close(rig.person)
    act = rig.act(waits=False)
    no_channel = Interaction(act.id, act.kind, act.who)
    assert not rig.surface.answer(no_channel, said("done"))


# ---------------------------------------------------------------- forms


def test_a_trigger_opens_one_form(rig: Rig) -> None:
    trigger = rig.trigger()
    rig.surface.open_form(trigger, form("First"))
    assert [title for _, title in rig.open_forms()] == ["First"]
    assert refused(lambda: rig.surface.open_form(trigger, form("Second"))).word
    assert [title for _, title in rig.open_forms()] == ["First"]


def test_a_form_is_drawn_again_and_an_older_redraw_says_nothing(rig: Rig) -> None:
    rig.surface.open_form(rig.trigger(), form("First"))
    ((shown, _),) = rig.open_forms()
    rig.surface.redraw_form(shown, form("Newer"))
    rig.surface.redraw_form(shown, form("Older"))
    assert [title for _, title in rig.open_forms()] == ["Newer"]
    rig.surface.redraw_form(Shown("V0NONE", "x"), form("Closed"))
    assert [title for _, title in rig.open_forms()] == ["Newer"]


def test_everybody_has_a_page_where_the_chat_has_such(rig: Rig) -> None:
    if rig.surface.traits.abilities.home:
        rig.surface.show_home(rig.account, [Line(ours("Your access"))])
        assert "Your access" in rig.home()
