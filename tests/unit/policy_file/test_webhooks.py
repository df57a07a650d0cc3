"""Webhooks in the policy: what they are told of, and which names no address may have."""

from __future__ import annotations

from pathlib import Path

from bot.settings import SECRETS, variable
from tests.unit.policy_file.policy_folder import WORKSPACE, policy
from workflows.core.policy import DIGESTS, RECEIPTS, Webhook
from workflows.policy_file.values import OUR_SECRETS

HOOKS = """\
webhooks:
  - {name: all, url: {env: ALL_HOOK}}
  - {name: shop, url: {env: SHOP_HOOK}, environments: [shop-prod], kinds: [digests]}
digests:"""


def test_a_webhook_is_told_of_all_as_an_outsider_unless_it_names_environments(tmp_path: Path) -> None:
    everything, shop = policy(tmp_path, (WORKSPACE, "digests:", HOOKS)).webhooks

    assert everything == Webhook("all", "ALL_HOOK", None, frozenset({RECEIPTS, DIGESTS}))
    assert everything.hears_of("shop-prod")
    assert not everything.belongs_to("shop-prod")
    assert shop.kinds == {DIGESTS}
    assert shop.hears_of("shop-prod")
    assert shop.belongs_to("shop-prod")
    assert not shop.hears_of("other")
    assert not shop.belongs_to("other")


def test_a_webhooks_place_is_kept_as_text() -> None:
    assert Webhook("shop", "SHOP_HOOK").place == "webhook:channel:shop"


def test_no_secret_of_ours_can_be_a_webhooks_address() -> None:
    assert {variable(field) for field in SECRETS} == OUR_SECRETS
