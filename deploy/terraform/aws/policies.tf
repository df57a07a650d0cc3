# One document for each file of deploy/aws, statement by statement; its README says what each is for.

data "aws_iam_policy_document" "identity_center" {
  statement {
    sid       = "FindInstance"
    actions   = ["sso:ListInstances"]
    resources = ["*"]
  }

  statement {
    sid = "ReadIdentityCenter"
    actions = [
      "sso:ListPermissionSets",
      "sso:DescribePermissionSet",
      "sso:ListAccountAssignments",
      "sso:ListAccountAssignmentsForPrincipal",
      "sso:DescribeAccountAssignmentCreationStatus",
      "sso:DescribeAccountAssignmentDeletionStatus",
      "sso:ListAccountAssignmentDeletionStatus",
    ]
    resources = [
      "arn:${local.partition}:sso:::instance/${local.instance_id}",
      "arn:${local.partition}:sso:::permissionSet/${local.instance_id}/*",
      "arn:${local.partition}:sso:::account/*",
    ]
  }

  statement {
    sid = "FindPeople"
    actions = [
      "identitystore:GetUserId",
      "identitystore:DescribeUser",
      "identitystore:ListUsers",
      "identitystore:IsMemberInGroups",
    ]
    resources = [
      local.store,
      "arn:${local.partition}:identitystore:::user/*",
      "arn:${local.partition}:identitystore:::group/*",
      "arn:${local.partition}:identitystore:::membership/*",
    ]
  }

  statement {
    sid = "AssignAndUnassign"
    actions = [
      "sso:CreateAccountAssignment",
      "sso:DeleteAccountAssignment",
    ]
    resources = concat(
      ["arn:${local.partition}:sso:::instance/${local.instance_id}"],
      try(sort(local.center.permission_set_arns), []),
      [for id in try(sort(local.center.account_ids), []) : "arn:${local.partition}:sso:::account/${id}"],
    )
  }
}

data "aws_iam_policy_document" "identity_center_groups" {
  statement {
    sid       = "FindInstance"
    actions   = ["sso:ListInstances"]
    resources = ["*"]
  }

  statement {
    sid = "FindPeopleAndGroups"
    actions = [
      "identitystore:GetUserId",
      "identitystore:DescribeUser",
      "identitystore:ListUsers",
      "identitystore:GetGroupId",
      "identitystore:IsMemberInGroups",
      "identitystore:GetGroupMembershipId",
      "identitystore:ListGroupMemberships",
    ]
    resources = [
      local.store,
      "arn:${local.partition}:identitystore:::user/*",
      "arn:${local.partition}:identitystore:::group/*",
      "arn:${local.partition}:identitystore:::membership/*",
    ]
  }

  statement {
    sid     = "AddMembers"
    actions = ["identitystore:CreateGroupMembership"]
    resources = concat(
      [
        local.store,
        "arn:${local.partition}:identitystore:::user/*",
        "arn:${local.partition}:identitystore:::membership/*",
      ],
      [for id in try(sort(local.center.group_ids), []) : "arn:${local.partition}:identitystore:::group/${id}"],
    )
  }

  statement {
    sid     = "RemoveMembers"
    actions = ["identitystore:DeleteGroupMembership"]
    resources = concat(
      [
        local.store,
        "arn:${local.partition}:identitystore:::user/*",
        "arn:${local.partition}:identitystore:::membership/*",
      ],
      [for id in try(sort(local.center.group_ids), []) : "arn:${local.partition}:identitystore:::group/${id}"],
    )
  }
}

data "aws_iam_policy_document" "policy_groups" {
  statement {
    sid       = "FindInstance"
    actions   = ["sso:ListInstances"]
    resources = ["*"]
  }

  statement {
    sid = "ReadMembers"
    actions = [
      "identitystore:GetGroupId",
      "identitystore:ListGroupMemberships",
      "identitystore:DescribeUser",
      "identitystore:ListUsers",
    ]
    resources = [
      local.store,
      "arn:${local.partition}:identitystore:::user/*",
      "arn:${local.partition}:identitystore:::group/*",
      "arn:${local.partition}:identitystore:::membership/*",
    ]
  }
}

