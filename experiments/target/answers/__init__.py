"""Whether an answer is right: what came, what it is after decoding, what is expected of it, and the sentence for people."""
