# The worker in EKS, access by Identity Center: two accounts, two permission sets, one group.

module "prodaccess" {
  source = "../.."

  runs_on = "eks"
  eks = {
    oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
  }

  identity_center = {
    instance_arn          = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
    identity_store_id     = "d-1234567890"
    management_account_id = "999900001111"
    account_ids           = ["111122223333", "444455556666"]
    permission_set_arns = [
      "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
      "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-fedcba9876543210",
    ]
    group_ids           = ["a0b1c2d3-4444-5555-6666-777788889999"]
    reads_policy_groups = true
  }

  audit_bucket = { name = "example-prodaccess-audit" }
  audit_key    = { administrator_arns = ["arn:aws:iam::111122223333:role/security"] }

  tags = { owner = "platform" }
}

output "helm_values" {
  value = module.prodaccess.helm_values
}

output "environment" {
  value = module.prodaccess.environment
}
