"""Buckets of a checkout's Terraform: what holds for the one in which a state stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.boundaries.model import Evidence, Place, no, unknown, yes
from bot.boundaries.reading.node import Block
from bot.boundaries.terraform.files import Stanza, Terraform
from bot.boundaries.terraform.policies import Policy, policy_of

_OPEN_NEVER = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_OPEN_ACLS = ("public-read", "public-read-write", "authenticated-read")


@dataclass(frozen=True, slots=True)
class Bucket:
    """`stanza`: where it is made; None: not in this checkout."""

    name: str
    stanza: Stanza | None
    evidence: tuple[Evidence, ...] = ()
    policies: tuple[Policy, ...] = ()


def bucket_of(terraform: Terraform, name: str) -> Bucket:
    made = [each for each in terraform.all("resource", "aws_s3_bucket") if _is(terraform, each, name)]
    policies = tuple(
        _surely(each, policy_of(terraform, each, each.block.get("policy")))
        for each in (
            *terraform.all("resource", "aws_s3_bucket_policy"),
            *(one for one in made if "policy" in one.block.fields),
        )
        if _is(terraform, each, name)
    )
    if not policies and any(
        terraform.exact(each.folder, each.block.get("bucket")) is None
        for each in terraform.all("resource", "aws_s3_bucket_policy")
    ):
        # One of those may be its own.
        policies = (Policy(made[0].place if made else Place(), complete=False),)
    if len(made) != 1:
        return Bucket(name, None, (), policies)
    evidence = (_versions(terraform, made[0], name), _closed(terraform, made[0], name))
    return Bucket(name, made[0], evidence, policies)


def _surely(stanza: Stanza, policy: Policy) -> Policy:
    return policy if stanza.is_sure else replace(policy, complete=False)


def _is(terraform: Terraform, stanza: Stanza, name: str) -> bool:
    return terraform.exact(stanza.folder, stanza.block.get("bucket")) == name


def _beside(terraform: Terraform, kind: str, name: str) -> tuple[Stanza, ...]:
    return tuple(each for each in terraform.all("resource", kind) if _is(terraform, each, name))


def _versions(terraform: Terraform, made: Stanza, name: str) -> Evidence:
    """In a resource of its own, or in the bucket as it was written before 2022."""
    blocks = [
        (each, each.block.one("versioning_configuration"))
        for each in _beside(terraform, "aws_s3_bucket_versioning", name)
    ]
    blocks.append((made, made.block.one("versioning")))
    found = [(each, block) for each, block in blocks if block is not None]
    if not found and (unclear := _unclear(terraform, "aws_s3_bucket_versioning", made, name)):
        return unknown(f"Whether bucket {name} keeps versions is worked out by a run.", unclear.place)
    if not found:
        return no(f"Bucket {name} keeps no versions here.", made.place)
    stanza, block = found[0]
    word = _setting(terraform, stanza, block)
    place = Place(stanza.file, block.line)
    if len(found) > 1 or word is None or not stanza.is_sure:
        return unknown(f"Whether bucket {name} keeps versions is worked out by a run.", place)
    if word in ("Enabled", "true"):
        return yes(f"Bucket {name} keeps versions.", place)
    return no(f"Bucket {name} keeps no versions: {word}.", place)


def _unclear(terraform: Terraform, kind: str, made: Stanza, name: str) -> Stanza | None:
    """Something of that kind that may be this bucket's: whose it is a run says, or what stands in it."""
    if any(made.block.all("dynamic")):
        return made
    for each in terraform.all("resource", kind):
        bucket = terraform.exact(each.folder, each.block.get("bucket"))
        if bucket is None or (bucket == name and any(each.block.all("dynamic"))):
            return each
    return None


def _setting(terraform: Terraform, stanza: Stanza, block: Block) -> str | None:
    return terraform.exact(stanza.folder, block.get("status") or block.get("enabled"))


def _closed(terraform: Terraform, made: Stanza, name: str) -> Evidence:
    acls = [
        terraform.exact(each.folder, each.block.get("acl"))
        for each in (made, *_beside(terraform, "aws_s3_bucket_acl", name))
    ]
    if opened := next((acl for acl in acls if acl in _OPEN_ACLS), None):
        return no(f"Bucket {name} is open: {opened}.", made.place)
    found = _beside(terraform, "aws_s3_bucket_public_access_block", name)
    if not found and (unclear := _unclear(terraform, "aws_s3_bucket_public_access_block", made, name)):
        return unknown(f"Whether bucket {name} can be opened is worked out by a run.", unclear.place)
    if not found:
        return no(f"Nothing here keeps bucket {name} from being opened: it has no public access block.", made.place)
    words = [terraform.exact(found[0].folder, found[0].block.get(key)) for key in _OPEN_NEVER]
    if len(found) == 1 and found[0].is_sure and words == ["true"] * 4:
        return yes(f"Bucket {name} cannot be opened to the public.", found[0].place)
    nodes = [found[0].block.get(key) for key in _OPEN_NEVER]
    if "false" in words or None in nodes:
        return no(f"Bucket {name} can be opened: its public access block does not have all four.", found[0].place)
    return unknown(f"Whether bucket {name} can be opened is worked out by a run.", found[0].place)
