"""What the domain does: deploying, running, watching, reading."""
