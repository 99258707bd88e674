"""The process runtime: workloads as isolated processes of this machine."""
