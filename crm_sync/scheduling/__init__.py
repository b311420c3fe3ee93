"""Running connections on their schedules."""
