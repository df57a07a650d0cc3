"""The only place where objects are built. Importing it does nothing; each process builds what it needs and no more."""

from __future__ import annotations

from bot.wiring.chats import OWN_WEBHOOK, build_webhooks, own_webhooks
from bot.wiring.clock import ClockParts, build_clock
from bot.wiring.common import Common
from bot.wiring.sealing import SealingParts, build_sealing_worker
from bot.wiring.web import WebParts, build_web
from bot.wiring.worker import WorkerParts, build_worker

__all__ = [
    "OWN_WEBHOOK",
    "ClockParts",
    "Common",
    "SealingParts",
    "WebParts",
    "WorkerParts",
    "build_clock",
    "build_sealing_worker",
    "build_web",
    "build_webhooks",
    "build_worker",
    "own_webhooks",
]
