"""The standby: a second server that holds what the first one holds, and can take its place."""
