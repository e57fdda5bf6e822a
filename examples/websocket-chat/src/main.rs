//! A chat over WebSockets: the socket closes when its user logs out.

fn main() {}
