"""`views.*`: modals and App Home."""

from typing import Any

from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.methods import method
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.workspace import Workspace


def _view(arguments: Arguments) -> Json:
    view: Any = arguments.structure("view", "invalid_arguments")
    if not isinstance(view, dict):
        raise ApiError("invalid_arguments", ["missing required field: view"])
    return view


@method("views.open", per_minute=100)
def views_open(ws: Workspace, arguments: Arguments) -> Json:
    body = _view(arguments)
    trigger = ws.triggers.exchange(arguments.needed("trigger_id"))
    return {"view": ws.views.open(trigger.user, body).to_json()}


@method("views.push", per_minute=100)
def views_push(ws: Workspace, arguments: Arguments) -> Json:
    body = _view(arguments)
    trigger = ws.triggers.exchange(arguments.needed("trigger_id"))
    if trigger.root_view_id is None:
        raise ApiError("invalid_trigger_id")
    return {"view": ws.views.push(trigger.user, body, trigger.root_view_id).to_json()}


@method("views.update", per_minute=100)
def views_update(ws: Workspace, arguments: Arguments) -> Json:
    body = _view(arguments)
    view = ws.views.find(arguments.text("view_id"), arguments.text("external_id"))
    return {"view": ws.views.update(view, body, arguments.text("hash")).to_json()}


@method("views.publish", per_minute=100)
def views_publish(ws: Workspace, arguments: Arguments) -> Json:
    user = ws.user(arguments.needed("user_id"))
    return {"view": ws.views.publish(user.id, _view(arguments), arguments.text("hash")).to_json()}
