"""Checkouts made up for `prodaccess boundaries`: a shop whose boundaries hold, and its five faults, each planted alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

Files = Mapping[str, str]

_PROVIDER = 'provider "aws" {\n  region = "eu-central-1"\n}\n'


def backend(bucket: str, key: str, lock: str = "  use_lockfile = true\n") -> str:
    return (
        f'terraform {{\n  backend "s3" {{\n  bucket = "{bucket}"\n  key    = "{key}"\n'
        f'  region = "eu-central-1"\n{lock}  }}\n}}\n{_PROVIDER}'
    )


BUCKET = """
resource "aws_s3_bucket" "state" {
  bucket = "larkspur-state-prod"
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
"""
GUARD = """
data "aws_iam_policy_document" "state" {
  statement {
    effect    = "Deny"
    actions   = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = ["${aws_s3_bucket.state.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [aws_iam_role.deploy.arn]
    }
  }
  statement {
    effect    = "Deny"
    actions   = ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]
    resources = [aws_s3_bucket.state.arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [aws_iam_role.deploy.arn]
    }
  }
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.state.json
}
"""
TRUST = """
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:larkspur/orders:environment:production"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  name               = "orders-prod-deploy"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"""
PERSON = """
resource "aws_iam_role" "developer" {
  name = "developer"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::210987654321:root" }
    }]
  })
}

resource "aws_iam_role_policy" "developer" {
  role = aws_iam_role.developer.id
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = ["s3:*"], Resource = "arn:aws:s3:::larkspur-*" }]
  })
}
"""
DEPLOY = """
name: deploy
on:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  deploy-prod:
    runs-on: ubuntu-24.04
    environment: production
    permissions:
      id-token: write
    steps:
      - uses: actions/checkout@v5
      - uses: aws-actions/configure-aws-credentials@v5
        with:
          role-to-assume: arn:aws:iam::210987654321:role/orders-prod-deploy
          aws-region: eu-central-1
      - run: terraform -chdir=envs/prod apply -auto-approve
"""
TESTS = """
name: tests
on:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v5
      - run: make test
"""
OWNERS = """
* @larkspur/developers
/.github/ @larkspur/platform
/envs/prod/ @larkspur/platform
/policy/ @larkspur/security
"""
POLICY = """
version: 1
timezone: Europe/Vienna
email_domains: [example.com]
connections:
  shop: {kind: aws, region: eu-central-1, portal: "https://larkspur.awsapps.com/start"}
receipts_channel: C0ACCESSLOG
groups:
  platform: {members: [olu@example.com, pat@example.com]}
  developers: {members: [dana@example.com, nia@example.com]}
rules:
  production:
    read: {approve: {owners: 1}, durations: [30m], max_duration: 1h}
"""
ROLES = """
roles:
  read-only:
    risk: read
    allows: Read logs
    target: {kind: aws-identity-center, permission_set: ReadOnlyAccess}
"""
ENVIRONMENT = """
environment: production
title: Orders
tier: production
connection: shop
account: "210987654321"
owners: [platform]
requesters: [developers]
roles:
  read-only: {}
"""

# Nine of twelve are yes offline; what GitHub alone knows is not known.
MENDED: Files = {
    "envs/prod/main.tf": backend("larkspur-state-prod", "orders/prod.tfstate"),
    "envs/prod/state.tf": BUCKET + GUARD,
    "envs/prod/deploy.tf": TRUST,
    "envs/staging/main.tf": backend("larkspur-state", "orders/staging.tfstate"),
    ".github/workflows/deploy.yml": DEPLOY,
    ".github/workflows/tests.yaml": TESTS,
    ".github/CODEOWNERS": OWNERS,
    "policy/prodaccess.yaml": POLICY,
    "policy/roles.yaml": ROLES,
    "policy/environments/production.yaml": ENVIRONMENT,
}


def _swapped(file: str, before: str, after: str) -> Callable[[Files], Files]:
    def fault(files: Files) -> Files:
        assert before in files[file], (file, before)
        return {**files, file: files[file].replace(before, after)}

    return fault


# Fault -> the question that tells of it, and what makes it.
FAULTS: Mapping[str, tuple[str, Callable[[Files], Files]]] = {
    "staging shares production's bucket": (
        "state-apart",
        lambda files: {
            **_swapped("envs/staging/main.tf", '"larkspur-state"', '"larkspur-state-prod"')(files),
            "envs/prod/state.tf": BUCKET,
        },
    ),
    "nobody locks": ("state-locked", _swapped("envs/prod/main.tf", "  use_lockfile = true\n", "")),
    "developers write the state": (
        "state-people",
        lambda files: {**files, "envs/prod/state.tf": BUCKET, "envs/prod/people.tf": PERSON},
    ),
    "any run is trusted": (
        "pipeline-trust",
        lambda files: {
            **files,
            "envs/prod/deploy.tf": TRUST.replace('"StringEquals"', '"StringLike"').replace(
                ":environment:production", ":*"
            ),
        },
    ),
    "pull requests reach production": (
        "pipeline-outsiders",
        _swapped(".github/workflows/deploy.yml", "on:\n", "on:\n  pull_request_target:\n"),
    ),
}


def all_faults() -> Files:
    files: Files = MENDED
    for _, plant in FAULTS.values():
        files = plant(files)
    return files


def checkout(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
