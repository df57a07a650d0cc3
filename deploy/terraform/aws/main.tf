# The worker's role, and what it may do: the statements of deploy/aws/*.json, for exactly what is named. A test compares them.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  partition  = data.aws_partition.this.partition
  account_id = data.aws_caller_identity.this.account_id

  # By OIDC the issuer is the end of the provider's ARN.
  issuer = var.eks == null ? "" : split(":oidc-provider/", var.eks.oidc_provider_arn)[1]

  services = {
    ecs          = "ecs-tasks.amazonaws.com"
    ec2          = "ec2.amazonaws.com"
    pod-identity = "pods.eks.amazonaws.com"
  }

  center            = var.identity_center
  instance_id       = local.center == null ? "" : split("/", local.center.instance_arn)[1]
  gives_assignments = local.center == null ? false : length(local.center.permission_set_arns) > 0
  gives_memberships = local.center == null ? false : length(local.center.group_ids) > 0
  reads_groups      = local.center == null ? false : local.center.reads_policy_groups
  gives_inline      = var.iam_users == null ? false : var.iam_users.inline_policies
  gives_iam_groups  = var.iam_users == null ? false : length(var.iam_users.group_names) > 0
  users             = "arn:${local.partition}:iam::${local.account_id}:user/${try(var.iam_users.user_path, "")}*"
  store             = local.center == null ? "" : "arn:${local.partition}:identitystore::${local.center.management_account_id}:identitystore/${local.center.identity_store_id}"
}

data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = var.runs_on == "eks" ? [var.eks] : []

    content {
      sid     = "OnlyTheWorkersServiceAccount"
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = [statement.value.oidc_provider_arn]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:sub"
        values   = ["system:serviceaccount:${statement.value.namespace}:${statement.value.service_account}"]
      }

      condition {
        test     = "StringEquals"
        variable = "${local.issuer}:aud"
        values   = ["sts.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = contains(keys(local.services), var.runs_on) ? [local.services[var.runs_on]] : []

    content {
      sid     = "OnlyThePlatformOfThisAccount"
      actions = var.runs_on == "pod-identity" ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"]

      principals {
        type        = "Service"
        identifiers = [statement.value]
      }

      dynamic "condition" {
        for_each = var.runs_on == "ec2" ? [] : ["aws:SourceAccount"]

        content {
          test     = "StringEquals"
          variable = condition.value
          values   = [local.account_id]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = var.runs_on == "another-role" ? [var.worker_role_arn] : []

    content {
      sid     = "OnlyTheWorkerWithTheAgreedId"
      actions = ["sts:AssumeRole"]

      principals {
        type        = "AWS"
        identifiers = [statement.value]
      }

      condition {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [var.external_id]
      }
    }
  }
}

resource "aws_iam_role" "worker" {
  name                 = var.name
  description          = "prodaccess: gives access and takes it away. For the worker alone."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = (var.runs_on == "eks") == (var.eks != null)
      error_message = "Give eks where runs_on is eks, and only there."
    }

    precondition {
      condition     = (var.runs_on == "another-role") == (var.worker_role_arn != null && var.external_id != null)
      error_message = "Give worker_role_arn and external_id where runs_on is another-role, and only there."
    }
  }
}

resource "aws_iam_instance_profile" "worker" {
  count = var.runs_on == "ec2" ? 1 : 0

  name = var.name
  role = aws_iam_role.worker.name
  tags = var.tags
}

locals {
  # What is wanted is known before anything is made, also where the ids in it are not.
  policies = {
    identity-center        = { wanted = local.gives_assignments, json = data.aws_iam_policy_document.identity_center.json }
    identity-center-groups = { wanted = local.gives_memberships, json = data.aws_iam_policy_document.identity_center_groups.json }
    policy-groups          = { wanted = local.reads_groups, json = data.aws_iam_policy_document.policy_groups.json }
    iam-policy             = { wanted = local.gives_inline, json = data.aws_iam_policy_document.iam_policy.json }
    iam-group              = { wanted = local.gives_iam_groups, json = data.aws_iam_policy_document.iam_group.json }
    iam-role-policy        = { wanted = length(var.pipeline_role_names) > 0, json = data.aws_iam_policy_document.iam_role_policy.json }
    connections            = { wanted = length(var.connection_role_arns) > 0, json = data.aws_iam_policy_document.connections.json }
    activity               = { wanted = var.activity, json = data.aws_iam_policy_document.activity.json }
    terminal               = { wanted = var.terminal && local.center != null, json = data.aws_iam_policy_document.terminal.json }
    doctor                 = { wanted = var.doctor && local.center != null, json = data.aws_iam_policy_document.doctor.json }
    audit                  = { wanted = var.audit_bucket != null, json = data.aws_iam_policy_document.audit.json }
  }
}

resource "aws_iam_role_policy" "worker" {
  for_each = toset([for name, policy in local.policies : name if policy.wanted])

  name   = each.key
  role   = aws_iam_role.worker.id
  policy = local.policies[each.key].json
}
