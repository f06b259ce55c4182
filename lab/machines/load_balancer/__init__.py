"""Network load balancers: an HAProxy per load balancer and zone, told what the AWS API says."""
