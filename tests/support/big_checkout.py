"""A checkout as many public ones are: modules, partial backends, workspaces, called workflows, matrices. Made up; nobody's.

What a careful person could say of it by reading it alone is in `EXPECTED`, with why.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.boundaries.model import Verdict

_BACKEND = 'terraform {\n  required_version = ">= 1.9"\n  backend "s3" {\n%s  }\n}\n'
_SHARED = (
    '    bucket = "northwind-tfstate"\n    key = "%s/network.tfstate"\n'
    '    region = "eu-west-1"\n    dynamodb_table = "tf-locks"\n'
)
_PROVIDER = 'provider "aws" {\n  region = var.region\n  default_tags {\n    tags = local.tags\n  }\n}\n'
_VARIABLES = (
    'variable "region" {\n  type    = string\n  default = "eu-west-1"\n}\n\nlocals {\n  tags = { team = "core" }\n}\n'
)

FILES: Mapping[str, str] = {
    "README.md": "# Platform\n\nproduction production production\n",
    "terraform/modules/service/main.tf": (
        'variable "name" {}\n\nresource "aws_ecs_service" "this" {\n  name = "${var.name}-${terraform.workspace}"\n'
        "  desired_count = var.replicas > 2 ? var.replicas : 2\n}\n"
    ),
    "terraform/modules/state/main.tf": (
        'variable "name" {}\n\nresource "aws_s3_bucket" "this" {\n  bucket = "${var.name}-tfstate"\n}\n\n'
        'resource "aws_s3_bucket_versioning" "this" {\n  bucket = aws_s3_bucket.this.id\n'
        '  versioning_configuration {\n    status = "Enabled"\n  }\n}\n'
    ),
    "terraform/envs/prod/network/backend.tf": _BACKEND % (_SHARED % "prod"),
    "terraform/envs/prod/network/main.tf": _PROVIDER
    + _VARIABLES
    + 'module "vpc" {\n  source  = "terraform-aws-modules/vpc/aws"\n  version = "~> 5.0"\n}\n',
    "terraform/envs/prod/app/backend.tf": _BACKEND % "    encrypt = true\n",
    "terraform/envs/prod/app/main.tf": _PROVIDER
    + _VARIABLES
    + 'module "orders" {\n  source = "../../../modules/service"\n  name   = "orders"\n}\n',
    "terraform/envs/staging/network/backend.tf": _BACKEND % (_SHARED % "staging"),
    "terraform/envs/staging/network/main.tf": _PROVIDER + _VARIABLES,
    "terraform/bootstrap/main.tf": _PROVIDER
    + _VARIABLES
    + 'module "state" {\n  source = "../modules/state"\n  name   = "northwind"\n}\n'
    + """
data "aws_iam_policy_document" "deploy" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringLike"
      variable = "${local.issuer}:sub"
      values   = [for repo in var.repositories : "repo:northwind/${repo}:*"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  for_each           = toset(["staging", "prod"])
  name               = "deploy-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.deploy.json
}
""",
    "terraform/examples/prod/main.tf": _BACKEND % '    bucket = "your-bucket"\n    key = "prod"\n' + _PROVIDER,
    ".github/workflows/ci.yml": """
name: CI
on:
  pull_request:
  push:
    branches: [main]
permissions: {contents: read}
jobs:
  build:
    strategy: {matrix: {python: ['3.11', '3.12']}}
    runs-on: ubuntu-latest
    env: {NODE_ENV: production}
    steps:
      - uses: actions/checkout@v5
      - run: npm ci --production && make test
  publish:
    if: github.event_name == 'push' && github.ref == 'refs/heads/main'
    needs: build
    runs-on: ubuntu-latest
    permissions: {id-token: write, contents: read}
    environment: pypi
    steps:
      - uses: pypa/gh-action-pypi-publish@release/v1
""",
    ".github/workflows/plan.yml": """
name: plan
on:
  pull_request:
    paths: ['terraform/**']
permissions: {id-token: write, contents: read, pull-requests: write}
jobs:
  plan:
    strategy: {matrix: {env: [staging, prod]}}
    runs-on: ubuntu-latest
    steps:
      - uses: aws-actions/configure-aws-credentials@v5
        with: {role-to-assume: 'arn:aws:iam::111122223333:role/plan-${{ matrix.env }}', aws-region: eu-west-1}
      - run: terraform -chdir=terraform/envs/${{ matrix.env }}/network plan
""",
    ".github/workflows/deploy.yml": """
name: deploy
on:
  push: {branches: [main]}
  workflow_dispatch:
    inputs:
      environment: {type: choice, options: [staging, production]}
jobs:
  staging:
    uses: ./.github/workflows/_deploy.yml
    with: {environment: staging}
    secrets: inherit
  production:
    needs: staging
    uses: ./.github/workflows/_deploy.yml
    with: {environment: production}
    secrets: inherit
""",
    ".github/workflows/_deploy.yml": """
on:
  workflow_call:
    inputs: {environment: {type: string, required: true}}
permissions: {id-token: write, contents: read}
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: ${{ inputs.environment }}
    steps:
      - uses: aws-actions/configure-aws-credentials@v5
        with: {role-to-assume: '${{ vars.DEPLOY_ROLE }}', aws-region: eu-west-1}
      - run: ./deploy.sh ${{ inputs.environment }}
""",
    ".github/workflows/labels.yml": """
on: pull_request_target
permissions: {pull-requests: write}
jobs:
  label:
    runs-on: ubuntu-latest
    steps: [{uses: actions/labeler@v6}]
""",
    ".github/workflows/preview.yml": """
on:
  workflow_run: {workflows: [CI], types: [completed]}
jobs:
  comment:
    runs-on: ubuntu-latest
    steps:
      - run: ./preview.sh
        env: {TOKEN: '${{ secrets.PREVIEW_TOKEN }}'}
""",
    ".github/CODEOWNERS": "*.md @northwind/docs\n/terraform/ @northwind/platform\n",
    "Dockerfile": "FROM scratch\n",
}

EXPECTED: Mapping[str, tuple[Verdict, str]] = {
    "state-apart": (Verdict.NO, "prod/network and staging/network stand in one bucket, and nothing keeps them apart"),
    "state-locked": (Verdict.UNKNOWN, "prod/app gets its backend at init"),
    "state-region": (Verdict.UNKNOWN, "the provider's region is a variable"),
    "state-bucket": (Verdict.UNKNOWN, "the bucket's name is put together in a module"),
    "state-writers": (Verdict.UNKNOWN, "the bucket's policy is not here"),
    "state-people": (Verdict.UNKNOWN, "no people's roles are here, and nothing denies it to them"),
    "pipeline-approval": (Verdict.NO, "plan takes a role of prod and names no environment"),
    "pipeline-branch": (Verdict.NO, "so does it from any branch"),
    "pipeline-outsiders": (Verdict.NO, "plan takes a role of prod in runs of pull requests"),
    "pipeline-trust": (Verdict.UNKNOWN, "which repositories the role trusts a variable says"),
    "owner-named": (Verdict.UNKNOWN, "no policy folder is here"),
    "owner-reviews": (Verdict.NO, "nobody owns the workflows"),
}
