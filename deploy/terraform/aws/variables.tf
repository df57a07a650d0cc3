variable "name" {
  description = "Name of the worker's role; what else is made has it in its name."
  type        = string
  default     = "prodaccess-worker"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,52}$", var.name))
    error_message = "The name must be one that IAM takes, of at most 52 characters."
  }
}

variable "tags" {
  description = "Tags of all that is made."
  type        = map(string)
  default     = {}
}

variable "runs_on" {
  description = "Where the worker runs: eks (IRSA), pod-identity, ecs, ec2, or another-role (the role is taken on by worker_role_arn)."
  type        = string

  validation {
    condition     = contains(["eks", "pod-identity", "ecs", "ec2", "another-role"], var.runs_on)
    error_message = "It must be eks, pod-identity, ecs, ec2 or another-role."
  }
}

variable "eks" {
  description = "For eks: the cluster's OIDC provider, and the worker's service account. The chart calls it prodaccess-worker."
  type = object({
    oidc_provider_arn = string
    namespace         = optional(string, "prodaccess")
    service_account   = optional(string, "prodaccess-worker")
  })
  default = null

  validation {
    condition     = var.eks == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/.+$", var.eks.oidc_provider_arn))
    error_message = "The eks.oidc_provider_arn must look like arn:aws:iam::111122223333:oidc-provider/oidc.eks.REGION.amazonaws.com/id/ID."
  }
}

variable "worker_role_arn" {
  description = "For another-role, in an account in which access is given: the worker's own role, the only one that may take this one on."
  type        = string
  default     = null

  validation {
    condition     = var.worker_role_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[^*]+$", var.worker_role_arn))
    error_message = "The worker_role_arn must be the ARN of one role."
  }
}

variable "external_id" {
  description = "For another-role: a long random word, the same as external_id of the connection in the policy."
  type        = string
  default     = null

  validation {
    condition     = var.external_id == null || can(regex("^[A-Za-z0-9+=,.@:/_-]{16,1224}$", var.external_id))
    error_message = "The external_id must have 16 characters or more: openssl rand -hex 16."
  }
}

