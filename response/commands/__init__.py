"""The commands of `tumor-response`: each reads, calls, writes and tells."""
