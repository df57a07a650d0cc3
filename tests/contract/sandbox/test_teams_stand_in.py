"""The stand-in for Teams is as strict as Teams: what it refuses, what it sends, and what people see of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.serving import Serving, listener
from bot.sandbox.teams import activities
from bot.sandbox.teams.errors import CannotDo
from bot.sandbox.teams.login import AUDIENCES, BOT_SCOPE, GRAPH_SCOPE, ISSUER, sign
from bot.sandbox.teams.people import (
    DANA,
    FAY,
    GONE,
    GUS,
    NOMAIL,
    OLU,
    OTHER_TENANT,
    PAT,
    Conversation,
    Json,
    channel_id,
)
from bot.sandbox.teams.relay import people_of
from bot.sandbox.teams.server import TeamsServer

CARD = "application/vnd.microsoft.card.adaptive"
SENTENCE = "application/vnd.microsoft.activity.message"
PRESS = {"type": "Action.Execute", "title": "Approve", "verb": "press", "data": {"action": "approve", "value": "1"}}


def card(*body: Json, actions: list[Json] | None = None, **more: Any) -> Json:
    texts = body or ({"type": "TextBlock", "text": "Hello"},)
    return {"type": "AdaptiveCard", "version": "1.5", "body": list(texts), "actions": actions or [], **more}


def message(content: Json | None = None, text: str = "", **more: Any) -> Json:
    attachments = [{"contentType": CARD, "content": content}] if content is not None else []
    return {"type": "message", "text": text, "attachments": attachments, **more}


@dataclass
class Bot:
    """Checks what comes in as Microsoft lists it, and calls out with tokens of the login."""

    teams: TeamsServer
    heard: list[Json] = field(default_factory=list)
    answers: Callable[[Json], Response] = lambda _activity: Response(status_code=200)
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.teams.login.issue(AUDIENCES[BOT_SCOPE])

    async def hear(self, request: Request) -> Response:
        activity = json.loads(await request.body())
        token = request.headers["authorization"].removeprefix("Bearer ")
        keys = jwt.PyJWKSet.from_dict(self.teams.keys.published())
        claims = jwt.decode(
            token, keys[jwt.get_unverified_header(token)["kid"]], ["RS256"], audience=self.teams.world.app_id
        )
        assert (claims["iss"], claims["serviceurl"]) == (ISSUER, activity["serviceUrl"])
        self.heard.append(activity)
        return self.answers(activity)

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> requests.Response:
        url = f"{self.teams.courier.service_url}v3/conversations{path}"
        return requests.request(method, url, json=body, headers=_bearer(token or self.token), timeout=5)

    def post(self, to: Conversation, body: Json) -> requests.Response:
        return self.call("POST", f"/{to.id}/activities", body)

    def graph(self, path: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.teams.base_url}/graph/v1.0/{path}"
        return requests.get(url, headers=_bearer(self.teams.login.issue(AUDIENCES[GRAPH_SCOPE])), timeout=5)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[TeamsServer, list[Bot]]]:
    bots: list[Bot] = []

    async def hear(request: Request) -> Response:
        return await bots[-1].hear(request)

    with TeamsServer() as teams:
        where = listener()
        bot = Serving(Starlette(routes=[Route("/api/messages", hear, methods=["POST"])]), where, "a bot")
        bot.wait_until_started()
        teams.courier.request_url = f"http://127.0.0.1:{where.getsockname()[1]}/api/messages"
        yield teams, bots
        bot.stop()


@pytest.fixture
def bot(served: tuple[TeamsServer, list[Bot]]) -> Iterator[Bot]:
    teams, bots = served
    bots.append(Bot(teams))
    yield bots[-1]
    teams.faults.clear()
    teams.rates.enforced = True
    teams.clock.advance(3600)  # what was sent counts no more


def channel(bot: Bot) -> Conversation:
    return bot.teams.world.conversations[channel_id("Orders ops")]


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# ------------------------------------------------------------ tokens


def test_the_login_gives_a_token_for_the_right_secret_alone(bot: Bot) -> None:
    url = f"{bot.teams.base_url}/{bot.teams.world.tenant}/oauth2/v2.0/token"
    right = {"grant_type": "client_credentials", "client_id": bot.teams.world.app_id, "scope": BOT_SCOPE}
    right |= {"client_secret": bot.teams.login.password}

    said = requests.post(url, data=right, timeout=5).json()
    assert said["token_type"] == "Bearer"
    assert said["expires_in"] > 0
    assert bot.call("GET", f"/{channel(bot).id}/pagedMembers", token=said["access_token"]).status_code == 200

    refused = requests.post(url, data=right | {"client_secret": "old"}, timeout=5)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    for wrong in ({"client_id": "x"}, {"scope": "User.Read"}, {"grant_type": "password"}):
        assert requests.post(url, data=right | wrong, timeout=5).status_code == 400
    assert requests.post(url.replace(bot.teams.world.tenant, OTHER_TENANT), data=right, timeout=5).status_code == 400


def test_a_token_that_is_missing_foreign_over_or_for_graph_is_refused(bot: Bot) -> None:
    path = f"/{channel(bot).id}/pagedMembers"
    over = bot.teams.login.issue(AUDIENCES[BOT_SCOPE], exp=1)
    foreign = sign({"aud": AUDIENCES[BOT_SCOPE], "exp": 9_999_999_999, "iat": 1}, "somebody's key")
    for token in ("x", over, foreign, bot.teams.login.issue(AUDIENCES[GRAPH_SCOPE])):
        assert bot.call("GET", path, token=token).status_code == 401
    assert requests.get(f"{bot.teams.courier.service_url}v3/conversations{path}", timeout=5).status_code == 401


def test_the_keys_are_published_with_what_they_are_endorsed_for(bot: Bot) -> None:
    openid = requests.get(f"{bot.teams.base_url}/v1/.well-known/openidconfiguration", timeout=5).json()
    keys = requests.get(openid["jwks_uri"], timeout=5).json()["keys"]
    assert openid["issuer"] == ISSUER
    assert [key["endorsements"] for key in keys] == [["msteams"]]


# ------------------------------------------------------------ what the connector takes


def test_a_card_is_posted_edited_answered_in_its_thread_and_deleted(bot: Bot) -> None:
    there = channel(bot)
    root = bot.post(there, message(card())).json()["id"]
    reply = bot.call("POST", f"/{there.id};messageid={root}/activities", message(text="below")).json()["id"]
    edited = bot.call("PUT", f"/{there.id}/activities/{root}", message(card({"type": "TextBlock", "text": "Anew"})))

    assert edited.json() == {"id": root}
    assert [one.id for one in bot.teams.client.sees(OLU, there, root=root)] == [reply]
    assert bot.teams.client.sees(OLU, there)[-1].edits == 1

    assert bot.call("DELETE", f"/{there.id}/activities/{root}").status_code == 200
    for method in ("PUT", "DELETE"):
        gone = bot.call(method, f"/{there.id}/activities/{root}", message(card()))
        assert code(gone) == (404, "ActivityNotFoundInConversation")
    late = bot.call("POST", f"/{there.id};messageid={root}/activities", message(text="x"))
    assert code(late) == (404, "ActivityNotFoundInConversation")


def test_a_text_beside_a_card_becomes_two_messages_whose_ids_nobody_learns(bot: Bot) -> None:
    there = channel(bot)
    before = len(there.standing())
    answer = bot.post(there, message(card(), text="and a text"))
    assert (answer.status_code, answer.content) == (202, b"")
    assert [bool(one.card) for one in there.standing()[before:]] == [False, True]


def test_what_is_too_large_is_refused_by_its_size_in_utf_16(bot: Bot) -> None:
    def sized(characters: int) -> requests.Response:
        return bot.post(channel(bot), message(card({"type": "TextBlock", "text": "a" * characters})))

    assert sized(39_000).status_code == 201
    assert code(sized(40_000)) == (413, "MessageSizeTooBig")


@pytest.mark.parametrize(
    "wrong",
    [
        card() | {"version": "1.6"},
        card() | {"version": 1.5},
        card({"type": "TextBlok", "text": "x"}),
        card({"type": "TextBlock", "text": "x", "wrapp": True}),
        card({"type": "TextBlock", "text": "x", "color": "red"}),
        card({"type": "TextBlock"}),
        card({"type": "RichTextBlock", "inlines": [{"type": "TextBlock", "text": "x"}]}),
        card({"type": "Input.Text"}),
        card({"type": "Input.Text", "id": "a"}, {"type": "Input.Toggle", "id": "a", "title": "x"}),
        card({"type": "Input.Text", "id": "a", "isRequired": True}),
        card({"type": "Input.ChoiceSet", "id": "a"}),
        card({"type": "Input.ChoiceSet", "id": "a", "choices": [{"title": "x", "value": 1}]}),
        card(actions=[{"type": "Action.Http", "title": "x"}]),
        card(actions=[{"type": "Action.Execute", "title": "x"}]),
        card(actions=[{"type": "Action.Execute", "verb": "x", "data": "text"}]),
        card(actions=[{"type": "Action.OpenUrl", "title": "x", "url": "javascript:alert(1)"}]),
        card(actions=[{"type": "Action.ShowCard", "title": "x", "card": {"type": "AdaptiveCard"}}]),
        card(
            msteams={
                "entities": [{"type": "mention", "text": "<at>Olu</at>", "mentioned": {"id": "29:1", "name": "Olu"}}]
            }
        ),
    ],
)
def test_a_card_that_teams_does_not_show_is_refused(bot: Bot, wrong: Json) -> None:
    assert code(bot.post(channel(bot), message(wrong))) == (400, "BadSyntax")


def test_no_more_messages_in_a_while_than_teams_takes(bot: Bot) -> None:
    with bot.teams.clock.standing():
        answers = [bot.post(channel(bot), message(text="x")) for _ in range(8)]
        assert [one.status_code for one in answers] == [201] * 7 + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        bot.teams.clock.advance(2)
        assert bot.post(channel(bot), message(text="x")).status_code == 201


def test_conversations_that_there_are_not_or_that_the_bot_is_not_in(bot: Bot) -> None:
    world = bot.teams.world
    elsewhere = world.add_channel("secret", [DANA], bot=False)
    assert code(bot.post(elsewhere, message(text="x"))) == (403, "BotNotInConversationRoster")
    assert code(bot.call("POST", "/19:nowhere@thread.tacv2/activities", message(text="x"))) == (
        404,
        "ConversationNotFound",
    )
    assert code(bot.call("POST", "/C0OPS/activities", message(text="x"))) == (400, "BadArgument")


def test_a_personal_chat_is_created_once_and_only_where_the_bot_is_installed(bot: Bot) -> None:
    world = bot.teams.world
    asked = {
        "members": [{"id": OLU.teams_id}],
        "tenantId": world.tenant,
        "channelData": {"tenant": {"id": world.tenant}},
    }
    assert {bot.call("POST", "", asked).json()["id"] for _ in range(2)} == {world.personal(OLU).id}

    bot.teams.installing.uninstall(OLU)
    assert bot.heard[-1]["action"] == "remove"
    assert code(bot.call("POST", "", asked)) == (403, "ForbiddenOperationException")
    assert code(bot.post(world.personal(OLU), message(text="x"))) == (403, "MessageWritesBlocked")
    bot.teams.installing.install(OLU)
    assert bot.post(world.personal(OLU), message(text="x")).status_code == 201
    assert bot.call("POST", "", asked | {"members": [{"id": FAY.teams_id}]}).status_code == 403
    other = {"tenantId": OTHER_TENANT, "channelData": {"tenant": {"id": OTHER_TENANT}}}
    assert bot.call("POST", "", asked | other).status_code == 400


def test_the_roster_comes_in_pages_and_one_by_one(bot: Bot) -> None:
    there = channel(bot)
    names, token = [], ""
    while token is not None:
        page = bot.call("GET", f"/{there.id}/pagedMembers?continuationToken={token}").json()
        names += [one["name"] for one in page["members"]]
        token = page.get("continuationToken")
    assert names == ["Dana Dev", "Olu Owner", "Pat Platform", "Sid Secure", "Gus Guest"]

    for name in (GUS.teams_id, GUS.aad):
        found = bot.call("GET", f"/{there.id}/members/{name}").json()
        assert (found["tenantId"], found["userRole"], found["objectId"]) == (OTHER_TENANT, "guest", GUS.aad)
    assert code(bot.call("GET", f"/{there.id}/members/{NOMAIL.aad}")) == (404, "MemberNotFoundInConversation")
    own = bot.teams.world.personal(NOMAIL)
    assert "email" not in bot.call("GET", f"/{own.id}/members/{NOMAIL.aad}").json()


def test_faults_are_played_as_they_were_asked_for(bot: Bot) -> None:
    there = channel(bot)
    bot.teams.faults.add("post", status=429, retry_after_s=7)
    assert bot.post(there, message(text="x")).headers["retry-after"] == "7"
    before = len(there.standing())
    bot.teams.faults.add("post", drop="after")
    with pytest.raises(requests.ConnectionError):
        bot.post(there, message(text="done, but nobody hears of it"))
    assert len(there.standing()) == before + 1
    bot.teams.faults.add("post", body={})
    assert bot.post(there, message(text="x")).json() == {}


# ------------------------------------------------------------ Graph


def test_graph_says_what_is_selected_and_accounts_and_types_only_then(bot: Bot) -> None:
    assert "accountEnabled" not in bot.graph(f"users/{DANA.aad}").json()
    said = bot.graph(f"users/{GONE.aad}?$select=id,mail,accountEnabled,userType").json()
    assert said == {"id": GONE.aad, "mail": "gil@example.com", "accountEnabled": False, "userType": "Member"}
    assert bot.graph(f"users/{DANA.aad}?$select=id,nonsense").status_code == 400
    assert code(bot.graph(f"users/{FAY.aad}")) == (404, "Request_ResourceNotFound")
    assert code(bot.graph(f"users/{DANA.aad}?$select=mailboxSettings")) == (403, "ErrorAccessDenied")


def test_somebody_is_found_by_address_or_upn(bot: Bot) -> None:
    found = bot.graph(
        "users?$filter=mail eq 'DANA@example.com' or userPrincipalName eq 'nomi@example.com'&$select=id"
    ).json()
    assert {one["id"] for one in found["value"]} == {DANA.aad, NOMAIL.aad}
    assert bot.graph("users?$filter=startswith(mail,'d')").status_code == 400


def _members(bot: Bot, group: str) -> list[Json]:
    found: list[Json] = []
    url = f"groups/{group}/transitiveMembers/microsoft.graph.user?$select=id,mail,accountEnabled,userType"
    while url:
        page = bot.graph(url).json()
        assert len(page["value"]) <= 2
        found += page["value"]
        url = page.get("@odata.nextLink", "")
    return found


def test_a_group_is_read_through_in_pages_with_the_groups_in_it(bot: Bot) -> None:
    group = next(one for one in bot.teams.world.groups.values() if one.name == "everybody")
    assert {one["id"] for one in _members(bot, group.id)} == {
        person.aad for person in bot.teams.world.people.values() if not person.of_roster_only
    }
    assert bot.graph(f"groups/{group.id}").json()["displayName"] == "everybody"
    assert code(bot.graph(f"groups/{DANA.aad}")) == (404, "Request_ResourceNotFound")
    assert code(bot.graph("groups/platform")) == (400, "Request_BadRequest")
    wrong = f"groups/{group.id}/transitiveMembers/microsoft.graph.user?$skiptoken=x"
    assert bot.graph(wrong).status_code == 400


def test_without_the_permission_for_users_members_have_ids_alone(bot: Bot) -> None:
    group = next(one for one in bot.teams.world.groups.values() if one.name == "platform")
    bot.teams.graph.permissions.remove("User.Read.All")
    try:
        assert [(one["id"], one["mail"], one["userType"]) for one in _members(bot, group.id)] == [
            (OLU.aad, None, None),
            (PAT.aad, None, None),
        ]
        assert code(bot.graph(f"users/{DANA.aad}")) == (403, "Authorization_RequestDenied")
    finally:
        bot.teams.graph.permissions.add("User.Read.All")


# ------------------------------------------------------------ people


def test_typed_words_arrive_with_who_and_where(bot: Bot) -> None:
    there = channel(bot)
    bot.teams.client.type(DANA, "for <at>Olu Owner</at> please", there)
    heard = bot.heard[-1]
    assert heard["text"] == "<at>prodaccess</at> for <at>Olu Owner</at> please"
    assert [one["mentioned"]["id"] for one in heard["entities"] if one["type"] == "mention"] == [
        bot.teams.world.bot_id,
        OLU.teams_id,
    ]
    assert heard["conversation"]["id"] == f"{there.id};messageid={heard['id']}"
    assert heard["channelData"]["tenant"] == {"id": bot.teams.world.tenant}
    assert heard["from"] == {"id": DANA.teams_id, "name": "Dana Dev", "aadObjectId": DANA.aad}

    bot.teams.client.type(DANA, "hello")
    assert bot.heard[-1]["conversation"]["conversationType"] == "personal"
    count = len(bot.heard)
    bot.teams.client.type(DANA, "between us", there, mention=False)
    assert len(bot.heard) == count


def test_a_press_brings_verb_data_and_inputs_and_its_sentence_is_for_the_presser(bot: Bot) -> None:
    there = channel(bot)
    why = {"type": "Input.Text", "id": "why", "maxLength": 5}
    other = {"type": "Action.ShowCard", "title": "Deny", "card": card(why, actions=[PRESS | {"verb": "deny"}])}
    posted = bot.post(there, message(card({"type": "Input.Text", "id": "note"}, actions=[PRESS, other]))).json()["id"]
    bot.answers = lambda _: JSONResponse({"statusCode": 200, "type": SENTENCE, "value": "Seen."})

    answer = bot.teams.client.press(OLU, posted, "press", {"action": "approve"}, {"note": "n"})
    assert answer.said == "Seen."
    assert bot.heard[-1]["value"] == {
        "action": {
            "type": "Action.Execute",
            "title": "Approve",
            "verb": "press",
            "data": {"action": "approve", "value": "1", "note": "n"},
        },
        "trigger": "manual",
    }
    assert bot.heard[-1]["replyToId"] == posted
    assert {who.name: bot.teams.client.last(who, there).said for who in (OLU,)} == {"Olu Owner": {OLU.aad: "Seen."}}

    bot.teams.client.press(OLU, posted, "deny", None, {"why": "late"})
    assert bot.heard[-1]["value"]["action"]["data"] == {"action": "approve", "value": "1", "why": "late"}
    for inputs in ({"why": "longer"}, {"elsewhere": "x"}):
        with pytest.raises(CannotDo):
            bot.teams.client.press(OLU, posted, "deny", None, inputs)
    with pytest.raises(CannotDo):
        bot.teams.client.press(OLU, posted, "gone")
    with pytest.raises(CannotDo):
        bot.teams.client.press(NOMAIL, posted, "press")


def test_a_card_in_the_answer_is_for_the_presser_until_the_next_edit(bot: Bot) -> None:
    there = channel(bot)
    posted = bot.post(there, message(card(actions=[PRESS]))).json()["id"]
    mine = card({"type": "TextBlock", "text": "Yours"})
    bot.answers = lambda _: JSONResponse({"statusCode": 200, "type": CARD, "value": mine})
    bot.teams.client.press(OLU, posted, "press")
    assert bot.teams.client.last(OLU, there).card == mine
    assert bot.teams.client.last(DANA, there).card != mine
    bot.call("PUT", f"/{there.id}/activities/{posted}", message(card({"type": "TextBlock", "text": "All"})))
    assert bot.teams.client.last(OLU, there).card == bot.teams.client.last(DANA, there).card


@pytest.mark.parametrize(
    "body",
    [
        None,
        {"statusCode": 200, "type": "application/vnd.microsoft.adaptive.card", "value": card()},
        {"statusCode": 200, "type": CARD, "value": {"type": "AdaptiveCard"}},
        {"statusCode": 200, "type": SENTENCE, "value": ""},
    ],
)
def test_an_answer_that_teams_cannot_use_is_told_as_such(bot: Bot, body: Json | None) -> None:
    posted = bot.post(channel(bot), message(card(actions=[PRESS]))).json()["id"]
    bot.answers = lambda _: JSONResponse(body)
    assert bot.teams.client.press(OLU, posted, "press").error == "Something went wrong. Please try again."


def test_what_is_not_answered_in_time_comes_again_as_it_was(bot: Bot) -> None:
    answers = iter([Response(status_code=503), Response(status_code=200)])
    bot.answers = lambda _: next(answers)
    answer = bot.teams.client.type(DANA, "help")
    assert (answer.status, answer.tries) == (200, 2)
    assert bot.heard[-1] == bot.heard[-2]


def test_odd_things_can_be_sent_by_hand(bot: Bot) -> None:
    _, activity = bot.teams.client.typed(DANA, "help")
    courier = bot.teams.courier
    forged = activities.token(bot.teams.world, bot.teams.keys, "https://elsewhere.example/")
    assert courier.send(activity, authorization=f"Bearer {forged}").status == 500  # the bot here asserts
    assert courier.send(activity, authorization="").status == 500
    assert courier.send(activity).status == 200


# ------------------------------------------------------------ Microsoft's playground


def test_what_the_playground_sends_is_signed_on_its_way_and_what_the_bot_calls_comes_through(bot: Bot) -> None:
    relay = bot.teams.relay
    _, activity = bot.teams.client.typed(DANA, "help")
    assert requests.post(relay.endpoint, json=activity, timeout=5).status_code == 404  # there is no playground yet
    relay.connector = f"{bot.teams.base_url}/teams"
    try:
        assert requests.get(relay.endpoint, timeout=5).status_code == 200
        assert requests.post(relay.endpoint, json=activity, timeout=5).status_code == 200
        assert bot.heard[-1]["serviceUrl"] == relay.service_url
        assert (
            requests.post(relay.endpoint.replace("/playground/", "/playground/x"), json=activity, timeout=5).status_code
            == 404
        )

        there = f"{relay.service_url}v3/conversations/{channel(bot).id}"
        assert (
            requests.get(f"{there}/members/{OLU.aad}", headers=_bearer(bot.token), timeout=5).json()["name"]
            == "Olu Owner"
        )
        assert requests.get(f"{there}/members/{OLU.aad}", timeout=5).status_code == 401
        ours = requests.post(f"{there}/activities", json=message(text="x"), headers=_bearer(bot.token), timeout=5)
        assert ours.status_code == 201  # a conversation of the stand-in
        theirs = f"{relay.service_url}v3/conversations/a:playground/activities"
        passed_on = requests.post(theirs, json=message(text="x"), headers=_bearer(bot.token), timeout=5)
        assert passed_on.status_code == 401  # it was passed on without the token, which this "playground" wants
        assert requests.post(f"{there}/activities", json=message(text="x"), timeout=5).status_code == 401
    finally:
        relay.connector = ""


def test_the_playground_gets_the_one_who_acts_and_five_others(bot: Bot) -> None:
    others = tuple(person.aad for person in (OLU, PAT, GUS, FAY, NOMAIL))
    said = people_of(bot.teams.world, DANA.aad, others)
    assert said["currentUser"]["aadObjectId"] == DANA.aad
    assert [one["aadObjectId"] for one in said["users"]] == list(others)
    with pytest.raises(ValueError, match="five others"):
        people_of(bot.teams.world, DANA.aad, others[1:])
