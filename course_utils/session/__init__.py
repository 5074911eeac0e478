"""What a session is: where a lesson runs, how it tells its progress, what is installed."""
