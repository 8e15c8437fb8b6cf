"""What is wrong here, and what to do: conflicts, live checks, failures explained, a report."""
