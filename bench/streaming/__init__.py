"""What the benches of the stream share: events, a server that appends, a peer, consumers."""
