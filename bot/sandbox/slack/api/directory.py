"""`users.*`, `usergroups.*`, `team.info`, `auth.test`: who is who."""

from bot.sandbox.slack.api.arguments import Arguments
from bot.sandbox.slack.api.methods import method, page
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.model import Json
from bot.sandbox.slack.workspace import Workspace

DND_USERS_MAX = 50


@method("auth.test", per_minute=600)
def auth_test(ws: Workspace, _arguments: Arguments) -> Json:
    app = ws.app
    return {
        "url": f"https://{app.team_domain}.slack.com/",
        "team": app.team_name,
        "user": app.bot_name,
        "team_id": app.team_id,
        "user_id": app.bot_user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    } | ({"enterprise_id": app.enterprise_id} if app.enterprise_id else {})


@method("bots.info")
def bots_info(ws: Workspace, arguments: Arguments) -> Json:
    app = ws.app
    if arguments.text("bot") not in (None, app.bot_id):
        raise ApiError("bot_not_found")
    known = {"id": app.bot_id, "deleted": False, "name": app.bot_name, "app_id": app.app_id}
    return {"bot": known | {"user_id": app.bot_user_id}}


@method("team.info")
def team_info(ws: Workspace, _arguments: Arguments) -> Json:
    app = ws.app
    return {"team": {"id": app.team_id, "name": app.team_name, "domain": app.team_domain, "email_domain": ""}}


@method("users.info", per_minute=100, scope="users:read")
def users_info(ws: Workspace, arguments: Arguments) -> Json:
    user = ws.user(arguments.needed("user"))
    if not user.is_visible:
        raise ApiError("user_not_visible")
    return {"user": user.to_json()}


@method("users.list", per_minute=20, scope="users:read")
def users_list(ws: Workspace, arguments: Arguments) -> Json:
    """People of this workspace, deactivated ones too; people of other organisations are not listed."""
    members = [user for user in ws.users.values() if not user.is_stranger]
    part, cursor = page(members, arguments, default=max(len(members), 1))
    answer: Json = {"members": [user.to_json() for user in part], "cache_ts": ws.now()}
    return answer | {"response_metadata": {"next_cursor": cursor}}


@method("users.lookupByEmail", per_minute=50, scope="users:read.email")
def lookup_by_email(ws: Workspace, arguments: Arguments) -> Json:
    """Deactivated accounts are not found this way."""
    wanted = arguments.needed("email").casefold()
    for user in ws.users.values():
        found = user.is_visible and not user.deleted and not user.is_stranger
        if found and user.email and user.email.casefold() == wanted:
            return {"user": user.to_json()}
    raise ApiError("users_not_found")


@method("users.getPresence")
def get_presence(ws: Workspace, arguments: Arguments) -> Json:
    ws.user(arguments.needed("user"))
    return {"presence": "active"}


@method("dnd.teamInfo", per_minute=20, scope="dnd:read")
def dnd_team_info(ws: Workspace, arguments: Arguments) -> Json:
    """For up to 50 accounts, comma-separated; `users` is required."""
    wanted = arguments.text("users")
    if wanted is None:
        raise ApiError("no_users_provided")
    ids = wanted.split(",")
    if len(ids) > DND_USERS_MAX:
        raise ApiError("invalid_arguments", ["must be at most 50 users"])
    return {"users": {id_: ws.users[id_].do_not_disturb() for id_ in ids if id_ in ws.users}}


@method("users.conversations")
def users_conversations(ws: Workspace, arguments: Arguments) -> Json:
    user = arguments.text("user") or ws.app.bot_user_id
    found = [c for c in ws.channels.values() if user in c.members and not c.is_im]
    part, cursor = page(found, arguments)
    channels = [channel.to_json(bot_user=ws.app.bot_user_id) for channel in part]
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


@method("usergroups.list", per_minute=20, scope="usergroups:read")
def usergroups_list(ws: Workspace, arguments: Arguments) -> Json:
    disabled_too = arguments.flag("include_disabled")
    groups = [group for group in ws.groups.values() if disabled_too or not group.disabled]
    with_users = arguments.flag("include_users")
    return {"usergroups": [group.to_json(with_users=with_users) for group in groups]}


@method("usergroups.users.list", per_minute=20, scope="usergroups:read")
def usergroups_users_list(ws: Workspace, arguments: Arguments) -> Json:
    group = ws.groups.get(arguments.needed("usergroup"))
    if group is None or (group.disabled and not arguments.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}
