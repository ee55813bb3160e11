"""What an alert notices of a Postgres that is gone for minutes: nothing, by figure."""
