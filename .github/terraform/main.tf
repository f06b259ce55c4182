# The AWS provider that the embedded engine is bridged to, for `terraform providers mirror`.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}
