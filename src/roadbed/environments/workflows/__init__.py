"""The steps by which workloads come to run."""
