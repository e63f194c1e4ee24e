"""What Alembic runs for each command: our steps, in the transaction of the connection it was given."""

from alembic import context

from cds_service.store.schema import VERSION_TABLE
from cds_service.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
