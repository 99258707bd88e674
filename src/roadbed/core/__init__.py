"""What every domain stands on: settings, errors, database, workflows, events, access, HTTP, telemetry, extension."""
