"""What a run leaves on disk. Records are the truth; everything else here can be made from them."""
