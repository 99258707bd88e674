"""Every query on documentation."""
