# The worker on a machine of EC2, and access by IAM users in a second account.

module "worker" {
  source = "../.."

  runs_on              = "ec2"
  connection_role_arns = ["arn:aws:iam::444455556666:role/prodaccess-worker"]
}

provider "aws" {
  alias = "shop"

  assume_role {
    role_arn = "arn:aws:iam::444455556666:role/terraform"
  }
}

module "shop" {
  source    = "../.."
  providers = { aws = aws.shop }

  runs_on         = "another-role"
  worker_role_arn = module.worker.role_arn
  external_id     = "3f9c0d5b7a1e4c2d8f6b"

  iam_users = {
    user_path       = "people/"
    group_names     = ["orders-prod-deployers"]
    inline_policies = true
  }
}

output "instance_profile_name" {
  value = module.worker.instance_profile_name
}
