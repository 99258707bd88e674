"""What moves runs: the interpreter, what it hands to steps, and the follow-up of waits that are overdue."""
