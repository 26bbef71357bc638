"""Videos that somebody sent: each becomes a camera whose footage is the file's."""
