"""What answers under the names of AWS and of the download hosts, inside the lab's network."""
