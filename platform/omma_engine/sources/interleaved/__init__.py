"""RTSP cameras over one TCP connection, media and all (RFC 2326, 10.12).

FFmpeg can do the same, and does it for whatever is not understood here. It asks the kernel for each RTP
packet in three reads with a poll before each, and parses every picture again, which was half of what
recording a camera cost. Here one read takes all that has come.
"""
