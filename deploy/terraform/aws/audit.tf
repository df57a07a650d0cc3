# Where the archive of the audit log goes, and what signs its head. Both are made only where they are asked for.

data "aws_iam_policy_document" "audit" {
  statement {
    sid       = "WriteTheArchive"
    actions   = ["s3:PutObject", "s3:PutObjectRetention"]
    resources = ["arn:${local.partition}:s3:::${try(var.audit_bucket.name, "")}/*"]
  }

  statement {
    sid       = "ReadTheArchive"
    actions   = ["s3:GetObjectVersion"]
    resources = ["arn:${local.partition}:s3:::${try(var.audit_bucket.name, "")}/*"]
  }

  statement {
    sid       = "LookAtTheBucket"
    actions   = ["s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucketVersions"]
    resources = ["arn:${local.partition}:s3:::${try(var.audit_bucket.name, "")}"]
  }
}

resource "aws_s3_bucket" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket              = var.audit_bucket.name
  object_lock_enabled = true
  tags                = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket = aws_s3_bucket.audit[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket = aws_s3_bucket.audit[0].id

  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = var.audit_bucket.retention_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.audit]
}

resource "aws_s3_bucket_public_access_block" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket                  = aws_s3_bucket.audit[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket = aws_s3_bucket.audit[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket = aws_s3_bucket.audit[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  count = var.audit_bucket == null ? 0 : 1

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.audit[0].arn, "${aws_s3_bucket.audit[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "OnlyTheWorkerWrites"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.audit[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [aws_iam_role.worker.arn]
    }
  }

  statement {
    sid       = "OnlyUnderNewNames"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.audit[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["true"]
    }
  }
}

resource "aws_s3_bucket_policy" "audit" {
  count = var.audit_bucket == null ? 0 : 1

  bucket = aws_s3_bucket.audit[0].id
  policy = data.aws_iam_policy_document.bucket[0].json

  depends_on = [aws_s3_bucket_public_access_block.audit]
}

data "aws_iam_policy_document" "key" {
  count = var.audit_key == null ? 0 : 1

  # Not kms:*, which would hold kms:Sign.
  statement {
    sid = "Administer"
    actions = [
      "kms:CancelKeyDeletion",
      "kms:CreateAlias",
      "kms:DeleteAlias",
      "kms:DescribeKey",
      "kms:DisableKey",
      "kms:EnableKey",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:GetPublicKey",
      "kms:ListResourceTags",
      "kms:PutKeyPolicy",
      "kms:ScheduleKeyDeletion",
      "kms:TagResource",
      "kms:UntagResource",
      "kms:UpdateAlias",
      "kms:UpdateKeyDescription",
    ]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = sort(var.audit_key.administrator_arns)
    }
  }

  statement {
    sid       = "TheWorkerSigns"
    actions   = ["kms:GetPublicKey", "kms:Sign"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.worker.arn]
    }
  }

  # Whatever another policy of this account says: a signature is the worker's, or there is none.
  statement {
    sid       = "NobodyElseSigns"
    effect    = "Deny"
    actions   = ["kms:Sign"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [aws_iam_role.worker.arn]
    }
  }

  statement {
    sid       = "EverybodyInTheAccountMayCheckASignature"
    actions   = ["kms:GetPublicKey", "kms:Verify"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }
}

resource "aws_kms_key" "audit" {
  count = var.audit_key == null ? 0 : 1

  description              = "prodaccess: signs the head of the audit log"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = var.audit_key.spec
  deletion_window_in_days  = 30
  policy                   = data.aws_iam_policy_document.key[0].json
  tags                     = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "audit" {
  count = var.audit_key == null ? 0 : 1

  name          = "alias/${var.name}-audit"
  target_key_id = aws_kms_key.audit[0].key_id
}
