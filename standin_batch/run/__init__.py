"""Running a plan: events, journal and the executor."""
