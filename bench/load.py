"""Sends signed requests to a running bot from a process of its own, and says how long each answer took.

    python -m bench.load FILE URL SECRET [--rate 50 | --at-once 16]

FILE holds one `[content type, body]` in JSON a line. With `--rate` requests leave at their times whatever comes back (an
open loop), and the time counts from when a request should have left. With `--at-once` so many are under way all the time.
Each has a connection of its own, as Slack's have. Prints JSON: seconds of each, how many were not answered with 200, and
how long it took altogether.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.sandbox.clock import system_clock
from bot.sandbox.slack.events.http import sign

TIMEOUT_S = 10.0

Body = tuple[str, str]


@dataclass(frozen=True)
class Answers:
    """What a run came to. `seconds` are of those answered; `took_s` is from the first to the last answer."""

    seconds: Sequence[float]
    failed: int
    took_s: float
    said: str

    @property
    def a_second(self) -> float:
        return len(self.seconds) / self.took_s


def send(bodies: Sequence[Body], url: str, secret: str, *, rate: float = 0.0, at_once: int = 0) -> Answers:
    """Run this file as a process of its own."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.writelines(json.dumps(body) + "\n" for body in bodies)
        file.flush()
        how = ["--rate", str(rate)] if rate else ["--at-once", str(at_once)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.load", file.name, url, secret, *how], capture_output=True, check=True
        )
    return Answers(**json.loads(done.stdout))


class Sender:
    def __init__(self, url: str, secret: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = str(parts.hostname), int(parts.port or 80), parts.path
        self._secret = secret
        self.seconds: list[float] = []
        self.failed = 0
        self.said = ""

    async def one(self, body: Body, since: float | None = None) -> None:
        began = time.perf_counter() if since is None else since
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status, answer = await self._post(body)
        except (OSError, TimeoutError) as problem:
            status, answer = b"", repr(problem).encode()
        if b" 200 " in status:
            self.seconds.append(time.perf_counter() - began)
        else:
            self.failed += 1
        self.said = answer.decode("utf-8", "replace")[-2000:]

    async def _post(self, body: Body) -> tuple[bytes, bytes]:
        content_type, text = body
        raw, at = text.encode(), str(int(system_clock()))
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(raw)}\r\nX-Slack-Request-Timestamp: {at}\r\n"
            f"X-Slack-Signature: {sign(self._secret, at, raw)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(head.encode() + raw)
            status = await reader.readline()
            return status, await reader.read()
        finally:
            writer.close()

    async def open_loop(self, bodies: Sequence[Body], rate: float) -> None:
        start = time.perf_counter()
        under_way = []
        for number, body in enumerate(bodies):
            at = start + number / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            under_way.append(asyncio.create_task(self.one(body, at)))
        await asyncio.gather(*under_way)

    async def closed_loop(self, bodies: Sequence[Body], at_once: int) -> None:
        waiting = iter(bodies)

        async def keep_on() -> None:
            for body in waiting:
                await self.one(body)

        await asyncio.gather(*(keep_on() for _ in range(at_once)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("url")
    parser.add_argument("secret")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--at-once", type=int, default=16)
    asked = parser.parse_args()
    bodies = [json.loads(line) for line in asked.file.read_text().splitlines()]
    sender = Sender(asked.url, asked.secret)
    began = time.perf_counter()
    if asked.rate:
        asyncio.run(sender.open_loop(bodies, asked.rate))
    else:
        asyncio.run(sender.closed_loop(bodies, asked.at_once))
    took_s = time.perf_counter() - began
    print(json.dumps({"seconds": sender.seconds, "failed": sender.failed, "took_s": took_s, "said": sender.said}))


if __name__ == "__main__":
    main()