variable "identity_center" {
  description = "Access by IAM Identity Center: the instance, and exactly the accounts, permission sets and groups that roles.yaml names."
  type = object({
    instance_arn          = string
    identity_store_id     = string
    management_account_id = string
    account_ids           = optional(list(string), [])
    permission_set_arns   = optional(list(string), [])
    group_ids             = optional(list(string), [])
    reads_policy_groups   = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.identity_center == null || can(regex("^arn:[a-z-]+:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}$", var.identity_center.instance_arn))
    error_message = "The instance_arn must look like arn:aws:sso:::instance/ssoins-0123456789abcdef: aws sso-admin list-instances."
  }

  validation {
    condition     = var.identity_center == null || can(regex("^d-[0-9a-f]{10}$|^[0-9a-f-]{36}$", var.identity_center.identity_store_id))
    error_message = "The identity_store_id must look like d-1234567890: aws sso-admin list-instances."
  }

  validation {
    condition = var.identity_center == null ? true : alltrue([
      for id in concat(var.identity_center.account_ids, [var.identity_center.management_account_id]) : can(regex("^[0-9]{12}$", id))
    ])
    error_message = "Accounts must have twelve digits each."
  }

  validation {
    condition = var.identity_center == null ? true : alltrue([
      for arn in var.identity_center.permission_set_arns : startswith(arn, replace(var.identity_center.instance_arn, ":instance/", ":permissionSet/"))
    ])
    error_message = "Each of permission_set_arns must be the ARN of a permission set of this instance, without a star."
  }

  validation {
    condition = var.identity_center == null ? true : alltrue([
      for id in var.identity_center.group_ids : can(regex("^([0-9a-f]{10}-)?[A-Fa-f0-9-]{36}$", id))
    ])
    error_message = "Each of group_ids must be the id of a group, not its name: aws identitystore get-group-id."
  }

  validation {
    condition = var.identity_center == null ? true : (
      (length(var.identity_center.account_ids) > 0) == (length(var.identity_center.permission_set_arns) > 0)
    )
    error_message = "The account_ids and permission_set_arns belong together: give both, or neither."
  }

  validation {
    condition     = var.identity_center == null ? true : !contains(var.identity_center.account_ids, var.identity_center.management_account_id)
    error_message = "Access on the management account needs rights that this module does not give: see worker-policy.identity-center-management-account.json."
  }
}

variable "iam_users" {
  description = "Access by IAM users of this account: the path under which people's users stand, and exactly the groups that roles.yaml names."
  type = object({
    user_path       = optional(string, "")
    group_names     = optional(list(string), [])
    inline_policies = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.iam_users == null || can(regex("^$|^[^/*?][^*?]*/$", var.iam_users.user_path))
    error_message = "The user_path must end with a slash and not begin with one, such as people/, or be empty."
  }

  validation {
    condition     = var.iam_users == null ? true : alltrue([for name in var.iam_users.group_names : can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", name))])
    error_message = "Each of group_names must be the name of one IAM group, without a star."
  }
}

variable "pipeline_role_names" {
  description = "Roles of pipelines in this account that gates give something, each with its path: deploy/orders. Each needs the boundary prodaccess-pipeline-boundary."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.pipeline_role_names : can(regex("^[A-Za-z0-9+=,.@_/-]{1,512}$", name)) && !startswith(name, "/")])
    error_message = "Each must be the name of one role, with its path before it, without a star."
  }

  validation {
    condition     = !contains([for name in var.pipeline_role_names : reverse(split("/", name))[0]], var.name)
    error_message = "The worker's own role is no pipeline's."
  }
}

variable "connection_role_arns" {
  description = "Roles in other accounts that connections of the policy name with role_arn or activity_role."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.connection_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[^*?]+$", arn))])
    error_message = "Each must be the ARN of one role, without a star."
  }
}

variable "activity" {
  description = "Whether the worker may look at CloudTrail in its own account, so that prodaccess activity tells what was done with access. The work does not need it."
  type        = bool
  default     = false
}

variable "terminal" {
  description = "With identity_center: whether this account is one of identity_accounts of the policy, so that the worker looks up whose somebody at a terminal is."
  type        = bool
  default     = false
}

variable "doctor" {
  description = "With identity_center: whether prodaccess doctor may ask if accounts are there and what the role may do. The work needs neither."
  type        = bool
  default     = true
}

variable "audit_bucket" {
  description = "A bucket with Object Lock for the archive of the audit log. In COMPLIANCE mode nobody can delete from it earlier, the root user included."
  type = object({
    name           = string
    retention_days = optional(number, 400)
  })
  default = null

  validation {
    condition     = var.audit_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.audit_bucket.name))
    error_message = "The name must be one that S3 takes."
  }

  validation {
    condition     = var.audit_bucket == null ? true : var.audit_bucket.retention_days >= 1 && floor(var.audit_bucket.retention_days) == var.audit_bucket.retention_days
    error_message = "The retention_days must be a whole number of days, one or more."
  }
}

variable "audit_key" {
  description = "A key that signs the head of the audit log. Ed25519 (ECC_NIST_EDWARDS25519) needs a provider that knows it; ECC_NIST_P256 does not."
  type = object({
    spec               = optional(string, "ECC_NIST_P256")
    administrator_arns = list(string)
  })
  default = null

  validation {
    condition     = var.audit_key == null ? true : contains(["ECC_NIST_P256", "ECC_NIST_EDWARDS25519"], var.audit_key.spec)
    error_message = "The spec must be ECC_NIST_P256 or ECC_NIST_EDWARDS25519."
  }

  validation {
    condition     = var.audit_key == null ? true : length(var.audit_key.administrator_arns) > 0
    error_message = "Name at least one of administrator_arns: a key without any cannot be changed by anybody."
  }
}
