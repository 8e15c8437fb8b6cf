"""What is this machine? Reads, never writes."""
