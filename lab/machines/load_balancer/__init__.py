"""Network load balancers: an HAProxy per balancer and zone, told what the AWS API says."""
