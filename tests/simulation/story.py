"""What happened, in order, in plain sentences; and a digest of every step, by which two tellings are compared."""

from __future__ import annotations

import hashlib
from collections import Counter


class Story:
    def __init__(self) -> None:
        self.lines: list[tuple[float, str]] = []
        self.count: Counter[str] = Counter()
        self._steps = hashlib.sha256()
        self.now_s = lambda: 0.0

    def tell(self, words: str) -> None:
        self.lines.append((self.now_s(), words))
        self.step(words)

    def fault(self, kind: str, words: str) -> None:
        self.count[kind] += 1
        self.tell(words)

    def step(self, words: str) -> None:
        """Too small to be told, and part of the digest."""
        self._steps.update(f"{self.now_s():.6f} {words}\n".encode())

    @property
    def digest(self) -> str:
        return self._steps.hexdigest()

    def text(self) -> str:
        return "\n".join(f"{int(at_s // 60):3d}:{at_s % 60:09.6f}  {words}" for at_s, words in self.lines)
