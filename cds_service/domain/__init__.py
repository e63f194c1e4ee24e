"""Clinical logic, and nothing else: no FHIR, no HTTP, no files, no clock."""
