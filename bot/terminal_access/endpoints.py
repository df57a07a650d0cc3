"""Where AWS is asked who has signed a call: addresses of our own, never one that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

# https://docs.aws.amazon.com/general/latest/gr/sts.html, read in November 2026.
_REGIONS: Mapping[str, frozenset[str]] = {
    "amazonaws.com": frozenset(
        {
            *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
            *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
            *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1"),
            *("eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
            *("il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
            *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"),
        }
    ),
    "amazonaws.com.cn": frozenset({"cn-north-1", "cn-northwest-1"}),
}
# boto3's own variables, the nearer one first.
OVERRIDES = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")


def sts_address(region: str, environ: Mapping[str, str]) -> str | None:
    """The address of STS in a region, without a path; None where there is none. `environ`: ours, which may name a private
    endpoint or a stand-in.
    """
    suffix = next((suffix for suffix, regions in _REGIONS.items() if region in regions), None)
    if suffix is None:
        return None
    own = next((environ[name] for name in OVERRIDES if environ.get(name)), None)
    return own.rstrip("/") if own is not None else f"https://sts.{region}.{suffix}"


def host_of(address: str) -> str:
    """As it stands in the Host header."""
    return urlsplit(address).netloc
