"""Decision support before and after onasemnogene abeparvovec-xioi, as CDS Hooks services."""

__version__ = "0.1.0"
