"""What is called production, by its name: nothing else in a checkout says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_WORDS = frozenset({"prod", "production", "prd"})
# `non-prod`, `pre-prod` are something else; `nonprod` and `preprod` are words of their own.
_NOT = frozenset({"non", "pre", "not", "no", "un"})
# Other environments, as they are called.
_OTHERS = frozenset(
    {"staging", "stage", "stg", "dev", "develop", "development", "test", "testing", "qa", "uat", "sandbox", "preview"}
    | {"preprod", "preproduction", "nonprod", "nonproduction", "demo", "playground"}
)
# `orders-prod`, `orders_prod_2`, `OrdersProd`.
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class Production:
    """`also`: further words that mean production here, as whole words: `live`."""

    def __init__(self, also: tuple[str, ...] = ()) -> None:
        self._words = _WORDS | {word.lower() for word in also}

    def says(self, text: str) -> bool:
        """Whether a name, a path or a line of a script speaks of production."""
        return any(self._named(text))

    def says_another(self, text: str) -> bool:
        """Whether a name is another environment's."""
        words = [found[0].lower() for found in _PART.finditer(text)]
        return bool(_OTHERS & {*words}) or any(pair[0] in _NOT and pair[1] in self._words for pair in pairwise(words))

    def _named(self, text: str) -> Iterator[bool]:
        before = ""
        for found in _PART.finditer(text):
            word = found[0].lower()
            yield word in self._words and before not in _NOT
            before = word
