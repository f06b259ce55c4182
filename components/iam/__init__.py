"""IAM policies of whoever runs Pulumi, and what policies are made of."""
