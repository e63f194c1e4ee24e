"""What the service remembers between calls, and shares between its replicas."""
