"""All that Slack and Teams are given, to the letter: golden files of every message, form, list and home, one file a scene.

`python -m tests.support.golden` writes them anew. A change of them is a change of what people see: it is looked at line by line.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.chat.form import Form
from bot.chat.forms import break_glass as break_glass_form
from bot.chat.forms import extension as extend_form
from bot.chat.forms import reason as reason_forms
from bot.chat.forms import reduced_approval
from bot.chat.forms import request as form
from bot.chat.message import Message
from bot.chat.messages import approval_card as cards
from bot.chat.messages import board, notices, receipts
from bot.chat.messages import break_glass as glass
from bot.chat.messages import reminders as calls
from bot.chat.messages.home import home_instead
from bot.chat.outbox.plans.boards import LINES_MAX
from bot.chat.views.deciders import Deciders, Seat
from bot.chat.views.request_view import RequestView, for_outsiders
from bot.chat.wording.labels import Stage
from bot.slack.form_view import options_of, view_of
from bot.slack.render import blocks_of, home_of, text_of
from tests.support import golden_teams, homes, views
from tests.support.every_scene import SCENES, STEPS, rules
from tests.support.spoken import CAST, Listener, Said
from tests.support.truth import Look, Walk, answers, look_round, pressed
from tests.support.world import World
from workflows.core.policy import Environment

FOLDER = Path(__file__).parents[1] / "golden"


def payload(said: Said) -> dict[str, Any]:
    return {"what": said.what, "text": said.drawn.text, "blocks": said.drawn.blocks}


class Heard:
    """Each message of a scene once, in the order in which it is said. `teams` hears the same."""

    def __init__(self, scene: str, teams: golden_teams.Files) -> None:
        self._scene = scene
        self._teams = teams
        self._heard: set[str] = set()
        self.said: list[dict[str, Any]] = []

    def hear(self, step: int, look: Look, stands: Sequence[Said]) -> None:
        """`stands`: what stands in chat at this step."""
        for said in _said(look, stands):
            self._teams.hear(self._scene, step, said)
            if said.raw not in self._heard:
                self._heard.add(said.raw)
                self.said.append({"step": step, **payload(said)})


def of_scene(name: str, teams: golden_teams.Files) -> list[dict[str, Any]]:
    t, heard = Listener(World(rules())), Heard(name, teams)
    for step, ids in enumerate(SCENES[name](t), 1):
        heard.hear(step, *look_round(Walk(), name, t, ids, last=step == STEPS[name]))
    return heard.said


def _said(look: Look, stands: Sequence[Said]) -> Iterator[Said]:
    for said in (*stands, *(said for who in CAST for said in answers(look, who))):
        yield said
        if not look.passing or said.what.startswith(f"{said.reader} types"):
            yield from pressed(look, said)


# ---------------------------------------------------------------- each state, whatever leads to it

_MENTIONS = {"platform": ["S0PLATFORM"], "security": ["U0SID", "U0SUE"], "owners": ["U0OLU"]}
_HAND: dict[str, Any] = {
    "requester": "<b>&*Max*_~`",
    "reason": "a <!channel> & *bold* `code` ~no~ _x_ \n> quote",
    "danger": "<@U1> & all",
}


def of_states(teams: golden_teams.Files) -> Iterator[dict[str, Any]]:
    """Each message once, under the first name that it has."""
    heard: set[str] = set()
    for name, message in _named():
        teams.state(name, message)
        found = {"text": text_of(message), "blocks": blocks_of(message)}
        key = json.dumps(found, sort_keys=True)
        if key not in heard:
            heard.add(key)
            yield {"what": name, **found}


def _named() -> Iterator[tuple[str, Message]]:
    for name, view in views.every_state().items():
        unkind = replace(view, **_HAND, holder="<@UDANA> _holder_")
        for kind, each in ((name, view), (f"{name}, outside", for_outsiders(view)), (f"{name}, unkind", unkind)):
            for what, made in _of(each).items():
                yield f"{kind}: {what}", made


def of_boards() -> Iterator[dict[str, Any]]:
    """In Slack alone there are any."""
    waiting = {name: view for name, view in views.every_state().items() if view.stage is Stage.WAITING}
    for name, view in waiting.items():
        for kind, each in ((name, view), (f"{name}, unkind", replace(view, **_HAND, holder="<@UDANA> _holder_"))):
            made = board.board([each])
            yield {"what": f"board: {kind}", "text": text_of(made), "blocks": blocks_of(made)}
    first = next(iter(waiting.values()))
    for what, made in {
        "all of them": board.board(list(waiting.values()), 37),
        "outside": board.board([for_outsiders(first)]),
        "too much": board.board([replace(first, danger="d" * 300, title="t" * 100, role="r" * 80)] * LINES_MAX),
        "over": board.over(),
    }.items():
        yield {"what": f"board: {what}", "text": text_of(made), "blocks": blocks_of(made)}


def _of(view: RequestView) -> dict[str, Message]:
    return {
        "card": cards.approval_card(view, _MENTIONS),
        "to an owner": cards.approval_card(view, to_owner=True),
        "asked": notices.asked(view, Deciders((Seat("owners", 1, ("Olu", "Pat")),)), zone="Europe/Vienna"),
        "by rule": notices.asked(view, by_rule=True),
        "agreed": notices.agreed(view),
        "have it": notices.have_it(view, view.requester_id),
        "active": notices.active(view),
        "over": notices.over_active(view),
        "for you": notices.asked_for_you(view),
        "settled": notices.settled(view),
        "ending": notices.ending(view),
        "outcome": notices.outcome(view),
        "failing": notices.removal_failing(view, failures=3, mentions=_MENTIONS, owners=("platform",)),
        "root": receipts.receipt_root(view),
        "reminder": calls.reminder(view, ("U0OLU",)),
        "escalated": calls.escalated(view, ("U0SID",)),
        "glass": glass.break_glass_card(replace(view, break_glass=True), _MENTIONS, ("platform",)),
    }


# ---------------------------------------------------------------- forms, and what is drawn without a record


def of_forms(teams: golden_teams.Files) -> Iterator[dict[str, Any]]:
    places = [views.environment(), replace(views.environment(), name="shop", title="Shop & <co>", roles={})]
    for what, made in _forms(places):
        teams.form(what, made)
        yield {"what": what, "view": view_of(made)}
        if what == "request, many":
            yield {"what": "options", "view": options_of(form.choices_for("shop", places))}
    for name, page in homes.pages().items():
        yield {"what": f"home: {name}", "view": home_of(page)}
    yield {"what": "home instead", "view": home_of(home_instead("I cannot reach my records just now."))}


def _forms(places: list[Environment]) -> Iterator[tuple[str, Form]]:
    roles = list(places[0].roles.values())
    place = next(place for place in rules().environments.values() if place.break_glass)
    yield "request", form.request_form(places)
    for chosen in (
        form.Chosen("payments-prod"),
        form.Chosen("payments-prod", "admin", "why", timedelta(hours=1), "INC-1"),
        form.Chosen("payments-prod", "read-only", more=("admin",), begin=views.NOW),
    ):
        where = form.Where("C1", "inc-1", "1.2")
        drawn = form.request_form(places, chosen, where, recent=("shop",), break_glass=("payments-prod",))
        yield f"request {chosen.role}", drawn
    yield "request, many", form.request_form([replace(places[0], name=f"env-{number}") for number in range(101)])
    yield "break-glass", break_glass_form.break_glass_form(place, form.Where())
    times = [timedelta(minutes=10), timedelta(hours=1)]
    for name, view in views.every_state().items():
        yield f"less, {name}", reduced_approval.reduced_approval_form(view, "PA-1042", roles, times)
        yield f"extend, {name}", extend_form.extend_form(view, roles[0], times)
        yield f"deny, {name}", reason_forms.deny_form(view, "PA-1042")
        yield f"deny all, {name}", reason_forms.deny_all_form([view, view], "PA-1042")
        yield f"end, {name}", reason_forms.end_form(view, "PA-1042")
        yield f"flag, {name}", reason_forms.flag_form(view, "PA-1042")


# Digests and numbers, which change with whatever else an entry or a role holds.
_DIGEST = re.compile(r"\b(?=[0-9a-f]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{12,64}\b|(?<=-)0[0-9]{11}\b")


def lines(found: Iterable[dict[str, Any]], separators: tuple[str, str] = (", ", ": ")) -> str:
    written = (json.dumps(one, ensure_ascii=False, sort_keys=True, separators=separators) for one in found)
    return "".join(_DIGEST.sub("~", line) + "\n" for line in written)


def everything() -> dict[str, str]:
    """File name, without its ending -> what has to stand in it."""
    teams = golden_teams.Files()
    return files({name: of_scene(name, teams) for name in SCENES}, teams)


def files(scenes: Mapping[str, Iterable[dict[str, Any]]], teams: golden_teams.Files) -> dict[str, str]:
    """The same, of scenes that `teams` has heard as well."""
    found = {name: lines(said) for name, said in scenes.items()}
    found |= {"states": lines(of_states(teams)), "forms": lines(of_forms(teams)), "boards": lines(of_boards())}
    return found | {f"teams/{name}": lines(said, (",", ":")) for name, said in teams.said.items()}


def kept() -> dict[str, str]:
    return {
        str(path.relative_to(FOLDER).with_suffix("")): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*.jsonl")
    }


def write() -> None:
    for old in FOLDER.rglob("*.jsonl"):
        old.unlink()
    for name, text in everything().items():
        path = FOLDER / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
    sys.stdout.write(f"written to {FOLDER.name}/\n")
