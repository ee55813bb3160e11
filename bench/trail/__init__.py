"""The trail with millions of rows: what a journey, a list's page and a batch of rows cost then."""
