"""Account pictures: what an account holds now, put together for whoever asks."""
