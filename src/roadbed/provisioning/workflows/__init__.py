"""What moves resources: the steps of their runs, and the driver that Roadbed brings, `local`."""
