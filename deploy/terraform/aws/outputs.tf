output "role_arn" {
  description = "The worker's role: worker.aws.roleArn of the chart, or role_arn of a connection where runs_on is another-role."
  value       = aws_iam_role.worker.arn
}

output "instance_profile_name" {
  description = "For ec2: the profile for the machine."
  value       = try(aws_iam_instance_profile.worker[0].name, null)
}

output "environment" {
  description = "Variables for the processes, by name."
  value = {
    for name, value in {
      PRODACCESS_AUDIT_BUCKET = try(aws_s3_bucket.audit[0].bucket, null)
      PRODACCESS_AUDIT_KEY    = try("awskms:${aws_kms_key.audit[0].arn}", null)
    } : name => value if value != null
  }
}

output "helm_values" {
  description = "Values for the chart, as YAML: terraform output -raw helm_values > aws.values.yaml"
  value = yamlencode({
    worker = {
      aws = {
        identity = lookup({ eks = "irsa", pod-identity = "podIdentity" }, var.runs_on, "none")
        roleArn  = var.runs_on == "eks" ? aws_iam_role.worker.arn : ""
      }
    }
  })
}
