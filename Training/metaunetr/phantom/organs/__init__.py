"""The organs, one file each, in patient space."""
