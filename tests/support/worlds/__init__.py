"""Made-up agent systems with faults, played on a virtual clock: the truth first, then the counters it leaves behind."""
