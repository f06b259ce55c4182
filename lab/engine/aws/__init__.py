"""The AWS provider stand-in: Pulumi's provider protocol on the real Terraform AWS provider."""
