"""The page put together: on the stand-ins it shows, the ledger it reads, and the machine whose processes it may kill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.installation.people import PLAYERS
from bot.sandbox.page import site
from bot.sandbox.page.commands import run
from bot.sandbox.page.events import Sources, Watch, stream
from bot.sandbox.page.faults import Faults, Machine, play
from bot.sandbox.page.record import Record
from bot.sandbox.page.start import start
from bot.sandbox.page.teams import TeamsPeople
from bot.sandbox.page.world import Json, Legend, truth
from bot.sandbox.slack import SlackServer
from bot.sandbox.slack.model import Json as Body
from bot.sandbox.teams.server import TeamsServer
from workflows.core.people import person_id
from workflows.core.policy import Policy
from workflows.ports import Ledger


class Page:
    """Make it before `slack` starts, whose server carries it; enter `watching` once the ledger is there."""

    def __init__(
        self,
        slack: SlackServer,
        teams: TeamsServer,
        aws: SandboxAws,
        machine: Machine,
        policy: Policy,
        *,
        static: Path = site.STATIC,
    ) -> None:
        self.faults = Faults(slack, teams, aws, machine)
        self.token = site.new_token()
        self._slack, self._aws, self._machine, self._policy = slack, aws, machine, policy
        self._teams = TeamsPeople(teams)
        self._record: Record | None = None
        self._watch: Watch | None = None
        self._legend = legend(policy)
        self._since: dict[tuple[str, ...], float] = {}
        see, do = site.playing(slack)
        see_in_teams, do_in_teams = self._teams.routes()
        see |= see_in_teams | {"start": self._start, "world": self._world, "audit": self._audit, "faults": self._faults}
        do |= do_in_teams | {
            "faults/{id}": lambda body: play(self.faults, body),
            "commands/{id}": lambda body: run(self._machine, body),
        }
        slack.more_routes.append(site.mount(self.token, see, do, self._events, static))

    @property
    def url(self) -> str:
        return f"{self._slack.base_url}{site.ROOT}/{self.token}/"

    def all_read(self) -> None:
        """Everybody has read what there is by now, in both chats: what comes from here on is new."""
        for player in PLAYERS:
            person = self._slack.person(player.id)
            for channel in (*person.channels(), person.dm()):
                person.mark_read(channel)
        self._teams.all_read()

    @contextmanager
    def watching(self, ledger: Ledger) -> Iterator[None]:
        """While entered, open pages hear of changes, and what dies is brought up again."""
        self._record = Record(ledger, {person_id(each.email): each.name for each in PLAYERS})
        self._machine.keep_up(self.faults.revived)
        sources = Sources(
            chat=lambda: self._slack.workspace.changes,
            teams=lambda: self._teams.changes,
            faults=lambda: self.faults.changes,
            audit=self._record.head,
            aws_changes=lambda: self._aws.proxy.history.changes,
            world=lambda: truth(self._aws, self._legend, self._slack.clock()),
        )
        with Watch(sources) as self._watch:
            yield

    def _start(self, _body: Body) -> Json:
        return start(self._slack, self._policy) | {"teams": self._teams.start()}

    def _world(self, _body: Body) -> Json:
        now = self._slack.clock()
        shown = truth(self._aws, self._legend, now)
        ends = self._record.ends() if self._record else {}
        for person in shown["people"]:
            for row in person["access"]:
                # AWS sets no end of its own here; the bot has arranged one.
                row["arranged"] = ends.get((person["name"], row["what"], row["account"]))
                row["since"] = self._since.setdefault(_name(person, row), now)
        self._forget(shown["people"])
        return {"now": now, **shown}

    def _forget(self, people: list[Json]) -> None:
        """What is no longer there begins anew when it comes back."""
        there = {_name(person, row) for person in people for row in person["access"]}
        self._since = {name: since for name, since in self._since.items() if name in there}

    def _audit(self, body: Body) -> Json:
        if self._record is None:
            return {"entries": [], "on_hold": {}}
        entries = self._record.newest(int(body.get("limit", 40)))
        return {"entries": entries, "on_hold": self._on_hold(self._record.on_hold())}

    def _on_hold(self, accounts: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
        """By the page's ids of people: the chats."""
        found: dict[str, list[str]] = {}
        for chat, user in accounts:
            found.setdefault(self._teams.page_id(user), []).append(chat)
        return found

    def _faults(self, _body: Body) -> Json:
        return self.faults.shown()

    async def _events(self, _request: Request) -> Response:
        watch = self._watch
        if watch is None:
            return Response(status_code=503)
        return StreamingResponse(stream(watch.counters, lambda: self._slack.stopping), media_type="text/event-stream")


def _name(person: Json, row: Json) -> tuple[str, ...]:
    return (person["person"], row["kind"], row["what"], row["where"])


def legend(policy: Policy) -> Legend:
    accounts = {
        role.account: environment.name
        for environment in policy.environments.values()
        for role in environment.roles.values()
        if role.account
    }
    return Legend({each.email: each.name for each in PLAYERS}, accounts)
