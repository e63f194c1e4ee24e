"""What this service answers over HTTP, as the OpenAPI 3.1 description that it serves itself.

Its words and schemas stand in the YAML files of this folder; what else a description needs comes from where the service
has it: the table of services, the codes of the card files, the limits of this installation.
"""