data "aws_iam_policy_document" "iam_policy" {
  statement {
    sid = "ReadUsersAndTheirInlinePolicies"
    actions = [
      "iam:GetUser",
      "iam:ListUserPolicies",
      "iam:GetUserPolicy",
    ]
    resources = [local.users]
  }

  statement {
    sid       = "GiveToTaggedUsersInsideTheBoundary"
    actions   = ["iam:PutUserPolicy"]
    resources = [local.users]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/prodaccess:person"
      values   = ["false"]
    }

    condition {
      test     = "ArnEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:${local.partition}:iam::${local.account_id}:policy/prodaccess-boundary"]
    }
  }

  statement {
    sid       = "TakeAwayFromAnyUser"
    actions   = ["iam:DeleteUserPolicy"]
    resources = [local.users]
  }
}

data "aws_iam_policy_document" "iam_group" {
  statement {
    sid = "ReadUsersAndTheirGroups"
    actions = [
      "iam:GetUser",
      "iam:ListGroupsForUser",
    ]
    resources = [local.users]
  }

  statement {
    sid = "UseTheseGroupsOnly"
    actions = [
      "iam:GetGroup",
      "iam:AddUserToGroup",
      "iam:RemoveUserFromGroup",
    ]
    resources = [for name in try(sort(var.iam_users.group_names), []) : "arn:${local.partition}:iam::${local.account_id}:group/${name}"]
  }
}

data "aws_iam_policy_document" "iam_role_policy" {
  statement {
    sid = "ReadPipelineRolesAndTheirInlinePolicies"
    actions = [
      "iam:GetRole",
      "iam:ListRolePolicies",
      "iam:GetRolePolicy",
    ]
    resources = [for name in sort(var.pipeline_role_names) : "arn:${local.partition}:iam::${local.account_id}:role/${name}"]
  }

  statement {
    sid       = "GiveToTaggedRolesInsideTheBoundary"
    actions   = ["iam:PutRolePolicy"]
    resources = [for name in sort(var.pipeline_role_names) : "arn:${local.partition}:iam::${local.account_id}:role/${name}"]

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/prodaccess:gate"
      values   = ["false"]
    }

    condition {
      test     = "ArnEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:${local.partition}:iam::${local.account_id}:policy/prodaccess-pipeline-boundary"]
    }
  }

  statement {
    sid       = "TakeAwayFromThesePipelineRoles"
    actions   = ["iam:DeleteRolePolicy"]
    resources = [for name in sort(var.pipeline_role_names) : "arn:${local.partition}:iam::${local.account_id}:role/${name}"]
  }
}

data "aws_iam_policy_document" "connections" {
  statement {
    sid       = "TakeOnTheRolesOfConnections"
    actions   = ["sts:AssumeRole"]
    resources = sort(var.connection_role_arns)
  }
}

data "aws_iam_policy_document" "terminal" {
  statement {
    sid       = "WhoseIsAnIamUser"
    actions   = ["iam:GetUser"]
    resources = [local.users]
  }

  statement {
    sid       = "IsARoleOneOfIdentityCenters"
    actions   = ["iam:GetRole"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/aws-reserved/sso.amazonaws.com/*"]
  }

  statement {
    sid       = "FindInstance"
    actions   = ["sso:ListInstances"]
    resources = ["*"]
  }

  statement {
    sid       = "WhoseIsASession"
    actions   = ["identitystore:GetUserId", "identitystore:DescribeUser"]
    resources = [local.store, "arn:${local.partition}:identitystore:::user/*"]
  }
}

data "aws_iam_policy_document" "activity" {
  statement {
    sid       = "LookAtWhatWasDone"
    actions   = ["cloudtrail:LookupEvents"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "doctor" {
  statement {
    sid       = "AskWhetherAnAccountIsThere"
    actions   = ["organizations:DescribeAccount"]
    resources = ["arn:${local.partition}:organizations::${try(local.center.management_account_id, "")}:account/*"]
  }

  statement {
    sid       = "AskWhatItsOwnRoleMayDo"
    actions   = ["iam:SimulatePrincipalPolicy"]
    resources = [aws_iam_role.worker.arn]
  }

  statement {
    sid = "ReadItsOwnRole"
    actions = [
      "iam:GetRole",
      "iam:ListRolePolicies",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
    ]
    resources = [aws_iam_role.worker.arn]
  }

  statement {
    sid       = "ReadItsOwnPolicies"
    actions   = ["iam:GetPolicy", "iam:GetPolicyVersion"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:policy/${var.name}*"]
  }
}
