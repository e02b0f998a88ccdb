"""How requests are made: the device that all engines share, and what each engine adds."""
