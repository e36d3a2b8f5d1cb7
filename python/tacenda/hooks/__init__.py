"""The hooks, one file per channel or source of protected values."""
