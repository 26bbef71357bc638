"""Model hosts: processes that read packets, decode little, detect, track and evaluate rules."""
