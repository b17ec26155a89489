package git

// Packets is for the fuzz test.
var Packets = packets
