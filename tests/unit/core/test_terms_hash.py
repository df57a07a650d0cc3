"""What people agreed to stays agreed to when the program learns new fields."""

from __future__ import annotations

from dataclasses import replace

from workflows.core.people import PersonId
from workflows.core.policy import Risk, TargetKind, Tier
from workflows.core.records.request import Terms
from workflows.core.records.target import TargetTerms

TARGET = TargetTerms(
    kind=TargetKind.IDENTITY_CENTER,
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
