"""Whether a payload is of the shape that Slack documents, as far as anybody here or in Bolt reads it.

Slack has signed it, so it is no stranger's. But what is of another shape than ever (a new kind of payload, a proxy that changed
it) is told from what fails in here: nobody is alarmed for it, and nothing of it is done.
https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, StringConstraints, ValidationError
from slack_bolt import App, BoltRequest, BoltResponse

log = structlog.get_logger()

# What Slack, or we, call something by: it becomes part of keys, and half a character can be stored nowhere.
Id = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")]
# The same where Slack leaves it empty, such as in a view that was given none.
Named = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{0,255}$")]


class _Named(BaseModel):
    id: Id


class _User(_Named):
    team_id: Named | None = None


class _Channel(BaseModel):
    id: Named | None = None
    name: str | None = None


class _Message(BaseModel):
    ts: str | None = None
    thread_ts: str | None = None


class _Container(BaseModel):
    is_ephemeral: bool | None = None


class _Option(BaseModel):
    value: str | None = None


class _Action(BaseModel):
    action_id: Id
    action_ts: Id
    value: str | None = None
    selected_option: _Option | None = None


class _Held(BaseModel):
    value: str | None = None
    selected_option: _Option | None = None
    selected_options: list[_Option] | None = None
    selected_user: str | None = None


class _State(BaseModel):
    values: dict[str, dict[str, _Held | None]] | None = None


class _Element(BaseModel):
    action_id: Named | None = None


class _Block(BaseModel):
    type: str
    block_id: str = ""
    element: _Element | None = None


class _View(BaseModel):
    type: str
    id: str = ""
    hash: str = ""
    callback_id: Named | None = None
    private_metadata: str | None = None
    external_id: str | None = None
    state: _State | None = None
    blocks: list[_Block] | None = None


class _Interactive(BaseModel):
    user: _User
    team: _Named | None = None
    channel: _Channel | None = None
    message: _Message | None = None
    container: _Container | None = None
    response_url: str | None = None
    view: _View | None = None


class _Pressed(_Interactive):
    trigger_id: Id
    actions: list[_Action]


class _Suggested(_Interactive):
    action_id: Id
    value: str | None = None


class _ByShortcut(_Interactive):
    trigger_id: Id
    callback_id: Named


class _SentView(_Named):
    type: str
    callback_id: Named
    private_metadata: str | None = None
    external_id: str | None = None
    state: _State | None = None
    blocks: list[_Block] | None = None


class _Sent(BaseModel):
    user: _User
    team: _Named | None = None
    view: _SentView


class _Event(BaseModel):
    type: str
    tab: str | None = None
    user: str | dict[str, Any] = ""


class _Told(BaseModel):
    event: _Event
    team_id: Named | None = None


class _Command(BaseModel):
    command: str
    trigger_id: Id
    team_id: Id
    user_id: Id
    text: str = ""


class _Other(BaseModel):
    """Nobody listens to it, and Bolt reads this much of it all the same."""

    type: str | None = None
    event: dict[str, Any] = {}
    view: dict[str, Any] = {}
    user: dict[str, Any] | None = None
    actions: list[dict[str, Any]] = []


_BY_TYPE: Mapping[str, type[BaseModel]] = {
    "block_actions": _Pressed,
    "block_suggestion": _Suggested,
    "view_submission": _Sent,
    "view_closed": _Sent,
    "shortcut": _ByShortcut,
    "message_action": _ByShortcut,
    "event_callback": _Told,
}


def is_usual(body: Mapping[str, Any]) -> bool:
    """What is of a type that nobody listens to is as usual."""
    kind = body.get("type")
    shape = _Command if "command" in body else _BY_TYPE.get(kind, _Other) if isinstance(kind, str) else _Other
    try:
        shape.model_validate(body)
    except ValidationError:
        return False
    return kind != "block_actions" or bool(body["actions"])


class ShapedApp(App):
    """Takes what is of a shape that is known, over HTTP and in Socket Mode alike; Bolt itself fails on other things."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        if is_usual(req.body):
            return super().dispatch(req)
        log.warning(
            "Slack sent something of another shape than it documents: nothing was done",
            type=str(req.body.get("type"))[:40],
        )
        return BoltResponse(status=400, body="")


def read(body: str, query: str, headers: dict[str, str]) -> BoltRequest | None:
    """None for what not even Bolt can read."""
    try:
        return BoltRequest(body=body, query=query, headers=dict(headers))
    except (TypeError, AttributeError, ValueError, LookupError, RecursionError):
        _told({})
        return None


def _told(body: Mapping[str, Any]) -> None:
    log.warning("Slack sent something of a shape that it does not document", type=str(body.get("type"))[:40])
