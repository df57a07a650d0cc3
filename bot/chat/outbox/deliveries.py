"""Each message through the chat of its place, at that chat's own pace."""

from __future__ import annotations

from bot.chat.chats import Chats
from bot.chat.outbox.delivery import Delivery
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import PostingSession
from bot.chat.places import surface_of
from bot.chat.surface import NotDone
from workflows.ports import Buckets
from workflows.usecases.shared.context import WorkerContext


class Deliveries:
    """Raises what `Delivery` raises."""

    def __init__(self, ctx: WorkerContext, chats: Chats, buckets: Buckets, outages: Outages, command: str) -> None:
        self._ctx = ctx
        self._chats = chats
        self._buckets = buckets
        self._outages = outages
        self._command = command
        self._by_surface: dict[str, Delivery] = {}

    def send(self, page: PostingSession, planned: PlannedMessage) -> None:
        """Make this one message be as wanted. One that stands is edited where it stands, whatever is wanted by now."""
        stands = page.record.postings.get(planned.slot)
        surface = surface_of(stands.channel if stands is not None and stands.ts is not None else planned.channel)
        try:
            self._in(surface).send(page, planned)
        except NotDone as problem:
            problem.surface = surface
            raise

    def _in(self, surface: str) -> Delivery:
        """Made when it is needed: what was posted once may be in a chat that is not set up any more."""
        if surface not in self._by_surface:
            chat = self._chats.at(surface)
            self._by_surface[surface] = Delivery(self._ctx, chat, self._buckets, self._outages, self._command)
        return self._by_surface[surface]
