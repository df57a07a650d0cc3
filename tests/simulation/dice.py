"""Chance that repeats: one number in, the same throws for ever, on every machine and in every version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


class Dice:
    """SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def apart(self, name: str) -> Dice:
        """Dice of their own, so that what is thrown here moves nothing there."""
        mixed = hashlib.sha256(f"{self._state}:{name}".encode()).digest()
        return Dice(int.from_bytes(mixed[:8], "big"))

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, count: int) -> int:
        """0 .. count - 1."""
        return self._next() % count

    def between(self, low: float, high: float) -> float:
        """In steps of a thousandth of the way."""
        return low + (high - low) * self.below(1001) / 1000

    def chance(self, out_of_a_thousand: int) -> bool:
        return self.below(1000) < out_of_a_thousand

    def pick(self, among: Sequence[T]) -> T:
        return among[self.below(len(among))]

    def hex(self, digits: int) -> str:
        """A `RandomSource`, too."""
        return "".join(f"{self._next():016x}" for _ in range(-(-digits // 16)))[:digits]
