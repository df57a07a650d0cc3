"""The log's entries against the archive's copies of them, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflows.core.seal.layout import ArchivedEntry, BadRun
from workflows.core.seal.merkle import Tree
from workflows.core.seal.statement import leaf_of

# So many entries between two heads are named one by one.
NAMED_MAX = 10


class Copies:
    """`runs`: ascending, not yet read. What differs is kept until the next head says which of the two was changed."""

    def __init__(self, runs: Iterable[ArchivedEntry]) -> None:
        self._runs = iter(runs)
        self._copy: ArchivedEntry | None = None
        # The archive's tree from the first difference on; the log's own before.
        self._tree: Tree | None = None
        self._differences: dict[int, str] = {}
        self._told: list[str] = []
        self.compared = 0

    def begin(self) -> None:
        self._copy = self._another(1)

    def compare(self, number: int, entry_digest: str, tree: Tree) -> None:
        """`tree`: the log's, before this entry. Numbers come in their order, each once."""
        copy = self._copy
        if copy is None or copy.number != number:
            return
        self.compared += 1
        if copy.digest != entry_digest:
            if self._tree is None:
                self._tree = Tree(tree.size, tree.frontier)
            if len(self._differences) < NAMED_MAX:
                self._differences[number] = _difference(copy, entry_digest)
        if self._tree is not None:
            self._tree.append(leaf_of(number, copy.digest))
        if not copy.is_intact:
            self._told.append(f"#{number} was changed in the archive: its digest is another one.")
        self._copy = self._another(number + 1)

    def said(self) -> Iterator[str]:
        """What is wrong with the archive itself."""
        told, self._told = self._told, []
        yield from told

    def differences(self) -> dict[int, str]:
        """Number -> half a sentence, since this was asked last: the lowest first."""
        return self._differences

    def have(self, root: str) -> bool:
        """Whether the archive's entries are those of this root, of which the log's are not."""
        return self._tree is not None and self._tree.root().hex().startswith(root)

    def forget(self) -> None:
        """The log's entries are right."""
        self._tree, self._differences = None, {}

    def _another(self, least: int) -> ArchivedEntry | None:
        try:
            return next((found for found in self._runs if found.number >= least), None)
        except BadRun as problem:
            self._told.append(str(problem))
            return None


def _difference(copy: ArchivedEntry, entry_digest: str) -> str:
    number = copy.number
    if not copy.digest:
        return f"#{number} was put in where there was none when it was sealed"
    if not entry_digest:
        return f"#{number} was removed after it was sealed"
    return f"#{number} was changed after it was sealed: its digest was {copy.digest[:12]}, and is {entry_digest[:12]}"
