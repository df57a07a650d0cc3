"""What people agreed to stays agreed to, and what is stored can be read, when the program learns new fields or is moved about."""

from __future__ import annotations

import json
from dataclasses import replace

from workflows.core.people import PersonId
from workflows.core.policy import Risk, Tier
from workflows.core.records.request import Terms
from workflows.ledger.codec import dump, load
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.terms import AwsTerms

TARGET = AwsTerms(
    kind=AwsKind.IDENTITY_CENTER,
    connection="main",
    region="eu-central-1",
    account="111122223333",
    permission_set="ReadOnlyAccess",
)
TERMS = Terms(
    "shop-prod", "read-only", Tier.PRODUCTION, Risk.READ, PersonId("dana@example.com"), 3600, TARGET, "Read logs"
)


def test_terms_of_before_have_the_hash_they_had() -> None:
    assert TERMS.hash == "d8d5bdf4e930b882"


def test_whom_it_is_for_is_a_part_of_what_is_agreed_to() -> None:
    assert replace(TERMS, target=replace(TARGET, match=("email", "user_name"))).hash != TERMS.hash


# As it was stored before a provider had a class of its own: flat, under these names, in this order.
STORED = (
    '{"environment":"shop-prod","role":"read-only","tier":"production","risk":"read","holder":"dana@example.com",'
    '"duration_s":3600,"target":{"kind":"aws-identity-center","connection":"main","region":"eu-central-1",'
    '"partition":"aws","account":"111122223333","instance_arn":null,"role_arn":null,"external_id":null,"profile":null,'
    '"portal":null,"permission_set":"ReadOnlyAccess","group":null,"user":null,"document":null,"match":null,"end_sessions":false,'
    '"role":null,"gate":null},"allows":"Read logs","danger":null}'
)


def test_a_version_of_before_reads_what_is_stored_now() -> None:
    assert dump(Terms, TERMS).decode() == STORED


def test_what_a_version_of_before_has_stored_is_read() -> None:
    assert load(Terms, STORED, where="terms") == TERMS
    older = json.loads(STORED)
    for name in ("match", "end_sessions", "role", "gate"):
        del older["target"][name]
    assert load(Terms, json.dumps(older), where="terms").hash == TERMS.hash
