"""What should be done to a runtime: a pure function from facts and a request to a plan."""
