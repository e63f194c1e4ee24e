"""Pages and data for people who try the service out; demo mode only."""
