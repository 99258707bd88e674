"""What runs of golden paths do: the step kinds, the built-in actions, and what happens at start and end."""
