"""Which changes of the service and of its numbers the tests notice."""
