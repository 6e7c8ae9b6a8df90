"""Git for executions."""
