"""Libraries on Theano at the versions that their users have: which, how rebuilt, how checked."""
