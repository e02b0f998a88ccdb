"""Many runs that answer one question: sweep, capacity, compare, calibrate."""
