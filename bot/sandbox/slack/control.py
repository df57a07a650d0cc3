"""Everything that the Python API can do, as JSON under `/_control/`, for another process or a web page.

Refused to pages of other origins and to other host names, because whoever can call it can play anybody here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from starlette.routing import Route

from bot.sandbox.clock import MovableClock
from bot.sandbox.slack.errors import CannotDo
from bot.sandbox.slack.events.courier import Courier, Tampering
from bot.sandbox.slack.events.socket_mode import SocketMode
from bot.sandbox.slack.faults import CallLog, Faults, RateLimits
from bot.sandbox.slack.json_http import endpoint
from bot.sandbox.slack.model import Json, Message, View
from bot.sandbox.slack.people.person import Person
from bot.sandbox.slack.people.reading import buttons, elements, words
from bot.sandbox.slack.seeding import as_seed, plant
from bot.sandbox.slack.settings import AppSettings
from bot.sandbox.slack.workspace import Workspace


class Controllable(Protocol):
    """What the control routes may touch: a stand-in that is served."""

    clock: MovableClock
    app: AppSettings
    workspace: Workspace
    sockets: SocketMode
    courier: Courier
    faults: Faults
    calls: CallLog
    rate_limits: RateLimits

    @property
    def api_url(self) -> str: ...

    def person(self, user_id: str, *, force: bool = False, team: str | None = None) -> Person: ...

    def verify_url(self) -> bool: ...


Handler = Callable[[Controllable, Json], Any]
_CHANGES = frozenset({"add_user", "change_user", "add_group", "change_group", "add_channel", "change_channel"})
_SWITCHES = frozenset({"request_url", "should_escape", "chat_write_public", "ack_timeout_s"})
_DOES = frozenset(
    {"command", "press", "choose", "shortcut", "message_shortcut", "say", "say_to_bot", "open_home", "mark_read"}
)
_DOES_IN_MODAL = frozenset({"fill", "press", "choose", "submit", "close"})
_DOES_AT_HOME = frozenset({"press", "choose"})


def routes(slack: Controllable) -> list[Route]:
    """The control API's routes; the report of what each takes is in its handler's docstring."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", "info", info),
        ("GET", "state", lambda server, _: as_seed(server.workspace)),
        ("GET", "calls", calls),
        ("GET", "deliveries", lambda server, _: server.courier.sent),
        ("POST", "seed", lambda server, body: plant(server.workspace, body)),
        ("POST", "workspace/{change}", change),
        ("POST", "clock", lambda server, body: server.clock.advance(float(body["advance_s"]))),
        ("POST", "settings", settings),
        ("POST", "faults", lambda server, body: server.faults.add(**body)),
        ("DELETE", "faults", lambda server, _: server.faults.clear()),
        ("POST", "delivery/{what}", delivery),
        ("GET", "people/{user}", sees),
        ("POST", "people/{user}/{does}", does),
        ("POST", "people/{user}/modal/{does}", does_in_modal),
        ("POST", "people/{user}/home/{does}", does_at_home),
    ]
    return [
        Route(f"/_control/{path}", endpoint(partial(handler, slack)), methods=[verb]) for verb, path, handler in table
    ]


def info(slack: Controllable, _body: Json) -> Json:
    """What the bot needs to connect."""
    return {
        "api_url": slack.api_url,
        "connections": slack.sockets.connections,
        "now": slack.clock(),
        "app": slack.app,
    }


def calls(slack: Controllable, body: Json) -> Json:
    """`since` a mark (default 0), optionally one `method`. The answer's `mark` is the next `since`."""
    since = int(body.get("since", 0))
    listed = slack.calls.since(since, body.get("method"))
    return {"mark": slack.calls.mark(), "counts": slack.calls.counts(since), "calls": listed}


def change(slack: Controllable, body: Json) -> Any:
    """`workspace/change_user {"id": "U0DANA", "deleted": true}`: the first argument is `id`, the others by name."""
    name = body.pop("change")
    if name not in _CHANGES:
        raise CannotDo(f"no such change: {name}")
    identity = body.pop("id")
    return getattr(slack.workspace, name)(identity, **body)


