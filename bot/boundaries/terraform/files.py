"""All Terraform of a checkout: its blocks by folder, and what a name in one stands for.

Nothing is worked out but literals, `local`s that are literals, and the names of buckets and roles. A variable has a default, and
whoever runs Terraform may give it another value: it stays a hole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.boundaries.model import Place
from bot.boundaries.reading.checkout import folder_of
from bot.boundaries.reading.node import Block, Fields, Items, Node, Ref, Scalar, Template

# Stands in a text for what only a run knows.
HOLE = "￼"
_DEPTH_MAX = 12
# A text with what is put into it, and the values of one document: more is not known.
_TEXT_MAX, _VALUES_MAX = 20_000, 20_000
_BUCKET = ("aws_s3_bucket",)


@dataclass(frozen=True, slots=True)
class Stanza:
    """One block at the top of a file."""

    file: str
    block: Block

    @property
    def folder(self) -> str:
        return folder_of(self.file)

    @property
    def place(self) -> Place:
        return Place(self.file, self.block.line)

    @property
    def address(self) -> str:
        """`aws_s3_bucket.state`, `data.aws_s3_bucket.state`."""
        labels = self.block.labels
        return ".".join(labels[1:] if labels[:1] == ("resource",) else labels)

    @property
    def ref(self) -> str:
        return f"ref:{self.folder}#{self.address}"

    @property
    def is_sure(self) -> bool:
        """Whether it is there once, whatever a run is told."""
        return not {"count", "for_each", "enabled"} & self.block.fields.keys()

    def at(self, name: str) -> Place:
        node = self.block.get(name)
        return Place(self.file, node.line if node else self.block.line)


@dataclass(frozen=True, slots=True)
class Terraform:
    """`doubtful`: folders in which something was not read, or is written over by something that is not."""

    stanzas: tuple[Stanza, ...] = ()
    doubtful: frozenset[str] = frozenset()
    # Folders whose files speak of terraform.workspace.
    workspaced: frozenset[str] = frozenset()
    _by_address: Mapping[tuple[str, str], Sequence[Stanza]] = field(default_factory=dict)
    _by_labels: Mapping[tuple[str, ...], Sequence[Stanza]] = field(default_factory=dict)
    # What a name in a folder stands for, each worked out once: names in names in names can be a bomb.
    _known: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, stanzas: tuple[Stanza, ...], doubtful: frozenset[str], workspaced: frozenset[str]) -> Terraform:
        found: dict[tuple[str, str], list[Stanza]] = {}
        labelled: dict[tuple[str, ...], list[Stanza]] = {}
        for stanza in stanzas:
            found.setdefault((stanza.folder, stanza.address), []).append(stanza)
            for number in {1, 2} & {*range(len(stanza.block.labels) + 1)}:
                labelled.setdefault(stanza.block.labels[:number], []).append(stanza)
        return cls(stanzas, doubtful, workspaced, found, labelled)

    def all(self, *labels: str) -> Iterator[Stanza]:
        """`all("resource", "aws_iam_role")`: by one label or two."""
        return iter(self._by_labels.get(labels, ()))

    def find(self, folder: str, address: str) -> Stanza | None:
        """The one of that name; None where there is none, or more than one."""
        found = self._by_address.get((folder, address), ())
        return found[0] if len(found) == 1 else None

    def text(self, folder: str, node: Node | None, depth: int = 0) -> str | None:
        """With `HOLE`s; None where nothing of it is known, or it is no text."""
        if depth > _DEPTH_MAX:
            return None
        if isinstance(node, Scalar):
            return _word(node)
        if not isinstance(node, Template):
            return None
        parts = [part if isinstance(part, str) else self._named(folder, part, depth) or HOLE for part in node.parts]
        text = "".join(parts)
        return text if text.strip(HOLE) and len(text) <= _TEXT_MAX else None

    def exact(self, folder: str, node: Node | None) -> str | None:
        """Without a hole, or None."""
        text = self.text(folder, node)
        return None if text is None or HOLE in text else text

    def plain(self, folder: str, node: Node | None) -> object:
        """As JSON would have it, with holes for what is not known."""
        return _Plain(self, folder).of(node, 0)

    def local(self, folder: str, path: str) -> Node | None:
        """What `local.x` or `local.x.y` stands for, where it says so in one place."""
        first, _, rest = path.partition(".")
        if first != "local" or not rest:
            return None
        name, *inner = rest.split(".")
        found = [each.block.fields[name] for each in self._locals(folder) if name in each.block.fields]
        node: Node | None = found[0] if len(found) == 1 else None
        for key in inner:
            node = node.fields.get(key) if isinstance(node, Fields) else None
        return node

    def _locals(self, folder: str) -> Sequence[Stanza]:
        return self._by_address.get((folder, "locals"), ())

    def _named(self, folder: str, ref: Ref, depth: int) -> str | None:
        key = (folder, ref.path)
        if key not in self._known:
            self._known[key] = None  # what names itself is not known
            self._known[key] = self._worked_out(folder, ref.path, depth)
        return self._known[key]

    def _worked_out(self, folder: str, path: str, depth: int) -> str | None:
        if path.startswith("local."):
            return self.text(folder, self.local(folder, path), depth + 1)
        if path.startswith("data.aws_partition.") and path.endswith(".partition"):
            return "aws"
        address, _, attribute = path.rpartition(".")
        stanza = self.find(folder, address)
        return self._attribute(stanza, attribute, depth) if stanza is not None else None

    def _attribute(self, stanza: Stanza, attribute: str, depth: int) -> str | None:
        kind = stanza.block.labels[1] if len(stanza.block.labels) > 1 else ""
        if kind in _BUCKET:
            name = self.text(stanza.folder, stanza.block.get("bucket"), depth + 1)
            if name is None or attribute not in ("id", "bucket", "arn"):
                return None
            return f"arn:aws:s3:::{name}" if attribute == "arn" else name
        if kind in ("aws_iam_role", "aws_iam_user", "aws_iam_group") and attribute in ("name", "id"):
            return self.text(stanza.folder, stanza.block.get("name"), depth + 1)
        return stanza.ref if attribute == "arn" else None


@dataclass(slots=True)
class _Plain:
    """Of one document. `left`: how many values it may have, with what its names stand for."""

    terraform: Terraform
    folder: str
    left: int = _VALUES_MAX

    def of(self, node: Node | None, depth: int) -> object:
        if node is None:
            return None
        self.left -= 1
        if depth > _DEPTH_MAX * 4 or self.left < 0:
            return HOLE
        if isinstance(node, Fields):
            return {key: self.of(value, depth + 1) for key, value in node.fields.items()}
        if isinstance(node, Items):
            return [self.of(item, depth + 1) for item in node.items]
        if isinstance(node, Scalar):
            return node.value
        if isinstance(node, Template) and len(node.parts) == 1 and isinstance(node.parts[0], Ref):
            known = self.terraform.local(self.folder, node.parts[0].path)
            if known is not None and depth <= _DEPTH_MAX:
                return self.of(known, depth + 2)
        return self.terraform.text(self.folder, node) or HOLE


def _word(node: Scalar) -> str | None:
    """`"true"` and `true` say the same to Terraform."""
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return None if node.value is None else str(node.value)
