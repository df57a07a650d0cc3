"""Everything outside of an installation in memory, with an exception that nobody expects at any call of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

from slack_sdk import WebClient

from bot import jobs
from tests.support.chat import CLAIMED_S, ChatWorld
from workflows.core.people import GroupFacts, Membership, PersonId
from workflows.core.policy import Policy
from workflows.core.refusal import Refused
from workflows.ledger.memory import MemoryClock
from workflows.ports import Change
from workflows.usecases.shared.context import WorkerContext


class Unheard(Exception):
    """No port names this one."""


def methods_of(port: type) -> set[str]:
    """All that a port has, so that a new method is among them without anybody thinking of it."""
    assert Protocol in port.__mro__
    names = {name for base in port.__mro__ for name in vars(base) if base.__module__ == port.__module__}
    found = {name for name in names if not name.startswith("_")}
    return found | ({"__call__"} if inspect.isfunction(vars(port).get("__call__")) else set())


@dataclass
class Faults:
    """Which calls fail. `calls`: all that were made, as `stage, call`; a call is `target.observe`, `ledger.read:grant`."""

    stage: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    fails: Callable[[str, str], bool] = lambda _stage, _call: False
    raised: int = 0

    def meet(self, call: str) -> None:
        self.calls.append((self.stage, call))
        if self.fails(self.stage, call):
            self.raised += 1
            raise Unheard(call)


class Faulty:
    """Hands all through to `inner`, and each call to the faults before it is made."""

    def __init__(self, inner: Any, name: str, faults: Faults, wrap: Callable[[Any], Any] = lambda it: it) -> None:
        self._inner, self._name, self._faults, self._wrap = inner, name, faults, wrap

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._inner, attribute)
        if not callable(found):
            self._faults.meet(f"{self._name}.{attribute}")
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._faults.meet(f"{self._name}.{attribute}{_kind(attribute, args)}")
            return self._wrap(found(*args, **kwargs))

        return call

    def __call__(self, *args: Any) -> Any:
        self._faults.meet(f"{self._name}.__call__")
        return self._wrap(self._inner(*args))


def _kind(attribute: str, args: tuple[Any, ...]) -> str:
    """What kind of commit or record it is about."""
    if attribute == "commit" and isinstance(args[0], Change):
        return ":" + args[0].commit_id.partition(":")[0].partition("-")[0]
    return ":" + str(args[0]).partition(":")[0] if attribute in ("read", "acquire", "remind") and args else ""


@dataclass
class QuietSlack(WebClient):
    """As much of Slack as a life needs; it takes everything at once."""

    posts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def chat_postMessage(self, **said: Any) -> Any:
        ts = f"{len(self.posts) + 1}.0"
        self.posts[ts] = (said["channel"], said["text"])
        return {"ok": True, "channel": said["channel"], "ts": ts}

    def chat_update(self, **said: Any) -> Any:
        self.posts[said["ts"]] = (self.posts[said["ts"]][0], said["text"])
        return {"ok": True}

    def conversations_history(self, **_: Any) -> Any:
        return {"ok": True, "messages": []}

    def conversations_replies(self, **_: Any) -> Any:
        return {"ok": True, "messages": []}

    def conversations_open(self, users: list[str], **_: Any) -> Any:
        return {"ok": True, "channel": {"id": users[0]}}

    def told(self, channel: str) -> list[str]:
        return [text for where, text in self.posts.values() if where == channel]


class Outside(ChatWorld):
    """Its items are carried out by the real jobs. Acts of people fail as a listener's do: they are told, and try again."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.slack, self.met = QuietSlack(), Faults()
        clock = MemoryClock()
        super().__init__(self._faulty(self.slack, "slack"), clock, policy=policy)
        self.ctx = replace(
            self.ctx,
            ledger=self._faulty(self.ledger, "ledger"),
            directory=self._faulty(self.directory, "directory"),
            policy=self._faulty(self.policy, "policy"),
            wake=self._faulty(lambda *_items: None, "wake"),
            targets=self._faulty(self.targets, "targets", lambda target: self._faulty(target, "target")),
            refresher=self._faulty(self.chat, "refresher"),
            lease_renewer=self._faulty(self.lease_renewer, "keeper"),
            prove_origin=self._faulty(lambda _policy, origin: origin, "prove_origin"),
        )
        self.buckets = self._faulty(self.buckets, "buckets")
        self.refresher._client = self.client
        self.sender = self.new_sender()
        self.answers: list[str] = []
        self._sources: Mapping[str, frozenset[PersonId]] = {}
        self.on_leave: Callable[[str], None] = lambda _stage: None
        parts = SimpleNamespace(context=self.ctx, due=self._faulty(self.due, "due"), reconciler=self.sender, redis=None)
        jobs.install(parts)  # type: ignore[arg-type]  # as much of it as these jobs use
        sealer, retainer = SimpleNamespace(seal=lambda: None), SimpleNamespace(bite=lambda: None)
        jobs.install_sealer(parts, sealer, lambda: retainer)  # type: ignore[arg-type,return-value]  # as above

    def _faulty(self, inner: Any, name: str, wrap: Callable[[Any], Any] = lambda it: it) -> Any:
        return Faulty(inner, name, self.met, wrap)

    def run(self, item: str) -> None:
        self.ledger.due[item] = self.clock.now().timestamp() + CLAIMED_S
        self.job(item)

    def job(self, item: str) -> None:
        from bot.queues import JOBS

        kind, _, id_ = item.partition(":")
        getattr(jobs, JOBS[kind][1].rpartition(".")[2])(id_)

    def show(self) -> None:
        for item in self.chat_due():
            self.run(item)

    def work(self) -> None:
        """All that is due now, each once, as the clock finds it."""
        now = self.clock.now().timestamp()
        for item, at in sorted(self.ledger.due.items()):
            if at <= now + 1.001:
                self.run(item)

    def learns_from_chat(self, sources: Mapping[str, frozenset[PersonId]]) -> None:
        """Groups whose members the chat knows: they are learnt at each act of a person, and when a worker looks."""
        self._sources = sources
        self.chat.refresh_groups = self._refresh_groups  # type: ignore[method-assign]  # as the chat that has them
        self._learn()

    def _learn(self) -> None:
        for source, members in self._sources.items():
            self.directory.put_members(source, Membership(members, self.clock.now()))

    def _refresh_groups(self, policy: Policy, names: Iterable[str]) -> GroupFacts:
        self._learn()
        return self.directory.groups(policy, names)

    def unhurt(self) -> WorkerContext:
        """To look with: nothing fails in it."""
        return replace(self.ctx, ledger=self.ledger)

    def enter(self, stage: str) -> None:
        """A stage of a life is over, and the next one begins."""
        self.on_leave(self.met.stage)
        self.met.stage = stage

    def lives(self, seconds: float, step_s: float = 4.0) -> None:
        for _ in range(round(seconds / step_s)):
            self.tick(step_s)
            self.work()

    def acts(self, act: Callable[[], Any]) -> Any:
        self._learn()
        try:
            answer = act()
        except Unheard as problem:
            answer = problem
        if isinstance(answer, (Unheard, Refused)):
            self.answers.append(str(answer))
            answer = act()
        return answer


@contextmanager
def no_jobs_left() -> Iterator[None]:
    """The jobs of this process know no installation afterwards."""
    try:
        yield
    finally:
        jobs._parts.clear()
        jobs._sealing.clear()