def settings(slack: Controllable, body: Json) -> Json:
    """`delay_s` of every call, `enforce_rate_limits`, `scopes` as a list, and the app's `request_url`, `should_escape`..."""
    for name, value in body.items():
        if name == "delay_s":
            slack.faults.delay_s = float(value)
        elif name == "enforce_rate_limits":
            slack.rate_limits.enforced = bool(value)
        elif name == "scopes":
            slack.app.scopes = frozenset(value)
        elif name in _SWITCHES:
            setattr(slack.app, name, value)
        else:
            raise CannotDo(f"no such setting: {name}")
    return info(slack, {})


def delivery(slack: Controllable, body: Json) -> Any:
    """`pause`, `resume`, `settle`, `verify_url`, `hold_events`,
    `release_events {times}`, `spoil_next {...}`, `disconnect {reason, abruptly}`,
    `redeliver {"id": ..., ...tampering}`."""
    what = body.pop("what")
    courier = slack.courier
    match what:
        case "pause" | "resume" | "settle" | "hold_events" | "release_events":
            return getattr(courier, what)(**body)
        case "spoil_next":
            return courier.spoil_next(**body)
        case "verify_url":
            return slack.verify_url()
        case "disconnect":
            return slack.sockets.disconnect(**body)
        case "redeliver":
            identity = body.pop("id")
            return courier.redeliver(next(d for d in courier.sent if d.id == identity), Tampering(**body))
        case _:
            raise CannotDo(f"no such thing to do with deliveries: {what}")


def sees(slack: Controllable, body: Json) -> Json:
    """Everything in front of one person."""
    person = slack.person(body["user"])
    with slack.workspace.lock:
        channels = {channel: _posts(person, channel) for channel in person.channels()}
        view, home = person.view(), person.home()
        return {
            "user": person.user,
            "channels": channels,
            "unread": {channel: person.unread(channel) for channel in channels},
            "dms": [_post(message) for message in person.dms()],
            "ephemerals": [_post(message) for message in person.ephemerals()],
            "modal": view and shown(view.view),
            "home": home and shown(home.view),
            "notices": person.notices(),
            "notifications": [{"channel": m.channel, "ts": m.ts, "text": m.text} for m in person.notifications()],
        }


def _posts(person: Person, channel: str) -> list[Json]:
    posts = person.messages(channel)
    return [_post(post) | {"replies": [_post(reply) for reply in person.thread(channel, post.ts)]} for post in posts]


def _post(message: Message) -> Json:
    return dataclasses.asdict(message) | _readable(message)


def shown(view: View) -> Json:
    return view.to_json() | {"errors": view.errors, "trouble": view.trouble} | _readable(view)


def _readable(surface: Message | View) -> Json:
    return {"words": words(surface), "buttons": buttons(surface), "elements": elements(surface)}


def _person(slack: Controllable, body: Json) -> Person:
    return slack.person(body.pop("user"), force=bool(body.pop("force", False)), team=body.pop("team", None))


def does(slack: Controllable, body: Json) -> Any:
    """`people/U0DANA/command {"name": "/prodaccess", "text": "list", "channel": "C0OPS"}`: Person's methods."""
    what = body.pop("does")
    if what not in _DOES:
        raise CannotDo(f"nobody can {what}")
    result = getattr(_person(slack, body), what)(**body)
    return shown(result.view) if what == "open_home" and result else _outcome(result)


def does_in_modal(slack: Controllable, body: Json) -> Any:
    """`people/U0DANA/modal/fill {"block_id": "reason", "value": "INC-42"}`: Form's methods, on the modal in front."""
    what = body.pop("does")
    if what not in _DOES_IN_MODAL:
        raise CannotDo(f"nobody can {what} a modal")
    outcome = getattr(_person(slack, body).form(), what)(**body)
    return _outcome(outcome)


def does_at_home(slack: Controllable, body: Json) -> Any:
    """`people/U0DANA/home/press {"action_id": "end"}`: Home's methods."""
    what = body.pop("does")
    home = _person(slack, body).home()
    if what not in _DOES_AT_HOME or home is None:
        raise CannotDo(f"nobody can {what} a home" if home else "there is no home yet")
    return _outcome(getattr(home, what)(**body))


def _outcome(result: Any) -> Any:
    return dataclasses.asdict(result) | {"ok": getattr(result, "ok", True)} if result is not None else {"ok": True}
